//! The measured services and the path that a fresh request takes.

use crate::component::id::{ComponentId, MachineId};
use crate::kernel::time::Duration;

/// A service whose outages and degradations are measured. Definitions are those of the product's
/// glossary: what a fresh request on a new connection meets, without waiting for a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Opens a connection to the address that clients use.
    Endpoint,
    /// GET/LIST with resourceVersion=0.
    ApiReadCached,
    /// Quorum GET.
    ApiRead,
    /// PUT that commits.
    ApiWrite,
    /// A leader exists that a majority follows.
    EtcdQuorum,
    /// `api-write`, and a scheduler that holds the Lease and can act.
    Scheduling,
    /// `api-write`, and a controller-manager that holds the Lease and can act.
    Reconciliation,
    /// Ready share of the desired pods. A pod counts if the API shows it ready, it is not being
    /// deleted, its containers really run, and clients reach its machine.
    Workload,
}

impl Service {
    /// Every service, in the order in which reports list them. [`Service::Workload`] is the last, so
    /// that a plan without workloads has all but that.
    pub const ALL: [Service; 8] = [
        Service::Endpoint,
        Service::ApiReadCached,
        Service::ApiRead,
        Service::ApiWrite,
        Service::EtcdQuorum,
        Service::Scheduling,
        Service::Reconciliation,
        Service::Workload,
    ];

    /// The name in files and output.
    pub fn name(self) -> &'static str {
        match self {
            Service::Endpoint => "endpoint",
            Service::ApiReadCached => "api-read-cached",
            Service::ApiRead => "api-read",
            Service::ApiWrite => "api-write",
            Service::EtcdQuorum => "etcd-quorum",
            Service::Scheduling => "scheduling",
            Service::Reconciliation => "reconciliation",
            Service::Workload => "workload",
        }
    }
}

/// How clients reach the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A virtual address held by one of these instances, before what stands beside it.
    Vip {
        /// The instances of keepalived or kube-vip.
        holders: Vec<ComponentId>,
        /// The balancer on the machine of each; with kube-vip the API server there.
        fronts: Vec<ComponentId>,
    },
    /// One balancer at an address of its own.
    Balancer(ComponentId),
    /// One API server.
    OneServer(ComponentId),
    /// Clients know every API server and try another at once.
    AllServers,
    /// A DNS name with several addresses, of API servers or of balancers: clients resolve it when they
    /// dial, begin with any of them, and try the others after a refusal or a part of the dial time-out.
    Dns {
        /// Who stands at the addresses.
        addresses: Vec<ComponentId>,
        /// How long resolvers keep an answer.
        ttl: Duration,
    },
}

/// The path of the measured services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Services {
    /// How clients reach the API.
    pub endpoint: Endpoint,
    /// The API servers, in the order of the balancers' backend.
    pub api_servers: Vec<ComponentId>,
    /// The etcd members.
    pub members: Vec<ComponentId>,
    /// The machine that stands for "clients".
    pub outside: MachineId,
}

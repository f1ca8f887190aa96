//! Names for what takes part in a run: components (processes and API objects) and machines.
//!
//! Identifiers are dense indices, so that facts, alarms and reachability live in flat arrays, and
//! their order is the order of declaration in the plan: it decides ties and never depends on history.

/// A process or an API object; an index into [`Map`](super::map::Map).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct ComponentId(pub u16);

/// A machine (a host with a network interface, a disk and a clock).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct MachineId(pub u16);

/// An availability zone; an index into the plan's list of zones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct ZoneId(pub u16);

impl ComponentId {
    /// Not a component but the virtual address: a call sent to it goes to the balancer, or with kube-vip
    /// to the API server, on the machine that holds the address at that moment (each SYN is resolved
    /// anew).
    pub const VIP: ComponentId = ComponentId(u16::MAX);

    /// The index into flat per-component arrays.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl MachineId {
    /// The index into flat per-machine arrays.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// What a component is. The first block are processes, the second are API objects: records that
/// etcd holds for the cluster, which have no machine and change only when a write commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An etcd member.
    Etcd,
    /// A kube-apiserver.
    ApiServer,
    /// A kube-scheduler.
    Scheduler,
    /// A kube-controller-manager.
    ControllerManager,
    /// An HAProxy.
    LoadBalancer,
    /// A keepalived daemon.
    Keepalived,
    /// A kube-vip.
    KubeVip,
    /// A kubelet.
    Kubelet,
    /// A client with a stated schedule of requests.
    Client,
    /// A Lease object through which instances elect their leader.
    Lease,
    /// A Node object: what the API says of a node.
    Node,
    /// A Deployment, a StatefulSet or a bare pod, with its pods as the API knows them.
    Workload,
}

impl Kind {
    /// The name that scenario files and output use: the program's own, or the object's kind.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Etcd => "etcd",
            Kind::ApiServer => "kube-apiserver",
            Kind::Scheduler => "kube-scheduler",
            Kind::ControllerManager => "kube-controller-manager",
            Kind::LoadBalancer => "haproxy",
            Kind::Keepalived => "keepalived",
            Kind::KubeVip => "kube-vip",
            Kind::Kubelet => "kubelet",
            Kind::Client => "client",
            Kind::Lease => "lease",
            Kind::Node => "node",
            Kind::Workload => "workload",
        }
    }

    /// Every kind, in declaration order.
    pub const ALL: [Kind; 12] = [
        Kind::Etcd,
        Kind::ApiServer,
        Kind::Scheduler,
        Kind::ControllerManager,
        Kind::LoadBalancer,
        Kind::Keepalived,
        Kind::KubeVip,
        Kind::Kubelet,
        Kind::Client,
        Kind::Lease,
        Kind::Node,
        Kind::Workload,
    ];

    /// The Lease by which instances elect one among them; `None` where they do not.
    pub fn lock(self) -> Option<&'static str> {
        match self {
            Kind::Scheduler | Kind::ControllerManager => Some(self.name()),
            Kind::KubeVip => Some("plndr-cp-lock"),
            _ => None,
        }
    }

    /// Whether this is a process, which runs on a machine and can be stopped, killed or paused.
    pub fn is_process(self) -> bool {
        !matches!(self, Kind::Lease | Kind::Node | Kind::Workload)
    }
}

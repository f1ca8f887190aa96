//! How things stand at a moment, as the field's own tools print it: `kubectl get nodes -o wide`,
//! `etcdctl endpoint status -w table`, `kubectl get leases`, HAProxy's statistics, and who holds the
//! virtual address.
//!
//! Columns that hasim does not model (addresses, kernels, database sizes) are left out and named
//! below the table, creation times shown as `<unknown>`; nothing is invented.

mod text;

use super::address::{kube_vip_state, vrrp_state};
use super::workload::status as pod_status;
use crate::component::fact::{Condition, Fact, Role};
use crate::component::id::{ComponentId, Kind};
use crate::component::map::MachineRole;
use crate::component::view::{Surroundings, View};
use crate::component::workload::Pod;
use crate::components::workload::Workload;
use crate::kernel::time::Time;
use crate::plan::Plan;
use schemars::JsonSchema;
use serde::Serialize;

/// A node as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeRow {
    /// `NAME`.
    pub name: String,
    /// `STATUS`: `Ready` or `NotReady`.
    pub status: &'static str,
    /// `ROLES`.
    pub roles: &'static str,
    /// `VERSION` of the kubelet.
    pub version: String,
    /// Its zone.
    pub zone: String,
}

/// A pod as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PodRow {
    /// `NAME`.
    pub name: String,
    /// `READY`: containers that are ready, of one.
    pub ready: bool,
    /// `STATUS`.
    pub status: &'static str,
    /// `AGE`; nothing for pods older than the run.
    pub age: Option<String>,
    /// `NODE`.
    pub node: Option<String>,
}

/// An etcd member as it answers for itself.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MemberRow {
    /// `ENDPOINT`.
    pub endpoint: String,
    /// `VERSION`.
    pub version: String,
    /// `IS LEADER`.
    pub is_leader: bool,
    /// `RAFT TERM`.
    pub raft_term: u64,
    /// `RAFT INDEX`.
    pub raft_index: u64,
    /// `ERRORS`: what the member reports of itself.
    pub errors: String,
    /// Whether it answers at all; the other columns are empty if not.
    pub answers: bool,
}

/// A Lease.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LeaseRow {
    /// `NAME`.
    pub name: String,
    /// `HOLDER`: machine and start of the process, as `holderIdentity` tells starts apart.
    pub holder: String,
    /// How long ago it was renewed, in words.
    pub renewed: String,
    /// `leaseTransitions`.
    pub transitions: u32,
}

/// A server of a balancer's backend.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendRow {
    /// The balancer's machine.
    pub balancer: String,
    /// `svname`.
    pub server: String,
    /// `status`: `UP` or `DOWN`; `-` if the balancer does not run.
    pub status: &'static str,
}

/// A keepalived or kube-vip instance.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AddressRow {
    /// Its machine.
    pub node: String,
    /// VRRP state, of a kube-vip whether it leads; `-` if it does not run.
    pub state: &'static str,
    /// Effective priority of a keepalived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// Whether the address is configured there.
    pub holds: bool,
}

/// Everything at a moment.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tables {
    /// Whether some API server answers; what it stores is shown as last known otherwise.
    #[serde(skip)]
    pub answers: bool,
    /// Nodes.
    pub nodes: Vec<NodeRow>,
    /// Pods of workloads.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pods: Vec<PodRow>,
    /// etcd members.
    pub members: Vec<MemberRow>,
    /// Leases.
    pub leases: Vec<LeaseRow>,
    /// Balancers' servers.
    pub backends: Vec<BackendRow>,
    /// Who holds the address.
    pub address: Vec<AddressRow>,
}

/// The tables of a plan at `now`.
pub fn tables(plan: &Plan, now: Time, all: &Surroundings) -> Tables {
    let moment = Moment { plan, now, all };
    let of = |kind| plan.map.of_kind(kind);
    Tables {
        answers: of(Kind::ApiServer).any(|id| moment.answers(id)),
        nodes: of(Kind::Node)
            .filter(|id| moment.view(*id).node(*id).is_none_or(|node| !node.gone))
            .map(|id| moment.node(id))
            .collect(),
        pods: plan.workloads.all.iter().flat_map(|w| moment.pods(w)).collect(),
        members: plan.services.members.iter().map(|id| moment.member(*id)).collect(),
        leases: of(Kind::Lease).filter_map(|id| moment.lease(id)).collect(),
        backends: of(Kind::LoadBalancer).flat_map(|id| moment.backends(id)).collect(),
        address: plan.map.address_holders().map(|id| moment.address(id)).collect(),
    }
}

struct Moment<'a> {
    plan: &'a Plan,
    now: Time,
    all: &'a Surroundings,
}

impl Moment<'_> {
    fn view(&self, me: ComponentId) -> View<'_> {
        View { now: self.now, me, all: self.all }
    }

    fn place(&self, id: ComponentId) -> String {
        self.plan.map.place(id).to_owned()
    }

    fn node(&self, id: ComponentId) -> NodeRow {
        let map = &self.plan.map;
        let name = map.name(id).trim_start_matches("node/").to_owned();
        let machine = map.find_machine(&name).map(|m| map.machine(m));
        let ready = self.view(id).node(id).is_some_and(|fact| fact.ready == Condition::True);
        let role = machine.map(|m| m.role);
        NodeRow {
            status: if ready { "Ready" } else { "NotReady" },
            roles: if role == Some(MachineRole::ControlPlane) { "control-plane" } else { "<none>" },
            version: format!("v{}", self.plan.versions.kubernetes),
            zone: machine.map_or(String::new(), |m| map.zone(m.zone).to_owned()),
            name,
        }
    }

    fn pods(&self, workload: &Workload) -> Vec<PodRow> {
        let Fact::Workload(fact) = &self.all.facts[workload.object.index()] else {
            return Vec::new();
        };
        let mut pods: Vec<&Pod> = fact.pods.iter().collect();
        pods.sort_by_key(|pod| pod.number);
        let row = |pod: &Pod| PodRow {
            name: workload.pod_name(pod.number),
            ready: pod.ready,
            status: pod_status(pod),
            age: (pod.created >= Time::START).then(|| self.now.since(pod.created).human()),
            node: pod.node.map(|node| self.plan.map.machine(node).name.clone()),
        };
        pods.into_iter().map(row).collect()
    }

    fn member(&self, id: ComponentId) -> MemberRow {
        let view = self.view(id);
        let fact = view.etcd(id).copied().filter(|fact| fact.serving && view.executes(id));
        let errors = match fact {
            Some(fact) if fact.lead.is_none() => "etcdserver: no leader",
            _ => "",
        };
        let shown = fact.unwrap_or_default();
        MemberRow {
            endpoint: format!("{}:2379", self.place(id)),
            version: self.plan.versions.etcd.to_string(),
            is_leader: shown.role == Role::Leader,
            raft_term: shown.term,
            raft_index: shown.index,
            errors: errors.to_owned(),
            answers: fact.is_some(),
        }
    }

    fn lease(&self, id: ComponentId) -> Option<LeaseRow> {
        let Fact::Lease(lease) = self.all.facts[id.index()] else { return None };
        let name = self.plan.map.name(id);
        let holder = lease.holder.map_or(String::new(), |holder| {
            let place = self.place(holder.component);
            let start = holder.incarnation;
            if start == 0 { place } else { format!("{place}_{start}") }
        });
        let renewed = lease
            .renewals
            .last(self.now)
            .map_or("<unknown>".to_owned(), |last| format!("{} ago", self.now.since(last).human()));
        let name = name.strip_prefix("lease/").unwrap_or(name).to_owned();
        Some(LeaseRow { name, holder, renewed, transitions: lease.transitions })
    }

    fn backends(&self, id: ComponentId) -> Vec<BackendRow> {
        let view = self.view(id);
        let runs = view.executes(id);
        let rotation = view.load_balancer(id).map_or(0, |fact| fact.rotation);
        let servers = self.plan.services.api_servers.iter().enumerate();
        servers
            .map(|(at, server)| BackendRow {
                balancer: self.place(id),
                server: self.place(*server),
                status: match (runs, rotation >> at & 1) {
                    (false, _) => "-",
                    (true, 1) => "UP",
                    (true, _) => "DOWN",
                },
            })
            .collect()
    }

    fn answers(&self, server: ComponentId) -> bool {
        let view = self.view(server);
        view.executes(server)
            && matches!(self.all.facts[server.index()], Fact::ApiServer(fact) if fact.ready)
    }

    fn address(&self, id: ComponentId) -> AddressRow {
        let view = self.view(id);
        let vrrp = view.vrrp(id).copied().unwrap_or_default();
        let kube_vip = self.plan.map.component(id).kind == Kind::KubeVip;
        AddressRow {
            node: self.place(id),
            state: match view.kube_vip(id) {
                _ if !view.executes(id) => "-",
                None if !kube_vip => vrrp_state(vrrp.state),
                fact => kube_vip_state(fact.copied().unwrap_or_default()),
            },
            priority: (!kube_vip).then_some(vrrp.priority),
            holds: view.fact(id).held().is_some(),
        }
    }
}

//! What may be known of a component from outside: facts that a real peer could observe.
//!
//! A fact describes behaviour, not state: a leader's fact says at which instants its heartbeats
//! leave, so that a peer can compute the last one it heard without any being sent. Facts about API
//! objects are what a linearizable read would return.

pub use super::address::{AddressFact, Held};
use super::id::{ComponentId, MachineId};
use super::members::Members;
pub use super::node::{Condition, NodeFact, Taint};
pub use super::workload::WorkloadFact;
use crate::kernel::cadence::Cadence;
use crate::kernel::time::{Duration, Time};
use serde::Serialize;

/// The published behaviour of one component.
#[derive(Clone, Debug, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Fact {
    /// Nothing to observe: never started, or gone.
    #[default]
    Absent,
    /// An etcd member.
    Etcd(EtcdFact),
    /// A kube-apiserver.
    ApiServer(ApiServerFact),
    /// A kube-scheduler or kube-controller-manager.
    Candidate(CandidateFact),
    /// A load balancer.
    LoadBalancer(LoadBalancerFact),
    /// A keepalived instance.
    Vrrp(VrrpFact),
    /// A kube-vip instance.
    KubeVip(AddressFact),
    /// A kubelet.
    Kubelet(KubeletFact),
    /// A client, as far as peers and neighbours see it.
    Client(ClientFact),
    /// A Lease object.
    Lease(LeaseFact),
    /// A Node object.
    Node(NodeFact),
    /// A workload with its pods.
    Workload(WorkloadFact),
}

/// Raft role of an etcd member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// Follows a leader or waits for one.
    #[default]
    Follower,
    /// Asks whether it could win, without raising its term (`pre-vote`).
    PreCandidate,
    /// Stands for election in its term.
    Candidate,
    /// Leads its term.
    Leader,
}

/// What peers and clients can observe of an etcd member.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EtcdFact {
    /// Raft role.
    pub role: Role,
    /// Raft term.
    pub term: u64,
    /// The leader that the member believes in.
    pub lead: Option<ComponentId>,
    /// Whether the client port is open.
    pub serving: bool,
    /// Leader only: the instants at which its ticks send heartbeats.
    pub beats: Option<Cadence>,
    /// Whether its raft loop stands still in a disk write: no ticks, no replies.
    pub stalled: bool,
    /// Leader only: an entry of its own term has committed, so that it serves reads and writes.
    pub settled: bool,
    /// Leader only: it hands over to another member and takes no writes meanwhile.
    pub transferring: bool,
    /// Index of the last entry in its log, as `etcdctl endpoint status` shows it.
    pub index: u64,
    /// It has applied the alarm NOSPACE: it refuses writes.
    pub full: bool,
    /// How long its disk takes on average to make an entry durable.
    pub sync: Duration,
    /// The configuration that it goes by; `None`: all of the scenario's members vote, as they have
    /// from the beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<Members>,
}

/// What a request of a class meets at a server, as things stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Ability {
    /// It is answered.
    Works,
    /// It gets an error at once.
    Fails,
    /// It waits for something to change, and fails after a time-out if nothing does.
    #[default]
    Hangs,
}

/// What clients can observe of a kube-apiserver.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiServerFact {
    /// The TCP port accepts connections.
    pub listening: bool,
    /// HTTP requests are answered (a TLS server is up).
    pub http: bool,
    /// `/readyz` returns 200.
    pub ready: bool,
    /// `/livez` returns 200.
    pub live: bool,
    /// It shows an expired certificate: whoever connects now, and verifies it, goes away again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub distrusted: bool,
    /// How long a health endpoint that is asked now waits for etcd before it answers, with a failure
    /// unless etcd comes back meanwhile; zero while etcd works. (`ready` and `live` tell of the
    /// answers that are given now, to earlier questions.)
    pub health_wait: Duration,
    /// Writes and quorum reads go to this etcd member now; `None` when to none.
    pub etcd: Option<ComponentId>,
    /// GET/LIST with resourceVersion=0.
    pub read_cached: Ability,
    /// Quorum reads.
    pub read: Ability,
    /// Writes.
    pub write: Ability,
    /// How long a write takes here at present, from its arrival to its answer, when it works.
    pub latency: Duration,
    /// The same of a quorum read.
    pub read_latency: Duration,
    /// The same of a read from the watch cache.
    pub cached_latency: Duration,
    /// Of the quorum reads and writes, the share that goes to an etcd member that answers, in parts
    /// per million: all or none unless `etcd-servers` names several members.
    pub answered: u32,
    /// Since when its watch cache has followed every change, if not for long: a watch of what happened
    /// before gets 410.
    #[serde(skip)]
    pub cached_since: Option<Time>,
    /// So much goes on that requests may wait for their turn, or be turned away: what each meets
    /// shows only when it is made.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub contended: bool,
    /// What requests for Leases meet, where that differs: each resource has its own connections to
    /// etcd, which come back after an outage at times of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leases: Option<StorageFact>,
    /// The same of nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nodes: Option<StorageFact>,
}

/// A sort of object that is stored over connections of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// What clients at the endpoint read and write.
    Objects,
    /// Leases: of leader election and of nodes.
    Leases,
    /// Nodes.
    Nodes,
}

/// What quorum reads and writes of one resource meet at a kube-apiserver.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StorageFact {
    /// They go to this etcd member now; `None` when to none.
    pub etcd: Option<ComponentId>,
    /// Quorum reads.
    pub read: Ability,
    /// Writes.
    pub write: Ability,
    /// How long a write takes, from its arrival to its answer, when it works.
    pub latency: Duration,
    /// The same of a quorum read.
    pub read_latency: Duration,
    /// The share that goes to an etcd member that answers, in parts per million.
    pub answered: u32,
}

impl ApiServerFact {
    /// What quorum reads and writes of a resource meet.
    pub fn storage(&self, resource: Resource) -> StorageFact {
        let objects = StorageFact {
            etcd: self.etcd,
            read: self.read,
            write: self.write,
            latency: self.latency,
            read_latency: self.read_latency,
            answered: self.answered,
        };
        match resource {
            Resource::Objects => objects,
            Resource::Leases => self.leases.unwrap_or(objects),
            Resource::Nodes => self.nodes.unwrap_or(objects),
        }
    }
}

/// What can be observed of a leader-elected instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CandidateFact {
    /// It believes that it holds the Lease (or runs without leader election).
    pub leading: bool,
    /// It reconciles or schedules: leading and warmed up.
    pub acting: bool,
}

/// What can be observed of a load balancer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoadBalancerFact {
    /// The frontend accepts connections.
    pub listening: bool,
    /// Servers in rotation, one bit each in the order of the backend's list.
    pub rotation: u64,
    /// It ends a connection on which nothing has been passed on for this long; `None`: it waits.
    pub idle_limit: Option<Duration>,
    /// It ends the connections to a server that it takes out of rotation.
    pub cuts_sessions: bool,
}

/// State of a VRRP instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum VrrpState {
    /// Not running yet.
    #[default]
    Init,
    /// Listens for the master's adverts.
    Backup,
    /// Sends adverts and holds the address.
    Master,
    /// Out of the election: interface or tracked script down.
    Fault,
}

/// What can be observed of a keepalived instance.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VrrpFact {
    /// VRRP state.
    pub state: VrrpState,
    /// The address is configured on the machine; it stays behind when the daemon is killed.
    pub holds: bool,
    /// Effective priority.
    pub priority: u8,
    /// The version of VRRP that it speaks.
    pub version: u32,
    /// Master only: the instants at which adverts leave.
    pub adverts: Option<Cadence>,
    /// When it last announced the address by gratuitous ARP.
    pub announced: Option<Time>,
}

/// What can be observed of a kubelet.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KubeletFact {
    /// Renewals of its node Lease as the API server commits them.
    pub renewals: Renewals,
}

/// What can be observed of a client's machine: to whom it sends what is meant for the address.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientFact {
    /// The machine behind the neighbour entry of the virtual address.
    pub neighbour: Option<MachineId>,
    /// Its writes, as etcd commits them.
    pub writes: Renewals,
    /// What the virtual address answered it, if it opens a connection there for each request.
    pub answers: Renewals,
}

/// When an object was renewed: once, or at every tick of a cadence that still goes on.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Renewals {
    /// Never.
    #[default]
    Never,
    /// The last renewal committed at this instant, and none is under way.
    Once(Time),
    /// A renewal has committed at every tick so far and will until the renewer books otherwise.
    Every(Cadence),
}

impl Renewals {
    /// The last renewal that had committed at or before `now`.
    pub fn last(&self, now: Time) -> Option<Time> {
        match self {
            Renewals::Never => None,
            Renewals::Once(at) => Some(*at),
            Renewals::Every(cadence) => cadence.last_at_or_before(now),
        }
    }
}

/// One process's claim on a Lease: a restarted holder is a stranger to its own lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Holder {
    /// The process.
    pub component: ComponentId,
    /// Which of its starts; part of `holderIdentity` in the real software. 0: all of them alike, where
    /// that is the name of the node alone.
    pub incarnation: u32,
}

/// A Lease object as a linearizable read returns it.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LeaseFact {
    /// `holderIdentity`; `None` is the empty string, a free lease.
    pub holder: Option<Holder>,
    /// `leaseDurationSeconds`.
    pub duration_seconds: u32,
    /// `leaseTransitions`.
    pub transitions: u32,
    /// `renewTime`, lazily.
    pub renewals: Renewals,
    /// When the present holder acquired it.
    pub acquired: Option<Time>,
    /// Writes so far that were not regular renewals of a cadence; with the renewals it makes up
    /// the `resourceVersion` (see [`LeaseFact::revision`]).
    pub writes: u64,
}

impl LeaseFact {
    /// A number that differs between any two states of the record, as resourceVersion does: the
    /// explicit writes, and the instant of the last renewal.
    pub fn revision(&self, now: Time) -> (u64, Option<Time>) {
        (self.writes, self.renewals.last(now))
    }
}

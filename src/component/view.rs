//! What a component sees: published facts and the network as it stands, relative to itself.
//!
//! A view answers "what would a probe sent now find". Nobody sees through a partition, and nobody
//! sees another's private state.

use super::certificate::Expired;
pub use super::clock::Clock;
use super::clock::TRUE_PPM;
use super::fact::{
    AddressFact, ApiServerFact, CandidateFact, EtcdFact, Fact, KubeletFact, LeaseFact,
    LoadBalancerFact, NodeFact, VrrpFact, WorkloadFact,
};
use super::id::{ComponentId, MachineId};
use super::lever::Slowness;
use super::map::Map;
pub use super::peer_streams::{PeerStream, PeerStreams};
use super::reach::Reach;
use crate::kernel::time::{Duration, Time};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Whether a process executes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ProcessState {
    /// Not started, exited or killed; on a machine that is up, its port refuses.
    #[default]
    Dead,
    /// Executes.
    Running,
    /// Exists but executes nothing; the kernel still accepts connections for it.
    Paused,
}

/// One process as its machine's kernel knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    /// Whether it executes.
    pub state: ProcessState,
    /// How often it has been started.
    pub incarnation: u32,
    /// Since when it has been in this state.
    pub since: Time,
    /// Which of the certificates that it shows have expired.
    pub expired: Expired,
}

/// One machine's hardware.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MachineState {
    /// Has power.
    pub powered: bool,
    /// Since when it has had power; containers that were started before are gone.
    pub powered_since: Time,
    /// Its disk completes no writes at present.
    pub disk_stalled: bool,
    /// Its disk is slow at present.
    pub slow_disk: Option<Slowness>,
    /// The clients' resolver leaves it out of the DNS name of the endpoint.
    pub unlisted: bool,
    /// Rate of its clock, in parts per million of true time.
    pub clock_ppm: u32,
    /// Since when it has been suspended, its clock with it.
    pub suspended: Option<Time>,
    /// How long its clock has stood still in suspensions that are over.
    pub slept: Duration,
}

impl Default for MachineState {
    fn default() -> Self {
        Self {
            powered: true,
            powered_since: Time::ZERO,
            disk_stalled: false,
            slow_disk: None,
            unlisted: false,
            clock_ppm: TRUE_PPM,
            suspended: None,
            slept: Duration::ZERO,
        }
    }
}

/// Who leads and holds at the start of a settled run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settlement {
    /// The etcd leader.
    pub etcd_leader: Option<ComponentId>,
    /// The holder of each Lease, as (lease, holder).
    pub lease_holders: Vec<(ComponentId, ComponentId)>,
    /// The keepalived that is master, or the kube-vip that leads.
    pub vip_holder: Option<ComponentId>,
}

impl Settlement {
    /// The holder of a Lease at the start.
    pub fn holder_of(&self, lease: ComponentId) -> Option<ComponentId> {
        self.lease_holders.iter().find(|(l, _)| *l == lease).map(|(_, holder)| *holder)
    }
}

/// Everything outside the components: facts, processes, machines and the network.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// Which components and machines there are.
    pub map: Arc<Map>,
    /// The published fact of each component.
    pub facts: Vec<Fact>,
    /// The state of each process (objects: always running).
    pub processes: Vec<Process>,
    /// The state of each machine.
    pub machines: Vec<MachineState>,
    /// Who reaches whom.
    pub reach: Reach,
    /// Who leads at the start of a settled run.
    pub settlement: Settlement,
    /// The instances behind the virtual address: (keepalived or kube-vip, balancer or API server on its
    /// machine). Empty without one.
    pub vip: Vec<(ComponentId, ComponentId)>,
    /// To which instance's machine each machine sends what is meant for the virtual address: its
    /// neighbour entry, right or wrong. `None`: none, the next packet asks everybody.
    pub neighbours: Vec<Option<ComponentId>>,
    /// The streams of raft messages between etcd members.
    pub streams: PeerStreams,
    /// Standing connections by (holder, its key): whether data pass through at once at present. Not
    /// there once the end of one is on its way to the holder.
    pub connections: BTreeMap<(ComponentId, u64), bool>,
}

impl Surroundings {
    /// The stream of raft messages from one etcd member to another.
    pub fn stream(&self, from: ComponentId, to: ComponentId) -> PeerStream {
        self.streams.get(self.map.rank(from), self.map.rank(to))
    }

    /// Replaces it.
    pub fn set_stream(&mut self, from: ComponentId, to: ComponentId, stream: PeerStream) {
        self.streams.set(self.map.rank(from), self.map.rank(to), stream);
    }

    /// Which balancer (with kube-vip: API server) a new connection from `machine` to the virtual address
    /// reaches now: the one beside the holder in the machine's neighbour entry, if that still holds the address; without
    /// an entry, the one beside the first holder that hears the question.
    pub fn balancer_for(&self, machine: MachineId) -> Option<ComponentId> {
        let mut instances = self.vip.iter();
        let answers = |instance: ComponentId| self.holds_for(machine, instance);
        match self.neighbours[machine.index()] {
            Some(holder) => instances.find(|(k, _)| *k == holder && answers(*k)),
            None => instances.find(|(k, _)| answers(*k)),
        }
        .map(|(_, balancer)| *balancer)
    }

    /// Whether an instance's machine holds the virtual address and `machine` reaches it.
    pub fn holds_for(&self, machine: MachineId, instance: ComponentId) -> bool {
        let place = self.map.machine_of(instance);
        self.facts[instance.index()].held().is_some()
            && place.is_some_and(|place| {
                self.machines[place.index()].powered && self.reach.both_ways(machine, place)
            })
    }
}

/// What a probe to a process finds: the outcomes that detectors react to differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// Connection refused (RST) after this round trip: the host is up, nobody listens.
    Refused(Duration),
    /// No answer at all: the host or the path is gone.
    Blackholed,
    /// The prober's own link is down: as if blackholed, and no route once its kernel has asked for the
    /// neighbour in vain.
    Unreachable,
    /// The kernel accepts, the process stays silent.
    Hung(Duration),
    /// Connected, and the process executes; whether it serves is in its fact.
    Answers(Duration),
}

/// The world as one component sees it at one instant.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The instant.
    pub now: Time,
    /// Whose view it is.
    pub me: ComponentId,
    /// Everything outside the components.
    pub all: &'a Surroundings,
}

macro_rules! fact_of_kind {
    ($(#[$doc:meta] $name:ident -> $variant:ident($fact:ty);)+) => {
        $(
            #[$doc]
            pub fn $name(&self, id: ComponentId) -> Option<&'a $fact> {
                match &self.all.facts[id.index()] {
                    Fact::$variant(fact) => Some(fact),
                    _ => None,
                }
            }
        )+
    };
}

impl<'a> View<'a> {
    /// The static map.
    pub fn map(&self) -> &'a Map {
        &self.all.map
    }

    /// The machine this component runs on; `None` for API objects.
    pub fn machine(&self) -> Option<MachineId> {
        self.map().machine_of(self.me)
    }

    /// Another component's published fact, whatever the path to it.
    pub fn fact(&self, id: ComponentId) -> &'a Fact {
        &self.all.facts[id.index()]
    }

    fact_of_kind! {
        /// The fact of an etcd member.
        etcd -> Etcd(EtcdFact);
        /// The fact of an API server.
        api_server -> ApiServer(ApiServerFact);
        /// The fact of a leader-elected instance.
        candidate -> Candidate(CandidateFact);
        /// The fact of a load balancer.
        load_balancer -> LoadBalancer(LoadBalancerFact);
        /// The fact of a keepalived instance.
        vrrp -> Vrrp(VrrpFact);
        /// The fact of a kube-vip instance.
        kube_vip -> KubeVip(AddressFact);
        /// The fact of a kubelet.
        kubelet -> Kubelet(KubeletFact);
        /// A Lease object as a linearizable read returns it.
        lease -> Lease(LeaseFact);
        /// A Node object as a linearizable read returns it.
        node -> Node(NodeFact);
        /// A workload with its pods, as a linearizable read returns them.
        workload -> Workload(WorkloadFact);
    }

    /// The state of a process, as its own machine knows it.
    pub fn process(&self, id: ComponentId) -> &'a Process {
        &self.all.processes[id.index()]
    }

    /// Whether a process executes on a machine with power.
    pub fn executes(&self, id: ComponentId) -> bool {
        self.process(id).state == ProcessState::Running && self.powered(id)
    }

    /// Whether the machine of a component has power (objects: always).
    pub fn powered(&self, id: ComponentId) -> bool {
        self.map().machine_of(id).is_none_or(|m| self.all.machines[m.index()].powered)
    }

    /// Whether packets from `from` arrive at the machine of `to`, both machines powered.
    pub fn passes(&self, from: ComponentId, to: ComponentId) -> bool {
        self.powered(from)
            && self.powered(to)
            && match (self.map().machine_of(from), self.map().machine_of(to)) {
                (Some(a), Some(b)) => self.all.reach.up(a, b),
                _ => true,
            }
    }

    /// Whether packets pass both ways between two components, as a connection needs.
    pub fn connects(&self, a: ComponentId, b: ComponentId) -> bool {
        self.passes(a, b) && self.passes(b, a)
    }

    /// One-way delay between two components at present, without jitter.
    pub fn delay(&self, from: ComponentId, to: ComponentId) -> Duration {
        match (self.map().machine_of(from), self.map().machine_of(to)) {
            (Some(a), Some(b)) => self.all.reach.delay(a, b),
            _ => Duration::ZERO,
        }
    }

    /// How likely a packet from one component to another is lost at present; nothing within a machine.
    pub fn loss(&self, from: ComponentId, to: ComponentId) -> f64 {
        match (self.map().machine_of(from), self.map().machine_of(to)) {
            (Some(a), Some(b)) => f64::from(self.all.reach.loss(a, b)) / 1e6,
            _ => 0.0,
        }
    }

    /// Round-trip time between two components at present, without jitter.
    pub fn round_trip(&self, a: ComponentId, b: ComponentId) -> Duration {
        self.delay(a, b).saturating_add(self.delay(b, a))
    }

    /// What a connection attempt from this component would find now.
    pub fn probe(&self, to: ComponentId) -> Probe {
        self.probe_from(self.me, to)
    }

    /// What a connection attempt from `from` would find now.
    pub fn probe_from(&self, from: ComponentId, to: ComponentId) -> Probe {
        let carrier = |m: MachineId| self.all.reach.carrier(m);
        let local = self.map().machine_of(from) == self.map().machine_of(to);
        if !local && !self.map().machine_of(from).is_none_or(carrier) {
            return Probe::Unreachable;
        }
        if !self.connects(from, to) {
            return Probe::Blackholed;
        }
        let round_trip = self.round_trip(from, to);
        match self.process(to).state {
            ProcessState::Paused => Probe::Hung(round_trip),
            ProcessState::Running if self.listens(to) => Probe::Answers(round_trip),
            ProcessState::Running | ProcessState::Dead => Probe::Refused(round_trip),
        }
    }

    /// Whether the fact of a running process says that its port is open.
    pub fn listens(&self, id: ComponentId) -> bool {
        match self.fact(id) {
            Fact::Etcd(fact) => fact.serving,
            Fact::ApiServer(fact) => fact.listening,
            Fact::LoadBalancer(fact) => fact.listening,
            Fact::Absent => false,
            _ => true,
        }
    }

    /// From when on a raft message to a peer passes without waiting for a broken stream: the past if
    /// connected, `Time::NEVER` while the path is cut.
    pub fn stream_ready(&self, from: ComponentId, to: ComponentId) -> Time {
        self.all.stream(from, to).ready
    }

    /// Since when two etcd members have been connected: the older of their streams counts.
    pub fn peers_since(&self, a: ComponentId, b: ComponentId) -> Time {
        self.all.stream(a, b).since.min(self.all.stream(b, a).since)
    }

    /// Whether what this component sends on a standing connection of its own gets through at once:
    /// neither cut, nor waiting for a retransmission, nor about to end.
    pub fn flows(&self, connection: u64) -> bool {
        self.all.connections.get(&(self.me, connection)).copied().unwrap_or(false)
    }

    /// Whether no news of the end of a standing connection of this component is on its way.
    pub fn stands(&self, connection: u64) -> bool {
        self.all.connections.contains_key(&(self.me, connection))
    }

    /// Which balancer or API server a new connection of this component to the virtual address reaches
    /// now.
    pub fn resolve_vip(&self) -> Option<ComponentId> {
        self.machine().and_then(|machine| self.all.balancer_for(machine))
    }

    /// The component that a call to `target` reaches: itself, or for [`ComponentId::VIP`] the
    /// balancer or API server that answers at the virtual address.
    pub fn resolve(&self, target: ComponentId) -> Option<ComponentId> {
        if target == ComponentId::VIP { self.resolve_vip() } else { Some(target) }
    }

    /// How long a stretch of this machine's clock takes in true time.
    pub fn local(&self, clock: Duration) -> Duration {
        self.clock().lasts(clock)
    }

    /// How long the clock of this component's machine has stood still in suspensions that are over.
    pub fn slept(&self) -> Duration {
        self.machine().map_or(Duration::ZERO, |m| self.all.machines[m.index()].slept)
    }

    /// The clock of this component's machine; of API objects true time.
    pub fn clock(&self) -> Clock {
        let machine = self.machine().map(|m| self.all.machines[m.index()]);
        machine.map_or(Clock::default(), |machine| Clock { ppm: machine.clock_ppm })
    }
}

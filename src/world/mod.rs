//! A plan brought to life: the kernel's time and order, the components' machines, and the rules of
//! processes, machines and the network between them.
//!
//! One step: take the next setting, letter or alarm; deliver it to its owner; move the effects into
//! agenda, mail and facts; tell the watchers of what changed, in id order, until nothing changes.
//!
//! Absent on purpose: statistics, text, files. Observers see every change and can change nothing.

mod calls;
mod connections;
pub mod event;
mod neighbours;
mod network;
pub mod observer;
mod operator;
mod pending;
mod procedure;
mod process;
pub mod remains;
mod resolve;
mod resolver;
mod rides;
mod settle;
mod starvation;
mod step;
mod streams;
mod suspension;

use crate::component::blame::{Blame, EventId};
use crate::component::certificate::{Certificates, Expired};
use crate::component::effects::{DrawCounts, Outbox, Outgoing};
use crate::component::fact::Fact;
use crate::component::id::{ComponentId, Kind, MachineId};
use crate::component::mail::{Mail, Reply};
use crate::component::reach::Reach;
use crate::component::view::{
    MachineState, PeerStreams, Process, ProcessState, Settlement, Surroundings,
};
use crate::components::{Machine, Params};
use crate::kernel::agenda::{Agenda, Cell};
use crate::kernel::mail::MailQueue;
use crate::kernel::stream::Key;
use crate::kernel::time::{Duration, Time};
use crate::plan::Plan;
use crate::plan::service::Endpoint;
use event::EventLog;
use remains::{Layout, Remains};
use std::collections::{BTreeMap, BTreeSet};

/// What is on its way or waits its turn, beside alarms.
#[derive(Clone, Debug)]
enum Letter {
    /// A message arrives.
    Arrive(Mail, Origin),
    /// A message leaves its process after some work.
    Depart(Outgoing, Origin),
    /// A SYN is retransmitted.
    Syn(CallKey),
    /// A request's data arrive, or are retransmitted.
    Request(CallKey),
    /// An answer's data are retransmitted.
    Answer(CallKey, Reply),
    /// Data reach the end of a leg of a standing connection.
    Ride(connections::Ride),
    /// What waits in one is sent again, unless the path has changed since.
    Retransmit(CallKey, connections::Leg, u64),
    /// The kernel gives up what has waited there since an instant.
    GiveUp(CallKey, connections::Leg, Time),
    /// A process is started.
    Start(ComponentId, Origin),
    /// A machine's neighbour entry for the virtual address expires, in that generation of it.
    Neighbour(MachineId, u64),
    /// A process that was asked to end is killed if it still runs in that incarnation.
    Grace(ComponentId, u32, Origin),
    /// A process in that incarnation gets to its SIGTERM.
    Signal(ComponentId, u32, Origin),
}

/// The event from which something follows, and what the time in between is spent on.
#[derive(Clone, Debug, Default)]
struct Origin {
    parent: Option<EventId>,
    blame: Blame,
}

impl Origin {
    fn new(parent: EventId, blame: Blame) -> Self {
        Self { parent: Some(blame.after.unwrap_or(parent)), blame }
    }
}

/// A call in progress: its caller and the caller's key.
type CallKey = (ComponentId, u64);

/// A scheduled change that waits for its time: (time, order of planning).
type SettingKey = (Time, u64);

/// Mail and levers that wait for a paused process.
#[derive(Debug, Default)]
struct Inbox {
    mail: Vec<(Mail, Origin)>,
    alarms: Vec<Cell>,
    stop: bool,
    /// Its timers while its machine is suspended; `None`: it is not, or was paused before.
    frozen: Option<Vec<(Cell, Duration)>>,
}

/// One run of a plan.
#[derive(Debug)]
pub struct World<'p> {
    plan: &'p Plan,
    key: Key,
    now: Time,
    event: EventId,
    all: Surroundings,
    machines: Vec<Machine>,
    layout: Layout,
    waits: Vec<Origin>,
    counts: Vec<DrawCounts>,
    agenda: Agenda,
    post: MailQueue<Letter>,
    settings: BTreeMap<SettingKey, operator::Timed>,
    planned: u64,
    operator: operator::Operator,
    calls: BTreeMap<CallKey, calls::Open>,
    connections: BTreeMap<CallKey, connections::Connection>,
    peers: streams::Streams,
    inboxes: Vec<Inbox>,
    trusts: Vec<neighbours::Trust>,
    /// A process that an operator stopped is not restarted by its service manager.
    held_down: Vec<bool>,
    /// Processes that have not been started once, on machines that wait to be joined.
    unjoined: BTreeSet<ComponentId>,
    /// How many failures, each of which must be repaired, keep a process from being started.
    bars: Vec<u32>,
    /// Processes that are to start again as soon as they have ended.
    restarting: Vec<bool>,
    /// The expired certificates that each process has on its disk.
    expired: Vec<Certificates>,
    /// Processes whose configuration is unusable: they end as soon as they have read it.
    misconfigured: Vec<bool>,
    jitters: Vec<u64>,
    /// Those not in use: a delivery within a delivery takes another one. Boxed, as they are large and
    /// move in and out with each delivery.
    #[expect(clippy::vec_box, reason = "a box moves as a pointer, an outbox as its whole size")]
    outboxes: Vec<Box<Outbox>>,
    saw: pending::Pending,
    changed: bool,
    log: EventLog,
    steps: u64,
    digest: Digest,
    /// Every component is told of each change by itself.
    tells_each: bool,
}

/// A running hash over all steps: two runs of the same plan and key agree in it at every step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(u64);

impl Digest {
    /// FNV-1a over 64-bit words: cheap, and enough to find the first difference.
    fn add(&mut self, at: u64, what: u64) {
        for word in [at, what] {
            self.0 = (self.0 ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
        }
    }
}

impl<'p> World<'p> {
    /// Builds the world of one run of a plan. Nothing has happened yet; see [`World::run_until`].
    pub fn new(plan: &'p Plan, key: Key) -> Self {
        Self::after(Remains::default(), plan, key)
    }

    /// The same in the memory of a world that is over, which was one of the same components.
    pub fn after(remains: Remains, plan: &'p Plan, key: Key) -> Self {
        let map = &plan.map;
        let machines: Vec<Machine> =
            map.components().map(|(id, _)| Machine::new(id, plan.params_of(id))).collect();
        let Remains { layout, waits, counts, agenda, post, outboxes, saw, log } =
            remains.cleared(plan, &machines);
        Self {
            plan,
            key,
            now: Time::START,
            event: EventId::START,
            all: surroundings(plan),
            counts,
            inboxes: machines.iter().map(|_| Inbox::default()).collect(),
            held_down: vec![false; machines.len()],
            unjoined: plan.unjoined.iter().copied().collect(),
            bars: vec![0; machines.len()],
            restarting: vec![false; machines.len()],
            expired: vec![Certificates::empty(); machines.len()],
            misconfigured: vec![false; machines.len()],
            jitters: vec![0; map.machine_count()],
            trusts: vec![neighbours::Trust::default(); map.machine_count()],
            machines,
            layout,
            waits,
            agenda,
            post,
            settings: BTreeMap::new(),
            planned: 0,
            operator: operator::Operator::default(),
            calls: BTreeMap::new(),
            connections: BTreeMap::new(),
            peers: streams::Streams::of(map.of_kind(Kind::Etcd).count()),
            outboxes,
            saw,
            changed: false,
            log,
            steps: 0,
            digest: Digest(0xcbf2_9ce4_8422_2325),
            tells_each: false,
        }
    }

    /// The same world, every component told of each change by itself: the twin that shows that being
    /// told once of all that changed at an instant makes no difference.
    #[must_use]
    pub fn telling_of_each_change(self) -> Self {
        Self { tells_each: true, ..self }
    }

    /// Ends the world; what remains serves another.
    pub fn into_remains(self) -> Remains {
        Remains {
            layout: self.layout,
            waits: self.waits,
            counts: self.counts,
            agenda: self.agenda,
            post: self.post,
            outboxes: self.outboxes,
            saw: self.saw,
            log: self.log,
        }
    }

    /// The key of this trial's draws.
    pub fn key(&self) -> Key {
        self.key
    }

    /// The present instant.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Facts, processes, machines and the network at this instant.
    pub fn surroundings(&self) -> &Surroundings {
        &self.all
    }

    /// The same as somebody who asks every component at this instant is told it: what grows
    /// without events (a raft index) is brought up to date.
    pub fn asked(&self) -> Surroundings {
        let mut all = self.all.clone();
        for (fact, machine) in all.facts.iter_mut().zip(&self.machines) {
            if let Some(asked) = machine.asked(self.now) {
                *fact = asked;
            }
        }
        all
    }

    /// Everything that happened so far.
    pub fn log(&self) -> &EventLog {
        &self.log
    }

    /// How many alarms, letters and settings have been handled: the measure of laziness.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The hash over all steps so far. Compare it step by step to find where two runs diverge.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The parameters of one component.
    pub fn params_of(&self, id: ComponentId) -> &Params {
        self.plan.params_of(id)
    }
}

/// The world before anything has happened: machines with power, no process.
fn surroundings(plan: &Plan) -> Surroundings {
    let map = &plan.map;
    let facts = plan
        .params
        .iter()
        .map(|params| match params {
            Params::Object(fact) => fact.clone(),
            _ => Fact::Absent,
        })
        .collect();
    let dead = Process {
        state: ProcessState::Dead,
        incarnation: 0,
        since: Time::START,
        expired: Expired::default(),
    };
    let vip = match &plan.services.endpoint {
        Endpoint::Vip { holders, fronts } => {
            holders.iter().copied().zip(fronts.iter().copied()).collect()
        }
        _ => Vec::new(),
    };
    Surroundings {
        map: plan.map.clone(),
        facts,
        processes: vec![dead; map.component_count()],
        machines: vec![MachineState::default(); map.machine_count()],
        reach: Reach::new(map.machine_count(), |a, b| plan.direction(a, b))
            .with_syn((plan.kernel.syn.linear, plan.kernel.syn.hz)),
        settlement: Settlement::default(),
        vip,
        neighbours: vec![None; map.machine_count()],
        streams: PeerStreams::new(map.of_kind(Kind::Etcd).count()),
        connections: BTreeMap::new(),
    }
}

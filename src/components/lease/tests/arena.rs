//! A small world for leader-elected instances: each has an API server of its own on its machine, and
//! all of them serve one Lease with compare-and-swap.

use crate::component::effects::{DrawCounts, Outbox, PURPOSES_MAX};
use crate::component::fact::{
    Ability, ApiServerFact, CandidateFact, Condition, Fact, Holder, LeaseFact, NodeFact, Renewals,
};
use crate::component::mail::{Body, Call, Mail, Op, Outcome, Reply};
use crate::component::map::{MachineRole, Map};
use crate::component::reach::{Direction, Reach};
use crate::component::record::Record;
use crate::component::view::{
    MachineState, PeerStreams, Process, ProcessState, Settlement, Surroundings,
};
use crate::component::{Alarm, Blame, Cause, Component, ComponentId, Effects, Kind, Lever, View};
use crate::components::candidate::{Candidate, CandidateAlarm, Controllers, Habits, Wiring, Work};
use crate::components::lease::{Election, Kubeconfig};
use crate::components::node_monitor::{Monitoring, NodeMonitor, Rates};
use crate::components::replication::{Pace, Replication};
use crate::components::taint_eviction::TaintEviction;
use crate::kernel::law::Law;
use crate::kernel::stream::Key;
use crate::kernel::time::{Duration, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What happened, in order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Note {
    /// Another process holds the Lease.
    Holder(Option<Holder>),
    /// The holder's write has committed.
    Renewed,
    Exit(usize),
    Fact(usize, CandidateFact),
    Record(usize, Record),
    Node(usize, Condition),
}

enum Letter {
    /// The server has finished with a request.
    Served(ComponentId, Call),
    Deliver(ComponentId, Mail),
}

pub(crate) struct Arena {
    pub(crate) now: Time,
    pub(crate) all: Surroundings,
    pub(crate) log: Vec<(Time, Note)>,
    /// Every handler call, alarm and message.
    pub(crate) steps: u64,
    /// The blame of the alarm that rang last.
    pub(crate) blamed: Blame,
    /// The blame of the alarm that last changed a node's condition.
    pub(crate) marked_by: Blame,
    machines: Vec<Candidate>,
    lease: ComponentId,
    alarms: BTreeMap<(ComponentId, usize), (Time, Blame)>,
    held: Vec<(ComponentId, usize)>,
    waiting: Vec<(ComponentId, Mail)>,
    post: BTreeMap<(Time, u64), Letter>,
    hung: Vec<(ComponentId, Call)>,
    open: BTreeSet<(ComponentId, u64)>,
    sequence: u64,
    key: Key,
    counts: Vec<DrawCounts>,
}

/// A process and its API server per candidate, nodes with a kubelet each, and the objects.
pub(crate) struct Layout {
    pub(crate) election: Election,
    pub(crate) elect: bool,
    pub(crate) candidates: usize,
    pub(crate) nodes: usize,
    pub(crate) monitoring: Monitoring,
    pub(crate) startup: Duration,
    pub(crate) warm_up: Duration,
    pub(crate) read: Duration,
    pub(crate) write: Duration,
}

impl Layout {
    pub(crate) fn of(election: Election, candidates: usize) -> Self {
        Self {
            election,
            elect: true,
            candidates,
            nodes: 0,
            monitoring: Monitoring {
                period: Duration::from_secs(5),
                grace: Duration::from_secs(40),
                rates: Rates {
                    normal: Some(Duration::from_secs(10)),
                    secondary: Some(Duration::from_secs(100)),
                    unhealthy_threshold: 0.55,
                    large_cluster: 50,
                    duplicates: false,
                },
            },
            startup: Duration::from_millis(100),
            warm_up: Duration::ZERO,
            read: Duration::ZERO,
            write: Duration::ZERO,
        }
    }
}

pub(crate) fn server(n: usize) -> ComponentId {
    ComponentId(u16::try_from(2 * n).unwrap())
}

pub(crate) fn candidate(n: usize) -> ComponentId {
    ComponentId(u16::try_from(2 * n + 1).unwrap())
}

fn number(id: ComponentId) -> usize {
    id.index() / 2
}

/// What a controller-manager does in an arena with nodes.
fn controllers(layout: &Layout, nodes: &[(ComponentId, ComponentId)]) -> Work {
    let monitor = NodeMonitor::new(layout.monitoring, nodes, Vec::new());
    let workloads = Arc::default();
    let pace = Pace { sync: Law::Fixed(Duration::ZERO), gap: Duration::ZERO, burst: 1 };
    Work::Controllers(Box::new(Controllers::new(monitor, &workloads, |alarm| {
        let eviction = TaintEviction::new(&workloads, nodes, alarm);
        (eviction, Replication::new(&workloads, nodes, pace, alarm + 1))
    })))
}

impl Arena {
    /// A settled start with the first candidate as holder.
    pub(crate) fn new(layout: &Layout, trial: u64) -> Self {
        let mut map = Map::default();
        let zone = map.add_zone("z");
        for n in 0..layout.candidates {
            let machine = map.add_machine(&format!("cp{n}"), MachineRole::ControlPlane, zone);
            map.add_process(Kind::ApiServer, machine, &format!("cp{n}/kube-apiserver"));
            map.add_process(Kind::ControllerManager, machine, &format!("cp{n}/candidate"));
        }
        let mut nodes = Vec::new();
        for n in 0..layout.nodes {
            let machine = map.add_machine(&format!("n{n}"), MachineRole::Worker, zone);
            let kubelet = map.add_process(Kind::Kubelet, machine, &format!("n{n}/kubelet"));
            nodes.push((kubelet, map.add_object(Kind::Node, &format!("node/n{n}"))));
        }
        let lease = map.add_object(Kind::Lease, "lease/candidate");
        let habits = Habits {
            leader_elect: layout.elect,
            election: layout.election,
            kubeconfig: Kubeconfig::Local,
            startup: Law::Fixed(layout.startup),
            warm_up: Law::Fixed(layout.warm_up),
        };
        let servers: Vec<ComponentId> = (0..layout.candidates).map(server).collect();
        let machines = (0..layout.candidates).map(|n| {
            let wiring = Wiring {
                lease,
                server: server(n),
                endpoint: server(0),
                servers: servers.clone(),
                nodes: nodes.clone(),
                workloads: Arc::default(),
                eager: false,
            };
            let work = if nodes.is_empty() { Work::Nothing } else { controllers(layout, &nodes) };
            Candidate::new(candidate(n), habits.clone(), &wiring, work)
        });
        let machines = machines.collect();
        let all = surroundings(map, lease, &nodes, layout);
        let counts = vec![[0; PURPOSES_MAX]; all.facts.len()];
        let mut arena = Self {
            now: Time::START,
            all,
            log: Vec::new(),
            steps: 0,
            blamed: Blame::default(),
            marked_by: Blame::default(),
            machines,
            lease,
            alarms: BTreeMap::new(),
            held: Vec::new(),
            waiting: Vec::new(),
            post: BTreeMap::new(),
            hung: Vec::new(),
            open: BTreeSet::new(),
            sequence: 0,
            key: Key::new(7, trial),
            counts,
        };
        for n in 0..layout.candidates {
            arena.deliver(candidate(n), Cause::Settle);
        }
        arena.log.clear();
        arena.steps = 0;
        arena
    }

    pub(crate) fn record(&self) -> LeaseFact {
        match self.all.facts[self.lease.index()] {
            Fact::Lease(lease) => lease,
            _ => LeaseFact::default(),
        }
    }

    pub(crate) fn fact(&self, n: usize) -> CandidateFact {
        match self.all.facts[candidate(n).index()] {
            Fact::Candidate(fact) => fact,
            _ => CandidateFact::default(),
        }
    }

    /// The number of the machine whose process holds the Lease.
    pub(crate) fn holder(&self) -> Option<usize> {
        self.record().holder.map(|holder| number(holder.component))
    }

    pub(crate) fn alarm_count(&self) -> usize {
        self.alarms.len()
    }

    fn deliver(&mut self, id: ComponentId, cause: Cause<CandidateAlarm>) {
        self.steps += 1;
        let mut out = Outbox::default();
        let view = View { now: self.now, me: id, all: &self.all };
        let name = self.all.map.component(id).stream;
        let counts = &mut self.counts[id.index()];
        let mut fx = Effects::new(self.now, 0, &mut out, &self.key, name, counts);
        self.machines[number(id)].on(cause, &view, &mut fx);
        self.apply(id, out);
    }

    fn apply(&mut self, id: ComponentId, out: Outbox) {
        for (cell, at, blame) in out.alarms {
            let index = cell.0 as usize;
            self.held.retain(|held| *held != (id, index));
            self.alarms.remove(&(id, index));
            if !at.is_never() && self.state(id) != ProcessState::Dead {
                assert!(blame.start(at) <= self.now, "a wait without a reason: {blame:?}");
                self.alarms.insert((id, index), (at, blame));
            }
        }
        for record in out.records {
            self.log.push((self.now, Note::Record(number(id), record)));
        }
        for call in out.closed {
            self.open.remove(&(id, call));
        }
        for (object, fact, _) in out.objects {
            self.commit_by_component(object, fact);
        }
        if let Some(fact) = out.fact {
            self.change(id, fact);
        }
        for outgoing in out.mail {
            if let Body::Call(call) = outgoing.body {
                assert!(self.open.insert((id, call.id)), "a call's key was used twice");
                self.serve(id, call);
            }
        }
        if out.exit.is_some() {
            self.log.push((self.now, Note::Exit(number(id))));
            self.kill(number(id));
        }
    }

    /// What a component books by itself is never another holder.
    fn commit_by_component(&mut self, object: ComponentId, fact: Fact) {
        if let Fact::Lease(new) = &fact
            && self.now > Time::START
        {
            let old = self.record();
            assert_eq!((old.holder, old.writes), (new.holder, new.writes), "only CAS changes it");
            let last = new.renewals.last(self.now);
            assert_eq!(old.renewals.last(self.now), last, "renewals are booked as they were");
        }
        self.change(object, fact);
    }

    fn change(&mut self, of: ComponentId, fact: Fact) {
        let old = self.all.facts[of.index()].clone();
        if old == fact {
            return;
        }
        match (&old, &fact) {
            (_, Fact::Candidate(fact)) => self.log.push((self.now, Note::Fact(number(of), *fact))),
            (Fact::Lease(old), Fact::Lease(new)) if old.holder != new.holder => {
                self.log.push((self.now, Note::Holder(new.holder)));
            }
            (Fact::Node(old), Fact::Node(new)) if old.ready != new.ready => {
                self.marked_by = self.blamed.clone();
                let kubelet = of.index() - 2 * self.machines.len();
                self.log.push((self.now, Note::Node(kubelet / 2, new.ready)));
            }
            _ => {}
        }
        self.all.facts[of.index()] = fact;
        self.wake(of);
    }

    fn wake(&mut self, of: ComponentId) {
        let map = self.all.map.clone();
        for n in 0..self.machines.len() {
            let id = candidate(n);
            if self.state(id) == ProcessState::Running
                && self.machines[n].watches(&map).contains(&of)
            {
                self.deliver(id, Cause::Saw(of));
            }
        }
    }

    fn state(&self, id: ComponentId) -> ProcessState {
        self.all.processes[id.index()].state
    }

    pub(crate) fn set_fact(&mut self, of: ComponentId, fact: Fact) {
        self.change(of, fact);
    }

    /// What requests meet at the server of candidate `n`.
    pub(crate) fn set_api(&mut self, n: usize, ability: Ability) {
        let Fact::ApiServer(fact) = self.all.facts[server(n).index()].clone() else { return };
        if fact.read == ability && fact.write == ability {
            return;
        }
        self.all.facts[server(n).index()] =
            Fact::ApiServer(ApiServerFact { read: ability, write: ability, ..fact });
        let mine = |letter: &Letter| matches!(letter, Letter::Served(id, _) if number(*id) == n);
        let keys: Vec<(Time, u64)> =
            self.post.iter().filter(|(_, l)| mine(l)).map(|(key, _)| *key).collect();
        let mut calls: Vec<(ComponentId, Call)> = Vec::new();
        for key in keys {
            if let Some(Letter::Served(id, call)) = self.post.remove(&key) {
                calls.push((id, call));
            }
        }
        let hung = std::mem::take(&mut self.hung);
        let (own, others): (Vec<_>, Vec<_>) =
            hung.into_iter().partition(|(id, _)| number(*id) == n);
        self.hung = others;
        for (id, call) in own.into_iter().chain(calls) {
            self.serve(id, call);
        }
        self.wake(server(n));
    }

    fn post(&mut self, at: Time, letter: Letter) {
        self.sequence += 1;
        self.post.insert((at, self.sequence), letter);
    }

    fn serve(&mut self, from: ComponentId, call: Call) {
        let Fact::ApiServer(fact) = self.all.facts[server(number(from)).index()].clone() else {
            return;
        };
        let (ability, work) = match call.op {
            Op::GetLease(_) => (fact.read, fact.read_latency),
            _ => (fact.write, fact.latency),
        };
        match ability {
            Ability::Works => self.post(self.now + work, Letter::Served(from, call)),
            Ability::Fails => self.answer(from, call.id, Outcome::Rejected),
            Ability::Hangs => self.hung.push((from, call)),
        }
    }

    fn answer(&mut self, to: ComponentId, id: u64, outcome: Outcome) {
        let mail = Mail { from: server(number(to)), body: Body::Reply(Reply { id, outcome }) };
        self.post(self.now, Letter::Deliver(to, mail));
    }

    /// The request takes effect, and is answered at once.
    fn served(&mut self, from: ComponentId, call: Call) {
        let old = self.record();
        let last = old.renewals.last(self.now);
        let renewals = last.map_or(Renewals::Never, Renewals::Once);
        let outcome = match call.op {
            Op::GetLease(_) => Outcome::Lease(Some(LeaseFact { renewals, ..old })),
            Op::PutLease { expected, .. } if expected != old.revision(self.now) => {
                Outcome::Conflict
            }
            Op::PutLease { record, .. } => {
                let renewals = Renewals::Once(self.now);
                let new = LeaseFact { renewals, writes: old.writes + 1, ..record };
                self.log.push((self.now, Note::Renewed));
                self.change(self.lease, Fact::Lease(new));
                Outcome::Done
            }
            _ => Outcome::Rejected,
        };
        self.answer(from, call.id, outcome);
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self, n: usize) {
        let id = candidate(n);
        self.all.processes[id.index()].state = ProcessState::Dead;
        self.alarms.retain(|(owner, _), _| *owner != id);
        self.held.retain(|(owner, _)| *owner != id);
        self.waiting.retain(|(owner, _)| *owner != id);
        self.open.retain(|(owner, _)| *owner != id);
        self.post.retain(|_, letter| match letter {
            Letter::Served(owner, _) | Letter::Deliver(owner, _) => *owner != id,
        });
        self.hung.retain(|(owner, _)| *owner != id);
        self.deliver(id, Cause::Lever(Lever::Kill));
    }

    pub(crate) fn boot(&mut self, n: usize) {
        let process = &mut self.all.processes[candidate(n).index()];
        process.state = ProcessState::Running;
        process.incarnation += 1;
        self.deliver(candidate(n), Cause::Boot);
    }

    /// SIGTERM.
    pub(crate) fn stop(&mut self, n: usize) {
        self.deliver(candidate(n), Cause::Lever(Lever::Stop));
    }

    pub(crate) fn pause(&mut self, n: usize) {
        self.all.processes[candidate(n).index()].state = ProcessState::Paused;
        self.deliver(candidate(n), Cause::Lever(Lever::Pause));
    }

    pub(crate) fn resume(&mut self, n: usize) {
        let id = candidate(n);
        self.all.processes[id.index()].state = ProcessState::Running;
        for held in std::mem::take(&mut self.held) {
            self.alarms.insert(held, (self.now, Blame::default()));
        }
        self.deliver(id, Cause::Lever(Lever::Resume));
        for (to, mail) in std::mem::take(&mut self.waiting) {
            self.post(self.now, Letter::Deliver(to, mail));
        }
    }

    /// The clock of a machine runs at this rate, in parts per million.
    pub(crate) fn set_clock(&mut self, n: usize, ppm: u32) {
        self.all.machines[n].clock_ppm = ppm;
        self.deliver(candidate(n), Cause::Lever(Lever::ClockRate(ppm)));
    }

    pub(crate) fn run_until(&mut self, until: Time) {
        while self.step(until) {}
        self.now = self.now.max(until);
    }

    /// Runs until `done`, or the end.
    pub(crate) fn run_while(&mut self, until: Time, mut going: impl FnMut(&Self) -> bool) {
        while going(self) && self.step(until) {}
    }

    fn step(&mut self, until: Time) -> bool {
        let letter = self.post.keys().next().map_or(Time::NEVER, |(at, _)| *at);
        let alarm = self.alarms.iter().map(|(key, (at, _))| (*at, *key)).min();
        let alarm_at = alarm.map_or(Time::NEVER, |(at, _)| at);
        if letter.min(alarm_at) > until {
            return false;
        }
        if letter <= alarm_at {
            let ((at, _), letter) = self.post.pop_first().unwrap();
            self.now = at;
            self.open_letter(letter);
            return true;
        }
        let (at, (id, index)) = alarm.unwrap();
        self.now = at;
        let (_, blame) = self.alarms.remove(&(id, index)).unwrap();
        if self.state(id) == ProcessState::Paused {
            self.held.push((id, index));
        } else {
            self.blamed = blame;
            self.deliver(id, Cause::Alarm(CandidateAlarm::at_index(index)));
        }
        true
    }

    fn open_letter(&mut self, letter: Letter) {
        match letter {
            Letter::Served(from, call) => {
                if self.open.contains(&(from, call.id)) {
                    self.served(from, call);
                }
            }
            Letter::Deliver(to, mail) if self.state(to) == ProcessState::Paused => {
                self.waiting.push((to, mail));
            }
            Letter::Deliver(to, mail) => {
                let Body::Reply(reply) = &mail.body else { return };
                if self.open.remove(&(to, reply.id)) {
                    self.deliver(to, Cause::Mail(mail));
                }
            }
        }
    }

    /// When another process than at the start held the Lease first.
    pub(crate) fn takeover(&self) -> Option<(Time, Holder)> {
        self.log.iter().find_map(|(at, note)| match note {
            Note::Holder(Some(holder)) => Some((*at, *holder)),
            _ => None,
        })
    }

    pub(crate) fn exit_of(&self, n: usize) -> Option<Time> {
        self.log.iter().find(|(_, note)| *note == Note::Exit(n)).map(|(at, _)| *at)
    }
}

fn surroundings(
    map: Map,
    lease: ComponentId,
    nodes: &[(ComponentId, ComponentId)],
    layout: &Layout,
) -> Surroundings {
    let works = ApiServerFact {
        listening: true,
        http: true,
        ready: true,
        live: true,
        read: Ability::Works,
        write: Ability::Works,
        read_cached: Ability::Works,
        latency: layout.write,
        read_latency: layout.read,
        answered: 1_000_000,
        ..ApiServerFact::default()
    };
    let mut facts = vec![Fact::Absent; map.component_count()];
    for n in 0..layout.candidates {
        facts[server(n).index()] = Fact::ApiServer(works);
    }
    for (_, node) in nodes {
        facts[node.index()] = Fact::Node(NodeFact::of(Condition::True, None));
    }
    facts[lease.index()] = Fact::Lease(LeaseFact::default());
    let direction = Direction {
        delay: Duration::ZERO,
        jitter: Duration::ZERO,
        loss: 0,
        extra_delay: Duration::ZERO,
        extra_loss: 0,
        cuts: 0,
    };
    let running = Process {
        state: ProcessState::Running,
        incarnation: 1,
        since: Time::START,
        expired: crate::component::certificate::Expired::default(),
    };
    let settlement =
        Settlement { lease_holders: vec![(lease, candidate(0))], ..Settlement::default() };
    Surroundings {
        facts,
        processes: vec![running; map.component_count()],
        machines: vec![MachineState::default(); map.machine_count()],
        reach: Reach::new(map.machine_count(), |_, _| direction),
        settlement,
        vip: Vec::new(),
        streams: PeerStreams::default(),
        connections: BTreeMap::new(),
        neighbours: vec![None; map.machine_count()],
        map: Arc::new(map),
    }
}

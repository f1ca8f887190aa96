//! A laboratory for members alone: constant delays, streams that break and return as told, and a
//! trace of every change. Written apart from the world, so that it checks it too.

use super::{Alarm, Etcd, EtcdParams, Wiring};
use crate::component::effects::{DrawCounts, Outbox, PURPOSES_MAX};
use crate::component::fact::{EtcdFact, Fact, LeaseFact, Renewals, Role};
use crate::component::id::{ComponentId, Kind};
use crate::component::lever::Lever;
use crate::component::mail::{Body, Call, Mail, Op, Outcome, RaftKind};
use crate::component::map::{Map, MachineRole};
use crate::component::reach::{Direction, Reach};
use crate::component::record::Record;
use crate::component::versions::{Version, Versions};
use crate::component::view::{
    PeerStreams,    MachineState, PeerStream, Process, ProcessState, Settlement, Surroundings, View,
};
use crate::component::{Alarm as _, Cause, Component, Effects};
use crate::kernel::cadence::Cadence;
use crate::kernel::law::Law;
use crate::kernel::stream::Key;
use crate::kernel::time::{Duration, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Something done to the cluster.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Act {
    Lever(usize, Lever),
    Start(usize),
    /// Cuts both directions between two members.
    Cut(usize, usize),
    /// The path is back; streams carry again after so long, with or without what was sent meanwhile.
    Heal(usize, usize, Duration, bool),
    Call(usize, u64, Op),
}

/// How a laboratory is set up.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) members: usize,
    /// How many of them belong to the cluster from the start.
    pub(super) initial: usize,
    pub(super) params: EtcdParams,
    pub(super) release: Version,
    pub(super) delay: Duration,
    pub(super) eager: bool,
    pub(super) seed: u64,
    /// Interval of a steady writer's entries.
    pub(super) writes: Option<Duration>,
    pub(super) leader: usize,
    pub(super) cold: bool,
}

impl Setup {
    /// Members of a release with its defaults, 0.5 ms apart, syncs of 1 ms.
    pub(super) fn new(members: usize, minor: u16) -> Self {
        let release = Version::new(3, minor);
        let versions = Versions { etcd: release, ..Versions::default() };
        let mut params = <EtcdParams as crate::component::param::Params>::defaults(&versions);
        params.fsync = Law::Fixed(ms(1));
        Self {
            members,
            initial: members,
            params,
            release,
            delay: Duration::from_micros(500),
            eager: false,
            seed: 1,
            writes: None,
            leader: 0,
            cold: false,
        }
    }
}

/// What a member shows, apart from the length of its log.
pub(super) type Shown = Option<(Role, u64, Option<ComponentId>, bool)>;

#[derive(Default)]
struct Stream {
    ready: Time0,
    held: Vec<Body>,
    bridged: bool,
    /// One end restarted during the cut: there is no old connection to bridge it.
    broken: bool,
}

/// [`Time`] whose default is the earliest.
struct Time0(Time);

impl Default for Time0 {
    fn default() -> Self {
        Self(Time::ZERO)
    }
}

/// The laboratory.
pub(super) struct Lab {
    pub(super) now: Time,
    pub(super) all: Surroundings,
    pub(super) members: Vec<Etcd>,
    key: Key,
    counts: Vec<DrawCounts>,
    alarms: BTreeMap<(usize, usize), Time>,
    /// Mail by arrival, with its departure.
    mail: BTreeMap<(Time, u16, u16, u64), (Time, Mail)>,
    departs: BTreeMap<(Time, u64), (u16, ComponentId, Body)>,
    acts: BTreeMap<(Time, u64), Act>,
    inboxes: Vec<Vec<Mail>>,
    /// Alarms that were due while their owner was paused.
    late: Vec<(usize, usize)>,
    streams: BTreeMap<(u16, u16), Stream>,
    sent: u64,
    saw: BTreeSet<(usize, ComponentId)>,
    /// Changes of role, term, leader and freezing.
    pub(super) trace: Vec<(Time, usize, Shown)>,
    pub(super) records: Vec<(Time, usize, Record)>,
    pub(super) replies: Vec<(Time, u64, Outcome)>,
    pub(super) steps: u64,
    /// Appends that were refused.
    pub(super) refused: u64,
    outside: ComponentId,
}

pub(super) const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

pub(super) fn at(n: u64) -> Time {
    Time::at(ms(n))
}

fn id(i: usize) -> ComponentId {
    ComponentId(u16::try_from(i).unwrap())
}

impl Lab {
    #[expect(clippy::too_many_lines, reason = "a table of empty beginnings")]
    pub(super) fn new(setup: &Setup) -> Self {
        let mut map = Map::default();
        let zone = map.add_zone("a");
        for i in 0..setup.members {
            let machine = map.add_machine(&format!("m{i}"), MachineRole::Etcd, zone);
            map.add_process(Kind::Etcd, machine, &format!("m{i}/etcd"));
        }
        let writer = map.add_object(Kind::Lease, "lease/writer");
        let lease = map.add_object(Kind::Lease, "lease/shared");
        let machine = map.add_machine("outside", MachineRole::Outside, zone);
        let outside = map.add_process(Kind::Client, machine, "client");
        let wiring = Wiring {
            members: (0..setup.members).map(id).collect(),
            initial: setup.initial,
            writers: if setup.writes.is_some() { vec![writer] } else { vec![] },
            release: setup.release,
            eager: setup.eager,
        };
        let direction = Direction {
            delay: setup.delay,
            jitter: Duration::ZERO,
            loss: 0,
            extra_delay: Duration::ZERO,
            extra_loss: 0,
            cuts: 0,
        };
        let state = if setup.cold { ProcessState::Dead } else { ProcessState::Running };
        let process = Process { state, incarnation: 1, since: Time::START, expired: crate::component::certificate::Expired::default() };
        let key = Key::new(setup.seed, 0);
        let mut facts = vec![Fact::Absent; map.component_count()];
        let phase = key.draw(map.component(writer).stream, 0, 0);
        facts[writer.index()] = Fact::Lease(LeaseFact {
            renewals: setup.writes.map_or(Renewals::Never, |every| {
                let phase = phase.clone().uniform_duration(Duration::ZERO, every);
                Renewals::Every(Cadence::new(Time::START - phase, every))
            }),
            ..LeaseFact::default()
        });
        facts[lease.index()] = Fact::Lease(LeaseFact::default());
        let machines = map.machine_count();
        let mut lab = Self {
            now: Time::START,
            all: Surroundings {
                processes: vec![process; map.component_count()],
                machines: vec![MachineState::default(); machines],
                reach: Reach::new(machines, |_, _| direction),
                settlement: Settlement {
                    etcd_leader: Some(id(setup.leader)),
                    ..Settlement::default()
                },
                vip: Vec::new(),
                neighbours: vec![None; machines],
                streams: PeerStreams::new(setup.members),
                connections: BTreeMap::new(),
                facts,
                map: Arc::new(map),
            },
            members: (0..setup.members)
                .map(|i| Etcd::new(id(i), &setup.params, &wiring))
                .collect(),
            key,
            counts: vec![[0; PURPOSES_MAX]; setup.members],
            alarms: BTreeMap::new(),
            mail: BTreeMap::new(),
            departs: BTreeMap::new(),
            acts: BTreeMap::new(),
            inboxes: vec![Vec::new(); setup.members],
            late: Vec::new(),
            streams: BTreeMap::new(),
            sent: 0,
            saw: BTreeSet::new(),
            trace: Vec::new(),
            records: Vec::new(),
            replies: Vec::new(),
            steps: 0,
            refused: 0,
            outside,
        };
        if !setup.cold {
            for i in 0..setup.initial {
                lab.deliver(i, Cause::Settle);
            }
            for i in setup.initial..setup.members {
                lab.set_state(i, ProcessState::Dead);
                lab.end(i);
            }
            if setup.writes.is_some() {
                for i in 0..setup.members {
                    lab.saw.insert((i, writer));
                }
            }
            lab.settle();
        }
        lab.trace.clear();
        lab
    }

    pub(super) fn act(&mut self, when: Time, act: Act) {
        self.sent += 1;
        self.acts.insert((when, self.sent), act);
    }

    pub(super) fn fact(&self, i: usize) -> Option<EtcdFact> {
        match &self.all.facts[i] {
            Fact::Etcd(fact) => Some(*fact),
            _ => None,
        }
    }

    pub(super) fn leader(&self) -> Option<usize> {
        let leads = |i: &usize| self.fact(*i).is_some_and(|f| f.role == Role::Leader);
        let candidates = (0..self.members.len()).filter(leads);
        candidates.max_by_key(|i| self.fact(*i).map(|f| f.term))
    }

    pub(super) fn run_until(&mut self, until: Time) {
        loop {
            let act = self.acts.first_key_value().map(|(k, _)| (k.0, 0));
            let depart = self.departs.first_key_value().map(|(k, _)| (k.0, 1));
            let mail = self.mail.first_key_value().map(|(k, _)| (k.0, 2));
            let alarm = self.alarms.iter().map(|(cell, at)| (*at, *cell)).min();
            let ring = alarm.map(|(at, _)| (at, 3));
            let Some((when, rank)) = [act, depart, mail, ring].into_iter().flatten().min() else {
                break;
            };
            if when > until {
                break;
            }
            assert!(when >= self.now);
            self.now = when;
            self.steps += 1;
            match rank {
                0 => {
                    let act = self.acts.pop_first().unwrap().1;
                    self.carry_out(act);
                }
                1 => {
                    let (_, (from, to, body)) = self.departs.pop_first().unwrap();
                    self.route(usize::from(from), to, body);
                }
                2 => {
                    let (key, (_, mail)) = self.mail.pop_first().unwrap();
                    self.arrive(usize::from(key.1), mail);
                }
                _ => {
                    let (_, (owner, cell)) = alarm.unwrap();
                    self.alarms.remove(&(owner, cell));
                    if self.all.processes[owner].state == ProcessState::Paused {
                        self.late.push((owner, cell));
                    } else {
                        self.deliver(owner, Cause::Alarm(Alarm::at_index(cell)));
                    }
                }
            }
            self.settle();
        }
        self.now = until;
    }

    fn arrive(&mut self, to: usize, mail: Mail) {
        match self.all.processes[to].state {
            ProcessState::Dead => {}
            ProcessState::Paused => self.inboxes[to].push(mail),
            ProcessState::Running => self.deliver(to, Cause::Mail(mail)),
        }
    }

    fn set_state(&mut self, i: usize, state: ProcessState) {
        self.all.processes[i].state = state;
        self.wake(id(i));
    }

    fn wake(&mut self, of: ComponentId) {
        for (i, member) in self.members.iter().enumerate() {
            if member.watches(&self.all.map).contains(&of) {
                self.saw.insert((i, of));
            }
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "an act is carried out once")]
    fn carry_out(&mut self, act: Act) {
        match act {
            Act::Lever(i, lever) => self.pull(i, lever),
            Act::Start(i) if self.all.processes[i].state == ProcessState::Dead => {
                self.set_state(i, ProcessState::Running);
                for j in 0..self.members.len() {
                    if j != i && !self.is_cut(i, j) {
                        let up = self.all.processes[j].state != ProcessState::Dead;
                        let later = if up { self.now + ms(37) } else { Time::NEVER };
                        self.set_stream(j, i, if up { self.now } else { Time::NEVER });
                        self.set_stream(i, j, later);
                    }
                    for key in [(id(i).0, id(j).0), (id(j).0, id(i).0)] {
                        let stream = self.streams.entry(key).or_default();
                        stream.broken = true;
                        stream.held.clear();
                    }
                }
                self.deliver(i, Cause::Boot);
            }
            Act::Start(_) => {}
            Act::Cut(a, b) => {
                let was_cut = self.is_cut(a, b);
                for (a, b) in [(a, b), (b, a)] {
                    let (m, n) = (self.machine(a), self.machine(b));
                    self.all.reach.cut(m, n, true);
                    if !was_cut {
                        self.set_stream(a, b, Time::NEVER);
                    }
                    self.wake(id(a));
                }
            }
            Act::Heal(a, b, lag, bridged) => self.heal(a, b, lag, bridged),
            Act::Call(i, call, op) => {
                let call = Call { id: call, op, deadline: Time::NEVER };
                let mail = Mail { from: self.outside, body: Body::Call(call) };
                self.arrive(i, mail);
            }
        }
    }

    /// The name of a member's random streams.
    pub(super) fn name(&self, i: usize) -> crate::kernel::stream::StreamName {
        self.all.map.component(id(i)).stream
    }

    fn machine(&self, i: usize) -> crate::component::id::MachineId {
        self.all.map.machine_of(id(i)).unwrap()
    }

    fn is_cut(&self, a: usize, b: usize) -> bool {
        !self.all.reach.both_ways(self.machine(a), self.machine(b))
    }

    fn heal(&mut self, a: usize, b: usize, lag: Duration, bridged: bool) {
        if !self.is_cut(a, b) {
            return;
        }
        for (a, b) in [(a, b), (b, a)] {
            let (m, n) = (self.machine(a), self.machine(b));
            self.all.reach.cut(m, n, false);
        }
        if self.is_cut(a, b) {
            return;
        }
        let alive = |i: usize| self.all.processes[i].state != ProcessState::Dead;
        if !alive(a) || !alive(b) {
            return;
        }
        for (a, b) in [(a, b), (b, a)] {
            let key = (id(a).0, id(b).0);
            let stream = self.streams.entry(key).or_default();
            let held = std::mem::take(&mut stream.held);
            let bridged = bridged && !stream.broken;
            self.set_stream(a, b, self.now + lag);
            self.streams.get_mut(&key).unwrap().bridged = bridged;
            if bridged {
                for body in held {
                    self.route(a, id(b), body);
                }
            }
            self.wake(id(a));
        }
    }

    fn set_stream(&mut self, from: usize, to: usize, ready: Time) {
        let key = (id(from).0, id(to).0);
        self.streams.insert(key, Stream { ready: Time0(ready), ..Stream::default() });
        let now = self.now;
        self.mail.retain(|(_, t, f, _), (departs, _)| (*f, *t) != key || *departs <= now);
        self.all.set_stream(id(from), id(to), PeerStream::new(ready));
    }

    fn pull(&mut self, i: usize, lever: Lever) {
        let state = self.all.processes[i].state;
        match (lever, state) {
            (Lever::Kill | Lever::PowerLoss, ProcessState::Running | ProcessState::Paused) => {
                self.end(i);
                self.deliver(i, Cause::Lever(lever));
            }
            (Lever::Pause, ProcessState::Running) => {
                self.set_state(i, ProcessState::Paused);
                self.deliver(i, Cause::Lever(lever));
            }
            (Lever::Resume, ProcessState::Paused) => {
                self.set_state(i, ProcessState::Running);
                let late = std::mem::take(&mut self.late);
                for (owner, cell) in late {
                    if owner == i {
                        self.alarms.insert((owner, cell), self.now);
                    } else {
                        self.late.push((owner, cell));
                    }
                }
                self.deliver(i, Cause::Lever(lever));
                for mail in std::mem::take(&mut self.inboxes[i]) {
                    self.sent += 1;
                    let key = (self.now, id(i).0, mail.from.0, self.sent);
                    self.mail.insert(key, (self.now, mail));
                }
            }
            (Lever::WipeData | Lever::Space(_), _) => self.deliver(i, Cause::Lever(lever)),
            (Lever::Kill | Lever::PowerLoss | Lever::Pause | Lever::Resume, _)
            | (Lever::Stop, ProcessState::Paused)
            | (_, ProcessState::Dead) => {}
            _ => self.deliver(i, Cause::Lever(lever)),
        }
    }

    fn end(&mut self, i: usize) {
        self.alarms.retain(|(owner, _), _| *owner != i);
        self.departs.retain(|_, (from, _, _)| usize::from(*from) != i);
        self.inboxes[i].clear();
        self.late.retain(|(owner, _)| *owner != i);
        for j in 0..self.members.len() {
            if j != i {
                for (a, b) in [(i, j), (j, i)] {
                    self.set_stream(a, b, Time::NEVER);
                    self.streams.get_mut(&(id(a).0, id(b).0)).unwrap().broken = true;
                }
            }
        }
        self.set_state(i, ProcessState::Dead);
    }

    fn route(&mut self, from: usize, to: ComponentId, body: Body) {
        self.refused += u64::from(matches!(&body, Body::Raft(m)
            if matches!(m.kind, RaftKind::AppendReply { rejected: Some(_), .. })));
        let to_member = to.index() < self.members.len();
        let mut departs = self.now;
        if to_member {
            let stream = self.streams.entry((id(from).0, to.0)).or_default();
            if stream.ready.0.is_never() {
                // An answer to a heartbeat that was on its way at the cut is not computed by the
                // lazy member; it would only say that the peer was alive before the cut.
                if !matches!(&body, Body::Raft(m) if matches!(m.kind, RaftKind::HeartbeatReply { .. })) {
                    stream.held.push(body);
                }
                return;
            }
            if stream.ready.0 > self.now && !stream.bridged {
                return;
            }
            departs = departs.max(stream.ready.0);
        } else {
            if let Body::Reply(reply) = body {
                self.replies.push((self.now, reply.id, reply.outcome));
            }
            return;
        }
        self.sent += 1;
        let at = departs + self.all.reach.delay(self.machine(from), self.machine(to.index()));
        let mail = (departs, Mail { from: id(from), body });
        self.mail.insert((at, to.0, id(from).0, self.sent), mail);
    }

    fn deliver(&mut self, to: usize, cause: Cause<Alarm>) {
        let mut out = Outbox::default();
        let view = View { now: self.now, me: id(to), all: &self.all };
        let name = self.all.map.component(id(to)).stream;
        let mut fx =
            Effects::new(self.now, 0, &mut out, &self.key, name, &mut self.counts[to]);
        self.members[to].on(cause, &view, &mut fx);
        self.apply(to, out);
    }

    fn apply(&mut self, from: usize, out: Outbox) {
        let alive = self.all.processes[from].state != ProcessState::Dead;
        for record in out.records {
            self.records.push((self.now, from, record));
        }
        for (cell, at, _) in out.alarms {
            let key = (from, cell.0 as usize);
            if at.is_never() || !alive {
                self.alarms.remove(&key);
                self.late.retain(|late| *late != key);
            } else {
                self.alarms.insert(key, at);
            }
        }
        if let Some(fact) = out.fact {
            let before = self.shown(from);
            self.all.facts[from] = fact;
            let after = self.shown(from);
            if before != after {
                self.trace.push((self.now, from, after));
            }
            self.wake(id(from));
        }
        for (object, fact, _) in out.objects {
            self.all.facts[object.index()] = fact;
            self.wake(object);
        }
        for outgoing in out.mail {
            if outgoing.departs > self.now {
                self.sent += 1;
                let letter = (id(from).0, outgoing.to, outgoing.body);
                self.departs.insert((outgoing.departs, self.sent), letter);
            } else {
                self.route(from, outgoing.to, outgoing.body);
            }
        }
        if out.exit.is_some() && alive {
            self.end(from);
            self.deliver(from, Cause::Lever(Lever::Kill));
        }
    }

    fn shown(&self, i: usize) -> Shown {
        self.fact(i).map(|f| (f.role, f.term, f.lead, f.stalled))
    }

    fn settle(&mut self) {
        while let Some((viewer, of)) = self.saw.pop_first() {
            if self.all.processes[viewer].state == ProcessState::Running {
                self.deliver(viewer, Cause::Saw(of));
            }
        }
    }

    /// The campaigns so far: when, who, in which term, whether only asking.
    pub(super) fn campaigns(&self) -> Vec<(Time, usize, u64, bool)> {
        let campaign = |(at, of, record): &(Time, usize, Record)| match record {
            Record::Campaign { term, pre } => Some((*at, *of, *term, *pre)),
            _ => None,
        };
        self.records.iter().filter_map(campaign).collect()
    }
}

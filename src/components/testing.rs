//! A small world for unit tests of one kind at a time: several machines of that kind, and everything
//! else as facts that the test sets. No TCP: calls and replies are only recorded.

use crate::component::effects::{DrawCounts, Outbox, PURPOSES_MAX};
use crate::component::fact::Fact;
use crate::component::mail::{Body, Mail};
use crate::component::map::{MachineRole, Map};
use crate::component::reach::{Direction, Reach};
use crate::component::record::Record;
use crate::component::view::{
    MachineState, PeerStreams, Process, ProcessState, Settlement, Surroundings,
};
use crate::component::{
    Alarm, Cause, Component, ComponentId, Effects, Kind, Lever, MachineId, View,
};
use crate::kernel::stream::Key;
use crate::kernel::time::{Duration, Time};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a component sent that the fake does not carry itself.
pub(crate) type Sent = (Time, ComponentId, ComponentId, Body);

/// The fake world.
pub(crate) struct Fake<C: Component> {
    pub(crate) now: Time,
    pub(crate) all: Surroundings,
    pub(crate) facts: Vec<(Time, ComponentId, Fact)>,
    pub(crate) sent: Vec<Sent>,
    pub(crate) closed: Vec<(Time, u64)>,
    pub(crate) records: Vec<(Time, Record)>,
    pub(crate) starts: Vec<(Time, ComponentId)>,
    pub(crate) kills: Vec<(Time, ComponentId)>,
    pub(crate) commits: Vec<(Time, ComponentId, Fact)>,
    pub(crate) exits: Vec<(Time, ComponentId)>,
    pub(crate) steps: u64,
    machines: BTreeMap<ComponentId, C>,
    alarms: BTreeMap<(Time, ComponentId, usize), Time>,
    held: Vec<(ComponentId, usize)>,
    post: Vec<(Time, ComponentId, Mail)>,
    key: Key,
    counts: Vec<DrawCounts>,
}

/// One process a machine, all in one zone, `delay` apart; names are `m0/…`, `m1/…`.
pub(crate) fn surroundings(kinds: &[(usize, Kind)], delay: Duration) -> Surroundings {
    let mut map = Map::default();
    let zone = map.add_zone("z");
    let count = kinds.iter().map(|(machine, _)| machine + 1).max().unwrap_or(0);
    for machine in 0..count {
        map.add_machine(&format!("m{machine}"), MachineRole::LoadBalancer, zone);
    }
    for (machine, kind) in kinds {
        let id = MachineId(u16::try_from(*machine).unwrap());
        map.add_process(*kind, id, &format!("m{machine}/{}", kind.name()));
    }
    let direction = Direction {
        delay,
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
    Surroundings {
        facts: vec![Fact::Absent; kinds.len()],
        processes: vec![running; kinds.len()],
        machines: vec![MachineState::default(); count],
        reach: Reach::new(count, |_, _| direction),
        settlement: Settlement::default(),
        vip: Vec::new(),
        streams: PeerStreams::default(),
        connections: BTreeMap::new(),
        neighbours: Vec::new(),
        map: Arc::new(map),
    }
}

impl<C: Component> Fake<C> {
    pub(crate) fn new(all: Surroundings, machines: Vec<(ComponentId, C)>, trial: u64) -> Self {
        let counts = vec![[0; PURPOSES_MAX]; all.facts.len()];
        Self {
            now: Time::START,
            all,
            facts: Vec::new(),
            sent: Vec::new(),
            closed: Vec::new(),
            records: Vec::new(),
            starts: Vec::new(),
            kills: Vec::new(),
            commits: Vec::new(),
            exits: Vec::new(),
            steps: 0,
            machines: machines.into_iter().collect(),
            alarms: BTreeMap::new(),
            held: Vec::new(),
            post: Vec::new(),
            key: Key::new(1, trial),
            counts,
        }
    }

    /// A settled start of all machines.
    pub(crate) fn settle(&mut self) {
        for id in self.ids() {
            self.deliver(id, Cause::Settle);
        }
    }

    fn ids(&self) -> Vec<ComponentId> {
        self.machines.keys().copied().collect()
    }

    /// Delivers a cause and whatever follows from it at once.
    pub(crate) fn deliver(&mut self, id: ComponentId, cause: Cause<C::Alarm>) {
        if self.call(id, cause) {
            self.wake(id);
        }
    }

    /// Calls a machine; whether its fact changed.
    fn call(&mut self, id: ComponentId, cause: Cause<C::Alarm>) -> bool {
        self.steps += 1;
        let mut out = Outbox::default();
        let view = View { now: self.now, me: id, all: &self.all };
        let name = self.all.map.component(id).stream;
        let counts = &mut self.counts[id.index()];
        let mut fx = Effects::new(self.now, 0, &mut out, &self.key, name, counts);
        self.machines.get_mut(&id).unwrap().on(cause, &view, &mut fx);
        self.apply(id, out)
    }

    fn apply(&mut self, id: ComponentId, out: Outbox) -> bool {
        for (cell, at, blame) in out.alarms {
            let index = cell.0 as usize;
            self.alarms.retain(|(_, owner, i), _| (*owner, *i) != (id, index));
            self.held.retain(|held| *held != (id, index));
            if !at.is_never() {
                assert_eq!(self.now + blame.total(), at, "terms sum to the wait: {blame:?}");
                self.alarms.insert((at, id, index), at);
            }
        }
        for outgoing in out.mail {
            let view = View { now: self.now, me: id, all: &self.all };
            self.sent.push((self.now, id, outgoing.to, outgoing.body.clone()));
            if matches!(outgoing.body, Body::Advert(_)) && view.passes(id, outgoing.to) {
                let at = self.now + view.delay(id, outgoing.to);
                self.post.push((at, outgoing.to, Mail { from: id, body: outgoing.body }));
            }
        }
        let now = self.now;
        self.closed.extend(out.closed.iter().map(|call| (now, *call)));
        self.records.extend(out.records.iter().map(|record| (now, *record)));
        self.starts.extend(out.starts.iter().map(|(process, at, _)| (*at, *process)));
        self.kills.extend(out.kills.iter().map(|process| (now, *process)));
        self.commits.extend(out.objects.iter().map(|(id, fact, _)| (now, *id, fact.clone())));
        self.exits.extend(out.exit.iter().map(|_| (now, id)));
        let exits = out.exit.is_some();
        let changed = out.fact.filter(|fact| *fact != self.all.facts[id.index()]).map(|fact| {
            self.facts.push((self.now, id, fact.clone()));
            self.all.facts[id.index()] = fact;
        });
        if exits {
            self.kill(id, Lever::Kill);
        }
        changed.is_some()
    }

    /// Tells the watchers of `of`.
    fn wake(&mut self, of: ComponentId) {
        let map = self.all.map.clone();
        for id in self.ids() {
            let running = self.all.processes[id.index()].state == ProcessState::Running;
            if running && self.machines[&id].watches(&map).contains(&of) {
                self.deliver(id, Cause::Saw(of));
            }
        }
    }

    /// Lets a message arrive at a simulated process.
    pub(crate) fn post(&mut self, at: Time, to: ComponentId, mail: Mail) {
        self.post.push((at, to, mail));
    }

    /// Sets the fact of a component that is not simulated.
    pub(crate) fn set_fact(&mut self, of: ComponentId, fact: Fact) {
        self.all.facts[of.index()] = fact;
        self.wake(of);
    }

    /// Sets the state of a process that is not simulated.
    pub(crate) fn set_process(&mut self, of: ComponentId, state: ProcessState) {
        self.all.processes[of.index()].state = state;
        self.wake(of);
    }

    /// Changes the network and tells everybody.
    pub(crate) fn network(&mut self, change: impl FnOnce(&mut Reach)) {
        change(&mut self.all.reach);
        for of in 0..self.all.facts.len() {
            self.wake(ComponentId(u16::try_from(of).unwrap()));
        }
    }

    /// SIGKILL (or power loss, of the process only) of a simulated process.
    pub(crate) fn kill(&mut self, id: ComponentId, lever: Lever) {
        self.all.processes[id.index()].state = ProcessState::Dead;
        self.alarms.retain(|(_, owner, _), _| *owner != id);
        self.post.retain(|(_, to, _)| *to != id);
        self.deliver(id, Cause::Lever(lever));
        self.wake(id);
    }

    /// Starts a simulated process.
    pub(crate) fn boot(&mut self, id: ComponentId) {
        let process = &mut self.all.processes[id.index()];
        process.state = ProcessState::Running;
        process.incarnation += 1;
        self.deliver(id, Cause::Boot);
        self.wake(id);
    }

    /// SIGSTOP of a simulated process.
    pub(crate) fn pause(&mut self, id: ComponentId) {
        self.all.processes[id.index()].state = ProcessState::Paused;
        self.deliver(id, Cause::Lever(Lever::Pause));
        self.wake(id);
    }

    /// SIGCONT of a simulated process: what fell due is delivered now.
    pub(crate) fn resume(&mut self, id: ComponentId) {
        self.all.processes[id.index()].state = ProcessState::Running;
        for (owner, index) in std::mem::take(&mut self.held) {
            self.alarms.insert((self.now, owner, index), self.now);
        }
        self.deliver(id, Cause::Lever(Lever::Resume));
        self.wake(id);
    }

    /// Runs until `until`, what is due then included.
    pub(crate) fn run_until(&mut self, until: Time) {
        while self.step(until) {}
        self.now = until;
    }

    /// When the next alarm or message is due.
    pub(crate) fn due(&self) -> Time {
        let alarm = self.alarms.keys().next().map(|(at, _, _)| *at);
        let mail = self.post.iter().map(|(at, _, _)| *at).min();
        [alarm, mail].into_iter().flatten().min().unwrap_or(Time::NEVER)
    }

    /// The machine of a simulated process.
    pub(crate) fn machine(&mut self, id: ComponentId) -> &mut C {
        self.machines.get_mut(&id).unwrap()
    }

    fn step(&mut self, until: Time) -> bool {
        let alarm = self.alarms.keys().next().copied();
        let mail = (0..self.post.len()).min_by_key(|i| (self.post[*i].0, *i));
        let mail_at = mail.map_or(Time::NEVER, |i| self.post[i].0);
        let alarm_at = alarm.map_or(Time::NEVER, |(at, _, _)| at);
        let at = mail_at.min(alarm_at);
        if at > until || at.is_never() {
            return false;
        }
        self.now = at;
        if mail_at <= alarm_at {
            let (_, to, mail) = self.post.remove(mail.unwrap());
            match self.all.processes[to.index()].state {
                ProcessState::Running => self.deliver(to, Cause::Mail(mail)),
                ProcessState::Paused => self.post.push((at + Duration::from_millis(1), to, mail)),
                ProcessState::Dead => {}
            }
            return true;
        }
        let (at, id, index) = alarm.unwrap();
        self.alarms.remove(&(at, id, index));
        match self.all.processes[id.index()].state {
            ProcessState::Running => self.deliver(id, Cause::Alarm(C::Alarm::at_index(index))),
            _ => self.held.push((id, index)),
        }
        true
    }
}

/// The distance between two samples, beside its 1 % critical value.
pub(crate) fn two_samples(a: &mut [f64], b: &mut [f64]) -> (f64, f64) {
    b.sort_by(f64::total_cmp);
    let m = b.len() as f64;
    let worst = {
        let at = |x: f64| b.partition_point(|y| *y <= x) as f64 / m;
        let before = |x: f64| b.partition_point(|y| *y < x) as f64 / m;
        a.sort_by(f64::total_cmp);
        let n = a.len() as f64;
        a.iter().enumerate().fold(0.0, |worst: f64, (i, x)| {
            let (below, above) = (i as f64 / n, (i + 1) as f64 / n);
            worst.max((before(*x) - below).abs()).max((above - at(*x)).abs())
        })
    };
    let n = a.len() as f64;
    (worst, 1.628 * ((n + m) / (n * m)).sqrt())
}

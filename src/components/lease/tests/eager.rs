//! The eager twin: the same election, every attempt made, written down from client-go's rules without
//! a thought for laziness.

use crate::component::fact::Ability;
use crate::components::lease::Election;
use crate::kernel::stream::{Draw, Key, StreamName};
use crate::kernel::time::{Duration, Time};
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Fast(u64),
    Get,
    Put(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    /// An attempt begins; a cycle, if the instance leads and is not in one.
    Wake,
    /// A request has been served.
    Served(u64),
    TimedOut(u64),
    /// The cycle that began then is over.
    Deadline(Time),
}

#[derive(Clone, Debug)]
struct Instance {
    alive: bool,
    leads: bool,
    /// Identity of the process.
    me: u64,
    api: Ability,
    observed: Option<(u64, u64, Time)>,
    request: Option<(u64, Step, Time)>,
    cycle: Option<(Time, Option<Time>)>,
}

/// Who did what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Took(usize),
    Renewed,
    Exited(usize),
}

pub(crate) struct Eager {
    pub(crate) log: Vec<(Time, Deed)>,
    now: Time,
    election: Election,
    read: Duration,
    write: Duration,
    startup: Duration,
    instances: Vec<Instance>,
    /// The record: its revision and its holder's identity.
    record: (u64, u64),
    events: BTreeMap<(Time, u64), (usize, u64, Event)>,
    sequence: u64,
    draw: Draw,
}

impl Eager {
    /// Starts with the first instance as holder, whose last renewal committed at `renewed`.
    pub(crate) fn new(
        election: Election,
        count: usize,
        (read, write, startup): (Duration, Duration, Duration),
        renewed: Time,
        trial: u64,
    ) -> Self {
        let instance = |n: usize| Instance {
            alive: true,
            leads: n == 0,
            me: n as u64 + 1,
            api: Ability::Works,
            observed: (n == 0).then_some((1, 1, renewed)),
            request: None,
            cycle: None,
        };
        let mut eager = Self {
            log: Vec::new(),
            now: renewed,
            election,
            read,
            write,
            startup,
            instances: (0..count).map(instance).collect(),
            record: (1, 1),
            events: BTreeMap::new(),
            sequence: 0,
            draw: Key::new(11, trial).draw(StreamName::of("eager"), 0, 0),
        };
        eager.at(renewed + election.retry_period, 0, Event::Wake);
        for n in 1..count {
            let first = eager.draw.uniform_duration(Duration::ZERO, election.longest_wait());
            eager.at(renewed + first, n, Event::Wake);
        }
        eager
    }

    fn at(&mut self, at: Time, n: usize, event: Event) {
        self.sequence += 1;
        self.events.insert((at, self.sequence), (n, self.instances[n].me, event));
    }

    pub(crate) fn run_until(&mut self, until: Time) {
        while let Some(((at, _), _)) = self.events.first_key_value() {
            if *at > until {
                break;
            }
            let ((at, _), (n, me, event)) = self.events.pop_first().unwrap();
            self.now = at;
            if self.instances[n].alive && self.instances[n].me == me {
                self.handle(n, event);
            }
        }
        self.now = until;
    }

    fn handle(&mut self, n: usize, event: Event) {
        let request = self.instances[n].request;
        match (event, request) {
            (Event::Wake, None) => self.attempt(n),
            (Event::Served(id), Some((call, step, started))) if id == call => {
                self.served(n, step, started);
            }
            (Event::TimedOut(id), Some((call, step, started))) if id == call => {
                self.failed(n, step, started);
            }
            (Event::Deadline(start), _)
                if self.instances[n].cycle.is_some_and(|(s, _)| s == start) =>
            {
                self.log.push((self.now, Deed::Exited(n)));
                self.instances[n].alive = false;
            }
            _ => {}
        }
    }

    fn attempt(&mut self, n: usize) {
        let now = self.now;
        if self.instances[n].leads && self.instances[n].cycle.is_none() {
            let ticks = self.election.client_go.ticks_from_start().then_some(now);
            self.instances[n].cycle = Some((now, ticks));
            self.at(now + self.election.renew_deadline, n, Event::Deadline(now));
        }
        let me = self.instances[n].me;
        let own = self.instances[n]
            .observed
            .filter(|(_, holder, at)| *holder == me && *at + self.election.lease_duration > now);
        let step = match own {
            Some((revision, _, _)) if self.election.client_go.fast_path() => Step::Fast(revision),
            _ => Step::Get,
        };
        self.ask(n, step, now);
    }

    fn ask(&mut self, n: usize, step: Step, started: Time) {
        self.sequence += 1;
        let id = self.sequence;
        self.instances[n].request = Some((id, step, started));
        self.at(self.now + self.election.client_timeout, n, Event::TimedOut(id));
        self.carry(n, id, step);
    }

    fn carry(&mut self, n: usize, id: u64, step: Step) {
        match self.instances[n].api {
            Ability::Works => {
                let takes = if step == Step::Get { self.read } else { self.write };
                self.at(self.now + takes, n, Event::Served(id));
            }
            Ability::Fails => self.at(self.now, n, Event::TimedOut(id)),
            Ability::Hangs => {}
        }
    }

    fn served(&mut self, n: usize, step: Step, started: Time) {
        let me = self.instances[n].me;
        match step {
            Step::Fast(expected) | Step::Put(expected) if self.record.0 == expected => {
                let news = self.record.1 != me;
                self.record = (expected + 1, me);
                self.instances[n].observed = Some((expected + 1, me, self.now));
                self.instances[n].request = None;
                self.instances[n].leads = true;
                self.instances[n].cycle = None;
                self.log.push((self.now, if news { Deed::Took(n) } else { Deed::Renewed }));
                self.at(self.now + self.election.retry_period, n, Event::Wake);
            }
            Step::Fast(_) | Step::Put(_) => self.failed(n, step, started),
            Step::Get => {
                let (revision, holder) = self.record;
                let known = self.instances[n].observed.filter(|(r, _, _)| *r == revision);
                let (_, _, at) = known.unwrap_or((revision, holder, self.now));
                self.instances[n].observed = Some((revision, holder, at));
                if holder != me && at + self.election.lease_duration > started {
                    self.gave_way(n);
                } else {
                    self.ask(n, Step::Put(revision), started);
                }
            }
        }
    }

    fn failed(&mut self, n: usize, step: Step, started: Time) {
        if let Step::Fast(_) = step {
            self.ask(n, Step::Get, started);
        } else {
            self.gave_way(n);
        }
    }

    fn gave_way(&mut self, n: usize) {
        self.instances[n].request = None;
        let retry = self.election.retry_period;
        if let Some((start, ticks)) = self.instances[n].cycle {
            let ticks = ticks.unwrap_or(self.now);
            self.instances[n].cycle = Some((start, Some(ticks)));
            let mut tick = ticks + retry;
            while tick <= self.now {
                tick += retry;
            }
            self.at(tick, n, Event::Wake);
        } else {
            let jitter = self.draw.uniform_duration(Duration::ZERO, retry.mul_f64(1.2));
            self.at(self.now + retry + jitter, n, Event::Wake);
        }
    }

    pub(crate) fn set_api(&mut self, n: usize, api: Ability) {
        if std::mem::replace(&mut self.instances[n].api, api) == api {
            return;
        }
        if let Some((id, step, _)) = self.instances[n].request {
            self.events.retain(|_, (_, _, event)| *event != Event::Served(id));
            self.carry(n, id, step);
        }
    }

    pub(crate) fn kill(&mut self, n: usize) {
        self.instances[n].alive = false;
    }

    pub(crate) fn boot(&mut self, n: usize) {
        self.sequence += 1;
        let me = self.sequence + 1000;
        let api = self.instances[n].api;
        self.instances[n] = Instance {
            alive: true,
            leads: false,
            me,
            api,
            observed: None,
            request: None,
            cycle: None,
        };
        self.at(self.now + self.startup, n, Event::Wake);
    }
}

//! Machines that fail and are repaired independently of each other, where no timing takes time: the
//! process of [`Ideal`] without what it does not need there.
//!
//! Every span is drawn from the same address as there, so histories are equal to the nanosecond; what
//! a combination of failures means is asked of [`Ideal`] once and looked up after that.
//!
//! Absent on purpose: crews, common causes, planned work, processes, several modes. A plan that has
//! them is refused.

use super::clocks::{Clock, Purpose};
use super::course::Course;
use super::ideal::{Ideal, Measure, Reason, Verdict};
use crate::kernel::law::Law;
use crate::kernel::stream::Key;
use crate::kernel::time::{Duration, Time};
use crate::plan::Plan;
use crate::plan::reliability::Thing;

/// Most machines: there is a place for each combination.
const MOST: usize = 12;

/// One machine.
#[derive(Clone, Debug)]
struct Part<'p> {
    machine: usize,
    failure: &'p Law,
    repair: &'p Law,
    clock: Clock,
}

/// Independent machines and the services on them.
#[derive(Clone, Debug)]
pub struct Alternating<'p> {
    judge: Ideal<'p>,
    parts: Vec<Part<'p>>,
    key: Key,
    /// When each machine fails, or is up again.
    due: [Time; MOST],
    /// How long each repair takes: the one under way, or the next.
    repairs: [Duration; MOST],
    /// What follows a repair under way: how long until the next failure, and its repair. Drawn while
    /// the machine is down, so that nothing waits for it when it is up.
    ahead: [(Duration, Duration); MOST],
    /// The earliest of them.
    first: (Time, usize),
    /// A bit for each that is down.
    down: usize,
    known: Vec<Option<Verdict>>,
    verdict: Verdict,
}

impl<'p> Alternating<'p> {
    /// The machines of a plan; `None` where they are not all that fails, or not independent.
    pub fn of(plan: &'p Plan) -> Option<Self> {
        let laws = &plan.reliability;
        let apart = laws.outages.is_empty()
            && laws.shocks.is_empty()
            && laws.work.is_empty()
            && laws.bursts.is_none();
        let mut judge = Ideal::new(plan, Key::new(0, 0));
        if !apart || !judge.is_timeless() || laws.parts.len() > MOST {
            return None;
        }
        let part = |part: &'p crate::plan::reliability::Part| {
            let Thing::Machine(machine) = part.thing else { return None };
            let [mode] = &part.modes[..] else { return None };
            let clock = Clock::of(&plan.map.machine(machine).name);
            let alone = part.crew.is_none() || !mode.needs_crew;
            let (failure, repair) = (&mode.failure, &mode.repair);
            alone.then(|| Part { machine: machine.index(), failure, repair, clock })
        };
        let parts = laws.parts.iter().map(part).collect::<Option<Vec<_>>>()?;
        let verdict = judge.verdict(|_| false);
        let mut known = vec![None; 1 << parts.len()];
        known[0] = Some(verdict);
        Some(Self {
            judge,
            parts,
            key: Key::new(0, 0),
            due: [Time::NEVER; MOST],
            repairs: [Duration::ZERO; MOST],
            ahead: [(Duration::ZERO, Duration::ZERO); MOST],
            first: (Time::NEVER, 0),
            down: 0,
            known,
            verdict,
        })
    }

    /// The next spans of a machine: up, and in repair.
    #[inline]
    fn draw(&mut self, at: usize) -> (Duration, Duration) {
        let part = &mut self.parts[at];
        let up = part.clock.span(self.key, Purpose::Failure, part.failure);
        (up, part.clock.span(self.key, Purpose::Repair, part.repair))
    }

    /// A machine is new.
    #[inline]
    fn renew(&mut self, at: usize, now: Time, (up, repair): (Duration, Duration)) {
        self.due[at] = now + up;
        self.repairs[at] = repair;
    }

    #[inline]
    fn look(&mut self) {
        let mut first = (self.due[0], 0);
        for (at, due) in self.due.iter().enumerate().take(self.parts.len()).skip(1) {
            first = std::hint::select_unpredictable(*due < first.0, (*due, at), first);
        }
        self.first = first;
    }

    #[cold]
    fn ask(&mut self) -> Verdict {
        let (parts, down) = (&self.parts, self.down);
        let is_down = |machine: usize| {
            let at = parts.iter().position(|part| part.machine == machine);
            at.is_some_and(|at| down >> at & 1 == 1)
        };
        let verdict = self.judge.verdict(is_down);
        self.known[self.down] = Some(verdict);
        verdict
    }
}

impl Course for Alternating<'_> {
    fn reset(&mut self, key: Key) {
        self.key = key;
        self.down = 0;
        for at in 0..self.parts.len() {
            self.parts[at].clock.rewind();
            let first = self.draw(at);
            self.renew(at, Time::START, first);
        }
        self.look();
        self.verdict = self.known[0].unwrap_or(self.verdict);
    }

    #[inline]
    fn next(&self) -> Time {
        self.first.0
    }

    #[inline]
    fn step(&mut self) {
        let now = self.first.0;
        while self.first.0 == now && !now.is_never() {
            let at = self.first.1;
            self.down ^= 1 << at;
            if self.down >> at & 1 == 1 {
                self.due[at] = now + self.repairs[at];
                self.ahead[at] = self.draw(at);
            } else {
                self.renew(at, now, self.ahead[at]);
            }
            self.look();
        }
        self.verdict = match self.known[self.down] {
            Some(verdict) => verdict,
            None => self.ask(),
        };
    }

    #[inline]
    fn levels(&self) -> u8 {
        self.verdict.levels
    }

    #[inline]
    fn reason(&self, measure: Measure) -> Reason {
        self.verdict.reasons[measure as usize]
    }

    #[inline]
    fn share_served(&self) -> f64 {
        self.verdict.share_served
    }
}

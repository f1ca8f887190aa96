//! What may fail next and how soon, for whoever decides that himself: rare events are reached by
//! letting failures happen more often than they do, and weighting what follows.
//!
//! A process that is held lets nothing fail by its own clock: repairs, boots and planned work go on,
//! and failures happen when [`Process::strike_by`] says so. Ages are kept, so that a process can be
//! held and let go at any time.
//!
//! Absent on purpose: the decision, and weights.

use super::super::clocks::{Clock, Purpose};
use super::{Process, State, cell};
use crate::kernel::law::Law;
use crate::kernel::stream::Key;
use crate::kernel::time::{Duration, Time};

/// A clock of failure that runs.
#[derive(Clone, Copy, Debug)]
pub struct Hazard<'p> {
    number: usize,
    mode: usize,
    /// What fails alike: things of one class by one mode; outages; shocks.
    pub class: &'p str,
    /// From new to the failure.
    pub law: &'p Law,
    /// How long the clock has run, in seconds.
    pub age: f64,
    /// How long it is down then, where that is one thing's repair.
    pub repair: Option<&'p Law>,
}

impl Hazard<'_> {
    /// The probability that it fails within so many seconds from now.
    pub fn within(&self, secs: f64) -> f64 {
        if let Law::Exponential { mean } = self.law {
            return -libm::expm1(-secs / mean.as_secs_f64());
        }
        let (now, then) = (self.law.cdf(self.age), self.law.cdf(self.age + secs));
        if now < 1.0 { (then - now) / (1.0 - now) } else { 1.0 }
    }

    /// When it fails, in seconds from now, if it does so within so many: a quantile of that law.
    pub fn when(&self, quantile: f64, secs: f64) -> f64 {
        let share = quantile * self.within(secs);
        let when = if let Law::Exponential { mean } = self.law {
            -libm::log1p(-share) * mean.as_secs_f64()
        } else {
            let now = self.law.cdf(self.age);
            self.law.quantile((now + share * (1.0 - now)).min(1.0)) - self.age
        };
        when.clamp(0.0, secs)
    }

    /// Failures a second, of a clock without memory; of any other, one over its mean.
    pub fn rate(&self) -> f64 {
        1.0 / self.law.mean()
    }
}

impl<'p> Process<'p> {
    /// From now on nothing fails by its own clock.
    pub fn hold(&mut self) {
        self.held = true;
        for number in 0..self.slots.len() + self.outages.len() + self.shocks.len() {
            if self.can_fail(number) {
                self.agenda.clear(cell(number));
            }
        }
    }

    /// From now on, until it is let go, repairs are drawn by their length or not: the probability that
    /// something else fails during one is the greater, the longer it lasts.
    pub fn lengthen(&mut self, lengthens: bool) {
        (self.lengthens, self.lengthened) = (lengthens, 1.0);
    }

    /// How much more probable the repairs drawn since the last question are where they are drawn by
    /// their length, whether they were or not.
    pub fn lengthened(&mut self) -> f64 {
        std::mem::replace(&mut self.lengthened, 1.0)
    }

    /// The repair of a thing that fails.
    pub(super) fn repair(&mut self, at: usize, law: &Law) -> Duration {
        if !self.held {
            return self.slots[at].clock.span(self.key, Purpose::Repair, law);
        }
        let (key, lengthens) = (self.key, self.lengthens);
        let (span, ratio) = repair(&mut self.slots[at].clock, key, Purpose::Repair, law, lengthens);
        self.lengthened *= ratio;
        span
    }

    /// How long an outage lasts that begins while nothing fails by its own clock.
    pub(super) fn outage_while_held(&mut self, at: usize, law: &Law) -> Duration {
        let (key, lengthens) = (self.key, self.lengthens);
        let clock = &mut self.outages[at].clock;
        let (span, ratio) = repair(clock, key, Purpose::Failure, law, lengthens);
        self.lengthened *= ratio;
        span
    }

    /// From now on everything fails by its own clock again, at the age it has.
    pub fn let_go(&mut self, now: Time) {
        self.held = false;
        self.lengthens = false;
        let mut hazards = std::mem::take(&mut self.running);
        self.hazards(now, &mut hazards);
        for hazard in &hazards {
            let key = self.key;
            let (slots, outages) = (self.slots.len(), self.outages.len());
            let clock = match hazard.number {
                at if at < slots => &mut self.slots[at].clock,
                at if at < slots + outages => &mut self.outages[at - slots].clock,
                at => &mut self.shocks[at - slots - outages],
            };
            let left = if let Law::Exponential { .. } = hazard.law {
                hazard.law.sample(&mut clock.draw(key, Purpose::Failure))
            } else {
                let quantile = clock.draw(key, Purpose::Failure).uniform();
                let past = hazard.law.cdf(hazard.age);
                let whole = hazard.law.quantile((past + quantile * (1.0 - past)).min(1.0));
                Duration::from_secs_f64((whole - hazard.age).max(0.0)).unwrap_or(Duration::MAX)
            };
            let (end, due) = (now + left, self.agenda.at(cell(hazard.number)));
            if end < due || hazard.mode == 0 {
                self.agenda.set(cell(hazard.number), end);
                if hazard.number < slots {
                    self.slots[hazard.number].mode = hazard.mode;
                }
            }
        }
        self.running = hazards;
    }

    /// Every clock of failure that runs now; modes of one thing side by side.
    pub fn hazards(&self, now: Time, into: &mut Vec<Hazard<'p>>) {
        into.clear();
        let laws = self.laws;
        let age = |number: usize| now.saturating_since(self.since[number]).as_secs_f64();
        for at in (0..self.slots.len()).filter(|at| self.can_fail(*at)) {
            let Some(part) = self.part(at) else { continue };
            let hazard = |(mode, one): (usize, &'p crate::plan::reliability::Mode)| Hazard {
                number: at,
                mode,
                class: if mode == 0 { part.class } else { &one.cause },
                law: &one.failure,
                age: age(at),
                repair: Some(&one.repair),
            };
            into.extend(part.modes.iter().enumerate().map(hazard));
        }
        for (at, outage) in laws.outages.iter().enumerate() {
            let number = self.slots.len() + at;
            if self.can_fail(number) {
                let (law, repair) = (&outage.failure, Some(&outage.repair));
                let (mode, class, age) = (0, "outages", age(number));
                into.push(Hazard { number, mode, class, law, age, repair });
            }
        }
        for (at, shock) in laws.shocks.iter().enumerate() {
            let number = self.slots.len() + self.outages.len() + at;
            let (law, class) = (&shock.every, shock.cause.as_str());
            into.push(Hazard { number, mode: 0, class, law, age: age(number), repair: None });
        }
    }

    /// Lets one of the hazards happen now.
    pub fn strike_by(&mut self, hazard: &Hazard, now: Time) {
        self.now = now;
        self.agenda.clear(cell(hazard.number));
        let (slots, outages) = (self.slots.len(), self.outages.len());
        match hazard.number {
            at if at < slots => {
                self.slots[at].mode = hazard.mode;
                self.fail(at);
            }
            at if at < slots + outages => self.outage_event(at - slots),
            at => self.shock(at - slots - outages),
        }
    }

    /// When the last of the repairs, boots, outages and works that are under way ends; `None` if there
    /// are none.
    pub fn last_end(&self) -> Option<Time> {
        let under_way =
            |state: State| matches!(state, State::Repairing | State::Booting | State::Worked);
        let slots = (0..self.slots.len()).filter(|at| under_way(self.slots[*at].state));
        let away = (0..self.outages.len()).filter(|at| self.outages[*at].away);
        let all = slots.chain(away.map(|at| self.slots.len() + at));
        all.map(|number| self.agenda.at(cell(number))).max()
    }

    /// How many failures, outages and shocks there have been.
    pub fn strikes(&self) -> u64 {
        self.strikes
    }

    /// Whether everything is up, and no machine will follow another one down.
    pub fn is_quiet(&self) -> bool {
        self.is_whole() && self.followers.is_empty()
    }

    /// Gives all draws from now on another key.
    pub fn rekey(&mut self, key: Key) {
        self.key = key;
    }

    /// Whether a clock of failure runs for this cell.
    fn can_fail(&self, number: usize) -> bool {
        let slots = self.slots.len();
        if number < slots {
            let on_up = self.machine_slot(number).is_none_or(|machine| self.is_up(machine));
            return on_up
                && self.slots[number].state == State::Up
                && self.slots[number].part.is_some();
        }
        self.outages.get(number - slots).is_none_or(|outage| !outage.away)
    }
}

/// A repair, perhaps by its length, and how much more probable it is so.
fn repair(
    clock: &mut Clock,
    key: Key,
    purpose: Purpose,
    law: &Law,
    lengthens: bool,
) -> (Duration, f64) {
    let span = if lengthens {
        law.sample_covering(&mut clock.draw(key, purpose))
    } else {
        clock.span(key, purpose, law)
    };
    (span, if law.is_fixed() { 1.0 } else { span.as_secs_f64() / law.mean() })
}

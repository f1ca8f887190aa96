//! One way through an incident: by the clocks of the plan, or with failures that are forced.
//!
//! What is seen lies in two layers: before anything fails beside what began the incident, and after.
//! The first layer is not rare, given the incident. The second is: to reach it, a failure is forced to
//! come before the last of what is being put right with probability [`FORCED`], by the class of things
//! that [`Chances::balanced`] says; the path's weight is its true probability over the one that it was
//! given. Once a measure is down for another reason than a failover, the path goes on by the clocks
//! of the plan.
//!
//! Absent on purpose: how many paths, and sums over them.

use super::seen::{ALL_UP, Seen};
use crate::kernel::law::Law;
use crate::kernel::stream::{Key, StreamName};
use crate::kernel::time::{Duration, Time};
use crate::reliability::ideal::{Ideal, Measure};
use crate::reliability::process::Hazard;

/// How often a failure is forced to come before the last repair under way ends.
pub(super) const FORCED: f64 = 0.8;

/// Most instants of one incident: a cluster that is never whole for so long has no incidents.
const INSTANTS_MAX: u32 = 200_000;

const DECISIONS: StreamName = StreamName::of("reliability/rare/decision");

/// The two layers of a path.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Layers {
    /// Until something fails beside what began the incident.
    pub(super) near: Seen,
    /// After that.
    pub(super) far: Seen,
    /// Whether the path was given up before the incident ended.
    pub(super) endless: bool,
}

/// Goes on by the clocks of the plan until all is quiet, at most until the end. `levels` is what was
/// up before the incident; `base` counts the failures that belong to its beginning.
pub(super) fn natural(
    ideal: &mut Ideal,
    end: Time,
    mut levels: u8,
    base: u64,
    layers: &mut Layers,
) -> Time {
    let mut at = ideal.now();
    for _ in 0..INSTANTS_MAX {
        let far = ideal.strikes() > base;
        let layer = if far { &mut layers.far } else { &mut layers.near };
        let now = ideal.levels();
        layer.change(levels, now);
        levels = now;
        if ideal.is_quiet() || at >= end {
            return at;
        }
        let next = ideal.next().min(end);
        layer.stay(ideal, levels, next.saturating_since(at).as_secs_f64());
        at = next;
        if at < end {
            ideal.step();
        }
    }
    layers.endless = true;
    at
}

/// A hazard with its probability of coming within a span.
pub(super) struct Chances<'p> {
    pub(super) hazards: Vec<Hazard<'p>>,
    within: Vec<f64>,
    /// Failures a second of each, where no clock has memory.
    rates: Vec<f64>,
    classes: Vec<(&'p str, usize)>,
}

impl<'p> Chances<'p> {
    pub(super) fn new() -> Self {
        Self { hazards: Vec::new(), within: Vec::new(), rates: Vec::new(), classes: Vec::new() }
    }

    /// Reads the hazards of a state with their rates, as those of a state that lasts for ever.
    pub(super) fn by_rate(&mut self, ideal: &Ideal<'p>) -> f64 {
        ideal.hazards(&mut self.hazards);
        self.within.clear();
        self.within.extend(self.hazards.iter().map(Hazard::rate));
        self.within.iter().sum()
    }

    fn by_span(&mut self, ideal: &Ideal<'p>, secs: f64) {
        ideal.hazards(&mut self.hazards);
        self.within.clear();
        let mut last: Option<(&Law, f64)> = None;
        for hazard in &self.hazards {
            // Things of one class stand side by side, and where they do not age are all alike.
            let alike = last
                .filter(|(law, _)| matches!(law, Law::Exponential { .. }) && *law == hazard.law);
            let within = alike.map_or_else(|| hazard.within(secs), |(_, within)| within);
            self.within.push(within);
            last = Some((hazard.law, within));
        }
        self.rates.clear();
        if self.hazards.iter().all(|hazard| matches!(hazard.law, Law::Exponential { .. })) {
            self.rates.extend(self.hazards.iter().map(Hazard::rate));
        }
    }

    /// The probability that none of them but one comes within so many seconds.
    fn survive(&self, secs: f64, but: usize) -> f64 {
        let all = || (0..self.hazards.len()).filter(|at| *at != but);
        if self.rates.is_empty() {
            return all().map(|at| 1.0 - self.hazards[at].within(secs)).product();
        }
        libm::exp(-secs * all().map(|at| self.rates[at]).sum::<f64>())
    }

    /// The one on whose part of the whole a number from 0 to 1 falls.
    pub(super) fn natural(&self, uniform: f64) -> usize {
        let whole: f64 = self.within.iter().sum();
        let mut left = uniform * whole;
        let last = self.within.len().saturating_sub(1);
        let falls = |chance: &f64| {
            left -= chance;
            left < 0.0
        };
        self.within.iter().position(falls).unwrap_or(last)
    }

    /// Chooses a hazard: half of the time by its probability, half of the time all classes alike and
    /// all things of a class alike. With the probability that it had to be chosen.
    pub(super) fn balanced(&mut self, by: f64, uniform: f64) -> (usize, f64) {
        let possible = |at: &usize| self.within[*at] > 0.0;
        let class_of = |at: usize| self.hazards[at].class;
        let mut classes = std::mem::take(&mut self.classes);
        classes.clear();
        for at in (0..self.within.len()).filter(possible) {
            match classes.iter_mut().find(|(class, _)| *class == class_of(at)) {
                Some((_, count)) => *count += 1,
                None => classes.push((class_of(at), 1)),
            }
        }
        let chosen = if by < 0.5 {
            self.natural(uniform)
        } else {
            let scaled = uniform * classes.len() as f64;
            let (class, count) = classes[place(scaled, classes.len())];
            let within = place(scaled.fract() * count as f64, count);
            let mut same =
                (0..self.within.len()).filter(|at| possible(at) && class_of(*at) == class);
            same.nth(within).unwrap_or(0)
        };
        let count = classes.iter().find(|(class, _)| *class == class_of(chosen)).map_or(1, |c| c.1);
        let alike = 1.0 / (classes.len() as f64 * count as f64);
        let own = self.within[chosen] / self.within.iter().sum::<f64>();
        self.classes = classes;
        (chosen, f64::midpoint(own, alike))
    }

    /// How much more probable than by its share a chosen hazard is.
    pub(super) fn weight(&self, chosen: usize, probability: f64) -> f64 {
        self.within[chosen] / self.within.iter().sum::<f64>() / probability
    }
}

/// The whole part, kept below a count.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "kept below the count")]
fn place(number: f64, count: usize) -> usize {
    (number as usize).min(count.saturating_sub(1))
}

/// What comes first in a span: a failure, when, and the weight of that choice.
struct Choice {
    failure: Option<(usize, f64)>,
    weight: f64,
}

/// `part`: which part of the time until the last repair's end the span is.
fn choose(chances: &mut Chances, secs: f64, part: f64, uniforms: [f64; 4]) -> Choice {
    let nothing = chances.survive(secs, usize::MAX);
    let possible = chances.within.iter().any(|chance| *chance > 0.0);
    let forced = match (possible, nothing > 0.0) {
        (false, _) => 0.0,
        (true, true) => (1.0 - libm::pow(1.0 - FORCED, part)).max(1.0 - nothing),
        (true, false) => 1.0,
    };
    if uniforms[0] >= forced {
        return Choice { failure: None, weight: nothing / (1.0 - forced) };
    }
    let (chosen, probability) = chances.balanced(uniforms[1], uniforms[2]);
    let when = chances.hazards[chosen].when(uniforms[3], secs);
    let weight = chances.within[chosen] * chances.survive(when, chosen) / (forced * probability);
    Choice { failure: Some((chosen, when)), weight }
}

/// What a forced path is for: a column, and the measure whose loss ends the forcing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) column: usize,
    pub(super) watched: Measure,
}

/// A path on which failures are forced, until a measure is down for good; what was seen of that
/// measure in the far layer, weighted, and the path's weight.
pub(super) fn forced<'p>(
    ideal: &mut Ideal<'p>,
    target: Target,
    key: Key,
    end: Time,
    chances: &mut Chances<'p>,
) -> (Seen, f64) {
    let Target { column, watched } = target;
    let mut weight = 1.0;
    let mut seen = Seen::default();
    let mut struck = false;
    ideal.hold();
    for decision in 0..u64::from(INSTANTS_MAX) {
        if ideal.is_quiet() || ideal.now() >= end || weight <= 0.0 {
            return (seen, weight);
        }
        let (next, last) = ideal.put_right();
        let (next, ends_here) = (next.min(end), next.is_never());
        if ends_here || struck && ideal.lacks(watched) {
            ideal.let_go();
            let base = if struck { 0 } else { ideal.strikes() };
            let mut layers = Layers::default();
            natural(ideal, end, ideal.levels(), base, &mut layers);
            seen.add(column, &layers.far, weight);
            return (seen, weight);
        }
        let secs = next.saturating_since(ideal.now()).as_secs_f64();
        chances.by_span(ideal, secs);
        let mut draw = key.draw(DECISIONS, 0, decision);
        let uniforms = [draw.uniform(), draw.uniform(), draw.uniform(), draw.uniform()];
        let whole = last.saturating_since(ideal.now()).as_secs_f64();
        let part = if whole > 0.0 { (secs / whole).min(1.0) } else { 1.0 };
        let choice = choose(chances, secs, part, uniforms);
        weight *= choice.weight;
        let until = choice.failure.map_or(next, |(_, when)| {
            let after = Duration::from_secs_f64(when).unwrap_or(Duration::ZERO);
            (ideal.now() + after).min(next)
        });
        let mut here = Seen::default();
        wait(ideal, until, struck.then_some(&mut here));
        let before = ideal.levels();
        match choice.failure {
            Some((chosen, _)) => {
                ideal.strike_by(&chances.hazards[chosen], until);
                struck = true;
            }
            None if until < end => ideal.step(),
            None => {
                seen.add(column, &here, weight);
                return (seen, weight);
            }
        }
        if struck {
            here.change(before, ideal.levels());
        }
        seen.add(column, &here, weight);
    }
    (seen, weight)
}

/// Lets the times that run go by until an instant, which stays ahead.
fn wait(ideal: &mut Ideal, until: Time, mut seen: Option<&mut Seen>) {
    loop {
        let (at, levels) = (ideal.now(), ideal.levels());
        let next = ideal.next().min(until);
        if let Some(seen) = seen.as_deref_mut() {
            seen.stay(ideal, levels, next.saturating_since(at).as_secs_f64());
        }
        if next >= until {
            return;
        }
        ideal.step();
        if let Some(seen) = seen.as_deref_mut() {
            seen.change(levels, ideal.levels());
        }
    }
}

/// What is up where all is quiet.
pub(super) const QUIET: u8 = ALL_UP;

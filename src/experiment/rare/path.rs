//! One way through an incident: by the clocks of the plan, or with failures that are forced.
//!
//! What is seen lies in two layers: before anything fails beside what began the incident, and after.
//! The first layer is not rare, given the incident. The second is: to reach it, failures are forced as a
//! [`Guide`] says; the path's weight is its true probability over the one that it was given. Once a
//! measure is down for another reason than a failover, the path goes on by the clocks of the plan.
//!
//! Absent on purpose: how many paths, and sums over them.

use super::field::Field;
use super::guide::{Classes, Guide, Trace};
use super::seen::{ALL_UP, Seen};
use crate::kernel::law::Law;
use crate::kernel::stream::{Key, StreamName};
use crate::kernel::time::{Duration, Time};
use crate::reliability::ideal::{Ideal, Measure};
use crate::reliability::process::Hazard;

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

/// What can fail, with its probability of coming within a span.
pub(super) struct Chances<'p> {
    pub(super) hazards: Vec<Hazard<'p>>,
    pub(super) field: Field,
    /// Failures a second of each, and of all, where no clock has memory.
    rates: Vec<f64>,
    rate: f64,
    classes: Classes<'p>,
}

impl<'p> Chances<'p> {
    pub(super) fn new(classes: Classes<'p>) -> Self {
        let (hazards, field, rates) = (Vec::new(), Field::default(), Vec::new());
        Self { hazards, field, rates, rate: 0.0, classes }
    }

    /// Reads the hazards of a state with their rates, as those of a state that lasts for ever.
    pub(super) fn by_rate(&mut self, ideal: &Ideal<'p>) -> f64 {
        self.read(ideal, None);
        self.field.whole()
    }

    fn by_span(&mut self, ideal: &Ideal<'p>, secs: f64) {
        self.read(ideal, Some(secs));
        self.rates.clear();
        if self.hazards.iter().all(forgets) {
            self.rates.extend(self.hazards.iter().map(Hazard::rate));
        }
        self.rate = self.rates.iter().sum();
    }

    /// With their probabilities of coming within a span, or their rates.
    fn read(&mut self, ideal: &Ideal<'p>, span: Option<f64>) {
        let chance = |hazard: &Hazard| match span {
            Some(secs) => hazard.within(secs),
            None => hazard.rate(),
        };
        ideal.hazards(&mut self.hazards);
        self.field.begin(self.classes.count());
        let mut last: Option<(&Hazard, usize, f64)> = None;
        for hazard in &self.hazards {
            // Things of one class stand side by side, and where they do not age are all alike.
            let same = last.filter(|(other, ..)| std::ptr::eq(other.class, hazard.class));
            let class =
                same.map_or_else(|| self.classes.number(hazard.class), |(_, class, _)| class);
            let alike = same.filter(|(other, ..)| forgets(hazard) && other.law == hazard.law);
            let own = alike.map_or_else(|| chance(hazard), |(.., own)| own);
            self.field.push(class, own);
            last = Some((hazard, class, own));
        }
    }

    /// The probability that none of them but one comes within so many seconds.
    fn survive(&self, secs: f64, but: Option<usize>) -> f64 {
        if self.rates.is_empty() {
            let others = (0..self.hazards.len()).filter(|at| Some(*at) != but);
            return others.map(|at| 1.0 - self.hazards[at].within(secs)).product();
        }
        libm::exp(-secs * (self.rate - but.map_or(0.0, |at| self.rates[at])))
    }

    /// Chooses the failure that begins an incident.
    pub(super) fn first(&self, guide: &Guide, trace: &mut Trace, uniforms: [f64; 2]) -> usize {
        let manners = guide.manners(&trace.failures);
        let chosen = self.field.choose(manners[trace.manner()], uniforms);
        let chances = manners.map(|manner| self.field.probability(manner, chosen));
        trace.take(self.field.chance(chosen) / self.field.whole(), chances);
        trace.failures.push(self.field.class(chosen));
        chosen
    }
}

fn forgets(hazard: &Hazard) -> bool {
    matches!(hazard.law, Law::Exponential { .. })
}

/// A failure and when it comes, if one comes in a span. `part`: which part of the time until the last
/// repair's end the span is.
fn choose(
    chances: &Chances,
    (guide, trace): (&Guide, &mut Trace),
    (secs, part): (f64, f64),
    uniforms: [f64; 4],
) -> Option<(usize, f64)> {
    let nothing = chances.survive(secs, None);
    let forced = if chances.field.whole() <= 0.0 {
        [0.0; 3]
    } else if nothing <= 0.0 {
        [1.0; 3]
    } else {
        guide.forced(1.0 - nothing, [part, 1.0])
    };
    if uniforms[0] >= forced[trace.manner()] {
        trace.take(nothing, forced.map(|forced| 1.0 - forced));
        return None;
    }
    let manners = guide.manners(&trace.failures);
    let chosen = chances.field.choose(manners[trace.manner()], [uniforms[1], uniforms[2]]);
    let hazard = &chances.hazards[chosen];
    let repair = hazard.repair.map_or(secs, Law::mean);
    let haste = guide.haste(trace.failures.len(), repair / secs);
    let quantile = if trace.manner() == 2 { haste.quantile(uniforms[3]) } else { uniforms[3] };
    let when = hazard.when(quantile, secs);
    let [natural, balanced, taught] = std::array::from_fn(|manner| {
        forced[manner] * chances.field.probability(manners[manner], chosen)
    });
    let truth = chances.field.chance(chosen) * chances.survive(when, Some(chosen));
    trace.take(truth, [natural, balanced, taught * haste.density(quantile)]);
    trace.failures.push(chances.field.class(chosen));
    Some((chosen, when))
}

/// What a forced path is for: a column, and the measure whose loss ends the forcing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) column: usize,
    pub(super) watched: Measure,
}

/// A path on which failures are forced, until a measure is down for good; what was seen of that
/// measure in the far layer, weighted. `trace` is the path until now, and knows its weight then.
pub(super) fn forced<'p>(
    ideal: &mut Ideal<'p>,
    target: Target,
    (guide, trace): (&Guide, &mut Trace),
    (key, end): (Key, Time),
    chances: &mut Chances<'p>,
) -> Seen {
    let Target { column, watched } = target;
    let mut seen = Seen::default();
    let mut struck = false;
    for decision in 0..u64::from(INSTANTS_MAX) {
        trace.lengthened(ideal.lengthened());
        let weight = trace.weight();
        if ideal.is_quiet() || ideal.now() >= end || weight <= 0.0 {
            break;
        }
        let (next, last) = ideal.put_right();
        let (next, ends_here) = (next.min(end), next.is_never());
        if ends_here || struck && ideal.lacks(watched) {
            ideal.let_go();
            let base = if struck { 0 } else { ideal.strikes() };
            let mut layers = Layers::default();
            natural(ideal, end, ideal.levels(), base, &mut layers);
            seen.add(column, &layers.far, weight);
            break;
        }
        let secs = next.saturating_since(ideal.now()).as_secs_f64();
        chances.by_span(ideal, secs);
        let mut draw = key.draw(DECISIONS, 0, decision);
        let uniforms = [draw.uniform(), draw.uniform(), draw.uniform(), draw.uniform()];
        let whole = last.saturating_since(ideal.now()).as_secs_f64();
        let part = if whole > 0.0 { (secs / whole).min(1.0) } else { 1.0 };
        let failure = choose(chances, (guide, trace), (secs, part), uniforms);
        let until = failure.map_or(next, |(_, when)| {
            let after = Duration::from_secs_f64(when).unwrap_or(Duration::ZERO);
            (ideal.now() + after).min(next)
        });
        let mut here = Seen::default();
        wait(ideal, until, struck.then_some(&mut here));
        let before = ideal.levels();
        match failure {
            Some((chosen, _)) => {
                ideal.strike_by(&chances.hazards[chosen], until);
                struck = true;
            }
            None if until < end => ideal.step(),
            None => {
                seen.add(column, &here, trace.weight());
                break;
            }
        }
        if struck {
            here.change(before, ideal.levels());
        }
        seen.add(column, &here, trace.weight());
    }
    seen
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

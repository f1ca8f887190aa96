//! One trial along the chain of jumps, where nothing has memory: the same incidents and layers as by
//! the clocks of the plan, with each stay at its mean and failures balanced against repairs (balanced
//! failure biasing on regenerative cycles; Shahabuddin 1994).
//!
//! Absent on purpose: what a state is, and sums over trials.

use super::chain::{Chain, State, Way};
use super::field::Manner;
use super::guide::{Guide, Trace};
use super::path::{Layers, QUIET, Target};
use super::seen::Seen;
use super::trial::{CHOICES, Course, INCIDENTS_MAX, KEYS, Row};
use crate::kernel::stream::{Draw, Key};

/// Most jumps of one incident.
const JUMPS_MAX: u32 = 200_000;

struct Walk<'a, 'p> {
    course: &'a Course<'p>,
    chain: &'a mut Chain<'p>,
    key: Key,
    trace: Trace,
    row: Row,
}

/// A trial of whole cycles.
pub(super) fn trial<'p>(course: &Course<'p>, chain: &mut Chain<'p>, key: Key) -> Row {
    chain.tidy();
    let mut walk = Walk { course, chain, key, trace: Trace::new(), row: course.row() };
    walk.cycles();
    walk.row
}

impl Walk<'_, '_> {
    fn cycles(&mut self) {
        let mut at = 0;
        loop {
            let incident = self.row.incidents;
            let mut draw = self.key.draw(CHOICES, 0, incident);
            self.plain_path(at, &mut draw);
            for (number, target) in (1..).zip(&self.course.targets) {
                let mut draw = self.key.draw(KEYS, number, incident);
                let share = self.course.share(target);
                for _ in 0..Course::paths(share, &mut draw) {
                    self.forced_path(at, *target, share, &mut draw);
                }
            }
            let state = self.chain.state(at);
            let way = Way::Failure(state.field.natural(draw.uniform()));
            let mut span = 1.0 / state.failing;
            let first = self.chain.follow(at, way);
            let mut layers = Layers::default();
            at = self.natural(first, QUIET, true, &mut layers, &mut span, &mut draw);
            self.row.span += span;
            self.row.incidents += 1;
            self.row.endless |= layers.endless || self.row.incidents >= INCIDENTS_MAX;
            let whole = self.chain.state(at).quiet == self.chain.state(0).quiet;
            if self.row.endless || whole && self.row.incidents >= self.course.incidents() {
                return;
            }
        }
    }

    /// A path by the rates of the plan, but for its first failure: all classes get their share.
    fn plain_path(&mut self, at: usize, draw: &mut Draw) {
        let field = &self.chain.state(at).field;
        let chosen = field.choose(Manner::Balanced, [draw.uniform(), draw.uniform()]);
        let weight =
            field.chance(chosen) / field.whole() / field.probability(Manner::Balanced, chosen);
        let first = self.chain.follow(at, Way::Failure(chosen));
        let mut layers = Layers::default();
        self.natural(first, QUIET, false, &mut layers, &mut 0.0, draw);
        self.row.layers(&self.course.searches, &layers, weight);
    }

    /// Goes on by the rates of the plan until all is quiet; where that is. `far`: whether another
    /// failure has come already.
    fn natural(
        &mut self,
        mut at: usize,
        mut levels: u8,
        mut far: bool,
        layers: &mut Layers,
        span: &mut f64,
        draw: &mut Draw,
    ) -> usize {
        for _ in 0..JUMPS_MAX {
            let state = self.chain.state(at);
            let layer = if far { &mut layers.far } else { &mut layers.near };
            layer.change(levels, state.view.levels);
            levels = state.view.levels;
            if state.quiet.is_some() {
                return at;
            }
            let rate = state.failing + state.ending;
            layer.stay_so(&state.view, 1.0 / rate);
            *span += 1.0 / rate;
            let way = if draw.uniform() * rate < state.failing {
                far = true;
                Way::Failure(state.field.natural(draw.uniform()))
            } else {
                Way::Ending(by_rate(state.endings.iter().map(|j| j.rate), draw))
            };
            at = self.chain.follow(at, way);
        }
        layers.endless = true;
        at
    }

    /// A path on which failures are forced, until the measure is down for good.
    fn forced_path(&mut self, at: usize, target: Target, share: f64, draw: &mut Draw) {
        let Target { column, watched } = target;
        let (guide, trace) = (&self.course.guides[column], &mut self.trace);
        trace.begin(guide, draw.uniform());
        let way = fail(self.chain.state(at), (guide, trace), 1.0, [1.0; 3], draw);
        let (mut seen, mut struck) = (Seen::default(), false);
        let mut at = self.chain.follow(at, way);
        for _ in 0..JUMPS_MAX {
            let (state, weight) = (self.chain.state(at), self.trace.weight());
            if state.quiet.is_some() {
                break;
            }
            if state.endings.is_empty() || struck && state.lacks(watched) {
                let mut layers = Layers::default();
                self.natural(at, state.view.levels, struck, &mut layers, &mut 0.0, draw);
                seen.add(column, &layers.far, weight);
                break;
            }
            let rate = state.failing + state.ending;
            if struck {
                let mut here = Seen::default();
                here.stay_of(column, &state.view, 1.0 / rate);
                seen.add(column, &here, weight);
            }
            let natural = state.failing / rate;
            let forced = guide.forced(natural, [state.part; 2]);
            let forced = if natural > 0.0 { forced } else { [0.0; 3] };
            let trace = &mut self.trace;
            let way = if draw.uniform() < forced[trace.manner()] {
                struck = true;
                fail(state, (guide, trace), natural, forced, draw)
            } else {
                trace.take(1.0 - natural, forced.map(|forced| 1.0 - forced));
                Way::Ending(by_rate(state.endings.iter().map(|j| j.rate), draw))
            };
            let before = state.view.levels;
            at = self.chain.follow(at, way);
            if struck {
                let mut here = Seen::default();
                here.change(before, self.chain.state(at).view.levels);
                seen.add(column, &here, self.trace.weight());
            }
        }
        self.row.forced(column, &seen, share, &self.trace);
    }
}

/// A failure comes next: truly with this probability, and with these by both ways.
fn fail(
    state: &State,
    (guide, trace): (&Guide, &mut Trace),
    truth: f64,
    forced: [f64; 3],
    draw: &mut Draw,
) -> Way {
    let (field, manners) = (&state.field, guide.manners(&trace.failures));
    let uniforms = [draw.uniform(), draw.uniform()];
    let chosen = field.choose(manners[trace.manner()], uniforms);
    let by =
        std::array::from_fn(|manner| forced[manner] * field.probability(manners[manner], chosen));
    trace.take(truth * field.chance(chosen) / field.whole(), by);
    trace.failures.push(field.class(chosen));
    Way::Failure(chosen)
}

/// The one on whose part of the whole a number falls that is drawn.
fn by_rate(rates: impl Iterator<Item = f64> + Clone, draw: &mut Draw) -> usize {
    let whole: f64 = rates.clone().sum();
    let mut left = draw.uniform() * whole;
    let mut last = 0;
    for (at, rate) in rates.enumerate() {
        left -= rate;
        last = at;
        if left < 0.0 {
            break;
        }
    }
    last
}

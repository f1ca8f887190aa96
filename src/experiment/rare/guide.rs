//! How forced paths choose what fails, when, and for how long: four ways, and the weight of a path by all
//! of them.
//!
//! By the first way everything fails as it does. By the second failures are balanced: a failure comes
//! before the last repair under way ends with probability 0.8, and all classes of things get their share
//! (balanced failure biasing: Shahabuddin 1994). The third does the same, but draws repairs by their length,
//! since the probability that something else fails during one is proportional to it. By the fourth the path
//! follows what the first look has taught of its column: at each failure, a class is as probable as its
//! share of all that was found there, after the same class (the cross-entropy method: Rubinstein 1999; for
//! failures, Ridder 2005); it comes before the next repair ends with probability 0.95; and it comes the
//! sooner, the more failures must follow while what is down stays down. Repairs are drawn by their length
//! there, too.
//!
//! Each path goes one of the ways by lot, and its weight is its true probability over that of the mixture
//! (defensive importance sampling: Hesterberg 1995). So no path weighs more than about twenty, the inverse of
//! the first way's share; what the look did not see weighs at most one over the other ways' shares as
//! much as without any lesson, and no repair that is long or short more than one over the share of the
//! way that draws it so.
//!
//! Absent on purpose: the paths.

use super::field::{Manner, pick};
use super::haste::Haste;
use super::seen::COLUMNS;
use crate::plan::Plan;
use std::sync::Arc;

/// The logarithm of how seldom no failure is forced before the last repair under way ends, by balance:
/// 0.2.
const LN_UNFORCED: f64 = -1.609_437_912_434_100_3;

/// The same before the next one ends, by a lesson: 0.05.
const LN_UNTAUGHT: f64 = -2.995_732_273_553_991;

/// The shares of paths that go each way: where nothing has been taught, and where something has.
const UNTAUGHT: [f64; WAYS] = [0.05, 0.45, 0.5, 0.0];
const TAUGHT: [f64; WAYS] = [0.05, 0.1, 0.15, 0.7];

/// How many ways there are.
const WAYS: usize = 4;

/// Failures that are told apart by how many came before; all later ones are one.
const DEPTHS: usize = 4;

/// A lesson needs the paths of the first look to tell as much as so many of equal weight.
const TAUGHT_ENOUGH: f64 = 20.0;

/// What can fail alike in a plan, in one order.
#[derive(Clone, Debug)]
pub(super) struct Classes<'p>(Arc<[&'p str]>);

impl<'p> Classes<'p> {
    pub(super) fn of(plan: &'p Plan) -> Self {
        let laws = &plan.reliability;
        let parts = laws.parts.iter().flat_map(|part| {
            let others = part.modes.iter().skip(1).map(|mode| mode.cause.as_str());
            std::iter::once(part.class).chain(others)
        });
        let shocks = laws.shocks.iter().map(|shock| shock.cause.as_str());
        let mut all: Vec<&str> = parts.chain(shocks).chain(std::iter::once("outages")).collect();
        all.sort_unstable();
        all.dedup();
        Self(all.into())
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// The number of a class.
    pub(super) fn number(&self, class: &str) -> usize {
        self.0.binary_search(&class).unwrap_or(0)
    }
}

/// What paths of the first look found of a column, by the classes of their failures.
#[derive(Clone, Debug, Default)]
pub(super) struct Lesson {
    classes: usize,
    /// For how many failures there were before, for the class of the last of them (the last place:
    /// none), and for each class of the next: what was found.
    found: Vec<f64>,
    sum: f64,
    squares: f64,
    /// What was found, times the number of failures.
    failures: f64,
}

impl Lesson {
    pub(super) fn new(classes: usize) -> Self {
        let found = vec![0.0; DEPTHS * (classes + 1) * classes];
        Self { classes, found, ..Self::default() }
    }

    /// Takes what a path found, with the classes of its failures.
    pub(super) fn take(&mut self, failures: &[usize], found: f64) {
        self.sum += found;
        self.squares += found * found;
        self.failures += found * failures.len() as f64;
        for (depth, class) in failures.iter().enumerate() {
            let row = self.row_at(&failures[..depth]);
            self.found[row + class] += found;
        }
    }

    pub(super) fn absorb(&mut self, more: &Self) {
        self.sum += more.sum;
        self.squares += more.squares;
        self.failures += more.failures;
        for (own, other) in self.found.iter_mut().zip(&more.found) {
            *own += other;
        }
    }

    fn row_at(&self, before: &[usize]) -> usize {
        let depth = before.len().min(DEPTHS - 1);
        let last = before.last().copied().unwrap_or(self.classes);
        (depth * (self.classes + 1) + last) * self.classes
    }

    /// What was found with each class as the next failure after these.
    fn row(&self, before: &[usize]) -> &[f64] {
        let at = self.row_at(before);
        &self.found[at..at + self.classes]
    }

    /// Whether it can be trusted.
    pub(super) fn is_enough(&self) -> bool {
        self.sum > 0.0 && self.sum * self.sum >= TAUGHT_ENOUGH * self.squares
    }

    /// How many failures there are, where something is found.
    fn depth(&self) -> f64 {
        self.failures / self.sum
    }
}

/// Lessons of all columns.
pub(super) type Lessons = [Lesson; COLUMNS];

/// The way to choose the failures of a column.
#[derive(Clone, Debug)]
pub(super) struct Guide {
    lesson: Option<Lesson>,
    shares: [f64; WAYS],
}

impl Guide {
    pub(super) fn untaught() -> Self {
        Self { lesson: None, shares: UNTAUGHT }
    }

    pub(super) fn of(lesson: &Lesson) -> Self {
        if !lesson.is_enough() {
            return Self::untaught();
        }
        Self { lesson: Some(lesson.clone()), shares: TAUGHT }
    }

    /// How the next failure is chosen, by each manner.
    pub(super) fn manners(&self, before: &[usize]) -> [Manner<'_>; 3] {
        let row = self.lesson.as_ref().map(|lesson| lesson.row(before));
        [Manner::Natural, Manner::Balanced, row.map_or(Manner::Balanced, Manner::Taught)]
    }

    /// With which probability a failure is forced, by each manner: that by nature, or more, in such parts
    /// of the time in which balance and a lesson would force it.
    pub(super) fn forced(&self, nature: f64, parts: [f64; 2]) -> [f64; 3] {
        let balanced = (1.0 - libm::exp(parts[0] * LN_UNFORCED)).max(nature);
        let taught = || (1.0 - libm::exp(parts[1] * LN_UNTAUGHT)).max(nature);
        [nature, balanced, if self.lesson.is_some() { taught() } else { balanced }]
    }

    /// How much sooner a failure comes by the lesson, after so many.
    pub(super) fn haste(&self, before: usize, scale: f64) -> Haste {
        let more = |lesson: &Lesson| (lesson.depth() - before as f64).clamp(0.0, HASTE_MAX);
        Haste::new(self.lesson.as_ref().map_or(0.0, more), scale)
    }
}

/// Beyond so many failures to come, haste gains nothing.
const HASTE_MAX: f64 = 8.0;

/// A path so far: which way it goes, and how probable it is by each, over its true probability.
#[derive(Clone, Debug)]
pub(super) struct Trace {
    way: usize,
    shares: [f64; WAYS],
    odds: [f64; WAYS],
    /// The classes of its failures.
    pub(super) failures: Vec<usize>,
}

impl Trace {
    pub(super) fn new() -> Self {
        let (shares, odds) = (UNTAUGHT, [1.0; WAYS]);
        Self { way: 0, shares, odds, failures: Vec::with_capacity(16) }
    }

    /// Begins anew, by the way that a uniform number says.
    pub(super) fn begin(&mut self, guide: &Guide, uniform: f64) {
        self.way = pick(guide.shares.into_iter(), uniform);
        (self.shares, self.odds) = (guide.shares, [1.0; WAYS]);
        self.failures.clear();
    }

    /// Whether its repairs are drawn by their length.
    pub(super) fn lengthens(&self) -> bool {
        self.way > 1
    }

    /// The number of its manner: by nature, balanced, taught.
    pub(super) fn manner(&self) -> usize {
        [0, 1, 1, 2][self.way]
    }

    /// Something happened that has this true probability, and those by each manner.
    pub(super) fn take(&mut self, truth: f64, by: [f64; 3]) {
        let [natural, balanced, taught] = by.map(|probability| probability / truth);
        for (odds, more) in self.odds.iter_mut().zip([natural, balanced, balanced, taught]) {
            *odds *= more;
        }
    }

    /// Repairs are so much more probable where they are drawn by their length.
    pub(super) fn lengthened(&mut self, ratio: f64) {
        self.odds[2] *= ratio;
        self.odds[3] *= ratio;
    }

    /// Its true probability over that by which it came about; 0 if it cannot come.
    pub(super) fn weight(&self) -> f64 {
        let parts = self.shares.iter().zip(self.odds).filter(|(share, _)| **share > 0.0);
        let odds: f64 = parts.map(|(share, odds)| share * odds).sum();
        if odds.is_finite() { 1.0 / odds } else { 0.0 }
    }
}

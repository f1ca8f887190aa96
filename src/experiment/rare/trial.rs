//! One trial: incidents one after the other, each followed on the paths that its study asks for.
//!
//! Where all clocks of failure are without memory, an incident begins from everything up, which is
//! all that counts of the past but who holds what: a trial is a number of whole cycles, and the time
//! between incidents is known without being drawn. Elsewhere a trial is a number of years, by the
//! clocks of the plan, and forced paths branch off where an incident begins, with the ages of that
//! moment.

use super::path::{self, Chances, Layers, QUIET, Target};
use super::seen::{COLUMNS, REQUESTS, Seen};
use crate::kernel::stream::{Draw, Key, StreamName};
use crate::kernel::time::{Duration, Time};
use crate::plan::Plan;
use crate::reliability::ideal::{Ideal, Kinds, Measure};

/// Incidents of a trial of whole cycles, at least.
pub(super) const INCIDENTS: u64 = 32;

/// Incidents after which a trial ends though its cycle does not.
const INCIDENTS_MAX: u64 = 10_000;

const CHOICES: StreamName = StreamName::of("reliability/rare/first");
const KEYS: StreamName = StreamName::of("reliability/rare/path");

/// How incidents follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The long run, from cycles that end where they began.
    Cycles,
    /// This many years from everything up and new.
    Years(u64),
}

/// How the far layer of each measure is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// By the clocks of the plan.
    Plain,
    /// On paths on which failures are forced.
    Forced,
}

/// One column of a trial.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Column {
    /// Squares of what each path gave, and the greatest of them: seconds.
    pub(super) squares: f64,
    pub(super) greatest: f64,
    /// Paths that gave anything.
    pub(super) paths: u64,
    /// What the far layer gave, with its squares and paths, by each way to search.
    pub(super) far: [(f64, f64, u64); 2],
    /// The weights of forced paths, and their squares.
    pub(super) weights: (f64, f64, u64),
}

/// A trial.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    /// Seconds that it stands for.
    pub(super) span: f64,
    pub(super) seen: Seen,
    pub(super) columns: [Column; COLUMNS],
    pub(super) incidents: u64,
    /// Whether an incident or a cycle did not end.
    pub(super) endless: bool,
}

/// What trials of a study share.
pub(super) struct Course<'p> {
    pub(super) basis: Basis,
    /// How each measure's far layer is looked for; both ways for a trial that finds out.
    pub(super) searches: [Vec<Search>; COLUMNS],
    targets: Vec<Target>,
    fresh: Ideal<'p>,
    kinds: Kinds,
}

/// The columns that are worth paths of their own.
fn targets(ideal: &Ideal) -> Vec<Target> {
    let twins = ideal.twins();
    let own = |measure: &Measure| twins[*measure as usize] == Some(*measure);
    let measures = Measure::ALL.into_iter().filter(own);
    let targets = measures.map(|measure| Target { column: measure as usize, watched: measure });
    let requests = Target { column: REQUESTS, watched: Measure::ApiReadCached };
    targets.chain(ideal.has_rotation().then_some(requests)).collect()
}

struct Walk<'a, 'p> {
    course: &'a Course<'p>,
    key: Key,
    paths: u64,
    chances: Chances<'p>,
    row: Row,
}

impl<'p> Course<'p> {
    pub(super) fn new(plan: &'p Plan, basis: Basis, searches: [Vec<Search>; COLUMNS]) -> Self {
        let mut fresh = Ideal::new(plan, Key::new(0, 0));
        fresh.remember_nothing();
        let targets = targets(&fresh);
        let forced = |target: &Target| searches[target.column].contains(&Search::Forced);
        let targets = targets.into_iter().filter(forced).collect();
        Self { basis, searches, targets, fresh, kinds: Kinds::of(plan) }
    }

    /// Whether a column is looked for on forced paths, if its search says so.
    pub(super) fn can_force(&self, column: usize) -> bool {
        self.targets.iter().any(|target| target.column == column)
    }

    pub(super) fn trial(&self, key: Key) -> Row {
        let (chances, row) = (Chances::new(), Row::default());
        let mut walk = Walk { course: self, key, paths: 0, chances, row };
        match self.basis {
            Basis::Cycles => walk.cycles(),
            Basis::Years(years) => walk.years(Time::START + Duration::from_hours(8_760 * years)),
        }
        walk.row
    }
}

impl<'p> Walk<'_, 'p> {
    fn cycles(&mut self) {
        let mut ideal = self.course.fresh.clone();
        ideal.reset(self.key);
        ideal.hold();
        let start = ideal.pattern(&self.course.kinds);
        loop {
            let rate = self.chances.by_rate(&ideal);
            let mut draw = self.key.draw(CHOICES, 0, self.row.incidents);
            self.plain_path(&ideal, &mut draw);
            for target in &self.course.targets {
                self.chances.by_rate(&ideal);
                let (chosen, chance) = self.chances.balanced(draw.uniform(), draw.uniform());
                let weight = self.chances.weight(chosen, chance);
                let mut branch = self.branch(&ideal);
                branch.strike_by(&self.chances.hazards[chosen], ideal.now());
                self.forced_path(&mut branch, *target, weight, Time::NEVER);
            }
            self.chances.by_rate(&ideal);
            let chosen = self.chances.natural(draw.uniform());
            let began = ideal.now();
            ideal.strike_by(&self.chances.hazards[chosen], began);
            ideal.let_go();
            let mut layers = Layers::default();
            let ended = path::natural(&mut ideal, Time::NEVER, QUIET, u64::MAX, &mut layers);
            ideal.hold();
            self.row.span += 1.0 / rate + ended.since(began).as_secs_f64();
            self.row.incidents += 1;
            self.row.endless |= layers.endless || self.row.incidents >= INCIDENTS_MAX;
            let whole = ideal.pattern(&self.course.kinds) == start;
            if self.row.endless || whole && self.row.incidents >= INCIDENTS {
                return;
            }
        }
    }

    /// A path by the clocks of the plan, but for its first failure: all classes get their share.
    fn plain_path(&mut self, ideal: &Ideal<'p>, draw: &mut Draw) {
        let (chosen, chance) = self.chances.balanced(draw.uniform(), draw.uniform());
        let weight = self.chances.weight(chosen, chance);
        let mut branch = self.branch(ideal);
        branch.strike_by(&self.chances.hazards[chosen], ideal.now());
        branch.let_go();
        let base = branch.strikes();
        let mut layers = Layers::default();
        path::natural(&mut branch, Time::NEVER, QUIET, base, &mut layers);
        self.layers(&layers, weight);
    }

    fn years(&mut self, end: Time) {
        let mut ideal = self.course.fresh.clone();
        ideal.reset(self.key);
        self.row.span = end.saturating_since(Time::START).as_secs_f64();
        while ideal.next() < end {
            ideal.step();
            if ideal.is_quiet() {
                continue;
            }
            for target in &self.course.targets {
                let mut branch = self.branch(&ideal);
                self.forced_path(&mut branch, *target, 1.0, end);
            }
            let mut layers = Layers::default();
            let base = ideal.strikes();
            path::natural(&mut ideal, end, QUIET, base, &mut layers);
            self.layers(&layers, 1.0);
            self.row.incidents += 1;
            self.row.endless |= layers.endless;
            if layers.endless {
                return;
            }
        }
    }

    /// A copy with randomness of its own.
    fn branch(&mut self, ideal: &Ideal<'p>) -> Ideal<'p> {
        let mut branch = ideal.clone();
        let mut draw = self.key.draw(KEYS, 0, self.paths);
        self.paths += 1;
        branch.rekey(Key::new(draw.bits(), draw.bits()));
        branch
    }

    fn layers(&mut self, layers: &Layers, weight: f64) {
        self.row.endless |= layers.endless;
        for column in 0..COLUMNS {
            let searches = &self.course.searches[column];
            let plain = searches.contains(&Search::Plain);
            let far = if plain { weight * layers.far.down[column] } else { 0.0 };
            self.row.seen.add(column, &layers.near, weight);
            if plain && searches.len() < 2 {
                self.row.seen.add(column, &layers.far, weight);
            }
            self.row.columns[column].found(weight * layers.near.down[column] + far);
            self.row.columns[column].far(Search::Plain, far);
        }
    }

    fn forced_path(&mut self, branch: &mut Ideal<'p>, target: Target, first: f64, end: Time) {
        let column = target.column;
        let key = Key::new(self.key.draw(KEYS, 1, self.paths).bits(), self.paths);
        let (seen, weight) = path::forced(branch, target, key, end, &mut self.chances);
        self.row.seen.add(column, &seen, first);
        let into = &mut self.row.columns[column];
        into.found(first * seen.down[column]);
        into.far(Search::Forced, first * seen.down[column]);
        let weight = first * weight;
        into.weights.0 += weight;
        into.weights.1 += weight * weight;
        into.weights.2 += 1;
    }
}

impl Column {
    fn found(&mut self, secs: f64) {
        self.squares += secs * secs;
        self.greatest = self.greatest.max(secs);
        self.paths += u64::from(secs > 0.0);
    }

    fn far(&mut self, search: Search, secs: f64) {
        let (sum, squares, paths) = &mut self.far[search as usize];
        *sum += secs;
        *squares += secs * secs;
        *paths += u64::from(secs > 0.0);
    }

    pub(super) fn absorb(&mut self, more: &Column) {
        self.squares += more.squares;
        self.greatest = self.greatest.max(more.greatest);
        self.paths += more.paths;
        for (own, other) in self.far.iter_mut().zip(more.far) {
            *own = (own.0 + other.0, own.1 + other.1, own.2 + other.2);
        }
        let (sum, squares, count) = self.weights;
        self.weights = (sum + more.weights.0, squares + more.weights.1, count + more.weights.2);
    }
}

//! One trial: incidents one after the other, each followed on the paths that its study asks for.
//!
//! Where all clocks of failure are without memory, an incident begins from everything up, which is
//! all that counts of the past but who holds what: a trial is a number of whole cycles, and the time
//! between incidents is known without being drawn. Elsewhere a trial is a number of years, by the
//! clocks of the plan, and forced paths branch off where an incident begins, with the ages of that
//! moment.

use super::chain::Chain;
use super::jumps;
use super::path::{self, Chances, Layers, QUIET, Target};
use super::seen::{COLUMNS, REQUESTS, Seen};
use crate::kernel::stream::{Draw, Key, StreamName};
use crate::kernel::time::{Duration, Time};
use crate::plan::Plan;
use crate::reliability::ideal::{Ideal, Kinds, Measure, forgets};
use std::sync::Mutex;

/// Incidents of a trial of whole cycles, at least.
pub(super) const INCIDENTS: u64 = 32;

/// Incidents after which a trial ends though its cycle does not.
pub(super) const INCIDENTS_MAX: u64 = 10_000;

/// Paths of an incident for the measure that counts, and for each of the others.
const MAIN: f64 = 4.0;
const BESIDE: f64 = 0.125;

pub(super) const CHOICES: StreamName = StreamName::of("reliability/rare/first");
pub(super) const KEYS: StreamName = StreamName::of("reliability/rare/path");

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
    pub(super) targets: Vec<Target>,
    /// The column that counts, if others may be looked for less.
    pub(super) focus: Option<usize>,
    fresh: Ideal<'p>,
    kinds: Kinds,
    /// Chains that no trial uses at the moment, where nothing has memory.
    chains: Option<Mutex<Vec<Chain<'p>>>>,
    /// What is followed, and what branches off it: no trial uses them at the moment.
    spares: Mutex<Vec<[Ideal<'p>; 2]>>,
    plan: &'p Plan,
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

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few paths")]
fn whole(share: f64) -> u32 {
    share as u32
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
        let jumps = basis == Basis::Cycles && forgets(plan);
        let chains = jumps.then(|| Mutex::new(Vec::new()));
        Self {
            basis,
            searches,
            targets,
            focus: None,
            fresh,
            kinds: Kinds::of(plan),
            chains,
            spares: Mutex::default(),
            plan,
        }
    }

    /// How many paths a target gets for each incident: one; where one target counts, several for that
    /// one, and for the others a path now and then.
    pub(super) fn share(&self, target: &Target) -> f64 {
        match self.focus {
            None => 1.0,
            Some(focus) if focus == target.column => MAIN,
            Some(_) => BESIDE,
        }
    }

    /// How many of them now.
    pub(super) fn paths(share: f64, draw: &mut Draw) -> u32 {
        if share < 1.0 { u32::from(draw.uniform() < share) } else { whole(share) }
    }

    /// Whether a column is looked for on forced paths, if its search says so.
    pub(super) fn can_force(&self, column: usize) -> bool {
        self.targets.iter().any(|target| target.column == column)
    }

    pub(super) fn trial(&self, key: Key) -> Row {
        if let Some(chains) = &self.chains {
            let idle = chains.lock().ok().and_then(|mut chains| chains.pop());
            let mut chain = idle.unwrap_or_else(|| Chain::new(self.plan, &self.fresh));
            let row = jumps::trial(self, &mut chain, key);
            if let Ok(mut chains) = chains.lock() {
                chains.push(chain);
            }
            return row;
        }
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
        let spare = self.course.spares.lock().ok().and_then(|mut spares| spares.pop());
        let new = || std::array::from_fn(|_| Ideal::new(self.course.plan, self.key));
        let mut pair = spare.unwrap_or_else(new);
        self.cycles_of(&mut pair);
        if let Ok(mut spares) = self.course.spares.lock() {
            spares.push(pair);
        }
    }

    fn cycles_of(&mut self, [ideal, branch]: &mut [Ideal<'p>; 2]) {
        ideal.reset(self.key);
        ideal.hold();
        let start = ideal.pattern(&self.course.kinds);
        loop {
            let rate = self.chances.by_rate(ideal);
            let mut draw = self.key.draw(CHOICES, 0, self.row.incidents);
            self.stand_in(branch, ideal);
            self.plain_path(branch, &mut draw);
            for target in &self.course.targets {
                let share = self.course.share(target);
                for _ in 0..Course::paths(share, &mut draw) {
                    self.chances.by_rate(ideal);
                    let (chosen, chance) = self.chances.balanced(draw.uniform(), draw.uniform());
                    let weight = self.chances.weight(chosen, chance);
                    self.stand_in(branch, ideal);
                    branch.strike_by(&self.chances.hazards[chosen], Time::START);
                    self.forced_path(branch, *target, weight, share, Time::NEVER);
                }
            }
            self.chances.by_rate(ideal);
            let chosen = self.chances.natural(draw.uniform());
            let began = ideal.now();
            ideal.strike_by(&self.chances.hazards[chosen], began);
            ideal.let_go();
            let mut layers = Layers::default();
            let ended = path::natural(ideal, Time::NEVER, QUIET, u64::MAX, &mut layers);
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
    fn plain_path(&mut self, branch: &mut Ideal<'p>, draw: &mut Draw) {
        let (chosen, chance) = self.chances.balanced(draw.uniform(), draw.uniform());
        let weight = self.chances.weight(chosen, chance);
        branch.strike_by(&self.chances.hazards[chosen], Time::START);
        branch.let_go();
        let base = branch.strikes();
        let mut layers = Layers::default();
        path::natural(branch, Time::NEVER, QUIET, base, &mut layers);
        self.row.layers(&self.course.searches, &layers, weight);
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
                self.forced_path(&mut branch, *target, 1.0, 1.0, end);
            }
            let mut layers = Layers::default();
            let base = ideal.strikes();
            path::natural(&mut ideal, end, QUIET, base, &mut layers);
            self.row.layers(&self.course.searches, &layers, 1.0);
            self.row.incidents += 1;
            self.row.endless |= layers.endless;
            if layers.endless {
                return;
            }
        }
    }

    /// Randomness of its own for the next path.
    fn path_key(&mut self) -> Key {
        let mut draw = self.key.draw(KEYS, 0, self.paths);
        self.paths += 1;
        Key::new(draw.bits(), draw.bits())
    }

    /// A copy with randomness of its own.
    fn branch(&mut self, ideal: &Ideal<'p>) -> Ideal<'p> {
        let mut branch = ideal.clone();
        branch.rekey(self.path_key());
        branch
    }

    /// The same from a state in which all is quiet, where no clock of failure has memory.
    fn stand_in(&mut self, branch: &mut Ideal<'p>, quiet: &Ideal<'p>) {
        branch.stand_in(quiet, self.path_key());
    }

    fn forced_path(
        &mut self,
        branch: &mut Ideal<'p>,
        target: Target,
        first: f64,
        share: f64,
        end: Time,
    ) {
        let key = Key::new(self.key.draw(KEYS, 1, self.paths).bits(), self.paths);
        let (seen, weight) = path::forced(branch, target, key, end, &mut self.chances);
        self.row.forced(target.column, &seen, (first, share), weight);
    }
}

impl Row {
    /// A path by the clocks of the plan, with its weight.
    pub(super) fn layers(
        &mut self,
        searches: &[Vec<Search>; COLUMNS],
        layers: &Layers,
        weight: f64,
    ) {
        self.endless |= layers.endless;
        for (column, searches) in searches.iter().enumerate() {
            let plain = searches.contains(&Search::Plain);
            let far = if plain { weight * layers.far.down[column] } else { 0.0 };
            self.seen.add(column, &layers.near, weight);
            if plain && searches.len() < 2 {
                self.seen.add(column, &layers.far, weight);
            }
            self.columns[column].found(weight * layers.near.down[column] + far);
            self.columns[column].far(Search::Plain, far);
        }
    }

    /// A forced path: the weight of its first failure with the share of incidents that have such a
    /// path, and the weight of all others.
    pub(super) fn forced(
        &mut self,
        column: usize,
        seen: &Seen,
        (first, share): (f64, f64),
        weight: f64,
    ) {
        self.seen.add(column, seen, first / share);
        let into = &mut self.columns[column];
        into.found(first / share * seen.down[column]);
        into.far(Search::Forced, first / share * seen.down[column]);
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

//! One trial: incidents one after the other, each followed on the paths that its study asks for.
//!
//! Where all clocks of failure are without memory, an incident begins from everything up, which is
//! all that counts of the past but who holds what: a trial is a number of whole cycles, and the time
//! between incidents is known without being drawn. Elsewhere a trial is a number of years, by the
//! clocks of the plan, and forced paths branch off where an incident begins, with the ages of that
//! moment.

use super::chain::Chain;
use super::field::Manner;
use super::guide::{Classes, Guide, Lesson, Trace};
use super::jumps;
use super::look::Look;
use super::path::{self, Chances, Layers, QUIET, Target};
use super::seen::{COLUMNS, REQUESTS, Seen};
use crate::kernel::stream::{Draw, Key, StreamName};
use crate::kernel::time::{Duration, Time};
use crate::plan::Plan;
use crate::reliability::ideal::{Ideal, Kinds, Measure, forgets};
use std::sync::Mutex;

/// Incidents of a trial of whole cycles, at least; where one measure counts.
const INCIDENTS: u64 = 32;
const INCIDENTS_OF_ONE: u64 = 2;

/// Incidents after which a trial ends though its cycle does not.
pub(super) const INCIDENTS_MAX: u64 = 10_000;

/// Paths of an incident for the measure that counts, at most, and for each of the others.
pub(super) const MAIN: f64 = 16.0;
const BESIDE: f64 = 0.5;

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
    /// What the near layer gave, with its squares and paths.
    pub(super) near: (f64, f64, u64),
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
    /// What forced paths found of each column, in a trial that finds out.
    pub(super) lessons: Option<Box<[Lesson; COLUMNS]>>,
}

/// What trials of a study share.
pub(super) struct Course<'p> {
    pub(super) basis: Basis,
    /// How each measure's far layer is looked for; both ways for a trial that finds out.
    pub(super) searches: [Vec<Search>; COLUMNS],
    pub(super) targets: Vec<Target>,
    /// The column that counts, if others may be looked for less.
    pub(super) focus: Option<usize>,
    /// Paths of each incident for that column.
    pub(super) main: f64,
    /// How failures are chosen for each; none yet for a trial that finds out.
    pub(super) guides: [Guide; COLUMNS],
    teaches: bool,
    classes: Classes<'p>,
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
    /// What can begin an incident, and what can fail within it.
    first: Chances<'p>,
    chances: Chances<'p>,
    trace: Trace,
    row: Row,
}

impl<'p> Course<'p> {
    /// A course whose trials find out how to look.
    pub(super) fn finding_out(plan: &'p Plan, basis: Basis, focus: Option<usize>) -> Self {
        let mut fresh = Ideal::new(plan, Key::new(0, 0));
        fresh.remember_nothing();
        let jumps = basis == Basis::Cycles && forgets(plan);
        let chains = jumps.then(|| Mutex::new(Vec::new()));
        Self {
            basis,
            searches: std::array::from_fn(|_| vec![Search::Plain, Search::Forced]),
            targets: targets(&fresh),
            focus,
            main: 1.0,
            guides: std::array::from_fn(|_| Guide::untaught()),
            teaches: true,
            classes: Classes::of(plan),
            fresh,
            kinds: Kinds::of(plan),
            chains,
            spares: Mutex::default(),
            plan,
        }
    }

    /// From now on looks as it has been found out.
    pub(super) fn follow(&mut self, look: Look) {
        self.searches = look.searches.map(|search| vec![search]);
        let searches = &self.searches;
        self.targets.retain(|target| searches[target.column].contains(&Search::Forced));
        (self.guides, self.main, self.teaches) = (look.guides, look.main, false);
    }

    /// How many paths a target gets for each incident: one; where one target counts, several for that
    /// one, and for the others a path now and then.
    pub(super) fn share(&self, target: &Target) -> f64 {
        match self.focus {
            None => 1.0,
            Some(focus) if focus == target.column => self.main,
            Some(_) => BESIDE,
        }
    }

    /// Incidents of a trial of whole cycles, at least.
    pub(super) fn incidents(&self) -> u64 {
        if self.focus.is_some() && !self.teaches { INCIDENTS_OF_ONE } else { INCIDENTS }
    }

    /// What a trial begins with.
    pub(super) fn row(&self) -> Row {
        let lessons = || Box::new(std::array::from_fn(|_| Lesson::new(self.classes.count())));
        Row { lessons: self.teaches.then(lessons), ..Row::default() }
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
        let [first, chances] = std::array::from_fn(|_| Chances::new(self.classes.clone()));
        let (trace, row) = (Trace::new(), self.row());
        let mut walk = Walk { course: self, key, paths: 0, first, chances, trace, row };
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
            let rate = self.first.by_rate(ideal);
            let mut draw = self.key.draw(CHOICES, 0, self.row.incidents);
            self.stand_in(branch, ideal);
            self.plain_path(branch, &mut draw);
            for target in &self.course.targets {
                let share = self.course.share(target);
                for _ in 0..Course::paths(share, &mut draw) {
                    let guide = &self.course.guides[target.column];
                    self.trace.begin(guide, draw.uniform());
                    let uniforms = [draw.uniform(), draw.uniform()];
                    let chosen = self.first.first(guide, &mut self.trace, uniforms);
                    self.stand_in(branch, ideal);
                    branch.lengthen(self.trace.lengthens());
                    branch.strike_by(&self.first.hazards[chosen], Time::START);
                    self.forced_path(branch, *target, share, Time::NEVER);
                }
            }
            let chosen = self.first.field.natural(draw.uniform());
            let began = ideal.now();
            ideal.strike_by(&self.first.hazards[chosen], began);
            ideal.let_go();
            let mut layers = Layers::default();
            let ended = path::natural(ideal, Time::NEVER, QUIET, u64::MAX, &mut layers);
            ideal.hold();
            self.row.span += 1.0 / rate + ended.since(began).as_secs_f64();
            self.row.incidents += 1;
            self.row.endless |= layers.endless || self.row.incidents >= INCIDENTS_MAX;
            let whole = ideal.pattern(&self.course.kinds) == start;
            if self.row.endless || whole && self.row.incidents >= self.course.incidents() {
                return;
            }
        }
    }

    /// A path by the clocks of the plan, but for its first failure: all classes get their share.
    fn plain_path(&mut self, branch: &mut Ideal<'p>, draw: &mut Draw) {
        let (field, uniforms) = (&self.first.field, [draw.uniform(), draw.uniform()]);
        let chosen = field.choose(Manner::Balanced, uniforms);
        let weight =
            field.chance(chosen) / field.whole() / field.probability(Manner::Balanced, chosen);
        branch.strike_by(&self.first.hazards[chosen], Time::START);
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
                let mut draw = self.key.draw(CHOICES, 1, self.paths);
                self.trace.begin(&self.course.guides[target.column], draw.uniform());
                branch.hold();
                branch.lengthen(self.trace.lengthens());
                self.forced_path(&mut branch, *target, 1.0, end);
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

    fn forced_path(&mut self, branch: &mut Ideal<'p>, target: Target, share: f64, end: Time) {
        let key = Key::new(self.key.draw(KEYS, 1, self.paths).bits(), self.paths);
        let guide = (&self.course.guides[target.column], &mut self.trace);
        let seen = path::forced(branch, target, guide, (key, end), &mut self.chances);
        self.row.forced(target.column, &seen, share, &self.trace);
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
            let near = weight * layers.near.down[column];
            self.columns[column].found(near + far);
            add(&mut self.columns[column].near, near);
            add(&mut self.columns[column].far[Search::Plain as usize], far);
        }
    }

    /// A forced path, with the share of incidents that have such a path.
    pub(super) fn forced(&mut self, column: usize, seen: &Seen, share: f64, trace: &Trace) {
        let found = seen.down[column];
        self.seen.add(column, seen, 1.0 / share);
        let into = &mut self.columns[column];
        into.found(found / share);
        add(&mut into.far[Search::Forced as usize], found / share);
        let weight = trace.weight();
        let (sum, squares, count) = into.weights;
        into.weights = (sum + weight, squares + weight * weight, count + 1);
        if let Some(lessons) = &mut self.lessons {
            lessons[column].take(&trace.failures, found);
        }
    }
}

impl Column {
    fn found(&mut self, secs: f64) {
        self.squares += secs * secs;
        self.greatest = self.greatest.max(secs);
        self.paths += u64::from(secs > 0.0);
    }

    pub(super) fn absorb(&mut self, more: &Column) {
        self.squares += more.squares;
        self.greatest = self.greatest.max(more.greatest);
        self.paths += more.paths;
        let own = self.far.iter_mut().chain([&mut self.near, &mut self.weights]);
        for (own, other) in own.zip(more.far.into_iter().chain([more.near, more.weights])) {
            *own = (own.0 + other.0, own.1 + other.1, own.2 + other.2);
        }
    }
}

/// Adds a value to a sum, with its square; counts it if it is anything.
fn add((sum, squares, count): &mut (f64, f64, u64), value: f64) {
    *sum += value;
    *squares += value * value;
    *count += u64::from(value > 0.0);
}

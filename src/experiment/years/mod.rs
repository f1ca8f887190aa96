//! Availability over the years: many trials of the failure process, with laws in place of protocols
//! or a world for each incident.
//!
//! Sums are whole numbers (nanoseconds, counts), so that the result is the same in any order, and
//! memory does not grow with trials. Every trial begins with everything up and new.

pub mod incident;
mod laws;
mod ledger;
mod precision;
pub mod protocols;
pub mod replay;
mod rows;

pub use laws::trial;
pub use ledger::{BINS, MEASURES, Spell, Total, Totals, WORST, YearRow, micro_square};
pub use precision::YearPrecision;
pub use rows::blocks_with_rows;

use super::study::{About, Kind, Study};
use super::trials::{self, Block, Guide, NoThreads, Sampling};
use crate::kernel::stream::Key;
use crate::kernel::time::Duration;
use crate::measure::statistics::mean::student_quantile;
use crate::plan::Plan;
use crate::reliability::alternating::Alternating;
use crate::reliability::ideal::{Ideal, Measure};
use std::ops::ControlFlow;
use std::sync::Mutex;

/// Hours of a year.
pub const HOURS_PER_YEAR: f64 = 8_760.0;

/// Longest time that one trial may take: time is counted in 64 bits of nanoseconds.
pub const YEARS_MAX: u64 = 500;

/// Why a plan cannot be studied over years.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOverYears {
    /// Nothing in it ever fails.
    #[error(
        "nothing in this scenario fails by itself: give it a `reliability` section, such as \
         `\"reliability\": {{\"preset\": \"textbook\"}}`"
    )]
    NothingFails,
}

/// An estimate with its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The mean over trials.
    pub mean: f64,
    /// The standard error of the mean.
    pub error: f64,
    /// Trials that it comes from.
    pub trials: u64,
}

impl Estimate {
    /// Of a sum and a sum of squares over trials.
    pub fn of(trials: u64, sum: f64, squares: f64) -> Self {
        let n = trials as f64;
        let mean = sum / n;
        let variance = if trials > 1 { (squares - sum * mean).max(0.0) / (n - 1.0) } else { 0.0 };
        Self { mean, error: (variance / n).sqrt(), trials }
    }

    /// Half the width of the interval at this confidence, by Student's law; none of a single trial.
    pub fn reach(&self, confidence: f64) -> Option<f64> {
        (self.trials > 1)
            .then(|| student_quantile((self.trials - 1) as f64, confidence) * self.error)
    }
}

/// A study over years.
pub type YearStudy = Study<Totals>;

/// So many years.
pub fn span_of(years: u64) -> Duration {
    Duration::from_hours(8_760 * years)
}

/// Whether a plan can be studied over years.
///
/// # Errors
///
/// What stands in the way.
pub fn check(plan: &Plan) -> Result<(), NotOverYears> {
    if plan.reliability.is_empty() {
        return Err(NotOverYears::NothingFails);
    }
    Ok(())
}

/// What a study of this plan over so many years with this seed is of.
pub fn about(plan: &Plan, seed: u64, years: u64) -> About {
    About { trials_are: Kind::Years, until: span_of(years), ..About::of(plan, seed) }
}

/// Runs trials of so many years, block by block.
///
/// # Errors
///
/// If the threads cannot be started.
pub fn blocks(
    plan: &Plan,
    sampling: &Sampling,
    years: u64,
    guide: &dyn Guide,
    sink: impl FnMut(Block<Totals>) -> ControlFlow<()> + Send,
) -> Result<(), NoThreads> {
    let trials = Trials::of(plan, span_of(years));
    let run = |number| trials.row(Key::new(sampling.seed, number));
    trials::blocks(sampling, run, guide, sink)
}

/// Trials of a plan, each of the same length.
#[derive(Debug)]
pub struct Trials<'p> {
    plan: &'p Plan,
    span: Duration,
    /// Where no world plays the protocols.
    fresh: Option<Failures<'p>>,
    /// A trial borrows nothing from an earlier one but memory: that of its thread.
    places: Vec<Place<'p>>,
}

/// How many threads have memory of their own; others take new memory for each trial.
const PLACES: usize = 64;

/// The memory of one thread, on cache lines of its own: threads that share one wait for each other.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Place<'p>(Mutex<Option<Failures<'p>>>);

/// Failures without protocols: the plain kind, which is faster, where a plan is of that kind.
#[derive(Clone, Debug)]
enum Failures<'p> {
    Alternating(Box<Alternating<'p>>),
    Any(Box<Ideal<'p>>),
}

impl<'p> Failures<'p> {
    fn of(plan: &'p Plan) -> Self {
        match Alternating::of(plan) {
            Some(alternating) => Self::Alternating(Box::new(alternating)),
            None => Self::Any(Box::new(Ideal::new(plan, Key::new(0, 0)))),
        }
    }

    fn trial(&mut self, key: Key, span: Duration) -> YearRow {
        match self {
            Self::Alternating(alternating) => trial(&mut **alternating, key, span),
            Self::Any(ideal) => trial(&mut **ideal, key, span),
        }
    }
}

impl<'p> Trials<'p> {
    /// Those of a plan that [`check`] found fit.
    pub fn of(plan: &'p Plan, span: Duration) -> Self {
        let fresh = (!plan.timings.are_played()).then(|| Failures::of(plan));
        Self {
            plan,
            span,
            fresh,
            places: std::iter::repeat_with(Place::default).take(PLACES).collect(),
        }
    }

    /// One of them.
    pub fn row(&self, key: Key) -> YearRow {
        let Some(fresh) = &self.fresh else { return protocols::trial(self.plan, key, self.span) };
        let thread = rayon::current_thread_index().unwrap_or(0);
        let mut place = self.places[thread % PLACES].0.try_lock();
        match &mut place {
            Ok(used) => used.get_or_insert_with(|| fresh.clone()).trial(key, self.span),
            Err(_) => fresh.clone().trial(key, self.span),
        }
    }
}

impl YearStudy {
    /// Runs the trials of a plan, each of so many years.
    ///
    /// # Errors
    ///
    /// If the threads cannot be started.
    pub fn of(
        plan: &Plan,
        sampling: Sampling,
        years: u64,
        guide: &dyn Guide,
    ) -> Result<YearStudy, NoThreads> {
        let mut study = Study::empty(about(plan, sampling.seed, years), sampling.first);
        blocks(plan, &sampling, years, guide, |block| {
            study.add(block);
            ControlFlow::Continue(())
        })?;
        Ok(study)
    }

    /// Years that each trial lasts.
    pub fn years(&self) -> u64 {
        self.about.until.as_nanos() / span_of(1).as_nanos()
    }

    /// Whether a trial has incidents that can be played again: protocols ran in it.
    pub fn replayable(&self) -> bool {
        self.results.incidents > 0
    }

    /// Years simulated altogether.
    pub fn years_in_all(&self) -> f64 {
        (self.results.trials * self.years()) as f64
    }

    /// The share of time that a measure is down.
    pub fn unavailability(&self, measure: Measure) -> Estimate {
        let total = &self.results.measures[measure as usize];
        let span = self.about.until.as_nanos() as f64;
        let squares = total.down_squares as f64 * 1e6 / (span * span);
        Estimate::of(self.results.trials, total.down as f64 / span, squares)
    }

    /// The share of fresh requests that are not served, in outages and beside them; `None` for a
    /// measure that nobody asks for.
    pub fn unserved(&self, measure: Measure) -> Option<Estimate> {
        let (sum, squares) = self.results.measures[measure as usize].unserved;
        let span = self.about.until.as_nanos() as f64;
        let squares = squares as f64 * 1e6 / (span * span);
        let share = Estimate::of(self.results.trials, sum as f64 / span, squares);
        measure.is_asked().then_some(share)
    }

    /// The share of requests that meet an unhealthy server in the rotation, or an empty one.
    pub fn request_loss(&self) -> Estimate {
        let span = self.about.until.as_nanos() as f64;
        let squares = self.results.lost.1 as f64 * 1e6 / (span * span);
        Estimate::of(self.results.trials, self.results.lost.0 as f64 / span, squares)
    }

    /// How often a measure goes down in a year.
    pub fn outages_per_year(&self, measure: Measure) -> f64 {
        self.results.measures[measure as usize].outages as f64 / self.years_in_all()
    }
}

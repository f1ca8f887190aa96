//! Availability over the years: many trials of the failure process, with laws in place of protocols.
//!
//! Sums are whole numbers (nanoseconds, counts), so that the result is the same in any order, and
//! memory does not grow with trials. Every trial begins with everything up and new.
//!
//! Absent on purpose: plans whose protocols run by their own timers.

use super::trials::{self, Failure, Fold, Folded, Guide, NoThreads, Sampling};
use crate::kernel::stream::Key;
use crate::kernel::time::{Duration, Time};
use crate::measure::statistics::mean::student_quantile;
use crate::plan::Plan;
use crate::plan::timings::Timing;
use crate::reliability::ideal::{Ideal, Measure, Reason};
use std::sync::Mutex;

/// Hours of a year.
pub const HOURS_PER_YEAR: f64 = 8_760.0;

/// Longest time that one trial may take: time is counted in 64 bits of nanoseconds.
pub const YEARS_MAX: u64 = 500;

const MEASURES: usize = Measure::ALL.len();
const REASONS: usize = Reason::ALL.len();

/// Outages shorter than each of these, in seconds, are counted apart; the last bin takes the rest.
pub const BINS: [u64; 7] = [1, 10, 60, 600, 3_600, 36_000, 360_000];

/// Why a plan cannot be studied over years.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOverYears {
    /// Nothing in it ever fails.
    #[error(
        "nothing in this scenario fails by itself: give it a `reliability` section, such as \
         `\"reliability\": {{\"preset\": \"textbook\"}}`"
    )]
    NothingFails,
    /// A protocol runs by its own timers.
    #[error(
        "the timing `{timing}` has no law: a study over years needs `timings: ideal`, or a law for each \
         timing under `timings`"
    )]
    Protocol {
        /// The first of them.
        timing: &'static str,
    },
}

/// One measure in one trial.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spell {
    /// How long it was down, in nanoseconds.
    pub down: u64,
    /// How often it went down.
    pub outages: u64,
    /// When it first went down, in nanoseconds.
    pub first: Option<u64>,
    /// The parts of the time down, by reason.
    pub reasons: [u64; REASONS],
    /// Outages by length, in the bins of [`BINS`].
    pub lengths: [u64; BINS.len() + 1],
}

/// One trial.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct YearRow {
    /// The measures, in the order of [`Measure::ALL`].
    pub measures: [Spell; MEASURES],
    /// Requests lost to unhealthy servers in the rotation, as nanoseconds of all requests.
    pub lost: u64,
    /// Instants at which something changed.
    pub events: u64,
    /// How long the trial was, in nanoseconds.
    pub span: u64,
}

/// One measure over all trials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// Nanoseconds down.
    pub down: u128,
    /// Sum of the squares of microseconds down.
    pub down_squares: u128,
    /// Outages.
    pub outages: u64,
    /// Trials in which it went down at all.
    pub trials_down: u64,
    /// Nanoseconds until it first went down; to the trial's end where it did not.
    pub until_first: u128,
    /// Nanoseconds down by reason.
    pub reasons: [u128; REASONS],
    /// Outages by length.
    pub lengths: [u64; BINS.len() + 1],
    /// The longest time down in a trial, with the trial's number.
    pub worst: (u64, u64),
}

/// All trials.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// How many.
    pub trials: u64,
    /// How long each was, in nanoseconds.
    pub span: u64,
    /// The measures.
    pub measures: [Total; MEASURES],
    /// Lost requests as nanoseconds of all, and the squares of microseconds.
    pub lost: (u128, u128),
    /// Instants at which something changed.
    pub events: u64,
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
    fn of(trials: u64, sum: f64, squares: f64) -> Self {
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
#[derive(Clone, Debug)]
pub struct YearStudy {
    /// The scenario's name.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// The first trial.
    pub first: u64,
    /// Years that each trial lasts.
    pub years: u64,
    /// What came.
    pub totals: Totals,
    /// Trials that panicked.
    pub failures: Vec<Failure>,
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
    let open = Timing::ALL.iter().find(|(timing, ..)| plan.timings.law(*timing).is_none());
    open.map_or(Ok(()), |(_, timing, _)| Err(NotOverYears::Protocol { timing }))
}

/// One trial of so many years.
pub fn trial(ideal: &mut Ideal, key: Key, span: Duration) -> YearRow {
    ideal.reset(key);
    let mut row = YearRow { span: span.as_nanos(), ..YearRow::default() };
    let mut began = [None::<u64>; MEASURES];
    let (mut at, end) = (0, span.as_nanos());
    let mut levels = ideal.levels();
    loop {
        let next = ideal.next().nanos().min(end);
        for (index, measure) in Measure::ALL.into_iter().enumerate() {
            if levels >> index & 1 == 0 {
                row.measures[index].reasons[ideal.reason(measure) as usize] += next - at;
            }
        }
        row.lost += lost(ideal.share_served(), next - at);
        at = next;
        if at >= end {
            break;
        }
        ideal.step();
        row.events += 1;
        let now = ideal.levels();
        for (index, (spell, began)) in row.measures.iter_mut().zip(&mut began).enumerate() {
            let (was, is) = (levels >> index & 1 == 1, now >> index & 1 == 1);
            match (was, is) {
                (true, false) => {
                    spell.outages += 1;
                    spell.first.get_or_insert(at);
                    *began = Some(at);
                }
                (false, true) => spell.end(began.take(), at),
                _ => {}
            }
        }
        levels = now;
    }
    for (spell, began) in row.measures.iter_mut().zip(began) {
        spell.end(began, end);
    }
    row
}

/// Nanoseconds' worth of requests that are lost at this share.
fn lost(share: f64, span: u64) -> u64 {
    if share >= 1.0 {
        return 0;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most the span")]
    let lost = ((1.0 - share) * span as f64).round() as u64;
    lost
}

impl Spell {
    fn end(&mut self, began: Option<u64>, at: u64) {
        let Some(began) = began else { return };
        let length = at - began;
        self.down += length;
        let bin = BINS.iter().position(|edge| length < edge * 1_000_000_000);
        self.lengths[bin.unwrap_or(BINS.len())] += 1;
    }
}

impl Fold<YearRow> for Totals {
    fn add(&mut self, trial: u64, row: YearRow) {
        self.trials += 1;
        self.events += row.events;
        self.lost.0 += u128::from(row.lost);
        self.lost.1 += micro_square(row.lost);
        for (total, spell) in self.measures.iter_mut().zip(row.measures) {
            total.down += u128::from(spell.down);
            total.down_squares += micro_square(spell.down);
            total.outages += spell.outages;
            total.trials_down += u64::from(spell.first.is_some());
            total.until_first += u128::from(spell.first.unwrap_or(row.span));
            for (sum, part) in total.reasons.iter_mut().zip(spell.reasons) {
                *sum += u128::from(part);
            }
            for (sum, part) in total.lengths.iter_mut().zip(spell.lengths) {
                *sum += part;
            }
            if spell.down > total.worst.0 {
                total.worst = (spell.down, trial);
            }
        }
    }

    fn absorb(&mut self, later: Self) {
        self.trials += later.trials;
        self.events += later.events;
        self.lost.0 += later.lost.0;
        self.lost.1 += later.lost.1;
        for (total, more) in self.measures.iter_mut().zip(later.measures) {
            total.down += more.down;
            total.down_squares += more.down_squares;
            total.outages += more.outages;
            total.trials_down += more.trials_down;
            total.until_first += more.until_first;
            for (sum, part) in total.reasons.iter_mut().zip(more.reasons) {
                *sum += part;
            }
            for (sum, part) in total.lengths.iter_mut().zip(more.lengths) {
                *sum += part;
            }
            if more.worst.0 > total.worst.0 {
                total.worst = more.worst;
            }
        }
    }
}

/// Squares of nanoseconds of centuries would not fit; those of microseconds do, for 10⁹ trials.
fn micro_square(nanos: u64) -> u128 {
    let micros = u128::from(nanos / 1_000);
    micros * micros
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
        let span = Duration::from_hours(8_760 * years);
        let fresh = Ideal::new(plan, Key::new(sampling.seed, 0));
        // A trial borrows nothing from an earlier one but memory.
        let idle: Mutex<Vec<Ideal>> = Mutex::new(Vec::new());
        let run = |number| {
            let used = idle.lock().ok().and_then(|mut idle| idle.pop());
            let mut ideal = used.unwrap_or_else(|| fresh.clone());
            let row = trial(&mut ideal, Key::new(sampling.seed, number), span);
            if let Ok(mut idle) = idle.lock() {
                idle.push(ideal);
            }
            row
        };
        let folded: Folded<Totals> = trials::fold(&sampling, run, guide)?;
        let mut totals = folded.total;
        totals.span = span.as_nanos();
        Ok(YearStudy {
            scenario: plan.name.clone(),
            seed: sampling.seed,
            first: sampling.first,
            years,
            totals,
            failures: folded.failures,
        })
    }

    /// Years simulated altogether.
    pub fn years_in_all(&self) -> f64 {
        (self.totals.trials * self.years) as f64
    }

    /// The share of time that a measure is down.
    pub fn unavailability(&self, measure: Measure) -> Estimate {
        let total = &self.totals.measures[measure as usize];
        let span = self.totals.span as f64;
        let squares = total.down_squares as f64 * 1e6 / (span * span);
        Estimate::of(self.totals.trials, total.down as f64 / span, squares)
    }

    /// The share of requests that meet an unhealthy server in the rotation, or an empty one.
    pub fn request_loss(&self) -> Estimate {
        let span = self.totals.span as f64;
        let squares = self.totals.lost.1 as f64 * 1e6 / (span * span);
        Estimate::of(self.totals.trials, self.totals.lost.0 as f64 / span, squares)
    }

    /// How often a measure goes down in a year.
    pub fn outages_per_year(&self, measure: Measure) -> f64 {
        self.totals.measures[measure as usize].outages as f64 / self.years_in_all()
    }
}

/// The instant as a plain number.
trait Nanos {
    fn nanos(self) -> u64;
}

impl Nanos for Time {
    fn nanos(self) -> u64 {
        self.saturating_since(Time::START).as_nanos()
    }
}

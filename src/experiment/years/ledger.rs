//! What trials of years add up: time down, outages, their reasons and lengths, in whole numbers.
//!
//! Absent on purpose: how a trial comes about, means and intervals.

use crate::experiment::slice::Kept;
use crate::experiment::trials::{Block, Failure, Fold, Join};
use crate::reliability::ideal::{Measure, Reason};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// How many measures there are.
pub const MEASURES: usize = Measure::ALL.len();

/// How many reasons there are.
pub(super) const REASONS: usize = Reason::ALL.len();

/// How many of the worst trials are remembered.
pub const WORST: usize = 3;

/// Outages shorter than each of these, in seconds, are counted apart; the last bin takes the rest.
pub const BINS: [u64; 7] = [1, 10, 60, 600, 3_600, 36_000, 360_000];

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
    /// Fresh requests that were not served, in outages and beside them, as nanoseconds of all.
    pub unserved: u64,
}

/// One trial.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct YearRow {
    /// The measures, in the order of [`Measure::ALL`].
    pub measures: [Spell; MEASURES],
    /// Requests lost to unhealthy servers in the rotation, as nanoseconds of all requests.
    pub lost: u64,
    /// Instants at which something changed, of those that were looked at.
    pub events: u64,
    /// Incidents: times in which something was not as it should be, together with what followed.
    pub incidents: u64,
    /// Steps of the worlds in which they were played.
    pub steps: u64,
    /// How long the trial was, in nanoseconds.
    pub span: u64,
}

/// One measure over all trials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Fresh requests that were not served, as nanoseconds of all, and the squares of microseconds.
    pub unserved: (u128, u128),
    /// The longest times down in a trial, with the trials' numbers, the longest first.
    pub worst: [(u64, u64); WORST],
}

/// All trials.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// How many.
    pub trials: u64,
    /// How long each was, in nanoseconds.
    pub span: u64,
    /// The measures.
    pub measures: [Total; MEASURES],
    /// Lost requests as nanoseconds of all, and the squares of microseconds.
    pub lost: (u128, u128),
    /// Instants at which something changed, of those that were looked at.
    pub events: u64,
    /// Incidents.
    pub incidents: u64,
    /// Steps of the worlds in which they were played.
    pub steps: u64,
}

impl Spell {
    /// An outage is over, or the trial is.
    pub(super) fn end(&mut self, began: Option<u64>, at: u64) {
        let Some(began) = began else { return };
        let length = at - began;
        self.down += length;
        self.unserved += length;
        let bin = BINS.iter().position(|edge| length < edge * 1_000_000_000);
        self.lengths[bin.unwrap_or(BINS.len())] += 1;
    }
}

impl Fold<YearRow> for Totals {
    const QUICK: bool = true;

    fn add(&mut self, trial: u64, row: YearRow) {
        self.trials += 1;
        self.events += row.events;
        self.incidents += row.incidents;
        self.steps += row.steps;
        self.span = row.span;
        self.lost.0 += u128::from(row.lost);
        self.lost.1 += micro_square(row.lost);
        for (total, spell) in self.measures.iter_mut().zip(&row.measures) {
            if spell.first.is_none() && spell.unserved == 0 {
                total.until_first += u128::from(row.span);
                continue;
            }
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
            total.unserved.0 += u128::from(spell.unserved);
            total.unserved.1 += micro_square(spell.unserved);
            total.rank((spell.down, trial));
        }
    }
}

impl Join for Totals {
    fn absorb(&mut self, later: Self) {
        self.trials += later.trials;
        self.events += later.events;
        self.incidents += later.incidents;
        self.steps += later.steps;
        self.span = self.span.max(later.span);
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
            total.unserved.0 += more.unserved.0;
            total.unserved.1 += more.unserved.1;
            more.worst.into_iter().for_each(|trial| total.rank(trial));
        }
    }
}

/// Sums of trials do not depend on how the trials were cut, and take no more room for more of them.
impl Kept for Totals {
    type Line = Totals;

    const SUMS: bool = true;

    fn line(&self) -> Totals {
        self.clone()
    }

    fn of_line(line: Totals, trials: &Range<u64>, failures: &[Failure]) -> Result<Self, String> {
        let all = trials.end - trials.start;
        if line.trials + failures.len() as u64 == all {
            return Ok(line);
        }
        Err(format!("not the trials {} to {}", trials.start, trials.end))
    }

    fn cut(block: Block<Self>, end: u64) -> Option<Block<Self>> {
        (block.trials.end <= end).then_some(block)
    }
}

impl Total {
    /// Takes a trial among the worst if it is one of them; of equal ones the first stays.
    fn rank(&mut self, trial: (u64, u64)) {
        let place = self.worst.iter().position(|(down, _)| trial.0 > *down);
        if let Some(place) = place {
            self.worst[place..].rotate_right(1);
            self.worst[place] = trial;
        }
    }
}

/// Squares of nanoseconds of centuries would not fit; those of microseconds do, for 10⁹ trials.
pub fn micro_square(nanos: u64) -> u128 {
    let micros = u128::from(nanos / 1_000);
    micros * micros
}

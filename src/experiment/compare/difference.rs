//! Paired differences and what they show.

use super::CONFIDENCE;
use crate::experiment::years::Estimate;
use crate::measure::failover::Unit;

/// Fewest trials that differ for an interval by Student's law, and so for a verdict.
const DIFFERING_MIN: u64 = 10;

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// The time that a service is down, in minutes a year.
    DownAYear,
    /// Fresh requests that are not served, in minutes' worth of all requests a year.
    UnservedAYear,
    /// The time that a service is down, in milliseconds a run.
    DownARun,
    /// A metric that both have, in milliseconds or counts.
    Metric(Unit),
}

/// One row of a comparison: another side against the first.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The service or the metric.
    pub name: &'static str,
    /// What of it.
    pub of: Of,
    /// Which side is compared with side 0.
    pub side: usize,
    /// The mean of side 0 over these pairs.
    pub first: f64,
    /// The mean of the other.
    pub other: f64,
    /// The mean of "other − first" over the pairs, with its error.
    pub mean: Estimate,
    /// Pairs that differ at all.
    pub differing: u64,
    /// Trials in which only the first, or only the other, had it.
    pub alone: (u64, u64),
    /// The confidence of this row's interval, so that all of the comparison hold together.
    pub confidence: f64,
}

/// What a difference shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// No trial differs.
    Same,
    /// Too few trials differ to tell.
    TooFew,
    /// The interval holds zero.
    NotShown,
    /// The other has less, by this much at most and at least around the mean.
    Less,
    /// The other has more.
    More,
}

impl Difference {
    /// Half the width of the interval; `None` where there is none.
    pub fn reach(&self) -> Option<f64> {
        let enough = self.differing >= DIFFERING_MIN;
        self.mean.reach(self.confidence).filter(|_| enough)
    }

    /// What it shows.
    pub fn verdict(&self) -> Verdict {
        match self.reach() {
            _ if self.differing == 0 => Verdict::Same,
            None => Verdict::TooFew,
            Some(reach) if self.mean.mean.abs() <= reach => Verdict::NotShown,
            Some(_) if self.mean.mean < 0.0 => Verdict::Less,
            Some(_) => Verdict::More,
        }
    }
}

/// Gives each row that may show something its part of the error that all may make together
/// (Bonferroni's inequality).
pub(super) fn share_the_error(rows: &mut [Difference]) {
    let tested = rows.iter().filter(|row| row.differing >= DIFFERING_MIN).count().max(1);
    for row in rows {
        row.confidence = 1.0 - (1.0 - CONFIDENCE) / tested as f64;
    }
}

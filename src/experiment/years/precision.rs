//! When a study over years may stop: as soon as the share of time down of a measure is known to a
//! relative error.

use super::{Estimate, Totals};
use crate::experiment::monte_carlo::CONFIDENCE;
use crate::experiment::precision::{Looks, Rule};
use crate::experiment::trials::{Block, Join};
use crate::reliability::ideal::Measure;

/// Fewest trials with an outage for a mean that is nearly normal.
const DOWN_MIN: u64 = 30;

/// A share of time down that is wanted to a relative error.
#[derive(Clone, Debug)]
pub struct YearPrecision {
    measure: Measure,
    relative_error: f64,
    seen: Totals,
    count: u64,
    looks: Looks,
}

impl YearPrecision {
    /// Of a measure, to a relative error (half the width of its 95 % interval over the share).
    pub fn new(measure: Measure, relative_error: f64) -> Self {
        let (seen, looks) = (Totals::default(), Looks::default());
        Self { measure, relative_error, seen, count: 0, looks }
    }
}

impl Rule<Totals> for YearPrecision {
    fn reached(&mut self, block: &Block<Totals>) -> bool {
        self.seen.absorb(block.folded.total.clone());
        self.count += block.trials.end - block.trials.start;
        self.looks.due(self.count, block)
            && self.relative_error_now().is_some_and(|error| error <= self.relative_error)
    }

    fn relative_error_now(&self) -> Option<f64> {
        let total = &self.seen.measures[self.measure as usize];
        if total.trials_down < DOWN_MIN {
            return None;
        }
        let (sum, squares) = (total.down as f64 / 1e3, total.down_squares as f64);
        let down = Estimate::of(self.seen.trials, sum, squares);
        Some(down.reach(CONFIDENCE)? / down.mean)
    }
}

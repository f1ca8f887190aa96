//! When a study of rare outages may stop: as soon as the share of time down of a measure is known to
//! a relative error, by an interval that the study can support.

use super::estimate::Totals;
use crate::experiment::monte_carlo::CONFIDENCE;
use crate::experiment::precision::{Looks, Rule};
use crate::experiment::trials::{Block, Join};

/// A share of time down that is wanted to a relative error.
#[derive(Clone, Debug)]
pub(super) struct RarePrecision {
    column: usize,
    relative_error: f64,
    seen: Totals,
    looks: Looks,
}

impl RarePrecision {
    pub(super) fn new(column: usize, relative_error: f64) -> Self {
        let (seen, looks) = (Totals::default(), Looks::default());
        Self { column, relative_error, seen, looks }
    }
}

impl Rule<Totals> for RarePrecision {
    fn reached(&mut self, block: &Block<Totals>) -> bool {
        self.seen.absorb(block.folded.total.clone());
        self.looks.due(self.seen.trials, block)
            && self.relative_error_now().is_some_and(|error| error <= self.relative_error)
    }

    fn relative_error_now(&self) -> Option<f64> {
        let share = self.seen.column(self.column);
        if share.refusal.is_some() {
            return None;
        }
        Some(share.down.reach(CONFIDENCE)? / share.down.mean)
    }
}

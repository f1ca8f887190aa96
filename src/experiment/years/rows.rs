//! Trials of years one by one beside their sums, for whoever writes each of them down.
//!
//! Absent on purpose: files; and keeping them, since their number has no bound.

use super::{Totals, Trials, YearRow, span_of};
use crate::experiment::trials::{self, Block, Fold, Folded, Guide, Join, NoThreads, Sampling};
use crate::kernel::stream::Key;
use crate::plan::Plan;
use std::ops::ControlFlow;

/// The trials of a block, and their sums.
#[derive(Default)]
struct Rows {
    totals: Totals,
    rows: Vec<(u64, YearRow)>,
}

impl Join for Rows {
    fn absorb(&mut self, later: Self) {
        self.totals.absorb(later.totals);
        self.rows.extend(later.rows);
    }
}

impl Fold<YearRow> for Rows {
    const QUICK: bool = true;

    fn add(&mut self, trial: u64, row: YearRow) {
        self.totals.add(trial, row);
        self.rows.push((trial, row));
    }
}

/// Runs trials of so many years, block by block; `sink` gets each block's sums with its trials, in
/// order, and they are gone after that.
///
/// # Errors
///
/// If the threads cannot be started.
pub fn blocks_with_rows(
    plan: &Plan,
    sampling: &Sampling,
    years: u64,
    guide: &dyn Guide,
    mut sink: impl FnMut(Block<Totals>, &[(u64, YearRow)]) -> ControlFlow<()> + Send,
) -> Result<(), NoThreads> {
    let each = Trials::of(plan, span_of(years));
    let run = |number| each.row(Key::new(sampling.seed, number));
    trials::blocks(sampling, run, guide, |block: Block<Rows>| {
        let Block { trials, folded: Folded { total, failures } } = block;
        sink(Block { trials, folded: Folded { total: total.totals, failures } }, &total.rows)
    })
}

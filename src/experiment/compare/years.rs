//! Paired trials of years: the sums of each side, and those of the differences.

use super::difference::share_the_error;
use super::{Compared, Difference, Of, YearComparison};
use crate::experiment::slice::Kept;
use crate::experiment::trials::{Block, Failure, Fold, Join};
use crate::experiment::years::{
    Estimate, MEASURES, Total, Totals, YearRow, YearStudy, micro_square,
};
use crate::reliability::ideal::Measure;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Minutes of a year.
const MINUTES_PER_YEAR: f64 = 8_760.0 * 60.0;

/// Sums of "another side − the first" for one measure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Nanoseconds down.
    pub down: i128,
    /// Squares of microseconds down.
    pub down_squares: u128,
    /// Trials in which it was not the same.
    pub differing: u64,
    /// Requests not served, as nanoseconds of all.
    pub unserved: i128,
    /// Squares of microseconds of them.
    pub unserved_squares: u128,
    /// Trials in which these were not the same.
    pub unserved_differing: u64,
}

/// What paired trials have collected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct YearPairs {
    /// The sums of each side.
    pub sides: Vec<Totals>,
    /// For each side but the first its differences from the first.
    pub gaps: Vec<[Gap; MEASURES]>,
}

impl Gap {
    fn add(&mut self, down: (u64, u64), unserved: (u64, u64)) {
        let between = |(first, other): (u64, u64)| i128::from(other) - i128::from(first);
        self.down += between(down);
        self.down_squares += micro_square(down.0.abs_diff(down.1));
        self.differing += u64::from(down.0 != down.1);
        self.unserved += between(unserved);
        self.unserved_squares += micro_square(unserved.0.abs_diff(unserved.1));
        self.unserved_differing += u64::from(unserved.0 != unserved.1);
    }

    fn absorb(&mut self, more: &Gap) {
        self.down += more.down;
        self.down_squares += more.down_squares;
        self.differing += more.differing;
        self.unserved += more.unserved;
        self.unserved_squares += more.unserved_squares;
        self.unserved_differing += more.unserved_differing;
    }
}

impl YearPairs {
    fn widen(&mut self, sides: usize) {
        self.sides.resize_with(sides.max(self.sides.len()), Totals::default);
        self.gaps.resize(self.sides.len().saturating_sub(1), [Gap::default(); MEASURES]);
    }
}

impl Join for YearPairs {
    fn absorb(&mut self, later: Self) {
        self.widen(later.sides.len());
        for (side, more) in self.sides.iter_mut().zip(later.sides) {
            side.absorb(more);
        }
        for (gap, more) in self.gaps.iter_mut().flatten().zip(later.gaps.iter().flatten()) {
            gap.absorb(more);
        }
    }
}

impl Fold<Vec<YearRow>> for YearPairs {
    fn add(&mut self, trial: u64, rows: Vec<YearRow>) {
        self.widen(rows.len());
        let [first, others @ ..] = rows.as_slice() else { return };
        for (gaps, other) in self.gaps.iter_mut().zip(others) {
            let spells = first.measures.iter().zip(&other.measures);
            for (gap, (a, b)) in gaps.iter_mut().zip(spells) {
                gap.add((a.down, b.down), (a.unserved, b.unserved));
            }
        }
        for (side, row) in self.sides.iter_mut().zip(rows) {
            side.add(trial, row);
        }
    }
}

impl Kept for YearPairs {
    type Line = YearPairs;

    const SUMS: bool = true;

    fn line(&self) -> YearPairs {
        self.clone()
    }

    fn of_line(line: YearPairs, trials: &Range<u64>, failures: &[Failure]) -> Result<Self, String> {
        let all = trials.end - trials.start;
        let whole = |side: &Totals| side.trials + failures.len() as u64 == all;
        if line.sides.iter().all(whole) && line.gaps.len() + 1 == line.sides.len().max(1) {
            return Ok(line);
        }
        Err(format!("not the trials {} to {}", trials.start, trials.end))
    }

    fn cut(block: Block<Self>, end: u64) -> Option<Block<Self>> {
        (block.trials.end <= end).then_some(block)
    }
}

impl YearComparison {
    /// One side as a study of its own.
    pub fn side(&self, at: usize) -> Option<YearStudy> {
        let results = self.results.sides.get(at)?.clone();
        let name = self.about.sides.get(at)?.name.clone();
        let about = crate::experiment::study::About { scenario: name, ..self.about.clone() };
        let (trials, failures) = (self.trials.clone(), self.failures.clone());
        Some(YearStudy { about, trials, results, failures })
    }

    fn row(&self, side: usize, measure: Measure, of: Of) -> Option<Difference> {
        let at = measure as usize;
        let gap = &self.results.gaps.get(side - 1)?[at];
        let (sum, squares, differing) = match of {
            Of::UnservedAYear => (gap.unserved, gap.unserved_squares, gap.unserved_differing),
            _ => (gap.down, gap.down_squares, gap.differing),
        };
        let total = |side: usize| -> Option<f64> {
            let total: &Total = &self.results.sides.get(side)?.measures[at];
            let sum = if of == Of::UnservedAYear { total.unserved.0 } else { total.down };
            Some(sum as f64)
        };
        let trials = self.results.sides.first()?.trials;
        // A trial's nanoseconds as minutes a year.
        let scale = MINUTES_PER_YEAR / self.about.until.as_nanos() as f64;
        let mean = |sum: f64| sum * scale / trials as f64;
        let squares = squares as f64 * 1e6 * scale * scale;
        Some(Difference {
            name: measure.name(),
            of,
            side,
            first: mean(total(0)?),
            other: mean(total(side)?),
            mean: Estimate::of(trials, sum as f64 * scale, squares),
            differing,
            alone: (0, 0),
            confidence: super::CONFIDENCE,
        })
    }
}

impl Compared for YearComparison {
    fn differences(&self) -> Vec<Difference> {
        let mut rows = Vec::new();
        for of in [Of::DownAYear, Of::UnservedAYear] {
            for side in 1..self.results.sides.len() {
                let fits = |measure: &Measure| of == Of::DownAYear || measure.is_asked();
                let measures = Measure::ALL.into_iter().filter(fits);
                rows.extend(measures.filter_map(|measure| self.row(side, measure, of)));
            }
        }
        share_the_error(&mut rows);
        rows
    }
}

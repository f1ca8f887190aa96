//! What was seen of the measures on a path: how long each was down, how often it went down, and why.
//!
//! Absent on purpose: who goes along the path, and with which probability.

use crate::reliability::ideal::{Ideal, Measure, Reason};

/// Measures, and after them the requests that are lost.
pub(super) const COLUMNS: usize = Measure::ALL.len() + 1;

/// The column of lost requests.
pub(super) const REQUESTS: usize = Measure::ALL.len();

const REASONS: usize = Reason::ALL.len();

/// Everything up.
pub(super) const ALL_UP: u8 = u8::MAX;

/// Seconds and counts, weighted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Seen {
    /// Seconds down; of requests, seconds' worth of them.
    pub(super) down: [f64; COLUMNS],
    /// Outages.
    pub(super) outages: [f64; COLUMNS],
    /// Seconds down by reason.
    pub(super) reasons: [[f64; REASONS]; COLUMNS],
}

impl Seen {
    /// So many seconds as it is now.
    pub(super) fn stay(&mut self, ideal: &Ideal, levels: u8, secs: f64) {
        for (at, measure) in Measure::ALL.into_iter().enumerate() {
            if levels >> at & 1 == 0 {
                self.down[at] += secs;
                self.reasons[at][ideal.reason(measure) as usize] += secs;
            }
        }
        self.down[REQUESTS] += (1.0 - ideal.share_served()) * secs;
    }

    /// A change of what is up.
    pub(super) fn change(&mut self, before: u8, after: u8) {
        let fell = before & !after;
        for at in (0..REQUESTS).filter(|at| fell >> at & 1 == 1) {
            self.outages[at] += 1.0;
        }
    }

    /// Takes one column of what was seen elsewhere, with a weight.
    pub(super) fn add(&mut self, column: usize, other: &Seen, weight: f64) {
        self.down[column] += weight * other.down[column];
        self.outages[column] += weight * other.outages[column];
        for (sum, part) in self.reasons[column].iter_mut().zip(other.reasons[column]) {
            *sum += weight * part;
        }
    }
}

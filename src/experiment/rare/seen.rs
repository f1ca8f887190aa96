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

/// What is up, why the rest is not, and the share of requests that are lost.
#[derive(Clone, Copy, Debug)]
pub(super) struct View {
    pub(super) levels: u8,
    reasons: [Reason; REQUESTS],
    lost: f64,
}

impl View {
    pub(super) fn of(ideal: &Ideal, levels: u8) -> Self {
        let up = |measure: Measure| levels >> measure as usize & 1 == 1;
        let why = |measure| if up(measure) { Reason::ALL[0] } else { ideal.reason(measure) };
        Self { levels, reasons: Measure::ALL.map(why), lost: 1.0 - ideal.share_served() }
    }
}

impl Seen {
    /// So many seconds as it is now.
    pub(super) fn stay(&mut self, ideal: &Ideal, levels: u8, secs: f64) {
        self.stay_so(&View::of(ideal, levels), secs);
    }

    /// So many seconds of what is seen.
    pub(super) fn stay_so(&mut self, view: &View, secs: f64) {
        if view.levels != ALL_UP {
            for at in (0..REQUESTS).filter(|at| view.levels >> at & 1 == 0) {
                self.stay_of(at, view, secs);
            }
        }
        self.down[REQUESTS] += view.lost * secs;
    }

    /// The same of one column.
    pub(super) fn stay_of(&mut self, column: usize, view: &View, secs: f64) {
        if column == REQUESTS {
            self.down[REQUESTS] += view.lost * secs;
        } else if view.levels >> column & 1 == 0 {
            self.down[column] += secs;
            self.reasons[column][view.reasons[column] as usize] += secs;
        }
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

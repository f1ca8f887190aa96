//! Sums over trials, the estimates that follow from them, and whether they can be trusted.
//!
//! Each trial gives time down and time: independent pairs, the ratio of whose means is the share of time
//! down. Its error is that of the differences "time down − share × time" (the delta method).

use super::super::trials::{Fold, Join};
use super::seen::{COLUMNS, Seen};
use super::trial::{Column, Row};
use crate::experiment::years::Estimate;
use crate::reliability::ideal::Reason;

/// Fewest trials for an interval by Student's law.
pub(super) const TRIALS_MIN: u64 = 30;

/// Fewest effective paths: as many of equal weight would tell as much.
pub(super) const EFFECTIVE_MIN: f64 = 200.0;

/// The greatest share of all time down that one path may have.
pub(super) const GREATEST_MAX: f64 = 0.1;

/// Standard errors by which the mean weight of forced paths may miss 1.
const WEIGHT_ERRORS: f64 = 5.0;

/// Seconds of a year.
const YEAR: f64 = 8_760.0 * 3_600.0;

/// Sums over all trials.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// How many trials.
    pub trials: u64,
    /// How many incidents.
    pub incidents: u64,
    span: f64,
    span_squares: f64,
    seen: Seen,
    squares: [f64; COLUMNS],
    products: [f64; COLUMNS],
    columns: [Column; COLUMNS],
    endless: u64,
}

/// What is estimated of one measure, or of requests.
#[derive(Clone, Copy, Debug)]
pub struct Share {
    /// The share of time down. Its standard error is that of the ratio of two means.
    pub down: Estimate,
    /// Outages a year; 0 for requests.
    pub outages_per_year: f64,
    /// The mean outage in seconds; `None` where there was none.
    pub mean_outage: Option<f64>,
    /// The share of time down for each reason, in the order of [`Reason::ALL`]; its name by
    /// position.
    pub reasons: [f64; Reason::ALL.len()],
    /// Paths on which it was down.
    pub paths: u64,
    /// As many paths of equal weight would tell as much.
    pub effective: f64,
    /// The greatest share of all time down that one path has.
    pub greatest: f64,
    /// Why there is no interval.
    pub refusal: Option<Refusal>,
}

/// Why an estimate gets no interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Refusal {
    /// It was never seen down.
    Never,
    /// Too few trials.
    Trials,
    /// Too few effective paths; that many trials may be enough.
    Effective {
        /// How many there are.
        effective: f64,
        /// How many trials may be enough.
        trials: u64,
    },
    /// One path has too great a share.
    Greatest {
        /// That share.
        share: f64,
        /// How many trials may be enough.
        trials: u64,
    },
    /// Weights do not have the mean that they must have.
    Weights {
        /// Their mean, which should be 1.
        mean: f64,
    },
    /// Incidents do not end, so that nothing is rare.
    Endless,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refusal::Never => write!(
                f,
                "never seen down, on any path: it cannot be down, or it takes more trials (--trials) to see it"
            ),
            Refusal::Trials => write!(
                f,
                "an interval needs {TRIALS_MIN} trials: give --trials {TRIALS_MIN} or more"
            ),
            Refusal::Effective { effective, trials } => write!(
                f,
                "the paths tell as much as {effective:.0} of equal weight, and an interval needs \
                 {EFFECTIVE_MIN}: give --trials {trials} or more"
            ),
            Refusal::Greatest { share, trials } => write!(
                f,
                "one path has {:.0} % of all time down, and an interval allows {:.0} %: give --trials \
                 {trials} or more",
                share * 100.0,
                GREATEST_MAX * 100.0
            ),
            Refusal::Weights { mean } => write!(
                f,
                "the weights of the paths have the mean {mean:.3} instead of 1, so that paths that matter \
                 were not seen: use `hasim exact`, or plain trials without --rare"
            ),
            Refusal::Endless => write!(
                f,
                "the cluster is hardly ever whole, so that incidents do not end and nothing is rare: leave \
                 --rare out"
            ),
        }
    }
}

impl Fold<Row> for Totals {
    fn add(&mut self, _trial: u64, row: Row) {
        self.trials += 1;
        self.incidents += row.incidents;
        self.endless += u64::from(row.endless);
        self.span += row.span;
        self.span_squares += row.span * row.span;
        for column in 0..COLUMNS {
            let down = row.seen.down[column];
            self.seen.add(column, &row.seen, 1.0);
            self.squares[column] += down * down;
            self.products[column] += down * row.span;
            self.columns[column].absorb(&row.columns[column]);
        }
    }
}

impl Join for Totals {
    fn absorb(&mut self, later: Self) {
        self.trials += later.trials;
        self.incidents += later.incidents;
        self.endless += later.endless;
        self.span += later.span;
        self.span_squares += later.span_squares;
        for column in 0..COLUMNS {
            self.seen.add(column, &later.seen, 1.0);
            self.squares[column] += later.squares[column];
            self.products[column] += later.products[column];
            self.columns[column].absorb(&later.columns[column]);
        }
    }
}

impl Totals {
    /// Years that the trials stand for.
    pub fn years(&self) -> f64 {
        self.span / YEAR
    }

    pub(super) fn column(&self, at: usize) -> Share {
        let column = &self.columns[at];
        let (down, outages) = (self.seen.down[at], self.seen.outages[at]);
        let share = down / self.span;
        let effective = if column.squares > 0.0 { down * down / column.squares } else { 0.0 };
        let greatest = if down > 0.0 { column.greatest / down } else { 0.0 };
        Share {
            down: self.ratio(at, share),
            outages_per_year: outages / self.span * YEAR,
            mean_outage: (outages > 0.0).then(|| down / outages),
            reasons: self.seen.reasons[at].map(|part| part / self.span),
            paths: column.paths,
            effective,
            greatest,
            refusal: self.refusal(column, effective, greatest),
        }
    }

    fn ratio(&self, at: usize, share: f64) -> Estimate {
        let n = self.trials as f64;
        let off =
            self.squares[at] - 2.0 * share * self.products[at] + share * share * self.span_squares;
        let variance = off.max(0.0) / (n - 1.0).max(1.0);
        let error = (variance / n).sqrt() / (self.span / n);
        Estimate { mean: share, error, trials: self.trials }
    }

    fn refusal(&self, column: &Column, effective: f64, greatest: f64) -> Option<Refusal> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
        let trials = |factor: f64| (self.trials as f64 * factor * 1.5).ceil() as u64;
        let (sum, squares, count) = column.weights;
        let n = count as f64;
        let mean = if count > 0 { sum / n } else { 1.0 };
        let error = if count > 1 { ((squares / n - mean * mean).max(0.0) / n).sqrt() } else { 0.0 };
        if self.endless > 0 {
            Some(Refusal::Endless)
        } else if column.paths == 0 {
            Some(Refusal::Never)
        } else if self.trials < TRIALS_MIN {
            Some(Refusal::Trials)
        } else if effective < EFFECTIVE_MIN {
            Some(Refusal::Effective { effective, trials: trials(EFFECTIVE_MIN / effective) })
        } else if greatest > GREATEST_MAX {
            Some(Refusal::Greatest { share: greatest, trials: trials(greatest / GREATEST_MAX) })
        } else if (mean - 1.0).abs() > WEIGHT_ERRORS * error + 1e-9 {
            Some(Refusal::Weights { mean })
        } else {
            None
        }
    }
}

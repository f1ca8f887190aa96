//! What a sample tells of its law's quantiles, whatever that law is: intervals between order
//! statistics, exact by the binomial law.

use super::Sample;
use super::beta::binomial_at_least;

/// An interval that may be open to a side, where a sample is too small to say anything there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Its lower end; `None`: no limit.
    pub low: Option<f64>,
    /// Its upper end; `None`: no limit.
    pub high: Option<f64>,
}

impl Interval {
    /// Whether a number lies in it, ends included.
    pub fn contains(&self, x: f64) -> bool {
        self.low.is_none_or(|low| low <= x) && self.high.is_none_or(|high| x <= high)
    }

    /// The interval with `by` added at each end.
    pub fn widened(self, by: f64) -> Interval {
        Interval { low: self.low.map(|low| low - by), high: self.high.map(|high| high + by) }
    }
}

/// Positions, from 1, of the order statistics between which the quantile of order `p` lies with at
/// least this confidence: the narrowest pair of which each end errs in at most half of the rest.
/// `None` on a side where even the extreme of `n` values errs more often.
pub fn positions(n: usize, p: f64, confidence: f64) -> (Option<usize>, Option<usize>) {
    let tail = (1.0 - confidence) / 2.0;
    // The quantile is below the l-th value if fewer than l of n lie at or below it.
    let below = |l: usize| 1.0 - binomial_at_least(l, n, p);
    // It is above the u-th value if at least u do.
    let above = |u: usize| binomial_at_least(u, n, p);
    let low = first(n + 1, |l| below(l) > tail) - 1;
    let high = first(n + 1, |u| above(u) <= tail);
    ((low > 0).then_some(low), (high <= n).then_some(high))
}

/// The least of 1, 2, …, `end` for which a condition holds that stays true; `end` if none below does.
fn first(end: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut from, mut to) = (1, end);
    while from < to {
        let middle = usize::midpoint(from, to);
        if holds(middle) {
            to = middle;
        } else {
            from = middle + 1;
        }
    }
    from
}

/// The interval in which the law's quantile of order `p` lies with at least this confidence.
pub fn quantile_interval(sample: &Sample, p: f64, confidence: f64) -> Interval {
    dependent_interval(sample, p, confidence, sample.count())
}

/// The interval in which the law's quantile of order `p` lies with at least this confidence, where
/// `independent` values tell what the whole sample does; at most as many as it has.
pub fn dependent_interval(
    sample: &Sample,
    p: f64,
    confidence: f64,
    independent: usize,
) -> Interval {
    let count = sample.count();
    let fewer = independent.clamp(1, count);
    let (low, high) = positions(fewer, p, confidence);
    let values = sample.values();
    let below = |position: usize| values[(position - 1) * count / fewer];
    let above = |position: usize| values[(position * count).div_ceil(fewer) - 1];
    Interval { low: low.map(below), high: high.map(above) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::stream::{Key, StreamName};

    /// Law: the positions of the median at 95 % are those of the tables (Conover, table A3; Altman):
    /// n = 10: 2nd and 9th; 20: 6th and 15th; 50: 18th and 33rd; 100: 40th and 61st.
    #[test]
    fn median_positions_are_those_of_tables() {
        for (n, low, high) in [(10, 2, 9), (20, 6, 15), (50, 18, 33), (100, 40, 61)] {
            assert_eq!(positions(n, 0.5, 0.95), (Some(low), Some(high)), "{n}");
        }
    }

    /// Law: five values cannot limit a median at 95 % (2⁻⁵ > 2.5 %), six can.
    #[test]
    fn small_samples_leave_it_open() {
        assert_eq!(positions(5, 0.5, 0.95), (None, None));
        assert_eq!(positions(6, 0.5, 0.95), (Some(1), Some(6)));
        // The 10 % quantile of 40 values at 99.9 %: 0.9⁴⁰ = 1.5 % errs below the least of them.
        assert_eq!(positions(40, 0.1, 0.999).0, None);
    }

    /// Law: the quantile lies in its interval in at least the stated share of 4,000 samples; the
    /// tolerance is three standard errors of that share.
    #[test]
    fn intervals_cover() {
        const SAMPLES: u64 = 4_000;
        for (n, p, confidence) in [(30, 0.5, 0.9), (80, 0.1, 0.95), (25, 0.8, 0.99)] {
            let covered = (0..SAMPLES).filter(|trial| {
                let mut draw = Key::new(7, *trial).draw(StreamName::of("coverage"), 0, 0);
                let values = (0..n).map(|_| draw.uniform()).collect();
                let sample = Sample::new(values).unwrap();
                quantile_interval(&sample, p, confidence).contains(p)
            });
            let share = covered.count() as f64 / SAMPLES as f64;
            let error = (confidence * (1.0 - confidence) / SAMPLES as f64).sqrt();
            assert!(share >= confidence - 3.0 * error, "{n} {p}: {share}");
        }
    }
}

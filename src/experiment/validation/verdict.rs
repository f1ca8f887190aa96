//! The law by which a simulated metric passes, stated before anything is compared.
//!
//! 1. *Quantiles.* The simulated p10, p50 and p90 each lie in the interval that order statistics of the
//!    measured values give for theirs at 99.9 % (exact; open to a side where there are too few
//!    values), widened by the measurement's resolution.
//! 2. *Whole laws.* The Kolmogorov-Smirnov test of measured against simulated values has p > 0.05
//!    divided by the number of metrics that are compared in all; both samples are taken on the grid of
//!    the resolution, below which the instrument tells nothing apart.
//! 3. *Medians.* Of 40 or more measured values, the medians differ by at most 5 % of the measured one,
//!    or by no more than the resolution.
//!
//! The intervals and the test suppose independent values. Where a trial gave several (three nodes of one
//! cluster, killed at once), they share its phases, and as many values count as there were trials.
//!
//! Counts are compared as counts: their resolution is nothing, and ties are part of the exact test.

use super::data::Measured;
use crate::measure::failover::Unit;
use crate::measure::statistics::Sample;
use crate::measure::statistics::kolmogorov_smirnov::{self, Test};
use crate::measure::statistics::order::{Interval, dependent_interval};
use crate::measure::statistics::sample::difference_percent;
use crate::measure::statistics::shift::smallest_shift;

/// Orders of the quantiles that are compared.
pub const QUANTILES: [f64; 3] = [0.1, 0.5, 0.9];

/// Confidence of the measured quantiles' intervals.
pub const CONFIDENCE: f64 = 0.999;

/// Probability of finding a difference between samples of one law in any of all metrics.
pub const LEVEL: f64 = 0.05;

/// Measured values from which medians are compared directly.
pub const MEDIAN_FROM: usize = 40;

/// Percent by which medians may differ.
pub const MEDIAN_PERCENT: f64 = 5.0;

/// One quantile of both samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuantileComparison {
    /// Its order.
    pub p: f64,
    /// Measured.
    pub measured: f64,
    /// Simulated.
    pub simulated: f64,
    /// Where the simulated one must lie: the measured one's interval, widened.
    pub allowed: Interval,
}

impl QuantileComparison {
    /// Whether the simulated quantile is where it must be.
    pub fn passed(&self) -> bool {
        self.allowed.contains(self.simulated)
    }
}

/// How a simulated metric compares with the measured one.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Quantiles of the orders of [`QUANTILES`].
    pub quantiles: Vec<QuantileComparison>,
    /// The test of the whole laws.
    pub test: Test,
    /// The p-value above which it passes.
    pub level: f64,
    /// By how many percent the simulated median is above the measured one; `None` if that is 0.
    pub median_percent: Option<f64>,
    /// Whether the medians are near enough; `None` where the measured values are too few to ask.
    pub medians_agree: Option<bool>,
    /// The smallest shift that the test would have shown with this many measured values, in four of
    /// five measurements; `None` if none.
    pub smallest_shift: Option<f64>,
}

impl Comparison {
    /// Whether every part passes.
    pub fn passed(&self) -> bool {
        self.quantiles.iter().all(QuantileComparison::passed)
            && self.laws_agree()
            && self.medians_agree.unwrap_or(true)
    }

    /// Whether the test of the whole laws passes.
    pub fn laws_agree(&self) -> bool {
        self.test.p_value > self.level
    }
}

/// Compares; `set` is the number of metrics that are compared in all.
pub fn compare(measured: &Measured, simulated: &Sample, set: usize) -> Comparison {
    let unit = measured.unit;
    let resolution = if unit == Unit::Count { 0.0 } else { measured.resolution_ms };
    let level = LEVEL / set.max(1) as f64;
    let (real, independent) = (&measured.sample, measured.independent);
    let quantile = |p: &f64| QuantileComparison {
        p: *p,
        measured: real.quantile(*p),
        simulated: simulated.quantile(*p),
        allowed: dependent_interval(real, *p, CONFIDENCE, independent).widened(resolution),
    };
    let difference = simulated.median() - real.median();
    let median_percent = difference_percent(real.median(), simulated.median());
    let near = difference.abs() <= resolution
        || median_percent.is_some_and(|percent| percent.abs() <= MEDIAN_PERCENT);
    Comparison {
        quantiles: QUANTILES.iter().map(quantile).collect(),
        test: kolmogorov_smirnov::test_of_dependent(
            &told_apart(real, resolution),
            &told_apart(simulated, resolution),
            independent,
        ),
        level,
        median_percent,
        medians_agree: (independent >= MEDIAN_FROM).then_some(near),
        smallest_shift: smallest_shift(simulated, independent, level, unit == Unit::Count),
    }
}

/// The values as an instrument of this resolution tells them apart.
fn told_apart(sample: &Sample, resolution: f64) -> Sample {
    if resolution <= 0.0 {
        return sample.clone();
    }
    sample.map(|value| libm::floor(value / resolution) * resolution)
}

#[cfg(test)]
mod tests {
    use super::super::data::Instrument;
    use super::*;
    use crate::kernel::stream::{Key, StreamName};

    fn uniform(n: usize, trial: u64, from: f64) -> Sample {
        let mut draw = Key::new(3, trial).draw(StreamName::of("verdict"), 0, 0);
        Sample::new((0..n).map(|_| from + 1_000.0 * draw.uniform()).collect()).unwrap()
    }

    fn measured(sample: Sample) -> Measured {
        let (name, definition) = ("etcd.election".to_owned(), String::new());
        let (unit, instrument, independent) = (Unit::Duration, Instrument::Log, sample.count());
        Measured { name, unit, definition, sample, instrument, resolution_ms: 1.0, independent }
    }

    /// Law: a law agrees with itself in all but a few of 400 measurements. At 100 metrics in the set the
    /// parts err in at most 0.05 % (laws) and 0.3 % (quantiles); the medians' part is another matter:
    /// of 30 values it is not asked.
    #[test]
    fn a_law_agrees_with_itself() {
        let simulated = uniform(2_000, 0, 1_000.0);
        let passed = (1..=400).filter(|trial| {
            let real = measured(uniform(30, *trial, 1_000.0));
            compare(&real, &simulated, 100).passed()
        });
        let failed = 400 - passed.count();
        assert!(failed <= 6, "{failed}");
    }

    /// Law: a shift of twice the smallest that could be shown fails.
    #[test]
    fn a_shift_that_can_be_shown_fails() {
        let real = measured(uniform(40, 1, 1_000.0));
        let same = compare(&real, &uniform(2_000, 0, 1_000.0), 100);
        let shift = same.smallest_shift.expect("40 values show something");
        assert!((100.0..500.0).contains(&shift), "{shift}");
        let moved = uniform(2_000, 0, 1_000.0 + 2.0 * shift);
        assert!(!compare(&real, &moved, 100).passed());
    }

    /// Law: three values that are all the same in each of nine trials say no more than one: such a law
    /// agrees with itself, which it would not if they counted as 27; and a shift still shows.
    #[test]
    fn values_of_one_trial_count_once() {
        let simulated = uniform(2_000, 0, 1_000.0);
        let of = |trial, from, independent| {
            let once = uniform(9, trial, from);
            let thrice = once.values().iter().flat_map(|value| [*value; 3]).collect();
            Measured { independent, ..measured(Sample::new(thrice).unwrap()) }
        };
        let failed = |from, independent| {
            let passes =
                |trial: &u64| compare(&of(*trial, from, independent), &simulated, 1).passed();
            400 - (1..=400_u64).filter(passes).count()
        };
        // 5 % by the test's level, 2.2 % standard error 1.1: at most 33 of 400.
        assert!(failed(1_000.0, 9) <= 33);
        assert!(failed(1_000.0, 27) > 33);
        assert_eq!(failed(1_900.0, 9), 400);
    }

    /// Law: medians are compared from 40 values on, and a difference below the resolution is none.
    #[test]
    fn medians_are_asked_from_forty_values() {
        let of = |n, low| Sample::new(vec![low; n]).unwrap();
        let agree = |n, real: f64, simulated: f64| {
            let real = measured(of(n, real));
            compare(&real, &of(2_000, simulated), 1).medians_agree
        };
        assert_eq!(agree(39, 100.0, 200.0), None);
        assert_eq!(agree(40, 100.0, 104.9), Some(true));
        assert_eq!(agree(40, 100.0, 105.1), Some(false));
        assert_eq!(agree(40, 2.0, 2.9), Some(true));
    }
}

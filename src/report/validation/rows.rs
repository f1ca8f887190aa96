//! One metric as a row: numbers, and in words what does not agree.

use super::Entry;
use crate::experiment::validation::MetricResult;
use crate::experiment::validation::data::Measured;
use crate::experiment::validation::verdict::{Comparison, MEDIAN_PERCENT, QuantileComparison};
use crate::measure::failover::Unit;
use crate::measure::statistics::Sample;
use crate::measure::statistics::order::Interval;
use crate::report::monte_carlo::shown;
use crate::report::style::Tone;
use serde::Serialize;

/// Orders of the quantiles that reports show; the maximum beside them.
pub(super) const SHOWN: [f64; 3] = [0.1, 0.5, 0.9];

/// One metric.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricRow {
    /// Its name.
    pub metric: String,
    /// `ms` or `count`.
    pub unit: &'static str,
    /// What the instrument could tell apart, in ms; 0 for counts.
    pub resolution: f64,
    /// The measured values.
    pub real: Numbers,
    /// The simulated values; `null` if it never happened.
    pub simulated: Option<Numbers>,
    /// Distance of the two distribution functions.
    pub ks_statistic: Option<f64>,
    /// Probability of one at least as great by chance.
    pub ks_p_value: Option<f64>,
    /// The p-value above which it passes.
    pub ks_level: Option<f64>,
    /// The smallest shift that so few values would have shown; `null` if none.
    pub smallest_shift: Option<f64>,
    /// Whether a value of the environment was taken of it: it is no test then.
    pub sets_environment: bool,
    /// Whether all parts pass.
    pub passed: bool,
    /// What does not agree.
    pub problems: Vec<String>,
}

/// A sample in five numbers: milliseconds or counts.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Numbers {
    /// How many values.
    pub n: usize,
    /// The 10 % quantile.
    pub p10: f64,
    /// The median.
    pub p50: f64,
    /// The 90 % quantile.
    pub p90: f64,
    /// The greatest.
    pub max: f64,
}

impl Numbers {
    fn of(sample: &Sample) -> Numbers {
        let [p10, p50, p90] = SHOWN.map(|p| sample.quantile(p));
        Numbers { n: sample.count(), p10, p50, p90, max: sample.max() }
    }

    pub(super) fn values(self) -> [f64; 4] {
        [self.p10, self.p50, self.p90, self.max]
    }
}

/// The row of a metric.
pub(super) fn row(entry: &Entry, result: &MetricResult) -> MetricRow {
    let Measured { name, unit, sample, resolution_ms, .. } = &result.measured;
    let comparison = result.comparison.as_ref();
    MetricRow {
        metric: name.clone(),
        unit: match unit {
            Unit::Duration => "ms",
            Unit::Count => "count",
        },
        resolution: if *unit == Unit::Count { 0.0 } else { *resolution_ms },
        real: Numbers::of(sample),
        simulated: result.simulated.as_ref().map(Numbers::of),
        ks_statistic: comparison.map(|c| c.test.statistic),
        ks_p_value: comparison.map(|c| c.test.p_value),
        ks_level: comparison.map(|c| c.level),
        smallest_shift: comparison.and_then(|c| c.smallest_shift),
        sets_environment: entry.is_source(result),
        passed: result.passed(),
        problems: comparison.map_or_else(
            || vec!["it never happened in the simulation".to_owned()],
            |c| problems(c, *unit),
        ),
    }
}

impl MetricRow {
    /// What is to be said of it in a word or two, and how.
    pub(super) fn verdict(&self) -> (&'static str, Tone) {
        match (self.passed, self.sets_environment) {
            (false, _) => ("differs", Tone::Bad),
            (true, true) => ("sets the environment", Tone::Dim),
            (true, false) => ("agrees", Tone::Good),
        }
    }
}

/// What does not agree, in words.
fn problems(comparison: &Comparison, unit: Unit) -> Vec<String> {
    let outside = |quantile: &&QuantileComparison| !quantile.passed();
    let told = |q: &QuantileComparison| {
        let Interval { low, high } = q.allowed;
        let end = |end: Option<f64>| end.map_or("open".to_owned(), |end| shown(unit, end));
        let (p, value) = (q.p * 100.0, shown(unit, q.simulated));
        format!("p{p:.0} of {value} is outside {} to {}", end(low), end(high))
    };
    let mut found: Vec<String> = comparison.quantiles.iter().filter(outside).map(told).collect();
    if !comparison.laws_agree() {
        found.push(format!(
            "the laws differ: p = {} is not above {}",
            probability(comparison.test.p_value),
            probability(comparison.level)
        ));
    }
    if comparison.medians_agree == Some(false) {
        let by = comparison.median_percent.map_or("much".to_owned(), |p| format!("{p:+.1} %"));
        found.push(format!("the medians differ by {by}, more than {MEDIAN_PERCENT} %"));
    }
    found
}

/// A probability with two digits.
pub(super) fn probability(p: f64) -> String {
    if p >= 0.001 { format!("{p:.3}") } else { format!("{p:.1e}") }
}

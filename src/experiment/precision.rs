//! When a study may stop: as soon as a mean is known to a relative error.
//!
//! The rule looks at the first trials only, at fixed counts of them, so that the trials it stops at
//! are the same for any number of threads.

use super::monte_carlo::{CONFIDENCE, Row, number};
use super::trials::{BLOCK, Block};
use crate::measure::failover::Metric;
use crate::measure::statistics::Sample;
use crate::measure::statistics::mean::moments;

/// Trials, or values, before a rule looks for the first time: the interval is Student's, for means
/// that are nearly normal.
const LEAST: u64 = 64;

/// By how much the count grows between two looks: a sixteenth.
const GROWTH: u64 = 16;

/// A rule that ends a study.
pub trait Rule<A>: Send {
    /// Takes the next trials; whether they are enough.
    fn reached(&mut self, block: &Block<A>) -> bool;

    /// The relative error of what was seen so far; `None`: there is no mean yet.
    fn relative_error_now(&self) -> Option<f64>;
}

/// The counts at which a rule looks. A slice keeps a line's end at each, so that a rule finds them
/// again when a study goes on.
#[derive(Clone, Copy, Debug)]
pub struct Looks {
    next: u64,
}

impl Default for Looks {
    fn default() -> Self {
        Self { next: LEAST }
    }
}

impl Looks {
    /// Whether this count calls for a look. A block that was cut short waits for its rest, which a
    /// study that goes on may still add.
    pub fn due<A>(&mut self, count: u64, block: &Block<A>) -> bool {
        if count < self.next || !block.trials.end.is_multiple_of(BLOCK) {
            return false;
        }
        self.next = count + count / GROWTH;
        true
    }
}

/// A mean that is wanted to a relative error.
#[derive(Clone, Debug)]
pub struct Precision {
    metric: &'static Metric,
    relative_error: f64,
    values: Vec<f64>,
    looks: Looks,
}

impl Precision {
    /// The mean of a metric, to a relative error (half the width of its 95 % interval over the mean).
    pub fn new(metric: &'static Metric, relative_error: f64) -> Self {
        Self { metric, relative_error, values: Vec::new(), looks: Looks::default() }
    }
}

impl Rule<Vec<Row>> for Precision {
    fn reached(&mut self, block: &Block<Vec<Row>>) -> bool {
        let value = |row: &Row| row.value(self.metric.name).map(number);
        self.values.extend(block.folded.total.iter().filter_map(value));
        self.looks.due(self.values.len() as u64, block)
            && self.relative_error_now().is_some_and(|error| error <= self.relative_error)
    }

    fn relative_error_now(&self) -> Option<f64> {
        let sample = Sample::new(self.values.clone())?;
        let moments = moments(&sample, CONFIDENCE);
        let reach = moments.interval.high? - moments.mean;
        if reach == 0.0 { Some(0.0) } else { Some(reach / moments.mean.abs()) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::trials::Folded;
    use super::*;
    use crate::measure::failover::{self, Reading, Value};

    fn block(first: u64, values: &[u64]) -> Block<Vec<Row>> {
        let metric = failover::find("etcd.campaign_rounds").unwrap();
        let row = |(trial, value): (u64, &u64)| Row {
            trial,
            readings: vec![Reading { metric, value: Value::Count(*value) }],
        };
        let total = (first..).zip(values).map(row).collect();
        let folded = Folded { total, failures: Vec::new() };
        Block { trials: first..first + values.len() as u64, folded }
    }

    /// Law: values 9 and 11 in turn have a mean of 10 ± 1.96/√n: 1 % takes about 385 of them.
    #[test]
    fn the_rule_stops_when_the_interval_is_narrow_enough() {
        let metric = failover::find("etcd.campaign_rounds").unwrap();
        let mut rule = Precision::new(metric, 0.01 * 2.0_f64.sqrt());
        let stop = (0..100).find(|n| rule.reached(&block(n * 16, &[9, 11].repeat(8)))).unwrap();
        let count = (stop + 1) * 16;
        assert!((192..=224).contains(&count), "{count}");
        assert!(rule.relative_error_now().unwrap() <= 0.01 * 2.0_f64.sqrt());
    }

    /// Law: too few values never stop, however equal they are.
    #[test]
    fn few_values_do_not_stop() {
        let metric = failover::find("etcd.campaign_rounds").unwrap();
        let mut rule = Precision::new(metric, 0.5);
        assert!(!rule.reached(&block(0, &[10; 48])));
        assert!(rule.reached(&block(48, &[10; 16])));
    }
}

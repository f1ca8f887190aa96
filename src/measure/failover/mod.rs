//! Failover times and the other metrics of a run, by name: one value each, or none if it did not
//! happen.
//!
//! One file a family, one line a metric. Each is a pure function of the finished [`Case`]; "fault"
//! and "repair" are those of `run.measureFrom`. Absent on purpose: statistics over runs.

mod api;
mod api_server;
mod balancer;
mod client;
mod etcd;
mod informers;
mod leader_election;
mod moments;
mod node;
mod pod;
mod quorum;
mod requests;
mod restore;
mod stalls;
mod together;
mod vip;

use super::case::Case;
use crate::kernel::time::{Duration, Time};

/// In what a metric is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A span of time; milliseconds in files.
    Duration,
    /// A number of things.
    Count,
}

/// The value of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// A span of time.
    Duration(Duration),
    /// A number of things.
    Count(u64),
}

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name in files and output.
    pub name: &'static str,
    /// In what it is counted.
    pub unit: Unit,
    /// From when to when, or what is counted.
    pub doc: &'static str,
    /// Its value in a run.
    pub of: fn(&Case) -> Option<Value>,
    /// Where it may happen several times in a run (to each of several leaders): all its values. The
    /// metric's own value is one of them.
    pub each: Option<fn(&Case) -> Vec<Value>>,
}

impl Metric {
    /// The same, with all the values that it may have in one run.
    const fn with_each(self, each: fn(&Case) -> Vec<Value>) -> Metric {
        Metric { each: Some(each), ..self }
    }

    /// Every value in a run: one, or none, unless it may happen several times.
    pub fn values(&self, case: &Case) -> Vec<Value> {
        match self.each {
            Some(each) => each(case),
            None => (self.of)(case).into_iter().collect(),
        }
    }
}

/// A metric that has a value.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// Which.
    pub metric: &'static Metric,
    /// Its value.
    pub value: Value,
}

/// Every metric, family by family.
pub const METRICS: [&[Metric]; 13] = [
    etcd::METRICS,
    balancer::METRICS,
    client::METRICS,
    vip::METRICS,
    leader_election::METRICS,
    together::METRICS,
    api::METRICS,
    api_server::METRICS,
    quorum::METRICS,
    restore::METRICS,
    node::METRICS,
    pod::METRICS,
    informers::METRICS,
];

/// All metrics in the order of reports.
pub fn all() -> impl Iterator<Item = &'static Metric> {
    METRICS.iter().flat_map(|family| family.iter())
}

/// The metric of a name.
pub fn find(name: &str) -> Option<&'static Metric> {
    all().find(|metric| metric.name == name)
}

/// The metrics that have a value in this run.
pub fn readings(case: &Case) -> Vec<Reading> {
    all().filter_map(|metric| (metric.of)(case).map(|value| Reading { metric, value })).collect()
}

/// A metric that is a span of time.
const fn span(name: &'static str, doc: &'static str, of: fn(&Case) -> Option<Value>) -> Metric {
    Metric { name, unit: Unit::Duration, doc, of, each: None }
}

/// A metric that is a number.
const fn count(name: &'static str, doc: &'static str, of: fn(&Case) -> Option<Value>) -> Metric {
    Metric { name, unit: Unit::Count, doc, of, each: None }
}

/// From `zero` to the first of some instants that is not before it.
fn first_since(zero: Option<Time>, instants: impl IntoIterator<Item = Time>) -> Option<Value> {
    let zero = zero?;
    let first = instants.into_iter().filter(|at| *at >= zero).min()?;
    Some(Value::Duration(first.since(zero)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Law: a metric's name names one metric, in a family of the product's table.
    #[test]
    fn names_are_unique() {
        let names: BTreeSet<&str> = all().map(|metric| metric.name).collect();
        assert_eq!(names.len(), all().count());
        assert!(names.iter().all(|name| name.contains('.')));
    }
}

//! Many trials of one scenario: every metric of every trial, and what they tell together.
//!
//! A settled start draws every phase and every leader that is not named, so a fault at a fixed time
//! comes at a random phase of all timers.

use super::study::{self, About};
use super::trials::{self, Block, Guide, NoThreads, Sampling};
use crate::kernel::stream::Key;
use crate::kernel::time::Time;
use crate::measure::failover::{self, Metric, Reading, Value};
use crate::measure::statistics::Sample;
use crate::measure::statistics::mean::{Moments, moments};
use crate::measure::statistics::order::{Interval, quantile_interval};
use crate::measure::{Case, Watch};
use crate::plan::Plan;
use crate::world::World;
use std::ops::ControlFlow;

/// Orders of the quantiles that a summary gives.
pub const QUANTILES: [f64; 4] = [0.05, 0.5, 0.95, 0.99];

/// Confidence of a summary's intervals.
pub const CONFIDENCE: f64 = 0.95;

/// One trial: the metrics that happened in it.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its number.
    pub trial: u64,
    /// What happened, in the order of [`failover::all`].
    pub readings: Vec<Reading>,
}

impl Row {
    /// The value of a metric, if it happened.
    pub fn value(&self, metric: &str) -> Option<Value> {
        self.readings.iter().find(|reading| reading.metric.name == metric).map(|r| r.value)
    }
}

/// All trials of a scenario, or a slice of them.
pub type Study = study::Study<Vec<Row>>;

/// What the trials tell of one metric.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Which.
    pub metric: &'static Metric,
    /// Its values: milliseconds, or counts.
    pub sample: Sample,
    /// Mean with its interval at [`CONFIDENCE`].
    pub moments: Moments,
    /// Quantiles of the orders of [`QUANTILES`], with intervals at [`CONFIDENCE`].
    pub quantiles: Vec<(f64, Interval)>,
}

/// A value as statistics use it: milliseconds, or a count.
pub fn number(value: Value) -> f64 {
    match value {
        Value::Duration(span) => span.as_millis_f64(),
        Value::Count(count) => count as f64,
    }
}

/// Every metric that has a value in one trial.
pub fn trial(plan: &Plan, seed: u64, trial: u64) -> Row {
    let mut watch = Watch::new(plan);
    let mut world = World::new(plan, Key::new(seed, trial));
    world.begin_run(&mut watch);
    world.run_until(Time::at(plan.until), &mut watch);
    let readings = failover::readings(&Case::of(&world, plan, watch.history()));
    Row { trial, readings }
}

/// Runs the trials of a plan, block by block.
///
/// # Errors
///
/// If the threads cannot be started.
pub fn blocks(
    plan: &Plan,
    sampling: &Sampling,
    guide: &dyn Guide,
    sink: impl FnMut(Block<Vec<Row>>) -> ControlFlow<()> + Send,
) -> Result<(), NoThreads> {
    trials::blocks(sampling, |number| trial(plan, sampling.seed, number), guide, sink)
}

impl Study {
    /// Runs the trials of a plan. `guide` hears of each that ended.
    ///
    /// # Errors
    ///
    /// If the threads cannot be started.
    pub fn of(plan: &Plan, sampling: Sampling, guide: &dyn Guide) -> Result<Study, NoThreads> {
        let mut study = Study::empty(About::of(plan, sampling.seed), sampling.first);
        blocks(plan, &sampling, guide, |block| {
            study.add(block);
            ControlFlow::Continue(())
        })?;
        Ok(study)
    }

    /// The values of a metric in the trials in which it happened, as [`number`]s.
    pub fn values(&self, metric: &str) -> Vec<f64> {
        self.results.iter().filter_map(|row| row.value(metric)).map(number).collect()
    }

    /// What the trials tell of each metric that happened in any.
    pub fn summaries(&self) -> Vec<Summary> {
        let found = failover::all().filter_map(|metric| {
            let sample = Sample::new(self.values(metric.name))?;
            let quantile =
                |p: &f64| (sample.quantile(*p), quantile_interval(&sample, *p, CONFIDENCE));
            let quantiles = QUANTILES.iter().map(quantile).collect();
            Some(Summary { metric, moments: moments(&sample, CONFIDENCE), quantiles, sample })
        });
        found.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::trials::Unwatched;
    use super::*;
    use crate::scenario::load::load_text;

    fn plan() -> Plan {
        let text = r#"{
            "apiVersion": "hasim/v1", "kind": "Scenario",
            "cluster": {"controlPlane": {"supervision": "none"}},
            "faults": [{"at": "30s", "kill": "leader of etcd"}],
            "run": {"until": "60s"}
        }"#;
        load_text("test.json", text).plan.expect("a plan")
    }

    /// Law: the same trials whatever the number of threads, each that of a single run; and the fault
    /// meets other phases in each.
    #[test]
    fn trials_are_single_runs() {
        let plan = plan();
        let study = |threads| {
            let sampling = Sampling { seed: 5, first: 0, trials: 40, threads: Some(threads) };
            Study::of(&plan, sampling, &Unwatched).unwrap()
        };
        let (one, many) = (study(1), study(3));
        assert!(one.failures.is_empty());
        assert_eq!(one.values("etcd.election"), many.values("etcd.election"));
        let single = crate::experiment::single::Run::of(&plan, 5, 17, &[]);
        let alone = failover::readings(&single.case());
        let row = &many.results[17];
        assert_eq!(
            alone.iter().map(|r| (r.metric.name, r.value)).collect::<Vec<_>>(),
            row.readings.iter().map(|r| (r.metric.name, r.value)).collect::<Vec<_>>()
        );
        let mut elections = one.values("etcd.election");
        elections.dedup();
        assert_eq!(elections.len(), 40);
    }

    /// Law: a summary's quantiles lie in their intervals, and its mean between the extremes.
    #[test]
    fn summaries_agree_with_themselves() {
        let sampling = Sampling { seed: 5, first: 0, trials: 64, threads: None };
        for summary in Study::of(&plan(), sampling, &Unwatched).unwrap().summaries() {
            assert!(summary.quantiles.iter().all(|(value, interval)| interval.contains(*value)));
            let mean = summary.moments.mean;
            assert!(summary.sample.min() <= mean && mean <= summary.sample.max());
        }
    }
}

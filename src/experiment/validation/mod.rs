//! Simulated failover times held against measured ones.
//!
//! [`data`] reads measurements, [`observe`] says what the instruments would have made of a simulated
//! value, [`verdict`] compares two samples by a law stated beforehand, and this file runs experiments.
//!
//! Absent on purpose: files and words. Nothing here adjusts a model to a measurement.

pub mod data;
pub mod observe;
pub mod verdict;

use super::monte_carlo::Study;
use super::trials::{Failure, Guide, NoThreads, Sampling};
use crate::measure::statistics::Sample;
use crate::plan::Plan;
use data::{Experiment, Measured};
use verdict::Comparison;

/// Least trials of an experiment.
pub const TRIALS_MIN: u64 = 2_000;

/// What became of one metric of an experiment.
#[derive(Clone, Debug)]
pub struct MetricResult {
    /// The measured metric.
    pub measured: Measured,
    /// The simulated values as the instruments would have told them; `None` if it never happened.
    pub simulated: Option<Sample>,
    /// How the two compare; `None` if it never happened in the simulation.
    pub comparison: Option<Comparison>,
}

impl MetricResult {
    /// Whether the simulation agrees with the measurement.
    pub fn passed(&self) -> bool {
        self.comparison.as_ref().is_some_and(Comparison::passed)
    }
}

/// What became of one experiment.
#[derive(Clone, Debug)]
pub struct ExperimentResult {
    /// What was measured.
    pub experiment: Experiment,
    /// The scenario that stands for it, by name.
    pub scenario: String,
    /// How it was simulated.
    pub sampling: Sampling,
    /// Metric by metric, in the order of the measurement.
    pub metrics: Vec<MetricResult>,
    /// Trials that panicked.
    pub failures: Vec<Failure>,
}

impl ExperimentResult {
    /// Whether every metric agrees and every trial ended.
    pub fn passed(&self) -> bool {
        self.failures.is_empty() && self.metrics.iter().all(MetricResult::passed)
    }
}

/// Simulates an experiment and compares, `set` being the number of metrics compared in all.
///
/// # Errors
///
/// If threads cannot be started.
pub fn validate(
    experiment: Experiment,
    plan: &Plan,
    sampling: Sampling,
    set: usize,
    guide: &dyn Guide,
) -> Result<ExperimentResult, NoThreads> {
    let study = Study::of(plan, sampling, guide)?;
    let compare = |measured: &Measured| {
        let values = study.values(&measured.name);
        let told = values.into_iter().map(|value| observe::told(measured, value));
        let simulated = Sample::new(told.collect());
        let comparison =
            simulated.as_ref().map(|simulated| verdict::compare(measured, simulated, set));
        MetricResult { measured: measured.clone(), simulated, comparison }
    };
    let metrics = experiment.metrics.iter().map(compare).collect();
    Ok(ExperimentResult {
        metrics,
        experiment,
        scenario: plan.name.clone(),
        sampling,
        failures: study.failures,
    })
}

//! Simulated failover times held against measured ones.
//!
//! [`data`] reads measurements, [`verdict`] compares two samples by a law stated beforehand, and this file runs experiments.
//!
//! Absent on purpose: files and words. Nothing here adjusts a model to a measurement.

pub mod data;
pub mod verdict;

use super::monte_carlo::number;
use super::trials::{self, Failure, Folded, Guide, NoThreads, Sampling};
use crate::kernel::stream::Key;
use crate::kernel::time::Time;
use crate::measure::statistics::Sample;
use crate::measure::{Case, Watch, failover};
use crate::plan::Plan;
use crate::world::World;
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

/// What one trial gave: for each metric of the experiment, its values.
type Observed = Vec<Vec<f64>>;

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
    let run = |number| observe(&experiment, plan, sampling.seed, number);
    let Folded { total, failures } = trials::fold::<_, Vec<Observed>>(&sampling, run, guide)?;
    let metrics = experiment.metrics.iter().enumerate();
    let compare = |(at, measured): (usize, &Measured)| {
        let values = total.iter().flat_map(|trial| trial[at].iter().copied());
        let simulated = Sample::new(values.collect());
        let comparison =
            simulated.as_ref().map(|simulated| verdict::compare(measured, simulated, set));
        MetricResult { measured: measured.clone(), simulated, comparison }
    };
    let metrics = metrics.map(compare).collect();
    let scenario = plan.name.clone();
    Ok(ExperimentResult { experiment, scenario, sampling, metrics, failures })
}

/// One trial, as the experiment's instruments would have told it.
fn observe(experiment: &Experiment, plan: &Plan, seed: u64, trial: u64) -> Observed {
    let mut watch = Watch::new(plan);
    let mut world = World::new(plan, Key::new(seed, trial));
    world.begin_run(&mut watch);
    world.run_until(Time::at(plan.until), &mut watch);
    let case = Case::of(&world, plan, watch.history());
    let values = |measured: &Measured| {
        let values = failover::find(&measured.name).map(|metric| metric.values(&case));
        let told = values.into_iter().flatten().map(number);
        told.collect()
    };
    experiment.metrics.iter().map(values).collect()
}

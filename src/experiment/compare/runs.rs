//! Paired runs: the metrics of each side, and how long each service was down.

use super::difference::share_the_error;
use super::{Compared, Difference, Of, RunComparison};
use crate::experiment::monte_carlo::{Row, number};
use crate::experiment::slice::{Kept, RowLine};
use crate::experiment::trials::{Block, Failure};
use crate::experiment::years::Estimate;
use crate::kernel::stream::Key;
use crate::kernel::time::Time;
use crate::measure::failover;
use crate::measure::history::Track;
use crate::measure::{Case, Watch};
use crate::plan::Plan;
use crate::plan::service::Service;
use crate::world::World;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// One side of a paired run.
#[derive(Clone, Debug)]
pub struct RunSide {
    /// Its metrics.
    pub row: Row,
    /// How long each service was down, in nanoseconds, in the order of [`Service::ALL`]; `None`: it
    /// has no such service.
    pub down: [Option<u64>; Service::ALL.len()],
}

/// One trial of all sides.
#[derive(Clone, Debug)]
pub struct Paired {
    /// Its number.
    pub trial: u64,
    /// The sides, in order.
    pub sides: Vec<RunSide>,
}

impl RunSide {
    /// Runs one trial of a plan.
    pub fn of(plan: &Plan, seed: u64, trial: u64) -> Self {
        let mut watch = Watch::new(plan);
        let mut world = World::new(plan, Key::new(seed, trial));
        world.begin_run(&mut watch);
        let end = Time::at(plan.until);
        world.run_until(end, &mut watch);
        let history = watch.history();
        let readings = failover::readings(&Case::of(&world, plan, history));
        let down = Service::ALL.map(|service| history.track(service).map(|track| down(track, end)));
        Self { row: Row { trial, readings }, down }
    }
}

/// How long a service was down until then, in nanoseconds.
fn down(track: &Track, end: Time) -> u64 {
    let ends = track.steps.iter().skip(1).map(|step| step.at).chain([end]);
    let spans = track.steps.iter().zip(ends).filter(|(step, _)| step.share.is_none());
    spans.map(|(step, to)| to.saturating_since(step.at.max(Time::START)).as_nanos()).sum()
}

/// A trial as it stands in a line.
#[derive(Debug, Serialize, Deserialize)]
pub struct PairedLine {
    trial: u64,
    sides: Vec<SideLine>,
}

#[derive(Debug, Serialize, Deserialize)]
struct SideLine {
    row: RowLine,
    down: Vec<Option<u64>>,
}

impl PairedLine {
    fn of(paired: &Paired) -> Self {
        let side =
            |side: &RunSide| SideLine { row: RowLine::of(&side.row), down: side.down.into() };
        Self { trial: paired.trial, sides: paired.sides.iter().map(side).collect() }
    }

    fn paired(self) -> Result<Paired, String> {
        let side = |side: SideLine| {
            let down = side.down.try_into().map_err(|_| "not every service".to_owned())?;
            Ok(RunSide { row: side.row.row()?, down })
        };
        let sides: Result<Vec<RunSide>, String> = self.sides.into_iter().map(side).collect();
        Ok(Paired { trial: self.trial, sides: sides? })
    }
}

impl Kept for Vec<Paired> {
    type Line = Vec<PairedLine>;

    const SUMS: bool = false;

    fn line(&self) -> Vec<PairedLine> {
        self.iter().map(PairedLine::of).collect()
    }

    fn of_line(
        line: Vec<PairedLine>,
        trials: &Range<u64>,
        failures: &[Failure],
    ) -> Result<Self, String> {
        let ended: Vec<u64> = line.iter().map(|paired| paired.trial).collect();
        let all = ended.len() + failures.len() == trials.clone().count();
        if !all || !ended.is_sorted() || !ended.iter().all(|trial| trials.contains(trial)) {
            return Err(format!("not the trials {} to {}", trials.start, trials.end));
        }
        line.into_iter().map(PairedLine::paired).collect()
    }

    fn cut(mut block: Block<Self>, end: u64) -> Option<Block<Self>> {
        block.trials.end = end.clamp(block.trials.start, block.trials.end);
        block.folded.total.retain(|paired| paired.trial < end);
        block.folded.failures.retain(|failure| failure.trial < end);
        Some(block)
    }
}

impl RunComparison {
    /// The values of a metric of one side where it happened, in milliseconds or counts.
    pub fn values(&self, side: usize, metric: &str) -> Vec<f64> {
        let rows = self.results.iter().filter_map(|paired| paired.sides.get(side));
        rows.filter_map(|side| side.row.value(metric)).map(number).collect()
    }

    fn row(
        &self,
        side: usize,
        (name, of): (&'static str, Of),
        value: impl Fn(&RunSide) -> Option<f64>,
    ) -> Option<Difference> {
        let (mut pairs, mut alone) = (Vec::new(), (0, 0));
        for paired in &self.results {
            match (value(paired.sides.first()?), value(paired.sides.get(side)?)) {
                (Some(first), Some(other)) => pairs.push((first, other)),
                (Some(_), None) => alone.0 += 1,
                (None, Some(_)) => alone.1 += 1,
                (None, None) => {}
            }
        }
        if pairs.is_empty() {
            return None;
        }
        let n = pairs.len() as f64;
        let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / n;
        let off = |pair: &(f64, f64)| pair.1 - pair.0;
        let difference = mean(&mut pairs.iter().map(off));
        let squares: f64 = pairs.iter().map(|pair| (off(pair) - difference).powi(2)).sum();
        let error = (squares / (n - 1.0).max(1.0) / n).sqrt();
        Some(Difference {
            name,
            of,
            side,
            first: mean(&mut pairs.iter().map(|pair| pair.0)),
            other: mean(&mut pairs.iter().map(|pair| pair.1)),
            mean: Estimate { mean: difference, error, trials: pairs.len() as u64 },
            differing: pairs
                .iter()
                .filter(|(first, other)| first.to_bits() != other.to_bits())
                .count() as u64,
            alone,
            confidence: super::CONFIDENCE,
        })
    }
}

impl Compared for RunComparison {
    fn differences(&self) -> Vec<Difference> {
        let mut rows = Vec::new();
        for side in 1..self.about.sides.len() {
            for (at, service) in Service::ALL.into_iter().enumerate() {
                let millis = |side: &RunSide| side.down[at].map(|nanos| nanos as f64 / 1e6);
                rows.extend(self.row(side, (service.name(), Of::DownARun), millis));
            }
            for metric in failover::all() {
                let value = |side: &RunSide| side.row.value(metric.name).map(number);
                rows.extend(self.row(side, (metric.name, Of::Metric(metric.unit)), value));
            }
        }
        share_the_error(&mut rows);
        rows
    }
}

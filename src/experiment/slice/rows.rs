//! Rows of trials as they are kept: whole nanoseconds and counts by name of metric.

use super::Kept;
use crate::experiment::monte_carlo::Row;
use crate::experiment::trials::{Block, Failure};
use crate::kernel::time::Duration;
use crate::measure::failover::{self, Reading, Unit, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;

/// A row as it stands in a line.
#[derive(Debug, Serialize, Deserialize)]
pub struct RowLine {
    trial: u64,
    values: BTreeMap<String, u64>,
}

impl Kept for Vec<Row> {
    type Line = Vec<RowLine>;

    const SUMS: bool = false;

    fn line(&self) -> Vec<RowLine> {
        self.iter().map(RowLine::of).collect()
    }

    fn of_line(
        line: Vec<RowLine>,
        trials: &Range<u64>,
        failures: &[Failure],
    ) -> Result<Self, String> {
        let ended: Vec<u64> = line.iter().map(|row| row.trial).collect();
        let inside = |trial: &u64| trials.contains(trial);
        let all = ended.len() + failures.len() == trials.clone().count();
        if !all || !ended.is_sorted() || !ended.iter().all(inside) {
            return Err(format!("not the trials {} to {}", trials.start, trials.end));
        }
        line.into_iter().map(RowLine::row).collect()
    }

    fn cut(mut block: Block<Self>, end: u64) -> Option<Block<Self>> {
        block.trials.end = end.clamp(block.trials.start, block.trials.end);
        block.folded.total.retain(|row| row.trial < end);
        block.folded.failures.retain(|failure| failure.trial < end);
        Some(block)
    }
}

impl RowLine {
    /// A row.
    pub fn of(row: &Row) -> Self {
        let value = |reading: &Reading| match reading.value {
            Value::Duration(span) => span.as_nanos(),
            Value::Count(count) => count,
        };
        let pair = |reading: &Reading| (reading.metric.name.to_owned(), value(reading));
        Self { trial: row.trial, values: row.readings.iter().map(pair).collect() }
    }

    /// The row again.
    ///
    /// # Errors
    ///
    /// If it has a metric that there is not.
    pub fn row(mut self) -> Result<Row, String> {
        let reading = |metric: &'static failover::Metric| {
            let value = self.values.remove(metric.name)?;
            let value = match metric.unit {
                Unit::Duration => Value::Duration(Duration::from_nanos(value)),
                Unit::Count => Value::Count(value),
            };
            Some(Reading { metric, value })
        };
        let readings = failover::all().filter_map(reading).collect();
        match self.values.keys().next() {
            Some(unknown) => Err(format!("no metric is called {unknown}")),
            None => Ok(Row { trial: self.trial, readings }),
        }
    }
}

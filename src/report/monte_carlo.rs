//! A Monte Carlo study as a table for people, as JSON, and its samples as CSV.
//!
//! Values in files are milliseconds with up to six decimals (whole nanoseconds), or counts; a metric
//! that did not happen in a trial is an empty cell.

use super::layout::columns;
use super::style::{Styled, Tone};
use crate::experiment::monte_carlo::{CONFIDENCE, QUANTILES, Row, Study, Summary};
use crate::experiment::trials::Failure;
use crate::kernel::time::Duration;
use crate::measure::failover::{self, Unit, Value};
use crate::measure::statistics::order::Interval;
use serde::Serialize;
use std::fmt::Write;

/// The samples: a row a trial, a column a metric.
pub fn samples_csv(study: &Study) -> String {
    let names: Vec<&str> = failover::all().map(|metric| metric.name).collect();
    let mut text = format!("trial,{}\n", names.join(","));
    for row in &study.results {
        text.push_str(&csv_row(row, &names));
    }
    text
}

fn csv_row(row: &Row, names: &[&str]) -> String {
    let mut readings = row.readings.iter().peekable();
    let mut line = row.trial.to_string();
    for name in names {
        line.push(',');
        if let Some(reading) = readings.next_if(|reading| reading.metric.name == *name) {
            line.push_str(&csv_value(reading.value));
        }
    }
    line.push('\n');
    line
}

/// A value as files have it: milliseconds to the nanosecond, or a count.
pub fn csv_value(value: Value) -> String {
    match value {
        Value::Count(count) => count.to_string(),
        Value::Duration(span) => milliseconds(span),
    }
}

/// A span in milliseconds, to the nanosecond.
pub(super) fn milliseconds(span: Duration) -> String {
    let (whole, rest) = (span.as_nanos() / 1_000_000, span.as_nanos() % 1_000_000);
    if rest == 0 {
        return whole.to_string();
    }
    format!("{whole}.{rest:06}").trim_end_matches('0').to_owned()
}

/// The summary table as CSV, one row a metric.
pub fn summary_csv(study: &Study) -> String {
    let mut text = "metric,unit,n,mean,mean_low,mean_high,min".to_owned();
    for p in QUANTILES {
        let name = percent(p);
        let _ = write!(text, ",p{name},p{name}_low,p{name}_high");
    }
    text.push_str(",max\n");
    for summary in study.summaries() {
        let metric = MetricSummary::of(&summary);
        let cell = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
        let _ = write!(
            text,
            "{},{},{},{},{},{},{}",
            metric.metric,
            metric.unit,
            metric.n,
            metric.mean,
            cell(metric.mean_low),
            cell(metric.mean_high),
            metric.min
        );
        for q in metric.quantiles {
            let _ = write!(text, ",{},{},{}", q.value, cell(q.low), cell(q.high));
        }
        let _ = writeln!(text, ",{}", metric.max);
    }
    text
}

/// The study as data.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StudyResult {
    /// `hasim/v1`.
    pub api_version: &'static str,
    /// `StudyResult`.
    pub kind: &'static str,
    /// The scenario's name.
    pub scenario: String,
    /// What tells its plan from others.
    pub fingerprint: String,
    /// The seed that was used.
    pub seed: u64,
    /// The number of the first trial.
    pub first: u64,
    /// Trials that were run.
    pub trials: u64,
    /// Of all intervals.
    pub confidence: f64,
    /// What the trials tell of each metric that happened in any.
    pub metrics: Vec<MetricSummary>,
    /// Trials that panicked, in words that say how to replay them.
    pub failures: Vec<String>,
}

/// One metric over all trials; values are milliseconds or counts.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricSummary {
    /// Its name.
    pub metric: &'static str,
    /// `ms` or `count`.
    pub unit: &'static str,
    /// Trials in which it happened.
    pub n: usize,
    /// The mean of these.
    pub mean: f64,
    /// Lower end of the mean's interval (Student); `null` of a single value.
    pub mean_low: Option<f64>,
    /// Upper end.
    pub mean_high: Option<f64>,
    /// The least.
    pub min: f64,
    /// Quantiles with their order-statistic intervals.
    pub quantiles: Vec<QuantileResult>,
    /// The greatest.
    pub max: f64,
}

/// One quantile.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QuantileResult {
    /// Its order.
    pub p: f64,
    /// Its value.
    pub value: f64,
    /// Lower end of its interval; `null` where there are too few values for one.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
}

impl MetricSummary {
    fn of(summary: &Summary) -> MetricSummary {
        let quantiles = QUANTILES.iter().zip(&summary.quantiles);
        let quantile = |(p, (value, Interval { low, high })): (&f64, &(f64, Interval))| {
            QuantileResult { p: *p, value: *value, low: *low, high: *high }
        };
        MetricSummary {
            metric: summary.metric.name,
            unit: unit(summary.metric.unit),
            n: summary.sample.count(),
            mean: summary.moments.mean,
            mean_low: summary.moments.interval.low,
            mean_high: summary.moments.interval.high,
            min: summary.sample.min(),
            quantiles: quantiles.map(quantile).collect(),
            max: summary.sample.max(),
        }
    }
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Duration => "ms",
        Unit::Count => "count",
    }
}

/// The study as data.
pub fn result(study: &Study) -> StudyResult {
    StudyResult {
        api_version: "hasim/v1",
        kind: "StudyResult",
        scenario: study.about.scenario.clone(),
        fingerprint: study.about.fingerprint.clone(),
        seed: study.about.seed,
        first: study.trials.start,
        trials: study.trials.end - study.trials.start,
        confidence: CONFIDENCE,
        metrics: study.summaries().iter().map(MetricSummary::of).collect(),
        failures: study.failures.iter().map(Failure::to_string).collect(),
    }
}

/// The study for people: a line a metric, then how to read it.
pub fn text(study: &Study) -> Vec<Styled> {
    let Study { about, trials, .. } = study;
    let first = match trials.start {
        0 => String::new(),
        first => format!(" from number {first} on"),
    };
    let heading = format!(
        "{}: {} trials{first}, seed {}, {} each",
        about.scenario,
        trials.end - trials.start,
        about.seed,
        about.until
    );
    let mut lines = vec![Styled::of(heading, Tone::Heading), Styled::default()];
    let summaries = study.summaries();
    if summaries.is_empty() {
        lines.push(Styled::plain("No metric has a value in any trial."));
    } else {
        let rows: Vec<Vec<String>> = summaries.iter().map(text_row).collect();
        let header = ["METRIC", "N", "MEAN", "P5", "P50", "P95", "P99", "MIN", "MAX"];
        lines.extend(columns(&header, &rows).into_iter().map(Styled::plain));
        lines.push(Styled::default());
        lines.push(Styled::of(
            "±: 95 % interval of the mean. Intervals of quantiles: --format json or csv.",
            Tone::Dim,
        ));
    }
    lines.extend(study.failures.iter().map(|f| Styled::of(f.to_string(), Tone::Bad)));
    lines
}

fn text_row(summary: &Summary) -> Vec<String> {
    let show = |value: f64| shown(summary.metric.unit, value);
    let reach = summary
        .moments
        .interval
        .high
        .map_or(String::new(), |high| format!(" ± {}", show(high - summary.moments.mean)));
    let mut row = vec![
        summary.metric.name.to_owned(),
        summary.sample.count().to_string(),
        format!("{}{reach}", show(summary.moments.mean)),
    ];
    row.extend(summary.quantiles.iter().map(|(value, _)| show(*value)));
    row.extend([show(summary.sample.min()), show(summary.sample.max())]);
    row
}

/// A number of a metric for people: four digits, seconds from 1 s on.
pub fn shown(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Count => format!("{value:.2}").trim_end_matches('0').trim_end_matches('.').to_owned(),
        Unit::Duration if value.abs() >= 999.95 => format!("{:.3}s", value / 1_000.0),
        Unit::Duration => format!("{value:.1}ms"),
    }
}

fn percent(p: f64) -> String {
    format!("{:.0}", p * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law: milliseconds in files are exact to the nanosecond, without zeros at the end.
    #[test]
    fn milliseconds_are_exact() {
        let spans = [0, 1, 20_000_000, 1_234_567_890, 10_100_000];
        let texts = spans.map(|nanos| milliseconds(Duration::from_nanos(nanos)));
        assert_eq!(texts, ["0", "0.000001", "20", "1234.56789", "10.1"]);
    }

    /// Law: a metric that did not happen is an empty cell, and each row has a cell for each metric.
    #[test]
    fn rows_have_a_cell_for_each_metric() {
        let metric = failover::find("etcd.election").expect("a metric");
        let value = Value::Duration(Duration::from_millis(1_200));
        let row = Row { trial: 3, readings: vec![failover::Reading { metric, value }] };
        let line = csv_row(&row, &["etcd.first_campaign", "etcd.election", "lb.mark_up"]);
        assert_eq!(line, "3,,1200,\n");
    }
}

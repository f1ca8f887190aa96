//! A study of rare outages as a table for people, as JSON and as CSV.
//!
//! Absent on purpose: statistics, and the decision whether there is an interval.

use super::layout::{WIDTH, columns, wrap};
use super::reasons::{self, ReasonResult};
use super::style::{Styled, Tone};
use crate::experiment::rare::{Basis, RareStudy, Search, Share};
use crate::experiment::years::HOURS_PER_YEAR;
use crate::kernel::time::Duration;
use crate::reliability::ideal::{Measure, Reason};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use std::fmt::Write;

/// Confidence of the intervals.
pub const CONFIDENCE: f64 = 0.95;

/// Seconds of a year.
const YEAR: f64 = HOURS_PER_YEAR * 3_600.0;

/// The study as data.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RareResult {
    /// `hasim/v1`.
    pub api_version: &'static str,
    /// `RareStudyResult`.
    pub kind: &'static str,
    /// The scenario's name.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// The first trial.
    pub first: u64,
    /// How many trials.
    pub trials: u64,
    /// What is estimated: `long run` (trials of whole cycles, from everything up to everything up), or
    /// `years` (each trial begins with everything up and new).
    pub estimates: &'static str,
    /// Years that each trial lasts; `null` for the long run.
    pub years: Option<u64>,
    /// Incidents that were looked at, each on one path or more.
    pub incidents: u64,
    /// Years that the trials stand for.
    pub years_simulated: f64,
    /// Of all intervals: Student's, for a ratio of means over independent trials (delta method).
    pub confidence: f64,
    /// The measures.
    pub measures: Vec<RareMeasureResult>,
    /// The share of requests that meet an unhealthy server in the rotation, or an empty rotation;
    /// `null` where balancers notice at once.
    pub request_loss: Option<RareEstimateResult>,
    /// Trials that panicked.
    pub failures: Vec<String>,
}

/// An estimate with its interval, or the reason why it has none.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RareEstimateResult {
    /// The estimate.
    pub value: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Lower end of its interval; `null` where the study cannot support one.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Why there is no interval, and what to do; `null` where there is one.
    pub refusal: Option<String>,
    /// Paths that gave anything.
    pub paths: u64,
    /// As many paths of equal weight would tell as much.
    pub effective_paths: f64,
    /// The largest share of the estimate that one path has.
    pub largest_share: f64,
}

/// One measure.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RareMeasureResult {
    /// Its name.
    pub measure: &'static str,
    /// How it was looked for after the first failure of an incident: `plain`, `forced`, or `none` for a
    /// measure that is never down, whatever fails.
    pub search: &'static str,
    /// The share of time that it is down.
    pub unavailability: RareEstimateResult,
    /// The share of time that it is up.
    pub availability: f64,
    /// Minutes down a year.
    pub minutes_per_year: f64,
    /// Outages a year.
    pub outages_per_year: f64,
    /// The mean outage in seconds; `null` where there was none.
    pub mean_outage_seconds: Option<f64>,
    /// Minutes down a year by reason.
    pub minutes_per_year_by_reason: Vec<ReasonResult>,
}

impl RareEstimateResult {
    fn of(share: Option<&Share>) -> Self {
        let reach = share.and_then(|share| share.down.reach(CONFIDENCE));
        let refusal = share.and_then(|share| share.refusal);
        let value = share.map_or(0.0, |share| share.down.mean);
        let reach = match share {
            None => Some(0.0),
            Some(_) => reach.filter(|_| refusal.is_none()),
        };
        Self {
            value,
            standard_error: share.map_or(0.0, |share| share.down.error),
            low: reach.map(|reach| (value - reach).max(0.0)),
            high: reach.map(|reach| value + reach),
            refusal: refusal.map(|refusal| refusal.to_string()),
            paths: share.map_or(0, |share| share.paths),
            effective_paths: share.map_or(0.0, |share| share.effective),
            largest_share: share.map_or(0.0, |share| share.greatest),
        }
    }
}

impl RareMeasureResult {
    fn of(study: &RareStudy, measure: Measure) -> Self {
        let share = study.measure(measure);
        let unavailability = RareEstimateResult::of(share.as_ref());
        let minutes = |part: f64| part * YEAR / 60.0;
        let reason = |reason: Reason| {
            share.as_ref().map_or(0.0, |share| minutes(share.reasons[reason as usize]))
        };
        Self {
            measure: measure.name(),
            search: match (&share, study.search(measure)) {
                (None, _) => "none",
                (_, Search::Plain) => "plain",
                (_, Search::Forced) => "forced",
            },
            availability: 1.0 - unavailability.value,
            minutes_per_year: minutes(unavailability.value),
            unavailability,
            outages_per_year: share.as_ref().map_or(0.0, |share| share.outages_per_year),
            mean_outage_seconds: share.as_ref().and_then(|share| share.mean_outage),
            minutes_per_year_by_reason: reasons::all(reason),
        }
    }
}

/// The study as data.
pub fn result(study: &RareStudy) -> RareResult {
    let years = match study.basis {
        Basis::Cycles => None,
        Basis::Years(years) => Some(years),
    };
    RareResult {
        api_version: "hasim/v1",
        kind: "RareStudyResult",
        scenario: study.scenario.clone(),
        seed: study.seed,
        first: study.first,
        trials: study.totals.trials,
        estimates: if years.is_some() { "years" } else { "long run" },
        years,
        incidents: study.totals.incidents,
        years_simulated: study.totals.years(),
        confidence: CONFIDENCE,
        measures: Measure::ALL.map(|measure| RareMeasureResult::of(study, measure)).to_vec(),
        request_loss: study.requests().map(|share| RareEstimateResult::of(Some(&share))),
        failures: study.failures.iter().map(ToString::to_string).collect(),
    }
}

/// The JSON Schema of [`RareResult`].
pub fn schema() -> serde_json::Value {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    generator.into_root_schema_for::<RareResult>().to_value()
}

/// A line a measure.
pub fn csv(study: &RareStudy) -> String {
    let mut text = "measure,search,unavailability,standard_error,low,high,minutes_per_year,\
        outages_per_year,mean_outage_seconds,paths,effective_paths,largest_share\n"
        .to_owned();
    let cell = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
    for measure in result(study).measures {
        let share = measure.unavailability;
        let _ = writeln!(
            text,
            "{},{},{},{},{},{},{},{},{},{},{},{}",
            measure.measure,
            measure.search,
            share.value,
            share.standard_error,
            cell(share.low),
            cell(share.high),
            measure.minutes_per_year,
            measure.outages_per_year,
            cell(measure.mean_outage_seconds),
            share.paths,
            share.effective_paths,
            share.largest_share
        );
    }
    text
}

/// The study for people.
pub fn text(study: &RareStudy) -> Vec<Styled> {
    let result = result(study);
    let heading = format!(
        "{}: {} incidents in {} trials, for {:.0} years, seed {}",
        study.scenario, result.incidents, result.trials, result.years_simulated, study.seed
    );
    let mut lines = vec![Styled::of(heading, Tone::Heading), Styled::default()];
    let rows: Vec<_> = result.measures.iter().map(row).collect();
    let header = ["SERVICE", "UNAVAILABILITY", "DOWN A YEAR", "OUTAGES A YEAR", "MEAN", "SEARCH"];
    lines.extend(columns(&header, &rows).into_iter().map(Styled::plain));
    lines.extend(by_reason(&result));
    if let Some(loss) = &result.request_loss {
        lines.push(Styled::default());
        let loss = format!(
            "Requests that meet an unhealthy server in the rotation: {}.",
            estimate(loss).replace(NO_INTERVAL, "(no interval)")
        );
        lines.extend(wrap(&loss, WIDTH).into_iter().map(Styled::plain));
    }
    lines.extend(refusals(&result));
    lines.push(Styled::default());
    lines.extend(wrap(&note(&result), WIDTH).into_iter().map(|line| Styled::of(line, Tone::Dim)));
    lines.extend(result.failures.iter().map(|told| Styled::of(told, Tone::Bad)));
    lines
}

/// What stands where an interval would.
const NO_INTERVAL: &str = "±?";

fn estimate(found: &RareEstimateResult) -> String {
    let reach = found.high.map_or(NO_INTERVAL.to_owned(), |high| {
        let reach = high - found.value;
        if reach > 0.0 { format!("± {reach:.1e}") } else { String::new() }
    });
    format!("{:.3e} {reach}", found.value).trim_end().to_owned()
}

fn row(measure: &RareMeasureResult) -> Vec<String> {
    if measure.search == "none" {
        let none = || "–".to_owned();
        return vec![measure.measure.to_owned(), "0".to_owned(), none(), none(), none(), none()];
    }
    vec![
        measure.measure.to_owned(),
        estimate(&measure.unavailability),
        span(measure.minutes_per_year * 60.0),
        format!("{:.3e}", measure.outages_per_year),
        measure.mean_outage_seconds.map_or("–".to_owned(), span),
        measure.search.to_owned(),
    ]
}

/// Shares of the downtime by reason, of measures that were down at all.
fn by_reason(result: &RareResult) -> Vec<Styled> {
    let measures = result.measures.iter().map(|m| (m.measure, &m.minutes_per_year_by_reason[..]));
    let share = |minutes: f64, all: f64| format!("{:.1} %", minutes / all * 100.0);
    let table = reasons::table("DOWN FOR", &measures, share).into_iter().map(Styled::plain);
    let gap = (table.len() > 0).then(Styled::default);
    gap.into_iter().chain(table).collect()
}

fn refusals(result: &RareResult) -> Vec<Styled> {
    let requests = result.request_loss.iter().map(|found| ("requests", found));
    let measures = result.measures.iter().map(|found| (found.measure, &found.unavailability));
    let mut lines = Vec::new();
    for (name, found) in measures.chain(requests) {
        if let Some(refusal) = &found.refusal {
            let told = format!("No interval for {name}: {refusal}.");
            lines
                .extend(wrap(&told, WIDTH).into_iter().map(|line| Styled::of(line, Tone::Warning)));
        }
    }
    if !lines.is_empty() {
        lines.insert(0, Styled::default());
    }
    lines
}

fn note(result: &RareResult) -> String {
    let basis = match result.years {
        None => {
            "The long run: trials are whole cycles, from everything up to everything up.".into()
        }
        Some(1) => "The first year: each trial begins with everything up and new.".to_owned(),
        Some(years) => {
            format!("The first {years} years: each trial begins with everything up and new.")
        }
    };
    format!(
        "±: {:.0} % interval over trials (Student, ratio of means). {basis} `forced`: what follows an \
         incident's first failure was looked for on paths on which failures are forced and weighted. A \
         year has {HOURS_PER_YEAR:.0} h.",
        CONFIDENCE * 100.0
    )
}

fn span(seconds: f64) -> String {
    let told = Duration::from_secs_f64(seconds).unwrap_or(Duration::MAX);
    if told.is_zero() && seconds > 0.0 { format!("{seconds:.1e} s") } else { told.human() }
}

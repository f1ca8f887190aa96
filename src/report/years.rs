//! A study over years as a table for people, as JSON and as CSV.
//!
//! Absent on purpose: statistics.

use super::amount::{amount, around};
use super::layout::{WIDTH, columns, wrap};
use super::reasons::{self, ReasonResult};
use super::style::{Styled, Tone};
use crate::experiment::years::{BINS, Estimate, HOURS_PER_YEAR, YearStudy};
use crate::kernel::time::Duration;
use crate::reliability::ideal::Measure;
use serde::Serialize;
use std::fmt::Write;

/// Confidence of the intervals.
pub const CONFIDENCE: f64 = 0.95;

/// The study as data.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct YearResult {
    /// `hasim/v1`.
    pub api_version: &'static str,
    /// `YearStudyResult`.
    pub kind: &'static str,
    /// The scenario's name.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// The first trial.
    pub first: u64,
    /// How many trials.
    pub trials: u64,
    /// Years that each lasts, from a beginning with everything up.
    pub years: u64,
    /// Of all intervals: Student's, over independent trials.
    pub confidence: f64,
    /// The measures.
    pub measures: Vec<MeasureResult>,
    /// The share of requests that meet an unhealthy server in the rotation, or an empty rotation.
    pub request_loss: EstimateResult,
    /// Trials that panicked.
    pub failures: Vec<String>,
}

/// A mean over trials with its interval.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EstimateResult {
    /// The mean.
    pub value: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Lower end of its interval; `null` of a single trial.
    pub low: Option<f64>,
    /// Upper end; `null` also where all trials gave nothing, which bounds no mean.
    pub high: Option<f64>,
}

/// One measure.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MeasureResult {
    /// Its name.
    pub measure: &'static str,
    /// The share of time that it is down.
    pub unavailability: EstimateResult,
    /// The share of time that it is up.
    pub availability: f64,
    /// The share of fresh requests that are not served, in outages and beside them; `null` for what
    /// nobody asks for.
    pub requests_unserved: Option<EstimateResult>,
    /// The share of fresh requests that are served.
    pub request_availability: Option<f64>,
    /// Minutes down a year.
    pub minutes_per_year: f64,
    /// Outages a year.
    pub outages_per_year: f64,
    /// Where no outage was seen: as many a year would have shown one with the confidence of the
    /// intervals (−ln 0.05 outages in all the years, as outages that rare are Poisson's); else `null`.
    pub outages_per_year_below: Option<f64>,
    /// The mean outage in seconds; `null` where there was none.
    pub mean_outage_seconds: Option<f64>,
    /// Time simulated until the first outage over the trials that had one, in hours; `null` where
    /// none had.
    pub mean_hours_to_first_outage: Option<f64>,
    /// Trials without an outage.
    pub trials_without_outage: u64,
    /// Minutes down a year by reason.
    pub minutes_per_year_by_reason: Vec<ReasonResult>,
    /// Outages by length: the upper edge in seconds (`null`: no edge), and how many.
    pub outage_lengths: Vec<LengthResult>,
    /// The trials that were down longest, the worst first.
    pub worst_trials: Vec<WorstResult>,
}

/// A trial that was down for long.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WorstResult {
    /// Its number: `hasim run --trial` replays it.
    pub trial: u64,
    /// How long it was down, in hours.
    pub hours: f64,
}

/// Outages of about one length.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LengthResult {
    /// Shorter than this many seconds, and not shorter than the bin before.
    pub below_seconds: Option<u64>,
    /// How many in all trials.
    pub outages: u64,
}

impl EstimateResult {
    fn of(estimate: Estimate) -> Self {
        let reach = estimate.reach(CONFIDENCE);
        Self {
            value: estimate.mean,
            standard_error: estimate.error,
            low: reach.map(|reach| (estimate.mean - reach).max(0.0)),
            high: reach
                .filter(|reach| estimate.mean + reach > 0.0)
                .map(|reach| estimate.mean + reach),
        }
    }
}

impl MeasureResult {
    fn of(study: &YearStudy, measure: Measure) -> Self {
        let total = &study.results.measures[measure as usize];
        let unavailability = EstimateResult::of(study.unavailability(measure));
        let unserved = study.unserved(measure).map(EstimateResult::of);
        let minutes = |nanos: u128| nanos as f64 / 60e9 / study.years_in_all();
        let some = |count: u64, value: f64| (count > 0).then_some(value);
        let edges = BINS.iter().map(|edge| Some(*edge)).chain([None]);
        let length = |(below_seconds, outages): (Option<u64>, &u64)| LengthResult {
            below_seconds,
            outages: *outages,
        };
        let worst = |(down, trial): &(u64, u64)| WorstResult {
            trial: *trial,
            hours: *down as f64 / 3.6e12,
        };
        Self {
            measure: measure.name(),
            unavailability,
            availability: 1.0 - unavailability.value,
            requests_unserved: unserved,
            request_availability: unserved.map(|unserved| 1.0 - unserved.value),
            minutes_per_year: minutes(total.down),
            outages_per_year: study.outages_per_year(measure),
            outages_per_year_below: (total.outages == 0)
                .then(|| -libm::log(1.0 - CONFIDENCE) / study.years_in_all()),
            mean_outage_seconds: some(
                total.outages,
                total.down as f64 / 1e9 / total.outages as f64,
            ),
            mean_hours_to_first_outage: some(
                total.trials_down,
                total.until_first as f64 / 3.6e12 / total.trials_down as f64,
            ),
            trials_without_outage: study.results.trials - total.trials_down,
            minutes_per_year_by_reason: reasons::all(|reason| {
                minutes(total.reasons[reason as usize])
            }),
            outage_lengths: edges.zip(&total.lengths).map(length).collect(),
            worst_trials: total.worst.iter().filter(|worst| worst.0 > 0).map(worst).collect(),
        }
    }
}

/// The study as data.
pub fn result(study: &YearStudy) -> YearResult {
    YearResult {
        api_version: "hasim/v1",
        kind: "YearStudyResult",
        scenario: study.about.scenario.clone(),
        seed: study.about.seed,
        first: study.trials.start,
        trials: study.results.trials,
        years: study.years(),
        confidence: CONFIDENCE,
        measures: Measure::ALL.map(|measure| MeasureResult::of(study, measure)).to_vec(),
        request_loss: EstimateResult::of(study.request_loss()),
        failures: study.failures.iter().map(ToString::to_string).collect(),
    }
}

/// A line a measure.
pub fn csv(study: &YearStudy) -> String {
    let mut text = "measure,unavailability,standard_error,low,high,minutes_per_year,\
        outages_per_year,mean_outage_seconds,mean_hours_to_first_outage,requests_unserved\n"
        .to_owned();
    let cell = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
    for measure in result(study).measures {
        let share = measure.unavailability;
        let _ = writeln!(
            text,
            "{},{},{},{},{},{},{},{},{},{}",
            measure.measure,
            share.value,
            share.standard_error,
            cell(share.low),
            cell(share.high),
            measure.minutes_per_year,
            measure.outages_per_year,
            cell(measure.mean_outage_seconds),
            cell(measure.mean_hours_to_first_outage),
            cell(measure.requests_unserved.map(|unserved| unserved.value))
        );
    }
    text
}

/// The study for people.
pub fn text(study: &YearStudy) -> Vec<Styled> {
    let result = result(study);
    let years = if result.years == 1 { "year" } else { "years" };
    let heading = format!(
        "{}: {} trials of {} {years}, seed {}",
        result.scenario, result.trials, result.years, result.seed
    );
    let mut lines = vec![Styled::of(heading, Tone::Heading), Styled::default()];
    let rows: Vec<_> = result.measures.iter().map(availability_row).collect();
    let header = ["SERVICE", "TIME UP", "SERVED", "DOWN A YEAR", "OUTAGES", "MEAN"];
    lines.extend(columns(&header, &rows).into_iter().map(Styled::plain));
    lines.push(Styled::default());
    lines.extend(by_reason(&result));
    if result.request_loss.value > 0.0 {
        lines.push(Styled::default());
        let loss = format!(
            "Requests that meet an unhealthy server in the rotation: {}.",
            share(result.request_loss)
        );
        lines.extend(wrap(&loss, WIDTH).into_iter().map(Styled::plain));
    }
    lines.extend(worst(&result, study.replayable()));
    lines.push(Styled::default());
    let note = format!(
        "SERVED: the share of fresh requests; OUTAGES: a year, and their mean. ±: {:.0} % interval over \
         trials (Student). Each trial begins with everything up. A year has {HOURS_PER_YEAR:.0} h.",
        CONFIDENCE * 100.0
    );
    let unseen = result.measures.iter().any(|m| m.outages_per_year_below.is_some());
    let bound = " Where none was seen, a rate above the one shown would have shown one with that \
        probability; `--rare auto` reaches what is rarer.";
    let note = note + if unseen { bound } else { "" };
    lines.extend(wrap(&note, WIDTH).into_iter().map(|line| Styled::of(line, Tone::Dim)));
    lines.extend(result.failures.iter().map(|told| Styled::of(told, Tone::Bad)));
    lines
}

fn availability_row(measure: &MeasureResult) -> Vec<String> {
    let share = measure.unavailability;
    let seconds = |share: f64| share * HOURS_PER_YEAR * 3_600.0;
    let below = measure.outages_per_year_below.filter(|_| share.value <= 0.0);
    vec![
        measure.measure.to_owned(),
        nines(share.value),
        measure.requests_unserved.map_or("–".to_owned(), |unserved| nines(unserved.value)),
        match (below, share.high) {
            (Some(_), _) => "none seen".to_owned(),
            (None, None) => amount(seconds(share.value)),
            (None, Some(high)) => around(seconds(share.value), seconds(high - share.value)),
        },
        below.map_or_else(
            || format!("{:.2}", measure.outages_per_year),
            |below| format!("< {below:.1e}"),
        ),
        measure.mean_outage_seconds.map_or("–".to_owned(), amount),
    ]
}

/// The trials in which writes were down longest, and how to look at them.
fn worst(result: &YearResult, replayable: bool) -> Vec<Styled> {
    let writes = result.measures.iter().find(|m| m.measure == Measure::ApiWrite.name());
    let trials = writes.map_or(&[][..], |writes| &writes.worst_trials);
    if trials.is_empty() {
        return Vec::new();
    }
    let named = |worst: &WorstResult| format!("{} ({})", worst.trial, span(worst.hours * 3_600.0));
    let list = trials.iter().map(named).collect::<Vec<_>>().join(", ");
    let how = if replayable { "; `hasim run --trial N` replays one" } else { "" };
    let told =
        format!("Trials in which {} was down longest: {list}{how}.", Measure::ApiWrite.name());
    let lines = wrap(&told, WIDTH).into_iter().map(Styled::plain);
    std::iter::once(Styled::default()).chain(lines).collect()
}

/// Downtime by reason, of measures that were down at all.
fn by_reason(result: &YearResult) -> Vec<Styled> {
    let measures = result.measures.iter().map(|m| (m.measure, &m.minutes_per_year_by_reason[..]));
    let lines = reasons::table("BY REASON", &measures, |minutes, _| amount(minutes * 60.0));
    if lines.is_empty() {
        return vec![Styled::plain("Nothing was ever down.")];
    }
    lines.into_iter().map(Styled::plain).collect()
}

fn share(estimate: EstimateResult) -> String {
    let reach =
        estimate.high.map_or(String::new(), |high| format!(" ± {:.1e}", high - estimate.value));
    format!("{:.3e}{reach}", estimate.value)
}

/// An availability in percent, with three digits after its nines.
fn nines(unavailability: f64) -> String {
    if unavailability <= 0.0 {
        return "100 %".to_owned();
    }
    let nines = (-libm::log10(unavailability)).clamp(0.0, 13.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 14")]
    let digits = nines.ceil() as usize;
    format!("{:.digits$} %", (1.0 - unavailability) * 100.0)
}

fn span(seconds: f64) -> String {
    Duration::from_secs_f64(seconds).unwrap_or(Duration::MAX).human()
}

//! A run as JSON, for machines. The structure is stable: fields are added, never renamed.
//!
//! Times are milliseconds from the start of the run, spans milliseconds, both as numbers with up to six
//! decimals (whole nanoseconds); shares lie between 0 and 1; what did not happen is `null` or absent
//! from its list. Field by field: see the types of this module.

use super::blame::{shorten, term_words};
use super::tables::{Tables, tables};
use super::text;
use super::timeline;
use crate::component::record::HerdRecord;
use crate::kernel::time::{Duration, Time};
use crate::measure::blame::BlameLine;
use crate::measure::case::{Case, Findings};
use crate::measure::failover::{Reading, Unit, Value};
use crate::measure::outage::{Interval, Record, Severity};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;

/// The whole result of one run.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunResult {
    /// `hasim/v1`.
    pub api_version: &'static str,
    /// `RunResult`.
    pub kind: &'static str,
    /// The version of hasim: the same version, scenario, seed and trial give the same bytes.
    pub hasim_version: &'static str,
    /// The scenario's name.
    pub scenario: String,
    /// What the scenario claims.
    pub description: String,
    /// Releases of the simulated software.
    pub versions: Releases,
    /// The seed that was used.
    pub seed: u64,
    /// Which trial of that seed; 0 unless one of a study was asked for.
    pub trial: u64,
    /// Length of the run.
    pub until_ms: f64,
    /// Whether every expectation held (true without any).
    pub passed: bool,
    /// One entry per state transition.
    pub timeline: Vec<TimelineEntry>,
    /// Outages and shares per service.
    pub services: Vec<ServiceResult>,
    /// Metrics that have a value.
    pub metrics: Vec<MetricResult>,
    /// How things stood at the moments that were asked for, in order of time.
    pub moments: Vec<Moment>,
    /// How things stand at the end.
    pub at_end: Tables,
    /// Claims and what became of them.
    pub expectations: Vec<ExpectationResult>,
    /// Laws that were broken.
    pub violations: Vec<ViolationResult>,
    /// What became of the requests of informers, up to the last line of each book.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub informers: Vec<InformersResult>,
}

/// The requests of informers: those issued are served, rejected, given up or pending.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InformersResult {
    /// Whose.
    pub name: String,
    /// Until when.
    pub until_ms: f64,
    /// Lists, starts of watches, and others.
    pub issued: u64,
    /// Answered.
    pub served: u64,
    /// Refused for good.
    pub rejected: u64,
    /// Given up, or lost with their connection.
    pub given_up: u64,
    /// Not over yet.
    pub pending: u32,
    /// How often one was turned away (429), each time.
    pub turned_away: u64,
    /// How often requests were sent, each time.
    pub sent: u64,
}

/// Releases of the simulated software.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Releases {
    /// Kubernetes, minor release.
    pub kubernetes: String,
    /// etcd, minor release.
    pub etcd: String,
}

/// How things stood at a moment.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Moment {
    /// When.
    pub at_ms: f64,
    /// What the field's tools would have shown.
    pub tables: Tables,
}

/// A line of the timeline.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TimelineEntry {
    /// When.
    pub at_ms: f64,
    /// Who.
    pub who: String,
    /// What.
    pub what: String,
    /// Because of what; empty for what a fault did at once.
    pub why: String,
    /// The event it belongs to, as in the trace.
    pub event: u32,
}

/// How a service fared.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceResult {
    /// Its name.
    pub service: &'static str,
    /// Share of time in which some request would have been served.
    pub time_weighted: f64,
    /// Mean share of requests that would have been served.
    pub request_weighted: f64,
    /// Number of outages.
    pub outages: usize,
    /// The longest of them.
    pub longest_outage_ms: f64,
    /// All of them together.
    pub total_outage_ms: f64,
    /// Whether it was up at the end.
    pub up_at_end: bool,
    /// Outages and degradations in order of time.
    pub intervals: Vec<IntervalResult>,
}

/// An outage or a degradation.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IntervalResult {
    /// `outage` or `degradation`.
    pub severity: &'static str,
    /// When it began.
    pub from_ms: f64,
    /// When it ended; `null` if open at the end of the run.
    pub to_ms: Option<f64>,
    /// How long it was, up to the end of the run if open.
    pub length_ms: f64,
    /// Mean share of requests hit.
    pub requests_hit: f64,
    /// The fault behind it, in words.
    pub cause: String,
    /// What made it as long as it was; `null` if open.
    pub blame: Option<BlameResult>,
}

/// A blame line.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BlameResult {
    /// In order of time; they add up to the length.
    pub terms: Vec<TermResult>,
    /// The longest wait for a configurable option, in words.
    pub shorten: Option<String>,
    /// The line in words.
    pub text: String,
}

/// One term.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TermResult {
    /// The option or mechanism.
    pub parameter: String,
    /// How long; negative for what had passed before.
    pub ms: f64,
    /// Who waited.
    pub owner: Option<String>,
}

/// A metric.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricResult {
    /// Its name.
    pub name: &'static str,
    /// `ms` or `count`.
    pub unit: &'static str,
    /// Its value in that unit.
    pub value: f64,
    /// From when to when, or what is counted.
    pub doc: &'static str,
}

/// A claim and what became of it.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExpectationResult {
    /// Key path in the scenario.
    pub path: String,
    /// What it is about.
    pub subject: String,
    /// What was claimed.
    pub expected: String,
    /// What came.
    pub got: String,
    /// Whether it held.
    pub passed: bool,
}

/// A broken law.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ViolationResult {
    /// Which.
    pub law: &'static str,
    /// When.
    pub at_ms: f64,
    /// By what.
    pub what: String,
}

/// Milliseconds of a span.
pub fn span_ms(span: Duration) -> f64 {
    span.as_millis_f64()
}

/// Milliseconds from the start of the run.
pub fn time_ms(t: Time) -> f64 {
    t.since_start_nanos() as f64 / 1e6
}

/// Which run it was.
#[derive(Clone, Copy, Debug)]
pub struct Which {
    /// The seed of its draws.
    pub seed: u64,
    /// Which trial of that seed.
    pub trial: u64,
}

/// The result of a run, with how it stood at some moments of it.
pub fn result(case: &Case, findings: &Findings, which: Which, moments: &[Case]) -> RunResult {
    let timeline = timeline::lines(case).into_iter().map(|line| TimelineEntry {
        at_ms: time_ms(line.at),
        who: line.who,
        what: line.what,
        why: line.why,
        event: line.because.0,
    });
    RunResult {
        api_version: "hasim/v1",
        kind: "RunResult",
        hasim_version: env!("CARGO_PKG_VERSION"),
        scenario: case.plan.name.clone(),
        description: case.plan.description.clone(),
        versions: Releases {
            kubernetes: case.plan.versions.kubernetes.to_string(),
            etcd: case.plan.versions.etcd.to_string(),
        },
        seed: which.seed,
        trial: which.trial,
        until_ms: time_ms(case.until),
        passed: findings.passed(),
        timeline: timeline.collect(),
        services: findings.services.iter().map(|record| service(case, record)).collect(),
        metrics: findings.metrics.iter().map(metric).collect(),
        moments: moments.iter().map(moment).collect(),
        at_end: tables(case.plan, case.until, case.end),
        expectations: findings.expectations.iter().map(expectation).collect(),
        violations: findings.violations.iter().map(violation).collect(),
        informers: findings.herds.iter().map(|(at, line)| informers(case, *at, line)).collect(),
    }
}

fn informers(case: &Case, at: Time, line: &HerdRecord) -> InformersResult {
    InformersResult {
        name: case.plan.map.name(line.client).to_owned(),
        until_ms: time_ms(at),
        issued: line.issued,
        served: line.served,
        rejected: line.rejected,
        given_up: line.timed_out,
        pending: line.pending,
        turned_away: line.turned_away,
        sent: line.sent,
    }
}

/// The JSON Schema of a result: every field with its meaning.
pub fn schema() -> serde_json::Value {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    generator.into_root_schema_for::<RunResult>().to_value()
}

/// The result as indented JSON with a line feed at the end.
///
/// # Errors
/// None in practice: every value can be written.
pub fn render(result: &RunResult) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(result).map(|text| text + "\n")
}

fn moment(case: &Case) -> Moment {
    Moment { at_ms: time_ms(case.until), tables: tables(case.plan, case.until, case.end) }
}

fn service(case: &Case, record: &Record) -> ServiceResult {
    ServiceResult {
        service: record.service.name(),
        time_weighted: record.time_weighted,
        request_weighted: record.request_weighted,
        outages: record.outages().count(),
        longest_outage_ms: span_ms(record.longest_outage()),
        total_outage_ms: span_ms(record.total_outage()),
        up_at_end: record.up_at_end,
        intervals: record.intervals.iter().map(|one| interval(case, one)).collect(),
    }
}

fn interval(case: &Case, interval: &Interval) -> IntervalResult {
    IntervalResult {
        severity: match interval.severity {
            Severity::Outage => "outage",
            Severity::Degradation => "degradation",
        },
        from_ms: time_ms(interval.from),
        to_ms: interval.to.map(time_ms),
        length_ms: span_ms(interval.length),
        requests_hit: interval.hit,
        cause: text::cause(case, interval),
        blame: interval.blame.as_ref().map(|line| blame(case, line)),
    }
}

fn blame(case: &Case, line: &BlameLine) -> BlameResult {
    let terms = line.terms.iter().map(|term| TermResult {
        parameter: term_words(case, term),
        ms: term.nanos as f64 / 1e6,
        owner: term.owner.map(|id| case.plan.map.name(id).to_owned()),
    });
    let text = super::blame::line(case, line);
    BlameResult { terms: terms.collect(), shorten: shorten(line), text }
}

fn metric(reading: &Reading) -> MetricResult {
    let value = match reading.value {
        Value::Duration(span) => span_ms(span),
        Value::Count(count) => count as f64,
    };
    let unit = match reading.metric.unit {
        Unit::Duration => "ms",
        Unit::Count => "count",
    };
    MetricResult { name: reading.metric.name, unit, value, doc: reading.metric.doc }
}

fn expectation(verdict: &crate::measure::expectation::Verdict) -> ExpectationResult {
    ExpectationResult {
        path: verdict.path.clone(),
        subject: verdict.subject.clone(),
        expected: verdict.expected.clone(),
        got: verdict.got.clone(),
        passed: verdict.passed,
    }
}

fn violation(violation: &crate::measure::invariants::Violation) -> ViolationResult {
    ViolationResult {
        law: violation.law.name(),
        at_ms: time_ms(violation.at),
        what: violation.what.clone(),
    }
}

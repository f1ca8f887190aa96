//! What became of a validation: as data, as text for the terminal, and as a page with plots.
//!
//! Absent on purpose: files. Whoever calls hands the texts over and writes what comes back.

mod page;
mod plot;
mod rows;
mod text;

use crate::experiment::validation::{ExperimentResult, MetricResult};
use rows::{MetricRow, row};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

pub use page::{html, markdown};
pub use plot::svg;
pub use text::text;

/// One experiment with everything that is told of it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What became of it.
    pub result: ExperimentResult,
    /// The scenario's text.
    pub scenario: String,
    /// Where the model is known to differ and why, in plain words; empty if nowhere.
    pub note: String,
    /// The metrics of which a value of the environment was taken: shown, and not counted as tests.
    pub sources: Vec<String>,
}

impl Entry {
    /// Whether everything agrees.
    pub fn passed(&self) -> bool {
        self.result.passed()
    }

    /// The metrics that test the model: all of which no value of the environment was taken.
    fn tests(&self) -> impl Iterator<Item = &MetricResult> {
        let metrics = self.result.metrics.iter();
        metrics.filter(|metric| !self.is_source(metric))
    }

    /// Whether a value of the environment was taken of a metric.
    fn is_source(&self, metric: &MetricResult) -> bool {
        self.sources.contains(&metric.measured.name)
    }

    /// How many tests agree of how many, and how many metrics are no tests.
    fn counts(&self) -> (usize, usize, usize) {
        let agree = self.tests().filter(|metric| metric.passed()).count();
        let tests = self.tests().count();
        (agree, tests, self.result.metrics.len() - tests)
    }
}

/// All experiments of a validation.
#[derive(Clone, Debug)]
pub struct Report {
    /// The experiments, by name.
    pub entries: Vec<Entry>,
    /// The text of the environment that the scenarios share, with its file's name.
    pub environment: Option<(String, String)>,
    /// What is known to differ everywhere, a paragraph each.
    pub notes: Vec<String>,
    /// The seed of all trials.
    pub seed: u64,
    /// Trials of each experiment.
    pub trials: u64,
}

impl Report {
    /// Whether every experiment agrees.
    pub fn passed(&self) -> bool {
        self.entries.iter().all(Entry::passed)
    }

    /// One line on the whole.
    pub fn headline(&self) -> String {
        let sum = |(a, b, c): (usize, usize, usize), (x, y, z)| (a + x, b + y, c + z);
        let (good, tests, sources) = self.entries.iter().map(Entry::counts).fold((0, 0, 0), sum);
        let passed = self.entries.iter().filter(|entry| entry.passed()).count();
        let no_tests = match sources {
            0 => String::new(),
            n => format!("; {n} more set the environment"),
        };
        format!(
            "{passed} of {} experiments and {good} of {tests} metrics agree{no_tests} \
             ({} trials each, seed {})",
            self.entries.len(),
            self.trials,
            self.seed
        )
    }
}

/// The validation as data.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ValidationResult {
    /// `hasim/v1`.
    pub api_version: &'static str,
    /// `ValidationResult`.
    pub kind: &'static str,
    /// The version of hasim.
    pub version: &'static str,
    /// The seed that was used.
    pub seed: u64,
    /// Trials of each experiment.
    pub trials: u64,
    /// Hash of the environment's text (FNV-1a, 64 bits).
    pub environment_hash: Option<String>,
    /// Whether every experiment agrees.
    pub passed: bool,
    /// Experiment by experiment.
    pub experiments: Vec<ExperimentReport>,
}

/// One experiment.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExperimentReport {
    /// Its name.
    pub experiment: String,
    /// What was done.
    pub fault: String,
    /// What was configured.
    pub config: BTreeMap<String, Value>,
    /// Hash of the scenario's text (FNV-1a, 64 bits).
    pub scenario_hash: String,
    /// Whether every metric agrees.
    pub passed: bool,
    /// Where the model is known to differ and why.
    pub known_difference: Option<String>,
    /// Metric by metric.
    pub metrics: Vec<MetricRow>,
    /// Trials that panicked, in words that say how to replay them.
    pub failures: Vec<String>,
}

/// The validation as data.
pub fn result(report: &Report) -> ValidationResult {
    let experiment = |entry: &Entry| ExperimentReport {
        experiment: entry.result.experiment.id.clone(),
        fault: entry.result.experiment.fault.clone(),
        config: entry.result.experiment.config.clone(),
        scenario_hash: hash(&entry.scenario),
        passed: entry.passed(),
        known_difference: (!entry.note.is_empty()).then(|| entry.note.clone()),
        metrics: entry.result.metrics.iter().map(|metric| row(entry, metric)).collect(),
        failures: entry.result.failures.iter().map(ToString::to_string).collect(),
    };
    ValidationResult {
        api_version: "hasim/v1",
        kind: "ValidationResult",
        version: env!("CARGO_PKG_VERSION"),
        seed: report.seed,
        trials: report.trials,
        environment_hash: report.environment.as_ref().map(|(_, text)| hash(text)),
        passed: report.passed(),
        experiments: report.entries.iter().map(experiment).collect(),
    }
}

/// What was simulated, to tell whether a page is current.
pub fn manifest(report: &Report) -> Value {
    let scenarios: serde_json::Map<String, Value> = report
        .entries
        .iter()
        .map(|entry| (entry.result.experiment.id.clone(), hash(&entry.scenario).into()))
        .collect();
    let environment = report.environment.as_ref().map(|(name, text)| (name.clone(), hash(text)));
    serde_json::json!({
        "apiVersion": "hasim/v1",
        "kind": "ValidationManifest",
        "version": env!("CARGO_PKG_VERSION"),
        "seed": report.seed,
        "trials": report.trials,
        "hash": "FNV-1a, 64 bits, of the file's text",
        "environment": environment.into_iter().collect::<BTreeMap<_, _>>(),
        "scenarios": scenarios,
    })
}

/// FNV-1a with 64 bits: enough to see that a text has changed.
pub fn hash(text: &str) -> String {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{:016x}", text.bytes().fold(0xcbf2_9ce4_8422_2325, step))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law: the published test vectors of FNV-1a.
    #[test]
    fn hashes_are_fnv() {
        assert_eq!(hash(""), "cbf29ce484222325");
        assert_eq!(hash("foobar"), "85944171f73967e8");
    }
}

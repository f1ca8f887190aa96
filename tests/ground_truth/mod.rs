//! Measurements of the real programs, and scenarios that repeat them, for tests.

#![allow(dead_code, reason = "each test file uses what it needs")]

use hasim::plan::Plan;
use hasim::scenario::load::load;
use hasim::scenario::source::Source;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the validation scenarios stand.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/validation")
}

/// The text of a validation scenario.
pub(crate) fn text(experiment: &str) -> String {
    fs::read_to_string(folder().join(format!("{experiment}.json"))).expect("a scenario")
}

/// The validation scenario of an experiment, ready to run.
pub(crate) fn plan(experiment: &str) -> Plan {
    let source = Source::open(&folder().join(format!("{experiment}.json"))).expect("a scenario");
    let near =
        |name: &str| fs::read_to_string(folder().join(name)).map_err(|error| error.to_string());
    load(&source, &near).plan.unwrap_or_else(|| panic!("{experiment} has errors"))
}

/// What one experiment measured.
pub(crate) struct Measured(serde_json::Value);

impl Measured {
    /// The facts of an experiment.
    pub(crate) fn of(experiment: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ground_truth");
        let text = fs::read_to_string(folder.join(format!("{experiment}.json"))).expect("facts");
        Self(serde_json::from_str(&text).expect("JSON"))
    }

    /// The samples of a metric, in milliseconds or counts.
    pub(crate) fn samples(&self, metric: &str) -> Vec<f64> {
        let samples = self.0["metrics"][metric]["samples"].as_array().expect("samples");
        samples.iter().map(|x| x.as_f64().expect("a number")).collect()
    }

    /// Fails where two samples of one law would differ so much once in a thousand times
    /// (Kolmogorov-Smirnov, asymptotic).
    pub(crate) fn assert_same_law(&self, metric: &str, simulated: &[f64]) {
        let measured = self.samples(metric);
        let sizes = 1.0 / simulated.len() as f64 + 1.0 / measured.len() as f64;
        let limit = 1.949 * sizes.sqrt();
        let share =
            |of: &[f64], x: f64| of.iter().filter(|y| **y <= x).count() as f64 / of.len() as f64;
        let apart = |x: &f64| (share(simulated, *x) - share(&measured, *x)).abs();
        let distance = measured.iter().chain(simulated).map(apart).fold(0.0, f64::max);
        assert!(distance < limit, "{metric}: distance {distance:.3}, limit {limit:.3}");
    }
}

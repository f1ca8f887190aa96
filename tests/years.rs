//! Studies over years against exact solutions, as the library runs them.

use hasim::experiment::trials::{Sampling, Unwatched};
use hasim::experiment::years::{YearStudy, check};
use hasim::plan::Plan;
use hasim::reliability::ideal::Measure;
use hasim::scenario::load::load_text;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// Quantile of the normal law beyond which one value in a million lies: with some hundred
/// comparisons and fixed seeds, a correct model does not meet it.
const BEYOND: f64 = 4.9;

/// Fewest outages for a mean that is nearly normal.
const OUTAGES_MIN: u64 = 200;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn plan(path: &Path) -> Plan {
    let text = fs::read_to_string(path).expect("a scenario is readable");
    load_text("scenario", &text).plan.expect("a shipped scenario is valid")
}

fn study(plan: &Plan, trials: u64, years: u64, threads: usize) -> YearStudy {
    let sampling = Sampling { seed: 11, first: 0, trials, threads: Some(threads) };
    YearStudy::of(plan, sampling, years, &Unwatched).expect("threads start")
}

/// The models with their exact answers.
fn models() -> Vec<Value> {
    let read = |name: &str| -> Value {
        let path = root().join("tests/oracles").join(name);
        serde_json::from_str(&fs::read_to_string(path).expect("readable")).expect("JSON")
    };
    let list = |file: Value| file["models"].as_array().expect("a list").clone();
    ["oracles.json", "examples.json"].into_iter().flat_map(|name| list(read(name))).collect()
}

/// Law: simulated unavailability lies within its own standard error of the exact one, for every
/// model and measure that fails often enough to be seen.
#[test]
fn simulation_meets_the_exact_solutions() {
    let mut compared = 0;
    for model in models() {
        let id = model["id"].as_str().expect("a name");
        let path: PathBuf = root().join("scenarios/oracles").join(format!("{id}.json"));
        let plan = plan(&path);
        let study = study(&plan, 64, 50, 2);
        let pairs = [
            ("api_read", Measure::ApiReadCached),
            ("api_write", Measure::ApiWrite),
            ("etcd_quorum", Measure::EtcdMajority),
            ("etcd_leader", Measure::EtcdQuorum),
            ("controller", Measure::Reconciliation),
        ];
        for (name, measure) in pairs {
            let Some(exact) = model["exact"][name]["unavailability"].as_f64() else { continue };
            if study.totals.measures[measure as usize].outages < OUTAGES_MIN {
                continue;
            }
            let found = study.unavailability(measure);
            let off = (found.mean - exact) / found.error;
            assert!(off.abs() < BEYOND, "{id} {name}: {} against {exact}, {off:.1} σ", found.mean);
            compared += 1;
        }
        if let Some(exact) = model["exact"]["request_success"]["steady_loss"].as_f64() {
            let found = study.request_loss();
            let off = (found.mean - exact) / found.error;
            assert!(off.abs() < BEYOND, "{id} requests: {} against {exact}", found.mean);
            compared += 1;
        }
    }
    assert!(compared > 40, "only {compared} comparisons");
}

/// Law: the same sums for any number of threads; time down is the sum of its reasons.
#[test]
fn sums_are_exact() {
    let plan = plan(&root().join("scenarios/oracles/X17.json"));
    let one = study(&plan, 100, 3, 1);
    assert_eq!(one.totals, study(&plan, 100, 3, 3).totals);
    for total in one.totals.measures {
        assert_eq!(total.reasons.iter().sum::<u128>(), total.down);
    }
}

/// Law: what a study over years cannot do, it says.
#[test]
fn protocols_are_refused() {
    let reliable = plan(&root().join("scenarios/stop-cp1.json"));
    assert!(check(&reliable).unwrap_err().to_string().contains("nothing in this scenario fails"));
    let mut real = plan(&root().join("scenarios/oracles/X17.json"));
    real.timings = hasim::plan::timings::Timings::default();
    assert!(check(&real).unwrap_err().to_string().contains("`timings: ideal`"));
}

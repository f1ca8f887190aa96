//! Exact solutions against oracles: models with answers by two independent methods each.

use hasim::analytic::answer::{Answer, Exact, Measured};
use hasim::scenario::load::load_text;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Nine significant digits.
const TOLERANCE: f64 = 5e-10;

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn oracles() -> Vec<Value> {
    let files = ["tests/oracles/oracles.json", "tests/oracles/examples.json"];
    let parse = |file: &str| -> Value { serde_json::from_str(&read(file)).expect("JSON") };
    let models = files.map(|file| parse(file)["models"].as_array().expect("models").clone());
    models.concat()
}

fn exact(id: &str) -> Exact {
    let loaded = load_text("oracle.json", &read(&format!("scenarios/oracles/{id}.json")));
    let problems: Vec<_> = loaded.diagnostics.iter().map(|d| d.message.clone()).collect();
    let plan = loaded.plan.unwrap_or_else(|| panic!("{id}: {problems:?}"));
    Exact::of(&plan).unwrap_or_else(|obstacles| panic!("{id}: {obstacles:?}"))
}

/// What an oracle calls a service.
fn measured(name: &str) -> Measured {
    match name {
        "api_read" => Measured::ApiReadCached,
        "api_write" => Measured::ApiWrite,
        "etcd_quorum" => Measured::EtcdQuorum,
        "etcd_leader" => Measured::EtcdLeader,
        "controller" => Measured::Reconciliation,
        other => panic!("unknown service {other}"),
    }
}

/// Each number of an oracle's service with the exact solution's.
fn pairs(answer: &Answer, name: &str, values: &Value) -> Vec<(String, f64, f64)> {
    let mut found: Vec<(&str, f64)> = Vec::new();
    if name == "request_success" {
        let requests = answer.requests.expect("requests are measured");
        found.push(("steady", requests.success));
        found.push(("steady_loss", requests.loss));
        found.push(("steady_loss_digits", requests.loss));
        found.push(("first_year_mean_loss", requests.first_year_loss));
    } else {
        let service = answer.services.iter().find(|s| s.measured == measured(name)).unwrap();
        found.push(("availability", service.availability));
        found.push(("unavailability", service.unavailability));
        found.push(("unavailability_digits", service.unavailability));
        found.push(("outages_per_year", service.outages_per_year));
        found.push(("mean_outage_h", service.mean_outage_hours.unwrap()));
        found.push(("mttf_from_all_up_h", service.mttf_hours.unwrap()));
        found.push(("first_year_up_fraction", service.first_year_up));
        found.push(("first_year_down_fraction", service.first_year_down));
    }
    let found = found.into_iter();
    let number =
        |value: &Value| value.as_f64().or_else(|| value.as_str()?.parse().ok()).expect("a number");
    found.map(|(key, got)| (key.to_owned(), got, number(&values[key]))).collect()
}

/// Law: every number of every oracle is met to nine significant digits.
#[test]
fn oracles_are_met() {
    let mut wrong = Vec::new();
    for oracle in oracles() {
        let id = oracle["id"].as_str().expect("an id");
        let answer = exact(id).answer().expect("an answer");
        for (name, values) in oracle["exact"].as_object().expect("services") {
            for (key, got, expected) in pairs(&answer, name, values) {
                let apart = (got - expected).abs() / expected.abs();
                if apart.is_nan() || apart > TOLERANCE {
                    wrong.push(format!(
                        "{id} {name} {key}: {got:e}, not {expected:e} ({apart:.1e})"
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Law: the scenarios of the oracles claim what the oracles say.
#[test]
fn every_oracle_has_its_scenario() {
    for oracle in oracles() {
        let id = oracle["id"].as_str().expect("an id");
        let text: Value =
            serde_json::from_str(&read(&format!("scenarios/oracles/{id}.json"))).unwrap();
        assert_eq!(text["metadata"]["name"], oracle["id"]);
        let claim = text["metadata"]["description"].as_str().expect("a claim");
        let description = oracle["description"].as_str().expect("a description");
        assert!(claim.starts_with("Claim: ") && claim.contains(description), "{id}");
    }
}

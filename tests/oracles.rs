//! Exact solutions against oracles: models with answers by two independent methods each.

#[path = "oracles/scenario.rs"]
mod scenario;

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
        let service = answer
            .services
            .iter()
            .find(|s| s.measured == measured(name))
            .expect("the service is answered for");
        found.push(("availability", service.availability));
        found.push(("unavailability", service.unavailability));
        found.push(("unavailability_digits", service.unavailability));
        found.push(("outages_per_year", service.outages_per_year));
        found.push(("mean_outage_h", service.mean_outage_hours.expect("it fails at times")));
        found.push(("mttf_from_all_up_h", service.mttf_hours.expect("it fails at times")));
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

/// Law: the scenarios of the oracles claim what the oracles say, and have their parameters.
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
        let expected = scenario::of(&oracle["parameters"]);
        for section in ["cluster", "reliability", "timings"] {
            assert_eq!(text[section], expected[section], "{id} {section}");
        }
    }
}

/// The exact answer to machines that fail alike, for a number of members and of crews.
fn members(count: u32, crews: Option<u32>, laws: [&str; 2], more: &str) -> Answer {
    let crews = crews.map_or_else(String::new, |crews| {
        format!(r#", "crews": [{{ "count": {crews}, "for": ["machines.controlPlane"] }}]"#)
    });
    let [failure, repair] = laws;
    let text = format!(
        r#"{{ "apiVersion": "hasim/v1", "kind": "Scenario", "timings": "ideal",
          "cluster": {{ "controlPlane": {{ "replicas": {count} }}, "endpoint": {{ "kind": "all-servers" }} }},
          "reliability": {{ "machines": {{ "controlPlane": {{
            "failure": {{ "exponential": {{ "mean": "{failure}" }} }},
            "repair": {{ "exponential": {{ "mean": "{repair}" }} }} }} }}{crews}{more} }} }}"#
    );
    let plan = load_text("members.json", &text).plan.expect("a plan");
    Exact::of(&plan).expect("a chain").answer().expect("an answer")
}

fn near(got: f64, expected: f64, digits: f64) {
    assert!((got / expected - 1.0).abs() < digits, "{got:e}, not {expected:e}");
}

/// Law: a majority of members that fail every 1000 h and take 10 h has the times of its closed form,
/// with crews for all and with one.
#[test]
fn majorities_have_their_closed_forms() {
    let (l, m) = (1e-3_f64, 0.1_f64);
    let four_of_seven =
        (638.0 * l.powi(3) + 90.0 * l * l * m + 11.0 * l * m * m + m.powi(3)) / (840.0 * l.powi(4));
    let five = |own: bool| {
        let (b, c) = if own { (13.0, 2.0) } else { (8.0, 1.0) };
        (47.0 * l * l + b * l * m + c * m * m) / (60.0 * l.powi(3))
    };
    for (count, crews, mttf, unavailability) in [
        (1, None, 1000.0, 9.900_990_099e-3),
        (2, None, 500.0, 1.970_395_059e-2),
        (3, None, (5.0 * l + m) / (6.0 * l * l), 2.921_476_345e-4),
        (3, Some(1), (5.0 * l + m) / (6.0 * l * l), 5.880_035_630e-4),
        (4, None, (7.0 * l + m) / (12.0 * l * l), 5.804_417e-4),
        (5, None, five(true), 9.562_325_307e-6),
        (5, Some(1), five(false), 5.818_292_634e-5),
        (7, Some(1), four_of_seven, f64::NAN),
    ] {
        let answer = members(count, crews, ["1000h", "10h"], "");
        let quorum = answer.services[2];
        near(quorum.mttf_hours.unwrap(), mttf, 1e-12);
        if unavailability.is_finite() {
            near(quorum.unavailability, unavailability, 5e-7);
        }
    }
}

/// Law: how often and for how long, as other programs find it for members that fail every 1000 h and
/// take 10 h: outages an hour, hours down and hours up between outages.
#[test]
fn majorities_are_lost_as_often_and_as_long_as_others_find() {
    for (count, crews, per_hour, down, up) in [
        (1, None, 9.900_990e-4, 10.0, 1000.0),
        (2, None, 1.960_592e-3, 10.05, 500.0),
        (3, None, 5.823_540_888e-5, 5.016_667, 17_166.667),
        (3, Some(1), 5.821_817_455e-5, 10.1, 17_166.667),
        (4, None, 1.153_176e-4, 5.033_417, 8666.667),
        (5, None, 2.854_397_063e-6, 3.350_033, 350_333.33),
        (5, Some(1), 5.703_090_211e-6, 10.202, 175_333.33),
    ] {
        let answer = members(count, crews, ["1000h", "10h"], "");
        let quorum = &answer.services[2];
        let rate = quorum.outages_per_year / 8760.0;
        near(rate, per_hour, 5e-7);
        near(quorum.mean_outage_hours.unwrap(), down, 5e-7);
        near(quorum.availability / rate, up, 5e-7);
    }
}

/// Law: the probability that a quorum is lost within a year is the one that a model checker finds.
#[test]
fn quorum_is_lost_within_a_year_as_often_as_model_checkers_say() {
    for (count, crews, expected) in [
        (3, None, 0.393_65),
        (5, Some(1), 0.047_202_5),
        (5, None, 0.024_282_0),
        (7, None, 0.001_125_5),
    ] {
        let answer = members(count, crews, ["1000h", "10h"], "");
        near(answer.services[2].first_year_outage.unwrap(), expected, 2e-5);
    }
}

/// Law: three members in two zones are worse off than in one, and better in three.
#[test]
fn two_zones_are_worse_than_one() {
    for (spread, expected) in [
        (&["a", "a", "a"][..], 5.030e-4),
        (&["a", "a", "b"][..], 5.040e-4),
        (&["a", "b", "c"][..], 6.739e-6),
        (&["a", "a", "b", "b", "c"][..], 3.757e-6),
        (&["a", "b", "c", "d", "e"][..], 3.364e-8),
    ] {
        let racks: Vec<String> = ["a", "b", "c", "d", "e"]
            .iter()
            .filter(|zone| spread.contains(zone))
            .map(|zone| {
                let inside = spread.iter().enumerate().filter(|(_, own)| own == &zone);
                let names: Vec<String> =
                    inside.map(|(at, _)| format!("\"cp{}\"", at + 1)).collect();
                format!(
                    r#"{{ "name": "{zone}", "machines": [{}], "effect": "overlay",
                      "failure": {{ "exponential": {{ "mean": "1999h" }} }},
                      "repair": {{ "exponential": {{ "mean": "1h" }} }} }}"#,
                    names.join(", ")
                )
            })
            .collect();
        let more = format!(r#", "racks": [{}]"#, racks.join(", "));
        let count = u32::try_from(spread.len()).unwrap();
        let answer = members(count, None, ["999h", "1h"], &more);
        near(answer.services[2].unavailability, expected, 2e-4);
    }
}

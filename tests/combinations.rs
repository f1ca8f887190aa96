//! Models that combine the features of the oracles at random: the exact solution against a second
//! one, state by state, and the simulation against both.

#[path = "combinations/draw.rs"]
mod draw;
#[path = "combinations/plain.rs"]
mod plain;
#[path = "oracles/scenario.rs"]
mod scenario;

use draw::Dice;
use hasim::analytic::answer::{Answer, Exact, Measured};
use hasim::experiment::trials::{Sampling, Unwatched};
use hasim::experiment::years::YearStudy;
use hasim::plan::Plan;
use hasim::reliability::ideal::Measure;
use hasim::scenario::load::load_text;
use plain::{Plain, SERVICES, Solved};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// How many models are drawn, and how many states the second solution writes out at most.
const MODELS: u64 = 150;
const STATES: usize = 350;

fn plan(parameters: &Value) -> Plan {
    let mut text = scenario::of(parameters);
    text["apiVersion"] = json!("hasim/v1");
    text["kind"] = json!("Scenario");
    let loaded = load_text("drawn.json", &text.to_string());
    let problems: Vec<_> = loaded.diagnostics.iter().map(|d| d.message.clone()).collect();
    loaded.plan.unwrap_or_else(|| panic!("{text:#}: {problems:?}"))
}

fn exact(parameters: &Value) -> Answer {
    let exact = Exact::of(&plan(parameters));
    exact.unwrap_or_else(|o| panic!("{parameters}: {o:?}")).answer().expect("an answer")
}

fn measured(service: &str) -> Measured {
    match service {
        "api_read" => Measured::ApiReadCached,
        "api_write" => Measured::ApiWrite,
        "etcd_quorum" => Measured::EtcdQuorum,
        "etcd_leader" => Measured::EtcdLeader,
        _ => Measured::Reconciliation,
    }
}

/// Compares two solutions to nine digits.
fn compare(parameters: &Value, answer: &Answer, plain: &Solved) {
    let near = |what: &str, got: f64, expected: f64| {
        let both_never = got <= 0.0 && expected <= 0.0;
        let off = (got / expected - 1.0).abs();
        assert!(both_never || off < 1e-9, "{what}: {got:e}, not {expected:e}: {parameters}");
    };
    for (service, values) in SERVICES.iter().zip(plain.services) {
        let found = answer.services.iter().find(|found| found.measured == measured(service));
        let found = found.expect("the service is answered for");
        near(service, found.unavailability, values[0]);
        near(service, found.outages_per_year, values[1]);
        if let Some(first) = found.mttf_hours {
            near(service, first, values[2]);
        }
    }
    if parameters.get("lb_detection").is_some() {
        let loss = answer.requests.expect("requests are measured").loss;
        near("request_success", loss, plain.loss);
    }
}

/// Law: lumped or not, by this code or by other code, a chain has one solution.
#[test]
fn combined_features_have_one_solution() {
    let mut states = 0;
    let mut solved = 0;
    for number in 0..MODELS {
        let parameters = Dice::new(number).model();
        if let Some(plain) = Plain::of(&parameters).solve(STATES) {
            compare(&parameters, &exact(&parameters), &plain);
            states += plain.states;
            solved += 1;
        }
    }
    assert!(solved > 90 && states > 5_000, "{solved} models with {states} states");
}

/// Law: the second solution meets the oracles too, so that it can judge.
#[test]
fn the_second_solution_meets_the_oracles() {
    for file in ["oracles", "examples"] {
        let name = format!("tests/oracles/{file}.json");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        let file: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        for oracle in file["models"].as_array().unwrap() {
            let plain = Plain::of(&oracle["parameters"]).solve(STATES).expect("few states");
            for (service, values) in SERVICES.iter().zip(plain.services) {
                let Some(known) = oracle["exact"].get(service) else { continue };
                for (key, got) in
                    ["unavailability", "outages_per_year", "mttf_from_all_up_h"].iter().zip(values)
                {
                    let expected = known[key].as_f64().unwrap();
                    assert!(
                        (got / expected - 1.0).abs() < 1e-9,
                        "{} {service} {key}",
                        oracle["id"]
                    );
                }
            }
        }
    }
}

/// Law: the simulated first year of a combined model has the exact mean. Of some 150 comparisons
/// with fixed seeds none lies beyond 4.5 standard errors.
#[test]
fn combined_features_are_simulated_as_they_are_solved() {
    for number in 0..30 {
        let parameters = Dice::new(1_000 + number).model();
        let plan = plan(&parameters);
        let Ok(exact) = Exact::of(&plan) else { continue };
        let answer = exact.answer().expect("an answer");
        let sampling = Sampling { seed: number, first: 0, trials: 400, threads: Some(1) };
        let study = YearStudy::of(&plan, sampling, 1, &Unwatched).expect("a study");
        for (measured, measure) in [
            (Measured::ApiReadCached, Measure::ApiReadCached),
            (Measured::ApiWrite, Measure::ApiWrite),
            (Measured::EtcdQuorum, Measure::EtcdMajority),
            (Measured::EtcdLeader, Measure::EtcdQuorum),
            (Measured::Reconciliation, Measure::Reconciliation),
        ] {
            let service = answer.services.iter().find(|found| found.measured == measured).unwrap();
            let found = study.unavailability(measure);
            // What did not happen often enough for a normal mean is left to the rare studies.
            if service.outages_per_year * 400.0 > 60.0 {
                let off = (found.mean - service.first_year_down) / found.error;
                let told = (found.mean, service.first_year_down);
                assert!(off.abs() < 4.5, "{measure:?} {told:?} {off:.1} σ: {parameters}");
            }
        }
    }
}

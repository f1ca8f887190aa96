//! Laws of the exact solution itself.

use super::answer::YEAR_HOURS;
use super::build;
use super::chain::Chain;
use super::solve;
use crate::plan::Plan;
use crate::scenario::load::load_text;

fn plan(sections: &str) -> Plan {
    let text = format!(
        "{{ \"apiVersion\": \"hasim/v1\", \"kind\": \"Scenario\", {sections}, \"timings\": {{ \"preset\": \"ideal\", {TIMINGS} }} }}"
    );
    let loaded = load_text("x.json", &text);
    let problems: Vec<_> = loaded.diagnostics.iter().map(|d| d.message.clone()).collect();
    loaded.plan.unwrap_or_else(|| panic!("{problems:?}"))
}

const TIMINGS: &str = r#""etcd.election": { "erlang": { "stages": 2, "mean": "2s" } },
    "etcd.rejoin": { "exponential": { "mean": "30m" } },
    "controller_manager.takeover": { "exponential": { "mean": "20s" } }"#;

/// Zones that crash, shocks, processes and a crew of one, all at once.
const RICH: &str = r#""cluster": { "zones": ["a", "b"], "endpoint": { "kind": "all-servers" },
      "controlPlane": { "replicas": 3, "zones": ["a", "b", "b"] } },
    "reliability": {
      "machines": { "controlPlane": { "failure": { "exponential": { "mean": "300h" } },
        "repair": { "hyperexponential": { "branches": [[0.7, "1h"], [0.3, "12h"]] } } } },
      "processes": { "kube-apiserver": { "perYear": 20, "repair": { "exponential": { "mean": "2m" } } } },
      "shocks": [{ "stops": "kube-apiserver", "perYear": 4, "repair": { "exponential": { "mean": "2m" } } }],
      "zones": { "perYear": 2, "repair": { "exponential": { "mean": "3h" } }, "effect": "crash",
        "boot": { "exponential": { "mean": "5m" } } },
      "crews": [{ "count": 1, "for": ["machines.controlPlane"] }] }"#;

fn shares(chain: &Chain) -> Vec<f64> {
    let weights = solve::stationary(chain).expect("a long run");
    let down = |at: usize| {
        let states = weights.iter().zip(&chain.levels).filter(|(_, levels)| !levels.up[at]);
        states.map(|(weight, _)| weight).sum::<f64>()
    };
    (0..6).map(down).collect()
}

/// Law: what is lumped by symmetry is the same chain: every service is down for the same share.
#[test]
fn lumping_changes_no_answer() {
    let mut model = build::model(&plan(RICH)).expect("a model");
    let lumped = Chain::of(&model).expect("a chain");
    model.alike.clear();
    model.alike_zones.clear();
    let whole = Chain::of(&model).expect("a chain");
    assert!(lumped.len() < whole.len(), "{} states", lumped.len());
    for (one, other) in shares(&lumped).into_iter().zip(shares(&whole)) {
        assert!((one / other - 1.0).abs() < 1e-11, "{one:e} and {other:e}");
    }
}

/// Law: two methods of the first year agree: all terms positive, step by step, and the contour.
#[test]
fn the_first_year_is_the_same_by_steps_and_by_contour() {
    let sections = r#""cluster": { "endpoint": { "kind": "all-servers" } }, "reliability": { "preset": "textbook" }"#;
    let text = format!(
        "{{ \"apiVersion\": \"hasim/v1\", \"kind\": \"Scenario\", {sections}, \"timings\": \"ideal\" }}"
    );
    let plan = load_text("x.json", &text).plan.expect("a plan");
    let chain = Chain::of(&build::model(&plan).expect("a model")).expect("a chain");
    let lost =
        |at: usize| -> Vec<f64> { chain.levels[at].up.iter().map(|up| f64::from(!*up)).collect() };
    let steps = solve::by_steps(&chain, YEAR_HOURS, 1.0, &lost);
    let contour = solve::by_contour(&chain, YEAR_HOURS, &lost, |_| 0.0, &|_| true);
    for (one, other) in steps.into_iter().zip(contour) {
        assert!((one / other - 1.0).abs() < 1e-10, "{one:e} and {other:e}");
    }
}

/// Law: clocks whose stages together do not fit into a state are told of, not solved.
#[test]
fn too_many_stages_stand_in_the_way() {
    let clock = |mean: &str| {
        format!(
            r#"{{ "failure": {{ "erlang": {{ "stages": 400, "mean": "{mean}" }} }},
                "repair": {{ "exponential": {{ "mean": "4h" }} }} }}"#
        )
    };
    let (one, other) = (clock("1000h"), clock("2000h"));
    let sections = format!(
        r#""cluster": {{ "endpoint": {{ "kind": "all-servers" }} }},
           "reliability": {{ "machines": {{ "controlPlane": [{one}, {other}] }} }}"#
    );
    let obstacle = Chain::of(&build::model(&plan(&sections)).expect("a model")).unwrap_err();
    assert!(obstacle.message.contains("too many stages together"), "{obstacle:?}");
}

//! Every metric has one name, one sort and one measure, and happens in some scenario.

use hasim::experiment::single::Run;
use hasim::measure::failover::{self, Unit};
use hasim::plan::Plan;
use hasim::plan::metric_names::{METRICS, MetricSort};
use hasim::scenario::load::load_text;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// What the shipped scenarios have no client or fault for.
const MORE: [&str; 4] = [
    // A client that only opens connections loses its balancer.
    r#""clients": [ { "name": "probe", "class": "connect", "every": "10ms" } ],
       "faults": [ { "at": "30s", "powerOff": "holder of vip", "for": "30s" } ],
       "run": { "until": "2m" }"#,
    // Everything starts, and a member starts again, under a client that polls all members.
    r#""cluster": { "controlPlane": { "supervision": "none" } },
       "clients": [ { "name": "put", "class": "write", "every": "20ms", "timeout": "600ms",
                      "target": ["cp1/etcd", "cp2/etcd", "cp3/etcd"] } ],
       "faults": [ { "at": "60s", "kill": "leader of etcd", "for": "10s" } ],
       "run": { "until": "2m", "start": "cold" }"#,
    // Two of three members go and one comes back, under a client that polls each API server.
    r#""cluster": { "controlPlane": { "supervision": "none" } },
       "clients": [ { "name": "patch", "class": "write", "every": "100ms", "timeout": "2s",
                      "target": ["cp1/kube-apiserver", "cp2/kube-apiserver", "cp3/kube-apiserver"] } ],
       "faults": [ { "at": "30s", "kill": ["cp1/etcd", "cp2/etcd"] }, { "at": "50s", "start": "cp2/etcd" } ],
       "run": { "until": "5m", "leaders": { "etcd": "cp1" } }"#,
    // A paused controller-manager wakes.
    r#""faults": [ { "at": "30s", "pause": "leader of kube-controller-manager", "for": "60s" } ],
       "run": { "until": "3m" }"#,
];

fn shipped() -> Vec<Plan> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("the scenarios are there")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    let text = |path| fs::read_to_string(path).expect("a scenario is readable");
    files.iter().filter_map(|path| load_text("scenario.json", &text(path)).plan).collect()
}

fn plan(sections: &str) -> Plan {
    let text = format!(r#"{{ "apiVersion": "hasim/v1", "kind": "Scenario", {sections} }}"#);
    let loaded = load_text("more.json", &text);
    loaded.plan.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics))
}

/// Law: what scenarios may name is what is measured, in the same unit.
#[test]
fn names_are_those_of_the_measures() {
    let sort = |unit| if unit == Unit::Count { MetricSort::Count } else { MetricSort::Span };
    let measured: BTreeMap<_, _> =
        failover::all().map(|metric| (metric.name, sort(metric.unit))).collect();
    let named: BTreeMap<_, _> = METRICS.into_iter().collect();
    assert_eq!(measured, named);
}

/// Law: every metric that is measured happens: none waits for something that cannot be.
#[test]
fn every_metric_happens_somewhere() {
    let mut missing: BTreeSet<_> = failover::all().map(|metric| metric.name).collect();
    for plan in shipped().into_iter().chain(MORE.map(plan)) {
        let run = Run::of(&plan, plan.seed, 0, &[]);
        for reading in failover::readings(&run.case()) {
            missing.remove(reading.metric.name);
        }
    }
    assert!(missing.is_empty(), "no scenario shows {missing:?}");
}

/// How long `lb.mark_down` says a fault at 30 s took, with the default `inter` 2s and `fall` 3.
fn marked_down(fault: &str, seed: u64) -> f64 {
    let text = format!(
        r#"{{ "apiVersion": "hasim/v1", "kind": "Scenario",
        "cluster": {{ "controlPlane": {{ "supervision": "none" }}, "endpoint": {{ "loadBalancers": {{
          "haproxy": {{ "check": "httpchk /readyz", "check-ssl": true, "timeout connect": "5s",
                        "timeout client": "35s", "timeout server": "35s" }} }} }} }},
        "faults": [ {{ "at": "30s", {fault} }} ],
        "run": {{ "until": "1m", "leaders": {{ "etcd": "cp2", "vip": "lb1" }} }} }}"#
    );
    let plan = load_text("mark.json", &text).plan.expect("a scenario");
    let findings = Run::of(&plan, seed, 0, &[]).findings();
    let mark = findings.metrics.iter().find(|reading| reading.metric.name == "lb.mark_down");
    match mark.unwrap_or_else(|| panic!("{fault}, seed {seed}: no mark")).value {
        failover::Value::Duration(span) => span.as_secs_f64(),
        ref other @ failover::Value::Count(_) => panic!("{other:?}"),
    }
}

/// Law: a mark is told of whichever side of a partition the server stands on, and when its etcd alone
/// was hit. Both take `U(0, 2) + 3·2 + 2·2` = 10-12 s: packets are lost until the check's connection
/// times out after 2 s, and a health endpoint without etcd waits for 2 s.
#[test]
fn marks_are_told_whatever_was_hit() {
    for seed in 1..=8 {
        let there = marked_down(r#""partition": ["lb1", "cp1"]"#, seed);
        let back = marked_down(r#""partition": ["cp1", "lb1"]"#, seed);
        let etcd = marked_down(r#""kill": "cp1/etcd""#, seed);
        assert!((there - back).abs() < f64::EPSILON, "{there} {back}");
        for span in [there, etcd] {
            assert!((10.0..12.1).contains(&span), "seed {seed}: {span}");
        }
    }
}

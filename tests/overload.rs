//! Overload of API servers and the herd of informers, against closed forms and an eager twin.

use hasim::component::record::{HerdRecord, Record};
use hasim::components::Params;
use hasim::experiment::single::Run;
use hasim::kernel::time::{Duration, Time};
use hasim::measure::failover::{self, Value};
use hasim::plan::Plan;
use hasim::scenario::load::load_text;
use proptest::prelude::*;

fn plan(sections: &str) -> Plan {
    let text = format!(r#"{{ "apiVersion": "hasim/v1", "kind": "Scenario", {sections} }}"#);
    let loaded = load_text("overload.json", &text);
    loaded.plan.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics))
}

fn lines(run: &Run) -> Vec<(Time, HerdRecord)> {
    let records = run.history().records();
    let line = |recorded: &hasim::measure::history::Recorded| match recorded.record {
        Record::Herd(line) => Some((recorded.at, line)),
        _ => None,
    };
    records.filter_map(line).collect()
}

fn count(run: &Run, name: &str) -> f64 {
    match failover::find(name).and_then(|metric| (metric.of)(&run.case())) {
        Some(Value::Count(count)) => count as f64,
        Some(Value::Duration(span)) => span.as_secs_f64(),
        None => panic!("{name} has no value"),
    }
}

fn eager(mut plan: Plan) -> Plan {
    for params in &mut plan.params {
        if let Params::Informers(_, wiring) = params {
            wiring.eager = true;
        }
    }
    plan
}

/// One balancer, which is killed and started again at once.
const BALANCER: &str = r#"
    "cluster": { "endpoint": { "kind": "one-balancer" } },
    "informers": [ { "name": "agents", "processes": 300, "reflectors": 10, "every": "0s" } ],
    "faults": [ { "at": "30s", "kill": "lb1/haproxy", "for": "100ms" } ],
    "run": { "until": "1m" }"#;

/// Law: reflectors ask again U[0.8, 1.6] s after their connections broke: after 1 s a quarter of them
/// watch, after 2 s all, and none of them lists anew. Four standard deviations of 3000.
#[test]
fn reflectors_come_back_within_their_first_wait() {
    let plan = plan(BALANCER);
    let run = Run::of(&plan, 1, 0, &[]);
    let after: Vec<HerdRecord> = lines(&run)
        .into_iter()
        .filter(|(at, _)| *at > Time::at(Duration::from_secs(30)))
        .map(|(_, line)| line)
        .collect();
    assert_eq!(after[0].unwatched, 0, "the line at which they wake: {after:?}");
    let back = 3000.0 - f64::from(after[1].unwatched);
    let deviation = (3000.0_f64 * 0.25 * 0.75).sqrt();
    // Connecting takes about a millisecond of the second.
    assert!((back - 750.0).abs() < 4.0 * deviation + 10.0, "{back} after a second");
    assert_eq!(after[2].unwatched, 0);
    assert!(count(&run, "informers.relists") < 0.5);
}

/// Law: the loss of one of m servers leaves each of the others m/(m−1) of its connections, as its
/// balancer deals them out in turn.
#[test]
fn survivors_have_the_load_of_the_lost() {
    for (servers, share) in [(3, 1.0 / 2.0), (5, 1.0 / 4.0)] {
        let plan = plan(&format!(
            r#""cluster": {{ "controlPlane": {{ "replicas": {servers}, "supervision": "none" }},
                 "endpoint": {{ "loadBalancers": {{ "haproxy": {{ "option redispatch": true, "inter": "100ms" }} }} }} }},
               "informers": [ {{ "name": "agents", "processes": 3000, "reflectors": 1, "every": "0s" }} ],
               "faults": [ {{ "at": "30s", "kill": "cp1/kube-apiserver" }} ],
               "run": {{ "until": "2m" }}"#
        ));
        let run = Run::of(&plan, 1, 0, &[]);
        let most = count(&run, "informers.peak_connections");
        let expected = 3000.0 * share;
        // The connections before were drawn, those of the lost server are dealt out evenly.
        let deviation = (3000.0 / f64::from(servers)).sqrt();
        assert!((most - expected).abs() < 5.0 * deviation, "{most} of {expected}");
    }
}

/// A small server that the informers' requests fill after a failover.
fn storm(fairness: bool, every: &str) -> Plan {
    plan(&format!(
        r#""cluster": {{ "controlPlane": {{ "kubeApiserver": {{
               "max-requests-inflight": 40, "max-mutating-requests-inflight": 20,
               "enable-priority-and-fairness": {fairness},
               "requestTime": {{ "exponential": {{ "mean": "300ms" }} }} }} }} }},
           "informers": [ {{ "name": "agents", "processes": 60, "reflectors": 5, "every": "{every}",
                             "class": "read-cached" }} ],
           "faults": [ {{ "at": "30s", "kill": "lb1/haproxy", "for": "100ms" }},
                       {{ "at": "40s", "kill": ["cp1/kube-apiserver", "cp2/kube-apiserver"] }},
                       {{ "at": "170s", "kill": "lb1/haproxy", "for": "100ms" }} ],
           "run": {{ "until": "3m" }}"#
    ))
}

/// Law: counting requests while all is quiet is unobservable: issued, turned away and lists have the
/// same mean with an eager twin. 60 runs each; four standard errors of the difference.
#[test]
fn counting_is_unobservable() {
    for fairness in [false, true] {
        let lazy = storm(fairness, "2s");
        let eager = eager(lazy.clone());
        let names = ["informers.turned_away", "informers.relists", "informers.storm"];
        let rate = |run: &Run| {
            let late = Time::at(Duration::from_millis(171_500));
            let line = lines(run).into_iter().find(|(at, _)| *at > late);
            let (at, HerdRecord { issued, .. }) = line.expect("a line");
            issued as f64 / at.since(Time::START).as_secs_f64()
        };
        let values = |plan: &Plan| -> Vec<Vec<f64>> {
            let of = |seed| {
                let run = Run::of(plan, seed, 0, &[]);
                std::iter::once(rate(&run)).chain(names.map(|name| count(&run, name))).collect()
            };
            (0..60).map(of).collect()
        };
        let (lazy, eager) = (values(&lazy), values(&eager));
        for at in 0..=names.len() {
            let moments = |runs: &[Vec<f64>]| {
                let mean = runs.iter().map(|run| run[at]).sum::<f64>() / 60.0;
                let squares = runs.iter().map(|run| (run[at] - mean).powi(2)).sum::<f64>();
                (mean, squares / 59.0 / 60.0)
            };
            let (a, b) = (moments(&lazy), moments(&eager));
            let bound = 4.0 * (a.1 + b.1).sqrt();
            assert!((a.0 - b.0).abs() <= bound, "value {at}: {} and {}", a.0, b.0);
        }
    }
}

/// Law: a year in which nothing happens costs informers no event.
#[test]
fn a_quiet_year_costs_nothing() {
    let year = |informers: &str| {
        let plan = plan(&format!(r#"{informers} "run": {{ "until": "8760h" }}"#));
        Run::of(&plan, 1, 0, &[]).world().steps()
    };
    let with =
        year(r#""informers": [ { "name": "agents", "processes": 300, "every": "100ms" } ],"#);
    assert!(with <= year("") + 310, "{with} events");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    /// Law: requests are conserved, whatever happens, and no other law is broken by a herd.
    #[test]
    fn requests_are_conserved(
        faults in prop::collection::vec((10_u64..60, 0_usize..8, 1_u64..40), 1..4),
        fairness: bool,
        every in prop_oneof![Just("300ms"), Just("2s"), Just("0s")],
        class in prop_oneof![Just("read"), Just("read-cached"), Just("write")],
        seed in 0_u64..100,
    ) {
        let verbs = [
            r#""kill": "cp1/kube-apiserver""#, r#""powerOff": "cp2""#, r#""pause": "cp3/kube-apiserver""#,
            r#""kill": "leader of etcd""#, r#""powerOff": "holder of vip""#, r#""kill": ["cp1/etcd", "cp2/etcd"]"#,
            r#""kill": "agents""#, r#""stop": "cp1/kube-apiserver""#,
        ];
        let faults: Vec<String> = faults
            .iter()
            .map(|(at, verb, lasts)| format!(r#"{{ "at": "{at}s", {}, "for": "{lasts}s" }}"#, verbs[*verb]))
            .collect();
        let plan = plan(&format!(
            r#""cluster": {{ "controlPlane": {{ "kubeApiserver": {{
                   "max-requests-inflight": 20, "max-mutating-requests-inflight": 10,
                   "enable-priority-and-fairness": {fairness} }} }} }},
               "informers": [ {{ "name": "agents", "processes": 20, "reflectors": 5, "every": "{every}",
                                 "class": "{class}", "timeout": "9s" }} ],
               "faults": [ {} ], "run": {{ "until": "2m" }}"#,
            faults.join(", ")
        ));
        let run = Run::of(&plan, seed, 0, &[]);
        let broken: Vec<_> =
            run.findings().violations.into_iter().filter(|v| v.law.is_ours()).collect();
        prop_assert!(broken.is_empty(), "{broken:?}");
    }
}

//! Trials of drawn failovers go by strides: over whatever changes nothing that is measured, and without
//! a review where it is known what follows. Here they are held against the same trials step by step.

use hasim::experiment::years::{Trials, YearRow, trial};
use hasim::kernel::stream::Key;
use hasim::kernel::time::{Duration, Time};
use hasim::plan::Plan;
use hasim::reliability::course::Course;
use hasim::reliability::ideal::{Ideal, Measure, Reason};
use hasim::scenario::load::load_text;

/// A course that goes step by step and reviews everything at each.
struct Steps<'p>(Ideal<'p>);

impl Course for Steps<'_> {
    fn reset(&mut self, key: Key) {
        self.0.reset(key);
    }
    fn next(&self) -> Time {
        self.0.next()
    }
    fn step(&mut self) {
        self.0.step();
    }
    fn levels(&self) -> u8 {
        self.0.levels()
    }
    fn reason(&self, measure: Measure) -> Reason {
        self.0.reason(measure)
    }
    fn share_served(&self) -> f64 {
        self.0.share_served()
    }
}

fn plan(cluster: &str, timings: &str, reliability: &str) -> Plan {
    let text = format!(
        r#"{{ "apiVersion": "hasim/v1", "kind": "Scenario", "cluster": {{ {cluster} }},
            "timings": {timings}, "reliability": {{ {reliability} }} }}"#
    );
    let loaded = load_text("strides.json", &text);
    let wrong: Vec<_> = loaded.diagnostics.iter().map(|wrong| wrong.message.clone()).collect();
    loaded.plan.unwrap_or_else(|| panic!("{wrong:?} in {text}"))
}

fn modes(up: &str, down: &str) -> String {
    let law = |mean: &str| format!(r#"{{ "exponential": {{ "mean": "{mean}" }} }}"#);
    format!(r#"{{ "failure": {}, "repair": {} }}"#, law(up), law(down))
}

/// Kinds of clusters, and whether their API servers may use every member.
const CLUSTERS: [(&str, bool); 11] = [
    (r#""controlPlane": { "replicas": 3 }"#, false),
    (r#""controlPlane": { "replicas": 5 }, "endpoint": { "kind": "kube-vip" }"#, false),
    (r#""controlPlane": { "replicas": 3 }, "endpoint": { "kind": "all-servers" }"#, false),
    (
        r#""controlPlane": { "replicas": 3, "etcdServers": "all" }, "endpoint": { "kind": "one-balancer" }"#,
        true,
    ),
    (
        r#""topology": "external", "controlPlane": { "replicas": 2 }, "etcd": { "members": 3 }"#,
        true,
    ),
    // API servers outlive a night.
    (r#""controlPlane": { "replicas": 3, "kubelet": { "livezExcludeEtcd": true } }"#, false),
    // The second balancer takes the address back, and the third does not.
    (
        r#""controlPlane": { "replicas": 3 }, "endpoint": { "kind": "vip", "loadBalancers": {
            "replicas": 3, "keepalived": { "priority": [90, 101, 95] } } }"#,
        false,
    ),
    (
        r#""controlPlane": { "replicas": 3 }, "endpoint": { "kind": "vip", "loadBalancers": {
            "keepalived": { "priority": [101, 90], "state": "BACKUP", "nopreempt": true } } }"#,
        false,
    ),
    (
        r#""zones": ["a", "b", "c"], "controlPlane": { "replicas": 3, "zones": ["a", "b", "c"] },
        "endpoint": { "kind": "vip", "loadBalancers": { "replicas": 2, "zones": ["a", "b"] } }"#,
        false,
    ),
    (r#""controlPlane": { "replicas": 3 }, "endpoint": { "kind": "dns" }"#, false),
    (r#""controlPlane": { "replicas": 1 }, "endpoint": { "kind": "one-server" }"#, false),
];

/// What fails: machines alone; everything, much of it briefly; some of it for hours while API servers
/// restart; everything after the same times.
const FAILURES: [&str; 4] = ["textbook", "brief", "long", "regular"];

/// Each kind of cluster with each kind of failures, failovers drawn, and some by laws.
fn plans() -> Vec<(String, Plan)> {
    let timings = [
        r#""drawn""#,
        r#"{ "preset": "drawn", "lb.rise": { "exponential": { "mean": "20s" } } }"#,
        r#"{ "preset": "drawn", "etcd.rejoin": { "exponential": { "mean": "90s" } } }"#,
        r#"{ "preset": "drawn", "lb.fall": "instantaneous", "etcd.election": "2s" }"#,
        r#"{ "preset": "ideal", "lb.fall": "5s", "lb.rise": { "exponential": { "mean": "9s" } },
            "etcd.rejoin": "2m", "etcd.election": "1s" }"#,
    ];
    let mut plans = Vec::new();
    for (cluster, knows_all) in CLUSTERS {
        for failures in FAILURES {
            for timing in timings {
                let reliability = reliability(cluster, failures);
                let balances = balances(cluster);
                // A server that starts before its only member draws more, which strides do not count.
                let waits = timing.contains("rejoin") && timing.contains("drawn") && !knows_all;
                if waits || timing.contains("lb.") && !balances {
                    continue;
                }
                let name = format!("{cluster} {timing} {reliability}");
                plans.push((name, plan(cluster, timing, &reliability)));
            }
        }
    }
    plans
}

fn balances(cluster: &str) -> bool {
    !["all-servers", "kube-vip", "one-server", "dns"].iter().any(|kind| cluster.contains(kind))
}

fn reliability(cluster: &str, failures: &str) -> String {
    let (machine, etcd, server, disk) = match failures {
        "textbook" => return r#""preset": "textbook""#.to_owned(),
        "brief" => {
            let brief = modes("300h", "90s");
            (modes("400h", "4h"), brief.clone(), brief.clone(), brief)
        }
        "long" => {
            let long = modes("400h", "12h");
            (modes("700h", "2h"), long.clone(), modes("60h", "90s"), long)
        }
        _ => {
            let fixed = |up: &str| format!(r#"{{ "failure": "{up}", "repair": "3h" }}"#);
            (fixed("200h"), fixed("500h"), fixed("100h"), fixed("400h"))
        }
    };
    let role = |name: &str, is_there: bool| {
        if is_there { format!(r#", "{name}": {machine}"#) } else { String::new() }
    };
    let balancer = role("loadBalancer", balances(cluster));
    let members = role("etcd", cluster.contains("external"));
    let outage = r#""failure": { "exponential": { "mean": "900h" } }, "repair": "5h""#;
    let zones = match failures {
        _ if !cluster.contains("zones") => String::new(),
        "brief" => format!(r#", "zones": {{ {outage}, "effect": "overlay" }}"#),
        _ => format!(r#", "zones": {{ {outage}, "effect": "crash", "boot": "1m" }}"#),
    };
    let crews = if failures == "long" {
        r#", "crews": [{ "count": 1, "for": ["machines.controlPlane"] }]"#
    } else {
        ""
    };
    format!(
        r#""machines": {{ "controlPlane": {machine} {balancer} {members} }},
            "links": {disk}, "disks": {disk} {zones} {crews},
            "processes": {{ "kube-apiserver": {server}, "etcd": {etcd},
                "kube-scheduler": {etcd}, "kube-controller-manager": {etcd} }}"#
    )
}

/// Law: strides add up what steps do, to the nanosecond; they are never more, and a third less where most
/// that happens is not noticed.
#[test]
fn strides_add_up_what_steps_do() {
    let span = Duration::from_hours(8_760);
    for (name, plan) in plans() {
        let fresh = Ideal::new(&plan, Key::new(0, 0));
        let (mut strides, mut steps) = (fresh.clone(), Steps(fresh));
        let (mut taken, mut down) = ((0, 0), 0);
        for number in 0..8 {
            let key = Key::new(5, number);
            let one = trial(&mut strides, key, span);
            let other = trial(&mut steps, key, span);
            taken = (taken.0 + one.events, taken.1 + other.events);
            down += one.measures.iter().map(|spell| spell.down).sum::<u64>();
            let same = YearRow { events: one.events, ..other };
            assert_eq!(one, same, "trial {number} of {name}");
        }
        assert!(down > 0, "nothing was ever down in {name}");
        // Where a cluster outlives its machines, returns take no strides beside the repairs themselves.
        let outlives =
            name.ends_with(r#""drawn" "preset": "textbook""#) && !name.contains("one-server");
        let most = if outlives { taken.1 * 2 / 3 } else { taken.1 };
        assert!(taken.0 <= most, "{taken:?} in {name}");
    }
}

/// Law: what earlier trials have taught changes no later one.
#[test]
fn trials_teach_nothing_but_speed() {
    let span = Duration::from_hours(8_760);
    for (name, plan) in plans() {
        let used = Trials::of(&plan, span);
        for number in 0..20 {
            used.row(Key::new(8, number));
        }
        for number in 0..6 {
            let (key, fresh) = (Key::new(6, number), Trials::of(&plan, span));
            assert_eq!(used.row(key), fresh.row(key), "trial {number} of {name}");
        }
    }
}

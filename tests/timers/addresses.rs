//! Takeovers of the virtual address.

use super::{Verdicts, becomes, drawn, metric, plan, span, started, worlds};
use hasim::component::id::Kind;
use hasim::measure::Case;
use hasim::reliability::timers::Lost;
use serde_json::{Value, json};

const WORLDS: u64 = 1000;

fn balancers(keepalived: &Value, replicas: u32) -> Value {
    json!({ "endpoint": { "loadBalancers": {
        "replicas": replicas, "supervision": "none", "keepalived": keepalived
    } } })
}

/// Law: from the loss of keepalived's master to the next holder: the machine's, the process's with and
/// without a farewell, and the balancer's beside it as it is tracked; with other intervals,
/// priorities and versions.
#[test]
fn keepalived_takes_over() {
    let slow = json!({ "advert_int": "3s" });
    let ranked = json!({ "priority": [150, 100], "advert_int": "1s", "vrrp_version": 3 });
    let woken = json!({ "wakeUp": { "uniform": ["5ms", "50ms"] } });
    let fault = json!({ "vrrp_script": { "interval": "3s", "fall": 3 } });
    let weight = json!({ "priority": [101, 100], "vrrp_script": { "interval": "2s", "fall": 2, "weight": -20 } });
    let process = json!({ "track_process": {} });
    let lighter = json!({ "priority": [101, 100], "track_process": { "weight": -20 } });
    let three = json!({ "priority": [150, 120, 90] });
    let mut verdicts = Verdicts::default();
    for (keepalived, verb, whom, lost) in [
        (three.clone(), "powerOff", "lb1", Lost::Silently),
        (three, "stop", "lb1/keepalived", Lost::InOrder),
        (json!({}), "isolate", "lb1", Lost::Silently),
        (json!({}), "powerOff", "lb1", Lost::Silently),
        (json!({}), "kill", "lb1/keepalived", Lost::Exited),
        (json!({}), "stop", "lb1/keepalived", Lost::InOrder),
        (slow.clone(), "powerOff", "lb1", Lost::Silently),
        (slow, "stop", "lb1/keepalived", Lost::InOrder),
        (ranked.clone(), "powerOff", "lb1", Lost::Silently),
        (ranked, "stop", "lb1/keepalived", Lost::InOrder),
        (woken, "powerOff", "lb1", Lost::Silently),
        (fault, "kill", "lb1/haproxy", Lost::Beside),
        (weight, "kill", "lb1/haproxy", Lost::Beside),
        (process, "kill", "lb1/haproxy", Lost::Beside),
        (lighter, "kill", "lb1/haproxy", Lost::Beside),
    ] {
        let faults = json!([{ "at": "30s", verb: whom }]);
        let three = keepalived["priority"].as_array().is_some_and(|ranks| ranks.len() == 3);
        let cluster = balancers(&keepalived, if three { 3 } else { 2 });
        let plan = plan(&cluster, &faults, "60s", &json!({ "vip": "lb1" }));
        let draws = drawn(&plan, |timers, draw| timers.takeover(draw, lost, 1));
        let seen = worlds(&plan, WORLDS, |case| metric(case, "vip.takeover"));
        verdicts.compare(&format!("address, {keepalived}, {verb} {whom}"), seen, draws);
    }
    verdicts.all_agree();
}

/// Law: nobody takes over from a keepalived whose balancer died where it does not track it.
#[test]
fn an_untracked_balancer_is_not_missed() {
    let plan = plan(&balancers(&json!({}), 2), &json!([]), "60s", &json!({ "vip": "lb1" }));
    let draws = drawn(&plan, |timers, draw| timers.takeover(draw, Lost::Beside, 1));
    assert!(draws.iter().all(|draw| *draw > 1e12));
}

/// Law: kube-vip's address moves with its Lease.
#[test]
fn kube_vip_takes_over() {
    let mut verdicts = Verdicts::default();
    for (options, verb, whom, lost) in [
        (json!({}), "powerOff", "cp1", Lost::Silently),
        (json!({}), "kill", "cp1/kube-vip", Lost::Exited),
        (json!({}), "stop", "cp1/kube-vip", Lost::InOrder),
        (
            json!({ "vip_leaseduration": "6s", "vip_renewdeadline": "4s", "vip_retryperiod": "1s" }),
            "kill",
            "cp1/kube-vip",
            Lost::Exited,
        ),
    ] {
        let cluster = json!({
            "topology": "external", "controlPlane": { "supervision": "none" },
            "endpoint": { "kind": "kube-vip", "kubeVip": options }
        });
        let faults = json!([{ "at": "30s", verb: whom }]);
        let leaders =
            json!({ "vip": "cp1", "kube-scheduler": "cp2", "kube-controller-manager": "cp2" });
        let plan = plan(&cluster, &faults, "90s", &leaders);
        let draws = drawn(&plan, |timers, draw| timers.holding(draw, lost, 1));
        let seen = worlds(&plan, WORLDS, |case| metric(case, "vip.takeover"));
        verdicts.compare(&format!("kube-vip, {options}, {verb} {whom}"), seen, draws);
    }
    verdicts.all_agree();
}

/// Law: where no balancer was left, from the start of one until the keepalived beside it holds the address
/// again: its script or the kernel tells it, and it waits as for any master.
#[test]
fn a_balancer_that_returns_gets_the_address() {
    let held = |case: &Case| {
        let (start, _) = started(case, Kind::LoadBalancer)?;
        let keepalived = case.plan.map.of_kind(Kind::Keepalived).next()?;
        let holds = becomes(case, start, keepalived, |fact| fact.held().is_some())?;
        Some(span(start, holds))
    };
    let mut verdicts = Verdicts::default();
    for keepalived in [
        json!({ "vrrp_script": { "interval": "2s", "rise": 2 } }),
        json!({ "track_process": {}, "signal-delay": { "uniform": ["5ms", "50ms"] } }),
    ] {
        let lasts = json!({ "uniform": ["20s", "30s"] });
        let faults = json!([{ "at": "30s", "kill": "lb1/haproxy", "for": lasts }]);
        let plan = plan(&balancers(&keepalived, 1), &faults, "90s", &json!({}));
        let draws = drawn(&plan, |timers, draw| {
            timers.balancer_start(draw, false) + timers.takeover(draw, Lost::Nobody, 0)
        });
        let seen = worlds(&plan, WORLDS, held);
        verdicts.compare(&format!("return of a balancer, {keepalived}"), seen, draws);
    }
    verdicts.all_agree();
}

//! Health checks of balancers.

use super::{FAULT, Verdicts, becomes, drawn, metric, plan, span, started, with, worlds};
use hasim::component::fact::Fact;
use hasim::component::id::Kind;
use hasim::measure::Case;
use hasim::reliability::timers::{Lost, Timers};
use serde_json::{Value, json};

const WORLDS: u64 = 600;

fn balancer(options: &Value) -> Value {
    let timeouts = json!({
        "timeout connect": "5s", "timeout client": "35s", "timeout server": "35s"
    });
    let balancers = match options.get("cloud") {
        Some(cloud) => json!({ "program": "cloud", "cloud": cloud }),
        None => json!({ "replicas": 1, "haproxy": with(timeouts, options) }),
    };
    json!({
        "topology": "external",
        "controlPlane": { "supervision": "none" },
        "endpoint": { "kind": "one-balancer", "loadBalancers": balancers }
    })
}

fn variants() -> [Value; 7] {
    let tls = json!({ "check": "httpchk /readyz", "check-ssl": true });
    let quick = json!({ "inter": "1s", "fall": 2, "rise": 3, "timeout check": "500ms" });
    let quick = with(tls.clone(), &quick);
    [
        json!({}),
        tls,
        json!({ "inter": "3s", "fastinter": "1s", "downinter": "5s", "fall": 2, "rise": 1 }),
        quick,
        json!({ "inter": "2s", "spread-checks": 20 }),
        json!({ "cloud": { "interval": "5s", "timeout": "5s", "healthyThreshold": 2 } }),
        json!({ "cloud": { "healthCheck": "https /readyz", "interval": "5s", "timeout": "2s" } }),
    ]
}

/// Law: from the failure of an API server to its leaving the rotation.
#[test]
fn servers_leave_the_rotation() {
    let mut verdicts = Verdicts::default();
    for haproxy in variants() {
        for (verb, whom, lost) in
            [("kill", "cp1/kube-apiserver", Lost::Exited), ("powerOff", "cp1", Lost::Silently)]
        {
            let faults = json!([{ "at": "30s", verb: whom }]);
            let plan = plan(&balancer(&haproxy), &faults, "75s", &json!({}));
            let draws = drawn(&plan, |timers, draw| timers.fall(draw, lost));
            let seen = worlds(&plan, WORLDS, |case| metric(case, "lb.mark_down"));
            verdicts.compare(&format!("fall, {haproxy}, {verb}"), seen, draws);
        }
    }
    verdicts.all_agree();
}

/// Law: from the first answer of an API server that starts to its return to the rotation; one that is
/// back before it answers takes no time.
#[test]
fn servers_return_to_the_rotation() {
    let back = |case: &Case| {
        let (start, server) = started(case, Kind::ApiServer)?;
        let http = |fact: &Fact| matches!(fact, Fact::ApiServer(fact) if fact.http);
        let inside =
            |fact: &Fact| matches!(fact, Fact::LoadBalancer(fact) if fact.rotation & 1 == 1);
        let balancer = case.plan.map.of_kind(Kind::LoadBalancer).next()?;
        let answers = becomes(case, start, server, http)?;
        let inside = becomes(case, FAULT, balancer, inside)?;
        Some(if inside > answers { span(answers, inside) } else { 0.0 })
    };
    let mut verdicts = Verdicts::default();
    for haproxy in variants() {
        let faults = json!([{
            "at": "30s", "kill": "cp1/kube-apiserver", "for": { "uniform": ["40s", "50s"] }
        }]);
        let plan = plan(&balancer(&haproxy), &faults, "5m", &json!({}));
        let draws = drawn(&plan, Timers::rise);
        verdicts.compare(&format!("rise, {haproxy}"), worlds(&plan, WORLDS, back), draws);
    }
    verdicts.all_agree();
}

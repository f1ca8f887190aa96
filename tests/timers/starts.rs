//! Starts of processes and machines.

use super::{FAULT, Verdicts, becomes, drawn, plan, span, worlds};
use hasim::component::fact::Fact;
use hasim::component::id::Kind;
use hasim::kernel::time::Duration;
use hasim::measure::Case;
use serde_json::{Value, json};

const WORLDS: u64 = 600;

/// From one word of the leader to the next, by default.
const HEARTBEAT: Duration = Duration::from_millis(100);

/// When the repair ends.
const REPAIR: Duration = Duration::from_secs(300);

/// From the end of the repair until a process on the first machine is such.
fn comes(case: &Case, kind: Kind, such: impl Fn(&Fact) -> bool) -> Option<f64> {
    let process = case.plan.map.of_kind(kind).next()?;
    becomes(case, FAULT + REPAIR, process, such).map(|at| span(FAULT + REPAIR, at))
}

fn member(case: &Case) -> Option<f64> {
    comes(case, Kind::Etcd, |fact| matches!(fact, Fact::Etcd(fact) if fact.lead.is_some()))
}

fn server(case: &Case) -> Option<f64> {
    comes(case, Kind::ApiServer, |fact| matches!(fact, Fact::ApiServer(fact) if fact.http))
}

fn balancer(case: &Case) -> Option<f64> {
    comes(
        case,
        Kind::LoadBalancer,
        |fact| matches!(fact, Fact::LoadBalancer(fact) if fact.listening),
    )
}

fn power_off(machine: &str) -> Value {
    json!([{ "at": "30s", "powerOff": machine, "for": "5m" }])
}

/// Law: from power to a member that votes, an API server that answers and a balancer that forwards.
#[test]
fn machines_come_up() {
    let mut verdicts = Verdicts::default();
    for topology in ["stacked", "external"] {
        let cluster = json!({ "topology": topology });
        let leaders = json!({});
        let plan = plan(&cluster, &power_off("cp1"), "15m", &leaders);
        let draws = drawn(&plan, |timers, draw| timers.server_start(draw, true));
        verdicts.compare(&format!("server, {topology}"), worlds(&plan, WORLDS, server), draws);
    }
    verdicts.all_agree();
}

/// Law: a balancer's start.
#[test]
fn balancers_come_up() {
    let mut verdicts = Verdicts::default();
    let plan = plan(&json!({}), &power_off("lb1"), "15m", &json!({ "vip": "lb1" }));
    let draws = drawn(&plan, |timers, draw| timers.balancer_start(draw, true));
    verdicts.compare("balancer", worlds(&plan, WORLDS, balancer), draws);
    verdicts.all_agree();
}

/// Law: a member's start: from power to its knowing the leader, at the leader's next word. A vote also
/// waits for a peer's dial, which comes 0.1 s after the process's start at the latest, so that the means
/// agree within that beside four standard errors.
#[test]
fn members_come_up() {
    for (topology, machine) in [("stacked", "cp1"), ("external", "etcd1")] {
        let cluster = json!({ "topology": topology });
        let plan = plan(&cluster, &power_off(machine), "15m", &json!({}));
        let draws = drawn(&plan, |timers, draw| {
            let word = HEARTBEAT.mul_f64(draw.uniform());
            timers.member_start(draw, true) + word
        });
        let seen = worlds(&plan, WORLDS, member);
        let (one, other) = (moments(&seen), moments(&draws));
        let error = 4.0 * (one.1 / seen.len() as f64 + other.1 / draws.len() as f64).sqrt();
        assert!((one.0 - other.0).abs() < error + 100.0, "{one:?} {other:?}");
    }
}

/// Mean and variance.
fn moments(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares = values.iter().map(|value| (value - mean).powi(2));
    (mean, squares.sum::<f64>() / values.len() as f64)
}

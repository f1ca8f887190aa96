//! Starts of processes and machines.

use super::{DRAWS, FAULT, Verdicts, becomes, drawn, plan, span, worlds};
use hasim::component::fact::Fact;
use hasim::component::id::Kind;
use hasim::kernel::stream::{Draw, Key, StreamName};
use hasim::kernel::time::Duration;
use hasim::measure::Case;
use hasim::reliability::timers::Timers;
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

/// Law: no start, and no way into the rotation, takes longer than the longest of them, which is finite by
/// the default laws.
#[test]
fn nothing_takes_longer_than_the_longest() {
    for cluster in [
        json!({}),
        json!({ "topology": "external" }),
        json!({ "endpoint": { "kind": "one-balancer", "loadBalancers": { "replicas": 1,
            "haproxy": { "check": "httpchk /readyz", "check-ssl": true, "spread-checks": 20 } } } }),
        json!({ "endpoint": { "kind": "one-balancer", "loadBalancers": { "replicas": 1,
            "program": "cloud", "cloud": { "interval": "5s", "timeout": "5s" } } } }),
    ] {
        let timers = Timers::of(&plan(&cluster, &json!([]), "1m", &json!({})));
        let longest = |draw: fn(&Timers, &mut Draw) -> Duration| {
            let one = |n| draw(&timers, &mut Key::new(3, 0).draw(StreamName::of("longest"), 0, n));
            (0..DRAWS).map(one).max().unwrap_or_default()
        };
        let start = longest(|timers, draw| {
            timers.server_start(draw, true).saturating_add(timers.balancer_start(draw, true))
        });
        let balancer = longest(|timers, draw| timers.balancer_start(draw, false));
        assert!(start.max(balancer) <= timers.longest_start(), "{start} of {cluster}");
        let member = longest(|timers, draw| timers.member_start(draw, true));
        assert!(member <= timers.longest_member_start(), "{member} of {cluster}");
        let rise = longest(Timers::rise);
        assert!(rise <= timers.longest_rise(), "{rise} of {cluster}");
        let all = [timers.longest_start(), timers.longest_member_start(), timers.longest_rise()];
        assert!(all.iter().all(|span| *span < Duration::from_hours(24)), "{all:?} of {cluster}");
    }
}

//! API servers in a night without etcd.

use super::{FAULT, Verdicts, drawn, plan, span, worlds};
use hasim::component::fact::{Ability, Fact};
use hasim::component::id::Kind;
use hasim::component::record::Record;
use hasim::component::view::ProcessState;
use hasim::kernel::time::Time;
use hasim::measure::Case;
use hasim::plan::Plan;
use hasim::reliability::timers::{Nights, Timers};
use serde_json::json;

const WORLDS: u64 = 500;

/// Three machines, of which two lose power for so long; the first keeps it.
fn night(topology: &str, until: &str, leader: &str) -> Plan {
    let machine = if topology == "stacked" { "cp" } else { "etcd" };
    let off = |number: u32| json!({ "at": "30s", "powerOff": format!("{machine}{number}"), "for": "40m" });
    let cluster = json!({ "topology": topology, "endpoint": { "kind": "all-servers" } });
    let leaders = json!({ "etcd": format!("{machine}{leader}") });
    plan(&cluster, &json!([off(2), off(3)]), until, &leaders)
}

fn nights(timers: &Timers) -> &Nights {
    timers.nights().expect("kubelets probe API servers")
}

/// From the fault until the first API server is told to end.
fn killed(case: &Case) -> Option<f64> {
    let server = case.plan.map.of_kind(Kind::ApiServer).next()?;
    let kills = case.history.records().filter(
        |recorded| matches!(recorded.record, Record::ProbeKill { process } if process == server),
    );
    kills.map(|recorded| span(FAULT, recorded.at)).next()
}

/// From the fault until the first API server's cache serves no reads.
fn cold(case: &Case) -> Option<f64> {
    let server = case.plan.map.of_kind(Kind::ApiServer).next()?;
    let mut changes = case.history.facts().filter(|change| change.of == server);
    let cold = changes.find(
        |change| matches!(change.to, Fact::ApiServer(fact) if fact.read_cached != Ability::Works),
    );
    cold.map(|change| span(FAULT, change.at))
}

/// When the first API server's process ended, and was started again, each time after the fault.
fn lives(case: &Case, to: ProcessState) -> Vec<Time> {
    let server = case.plan.map.of_kind(Kind::ApiServer).next();
    let all = case.history.processes();
    let changes = all.filter(|it| Some(it.of) == server && it.at > FAULT && it.to == to);
    changes.map(|change| change.at).collect()
}

/// Law: from the loss of quorum until the liveness probe has failed for the last time.
#[test]
fn probes_kill() {
    let mut verdicts = Verdicts::default();
    for topology in ["stacked", "external"] {
        let plan = night(topology, "3m", "1");
        let draws =
            drawn(&plan, |timers, draw| nights(timers).patience() + nights(timers).phase(draw));
        verdicts.compare(&format!("kill, {topology}"), worlds(&plan, WORLDS, killed), draws);
    }
    verdicts.all_agree();
}

/// Law: from the loss of quorum until cached reads end.
#[test]
fn caches_are_lost() {
    let mut verdicts = Verdicts::default();
    for topology in ["stacked", "external"] {
        for leader in ["1", "2"] {
            let plan = night(topology, "60s", leader);
            let silently = topology == "external";
            let draws =
                drawn(&plan, |timers, draw| timers.cache_lost(draw, leader == "1", silently));
            let what = format!("cache, {topology}, {leader}");
            verdicts.compare(&what, worlds(&plan, WORLDS, cold), draws);
        }
    }
    verdicts.all_agree();
}

/// Law: once dead, a server is started, ends without etcd, and waits, each time longer: the n-th end
/// and the n-th start, from the first end.
#[test]
fn servers_die_all_night() {
    let mut verdicts = Verdicts::default();
    let plan = night("stacked", "25m", "1");
    for turn in [0, 1, 4] {
        let seen = |to: ProcessState, nth: usize| {
            worlds(&plan, WORLDS / 4, |case| {
                let first = *lives(case, ProcessState::Dead).first()?;
                lives(case, to).get(nth).map(|at| span(first, *at))
            })
        };
        let course = |ends: bool| {
            drawn(&plan, |timers, draw| {
                let (nights, mut past) = (nights(timers), None);
                let mut ended = Time::START;
                for _ in 0..turn {
                    let began = nights.restarts(draw, &mut past, ended);
                    ended = began + nights.youth(draw).gives_up;
                }
                let began = nights.restarts(draw, &mut past, ended);
                let at = if ends { began + nights.youth(draw).gives_up } else { began };
                at.since(Time::START)
            })
        };
        let starts = seen(ProcessState::Running, turn);
        verdicts.compare(&format!("start {turn}"), starts, course(false));
        let ends = seen(ProcessState::Dead, turn + 1);
        verdicts.compare(&format!("end {turn}"), ends, course(true));
    }
    verdicts.all_agree();
}

//! Takeovers of Leases.

use super::{Verdicts, back, committed, drawn, metric, plan, span, started, worlds};
use hasim::component::fact::Fact;
use hasim::component::id::Kind;
use hasim::measure::Case;
use hasim::measure::history::FactChange;
use hasim::plan::Plan;
use hasim::plan::service::Service;
use hasim::reliability::timers::Lost;
use serde_json::{Value, json};

const WORLDS: u64 = 500;

fn cluster(replicas: u32, election: &Value) -> Value {
    json!({
        "topology": "external",
        "controlPlane": {
            "replicas": replicas, "supervision": "none",
            "kubeScheduler": { "leaderElection": election },
            "kubeControllerManager": { "leaderElection": election }
        },
        "endpoint": { "kind": "all-servers" }
    })
}

fn leases() -> [Value; 2] {
    [
        json!({ "leaseDuration": "15s", "renewDeadline": "10s", "retryPeriod": "2s" }),
        json!({ "leaseDuration": "6s", "renewDeadline": "4s", "retryPeriod": "1s" }),
    ]
}

/// Law: from the loss of a Lease's holder until another instance holds it and acts: with one, two and
/// four others, for both programs, and whether the machine or the process is lost, or it gives the
/// Lease back.
#[test]
fn leases_are_taken_over() {
    let mut verdicts = Verdicts::default();
    for election in leases() {
        for (replicas, verb, lost) in [
            (2, "kill", Lost::Exited),
            (3, "kill", Lost::Exited),
            (5, "kill", Lost::Exited),
            (3, "powerOff", Lost::Silently),
            (3, "stop", Lost::InOrder),
        ] {
            for (program, service) in [
                ("kube-scheduler", Service::Scheduling),
                ("kube-controller-manager", Service::Reconciliation),
            ] {
                let manager = service == Service::Reconciliation;
                let faults = json!([{ "at": "30s", verb: format!("leader of {program}") }]);
                let plan = plan(&cluster(replicas, &election), &faults, "75s", &json!({}));
                let draws =
                    drawn(&plan, |timers, draw| timers.lease(draw, manager, lost, replicas - 1));
                let seen = worlds(&plan, WORLDS, |case| back(case, service));
                let what = format!("{program} of {replicas}, {election}, {verb}");
                verdicts.compare(&what, seen, draws);
            }
        }
    }
    verdicts.all_agree();
}

/// Law: the Lease itself is taken as much earlier as the new leader warms up.
#[test]
fn leases_are_held_before_they_are_used() {
    let mut verdicts = Verdicts::default();
    for election in leases() {
        let faults = json!([{ "at": "30s", "kill": "leader of kube-scheduler" }]);
        let plan = plan(&cluster(3, &election), &faults, "75s", &json!({}));
        let draws = drawn(&plan, |timers, draw| timers.lease_held(draw, false, Lost::Exited, 2));
        let seen = worlds(&plan, WORLDS, |case| metric(case, "scheduler.failover"));
        verdicts.compare(&format!("Lease, {election}"), seen, draws);
    }
    verdicts.all_agree();
}

/// A cluster whose two of three members are away from the fault to a random later instant.
fn without_quorum(election: &Value) -> Plan {
    let mut cluster = cluster(3, election);
    cluster["controlPlane"]["supervision"] = json!("kubelet");
    cluster["etcd"] = json!({ "supervision": "none" });
    let at = json!({ "uniform": ["90s", "100s"] });
    let faults = json!([
        { "at": "30s", "kill": ["etcd1/etcd", "etcd2/etcd"] },
        { "at": at, "start": "etcd2/etcd" }
    ]);
    plan(&cluster, &faults, "150s", &json!({ "etcd": "etcd1" }))
}

/// Law: without writes the holder gives up.
#[test]
fn holders_give_up_without_writes() {
    let mut verdicts = Verdicts::default();
    for election in leases() {
        let plan = without_quorum(&election);
        let draws = drawn(&plan, |timers, draw| timers.lease_given_up(draw, false));
        let exit = |case: &Case| metric(case, "scheduler.old_leader_exit");
        verdicts.compare(&format!("exit, {election}"), worlds(&plan, WORLDS, exit), draws);
    }
    verdicts.all_agree();
}

/// In steps of which the return of writes is told, in milliseconds: how the syncs of the first requests
/// after an election follow each other is left out.
const STEP: f64 = 100.0;

/// Law: with writes back, whoever waits for an answer takes the Lease that nobody renewed, if it had read
/// the last renewal before they went; else it counts from now.
#[test]
fn leases_are_taken_when_writes_are_back() {
    let taken = |case: &Case| {
        let lease = case.plan.map.lease_of(Kind::Scheduler)?;
        let (start, _) = started(case, Kind::Etcd)?;
        let works = committed(case, start)?;
        let holds =
            |change: &FactChange| matches!(change.to, Fact::Lease(fact) if fact.holder.is_some());
        let mut changes =
            case.history.facts().filter(|c| c.of == lease && c.at >= works && holds(c));
        changes.next().map(|change| span(works, change.at))
    };
    let mut verdicts = Verdicts::default();
    for election in leases() {
        let plan = without_quorum(&election);
        let draws = drawn(&plan, |timers, draw| timers.lease_held(draw, false, Lost::Nobody, 3));
        let draws = draws.into_iter().map(|draw| (draw / STEP).floor()).collect();
        let seen = worlds(&plan, WORLDS, |case| taken(case).map(|span| (span / STEP).floor()));
        verdicts.compare(&format!("return, {election}"), seen, draws);
    }
    verdicts.all_agree();
}

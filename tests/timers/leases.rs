//! Takeovers of Leases.

use super::{Verdicts, back, drawn, metric, plan, worlds};
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

//! Laws of evictions, read from whole runs: each deletion comes when it must, and none is missing.

use hasim::component::fact::{Condition, Fact};
use hasim::component::id::{ComponentId, Kind};
use hasim::experiment::single::Run;
use hasim::kernel::stream::Key;
use hasim::kernel::time::{Duration, Time};
use hasim::measure::Case;
use hasim::plan::Plan;
use hasim::scenario::load::load_text;
use hasim::world::World;
use hasim::world::observer::Nobody;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Two Deployments with different tolerations on four workers.
const TOLERATIONS: [u64; 2] = [30, 90];

/// A deletion takes this long at most, once a toleration is over.
const DELETION: Duration = Duration::from_millis(34);

fn plan(sections: &Value) -> Plan {
    let mut scenario = json!({ "apiVersion": "hasim/v1", "kind": "Scenario" });
    for (name, section) in sections.as_object().expect("an object") {
        scenario[name] = section.clone();
    }
    let loaded = load_text("workloads.json", &scenario.to_string());
    loaded.plan.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics))
}

fn evicting(faults: &Value) -> Plan {
    let deployment = |seconds: u64| {
        let name = format!("tolerates-{seconds}");
        json!({ "name": name, "replicas": 8, "tolerationSeconds": seconds })
    };
    plan(&json!({
        "cluster": { "workers": { "replicas": 4 } },
        "workloads": TOLERATIONS.map(deployment),
        "faults": faults,
        "run": { "until": "12m" },
    }))
}

/// The pods of a workload that are on a node and not being deleted, as a fact says.
fn active_on(fact: &Fact, machine: hasim::component::MachineId) -> usize {
    match fact {
        Fact::Workload(fact) => fact.on(machine).filter(|pod| pod.is_active()).count(),
        _ => 0,
    }
}

/// Since when a node has been tainted without a break, at each change of that.
fn taints(case: &Case, node: ComponentId) -> Vec<(Time, bool)> {
    let tainted = |fact: &Fact| matches!(fact, Fact::Node(fact) if fact.no_execute.is_some());
    let changes = case.history.facts().filter(|change| change.of == node);
    let turned = changes.filter(|change| tainted(change.from) != tainted(change.to));
    turned.map(|change| (change.at, tainted(change.to))).collect()
}

/// When pods of a workload on a machine were deleted.
fn deletions(case: &Case, object: ComponentId, machine: hasim::component::MachineId) -> Vec<Time> {
    let changes = case.history.facts().filter(|change| change.of == object);
    let fewer = changes.filter(|c| active_on(c.to, machine) < active_on(c.from, machine));
    fewer.map(|change| change.at).collect()
}

/// What a controller-manager that looked at every node at every instant would do: for each stretch of a
/// taint, delete the pods there when the toleration is over, and never before.
fn disagreements(case: &Case) -> Vec<String> {
    let map = &case.plan.map;
    let mut found = Vec::new();
    for (machine, entry) in map.machines() {
        let Some(node) = map.find_component(&format!("node/{}", entry.name)) else { continue };
        let taints = taints(case, node);
        for (workload, seconds) in case.plan.workloads.all.iter().zip(TOLERATIONS) {
            let toleration = Duration::from_secs(seconds);
            let deleted = deletions(case, workload.object, machine);
            let mut expected = 0;
            for (at, (since, _)) in taints.iter().enumerate().filter(|(_, (_, on))| *on) {
                let end = taints.get(at + 1).map_or(case.until, |(end, _)| *end);
                let due = *since + toleration;
                let pods = active_on(case.fact_before(due, workload.object), machine);
                let on_time = |t: &&Time| **t >= due && **t <= due + DELETION;
                let times = deleted.iter().filter(on_time).count();
                let must = usize::from(pods > 0 && due + DELETION < end);
                expected += times;
                if times < must || times > 1 {
                    found.push(format!("{} on {}: {times} at {due}", workload.name, entry.name));
                }
            }
            if deleted.len() != expected {
                found.push(format!("{} on {}: {deleted:?}", workload.name, entry.name));
            }
        }
    }
    found
}

fn outages() -> impl Strategy<Value = Vec<(usize, u64, u64)>> {
    prop::collection::vec((1..=4_usize, 1..400_u64, 20..300_u64), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(120) })]

    /// Law: laziness is unobservable: with one alarm for all nodes, each pod is deleted when its own
    /// toleration of its own node's taint is over, and never else.
    #[test]
    fn pods_are_deleted_when_their_toleration_is_over(outages in outages(), seed in 0..1000_u64) {
        let faults: Vec<Value> = outages
            .iter()
            .map(|(worker, at, lasts)| {
                json!({ "at": format!("{at}s"), "powerOff": format!("worker{worker}"), "for": format!("{lasts}s") })
            })
            .collect();
        let plan = evicting(&json!(faults));
        let run = Run::of(&plan, seed, 0, &[]);
        prop_assert_eq!(disagreements(&run.case()), Vec::<String>::new());
        let broken = run.findings().violations;
        prop_assert!(broken.iter().all(|violation| !violation.law.is_ours()), "{:?}", broken);
    }
}

/// Law: a new controller-manager counts tolerations anew: its pods are deleted as long after it began
/// as they tolerate, however old the taint is.
#[test]
fn a_new_leader_counts_tolerations_anew() {
    let plan = evicting(&json!([
        { "at": "30s", "powerOff": "worker1" },
        { "at": "130s", "kill": "leader of kube-controller-manager" },
    ]));
    for seed in 0..20 {
        let run = Run::of(&plan, seed, 0, &[]);
        let case = run.case();
        let acts = |fact: &Fact| matches!(fact, Fact::Candidate(fact) if fact.acting);
        let managers: Vec<_> = plan.map.of_kind(Kind::ControllerManager).collect();
        let killed = Time::at(Duration::from_secs(130));
        let began = case
            .history
            .facts()
            .find(|c| managers.contains(&c.of) && c.at > killed && acts(c.to) && !acts(c.from));
        let began = began.expect("another takes over").at;
        let machine = plan.map.find_machine("worker1").expect("there is worker1");
        let deleted = deletions(&case, plan.workloads.all[1].object, machine);
        let wait = deleted[0].since(began);
        let toleration = Duration::from_secs(TOLERATIONS[1]);
        assert!(wait >= toleration && wait <= toleration + DELETION, "seed {seed}: {wait}");
    }
}

/// Law: pods that run cost no event, however many and however long.
#[test]
fn running_pods_cost_no_event() {
    let steps = |workloads: Value| {
        let sections = json!({
            "cluster": { "workers": { "replicas": 20 } },
            "workloads": workloads,
            "run": { "until": "8760h" },
        });
        let plan = plan(&sections);
        let mut world = World::new(&plan, Key::new(1, 0));
        world.begin_run(&mut Nobody);
        world.run_until(Time::at(plan.until), &mut Nobody);
        world.steps()
    };
    let many = json!([
        { "name": "web", "replicas": 1000 },
        { "name": "db", "kind": "StatefulSet", "replicas": 100 },
    ]);
    assert_eq!(steps(many), steps(json!([])));
}

/// Law: what the API shows is not what runs: on a machine that has just lost power pods are ready for
/// the API until the grace is over, and serve nothing from the first instant.
#[test]
fn the_api_is_the_last_to_know() {
    let plan = evicting(&json!([{ "at": "30s", "powerOff": "worker1" }]));
    let moments = [Duration::from_secs(29), Duration::from_secs(60)];
    let run = Run::of(&plan, 1, 0, &moments);
    let machine = plan.map.find_machine("worker1").expect("there is worker1");
    for (snapshot, runs) in run.snapshots().iter().zip([true, false]) {
        for workload in &plan.workloads.all {
            let Fact::Workload(fact) = &snapshot.all.facts[workload.object.index()] else {
                panic!("{} is no workload", workload.name)
            };
            assert!(fact.on(machine).count() > 0);
            assert!(fact.on(machine).all(|pod| pod.ready && pod.runs(&snapshot.all) == runs));
        }
        let node = plan.map.find_component("node/worker1").expect("there is its node");
        let Fact::Node(node) = &snapshot.all.facts[node.index()] else { panic!("no node") };
        assert_eq!(node.ready, Condition::True);
    }
}

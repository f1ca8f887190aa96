//! Laws of leader election over a connection that stays, in whole worlds: what is computed cannot be
//! told from what is simulated, and what a half-dead or reset connection costs.

use hasim::component::ComponentId;
use hasim::component::fact::Fact;
use hasim::component::id::Kind;
use hasim::component::view::Surroundings;
use hasim::components::Params;
use hasim::kernel::stream::Key;
use hasim::kernel::time::{Duration, Time};
use hasim::plan::Plan;
use hasim::scenario::load::load_text;
use hasim::world::World;
use hasim::world::observer::{Change, Nobody, Observer, Transition};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

/// Who holds kube-scheduler's Lease from an instant on.
type Held = (Time, Option<ComponentId>);

/// Holders of kube-scheduler's Lease, each with the instant at which it came or went.
#[derive(Default)]
struct Holders(Vec<Held>);

impl Observer for Holders {
    fn transition(&mut self, transition: &Transition, _all: &Surroundings) {
        let Change::Fact { from, to, .. } = &transition.change else { return };
        let (Fact::Lease(from), Fact::Lease(to)) = (&**from, &**to) else { return };
        if from.holder != to.holder {
            self.0.push((transition.at, to.holder.map(|holder| holder.component)));
        }
    }
}

fn plan(faults: &[Value], until: &str) -> Plan {
    let scenario = json!({
        "apiVersion": "hasim/v1",
        "kind": "Scenario",
        "cluster": {
            "topology": "external",
            "etcd": { "fsync": "1ms" },
            "controlPlane": {
                "kubeScheduler": { "kubeconfig": "endpoint", "startup": "100ms" },
                "kubeControllerManager": { "kubeconfig": "endpoint" }
            },
            "endpoint": { "loadBalancers": { "haproxy": {
                "check": "httpchk /readyz", "check-ssl": true, "option redispatch": true,
                "timeout connect": "5s", "timeout client": "5m", "timeout server": "5m"
            } } }
        },
        "faults": faults,
        "run": { "until": until, "seed": 1, "leaders": { "kube-scheduler": "cp3" } }
    });
    let loaded = load_text("electors.json", &scenario.to_string());
    let problems: Vec<_> = loaded.diagnostics.iter().map(|d| d.message.clone()).collect();
    loaded.plan.unwrap_or_else(|| panic!("{problems:?} in {scenario}"))
}

/// The same plan with schedulers that make every attempt.
fn eager(mut plan: Plan) -> Plan {
    for id in plan.map.clone().of_kind(Kind::Scheduler) {
        if let Params::Scheduler(_, wiring) = &mut plan.params[id.index()] {
            wiring.eager = true;
        }
    }
    plan
}

fn holders(plan: &Plan, seed: u64) -> Vec<Held> {
    let mut held = Holders::default();
    let mut world = World::new(plan, Key::new(seed, 0));
    world.begin_run(&mut held);
    world.run_until(Time::at(plan.until), &mut held);
    let scheduler = |id: &Option<ComponentId>| {
        id.is_none_or(|id| plan.map.component(id).kind == Kind::Scheduler)
    };
    held.0.retain(|(_, id)| scheduler(id));
    held.0
}

fn fault() -> impl Strategy<Value = Value> {
    let machine = prop_oneof![Just("cp1"), Just("cp2"), Just("cp3"), Just("lb1"), Just("lb2")];
    let server = prop_oneof![Just("cp1/kube-apiserver"), Just("cp2/kube-apiserver")];
    let verb = prop_oneof![
        (Just("isolate"), machine.clone()),
        (Just("powerOff"), machine),
        (Just("pause"), server.clone()),
        (Just("kill"), server),
    ];
    (verb, 60_000_u64..110_000, 1_000_u64..70_000).prop_map(|((verb, target), at, lasts)| {
        json!({ "at": format!("{at}ms"), verb: target, "for": format!("{lasts}ms") })
    })
}

/// Histories that are compared.
const HISTORIES: u64 = 120;

/// Law: whoever computes its attempts over the connection it keeps takes and loses the Lease as
/// whoever makes each of them. All schedulers start anew at 0 s, the holder last, so that both draw the
/// same waits; an attempt is computed at its mean, to a millisecond, and no more than 64 follow each
/// other. Within those 64 ms, of the 6.4 s that retransmissions may be apart, a fault may decide
/// otherwise: once in a hundred faults, so in 120 histories of two at most 8 times (p < 0.001).
#[test]
fn electors_at_the_endpoint_are_their_twins() {
    let mut runner = TestRunner::deterministic();
    let faults = prop::collection::vec(fault(), 1..3);
    let near = Duration::from_millis(64);
    let (mut apart, mut turns) = (Vec::new(), 0);
    for seed in 0..HISTORIES {
        let mut all = vec![json!({ "at": "0s", "kill": [
            "cp1/kube-scheduler", "cp2/kube-scheduler", "cp3/kube-scheduler"
        ] })];
        all.extend(faults.new_tree(&mut runner).expect("faults are drawn").current());
        let lazily = plan(&all, "220s");
        let (a, b) = (holders(&lazily, seed), holders(&eager(lazily.clone()), seed));
        let alike = |((at, who), (then, whom)): (&Held, &Held)| {
            let between = at.saturating_since(*then).max(then.saturating_since(*at));
            who == whom && between <= near
        };
        turns += a.len();
        if a.len() != b.len() || !a.iter().zip(&b).all(alike) {
            apart.push(format!("{seed}: {a:?} {b:?} {all:?}"));
        }
    }
    assert!(turns > 150, "{turns} changes of holders are too few to tell");
    assert!(apart.len() <= 8, "{} differ:\n{}", apart.len(), apart.join("\n"));
}

/// Law: a connection that is kept costs nothing while it works: a year with electors at the endpoint
/// takes no more steps than an hour, but for what belongs to other components.
#[test]
fn kept_connections_are_idle() {
    let steps = |until: &str| {
        let plan = plan(&[], until);
        let mut world = World::new(&plan, Key::new(1, 0));
        world.begin_run(&mut Nobody);
        world.run_until(Time::at(plan.until), &mut Nobody);
        world.steps()
    };
    let (hour, year) = (steps("1h"), steps("8760h"));
    assert_eq!(hour, year);
}

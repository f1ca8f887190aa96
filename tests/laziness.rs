//! Exact event counts: what merely repeats must cost nothing, however long it goes on.
//!
//! The counts stand in `benches/baseline.json`. One that grows is a lost laziness; one that falls is
//! an improvement to be recorded there.

use hasim::kernel::stream::Key;
use hasim::kernel::time::Time;
use hasim::plan::Plan;
use hasim::scenario::load::load_text;
use hasim::world::World;
use hasim::world::observer::Nobody;
use serde_json::{Value, json};

fn scenario(workers: u32, clients: &Value, faults: &Value) -> Value {
    json!({
        "apiVersion": "hasim/v1",
        "kind": "Scenario",
        "metadata": { "name": "gate" },
        "cluster": { "workers": { "replicas": workers } },
        "clients": clients,
        "faults": faults,
        "run": { "until": "8760h", "seed": 1 }
    })
}

fn ten_a_second() -> Value {
    let client = |name: &str, class: &str| json!({ "name": name, "class": class, "every": "100ms", "timeout": "5s" });
    json!([client("get", "read"), client("put", "write")])
}

fn plan(scenario: &Value) -> Plan {
    load_text("gate.json", &scenario.to_string()).plan.expect("a valid scenario")
}

/// How many alarms, letters and settings a run of a plan handles.
fn steps(plan: &Plan) -> u64 {
    let mut world = World::new(plan, Key::new(plan.seed, 0));
    world.begin_run(&mut Nobody);
    world.run_until(Time::at(plan.until), &mut Nobody);
    world.steps()
}

/// Law: a year costs as many events as changes of state make, to the event.
#[test]
fn years_cost_their_changes_only() {
    let monthly = json!([{ "at": "100h", "powerOff": "cp1", "for": "1h", "every": "730h" }]);
    let years = [
        ("idle year", scenario(0, &json!([]), &json!([]))),
        ("idle year, 100 workers", scenario(100, &json!([]), &json!([]))),
        ("idle year, 20 requests a second", scenario(0, &ten_a_second(), &json!([]))),
        ("year, cp1 off for an hour each month", scenario(0, &json!([]), &monthly)),
    ];
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/baseline.json");
    let text = std::fs::read_to_string(path).expect("the baseline is readable");
    let baseline: Value = serde_json::from_str(&text).expect("the baseline is JSON");
    let counted: Vec<(&str, u64)> =
        years.iter().map(|(name, s)| (*name, steps(&plan(s)))).collect();
    for (name, steps) in &counted {
        assert_eq!(baseline[*name].as_u64(), Some(*steps), "{name}: all counts: {counted:?}");
    }
}

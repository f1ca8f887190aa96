//! Laziness as a gate: exact counts of handled alarms, letters and settings, the same on any
//! machine. A count that grows is a lost laziness; one that falls is a gain to be recorded.
//!
//! `HASIM_BLESS=1 cargo test --test laziness` records the counts in `benches/baseline.json`.

use hasim::experiment::trials::{Sampling, Unwatched};
use hasim::experiment::years::YearStudy;
use hasim::kernel::stream::Key;
use hasim::kernel::time::Time;
use hasim::plan::Plan;
use hasim::scenario::load::load_text;
use hasim::world::World;
use hasim::world::observer::Nobody;
use serde_json::{Map, Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// Where a count ends: nothing lazy comes near it, and a year of ticks would never end.
const STEPS_MAX: u64 = 500_000;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

/// A year of a cluster that is described by a few sections.
fn year(sections: &Value) -> Plan {
    let mut scenario = json!({
        "apiVersion": "hasim/v1",
        "kind": "Scenario",
        "run": { "until": "8760h", "seed": 1 },
    });
    for (name, section) in sections.as_object().expect("an object") {
        scenario[name] = section.clone();
    }
    let loaded = load_text("year.json", &scenario.to_string());
    loaded.plan.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics))
}

/// How many steps a run of a plan takes.
fn steps(plan: &Plan) -> u64 {
    let mut world = World::new(plan, Key::new(plan.seed, 0));
    world.begin_run(&mut Nobody);
    while world.steps() < STEPS_MAX && world.step(Time::at(plan.until), &mut Nobody) {}
    world.steps()
}

/// Ten reads and ten writes a second.
fn clients() -> Value {
    json!([
        { "name": "get", "class": "read", "every": "100ms" },
        { "name": "put", "class": "write", "every": "100ms" },
    ])
}

fn years() -> Map<String, Value> {
    let monthly = [json!({ "at": "100h", "powerOff": "cp1", "for": "1h", "every": "730h" })];
    let nodes = json!({ "workers": { "replicas": 97 } });
    let external = json!({ "topology": "external", "etcd": { "members": 5 } });
    let lossy = json!({ "network": { "loss": 0.01 } });
    let years = [
        ("idle", json!({})),
        ("idle, external etcd", json!({ "cluster": external })),
        ("idle, 100 kubelets", json!({ "cluster": nodes })),
        ("20 requests a second", json!({ "clients": clients() })),
        ("20 requests a second, 1 % loss", json!({ "clients": clients(), "cluster": lossy })),
        ("cp1 off for an hour each month", json!({ "faults": monthly })),
    ];
    let counted = years.map(|(name, sections)| (name.to_owned(), json!(steps(&year(&sections)))));
    counted.into_iter().collect()
}

fn scenarios() -> Map<String, Value> {
    let folder = root().join("scenarios");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the scenarios are there")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    let count = |path: &PathBuf| {
        let text = fs::read_to_string(path).expect("a scenario is readable");
        let plan = load_text("scenario", &text).plan.expect("a shipped scenario is valid");
        (plan.name.clone(), json!(steps(&plan)))
    };
    files.iter().map(count).collect()
}

/// What the first trials of a study over years cost in all: events of the failure process, incidents,
/// and steps of their worlds.
fn trials() -> Map<String, Value> {
    let subjects = [
        ("oracles/P05.json", 100, "plain availability, 100 years"),
        ("stacked-vs-external/three-nodes-years.json", 2, "three nodes with protocols, 2 years"),
    ];
    let counted = subjects.map(|(file, trials, name)| {
        let text = fs::read_to_string(root().join("scenarios").join(file)).expect("readable");
        let plan = load_text("scenario", &text).plan.expect("a shipped scenario is valid");
        let sampling = Sampling { seed: 1, first: 0, trials, threads: Some(1) };
        let study = YearStudy::of(&plan, sampling, 1, &Unwatched).expect("threads start").results;
        let counts =
            json!({ "events": study.events, "incidents": study.incidents, "steps": study.steps });
        (name.to_owned(), counts)
    });
    counted.into_iter().collect()
}

/// Law: what merely repeats costs nothing, however long it repeats; what a scenario costs is known
/// to the step.
#[test]
fn steps_are_those_of_the_baseline() {
    let counted = json!({ "year": years(), "trial": trials(), "scenario": scenarios() });
    let file = root().join("benches/baseline.json");
    if std::env::var_os("HASIM_BLESS").is_some() {
        let text = serde_json::to_string_pretty(&counted).expect("JSON is written") + "\n";
        fs::write(&file, text).expect("the baseline is writable");
    }
    let text = fs::read_to_string(&file).expect("the baseline is there");
    let baseline: Value = serde_json::from_str(&text).expect("the baseline is JSON");
    let mut changed = Vec::new();
    for (group, counts) in counted.as_object().expect("an object") {
        for (name, count) in counts.as_object().expect("an object") {
            let before = &baseline[group][name];
            if before != count {
                changed
                    .push(format!("{group}, {name}: {before} steps in the baseline, now {count}"));
            }
        }
    }
    assert!(changed.is_empty(), "{}\nHASIM_BLESS=1 records them", changed.join("\n"));
    assert_eq!(baseline, counted, "the baseline counts something that is gone");
}

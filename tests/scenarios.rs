//! Every shipped scenario keeps its own claims, twice the same, and without a warning.

use hasim::experiment::single::Run;
use hasim::experiment::trials::{Sampling, Unwatched};
use hasim::experiment::years::YearStudy;
use hasim::kernel::stream::Key;
use hasim::kernel::time::Time;
use hasim::plan::Plan;
use hasim::reliability::ideal::Measure;
use hasim::scenario::load::{Overrides, load_with};
use hasim::scenario::raw::cluster::Topology;
use hasim::scenario::source::Source;
use hasim::world::World;
use hasim::world::observer::Nobody;
use std::fs;
use std::path::{Path, PathBuf};

fn files() -> Vec<PathBuf> {
    files_in("scenarios")
}

fn files_in(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the scenarios are there")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "json" || e == "yaml"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

fn plan(path: &Path) -> Plan {
    plan_in(path, None)
}

fn plan_in(path: &Path, topology: Option<Topology>) -> Plan {
    let source = Source::open(path).expect("a scenario file is readable");
    let near = |name: &str| {
        let file = path.parent().expect("a folder").join(name);
        fs::read_to_string(file).map_err(|error| error.to_string())
    };
    let overrides = Overrides { topology, ..Overrides::default() };
    let loaded = load_with(&source, &near, overrides);
    let problems: Vec<String> = loaded
        .diagnostics
        .iter()
        .filter(|d| d.severity.word() == "error")
        .map(|d| d.message.clone())
        .collect();
    loaded.plan.unwrap_or_else(|| panic!("{}: {problems:?}", path.display()))
}

/// Law: a shipped scenario opens with its claim, and the claim holds for its own seed and others.
#[test]
fn claims_hold() {
    let broken: Vec<String> = files().iter().flat_map(|path| breaches(&plan(path))).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// What a plan claims and does not keep, with its own seed or another.
fn breaches(plan: &Plan) -> Vec<String> {
    let mut broken = Vec::new();
    assert!(plan.description.starts_with("Claim: "), "{} opens with no claim", plan.name);
    assert!(!plan.expect.is_empty(), "{} checks nothing", plan.name);
    for seed in (plan.seed..plan.seed + 20).chain([4711, 31_337]) {
        let run = Run::of(plan, seed, 0, &[]);
        let findings = run.findings();
        for verdict in findings.expectations.iter().filter(|verdict| !verdict.passed) {
            broken.push(format!(
                "{} seed {seed}: {} expected {}, got {}",
                plan.name, verdict.subject, verdict.expected, verdict.got
            ));
        }
        for violation in findings.violations.iter().filter(|violation| violation.law.is_ours()) {
            broken.push(format!("{} seed {seed}: {violation:?}", plan.name));
        }
    }
    broken
}

/// Law: what is claimed of both topologies holds in both: by its `expect`, or for years in which
/// things fail, of the share of time for which the API can be written to. The bound is nine standard
/// deviations of the mean of so few years away.
#[test]
fn claims_hold_in_both_topologies() {
    for path in files_in("scenarios/stacked-vs-external") {
        for topology in [Topology::Stacked, Topology::External] {
            let plan = plan_in(&path, Some(topology));
            if plan.reliability.is_empty() {
                let broken = breaches(&plan);
                assert!(broken.is_empty(), "{topology:?}: {}", broken.join("\n"));
                continue;
            }
            assert!(plan.description.starts_with("Claim: "), "{} opens with no claim", plan.name);
            let sampling = Sampling { seed: 3, first: 0, trials: 8, threads: Some(2) };
            let study = YearStudy::of(&plan, sampling, 1, &Unwatched).expect("threads start");
            let down = study.unavailability(Measure::ApiWrite).mean;
            assert!(down < 1e-3, "{} {topology:?}: {down}", plan.name);
        }
    }
}

/// Law: two runs of the same plan and seed agree at every step, be one in the memory of another run
/// that is over, and its components told of each change by itself.
#[test]
fn runs_do_not_diverge() {
    for path in files() {
        let plan = plan(&path);
        let key = Key::new(plan.seed, 0);
        let mut over = World::new(&plan, Key::new(plan.seed, 1));
        over.begin_run(&mut Nobody);
        over.run_until(Time::at(plan.until), &mut Nobody);
        let mut a = World::new(&plan, key);
        let mut b = World::after(over.into_remains(), &plan, key).telling_of_each_change();
        a.begin_run(&mut Nobody);
        b.begin_run(&mut Nobody);
        let until = Time::at(plan.until);
        while a.step(until, &mut Nobody) {
            assert!(b.step(until, &mut Nobody), "{} ended early", plan.name);
            assert_eq!(a.digest(), b.digest(), "{} diverges at {}", plan.name, a.now());
        }
    }
}

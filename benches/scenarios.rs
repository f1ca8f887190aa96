//! Events and time of each shipped scenario: what `hasim run` costs beside starting the program.
//!
//! The name of each measurement tells its events (alarms, letters and settings that were handled),
//! which `benches/baseline.json` gates exactly; the throughput is events a second. Measured apart:
//! reading a scenario's text, building its world, and running it with the observer that every run
//! has.

#![allow(missing_docs, reason = "criterion's macros declare undocumented items")]

use std::fs;
use std::hint::black_box;
use std::path::Path;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hasim::experiment::single::Run;
use hasim::kernel::stream::Key;
use hasim::plan::Plan;
use hasim::scenario::load::load_text;
use hasim::world::World;

/// The usual demonstration.
const DEMONSTRATION: &str = "stop-cp1";

/// The shipped scenarios' texts in the order of their names.
fn texts() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let entries = fs::read_dir(folder).expect("the scenarios are there");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    files.iter().map(|file| fs::read_to_string(file).expect("a scenario is readable")).collect()
}

fn plan(text: &str) -> Option<Plan> {
    load_text("scenario.json", text).plan
}

/// From text to plan, and from plan to world.
fn beginnings(criterion: &mut Criterion) {
    let texts = texts();
    let text = texts.iter().find(|text| plan(text).is_some_and(|p| p.name == DEMONSTRATION));
    let text = text.expect("the demonstration is there");
    criterion.bench_function("load", |bencher| bencher.iter(|| black_box(plan(text))));
    let plan = plan(text).expect("the demonstration is valid");
    let key = Key::new(plan.seed, 0);
    criterion.bench_function("world", |bencher| bencher.iter(|| black_box(World::new(&plan, key))));
}

/// Each scenario from its beginning to its end.
#[allow(clippy::disallowed_types, reason = "criterion measures real time")]
fn runs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("run");
    group.sample_size(10);
    group.warm_up_time(std::time::Duration::from_millis(100));
    group.measurement_time(std::time::Duration::from_millis(400));
    for plan in texts().iter().filter_map(|text| plan(text)) {
        let steps = Run::of(&plan, plan.seed, 0, &[]).world().steps();
        group.throughput(Throughput::Elements(steps));
        let id = BenchmarkId::new(&plan.name, format!("{steps} events"));
        group.bench_function(id, |bencher| {
            bencher.iter(|| black_box(Run::of(&plan, plan.seed, 0, &[])));
        });
    }
    group.finish();
}

criterion_group!(benches, beginnings, runs);
criterion_main!(benches);

//! Trials of one year: with laws in place of protocols, beside the same work as a plain loop, so that
//! their ratio means something on any machine; with failovers drawn from the protocols' timers; and with
//! protocols, a world for each incident.
//!
//! How many events, incidents and steps such years have is gated exactly by `benches/baseline.json`.

#![allow(missing_docs, reason = "criterion's macros declare undocumented items")]

use std::fs;
use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hasim::experiment::trials::{Sampling, Unwatched};
use hasim::experiment::years::{Trials, YearStudy, span_of};
use hasim::kernel::stream::Key;
use hasim::plan::Plan;
use hasim::scenario::load::load_text;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1};

/// Trials in one measured iteration.
const TRIALS: u64 = 64;

/// Hours of a year.
const YEAR: f64 = 8_760.0;

fn plan(file: &str) -> Plan {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(file);
    let text = fs::read_to_string(path).expect("a scenario is readable");
    load_text("scenario", &text).plan.expect("a shipped scenario is valid")
}

/// Three nodes and two balancers as a loop over five slots, a stream a trial: time without two nodes
/// or without a balancer, in hours.
fn plain_year(trial: u64) -> f64 {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    rng.set_stream(trial);
    let means = [(1_000.0, 4.0), (1_000.0, 4.0), (1_000.0, 4.0), (5_000.0, 2.0), (5_000.0, 2.0)];
    let mut draw =
        |mean: f64| -> f64 { mean * <Exp1 as Distribution<f64>>::sample(&Exp1, &mut rng) };
    let mut due = means.map(|(up, _)| draw(up));
    let (mut up, mut now, mut down) = ([true; 5], 0.0, 0.0);
    loop {
        let mut first = 0;
        for slot in 1..5 {
            if due[slot] < due[first] {
                first = slot;
            }
        }
        let next = due[first].min(YEAR);
        let nodes = up[..3].iter().filter(|up| **up).count();
        if nodes < 2 || !(up[3] || up[4]) {
            down += next - now;
        }
        if due[first] >= YEAR {
            return down;
        }
        now = next;
        up[first] = !up[first];
        let (mean_up, mean_down) = means[first];
        due[first] = now + draw(if up[first] { mean_up } else { mean_down });
    }
}

fn years(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("year");
    group.throughput(Throughput::Elements(TRIALS));
    group.bench_function("plain loop", |bencher| {
        bencher.iter(|| (0..TRIALS).map(|trial| black_box(plain_year(trial))).sum::<f64>());
    });
    for (file, name) in [
        ("oracles/P05.json", "laws"),
        ("years/three-nodes.json", "drawn failovers"),
        ("stacked-vs-external/three-nodes-years.json", "protocols"),
    ] {
        let plan = plan(file);
        let trials = Trials::of(&plan, span_of(1));
        let count = if name == "protocols" { 1 } else { TRIALS };
        group.throughput(Throughput::Elements(count));
        group.sample_size(10);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for trial in 0..count {
                    black_box(trials.row(Key::new(1, trial)));
                }
            });
        });
    }
    group.finish();
}

/// CPU time of the whole process so far, in seconds.
fn cpu() -> f64 {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9
}

/// CPU time of a study on so many threads, in seconds.
fn cpu_of(plan: &Plan, threads: usize) -> f64 {
    let sampling = Sampling { seed: 1, first: 0, trials: 100_000, threads: Some(threads) };
    let before = cpu();
    black_box(YearStudy::of(plan, sampling, 1, &Unwatched).expect("threads start"));
    cpu() - before
}

/// CPU per trial on two threads against one, taken in turn: the median of nine ratios.
#[expect(clippy::print_stdout, reason = "a bench prints what it measures")]
fn threads(_: &mut Criterion) {
    let plan = plan("oracles/P05.json");
    let mut ratios: Vec<f64> = (0..9).map(|_| cpu_of(&plan, 2) / cpu_of(&plan, 1)).collect();
    ratios.sort_by(f64::total_cmp);
    println!("year/laws: CPU per trial on two threads against one: {:.3}", ratios[4]);
}

criterion_group!(benches, years, threads);
criterion_main!(benches);

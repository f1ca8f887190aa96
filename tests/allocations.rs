//! How much memory is asked for, and how often: nothing per event once a study runs, a bounded number
//! of times per incident where protocols are played, and never more for more trials.

use allocation_counter::{AllocationInfo, measure};
use hasim::experiment::trials::{BLOCK, Fold, Guide, Join, Sampling, fold};
use hasim::experiment::years::{Totals, Trials, span_of};
use hasim::kernel::agenda::{Agenda, Cell};
use hasim::kernel::mail::MailQueue;
use hasim::kernel::stream::Key;
use hasim::kernel::time::Time;
use hasim::plan::Plan;
use hasim::plan::timings::Preset;
use hasim::scenario::load::load_text;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

fn plan(file: &str) -> Plan {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(file);
    let text = fs::read_to_string(path).expect("a scenario is readable");
    load_text("scenario", &text).plan.expect("a shipped scenario is valid")
}

/// Runs trials by number and adds them up, as a thread of a study does.
fn run(trials: &Trials, numbers: std::ops::Range<u64>) -> (Totals, AllocationInfo) {
    let mut totals = Totals::default();
    let asked = measure(|| {
        for number in numbers {
            totals.add(number, trials.row(Key::new(7, number)));
        }
    });
    (totals, asked)
}

/// Law: alarms and letters reuse the memory of those before them.
#[test]
fn the_kernel_allocates_nothing() {
    let mut agenda = Agenda::new(64);
    let mut mail = MailQueue::new();
    let mut play = |rounds: std::ops::Range<u64>| {
        for round in rounds {
            let at = |more: u64| Time::from_nanos(round * 1_000 + more);
            for cell in 0..64 {
                agenda.set(Cell(cell), at(u64::from(cell) * 7 % 64));
                mail.push(at(u64::from(cell) * 5 % 64), cell % 8, cell % 3, [round; 4]);
            }
            while let Some((_, cell)) = agenda.next() {
                agenda.clear(cell);
            }
            while mail.pop().is_some() {}
        }
    };
    play(0..2);
    assert_eq!(measure(|| play(2..200)).count_total, 0);
}

/// Law: a year in which laws stand for protocols allocates nothing, whatever fails in it: machines
/// alone (P05), with crews (P07), processes (P09), takeovers and elections (P10, P11), zones (P12).
#[test]
fn years_by_laws_allocate_nothing() {
    for name in ["P01", "P05", "P06", "P07", "P08", "P09", "P10", "P11", "P12"] {
        let plan = plan(&format!("oracles/{name}.json"));
        let trials = Trials::of(&plan, span_of(1));
        run(&trials, 0..400);
        let (totals, asked) = run(&trials, 0..400);
        assert!(totals.events > 400, "{name}: {} events", totals.events);
        assert_eq!(asked.count_total, 0, "{name}: in {} events", totals.events);
    }
}

/// Law: neither does a year in which each failover is drawn from the protocols' timers.
#[test]
fn years_of_drawn_failovers_allocate_nothing() {
    let mut plan = plan("stacked-vs-external/three-nodes-years.json");
    plan.timings.preset = Preset::Drawn;
    let trials = Trials::of(&plan, span_of(1));
    run(&trials, 0..100);
    let (totals, asked) = run(&trials, 0..100);
    assert!(totals.events > 10_000, "{} events", totals.events);
    assert_eq!(asked.count_total, 0, "in {} events", totals.events);
}

/// How often an incident of three stacked nodes may ask for memory, on average over quick ones and
/// nights without quorum: 520 times at present. A quarter more is a new list in a place that is hot.
const PER_INCIDENT: u64 = 650;

/// The most memory that one year may hold at a time: a night without quorum is tens of thousands of
/// events, each kept with its reasons.
const AT_ONCE: u64 = 32 << 20;

/// Law: a year of protocols asks for memory a bounded number of times for each of its incidents, and
/// keeps none of it; more years never hold more at a time.
#[test]
fn incidents_allocate_boundedly() {
    let plan = plan("stacked-vs-external/three-nodes-years.json");
    let trials = Trials::of(&plan, span_of(1));
    run(&trials, 0..1);
    let (few, first) = run(&trials, 0..4);
    let (many, all) = run(&trials, 0..16);
    for (totals, asked) in [(&few, first), (&many, all)] {
        assert!(totals.incidents > 60, "{} incidents", totals.incidents);
        let each = asked.count_total / totals.incidents;
        assert!(each <= PER_INCIDENT, "{each} for each of {} incidents", totals.incidents);
        assert_eq!((asked.count_current, asked.bytes_current), (0, 0), "memory is given back");
        assert!(asked.bytes_max < AT_ONCE, "{} bytes at once", asked.bytes_max);
    }
}

/// What trials cost that does not depend on the machine: what they do, and how often they ask for memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Work {
    events: u64,
    steps: u64,
    allocations: u64,
}

impl Join for Work {
    fn absorb(&mut self, later: Self) {
        self.events += later.events;
        self.steps += later.steps;
        self.allocations += later.allocations;
    }
}

impl Fold<Work> for Work {
    const QUICK: bool = true;

    fn add(&mut self, _trial: u64, work: Work) {
        self.absorb(work);
    }
}

/// Counts how often threads speak to each other by it: once a block, and not once a trial.
#[derive(Default)]
struct Ears(AtomicU64);

impl Guide for Ears {
    fn ended(&self, _trials: u64) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// The work of so many trials on so many threads, and how often progress was told.
fn work(plan: &Plan, trials: u64, threads: usize) -> (Work, u64) {
    let each = Trials::of(plan, span_of(1));
    let one = |number| {
        let mut totals = Totals::default();
        let asked = measure(|| totals.add(number, each.row(Key::new(7, number))));
        let Totals { events, steps, .. } = totals;
        Work { events, steps, allocations: asked.count_total }
    };
    let ears = Ears::default();
    let sampling = Sampling { seed: 7, first: 0, trials, threads: Some(threads) };
    let folded = fold(&sampling, one, &ears).expect("threads start");
    (folded.total, ears.0.into_inner())
}

/// Law: two threads do the work of one and no more: the same events and steps, one place of memory for
/// each thread, and one word to the others for each block. This stands for "CPU per trial at two
/// threads at most 1.03 of one", which a busy machine cannot be asked for; `benches/years.rs` measures
/// that.
#[test]
fn two_threads_do_the_work_of_one() {
    const TRIALS: u64 = 400;
    let laws = plan("oracles/P05.json");
    let (one, told) = work(&laws, TRIALS, 1);
    let (two, told_by_two) = work(&laws, TRIALS, 2);
    assert_eq!((one.events, one.steps), (two.events, two.steps));
    assert_eq!((told, told_by_two), (TRIALS.div_ceil(BLOCK), TRIALS.div_ceil(BLOCK)));
    // All of what one thread asks for is its place; the second thread has one too, if it came to a
    // trial at all.
    assert!([one.allocations, 2 * one.allocations].contains(&two.allocations), "{one:?} {two:?}");

    let protocols = plan("stacked-vs-external/three-nodes-years.json");
    let (one, _) = work(&protocols, 2 * BLOCK, 1);
    let (two, _) = work(&protocols, 2 * BLOCK, 2);
    assert_eq!(one, two, "a world for each incident borrows nothing");
}

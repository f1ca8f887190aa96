//! Raft without ticks, as a scenario: `AvailSim`'s wide-area elections (Ongaro's thesis, section 9.5.2:
//! five servers, one-way delays of U(30,40) ms, fresh time-outs of U(300,600) ms, no disk).

mod ground_truth;

use ground_truth::text;
use hasim::experiment::monte_carlo::{number, trial};
use hasim::scenario::load::load_text;
use serde_json::{Value, json};

const TRIALS: u64 = 4000;

/// Runs of `AvailSim` behind each published figure.
const PUBLISHED: f64 = 10_000.0;

/// Times from the start to a leader with so many of the five servers down, in milliseconds, sorted.
fn elections(failed: usize) -> Vec<f64> {
    let mut scenario: Value = serde_json::from_str(&text("raft-continuous")).expect("JSON");
    let down =
        (0..failed).map(|n| json!({ "at": "1001ms", "kill": format!("etcd{}/etcd", 5 - n) }));
    scenario["faults"] = down.collect();
    let plan = load_text("raft-continuous", &scenario.to_string()).plan.expect("it is valid");
    let value = |n| trial(&plan, 1, n).value("etcd.cold_start_to_leader").map(number);
    let mut times: Vec<f64> = (0..TRIALS).filter_map(value).collect();
    assert_eq!(times.len() as u64, TRIALS);
    times.sort_by(f64::total_cmp);
    times
}

fn mean(times: &[f64]) -> f64 {
    times.iter().sum::<f64>() / times.len() as f64
}

fn quantile(times: &[f64], p: f64) -> f64 {
    let last = (times.len() - 1) as f64;
    times[(1..times.len()).take_while(|n| *n as f64 <= p * last).count()]
}

/// Figures are read from a plot: to this many milliseconds.
const READING: f64 = 5.0;

/// Whether a published quantile is one of the order statistics that hold that of the law but for one
/// case in 16,000: four standard errors of the ranks of both samples.
fn assert_quantile(times: &[f64], p: f64, published: f64) {
    let ranks = 4.0 * (p * (1.0 - p) * (1.0 / times.len() as f64 + 1.0 / PUBLISHED)).sqrt();
    let (low, high) = (quantile(times, p - ranks), quantile(times, p + ranks));
    let inside = (low - READING..=high + READING).contains(&published);
    assert!(inside, "quantile {p} within {low:.0} and {high:.0}, published {published}");
}

fn assert_mean(times: &[f64], published: f64) {
    let m = mean(times);
    let variance = times.iter().map(|t| (t - m) * (t - m)).sum::<f64>() / times.len() as f64;
    let error = 4.0 * (variance * (1.0 / times.len() as f64 + 1.0 / PUBLISHED)).sqrt();
    assert!((m - published).abs() < error + READING, "mean {m:.1}, published {published}");
}

/// Law: `AvailSim`'s figures with none, one and two of five servers down.
#[test]
fn wide_area_elections_are_those_of_the_thesis() {
    let runs = [0, 1, 2].map(elections);
    for times in &runs {
        let shown = [0.5, 0.75, 0.9, 0.99, 0.999].map(|p| quantile(times, p).round());
        println!("mean {:.0}, p50 p75 p90 p99 p99.9 {shown:?}", mean(times));
    }
    let [none, one, two] = &runs;
    assert_mean(none, 430.0);
    for (p, published) in [(0.5, 410.0), (0.9, 489.0), (0.99, 833.0)] {
        assert_quantile(none, p, published);
    }
    assert_mean(one, 469.0);
    for (p, published) in [(0.5, 423.0), (0.9, 563.0), (0.99, 1005.0)] {
        assert_quantile(one, p, published);
    }
    for (p, published) in [(0.5, 469.0), (0.75, 798.0), (0.9, 1074.0), (0.99, 1929.0)] {
        assert_quantile(two, p, published);
    }
    assert!(quantile(one, 0.999) < 1500.0 && quantile(two, 0.999) < 3000.0);
}

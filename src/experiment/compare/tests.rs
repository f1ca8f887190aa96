//! Comparisons of years: sides, differences, intervals, refusals.

use super::*;
use crate::experiment::trials::{Fold, Unwatched};
use crate::experiment::years::YearStudy;
use crate::reliability::ideal::Measure;
use crate::scenario::load::load_text;

fn plan(sections: &str) -> Plan {
    let text = format!(r#"{{ "apiVersion": "hasim/v1", "kind": "Scenario", {sections} }}"#);
    let loaded = load_text("test.json", &text);
    loaded.plan.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics))
}

fn ideal(repair: &str) -> Plan {
    plan(&format!(
        r#""timings": {{"preset": "ideal"}}, "cluster": {{"endpoint": {{"kind": "all-servers"}}}},
        "reliability": {{"machines": {{"controlPlane":
        {{"failure": {{"exponential": {{"mean": "500h"}}}}, "repair": "{repair}"}}}}}}"#
    ))
}

fn years(sides: &[Side], trials: u64, threads: usize) -> YearComparison {
    let sampling = Sampling { seed: 3, first: 0, trials, threads: Some(threads) };
    let kind = check(sides).expect("a pair");
    let mut study = Study::empty(about(sides, kind, 3, 1), 0);
    let add = |block| {
        study.add(block);
        ControlFlow::Continue(())
    };
    year_blocks(sides, &sampling, 1, &Unwatched, add).expect("threads start");
    study
}

fn find(rows: &[Difference], measure: Measure) -> &Difference {
    rows.iter().find(|row| row.name == measure.name() && row.of == Of::DownAYear).expect("a row")
}

/// Law: a side of a comparison is the study of its own, and the difference is that of the two; the
/// same for any number of threads.
#[test]
fn sides_are_studies_of_their_own() {
    let (slow, fast) = (ideal("8h"), ideal("4h"));
    let sides = [Side { name: "slow", plan: &slow }, Side { name: "fast", plan: &fast }];
    let both = years(&sides, 400, 2);
    assert_eq!(both.results, years(&sides, 400, 1).results);
    for (at, plan) in [&slow, &fast].into_iter().enumerate() {
        let sampling = Sampling { seed: 3, first: 0, trials: 400, threads: Some(1) };
        let alone = YearStudy::of(plan, sampling, 1, &Unwatched).expect("threads start");
        assert_eq!(both.side(at).expect("a side").results, alone.results);
    }
    let rows = both.differences();
    let write = find(&rows, Measure::ApiWrite);
    assert!((write.other - write.first - write.mean.mean).abs() < 1e-6);
    assert_eq!(write.verdict(), Verdict::Less);
}

/// Law: the same plan twice differs in no trial, as every draw belongs to its name.
#[test]
fn a_plan_does_not_differ_from_itself() {
    let plan = ideal("4h");
    let rows = years(&[Side { name: "a", plan: &plan }, Side { name: "b", plan: &plan }], 64, 2);
    assert!(rows.differences().iter().all(|row| row.verdict() == Verdict::Same));
}

/// Law: a machine fails at the same instants in plans that differ elsewhere: another etcd leaves what
/// clients notice of the balancers as it was, trial by trial.
#[test]
fn machines_fail_together() {
    let of = |topology: &str| {
        plan(&format!(
            r#""timings": {{"preset": "ideal"}}, "cluster": {{"topology": "{topology}",
            "endpoint": {{"kind": "one-balancer"}}}}, "reliability": {{"preset": "textbook"}}"#
        ))
    };
    let (stacked, external) = (of("stacked"), of("external"));
    let sides =
        [Side { name: "stacked", plan: &stacked }, Side { name: "external", plan: &external }];
    let rows = years(&sides, 256, 2).differences();
    assert_eq!(find(&rows, Measure::Endpoint).verdict(), Verdict::Same);
    assert!(find(&rows, Measure::Endpoint).first > 0.0);
    assert!(find(&rows, Measure::EtcdQuorum).differing > 0);
}

/// Law: intervals of paired differences hold the exact one: three machines against five with a crew
/// that is slow, in 200 comparisons, at least as often as they claim.
#[test]
fn intervals_cover() {
    let (slow, fast) = (ideal("8h"), ideal("4h"));
    let sides = [Side { name: "slow", plan: &slow }, Side { name: "fast", plan: &fast }];
    let whole = years(&sides, 20_000, 2);
    let truth = find(&whole.differences(), Measure::ApiWrite).mean.mean;
    let trials = one_by_one::Trials::of(&slow, one_by_one::span_of(1));
    let others = one_by_one::Trials::of(&fast, one_by_one::span_of(1));
    let covers = |number: &u64| {
        let mut pairs = YearPairs::default();
        for trial in 0..100 {
            let key = Key::new(77, number * 100 + trial);
            pairs.add(trial, vec![trials.row(key), others.row(key)]);
        }
        let mut study: YearComparison = Study::empty(whole.about.clone(), 0);
        study.results = pairs;
        let rows = study.differences();
        let row = find(&rows, Measure::ApiWrite);
        row.reach().is_some_and(|reach| (row.mean.mean - truth).abs() <= reach)
    };
    let held = (0..200).filter(covers).count();
    // 95 % for all rows together is at least 95 % for one: of 200, fewer than 180 are one in 10³.
    assert!(held >= 180, "{held} of 200");
}

/// Law: what cannot be paired is told.
#[test]
fn strangers_are_refused() {
    let (years, faults) = (ideal("4h"), plan(r#""run": {"until": "5m"}"#));
    let longer = plan(r#""run": {"until": "6m"}"#);
    let side = |name, plan| Side { name, plan };
    assert_eq!(check(&[side("a", &years)]).unwrap_err(), NotPaired::Alone);
    let said = |a, b| check(&[side("a", a), side("b", b)]).unwrap_err().to_string();
    assert!(said(&years, &faults).contains("in `a` things fail by themselves"));
    assert!(said(&faults, &years).contains("in `b` things fail by themselves"));
    assert!(said(&faults, &longer).contains("`run.until`"));
}

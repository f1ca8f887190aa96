//! Rare outages against exact answers, and intervals against their claim.

use super::seen::COLUMNS;
use super::*;
use crate::analytic::answer::{Answer, Exact, Measured};
use crate::experiment::trials::Unwatched;
use crate::experiment::years::YearStudy;
use crate::plan::timings::{Preset, Timings};
use crate::reliability::ideal::Reason;
use crate::scenario::load::load_text;

/// Standard errors beyond which one value in 150,000 lies: some hundred comparisons with fixed seeds
/// do not meet it.
const BEYOND: f64 = 4.5;

fn plan(text: &str) -> Plan {
    let loaded = load_text("test.json", text);
    let wrong: Vec<_> = loaded.diagnostics.iter().collect();
    loaded.plan.unwrap_or_else(|| panic!("{wrong:#?}"))
}

fn shipped(id: &str) -> Plan {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join(format!("scenarios/oracles/{id}.json"));
    plan(&std::fs::read_to_string(path).unwrap())
}

fn sampling(trials: u64, seed: u64) -> Sampling {
    Sampling { seed, first: 0, trials, threads: Some(1) }
}

fn study(plan: &Plan, trials: u64, years: u64) -> RareStudy {
    RareStudy::of(plan, sampling(trials, 1), years, &Unwatched).unwrap()
}

fn exact(plan: &Plan) -> Answer {
    Exact::of(plan).unwrap().answer().unwrap()
}

fn exponential(up: &str, down: &str) -> String {
    format!(
        r#"{{ "failure": {{ "exponential": {{ "mean": "{up}" }} }},
            "repair": {{ "exponential": {{ "mean": "{down}" }} }} }}"#
    )
}

/// Machines that fail alike, without balancers.
fn members(count: u32, laws: &str, more: &str) -> Plan {
    plan(&format!(
        r#"{{ "apiVersion": "hasim/v1", "kind": "Scenario", "timings": "ideal",
          "cluster": {{ "controlPlane": {{ "replicas": {count} }},
            "endpoint": {{ "kind": "all-servers" }} }},
          "reliability": {{ "machines": {{ "controlPlane": {laws} }}{more} }} }}"#
    ))
}

const PAIRS: [(Measured, Measure); 6] = [
    (Measured::ApiReadCached, Measure::ApiReadCached),
    (Measured::ApiWrite, Measure::ApiWrite),
    (Measured::EtcdQuorum, Measure::EtcdMajority),
    (Measured::EtcdLeader, Measure::EtcdQuorum),
    (Measured::Scheduling, Measure::Scheduling),
    (Measured::Reconciliation, Measure::Reconciliation),
];

/// Compares what has an interval with the exact answer; how much was compared.
fn compare(name: &str, plan: &Plan, trials: u64) -> u32 {
    let (found, answer) = (study(plan, trials, 1), exact(plan));
    assert_eq!(found.basis, Basis::Cycles, "{name}");
    let mut compared = 0;
    for (measured, measure) in PAIRS {
        let share = found.measure(measure).unwrap();
        let service = answer.services.iter().find(|s| s.measured == measured).unwrap();
        if share.refusal.is_some() {
            continue;
        }
        let off = (share.down.mean - service.unavailability) / share.down.error;
        let told = (share.down.mean, service.unavailability);
        assert!(off.abs() < BEYOND, "{name} {measured:?}: {told:?}, {off:.1} σ");
        compared += 1;
    }
    if let (Some(share), Some(requests)) = (found.requests(), answer.requests) {
        let off = (share.down.mean - requests.loss) / share.down.error;
        assert!(off.abs() < BEYOND, "{name} requests: {off:.1} σ");
    }
    compared
}

/// Law: what is estimated meets the exact answers, from unavailabilities of percents to those of
/// 1e-13: crews, laws of stages, zones, elections, rejoins, leases, rotation, shocks, unequal parts.
#[test]
fn rare_outages_meet_exact_answers() {
    let ids = [
        "P05", "P11", "P12", "X03", "X05", "X09", "X15", "X17", "X18", "X19", "X20", "X21", "X22",
        "X23",
    ];
    let compared: u32 = ids.iter().map(|id| compare(id, &shipped(id), 150)).sum();
    assert!(compared >= 60, "only {compared} comparisons");
    let rare = study(&shipped("X23"), 150, 1).measure(Measure::ApiWrite).unwrap();
    assert!(rare.refusal.is_none() && rare.down.mean < 1e-12 && rare.effective > 400.0);
}

/// Law: where failover blips and quorum loss keep writes down equally long, both are found.
#[test]
fn blips_and_quorum_loss_are_both_found() {
    let plan = plan(&format!(
        r#"{{ "apiVersion": "hasim/v1", "kind": "Scenario",
          "timings": {{ "preset": "ideal", "vip.takeover": {{ "exponential": {{ "mean": "8.64s" }} }} }},
          "cluster": {{ "endpoint": {{ "kind": "vip" }} }},
          "reliability": {{ "machines": {{
            "controlPlane": {}, "loadBalancer": {} }} }} }}"#,
        exponential("10000h", "4h"),
        exponential("5000h", "0.5h")
    ));
    assert!(compare("blips", &plan, 300) >= 5);
    let write = study(&plan, 300, 1).measure(Measure::ApiWrite).unwrap();
    let part = |reason: Reason| write.reasons[reason as usize] / write.down.mean;
    for reason in [Reason::Failover, Reason::Quorum] {
        assert!((part(reason) - 0.5).abs() < 0.08, "{reason:?}: {}", part(reason));
    }
}

/// Law: a Lease is lost with its holder's process, even where that is back before anybody asks.
#[test]
fn a_lease_is_lost_with_its_process() {
    let process = exponential("50h", "30s");
    let more = format!(r#", "processes": {{ "kube-controller-manager": {process} }}"#);
    let text = r#""timings": { "preset": "ideal",
        "controller_manager.takeover": { "exponential": { "mean": "20s" } } }"#;
    let plan = plan(&format!(
        r#"{{ "apiVersion": "hasim/v1", "kind": "Scenario", {text},
          "cluster": {{ "endpoint": {{ "kind": "all-servers" }} }},
          "reliability": {{ "machines": {{ "controlPlane": {} }}{more} }} }}"#,
        exponential("2000h", "4h")
    ));
    let found = study(&plan, 300, 1).measure(Measure::Reconciliation).unwrap();
    assert!(found.refusal.is_none(), "{:?}", found.refusal);
    compare("lease", &plan, 300);
    let services = exact(&plan).services;
    let manager = services.iter().find(|s| s.measured == Measured::Reconciliation);
    let lost = manager.unwrap().unavailability;
    assert!(lost > 1.05e-4, "the takeover of 20 s after each 50 h is missing: {lost:e}");
}

/// How often the intervals of 400 studies hold a value.
fn covers(interval: impl Fn(u64) -> (f64, f64), value: f64) -> f64 {
    let holds = |seed: &u64| {
        let (mean, reach) = interval(*seed);
        (mean - value).abs() <= reach
    };
    (0..400).filter(holds).count() as f64 / 400.0
}

/// Law: 95 % intervals of rare outages hold the exact value as often as they say.
#[test]
fn intervals_of_rare_outages_hold() {
    let plan = members(3, &exponential("100000h", "4h"), "");
    let value = exact(&plan).services[2].unavailability;
    let mut searches = [Search::Plain; COLUMNS];
    searches[Measure::EtcdQuorum as usize] = Search::Forced;
    let interval = |seed: u64| {
        let (sampling, look) = (sampling(40, seed), Look::untaught(searches));
        let course = Basis::Cycles;
        let found =
            RareStudy::looked_for(&plan, sampling, course, Some(look), None, &Unwatched).unwrap();
        let share = found.measure(Measure::EtcdMajority).unwrap();
        (share.down.mean, share.down.reach(0.95).unwrap())
    };
    let held = covers(interval, value);
    assert!((0.92..=0.98).contains(&held), "{held}");
}

/// Members of a cluster that fail once in 10,000 h.
fn members_with(count: u32, repair: &str) -> Plan {
    let laws = format!(
        r#"{{ "failure": {{ "exponential": {{ "mean": "10000h" }} }}, "repair": {repair} }}"#
    );
    members(count, &laws, "")
}

/// Repairs of 4 h on average.
const REPAIRS: [&str; 8] = [
    r#""4h""#,
    r#"{ "uniform": ["1h", "7h"] }"#,
    r#"{ "weibull": { "shape": 2, "mean": "4h" } }"#,
    r#"{ "weibull": { "shape": 0.7, "mean": "4h" } }"#,
    r#"{ "lognormal": { "median": "8734.0424s", "sigma": 1.0 } }"#,
    r#"{ "gamma": { "shape": 0.5, "mean": "4h" } }"#,
    r#"{ "hyperexponential": { "branches": [[0.9, "1h"], [0.1, "31h"]] } }"#,
    r#"{ "empirical": ["30m", "30m", "1h", "14h"] }"#,
];

/// The share of time in which so many things are down together that more than half of them are, where
/// each is down for 4 of 10,004 h.
fn most_down(count: i32) -> f64 {
    let down = 4.0 / 10_004.0_f64;
    let ways = |k: i32| (0..k).map(|n| f64::from(count - n) / f64::from(n + 1)).product::<f64>();
    let exactly = |k: i32| ways(k) * down.powi(k) * (1.0 - down).powi(count - k);
    ((count + 1) / 2..=count).map(exactly).sum()
}

/// Law: the share of time without a majority depends on the mean of repairs only, as members fail and
/// are repaired independently: any law gives the binomial law's answer.
#[test]
fn laws_of_repair_change_nothing_but_the_mean() {
    for (count, value) in [(3, most_down(3)), (5, most_down(5))] {
        for repair in REPAIRS {
            let plan = members_with(count, repair);
            for goal in [None, Some(Goal { measure: Measure::EtcdMajority, relative_error: 0.03 })]
            {
                let trials = if goal.is_some() { 10_000 } else { 200 };
                let found =
                    RareStudy::until(&plan, sampling(trials, 7), 1, goal, &Unwatched).unwrap();
                let share = found.measure(Measure::EtcdMajority).unwrap();
                assert!(share.refusal.is_none(), "{count} {repair}: {:?}", share.refusal);
                let off = (share.down.mean - value) / share.down.error;
                assert!(off.abs() < BEYOND, "{count} {repair} {goal:?}: {off:.1} σ");
                assert_eq!(found.aim.is_some_and(|aim| aim.reached), goal.is_some());
            }
        }
    }
}

/// Law: so do the intervals of studies that have been taught and stop as soon as a goal is reached.
#[test]
fn intervals_of_reached_goals_hold() {
    let goal = Some(Goal { measure: Measure::EtcdMajority, relative_error: 0.05 });
    for repair in [REPAIRS[4], r#"{ "exponential": { "mean": "4h" } }"#] {
        let plan = members_with(3, repair);
        let interval = |seed: u64| {
            let found = RareStudy::until(&plan, sampling(10_000, seed), 1, goal, &Unwatched);
            let share = found.unwrap().measure(Measure::EtcdMajority).unwrap();
            (share.down.mean, share.down.reach(0.95).unwrap())
        };
        let held = covers(interval, most_down(3));
        assert!((0.92..=0.98).contains(&held), "{repair}: {held}");
    }
}

/// Law: so do those of plain studies over years.
#[test]
fn intervals_of_years_hold() {
    let plan = members(3, &exponential("1000h", "100h"), "");
    let value = exact(&plan).services[2].first_year_down;
    let interval = |seed: u64| {
        let study = YearStudy::of(&plan, sampling(40, seed), 1, &Unwatched).unwrap();
        let found = study.unavailability(Measure::EtcdMajority);
        (found.mean, found.reach(0.95).unwrap())
    };
    let held = covers(interval, value);
    assert!((0.92..=0.98).contains(&held), "{held}");
}

/// Law: the same bytes for any number of threads.
#[test]
fn threads_change_nothing() {
    let plan = shipped("X17");
    let run = |threads| {
        let sampling = Sampling { threads: Some(threads), ..sampling(70, 3) };
        let found = RareStudy::of(&plan, sampling, 1, &Unwatched).unwrap();
        format!("{:?}", found.totals)
    };
    assert_eq!(run(1), run(3));
}

/// Law: a goal of 5 % takes as many trials at 1e-12 as at 1e-9, within a factor of two, and few of them:
/// time is not to be asserted, and each trial is two incidents with some forty paths of a few jumps.
#[test]
fn a_goal_costs_no_more_for_rarer_outages() {
    let trials = |up: &str, below: f64| {
        let plan = members(5, &exponential(up, "4h"), "");
        let goal = Some(Goal { measure: Measure::ApiWrite, relative_error: 0.05 });
        let found = RareStudy::until(&plan, sampling(10_000, 2), 1, goal, &Unwatched).unwrap();
        assert!(found.aim.unwrap().reached && found.aim.unwrap().relative_error.unwrap() <= 0.05);
        let write = found.measure(Measure::ApiWrite).unwrap();
        let value = exact(&plan).services[1].unavailability;
        let off = (write.down.mean - value) / write.down.error;
        assert!(value < below && off.abs() < BEYOND, "{} against {value}", write.down.mean);
        found.totals.trials
    };
    let (nine, twelve) = (trials("8612h", 1.1e-9), trials("86120h", 1.1e-12));
    assert!(nine <= 128 && twelve <= 2 * nine && nine <= 2 * twelve, "{nine}, {twelve}");
}

/// Law: what cannot be supported is refused, with what to do; more trials lift the refusal.
#[test]
fn weak_intervals_are_refused() {
    let tail = r#"{ "failure": { "exponential": { "mean": "10000h" } },
        "repair": { "lognormal": { "median": "4h", "sigma": 2.0 } } }"#;
    let plan = members(5, tail, "");
    let refusal = |trials| {
        let share = study(&plan, trials, 1).measure(Measure::ApiWrite).unwrap();
        share.refusal.map(|refusal| refusal.to_string())
    };
    assert!(refusal(8).unwrap().contains("--trials 30"));
    let few = refusal(40).unwrap();
    assert!(few.contains("of equal weight") && few.contains("give --trials"), "{few}");
    assert_eq!(refusal(800), None);
    let single = members(1, &exponential("1000h", "4h"), "");
    assert!(study(&single, 40, 1).measure(Measure::Endpoint).is_none());
}

/// Law: protocols that worlds play stand in the way, with what to write; drawn ones do not.
#[test]
fn protocols_that_are_played_are_refused() {
    let mut plan = members(3, &exponential("1000h", "4h"), "");
    plan.timings.preset = Preset::Drawn;
    assert_eq!(check(&plan), Ok(()));
    plan.timings = Timings::default();
    let told = check(&plan).unwrap_err().to_string();
    assert!(told.contains("\"timings\": \"drawn\""), "{told}");
    plan.reliability = crate::plan::reliability::Reliability::default();
    assert_eq!(check(&plan), Err(NotRare::NothingFails));
}

//! The failure process and its services: invariants on drawn histories. That they meet exact
//! availabilities is held in `tests/years.rs`.

use super::alternating::Alternating;
use super::course::Course;
use super::ideal::{Ideal, Measure};
use crate::kernel::stream::Key;
use crate::kernel::time::{Duration, Time};
use crate::plan::Plan;
use crate::scenario::load::load_text;

fn plan(sections: &str) -> Plan {
    let text = format!(
        r#"{{"apiVersion": "hasim/v1", "kind": "Scenario", "timings": {{"preset": "ideal",
            "vip.takeover": {{"exponential": {{"mean": "4s"}}}},
            "etcd.election": {{"exponential": {{"mean": "2s"}}}}}}, {sections}}}"#
    );
    let loaded = load_text("test.json", &text);
    let wrong: Vec<_> = loaded.diagnostics.iter().collect();
    loaded.plan.unwrap_or_else(|| panic!("{wrong:#?}"))
}

/// A cluster in which everything fails often.
fn restless() -> Plan {
    let law = |mean: &str| format!(r#"{{"exponential": {{"mean": "{mean}"}}}}"#);
    let modes =
        |up: &str, down: &str| format!(r#"{{"failure": {}, "repair": {}}}"#, law(up), law(down));
    plan(&format!(
        r#""reliability": {{
            "machines": {{"controlPlane": {machine}, "loadBalancer": {machine}}},
            "processes": {{"kube-apiserver": {process}, "etcd": {process}}}
        }}"#,
        machine = modes("50h", "5h"),
        process = modes("20h", "1h")
    ))
}

fn history(ideal: &mut Ideal, key: Key) -> Vec<(Time, u8)> {
    ideal.reset(key);
    let end = Time::START + Duration::from_hours(2_000);
    let mut seen = Vec::new();
    while ideal.next() < end {
        let at = ideal.next();
        ideal.step();
        seen.push((at, ideal.levels()));
    }
    seen
}

/// Law: a process that is reset gives the history of a new one.
#[test]
fn a_reset_forgets_everything() {
    let plan = restless();
    let (mut used, mut fresh) =
        (Ideal::new(&plan, Key::new(1, 0)), Ideal::new(&plan, Key::new(9, 9)));
    let before = history(&mut used, Key::new(1, 0));
    assert!(before.len() > 200, "{} events", before.len());
    assert_eq!(history(&mut used, Key::new(1, 1)), history(&mut fresh, Key::new(1, 1)));
    assert_eq!(history(&mut used, Key::new(1, 0)), before);
}

/// Law: what needs more is never up when what needs less is down, at any instant of any history.
#[test]
fn services_are_ordered_by_what_they_need() {
    let plan = restless();
    let mut ideal = Ideal::new(&plan, Key::new(2, 0));
    let up = |levels: u8, measure: Measure| levels >> measure as u8 & 1 == 1;
    let needs = [
        (Measure::ApiReadCached, Measure::Endpoint),
        (Measure::ApiWrite, Measure::ApiReadCached),
        (Measure::ApiWrite, Measure::EtcdQuorum),
        (Measure::EtcdQuorum, Measure::EtcdMajority),
        (Measure::Scheduling, Measure::ApiWrite),
        (Measure::Reconciliation, Measure::ApiWrite),
    ];
    for trial in 0..5 {
        for (at, levels) in history(&mut ideal, Key::new(2, trial)) {
            for (more, less) in needs {
                assert!(!up(levels, more) || up(levels, less), "{more:?} without {less:?} at {at}");
            }
        }
    }
}

/// What is seen of a course: instants, levels, reasons of what is down, shares.
fn seen(course: &mut impl Course, key: Key) -> Vec<(Time, u8, Vec<super::ideal::Reason>, u64)> {
    course.reset(key);
    let mut seen = Vec::new();
    while course.next() < Time::START + Duration::from_hours(20_000) {
        let at = course.next();
        course.step();
        let down = Measure::ALL.into_iter().filter(|m| course.levels() >> *m as u8 & 1 == 0);
        let reasons = down.map(|measure| course.reason(measure)).collect();
        seen.push((at, course.levels(), reasons, course.share_served().to_bits()));
    }
    seen
}

/// Law: independent machines by themselves have the history that they have among everything else.
#[test]
fn independent_machines_have_the_same_history() {
    let law = |law: &str, mean: &str| format!(r#"{{"{law}": {mean}}}"#);
    let exponential = |mean: &str| law("exponential", &format!(r#"{{"mean": "{mean}"}}"#));
    let ageing = law("weibull", r#"{"shape": 2, "scale": "150h"}"#);
    let modes = |up: &str, down: &str| format!(r#"{{"failure": {up}, "repair": {down}}}"#);
    for cluster in [
        r#""controlPlane": {"replicas": 3}"#,
        r#""topology": "external", "controlPlane": {"replicas": 2}, "etcd": {"members": 3}"#,
        r#""controlPlane": {"replicas": 3}, "endpoint": {"kind": "all-servers"}"#,
        r#""controlPlane": {"replicas": 2, "etcdServers": "all"}, "endpoint": {"kind": "one-balancer"}"#,
    ] {
        let machine = modes(&ageing, &exponential("20h"));
        let other = modes(&exponential("100h"), "\"12h\"");
        let text = format!(
            r#"{{"apiVersion": "hasim/v1", "kind": "Scenario", "timings": "ideal",
                "cluster": {{{cluster}}}, "reliability": {{"machines": {{
                "controlPlane": {machine}, "loadBalancer": {other}, "etcd": {other}}}}}}}"#
        );
        let plan = load_text("test.json", &text).plan.unwrap_or_else(|| panic!("{text}"));
        let mut alone = Alternating::of(&plan).expect("independent machines");
        let mut among = Ideal::new(&plan, Key::new(0, 0));
        for trial in 0..5 {
            let (one, other) =
                (seen(&mut alone, Key::new(3, trial)), seen(&mut among, Key::new(3, trial)));
            assert!(one.len() > 500, "{} events", one.len());
            assert!(one == other, "{cluster}, trial {trial}");
        }
    }
}

/// Law: machines that depend on each other, or on anything else, are not taken for independent.
#[test]
fn dependent_machines_are_refused() {
    assert!(Alternating::of(&restless()).is_none());
}

/// Law: what is looked up is what would have been found: where nothing takes time, a history with a
/// memory of combinations is the one without, in what is up, for whom, and why, with processes and cut
/// links that let the past decide who holds what.
#[test]
fn what_is_recalled_is_what_follows() {
    let law = |mean: &str| format!(r#"{{"exponential": {{"mean": "{mean}"}}}}"#);
    let modes =
        |up: &str, down: &str| format!(r#"{{"failure": {}, "repair": {}}}"#, law(up), law(down));
    let text = format!(
        r#"{{"apiVersion": "hasim/v1", "kind": "Scenario", "timings": "ideal", "reliability": {{
            "machines": {{"controlPlane": {machine}, "loadBalancer": {machine}}},
            "links": {process},
            "processes": {{"kube-apiserver": {process}, "etcd": {process}, "kube-scheduler": {process}}}
        }}}}"#,
        machine = modes("50h", "5h"),
        process = modes("20h", "1h")
    );
    let loaded = load_text("test.json", &text);
    let wrong: Vec<_> = loaded.diagnostics.iter().collect();
    let plan = loaded.plan.unwrap_or_else(|| panic!("{wrong:#?}"));
    let mut recalls = Ideal::new(&plan, Key::new(0, 0));
    assert!(recalls.is_timeless());
    let mut forgets = recalls.clone();
    forgets.remember_nothing();
    let mut steps = 0;
    for year in 0..8 {
        for ideal in [&mut recalls, &mut forgets] {
            ideal.reset(Key::new(7, year));
        }
        let end = Time::START + Duration::from_hours(8_760);
        while recalls.next() < end {
            assert_eq!(recalls.next(), forgets.next());
            recalls.step();
            forgets.step();
            let told = |ideal: &Ideal| {
                let reasons = Measure::ALL.map(|measure| ideal.reason(measure));
                (ideal.levels(), ideal.share_served().to_bits(), reasons)
            };
            assert_eq!(told(&recalls), told(&forgets), "year {year} at {}", recalls.now());
            steps += 1;
        }
    }
    assert!(steps > 20_000, "{steps} steps");
}

//! The failure process and its services: invariants on drawn histories. That they meet exact
//! availabilities is held in `tests/years.rs`.

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

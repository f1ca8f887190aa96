//! Random valid scenarios under random faults: whatever happens, the laws hold.
//!
//! `HASIM_RANDOM_CASES` sets how many; the default is what CI has time for.

mod generator;

use generator::scenarios;
use hasim::experiment::single::Run;
use hasim::measure::Findings;
use hasim::plan::Plan;
use hasim::scenario::load::load_text;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

/// Scenarios in an ordinary run of the test: some fifteen seconds on a slow core.
const CASES: u32 = 400;
/// A step takes far less than a millisecond of simulated life only if something ticks or loops:
/// three minutes of the busiest scenario stay well below this.
const STEPS_MAX: u64 = 2_000_000;

fn number(name: &str, default: u64) -> u64 {
    #[allow(clippy::disallowed_methods, reason = "a knob for long runs, not an input of hasim")]
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn plan(text: &str) -> Result<Plan, TestCaseError> {
    let loaded = load_text("random.json", text);
    let messages: Vec<String> = loaded.diagnostics.iter().map(|d| d.message.clone()).collect();
    loaded.plan.ok_or_else(|| TestCaseError::fail(format!("not valid: {messages:?}")))
}

/// Laws that hold whatever the faults; how many holders an address has is VRRP's own affair.
fn broken(findings: &Findings) -> Vec<String> {
    let ours = findings.violations.iter().filter(|violation| violation.law.is_ours());
    ours.map(|violation| format!("{violation:?}")).collect()
}

fn holds(text: &str) -> TestCaseResult {
    let plan = plan(text)?;
    let run = Run::of(&plan, plan.seed, 0, &[]);
    prop_assert!(run.world().steps() < STEPS_MAX, "{} steps", run.world().steps());
    let findings = run.findings();
    prop_assert_eq!(broken(&findings), Vec::<String>::new());
    for record in &findings.services {
        for interval in &record.intervals {
            let end = interval.to.unwrap_or(run.world().now());
            prop_assert_eq!(end.since(interval.from), interval.length);
            let Some(blame) = &interval.blame else {
                prop_assert!(interval.to.is_none(), "{:?} has no blame", interval);
                continue;
            };
            prop_assert_eq!(i128::from(blame.total()), i128::from(interval.length.as_nanos()));
        }
    }
    let again = Run::of(&plan, plan.seed, 0, &[]);
    prop_assert_eq!(run.world().steps(), again.world().steps());
    prop_assert_eq!(run.world().digest(), again.world().digest());
    prop_assert_eq!(format!("{findings:?}"), format!("{:?}", again.findings()));
    Ok(())
}

/// Law: under any schedule of faults nothing panics, the laws of `measure::invariants` hold, every interval is
/// closed or open at the end with blame that adds up, and a second run is the same.
#[test]
fn the_laws_hold_under_random_faults() {
    let config = ProptestConfig {
        cases: u32::try_from(number("HASIM_RANDOM_CASES", u64::from(CASES))).unwrap_or(CASES),
        failure_persistence: None,
        max_shrink_iters: 2000,
        ..ProptestConfig::default()
    };
    proptest!(config, |(text in scenarios())| holds(&text)?);
}

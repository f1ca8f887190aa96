//! Studies over years against exact solutions, as the library runs them.

use hasim::experiment::rare::RareStudy;
use hasim::experiment::trials::{Sampling, Unwatched};
use hasim::experiment::years::incident::QUIET;
use hasim::experiment::years::protocols::trial_in_parts;
use hasim::experiment::years::{BINS, Spell, Total, Trials, YearRow, YearStudy, check, span_of};
use hasim::kernel::law::Law;
use hasim::kernel::stream::Key;
use hasim::kernel::time::Duration;
use hasim::measure::statistics::{Sample, kolmogorov_smirnov};
use hasim::plan::Plan;
use hasim::plan::timings::{Preset, Timing, Timings};
use hasim::reliability::ideal::{Measure, Reason};
use hasim::report::style::plain;
use hasim::report::years;
use hasim::scenario::load::load_text;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// Quantile of the normal law beyond which one value in a million lies: with some hundred
/// comparisons and fixed seeds, a correct model does not meet it.
const BEYOND: f64 = 4.9;

/// Fewest outages for a mean that is nearly normal.
const OUTAGES_MIN: u64 = 200;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn plan(path: &Path) -> Plan {
    let text = fs::read_to_string(path).expect("a scenario is readable");
    load_text("scenario", &text).plan.expect("a shipped scenario is valid")
}

fn study(plan: &Plan, trials: u64, years: u64, threads: usize) -> YearStudy {
    let sampling = Sampling { seed: 11, first: 0, trials, threads: Some(threads) };
    YearStudy::of(plan, sampling, years, &Unwatched).expect("threads start")
}

/// The models with their exact answers.
fn models() -> Vec<Value> {
    let read = |name: &str| -> Value {
        let path = root().join("tests/oracles").join(name);
        serde_json::from_str(&fs::read_to_string(path).expect("readable")).expect("JSON")
    };
    let list = |file: Value| file["models"].as_array().expect("a list").clone();
    ["oracles.json", "examples.json"].into_iter().flat_map(|name| list(read(name))).collect()
}

/// Law: simulated unavailability lies within its own standard error of the exact one, for every
/// model and measure that fails often enough to be seen.
#[test]
fn simulation_meets_the_exact_solutions() {
    let mut compared = 0;
    for model in models() {
        let id = model["id"].as_str().expect("a name");
        let path: PathBuf = root().join("scenarios/oracles").join(format!("{id}.json"));
        let plan = plan(&path);
        let study = study(&plan, 64, 50, 2);
        let pairs = [
            ("api_read", Measure::ApiReadCached),
            ("api_write", Measure::ApiWrite),
            ("etcd_quorum", Measure::EtcdMajority),
            ("etcd_leader", Measure::EtcdQuorum),
            ("controller", Measure::Reconciliation),
        ];
        for (name, measure) in pairs {
            let Some(exact) = model["exact"][name]["unavailability"].as_f64() else { continue };
            if study.results.measures[measure as usize].outages < OUTAGES_MIN {
                continue;
            }
            let found = study.unavailability(measure);
            let off = (found.mean - exact) / found.error;
            assert!(off.abs() < BEYOND, "{id} {name}: {} against {exact}, {off:.1} σ", found.mean);
            compared += 1;
        }
        if let Some(exact) = model["exact"]["request_success"]["steady_loss"].as_f64() {
            let found = study.request_loss();
            let off = (found.mean - exact) / found.error;
            assert!(off.abs() < BEYOND, "{id} requests: {} against {exact}", found.mean);
            compared += 1;
        }
    }
    assert!(compared > 40, "only {compared} comparisons");
}

/// Law: the same sums for any number of threads; time down is the sum of its reasons.
#[test]
fn sums_are_exact() {
    let laws = plan(&root().join("scenarios/oracles/X17.json"));
    for (plan, trials, years) in [(laws, 100, 3), (busy(), 33, 1)] {
        let one = study(&plan, trials, years, 1);
        assert_eq!(one.results, study(&plan, trials, years, 3).results);
        for total in one.results.measures {
            assert_eq!(total.reasons.iter().sum::<u128>(), total.down);
        }
    }
}

/// Law: what a study over years cannot do, it says.
#[test]
fn what_never_fails_is_refused() {
    let reliable = plan(&root().join("scenarios/stop-cp1.json"));
    assert!(check(&reliable).unwrap_err().to_string().contains("nothing in this scenario fails"));
}

/// Machines and processes that fail often, under the protocols' own timers.
fn busy() -> Plan {
    let text = r#"{
        "apiVersion": "hasim/v1", "kind": "Scenario",
        "cluster": {"controlPlane": {}, "endpoint": {"loadBalancers": {}}},
        "reliability": {
            "machines": {
                "controlPlane": {"failure": {"exponential": {"mean": "200h"}}, "repair": {"exponential": {"mean": "20m"}}},
                "loadBalancer": {"failure": {"exponential": {"mean": "400h"}}, "repair": {"exponential": {"mean": "20m"}}}
            },
            "processes": {
                "etcd": {"failure": {"exponential": {"mean": "400h"}}, "repair": "10s"},
                "kube-apiserver": {"failure": {"exponential": {"mean": "400h"}}, "repair": "10s"},
                "kube-scheduler": {"failure": {"exponential": {"mean": "400h"}}, "repair": "10s"}
            }
        }
    }"#;
    load_text("busy.json", text).plan.expect("a plan")
}

/// Law: a world for each incident and one world for the whole trial agree in law. Failures are the
/// same in both, so that the paired differences are those of the protocols' draws alone.
#[test]
fn a_world_an_incident_agrees_with_one_for_all() {
    const TRIALS: u64 = 48;
    let plan = busy();
    let span = Duration::from_hours(2_000);
    let rows = |quiet: Duration| -> Vec<_> {
        let trial = |trial| trial_in_parts(&plan, Key::new(5, trial), span, quiet);
        (0..TRIALS).map(trial).collect()
    };
    let (parted, whole) = (rows(QUIET), rows(Duration::MAX));
    assert!(whole.iter().all(|row| row.incidents == 1));
    assert!(parted.iter().all(|row| row.incidents > 20));
    for measure in Measure::ALL {
        let of = |row: &YearRow| row.measures[measure as usize];
        let pairs = || parted.iter().zip(&whole).map(|(a, b)| (of(a), of(b)));
        let seconds = |nanos: u64| nanos as f64 / 1e9;
        let down: Vec<f64> = pairs().map(|(a, b)| seconds(a.down) - seconds(b.down)).collect();
        agrees(measure.name(), "seconds down", &down);
        let outages: Vec<f64> = pairs().map(|(a, b)| a.outages as f64 - b.outages as f64).collect();
        agrees(measure.name(), "outages", &outages);
        let unserved: Vec<f64> =
            pairs().map(|(a, b)| seconds(a.unserved) - seconds(b.unserved)).collect();
        agrees(measure.name(), "seconds of requests", &unserved);
        for (spell, _) in pairs() {
            assert_eq!(spell.reasons.iter().sum::<u64>(), spell.down);
            assert!(spell.unserved >= spell.down);
            assert_eq!(spell.lengths.iter().sum::<u64>(), spell.outages);
        }
    }
}

/// What is read off a measure in one trial.
type Reading = fn(&Spell) -> f64;

/// Machines of two zones that fail together, members of etcd on machines of their own, processes that
/// fail by themselves.
fn busy_external() -> Plan {
    let text = r#"{
        "apiVersion": "hasim/v1", "kind": "Scenario",
        "cluster": {
            "topology": "external", "zones": ["a", "b"],
            "controlPlane": {"replicas": 2, "zones": ["a", "b"]},
            "etcd": {"members": 3, "zones": ["a", "b", "b"]},
            "endpoint": {"loadBalancers": {"zones": ["a", "b"]}}
        },
        "reliability": {
            "machines": {
                "controlPlane": {"failure": {"exponential": {"mean": "400h"}}, "repair": {"exponential": {"mean": "20m"}}},
                "etcd": {"failure": {"exponential": {"mean": "400h"}}, "repair": {"exponential": {"mean": "20m"}}}
            },
            "zones": {
                "failure": {"exponential": {"mean": "600h"}}, "repair": {"exponential": {"mean": "15m"}},
                "effect": "crash", "boot": "40s"
            },
            "processes": {
                "etcd": {"failure": {"exponential": {"mean": "500h"}}, "repair": "10s"},
                "kube-apiserver": {"failure": {"exponential": {"mean": "500h"}}, "repair": "10s"},
                "kube-controller-manager": {"failure": {"exponential": {"mean": "500h"}}, "repair": "10s"},
                "haproxy": {"failure": {"exponential": {"mean": "500h"}}, "repair": "10s"}
            }
        }
    }"#;
    let loaded = load_text("busy-external.json", text);
    let wrong: Vec<_> = loaded.diagnostics.iter().collect();
    loaded.plan.unwrap_or_else(|| panic!("{wrong:#?}"))
}

/// Law: also with etcd on machines of its own, outages of zones and failures of processes, a world for
/// each incident and one for the whole trial have the same distributions of time down, of requests
/// not served and of the number of outages (Kolmogorov-Smirnov, the trials of both independent of
/// each other), and of the lengths of outages (by their bins, the means of counts in each).
#[test]
fn both_levels_have_the_same_distributions() {
    const TRIALS: u64 = 64;
    let plan = busy_external();
    let span = Duration::from_hours(1_000);
    let rows = |seed: u64, quiet: Duration| -> Vec<YearRow> {
        (0..TRIALS).map(|n| trial_in_parts(&plan, Key::new(seed, n), span, quiet)).collect()
    };
    let (parted, whole) = (rows(5, QUIET), rows(6, Duration::MAX));
    assert!(parted.iter().all(|row| row.incidents > 5) && whole.iter().all(|r| r.incidents == 1));
    let mut seen = 0;
    for measure in Measure::ALL {
        let of = |rows: &[YearRow], value: Reading| -> Vec<f64> {
            rows.iter().map(|row| value(&row.measures[measure as usize])).collect()
        };
        let values: [(&str, Reading); 3] = [
            ("time down", |spell| spell.down as f64),
            ("requests not served", |spell| spell.unserved as f64),
            ("outages", |spell| spell.outages as f64),
        ];
        for (what, value) in values {
            let sample = |rows| Sample::new(of(rows, value)).expect("there are values");
            let found = kolmogorov_smirnov::test(&sample(&parted), &sample(&whole));
            assert!(found.p_value > 1e-4, "{}, {what}: {found:?}", measure.name());
        }
        for bin in 0..=BINS.len() {
            let counts = |rows: &[YearRow]| -> Vec<f64> {
                rows.iter().map(|r| r.measures[measure as usize].lengths[bin] as f64).collect()
            };
            let (a, b) = (counts(&parted), counts(&whole));
            seen += usize::from(a.iter().sum::<f64>() >= 50.0);
            same_mean(measure.name(), bin, &a, &b);
        }
    }
    assert!(seen >= 10, "only {seen} bins are seen often");
}

/// Two independent samples of one law: their means differ by their standard errors.
fn same_mean(measure: &str, bin: usize, a: &[f64], b: &[f64]) {
    let of = |values: &[f64]| {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        (mean, values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0) / n)
    };
    let ((one, one_square), (other, other_square)) = (of(a), of(b));
    let error = (one_square + other_square).sqrt();
    // Counts so small that their means are not nearly normal say nothing here.
    let often = a.iter().chain(b).sum::<f64>() >= 50.0;
    let off = (one - other).abs();
    assert!(!often || off <= BEYOND * error, "{measure}, bin {bin}: {one} and {other} ± {error}");
}

/// Law: years of drawn failovers agree with years of played ones: time down and outages of each service
/// within the standard error of the paired differences (failures are the same in both), and what one number
/// a failover leaves out: 2 parts in a thousand where machines fail one by one; where all that `field`
/// knows goes wrong, a hundredth of the time down and a twelfth of the outages (short stalls of a leader's
/// disk end before the others elect).
#[test]
fn drawn_failovers_agree_with_played_ones() {
    let field = plan(&root().join("scenarios/stacked-vs-external/three-nodes-years.json"));
    for (played, trials, down, outages) in
        [(textbook(), 200, 0.002, 0.002), (field, 8, 0.01, 1.0 / 12.0)]
    {
        agree(&played, (span_of(1), trials), &Measure::ALL, (down, outages));
    }
}

/// Law: so do services without any checks before the servers, in nights without etcd: kubelets kill
/// API servers, and start them again ever later. The members' machines fail so often that each trial
/// has a night of some twenty minutes. Beside the standard error: a fiftieth of the time down, as
/// requests under way keep a server that is told to end for 17 s on average, and a twentieth of the
/// outages. What instances do whose requests meet a dead member is left to worlds.
#[test]
fn drawn_nights_agree_with_played_ones() {
    let measures = [
        Measure::Endpoint,
        Measure::ApiReadCached,
        Measure::ApiRead,
        Measure::ApiWrite,
        Measure::EtcdQuorum,
    ];
    for (endpoint, topology) in
        [("all-servers", "stacked"), ("all-servers", "external"), ("kube-vip", "stacked")]
    {
        let plan = nights(endpoint, topology);
        agree(&plan, (Duration::from_hours(1_000), 64), &measures, (0.02, 0.05));
    }
}

/// Machines with members of etcd that are often away two at a time.
fn nights(endpoint: &str, topology: &str) -> Plan {
    let role = if topology == "stacked" { "controlPlane" } else { "etcd" };
    let text = format!(
        r#"{{
            "apiVersion": "hasim/v1", "kind": "Scenario",
            "cluster": {{ "topology": "{topology}", "endpoint": {{ "kind": "{endpoint}" }} }},
            "reliability": {{ "machines": {{ "{role}": {{
                "failure": {{ "exponential": {{ "mean": "60h" }} }},
                "repair": {{ "exponential": {{ "mean": "40m" }} }}
            }} }} }}
        }}"#
    );
    load_text("nights.json", &text).plan.expect("a plan")
}

/// Trials of drawn failovers agree with those of played ones: in time down and outages, but for these
/// shares of what is played.
fn agree(
    played: &Plan,
    (span, trials): (Duration, u64),
    measures: &[Measure],
    (down, outages): (f64, f64),
) {
    let mut drawn = played.clone();
    drawn.timings.preset = Preset::Drawn;
    let rows = |plan: &Plan| -> Vec<YearRow> {
        let years = Trials::of(plan, span);
        (0..trials).map(|trial| years.row(Key::new(7, trial))).collect()
    };
    let (played, drawn) = (rows(played), rows(&drawn));
    for measure in measures {
        for (what, share, of) in [
            ("seconds down", down, (|spell| spell.down as f64 / 1e9) as fn(Spell) -> f64),
            ("outages", outages, |spell| spell.outages as f64),
        ] {
            let all = |rows: &[YearRow]| -> Vec<f64> {
                rows.iter().map(|row| of(row.measures[*measure as usize])).collect()
            };
            let (played, drawn) = (all(&played), all(&drawn));
            let differences: Vec<f64> = drawn.iter().zip(&played).map(|(a, b)| a - b).collect();
            let mean = played.iter().sum::<f64>() / played.len() as f64;
            agrees_but_for(measure.name(), what, &differences, share * mean);
        }
    }
}

/// Three stacked nodes and two balancers whose machines fail as in textbooks, with failovers played.
fn textbook() -> Plan {
    let mut plan = plan(&root().join("scenarios/years/three-nodes.json"));
    plan.timings = Timings::default();
    plan
}

/// Law: what the shipped years claim.
#[test]
fn the_shipped_years_keep_their_claim() {
    let study = study(&plan(&root().join("scenarios/years/three-nodes.json")), 20_000, 1, 2);
    let down = study.unavailability(Measure::ApiWrite);
    assert!(down.mean + down.reach(0.999).expect("many trials") < 1e-4, "{down:?}");
    let [writes, elections, quorum] =
        [Measure::ApiWrite, Measure::EtcdQuorum, Measure::EtcdMajority]
            .map(|measure| study.outages_per_year(measure));
    assert!((10.0..12.0).contains(&writes), "{writes} outages of writes a year");
    assert!((8.5..9.5).contains(&elections), "{elections} times without a leader");
    assert!((0.19..0.22).contains(&quorum), "{quorum} losses of quorum");
    let total = &study.results.measures[Measure::ApiWrite as usize];
    let lost = total.reasons[Reason::Quorum as usize] as f64 / total.down as f64;
    assert!(lost > 0.95, "{lost} of the time down for want of quorum");
}

/// Law: looked for as rare outages, drawn failovers give the shares of time that plain years of them do.
#[test]
fn drawn_failovers_are_the_same_for_rare_outages() {
    let plan = plan(&root().join("scenarios/years/three-nodes.json"));
    let years = study(&plan, 4_000, 5, 2);
    let sampling = Sampling { seed: 3, first: 0, trials: 1_000, threads: Some(2) };
    let rare = RareStudy::of(&plan, sampling, 1, &Unwatched).expect("threads start");
    for measure in [Measure::Endpoint, Measure::ApiWrite, Measure::EtcdQuorum, Measure::Scheduling]
    {
        let (seen, found) =
            (years.unavailability(measure), rare.measure(measure).expect("it fails"));
        let error = seen.error.hypot(found.down.error);
        let off = found.down.mean - seen.mean;
        assert!(error < 0.2 * seen.mean, "{}: {error} tells nothing", measure.name());
        assert!(off.abs() < BEYOND * error, "{}: {off} ± {error}", measure.name());
    }
}

/// Law: beside a law for one timing the others are drawn: an election that takes a minute adds just
/// about that minute to each of its outages.
#[test]
fn a_law_beside_drawn_timings_counts() {
    let drawn = |more: &[(Timing, Law)]| {
        let mut plan = textbook();
        plan.timings.preset = Preset::Drawn;
        plan.timings.laws.extend(more.iter().cloned());
        study(&plan, 400, 1, 2).results.measures[Measure::EtcdQuorum as usize]
    };
    let slow = Law::Fixed(Duration::from_secs(60));
    let (plain, slow) = (drawn(&[]), drawn(&[(Timing::EtcdElection, slow)]));
    let blips = |total: &Total| total.reasons[Reason::Failover as usize] as f64 / 1e9;
    let each = blips(&slow) / slow.outages as f64;
    assert!((60.0..75.0).contains(&each), "{each} s an outage");
    assert!(blips(&plain) / (plain.outages as f64) < 5.0);
}

/// Differences with a mean of zero: within its own standard error.
fn agrees(measure: &str, what: &str, differences: &[f64]) {
    agrees_but_for(measure, what, differences, 0.0);
}

/// The same, but for so much.
fn agrees_but_for(measure: &str, what: &str, differences: &[f64], beside: f64) {
    let n = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / n;
    let variance = differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let error = (variance / n).sqrt();
    let most = BEYOND * error + beside;
    assert!(mean.abs() <= most, "{measure}, {what}: {mean} ± {error}, may be {most}");
}

/// Law: where no outage was seen, none is claimed to last 0 ± 0: the rate is bounded by −ln 0.05 in all
/// the years (the chance of seeing nothing is then 5 %), and the long-run share by nothing.
#[test]
fn what_was_not_seen_is_bounded_and_not_zero() {
    let plan = plan(&root().join("scenarios/oracles/P14.json"));
    let study = study(&plan, 100, 2, 2);
    let told = years::result(&study);
    let writes = told.measures.iter().find(|m| m.measure == "api-write").expect("it is measured");
    let below = writes.outages_per_year_below.expect("a bound: 1e-5 outages a year are rare");
    assert!((below - 0.014_979).abs() < 1e-6, "{below}");
    assert_eq!((writes.unavailability.value, writes.unavailability.high), (0.0, None));
    let text = plain(&years::text(&study));
    assert!(text.contains("none seen") && text.contains("< 1.5e-2"), "{text}");
    assert!(!text.contains("0.0 ±"), "{text}");
}

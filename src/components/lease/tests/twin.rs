//! Laziness is unobservable: the same histories for the lazy elector and its eager twin.

use super::arena::{Arena, Layout, Note};
use super::eager::{Deed, Eager};
use super::{ClientGo, DEFAULTS, election, seconds, since_start};
use crate::component::fact::{Ability, Renewals};
use crate::kernel::time::{Duration, Time};
use proptest::prelude::*;

const READ: Duration = Duration::from_millis(40);
const WRITE: Duration = Duration::from_millis(60);
const STARTUP: Duration = Duration::from_millis(100);
const COUNT: usize = 3;

#[derive(Clone, Copy, Debug)]
enum Act {
    Api(usize, Ability),
    Kill(usize),
    Boot(usize),
}

type History = &'static [(f64, Act)];

fn layout(client_go: ClientGo) -> Layout {
    let mut layout = Layout::of(election(DEFAULTS, client_go), COUNT);
    (layout.read, layout.write, layout.startup) = (READ, WRITE, STARTUP);
    layout
}

/// The instants of takeovers and exits by the lazy elector.
fn lazy(history: History, client_go: ClientGo, until: f64, trial: u64) -> Vec<(bool, f64)> {
    let mut arena = Arena::new(&layout(client_go), trial);
    for (at, act) in history {
        arena.run_until(seconds(*at));
        match *act {
            Act::Api(n, ability) => arena.set_api(n, ability),
            Act::Kill(n) => arena.kill(n),
            Act::Boot(n) => arena.boot(n),
        }
    }
    arena.run_until(seconds(until));
    let told = arena.log.iter().filter_map(|(at, note)| match note {
        Note::Holder(Some(_)) => Some((true, since_start(*at))),
        Note::Exit(_) => Some((false, since_start(*at))),
        _ => None,
    });
    told.collect()
}

/// The same by the eager twin, which has been running for 300 s by then.
fn eager(history: History, client_go: ClientGo, until: f64, trial: u64) -> Vec<(bool, f64)> {
    let period = if client_go.fast_path() { 2_060_000_000 } else { 2_100_000_000 };
    let age =
        Duration::from_secs(300) + Duration::from_nanos(trial.wrapping_mul(7_919_333) % period);
    let begun = Time::START - age;
    let times = (READ, WRITE, STARTUP);
    let mut twin = Eager::new(election(DEFAULTS, client_go), COUNT, times, begun, trial);
    for (at, act) in history {
        twin.run_until(seconds(*at));
        match *act {
            Act::Api(n, ability) => twin.set_api(n, ability),
            Act::Kill(n) => twin.kill(n),
            Act::Boot(n) => twin.boot(n),
        }
    }
    twin.run_until(seconds(until));
    let told =
        twin.log.iter().filter(|(at, _)| *at >= Time::START).filter_map(|(at, deed)| match deed {
            Deed::Took(_) => Some((true, since_start(*at))),
            Deed::Exited(_) => Some((false, since_start(*at))),
            Deed::Renewed => None,
        });
    told.collect()
}

fn firsts(runs: &[Vec<(bool, f64)>], takeovers: bool) -> Vec<f64> {
    let first = |run: &Vec<(bool, f64)>| {
        run.iter().find(|(took, _)| *took == takeovers).map_or(1e6, |(_, at)| *at)
    };
    runs.iter().map(first).collect()
}

/// The greatest distance between two empirical distributions, ties included, beside its 1 % critical
/// value.
fn distance(a: &mut [f64], b: &mut [f64]) -> (f64, f64) {
    a.sort_by(f64::total_cmp);
    b.sort_by(f64::total_cmp);
    let (n, m) = (a.len() as f64, b.len() as f64);
    let share = |of: &[f64], x: f64| of.partition_point(|y| *y <= x) as f64 / of.len() as f64;
    let worst = a
        .iter()
        .chain(b.iter())
        .fold(0.0, |worst: f64, x| worst.max((share(a, *x) - share(b, *x)).abs()));
    (worst, 1.628 * ((n + m) / (n * m)).sqrt())
}

/// Compares first takeover, first exit and the number of both.
fn agree(name: &str, history: History, until: f64, trials: u64) {
    for client_go in [ClientGo::V0_20, ClientGo::V0_34] {
        let lazily: Vec<_> = (0..trials).map(|t| lazy(history, client_go, until, t)).collect();
        let eagerly: Vec<_> = (0..trials).map(|t| eager(history, client_go, until, t)).collect();
        for takeovers in [true, false] {
            let (mut a, mut b) = (firsts(&lazily, takeovers), firsts(&eagerly, takeovers));
            let (distance, critical) = distance(&mut a, &mut b);
            assert!(
                distance < critical,
                "{name} {client_go:?} takeovers {takeovers}: distance {distance:.4}, critical {critical:.4}"
            );
        }
        let count = |runs: &[Vec<(bool, f64)>]| -> Vec<f64> {
            runs.iter().map(|run| run.len() as f64).collect()
        };
        let (distance, critical) = distance(&mut count(&lazily), &mut count(&eagerly));
        assert!(
            distance < critical,
            "{name} {client_go:?}: numbers of events differ by {distance}"
        );
    }
}

/// Law: after a kill, takeovers are equal in law (n = 10,000 each, Kolmogorov-Smirnov at 1 %).
#[test]
fn a_kill_is_equal_in_law() {
    agree("kill", &[(0.0, Act::Kill(0))], 40.0, 10_000);
}

/// Law: a holder cut off from its API for 11 s either survives or exits, as often and as late.
#[test]
fn a_cut_holder_is_equal_in_law() {
    let history: History =
        &[(0.0, Act::Api(0, Ability::Hangs)), (11.0, Act::Api(0, Ability::Works))];
    agree("hang", history, 60.0, 3_000);
    let history: History =
        &[(0.0, Act::Api(0, Ability::Fails)), (11.0, Act::Api(0, Ability::Works))];
    agree("fail", history, 60.0, 3_000);
}

/// Law: an outage of the whole API of 30 s: exits and the takeover after it are equal in law.
#[test]
fn a_whole_outage_is_equal_in_law() {
    let history: History = &[
        (0.0, Act::Api(0, Ability::Hangs)),
        (0.0, Act::Api(1, Ability::Hangs)),
        (0.0, Act::Api(2, Ability::Hangs)),
        (30.0, Act::Api(0, Ability::Works)),
        (30.0, Act::Api(1, Ability::Works)),
        (30.0, Act::Api(2, Ability::Works)),
    ];
    agree("outage", history, 100.0, 3_000);
}

/// Law: a standby that was cut off around the holder's death has aged the record it saw, and takes over
/// accordingly; a restarted one is a stranger.
#[test]
fn cut_and_restarted_standbys_are_equal_in_law() {
    let cut: History = &[
        (0.0, Act::Api(1, Ability::Hangs)),
        (0.0, Act::Kill(2)),
        (1.5, Act::Kill(0)),
        (20.0, Act::Api(1, Ability::Works)),
    ];
    agree("cut", cut, 100.0, 3_000);
    let restarted: History = &[
        (0.0, Act::Kill(0)),
        (3.0, Act::Boot(0)),
        (4.0, Act::Kill(1)),
        (8.0, Act::Kill(2)),
        (9.0, Act::Boot(1)),
    ];
    agree("restarted", restarted, 100.0, 3_000);
}

/// Law: after a cut longer than a followed sequence of attempts the phase of the next one is in
/// equilibrium.
#[test]
fn a_long_cut_ends_in_equilibrium() {
    let history: History = &[
        (0.0, Act::Api(1, Ability::Hangs)),
        (0.0, Act::Kill(2)),
        (1_490.0, Act::Kill(0)),
        (1_500.0, Act::Api(1, Ability::Works)),
    ];
    agree("long cut", history, 1_600.0, 2_000);
}

fn paths() -> impl Strategy<Value = Vec<(u64, Ability)>> {
    let ability = prop_oneof![Just(Ability::Works), Just(Ability::Fails), Just(Ability::Hangs)];
    prop::collection::vec((1..9_000_000_000u64, ability), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    /// Law: a holder alone, on a path that breaks and heals between and during its requests, renews for
    /// the last time and exits at the same nanosecond as its twin.
    #[test]
    fn a_holder_is_exactly_its_twin(paths in paths(), trial in 0..10_000u64, old in any::<bool>()) {
        let client_go = if old { ClientGo::V0_20 } else { ClientGo::V0_34 };
        let settings = election(DEFAULTS, client_go);
        let mut layout = layout(client_go);
        layout.candidates = 1;
        let mut arena = Arena::new(&layout, trial);
        let renewed = arena.record().renewals.last(arena.now).unwrap();
        let times = (READ, WRITE, STARTUP);
        let mut twin = Eager::new(settings, 1, times, renewed, trial);
        let mut at = Time::START;
        for (wait, ability) in paths {
            at += Duration::from_nanos(wait);
            arena.run_until(at);
            twin.run_until(at);
            if arena.exit_of(0).is_some() {
                break;
            }
            arena.set_api(0, ability);
            twin.set_api(0, ability);
        }
        at += Duration::from_secs(13);
        arena.run_until(at);
        twin.run_until(at);
        let exit = twin.log.iter().find(|(_, deed)| matches!(deed, Deed::Exited(_))).map(|(at, _)| *at);
        prop_assert_eq!(arena.exit_of(0), exit);
        let last = twin.log.iter().rev().find(|(_, deed)| matches!(deed, Deed::Renewed));
        let last = last.map_or(renewed, |(at, _)| *at);
        prop_assert_eq!(arena.record().renewals.last(at), Some(last));
        prop_assert!(exit.is_none() || matches!(arena.record().renewals, Renewals::Once(_)));
    }
}

/// Law: a holder without the API gives up retryPeriod + renewDeadline after its last success: 12 s, not
/// 10; so 10 to 12 s after the path broke.
#[test]
fn a_holder_gives_up_twelve_seconds_after_its_last_renewal() {
    for client_go in [ClientGo::V0_20, ClientGo::V0_34] {
        for ability in [Ability::Fails, Ability::Hangs] {
            let mut layout = layout(client_go);
            (layout.read, layout.write) = (Duration::ZERO, Duration::ZERO);
            for trial in 0..200 {
                let mut arena = Arena::new(&layout, trial);
                let renewed = arena.record().renewals.last(arena.now).unwrap();
                arena.set_api(0, ability);
                arena.run_until(seconds(12.5));
                let exit = arena.exit_of(0).expect("it gave up");
                assert_eq!(exit, renewed + Duration::from_secs(12));
                assert!(exit >= seconds(10.0) && exit <= seconds(12.0));
            }
        }
    }
}

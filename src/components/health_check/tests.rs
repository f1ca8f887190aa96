//! The laws of health checks, and the eager twin: a loop that sends every SYN of every check.

use super::{Depth, HealthCheck, Names, Pacing, Rules, Target};
use crate::kernel::stream::{Key, StreamName};
use crate::kernel::time::{Duration, Time};
use proptest::prelude::*;

const NAMES: Names = Names {
    inter: "inter",
    fastinter: "fastinter",
    downinter: "downinter",
    connect_limit: "timeout connect",
    reply_limit: "timeout check",
    work: "etcd-healthcheck-timeout",
};

const UP: Target = Target::Answers { round_trip: Duration::ZERO, work: Duration::ZERO, good: true };
const REFUSED: Target = Target::Refused(Duration::ZERO);
const HUNG: Target = Target::Hung(Duration::ZERO);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// `check` alone: inter 2s fall 3 rise 2, `option tcp-check`.
fn defaults() -> Rules {
    Rules {
        rise: 2,
        fall: 3,
        inter: ms(2000),
        fastinter: ms(2000),
        downinter: ms(2000),
        pacing: Pacing::AfterEnd,
        depth: Depth::Connect,
        handshake: false,
        connect_limit: ms(2000),
        reply_fresh: Duration::ZERO,
        reply_total: ms(2000),
        spread: 0,
        syn: 0.into(),
        names: NAMES,
    }
}

/// inter 10s downinter 5s rise 2 fall 2, timeout connect 5s, timeout check 10s, httpchk.
fn kubeadm() -> Rules {
    Rules {
        fall: 2,
        inter: ms(10_000),
        fastinter: ms(10_000),
        downinter: ms(5000),
        depth: Depth::Reply,
        connect_limit: ms(5000),
        reply_fresh: ms(10_000),
        reply_total: Duration::ZERO,
        ..defaults()
    }
}

fn no_dice(_: u64) -> f64 {
    0.5
}

type History = Vec<(Time, Target)>;
type Verdicts = Vec<(Time, Option<bool>)>;

fn dice(n: u64) -> f64 {
    Key::new(7, 0).draw(StreamName::of("dice"), 0, n).uniform()
}

/// What the sub-machine says over a history of targets.
fn lazy(mut check: HealthCheck, history: &History, until: Time) -> Verdicts {
    let mut verdicts = Vec::new();
    let mut now = Time::START;
    let mut run_to = |check: &mut HealthCheck, now: &mut Time, to: Time| {
        while let Some(flip) = check.flip(*now, &dice).filter(|flip| flip.at < to) {
            assert_eq!(*now + flip.blame.total(), flip.at, "the terms sum to the wait");
            check.advance(flip.at, &dice);
            *now = flip.at;
            verdicts.push((flip.at, check.verdict()));
        }
        *now = to;
    };
    for (at, target) in history {
        run_to(&mut check, &mut now, *at);
        check.see(*at, *target, &dice);
    }
    run_to(&mut check, &mut now, until);
    verdicts
}

/// The eager twin of one check: every packet is sent.
fn eager_check(rules: &Rules, began: Time, at: &dyn Fn(Time) -> (Target, Time)) -> (Time, bool) {
    let limit = began + rules.connect_limit;
    for wait in [0, 1, 3, 7, 15, 31, 63] {
        let syn = began + ms(wait * 1000);
        let (target, changes) = at(syn);
        let rtt = match target {
            Target::Refused(rtt) | Target::Hung(rtt) => rtt,
            Target::Answers { round_trip, .. } => round_trip,
            Target::Unreachable => {
                let told = syn + ms(3000);
                if told < limit && told <= changes {
                    return (told, false);
                }
                continue;
            }
            Target::Silent => continue,
        };
        let heard = syn + rtt;
        if heard >= limit || changes < heard {
            continue;
        }
        if matches!(target, Target::Refused(_)) {
            return (heard, false);
        }
        return eager_connected(rules, began, heard, target, at);
    }
    (limit, false)
}

/// Connected at `heard`, when the target still was `target`.
fn eager_connected(
    rules: &Rules,
    began: Time,
    heard: Time,
    target: Target,
    at: &dyn Fn(Time) -> (Target, Time),
) -> (Time, bool) {
    let (mut connected, mut target) = (heard, target);
    if rules.handshake {
        let greeting = |target| match target {
            Target::Refused(rtt) => Some((rtt, false)),
            Target::Answers { round_trip, .. } => Some((round_trip, true)),
            _ => None,
        };
        let limit = began + rules.connect_limit;
        let (ends, done, met) = eager_exchange(limit, connected, target, at, &greeting);
        if !done {
            return (ends, false);
        }
        (connected, target) = (ends, met);
    }
    if rules.depth == Depth::Connect {
        return (connected, true);
    }
    let limit = (connected + rules.reply_fresh).max(began + rules.reply_total);
    let request = |target| match target {
        Target::Refused(rtt) => Some((rtt, false)),
        Target::Answers { round_trip, work, good } => Some((round_trip + work, good)),
        _ => None,
    };
    let (ends, passes, _) = eager_exchange(limit, connected, target, at, &request);
    (ends, passes)
}

/// Data sent at `connected` and the answer to it: when that comes or `limit` ends the wait, whether
/// it is good, and whose it is.
fn eager_exchange(
    limit: Time,
    connected: Time,
    first: Target,
    at: &dyn Fn(Time) -> (Target, Time),
    answer: &dyn Fn(Target) -> Option<(Duration, bool)>,
) -> (Time, bool, Target) {
    let (mut now, mut target, mut lost) = (connected, first, false);
    let mut delivered = connected;
    let mut changes = if at(connected).0 == first { at(connected).1 } else { connected };
    loop {
        let open = !matches!(target, Target::Silent | Target::Unreachable);
        if open && lost {
            let mut packet = connected;
            let mut wait = ms(200);
            while packet < now {
                packet += wait;
                wait = (wait * 2).min(Duration::from_secs(120));
            }
            (delivered, lost) = (packet, false);
        }
        lost |= !open;
        let (ends, good) = match answer(target) {
            Some((takes, good)) => (delivered.max(now) + takes, good),
            None => (Time::NEVER, false),
        };
        if ends.min(limit) <= changes {
            return (ends.min(limit), ends <= limit && good, target);
        }
        now = changes;
        (target, changes) = at(now);
    }
}

/// The eager twin: check after check.
fn eager(
    rules: &Rules,
    undecided: bool,
    mut start: Time,
    history: &History,
    until: Time,
) -> Verdicts {
    let at = |t: Time| {
        let target = history.iter().rev().find(|(from, _)| *from <= t).map_or(UP, |(_, x)| *x);
        let mut changes = history.iter().filter(|(from, x)| *from > t && *x != target);
        (target, changes.next().map_or(Time::NEVER, |(from, _)| *from))
    };
    let full = rules.rise + rules.fall - 1;
    let mut health = rules.rise;
    let mut verdict = (!undecided).then_some(true);
    let mut verdicts = Vec::new();
    for n in 0.. {
        let (ends, passed) = eager_check(rules, start, &at);
        if ends >= until {
            break;
        }
        health = match (passed, verdict) {
            (true, None) => full,
            (false, None) => 0,
            (true, _) if health + 1 >= rules.rise => full,
            (true, _) => health + 1,
            (false, _) if health <= rules.rise => 0,
            (false, _) => health - 1,
        };
        let says = Some(health >= rules.rise);
        if says != verdict {
            verdict = says;
            verdicts.push((ends, verdict));
        }
        let wait = match health {
            0 => rules.downinter,
            h if h == full => rules.inter,
            _ => rules.fastinter,
        };
        if rules.pacing == Pacing::StartToStart {
            let before = start;
            start += wait;
            while start < ends || start == before {
                start += wait;
            }
        } else if rules.spread > 0 {
            let share = f64::from(rules.spread) / 100.0;
            start = ends + wait.mul_f64(1.0 + share * (2.0 * dice(n) - 1.0));
        } else {
            start = ends + wait;
        }
    }
    verdicts
}

fn targets() -> impl Strategy<Value = Target> {
    let rtt = prop_oneof![Just(Duration::ZERO), Just(Duration::from_micros(100)), Just(ms(70))];
    (0..8_u8, rtt).prop_map(|(kind, rtt)| match kind {
        0 => Target::Unreachable,
        1 => Target::Refused(rtt),
        2 | 3 => Target::Silent,
        4 => Target::Hung(rtt),
        5 => Target::Answers { round_trip: rtt, work: Duration::ZERO, good: false },
        6 => Target::Answers { round_trip: rtt, work: ms(2000), good: false },
        _ => Target::Answers { round_trip: rtt, work: Duration::ZERO, good: true },
    })
}

fn histories() -> impl Strategy<Value = History> {
    let gap = prop_oneof![0..8_000_u64, 0..60_000_u64, Just(250_u64)];
    let change = (gap, targets());
    prop::collection::vec(change, 1..12).prop_map(|changes| {
        let mut now = Time::START;
        changes
            .into_iter()
            .map(|(gap, target)| {
                now += ms(gap) + Duration::from_nanos(gap % 3);
                (now, target)
            })
            .collect()
    })
}

fn rules() -> impl Strategy<Value = Rules> {
    let waits = (100..6000_u64, 100..6000_u64, 100..6000_u64);
    let limits = (100..12_000_u64, 0..12_000_u64, 0..6000_u64);
    let kind = (any::<bool>(), any::<bool>(), 0..3_u32, any::<bool>());
    (1..4_u32, 1..5_u32, waits, limits, kind).prop_map(|(rise, fall, waits, limits, kind)| Rules {
        rise,
        fall,
        inter: ms(waits.0),
        fastinter: ms(waits.1),
        downinter: ms(waits.2),
        pacing: if kind.0 { Pacing::AfterEnd } else { Pacing::StartToStart },
        depth: if kind.1 { Depth::Connect } else { Depth::Reply },
        handshake: kind.3,
        connect_limit: ms(limits.0),
        reply_fresh: ms(limits.1),
        reply_total: ms(limits.2),
        spread: if kind.0 { kind.2 * 20 } else { 0 },
        syn: 0.into(),
        names: NAMES,
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Law: laziness is unobservable. Verdicts come at the same nanoseconds as from a loop that
    /// sends every packet of every check.
    #[test]
    fn laziness_is_unobservable(
        rules in rules(), first in 0..6000_u64, undecided: bool, history in histories(),
    ) {
        let first = Time::START + ms(first);
        let until = history.last().unwrap().0 + Duration::from_secs(200);
        let check = if undecided {
            HealthCheck::undecided(rules, first, UP)
        } else {
            HealthCheck::starting(rules, first, UP)
        };
        prop_assert_eq!(
            lazy(check, &history, until),
            eager(&rules, undecided, first, &history, until)
        );
    }
}

/// When the verdict changes for the first time after the target becomes `to`, the next check of a
/// settled checker being due `phase` later.
fn change(rules: Rules, up: bool, from: Target, to: Target, phase: Duration) -> Duration {
    let mut check = HealthCheck::settled(rules, up, Time::START + phase, from);
    check.see(Time::START, to, &no_dice);
    check.flip(Time::START, &no_dice).unwrap().at.since(Time::START)
}

/// Law (measured): `DOWN = U(0, inter) + f·C + (f−1)·fastinter`; C is 0 for a refused connection.
#[test]
fn time_to_down_follows_the_formula() {
    let fast = Rules { fastinter: ms(500), ..defaults() };
    let hung = Rules { depth: Depth::Reply, ..defaults() };
    let five =
        Rules { inter: ms(5000), fastinter: ms(5000), connect_limit: ms(5000), ..defaults() };
    let short = Rules { connect_limit: ms(1000), ..defaults() };
    for (name, rules, target, least) in [
        ("refused, defaults", defaults(), REFUSED, 4000),
        ("refused, fastinter 500ms", fast, REFUSED, 1000),
        ("refused, inter 5s", five, REFUSED, 10_000),
        ("refused, kubeadm", kubeadm(), REFUSED, 10_000),
        ("blackholed, defaults", defaults(), Target::Silent, 10_000),
        ("blackholed, inter 5s", five, Target::Silent, 25_000),
        ("blackholed, kubeadm", kubeadm(), Target::Silent, 20_000),
        ("blackholed, connect1s-timeoutcheck1s", short, Target::Silent, 7000),
        ("hung, httpchk", hung, HUNG, 10_000),
        ("hung, kubeadm", kubeadm(), HUNG, 30_000),
        ("unreachable, defaults", defaults(), Target::Unreachable, 10_000),
        ("unreachable, inter 5s", five, Target::Unreachable, 19_000),
    ] {
        for phase in [0, 1, 700, 1999] {
            let down = change(rules, true, UP, target, ms(phase));
            assert_eq!(down, ms(least + phase), "{name}");
        }
    }
}

/// Law (measured): a stopped process is never noticed by a check that only connects.
#[test]
fn tcp_check_never_notices_a_hung_process() {
    let mut check = HealthCheck::settled(defaults(), true, Time::START, UP);
    check.see(Time::START, HUNG, &no_dice);
    assert_eq!(check.flip(Time::START, &no_dice), None);
}

/// Law (measured): after a refusal, UP comes with the first good check plus `(r−1)·fastinter`.
#[test]
fn time_to_up_follows_the_formula() {
    for (name, rules, least) in [
        ("defaults", defaults(), 2000),
        ("fastinter", Rules { fastinter: ms(500), ..defaults() }, 500),
        ("kubeadm", kubeadm(), 10_000),
    ] {
        let up = change(rules, false, REFUSED, UP, ms(300));
        assert_eq!(up, ms(least + 300), "{name}");
    }
}

/// Law (measured, two humps): blackholed for 14 s with the defaults, a check is always pending at the
/// recovery; its SYN is repeated 1 s after the first if it still can be, else the next check decides.
#[test]
fn a_pending_check_is_answered_by_its_second_syn() {
    for (phase, up) in [(500, 4500), (900, 4900), (1100, 2100), (1900, 2900)] {
        let mut check = HealthCheck::settled(defaults(), true, Time::START + ms(phase), UP);
        check.see(Time::START, Target::Silent, &no_dice);
        let healed = Time::START + ms(14_000);
        check.see(healed, UP, &no_dice);
        let flip = check.flip(healed, &no_dice).unwrap();
        assert_eq!(flip.at.since(healed), ms(up), "phase {phase} ms");
    }
}

/// Law (measured): after SIGCONT a pending HTTP check is answered at once.
#[test]
fn a_pending_answer_arrives_on_resume() {
    let rules = Rules { depth: Depth::Reply, rise: 1, ..defaults() };
    let mut check = HealthCheck::settled(rules, false, Time::START + ms(100), HUNG);
    check.see(Time::START + ms(1000), UP, &no_dice);
    assert_eq!(check.flip(Time::START, &no_dice).unwrap().at, Time::START + ms(1000));
}

/// Law: of several changes at one instant the last one counts: a path that is cut for no time swallows
/// nothing, and a program that is away for no time resets nothing.
#[test]
fn what_lasts_no_time_meets_no_packet() {
    let rules = Rules { depth: Depth::Reply, rise: 1, ..defaults() };
    for between in [Target::Silent, Target::Unreachable, REFUSED] {
        let mut check = HealthCheck::settled(rules, false, Time::START + ms(100), HUNG);
        let now = Time::START + ms(1000);
        check.see(now, between, &no_dice);
        check.see(now, UP, &no_dice);
        assert_eq!(check.flip(now, &no_dice).unwrap().at, now, "{between:?}");
    }
}

/// Law: a target that was gone for no time has not been gone, neither for a SYN nor for a request that
/// is being worked on.
#[test]
fn what_was_gone_for_no_time_was_there() {
    let rules = Rules { depth: Depth::Reply, rise: 1, ..defaults() };
    let slow = Target::Answers { round_trip: ms(200), work: ms(600), good: true };
    for blink in [150, 250, 400, 600] {
        let now = Time::START + ms(blink);
        let undisturbed = HealthCheck::settled(rules, false, Time::START + ms(100), slow);
        let mut check = undisturbed.clone();
        check.see(now, Target::Silent, &no_dice);
        check.see(now, slow, &no_dice);
        let up = check.flip(now, &no_dice).unwrap().at;
        assert_eq!(up, undisturbed.flip(Time::START, &no_dice).unwrap().at, "{blink} ms");
    }
}

/// Law: a server begins up, one failure from down; a script's first result decides.
#[test]
fn the_first_result_decides() {
    let first = Time::START + ms(100);
    let server = HealthCheck::starting(defaults(), first, REFUSED);
    assert_eq!(server.verdict(), Some(true));
    assert_eq!(server.flip(Time::START, &no_dice).unwrap().at, first);
    let mut script = HealthCheck::undecided(defaults(), first, UP);
    assert_eq!(script.verdict(), None);
    script.advance(first, &no_dice);
    assert_eq!(script.verdict(), Some(true));
}

/// Law: a year of an idle checker is skipped, not walked, and keeps its phase.
#[test]
fn an_idle_year_keeps_the_phase() {
    let phase = ms(1234);
    let mut check = HealthCheck::settled(defaults(), true, Time::START + phase, UP);
    let year = Time::START + Duration::from_hours(8766);
    check.see(year, REFUSED, &no_dice);
    let at = check.flip(year, &no_dice).unwrap().at;
    assert_eq!(at.since(Time::START + phase) % ms(2000), Duration::ZERO);
    assert!(at.since(year) >= ms(4000) && at.since(year) < ms(6000), "{at}");
}

/// Law: a checker that stood still counts one result when it wakes, not all it has missed.
#[test]
fn a_pause_loses_checks() {
    let mut check = HealthCheck::settled(defaults(), true, Time::START + ms(500), UP);
    let woken = Time::START + ms(60_000);
    check.wake(woken, REFUSED);
    assert_eq!(check.flip(woken, &no_dice).unwrap().at, woken + ms(4000));
}

/// Law: however long ago it settled, the next check of a spread checker comes within one wait, and
/// any phase is as likely as another (mean of 2000 phases within 4 standard errors of the half).
#[test]
fn spread_checks_forget_their_phase() {
    let rules = Rules { spread: 50, ..defaults() };
    let later = Time::START + Duration::from_hours(24);
    let n = 2000;
    let mut sum = 0.0;
    for trial in 0..n {
        let dice = |k: u64| Key::new(trial, 1).draw(StreamName::of("d"), 0, k).uniform();
        let mut check = HealthCheck::settled(rules, true, Time::START, UP);
        check.see(later, REFUSED, &dice);
        let first = check.next().0.since(later);
        assert!(first <= ms(3000), "{first}");
        sum += first.as_secs_f64();
    }
    // Residual of gaps uniform on [1, 3] s: mean E[X²] / 2E[X] = 13/12 s, deviation 0.66 s.
    let (mean, error) = (sum / n as f64, 0.66 / (n as f64).sqrt());
    assert!((mean - 13.0 / 12.0).abs() < 4.0 * error, "{mean}");
}

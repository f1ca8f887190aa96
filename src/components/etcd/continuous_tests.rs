//! Raft without ticks against the closed forms of Ongaro's thesis (chapter 9): time-outs U(1, 2),
//! heartbeats at half of that, constant delays, no lease and no pre-vote. One unit is a second.

use super::EtcdParams;
use super::idealised::{ElectionTimer, LogLag};
use super::law_tests::{assert_mean, four_errors, mean, run_to_leader};
use super::testing::{Act, Lab, Setup, at, ms};
use crate::component::fact::Resource;
use crate::component::lever::Lever;
use crate::component::mail::{Op, Outcome};
use crate::kernel::law::Law;
use crate::kernel::time::{Duration, Time};

const TRIALS: u64 = 2000;
const FAULT: Time = Time::at(Duration::from_secs(5));

/// `members` of which a latency takes so many milliseconds and a write to disk none.
fn idealised(members: usize, latency: u64) -> Setup {
    let setup = Setup::new(members, 4);
    let params = EtcdParams {
        randomized_election_timeout: ElectionTimer::Law(Law::Uniform { from: ms(1000), to: ms(2000) }),
        heartbeat_interval: ms(500),
        election_timeout: ms(1000),
        check_quorum: false,
        fsync: Law::Fixed(Duration::ZERO),
        startup: Law::Fixed(Duration::ZERO),
        ..setup.params
    };
    assert_eq!(params.check(), []);
    Setup { params, delay: ms(latency), ..setup }
}

/// From the fault to a leader among the `able` members left, in seconds, and how many terms that took.
/// With all of them left, all start at once instead; their time-outs then begin at that instant, else
/// when the dead leader's last heartbeat arrives.
fn elect(setup: &Setup, able: usize) -> (f64, u64) {
    let cold = able == setup.members;
    let mut lab = Lab::new(&Setup { cold, ..setup.clone() });
    for i in 0..setup.members {
        if cold {
            lab.act(FAULT, Act::Start(i));
        } else if i < setup.members - able {
            lab.act(FAULT, Act::Lever(i, Lever::Kill));
        }
    }
    let (elected, term) = run_to_leader(&mut lab, FAULT);
    (elected.since(FAULT).as_secs_f64(), if cold { term } else { term - 2 })
}

fn elections(setup: &Setup, able: usize) -> Vec<(f64, u64)> {
    (0..TRIALS).map(|seed| elect(&Setup { seed, ..setup.clone() }, able)).collect()
}

fn choose(n: u64, k: u64) -> f64 {
    (0..k).map(|i| (n - i) as f64 / (i + 1) as f64).product()
}

/// P(split) of `able` of `members` at latency `l`: Σ C(s,k−1) l^(k−1) (1−l)^(s−k+1) + l^s from
/// k = s − ⌊n/2⌋ + 1 on.
fn split(members: u64, able: u64, l: f64) -> f64 {
    let power = |x: f64, n: u64| (0..n).map(|_| x).product::<f64>();
    let term = |k: u64| choose(able, k - 1) * power(l, k - 1) * power(1.0 - l, able - k + 1);
    (able - members / 2 + 1..=able).map(term).sum::<f64>() + power(l, able)
}

/// The published table: n, s, and P at l = 0.01, 0.05, 0.1, 0.2.
const SPLITS: [(usize, usize, [f64; 4]); 7] = [
    (3, 3, [0.0003, 0.00725, 0.028, 0.104]),
    (3, 2, [0.0199, 0.0975, 0.19, 0.36]),
    (5, 5, [0.00001, 0.00116, 0.00856, 0.05792]),
    (5, 4, [0.00059, 0.01402, 0.0523, 0.1808]),
    (5, 3, [0.0297, 0.14263, 0.271, 0.488]),
    (7, 4, [0.0394, 0.1855, 0.3439, 0.5904]),
    (9, 5, [0.0490, 0.2262, 0.4095, 0.6723]),
];

/// Law: the first round splits as often as the closed form says, for every row of its table.
#[test]
fn votes_split_as_the_closed_form_says() {
    for (members, able, published) in SPLITS {
        for (latency, expected) in [10, 50, 100, 200].into_iter().zip(published) {
            let formula = split(members as u64, able as u64, latency as f64 / 1000.0);
            assert!((formula - expected).abs() < 6e-5, "{members} {able} {latency}: {formula}");
            let trials = elections(&idealised(members, latency), able);
            let splits = trials.iter().filter(|(_, terms)| *terms > 1).count();
            let found = splits as f64 / TRIALS as f64;
            // Four standard errors, and for rare splits the one that is one too many.
            let error = (formula * (1.0 - formula) / TRIALS as f64).sqrt();
            let limit = 4.0 * error + 1.0 / TRIALS as f64;
            assert!((found - formula).abs() <= limit, "{members} {able} {latency}: {found} {formula}");
        }
    }
}

/// Law: without splits a leader comes after 1 + 1/(s+1) + 2l + 2W of the time-outs' beginning, and
/// that is ¼ − l before the crash on average: half a heartbeat-interval back, one latency on. (A member
/// that runs as etcd does writes its own vote before it asks, so that W counts twice.)
#[test]
fn without_splits_the_election_takes_the_closed_form_s_time() {
    for (members, able, write) in [(3, 3, 0), (5, 5, 0), (5, 4, 0), (5, 4, 20), (7, 6, 5)] {
        let mut setup = idealised(members, 10);
        setup.params.fsync = Law::Fixed(ms(write));
        let trials = elections(&setup, able);
        let whole: Vec<f64> = trials.iter().map(|t| t.0 * 1000.0).collect();
        let begun = if able == members { 0.0 } else { 10.0 - 250.0 };
        let expected =
            begun + 1000.0 * (1.0 + 1.0 / (able as f64 + 1.0)) + 2.0 * 10.0 + 2.0 * write as f64;
        // Splits are rarer than one in 400 at these settings; each costs a round of some 1.2 units.
        let splits = trials.iter().filter(|t| t.1 > 1).count() as f64 / TRIALS as f64;
        let off = mean(&whole) - expected;
        let limit = four_errors(&whole) + splits * 1300.0;
        assert!(off.abs() < limit, "{members} {able} {write}: {} not {expected}", mean(&whole));
    }
}

/// Law: the first of four time-outs ends within the first quarter of their range with probability
/// 1 − (3/4)⁴, which the thesis gives as about 0.68.
#[test]
fn the_first_of_four_time_outs_is_early() {
    let trials = elections(&idealised(4, 1), 4);
    let early = trials.iter().filter(|(after, terms)| *terms == 1 && *after <= 1.25 + 0.002).count();
    let (found, law) = (early as f64 / TRIALS as f64, 1.0 - 0.75_f64.powi(4));
    // Four standard errors, and split rounds, which are rarer than one in a thousand.
    let limit = 4.0 * (law * (1.0 - law) / TRIALS as f64).sqrt() + 0.001;
    assert!((found - law).abs() < limit, "{found}, by law {law}");
}

/// Law: with splits the mean is (1 + 1/(s+1) + l)/(1−P) + l − ¼ (+ l for the last heartbeat's way),
/// where each split round begins at most l earlier than the closed form has it.
#[test]
fn with_splits_the_mean_follows_the_closed_form() {
    for (members, able, latency) in [(3, 2, 50), (5, 3, 50), (5, 3, 100), (5, 4, 100), (9, 5, 50)] {
        let l = latency as f64 / 1000.0;
        let p = split(members as u64, able as u64, l);
        let found: Vec<f64> =
            elections(&idealised(members, latency), able).iter().map(|t| t.0).collect();
        let round = 1.0 + 1.0 / (able as f64 + 1.0) + l;
        let most = round / (1.0 - p) + l - 0.25 + l;
        let least = most - l * p / (1.0 - p);
        let (m, error) = (mean(&found), four_errors(&found));
        let what = format!("{members} {able} {latency}: {m} within {least} and {most}");
        assert!(m > least - error && m < most + error, "{what}");
    }
}

/// The end of a member's log.
fn last(lab: &Lab, i: usize) -> u64 {
    lab.members[i].hard.log.last_index()
}

/// Law: only members whose log is up to date can win: with two of four left behind, the first of the
/// others to campaign wins unless one of those behind has just raised the term; nobody behind leads.
#[test]
fn members_that_lack_entries_cannot_win() {
    let mut setup = idealised(5, 10);
    setup.params.log_lag = LogLag::of(&[0, 1, 20, 0, 0]);
    for seed in 0..300 {
        let mut lab = Lab::new(&Setup { seed, ..setup.clone() });
        lab.act(FAULT, Act::Lever(0, Lever::Kill));
        run_to_leader(&mut lab, FAULT);
        let leader = lab.leader().unwrap();
        assert!(leader == 3 || leader == 4, "{leader}");
        lab.run_until(lab.now + ms(5000));
        assert!((1..5).all(|i| last(&lab, i) == last(&lab, leader)), "everybody catches up");
    }
}

/// Law: what a member lacks it gets with the next request, and the leader serves all the while.
#[test]
fn a_request_brings_what_a_member_lacks() {
    let mut setup = Setup::new(3, 6);
    setup.params.log_lag = LogLag::of(&[0, 5, 7]);
    let mut lab = Lab::new(&setup);
    lab.run_until(at(1000));
    assert_eq!(last(&lab, 2) + 7, last(&lab, 0));
    lab.act(at(2000), Act::Call(1, 1, Op::Write(Resource::Objects)));
    lab.run_until(at(3000));
    assert_eq!(lab.replies[0].2, Outcome::Done);
    assert_eq!(last(&lab, 1), last(&lab, 0));
    lab.act(at(4000), Act::Lever(0, Lever::Kill));
    run_to_leader(&mut lab, at(4000));
    lab.run_until(lab.now + ms(5000));
    assert_eq!(last(&lab, 1), last(&lab, 2));
}

/// Law: an idle cluster without ticks costs as little as one with them, and a leader that is alive is
/// never doubted.
#[test]
fn continuous_time_costs_no_events() {
    let mut lab = Lab::new(&idealised(5, 10));
    lab.run_until(at(86_400_000));
    assert_eq!(lab.steps, 0);
    assert_eq!(lab.leader(), Some(0));
}

/// Law: with check-quorum on, a cut-off leader steps down one to two election timeouts after the last
/// answer, which is half a heartbeat-interval old on average, as with ticks.
#[test]
fn check_quorum_works_without_ticks() {
    let mut setup = idealised(3, 10);
    setup.params.check_quorum = true;
    setup.params.heartbeat_interval = ms(50);
    let fell = |seed| {
        let mut lab = Lab::new(&Setup { seed, ..setup.clone() });
        lab.act(FAULT, Act::Cut(0, 1));
        lab.act(FAULT, Act::Cut(0, 2));
        lab.run_until(at(12_000));
        let down = lab.trace.iter().find(|(_, of, _)| *of == 0).unwrap().0;
        down.since(FAULT).as_millis_f64()
    };
    let fell: Vec<f64> = (0..TRIALS / 2).map(fell).collect();
    assert!(fell.iter().all(|t| (949.0..=2001.0).contains(t)));
    assert_mean("step down", &fell, 1475.0);
}

//! Slow disks and full databases: the thinned law against every sync drawn, and the alarm's spread.

use super::law_tests::{assert_mean, mean};
use super::slow_disk::writes_until_long;
use super::testing::{Act, Lab, Setup, at, ms};
use crate::component::fact::Resource;
use crate::component::lever::{Lever, Slowness};
use crate::component::mail::{Op, Outcome};
use crate::kernel::law::Law;
use crate::kernel::stream::{Key, StreamName};
use crate::kernel::time::{Duration, Time};

const SLOW: Slowness = Slowness { median: ms(10), p99: ms(1000) };
/// election-timeout less two heartbeats.
const PATIENCE: Duration = ms(800);
/// Between two writes.
const EVERY: Duration = ms(100);

/// How often and for how long a loop stands still that draws every sync, as far as those count that
/// outlast the patience: spans between two of them in milliseconds, and their lengths.
fn eager(seed: u64, stalls: usize) -> (Vec<f64>, Vec<f64>) {
    let law = Law::lognormal_by(SLOW.median, 0.99, SLOW.p99).unwrap();
    let key = Key::new(seed, 0);
    let (mut now, mut free, mut draws) = (Time::START, Time::START, 0);
    let (mut gaps, mut lengths) = (Vec::new(), Vec::new());
    while lengths.len() < stalls {
        now += EVERY;
        draws += 1;
        let sync = law.sample(&mut key.draw(StreamName::of("eager"), 0, draws));
        if now >= free && sync > PATIENCE {
            gaps.push(now.since(free).as_millis_f64());
            lengths.push(sync.as_millis_f64());
            free = now + sync;
        }
    }
    (gaps, lengths)
}

/// The same, of a lone member.
fn lazy(until: u64) -> (Vec<f64>, Vec<f64>) {
    let mut lab = Lab::new(&Setup { writes: Some(EVERY), ..Setup::new(1, 5) });
    lab.act(at(1), Act::Lever(0, Lever::SlowDisk(Some(SLOW))));
    lab.run_until(at(until));
    let mut free = Time::START + ms(1);
    let (mut gaps, mut lengths) = (Vec::new(), Vec::new());
    for pair in lab.trace.windows(2) {
        let ((from, _, before), (to, _, after)) = (pair[0], pair[1]);
        if before.unwrap().3 && !after.unwrap().3 {
            gaps.push(from.since(free).as_millis_f64());
            lengths.push(to.since(from).as_millis_f64());
            free = to;
        }
    }
    (gaps, lengths)
}

/// Law: long syncs come as often and last as long as where every sync is drawn.
#[test]
fn long_syncs_are_those_of_a_loop_that_draws_every_sync() {
    let (gaps, lengths) = lazy(40_000_000);
    let (all_gaps, all_lengths) = eager(7, 100_000);
    assert!(gaps.len() > 2000, "{}", gaps.len());
    assert_mean("between long syncs", &gaps, mean(&all_gaps));
    assert_mean("length of a long sync", &lengths, mean(&all_lengths));
}

/// Law: the number of writes up to a long sync is geometric.
#[test]
fn writes_until_a_long_sync_are_geometric() {
    let counts: Vec<f64> = (0..10_000)
        .map(|i| writes_until_long(0.25, (f64::from(i) + 0.5) / 10_000.0) as f64)
        .collect();
    // Half a ten-thousandth of the tail is cut off at either end of the grid.
    assert!((mean(&counts) - 4.0).abs() < 0.01, "{}", mean(&counts));
    let first = counts.iter().filter(|count| **count <= 1.0).count();
    assert_eq!(first, 2500);
    assert_eq!(writes_until_long(1.0, 0.9), 1);
}

/// Law: a disk that keeps within the followers' patience never stands still.
#[test]
fn a_steady_disk_costs_nothing() {
    let mut lab = Lab::new(&Setup { writes: Some(EVERY), ..Setup::new(3, 5) });
    let slow = Slowness { median: ms(200), p99: ms(300) };
    lab.act(at(1), Act::Lever(0, Lever::SlowDisk(Some(slow))));
    lab.run_until(at(600_000));
    assert!(lab.trace.iter().all(|(_, _, shown)| !shown.unwrap().3));
}

fn outcome(lab: &Lab, call: u64) -> Option<Outcome> {
    lab.replies.iter().find(|(_, id, _)| *id == call).map(|(_, _, outcome)| *outcome)
}

/// Law: one full database stops the writes of all members, whoever leads and whoever was away when it
/// filled; reads go on, and writes return when room was made.
#[test]
fn a_full_database_stops_the_writes_of_all() {
    let mut lab = Lab::new(&Setup { writes: Some(EVERY), ..Setup::new(3, 5) });
    let mut call = 0;
    let mut ask = |lab: &mut Lab, when: u64, member: usize, op: Op| {
        call += 1;
        lab.act(at(when), Act::Call(member, call, op));
        call
    };
    lab.act(at(1000), Act::Lever(2, Lever::Kill));
    lab.act(at(2000), Act::Lever(1, Lever::Space(false)));
    lab.act(at(3000), Act::Start(2));
    let refused = [0, 1, 2].map(|member| ask(&mut lab, 9000, member, Op::Write(Resource::Objects)));
    let read = ask(&mut lab, 9000, 2, Op::Read(Resource::Objects));
    lab.act(at(10_000), Act::Lever(0, Lever::Kill));
    let later = ask(&mut lab, 20_000, 2, Op::Write(Resource::Objects));
    lab.act(at(21_000), Act::Lever(1, Lever::Space(true)));
    let done = ask(&mut lab, 23_000, 2, Op::Write(Resource::Objects));
    lab.run_until(at(40_000));
    for call in refused.into_iter().chain([later]) {
        assert_eq!(outcome(&lab, call), Some(Outcome::Rejected), "{call}");
    }
    assert_eq!(outcome(&lab, read), Some(Outcome::Done));
    assert_eq!(outcome(&lab, done), Some(Outcome::Done));
}

/// Law: without a majority the alarm is neither raised nor disarmed, but the member whose database is
/// full refuses by itself; the alarm follows once there is a majority.
#[test]
fn the_alarm_needs_a_majority() {
    let mut lab = Lab::new(&Setup { writes: Some(EVERY), ..Setup::new(3, 5) });
    lab.act(at(1000), Act::Lever(1, Lever::Kill));
    lab.act(at(1000), Act::Lever(2, Lever::Kill));
    lab.act(at(5000), Act::Lever(0, Lever::Space(false)));
    lab.act(at(6000), Act::Call(0, 1, Op::Write(Resource::Objects)));
    lab.run_until(at(30_000));
    assert_eq!(outcome(&lab, 1), Some(Outcome::Rejected));
    assert!(!lab.fact(0).unwrap().full);
    lab.act(at(31_000), Act::Start(1));
    lab.act(at(60_000), Act::Call(1, 2, Op::Write(Resource::Objects)));
    lab.run_until(at(70_000));
    assert!(lab.fact(0).unwrap().full && lab.fact(1).unwrap().full);
    assert_eq!(outcome(&lab, 2), Some(Outcome::Rejected));
}

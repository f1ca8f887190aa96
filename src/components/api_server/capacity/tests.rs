//! Laws of the seat model, against closed forms and a book kept beside it.

use super::*;
use crate::component::ComponentId;
use crate::kernel::law::Law;
use crate::kernel::stream::{Key, StreamName};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn limits(fairness: bool) -> Limits {
    Limits {
        reading: 400,
        mutating: 200,
        fairness,
        release: Version::new(1, 34),
        patience: Duration::from_secs(15),
    }
}

fn claim(level: PriorityLevel, flow: u64, seats: u32) -> Claim {
    Claim { level, mutating: false, flow, seats }
}

const LOW: PriorityLevel = PriorityLevel::WorkloadLow;

/// Law: without fairness the 401st read and the 201st write are turned away, whoever asks.
#[test]
fn two_limits_without_fairness() {
    let mut gate = Gate::new(limits(false));
    for mutating in [false, true] {
        let claim = Claim { mutating, ..claim(PriorityLevel::LeaderElection, 1, 10) };
        let seated = (0..1000).filter(|_| gate.enter(claim, Time::START).1 == Entry::Seated);
        assert_eq!(seated.count(), if mutating { 200 } else { 400 });
    }
}

/// Law: with fairness a level that is full leaves the others their seats.
#[test]
fn levels_keep_their_seats() {
    let mut gate = Gate::new(limits(true));
    let mut entries = [0; 3];
    for flow in 0..10_000 {
        entries[gate.enter(claim(LOW, flow, 10), Time::START).1 as usize] += 1;
    }
    // 24 times 10 of 245 seats; 128 queues of 50.
    assert_eq!(entries, [24, 6400, 3576]);
    let holder = claim(PriorityLevel::LeaderElection, 7, 1);
    assert!((0..25).all(|_| gate.enter(holder, Time::START).1 == Entry::Seated));
    assert_eq!(gate.enter(holder, Time::START).1, Entry::Queued);
}

/// Law: one flow fills its hand of queues and no more; what no schema takes does not wait at all.
#[test]
fn a_flow_fills_its_hand() {
    let mut gate = Gate::new(limits(true));
    let queued = |gate: &mut Gate, claim| {
        (0..1000).filter(|_| gate.enter(claim, Time::START).1 == Entry::Queued).count()
    };
    assert_eq!(queued(&mut gate, claim(LOW, 3, 1)), 6 * 50);
    assert_eq!(queued(&mut gate, claim(PriorityLevel::LeaderElection, 3, 1)), 4 * 50);
    assert_eq!(queued(&mut gate, claim(PriorityLevel::CatchAll, 3, 1)), 0);
}

/// Law: a request waits for a quarter of its time and is then turned away.
#[test]
fn patience_ends() {
    let mut gate = Gate::new(limits(true));
    let tickets: Vec<u64> = (0..26)
        .map(|_| gate.enter(claim(PriorityLevel::LeaderElection, 1, 1), Time::START).0)
        .collect();
    let end = Time::START + Duration::from_secs(15);
    assert_eq!(gate.first_patience(), Some(end));
    assert_eq!(gate.turn_away(Time::START), None);
    assert_eq!(gate.turn_away(end), tickets.last().copied());
    assert_eq!((gate.first_patience(), gate.counts()), (None, (25, 0)));
}

/// Law: flows take turns, so that one that asks little is not held up by one that asks much.
#[test]
fn queues_take_turns() {
    let mut gate = Gate::new(limits(true));
    let level = PriorityLevel::LeaderElection;
    let (one, many) = (ComponentId(1), |user| flow(ComponentId(2), user));
    let one = flow(one, 0);
    let first: Vec<u64> =
        (0..100).map(|_| gate.enter(claim(level, one, 1), Time::START).0).collect();
    // A flow with a hand that shares no queue with the first one's.
    let apart = |flow: &u64| hand(*flow, 16, 4).iter().all(|at| !hand(one, 16, 4).contains(at));
    let other = (0..1000).map(many).find(apart).expect("hands differ");
    let (late, entry) = gate.enter(claim(level, other, 1), Time::START);
    assert_eq!(entry, Entry::Queued);
    let mut before = 0;
    for ticket in first {
        gate.leave(ticket);
        if gate.seat_next() == Some(late) {
            break;
        }
        before += 1;
    }
    assert!(before <= 4, "{before} went first");
}

/// The shares of Poisson arrivals that find none of 20 seats, batch by batch of 2000.
fn losses(service: &Law, load: f64) -> Vec<f64> {
    let mut gate = Gate::new(Limits { reading: 20, ..limits(false) });
    let mut draw = Key::new(7, 0).draw(StreamName::of("erlang"), 0, 0);
    let gap = Law::Exponential { mean: Duration::from_secs(1).mul_f64(1.0 / load) };
    let mut now = Time::START;
    let mut ends: BTreeSet<(Time, u64)> = BTreeSet::new();
    let mut is_lost = || {
        now += gap.sample(&mut draw);
        while let Some((at, ticket)) = ends.first().copied().filter(|(at, _)| *at <= now) {
            ends.remove(&(at, ticket));
            gate.leave(ticket);
        }
        let (ticket, entry) = gate.enter(claim(LOW, 0, 1), now);
        if entry == Entry::Seated {
            ends.insert((now + service.sample(&mut draw), ticket));
        }
        entry != Entry::Seated
    };
    // The first batch begins with a server that has nothing to do.
    (0..101).map(|_| f64::from((0..2000).map(|_| u32::from(is_lost())).sum::<u32>()) / 2000.0).skip(1).collect()
}

/// Law: Poisson arrivals find no seat as often as Erlang's formula says, whatever the law of service
/// (M/G/s/s): within four standard errors of the mean of 100 batches, as losses come in bursts.
#[test]
fn losses_follow_erlang() {
    let (mean, load) = (Duration::from_secs(1), 18.0);
    for service in [Law::Fixed(mean), Law::Exponential { mean }] {
        let batches = losses(&service, load);
        let count = batches.len() as f64;
        let share = batches.iter().sum::<f64>() / count;
        let squares = batches.iter().map(|batch| (batch - share).powi(2)).sum::<f64>();
        let error = (squares / (count - 1.0) / count).sqrt();
        let expected = erlang_b(20, load);
        assert!((share - expected).abs() < 4.0 * error, "{share} ± {error} is not {expected}");
    }
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Enter(PriorityLevel, bool, u64, u32),
    Leave(usize),
    Pass(u64),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let level = prop_oneof![
        Just(PriorityLevel::LeaderElection),
        Just(PriorityLevel::WorkloadLow),
        Just(PriorityLevel::CatchAll),
        Just(PriorityLevel::Exempt)
    ];
    let enter = (level, any::<bool>(), 0_u64..5, 1_u32..12)
        .prop_map(|(level, mutating, flow, seats)| Act::Enter(level, mutating, flow, seats));
    let act = prop_oneof![6 => enter, 3 => (0_usize..64).prop_map(Act::Leave), 1 => (0_u64..20).prop_map(Act::Pass)];
    prop::collection::vec(act, 0..400)
}

proptest! {
    /// Law: requests are conserved: what came was turned away, has left, has seats or waits; and what
    /// waits does so for want of seats only.
    #[test]
    fn requests_are_conserved(acts in acts(), fairness: bool) {
        let small = Limits { reading: 30, mutating: 10, ..limits(fairness) };
        let mut gate = Gate::new(small);
        let (mut now, mut came, mut gone) = (Time::START, 0, 0);
        let (mut seated, mut queued) = (BTreeSet::new(), BTreeSet::new());
        for act in acts {
            match act {
                Act::Enter(level, mutating, flow, seats) => {
                    came += 1;
                    match gate.enter(Claim { level, mutating, flow, seats }, now) {
                        (ticket, Entry::Seated) => { seated.insert(ticket); }
                        (ticket, Entry::Queued) => { queued.insert(ticket); }
                        (_, Entry::TurnedAway) => gone += 1,
                    }
                }
                Act::Leave(at) => {
                    let pick = seated.iter().chain(&queued).nth(at).copied();
                    if let Some(ticket) = pick {
                        gate.leave(ticket);
                        prop_assert!(seated.remove(&ticket) || queued.remove(&ticket));
                        gone += 1;
                    }
                }
                Act::Pass(secs) => now += Duration::from_secs(secs),
            }
            while let Some(ticket) = gate.seat_next() {
                prop_assert!(queued.remove(&ticket) && seated.insert(ticket));
            }
            while let Some(ticket) = gate.turn_away(now) {
                prop_assert!(queued.remove(&ticket));
                gone += 1;
            }
            // Patience may have held somebody up.
            while let Some(ticket) = gate.seat_next() {
                prop_assert!(queued.remove(&ticket) && seated.insert(ticket));
            }
            prop_assert_eq!(gate.counts(), (seated.len(), queued.len()));
            prop_assert_eq!(came, gone + seated.len() + queued.len());
        }
    }
}

//! Laws of the node monitor: against an eager twin, and against the measured delays.

use crate::component::ComponentId;
use crate::component::fact::{Ability, Condition, Fact, KubeletFact, NodeFact, Renewals};
use crate::components::lease::tests::arena::{Arena, Layout, Note};
use crate::components::lease::{ClientGo, Election};
use crate::kernel::cadence::Cadence;
use crate::kernel::time::{Duration, Time};
use proptest::prelude::*;

const PERIOD: Duration = Duration::from_secs(5);
const GRACE: Duration = Duration::from_secs(40);
const RENEWAL: Duration = Duration::from_secs(10);

fn layout(candidates: usize) -> Layout {
    let election = Election {
        connection: None,
        lease_duration: Duration::from_secs(15),
        renew_deadline: Duration::from_secs(10),
        retry_period: Duration::from_secs(2),
        client_timeout: Duration::from_secs(10),
        release_on_cancel: false,
        by_node: false,
        client_go: ClientGo::V0_20,
    };
    let mut layout = Layout::of(election, candidates);
    layout.nodes = 1;
    layout.warm_up = Duration::from_millis(1100);
    layout
}

fn kubelet(candidates: usize) -> ComponentId {
    ComponentId(u16::try_from(2 * candidates).unwrap())
}

fn node(candidates: usize) -> ComponentId {
    ComponentId(u16::try_from(2 * candidates + 1).unwrap())
}

fn renewing(renewals: Renewals) -> Fact {
    Fact::Kubelet(KubeletFact { renewals })
}

/// When the node was marked Unknown.
fn marks(arena: &Arena) -> Vec<Time> {
    let unknown = |note: &Note| *note == Note::Node(0, Condition::Unknown);
    arena.log.iter().filter(|(_, note)| unknown(note)).map(|(at, _)| *at).collect()
}

/// Law: a settled node has no alarm; a silent one becomes Unknown 40 to 45 s after its last renewal (in
/// the laboratory 40.1 to 44.9 s), at a pass, and its terms begin with that renewal.
#[test]
fn a_silent_node_is_unknown_after_the_grace_and_a_pass() {
    let mut delays = Vec::new();
    for trial in 0..1000 {
        let mut arena = Arena::new(&layout(1), trial);
        let renewals = Cadence::new(Time::START + Duration::from_millis(trial * 10), RENEWAL);
        arena.set_fact(kubelet(1), renewing(Renewals::Every(renewals)));
        assert_eq!(arena.alarm_count(), 0);
        arena.run_until(Time::START + Duration::from_secs(1000));
        let last = renewals.last_at_or_before(arena.now).unwrap();
        arena.set_fact(kubelet(1), Fact::Absent);
        arena.run_until(Time::START + Duration::from_secs(1100));
        assert_eq!(arena.marked_by.start(marks(&arena)[0]), last);
        delays.push(marks(&arena)[0].since(last).as_secs_f64());
    }
    delays.sort_by(f64::total_cmp);
    assert!(delays[0] >= 40.0 && delays[999] < 45.0);
    let mean = delays.iter().sum::<f64>() / 1000.0;
    assert!((mean - 42.5).abs() < 4.0 * 1.45 / 1000_f64.sqrt(), "mean {mean}");
}

/// Law: a new leader starts every node's grace at its first pass.
#[test]
fn a_new_leader_starts_the_grace_anew() {
    for trial in 0..100 {
        let mut arena = Arena::new(&layout(2), trial);
        let renewals = Cadence::new(Time::START, RENEWAL);
        arena.set_fact(kubelet(2), renewing(Renewals::Every(renewals)));
        arena.run_until(Time::START + Duration::from_secs(100));
        arena.set_fact(kubelet(2), Fact::Absent);
        arena.kill(0);
        arena.run_until(Time::START + Duration::from_secs(200));
        let acts = |note: &Note| matches!(note, Note::Fact(1, fact) if fact.acting);
        let (first_pass, _) = arena.log.iter().find(|(_, note)| acts(note)).unwrap();
        assert_eq!(marks(&arena), [*first_pass + GRACE]);
    }
}

/// What happens to the kubelet and to the path of the controller-manager.
#[derive(Clone, Copy, Debug)]
enum Act {
    Silence,
    /// Renewals at a new phase, and a status that says Ready.
    Return,
    Cut,
}

fn acts() -> impl Strategy<Value = Vec<(u64, Act)>> {
    let act = prop_oneof![2 => Just(Act::Silence), 2 => Just(Act::Return), 1 => Just(Act::Cut)];
    prop::collection::vec((6_000_000_000..60_000_000_000u64, act), 1..12)
}

/// How long a cut of the controller-manager's path lasts: too short to lose the Lease.
const CUT: Duration = Duration::from_secs(5);

/// Every pass made: what the lazy monitor must be indistinguishable from.
fn eager(first: Time, until: Time, history: &[(Time, Renewals)], cuts: &[Time]) -> Vec<Time> {
    let mut marked = Vec::new();
    let (mut probe, mut seen, mut ready) = (None, None, true);
    let mut returns: Vec<Time> = history
        .iter()
        .filter(|(_, r)| matches!(r, Renewals::Every(_)))
        .map(|(at, _)| *at)
        .collect();
    returns.reverse();
    let mut pass = first;
    while pass <= until {
        while returns.last().is_some_and(|at| *at <= pass) {
            returns.pop();
            ready = true;
        }
        let renewals = history.iter().rev().find(|(at, _)| *at <= pass).unwrap().1;
        let renewed = renewals.last(pass);
        let works = !cuts.iter().any(|cut| *cut <= pass && pass < *cut + CUT);
        if works {
            if probe.is_none() || renewed > seen {
                (probe, seen) = (Some(pass), renewed);
            }
            if ready && pass >= probe.unwrap() + GRACE {
                marked.push(pass);
                ready = false;
            }
        }
        pass += PERIOD;
    }
    marked
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    /// Law: laziness is unobservable: for every history of silences, returns and short cuts of the
    /// controller-manager's path, nodes are marked at the same passes as if every pass were made.
    #[test]
    fn every_mark_is_that_of_the_eager_twin(acts in acts(), trial in 0..1000u64) {
        let mut arena = Arena::new(&layout(2), trial);
        let renewals = Renewals::Every(Cadence::new(Time::START, RENEWAL));
        arena.set_fact(kubelet(2), renewing(renewals));
        arena.kill(0);
        arena.run_while(Time::START + Duration::from_secs(60), |arena| !arena.fact(1).acting);
        let first = arena.now;
        let mut history = vec![(Time::ZERO, renewals)];
        let mut cuts = Vec::new();
        for (wait, act) in acts {
            let at = arena.now + Duration::from_nanos(wait);
            arena.run_until(at);
            let now = history.last().unwrap().1;
            match act {
                Act::Silence => {
                    let last = now.last(at).unwrap();
                    history.push((at, Renewals::Once(last)));
                    arena.set_fact(kubelet(2), renewing(Renewals::Once(last)));
                }
                Act::Return => {
                    let renewals = Renewals::Every(Cadence::new(at, RENEWAL));
                    history.push((at, renewals));
                    arena.set_fact(kubelet(2), renewing(renewals));
                    let ready = NodeFact::of(Condition::True, Some(at));
                    arena.set_fact(node(2), Fact::Node(ready));
                }
                Act::Cut => {
                    cuts.push(at);
                    arena.set_api(1, Ability::Hangs);
                    arena.run_until(at + CUT);
                    arena.set_api(1, Ability::Works);
                }
            }
        }
        let until = arena.now + Duration::from_secs(100);
        arena.run_until(until);
        prop_assert!(arena.fact(1).leading);
        prop_assert_eq!(marks(&arena), eager(first, until, &history, &cuts));
    }
}

/// Law: a controller-manager that does not lead watches nothing.
#[test]
fn who_does_not_lead_marks_nothing() {
    let mut arena = Arena::new(&layout(1), 1);
    let renewals = Cadence::new(Time::START, RENEWAL);
    arena.set_fact(kubelet(1), renewing(Renewals::Every(renewals)));
    arena.kill(0);
    arena.set_fact(kubelet(1), Fact::Absent);
    arena.run_until(Time::START + Duration::from_secs(1000));
    assert!(marks(&arena).is_empty());
}

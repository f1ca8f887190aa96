//! Laws of the kubelet: lazy renewals, restarts under the back-off, probes counted instead of made.

use std::sync::Arc;
use super::liveness::{Outcome as Probed, Prober, Thresholds};
use super::*;
use crate::component::fact::{Ability, ApiServerFact, Condition, NodeFact, Renewals};
use crate::component::mail::Outcome;
use crate::component::param::Params as _;
use crate::component::versions::{Version, Versions};
use crate::component::view::ProcessState;
use crate::components::path::ALL;
use crate::components::testing::{Fake, surroundings};
use crate::kernel::cadence::Cadence;
use crate::kernel::time::Time;
use proptest::prelude::*;

const KUBELET: ComponentId = ComponentId(0);
const SERVER: ComponentId = ComponentId(1);
const NODE: ComponentId = ComponentId(2);
const POD: ComponentId = ComponentId(3);

const DELAY: Duration = Duration::from_millis(1);

fn at(ms: u64) -> Time {
    Time::at(Duration::from_millis(ms))
}

fn old() -> Versions {
    Versions { kubernetes: Version::new(1, 20), ..Versions::default() }
}

fn node(ready: Condition) -> Fact {
    Fact::Node(NodeFact::of(ready, Some(Time::START)))
}

/// An API server whose writes take `work`, or hang.
fn serves(work: Option<u64>) -> Fact {
    let write = if work.is_some() { Ability::Works } else { Ability::Hangs };
    Fact::ApiServer(ApiServerFact {
        listening: true,
        http: true,
        ready: true,
        live: true,
        write,
        answered: ALL,
        latency: Duration::from_millis(work.unwrap_or(0)),
        ..ApiServerFact::default()
    })
}

/// A kubelet with one API server elsewhere and one scheduler (or other kind) of its own.
fn world(versions: &Versions, pod: Kind, trial: u64) -> Fake<Kubelet> {
    let kinds = [(0, Kind::Kubelet), (1, Kind::ApiServer), (0, Kind::Node), (0, pod)];
    let wiring =
        Wiring { pods: vec![POD], servers: vec![SERVER], api_servers: vec![SERVER], node: NODE, workloads: Arc::default() };
    let kubelet = Kubelet::new(KUBELET, &KubeletParams::defaults(versions), &wiring);
    let mut world = Fake::new(surroundings(&kinds, DELAY), vec![(KUBELET, kubelet)], trial);
    world.all.facts[SERVER.index()] = serves(Some(3));
    world.all.facts[NODE.index()] = node(Condition::True);
    world
}

fn renewals(world: &Fake<Kubelet>) -> Renewals {
    match &world.all.facts[KUBELET.index()] {
        Fact::Kubelet(fact) => fact.renewals,
        other => panic!("{other:?}"),
    }
}

/// Law: with a working API a kubelet needs no events, whatever the horizon, and its Lease is renewed
/// every 10 s plus the time of a renewal (1.20), or 2 % later on average (current releases).
#[test]
fn a_settled_kubelet_renews_without_events() {
    for (versions, period) in [(old(), 10_007), (Versions::default(), 10_207)] {
        let mut world = world(&versions, Kind::Scheduler, 0);
        world.settle();
        world.run_until(at(1));
        let steps = world.steps;
        world.run_until(at(86_400_000));
        assert_eq!(world.steps, steps);
        let Renewals::Every(cadence) = renewals(&world) else { panic!("not steady") };
        // Connecting and asking cost 4 ms, the work 3 ms.
        assert_eq!(cadence.period(), Duration::from_millis(period));
    }
}

/// What a call on its way meets.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Path {
    Works(u64),
    Hangs,
    Cut,
}

/// Runs a kubelet over a history of its path; the transport answers a call once the path has worked
/// for the whole latency. Returns the last renewal as known at each probe.
fn history(eager: bool, changes: &[(u64, Path)], probes: &[Time], trial: u64) -> Vec<Option<Time>> {
    let versions = if trial.is_multiple_of(2) { old() } else { Versions::default() };
    let mut world = world(&versions, Kind::Scheduler, trial);
    world.machine(KUBELET).heartbeat.eager = eager;
    world.settle();
    let mut path = Path::Works(3);
    let mut calls: Vec<(u64, Time, Time)> = Vec::new();
    let (mut seen, mut closed) = (0, 0);
    let mut next = Time::START;
    let mut changes = changes.iter().map(|(gap, path)| {
        next += Duration::from_nanos(*gap);
        (next, *path)
    });
    let mut change = changes.next();
    let mut known = Vec::new();
    for probe in probes {
        loop {
            let answer = calls.iter().map(|(_, due, _)| *due).min().unwrap_or(Time::NEVER);
            let turn = change.map_or(Time::NEVER, |(at, _)| at);
            let now = world.due().min(answer).min(turn);
            if now > *probe {
                break;
            }
            world.now = now;
            if answer == now {
                let i = calls.iter().position(|(_, due, _)| *due == now).unwrap();
                let (id, _, _) = calls.remove(i);
                let reply = Reply { id, outcome: Outcome::Done };
                world.deliver(
                    KUBELET,
                    Cause::Mail(Mail { from: SERVER, body: Body::Reply(reply) }),
                );
            } else if turn == now {
                let (_, to) = change.unwrap();
                change = changes.next();
                if path != to {
                    let was_cut = path == Path::Cut;
                    path = to;
                    turn_path(&mut world, path, was_cut);
                    for call in &mut calls {
                        call.1 = due(path, now);
                    }
                }
            } else {
                world.run_until(now);
            }
            for (sent_at, _, _, body) in &world.sent[seen..] {
                if let Body::Call(call) = body {
                    calls.push((call.id, due(path, *sent_at), call.deadline));
                }
            }
            seen = world.sent.len();
            for (_, id) in &world.closed[closed..] {
                calls.retain(|(call, _, _)| call != id);
            }
            closed = world.closed.len();
        }
        known.push(renewals(&world).last(*probe));
    }
    known
}

fn due(path: Path, from: Time) -> Time {
    match path {
        Path::Works(work) => from + DELAY * 4 + Duration::from_millis(work),
        Path::Hangs | Path::Cut => Time::NEVER,
    }
}

fn turn_path(world: &mut Fake<Kubelet>, path: Path, was_cut: bool) {
    let (a, b) = (MachineId(0), MachineId(1));
    let fact = match path {
        Path::Works(work) => serves(Some(work)),
        Path::Hangs => serves(None),
        Path::Cut => world.all.facts[SERVER.index()].clone(),
    };
    world.all.facts[SERVER.index()] = fact;
    world.network(|reach| {
        if was_cut {
            reach.cut(a, b, false);
        }
        if path == Path::Cut {
            reach.cut(a, b, true);
        }
    });
}

use crate::component::MachineId;

fn paths() -> impl Strategy<Value = Vec<(u64, Path)>> {
    let path = prop_oneof![
        2 => (1_u64..400).prop_map(Path::Works),
        2 => (1_u64..12_000).prop_map(Path::Works),
        1 => Just(Path::Hangs),
        1 => Just(Path::Cut),
    ];
    let gap = prop_oneof![0_u64..20_000_000, 0_u64..2_000_000_000, 0_u64..60_000_000_000];
    proptest::collection::vec((gap, path), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Law: laziness is unobservable: a kubelet that makes every renewal has, at any instant, renewed
    /// its Lease at the same nanosecond as one that only computes them.
    #[test]
    fn lazy_renewals_equal_eager_ones(changes in paths(), trial in 0_u64..1000) {
        let probes: Vec<Time> = (0..400).map(|n| at(n * 1013)).collect();
        prop_assert_eq!(
            history(false, &changes, &probes, trial),
            history(true, &changes, &probes, trial)
        );
    }
}

/// Law: a silent connection costs two time-outs of 10 s before a new one is dialled, so a half-dead
/// server makes a gap of at most 30 s and a round trip.
#[test]
fn a_half_dead_connection_costs_two_time_outs() {
    let mut world = world(&old(), Kind::Scheduler, 0);
    world.settle();
    world.run_until(at(1));
    let Renewals::Every(cadence) = renewals(&world) else { panic!("not steady") };
    let next = cadence.first_after(at(1)) - Duration::from_millis(7);
    world.network(|reach| reach.cut(MachineId(0), MachineId(1), true));
    world.run_until(at(60_000));
    let dial = world.sent[0].0;
    assert_eq!(dial, next + Duration::from_secs(20));
}

/// Law: newer kubelets leave a half-dead connection to the ping: the next renewal that arrives is
/// sent 30 s + 15 s after the last answer, longer than the 40 s after which a node once was `NotReady`.
#[test]
fn newer_kubelets_wait_for_the_ping() {
    for (seconds, dialled) in [(30, 45), (20, 35)] {
        let mut world = world(&Versions::default(), Kind::Scheduler, 0);
        world.machine(KUBELET).params.read_idle = seconds;
        world.settle();
        world.run_until(at(25_000));
        let Renewals::Every(cadence) = renewals(&world) else { panic!("not steady") };
        let last = cadence.last_at_or_before(at(25_000)).unwrap();
        world.network(|reach| reach.cut(MachineId(0), MachineId(1), true));
        world.run_until(at(120_000));
        assert_eq!(world.sent[0].0, last + Duration::from_secs(dialled));
    }
}

/// Law: without pings a kernel gives up, 924.6 s after the first renewal that went nowhere.
#[test]
fn without_pings_the_kernel_gives_up() {
    let mut world = world(&Versions::default(), Kind::Scheduler, 0);
    world.machine(KUBELET).params.read_idle = 0;
    world.settle();
    world.run_until(at(25_000));
    let Renewals::Every(cadence) = renewals(&world) else { panic!("not steady") };
    let next = cadence.first_after(at(25_000)) - Duration::from_millis(7);
    world.network(|reach| reach.cut(MachineId(0), MachineId(1), true));
    world.run_until(at(1_200_000));
    let waited = world.sent[0].0.since(next);
    // At the next attempt: within the waits of 7 s between attempts.
    let gives_up = Duration::from_millis(924_600);
    assert!(waited >= gives_up && waited < gives_up + Duration::from_secs(8), "{waited}");
}

/// Law: what was renewed before the kubelet was killed stays known, and nothing is renewed after.
#[test]
fn a_killed_kubelet_leaves_its_last_renewal() {
    let mut world = world(&old(), Kind::Scheduler, 3);
    world.settle();
    world.run_until(at(123_456));
    let last = renewals(&world).last(at(123_456));
    world.kill(KUBELET, Lever::Kill);
    world.run_until(at(300_000));
    assert_eq!(renewals(&world), last.map_or(Renewals::Never, Renewals::Once));
}

/// Law: a node that was marked Unknown is posted Ready at the next computation of its status.
#[test]
fn ready_is_posted_again_within_the_update_frequency() {
    let mut world = world(&old(), Kind::Scheduler, 0);
    world.settle();
    world.run_until(at(50_000));
    world.set_fact(NODE, node(Condition::Unknown));
    world.run_until(at(60_001));
    let Body::Call(call) = world.sent.last().unwrap().3 else { panic!("no post") };
    let reply = Reply { id: call.id, outcome: Outcome::Done };
    world.post(world.now, KUBELET, Mail { from: SERVER, body: Body::Reply(reply) });
    world.run_until(world.now);
    let (_, object, fact) = world.commits.last().unwrap();
    assert_eq!(*object, NODE);
    assert!(matches!(fact, Fact::Node(NodeFact { ready: Condition::True, .. })));
}

/// Ends the pod now, and starts it when the kubelet asks for that; returns the wait.
fn crash(world: &mut Fake<Kubelet>) -> Duration {
    let ended = world.now;
    world.all.processes[POD.index()].since = ended;
    world.set_process(POD, ProcessState::Dead);
    let starts = world.starts.len();
    while world.starts.len() == starts {
        let due = world.due();
        world.run_until(due);
    }
    let started = world.starts[starts].0;
    let process = &mut world.all.processes[POD.index()];
    process.incarnation += 1;
    process.since = started;
    world.set_process(POD, ProcessState::Running);
    started.since(ended)
}

/// Law: the first restart comes at the next relist; the waits of the following ones are 10, 20, 40,
/// 80, 160, 300, 300 s from the container's end, and then up to 15 s until the pod is looked at; a
/// container that ran for over 10 min starts anew.
#[test]
fn restarts_back_off() {
    for trial in 0..50 {
        let mut world = world(&old(), Kind::Scheduler, trial);
        world.settle();
        world.run_until(at(1000 + trial * 37));
        assert!(crash(&mut world) <= Duration::from_secs(1));
        for wait in [10, 20, 40, 80, 160, 300, 300] {
            world.run_until(world.now + Duration::from_millis(500));
            let waited = crash(&mut world).as_secs_f64();
            assert!(waited >= f64::from(wait) && waited <= f64::from(wait) + 15.0, "{wait}: {waited}");
        }
        world.run_until(world.now + Duration::from_secs(601));
        assert!(crash(&mut world) <= Duration::from_secs(1));
    }
}

/// Law: while the kubelet is away nobody restarts its pods; it does so when it is back.
#[test]
fn without_kubelet_nothing_restarts() {
    let mut world = world(&old(), Kind::Scheduler, 0);
    world.settle();
    world.run_until(at(1000));
    world.kill(KUBELET, Lever::Kill);
    world.all.processes[POD.index()].state = ProcessState::Dead;
    world.run_until(at(600_000));
    assert!(world.starts.is_empty());
    world.boot(KUBELET);
    world.run_until(at(610_000));
    let (start, pod) = world.starts[0];
    assert_eq!(pod, POD);
    assert!((602..=605).contains(&(start.since_start_nanos() / 1_000_000_000)), "{start}");
}

/// Law: an API server whose /livez has failed since an instant is killed 70-80 s later: 72-82 s after
/// etcd was lost, as the etcd check takes 2 s to say so.
#[test]
fn liveness_kills_an_api_server_after_eight_failures() {
    let trials = 300;
    let mut sum = 0.0;
    for trial in 0..trials {
        let mut world = world(&old(), Kind::ApiServer, trial);
        world.all.facts[POD.index()] = serves(Some(3));
        world.settle();
        world.run_until(at(5000));
        let Fact::ApiServer(fact) = serves(None) else { unreachable!() };
        world.set_fact(POD, Fact::ApiServer(ApiServerFact { live: false, ..fact }));
        world.run_until(at(200_000));
        let (killed, pod) = world.kills[0];
        assert_eq!(pod, POD);
        let after = killed.since(at(5000)).as_secs_f64();
        assert!((70.0..=80.0).contains(&after), "{after}");
        sum += after;
    }
    // U(70, 80): standard error of the mean 10 / sqrt(12 n); four of them.
    let mean = sum / trials as f64;
    assert!((mean - 75.0).abs() < 4.0 * 10.0 / (12.0 * trials as f64).sqrt(), "{mean}");
}

/// Law: a flap between two probes is not seen; a good probe starts the count again.
#[test]
fn probes_only_see_what_they_meet() {
    let mut world = world(&old(), Kind::ApiServer, 0);
    let good = serves(Some(3));
    let Fact::ApiServer(fact) = good else { unreachable!() };
    let bad = Fact::ApiServer(ApiServerFact { live: false, ..fact });
    world.all.facts[POD.index()] = good.clone();
    world.settle();
    world.set_fact(POD, bad.clone());
    world.run_until(at(60_000));
    world.set_fact(POD, good.clone());
    world.run_until(at(75_000));
    world.set_fact(POD, bad);
    world.run_until(at(144_999));
    assert!(world.kills.is_empty());
    world.run_until(at(155_001));
    assert_eq!(world.kills.len(), 1);
}

/// Law: probes that hang for longer than their period follow each other at once: eight time-outs
/// after the first one begins, the container is killed.
#[test]
fn hanging_probes_follow_each_other_at_once() {
    let ticks = Cadence::new(at(3000), Duration::from_secs(10));
    let thresholds = Thresholds { liveness: 8, startup: 24 };
    let mut prober = Prober::new(ticks, Time::START, Probed::Good, true);
    prober.change(at(21_000), Probed::Bad(Duration::from_secs(15)));
    assert_eq!(prober.kills_at(thresholds), Some(at(23_000 + 8 * 15_000)));
    prober.change(at(23_000 + 4 * 15_000), Probed::Bad(Duration::from_secs(1)));
    // Four have failed; the next four are made at the ticks 83, 93, 103 and 113 s.
    assert_eq!(prober.kills_at(thresholds), Some(at(114_000)));
}

/// Probes made one by one: the kill, if it comes before `end`.
fn probed_eagerly(ticks: Cadence, first: Time, outcomes: &[(Time, Probed)], end: Time) -> Option<Time> {
    let met = |t: Time| outcomes.iter().rev().find(|(at, _)| *at <= t).map(|(_, o)| *o).unwrap();
    let (mut failures, mut tick) = (0, ticks.first_at_or_after(first));
    while tick < end {
        match met(tick) {
            Probed::Good => failures = 0,
            Probed::Bad(lasts) => {
                failures += 1;
                if failures == 8 {
                    return Some(tick + lasts);
                }
            }
        }
        tick = ticks.first_after(tick);
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Law: counting probes when the outcome changes kills at the same nanosecond as making them.
    #[test]
    fn counted_probes_equal_made_ones(
        phase in 0_u64..10_000,
        changes in proptest::collection::vec((0_u64..90_000, any::<bool>()), 0..20),
    ) {
        let ticks = Cadence::new(at(phase), Duration::from_secs(10));
        let thresholds = Thresholds { liveness: 8, startup: 8 };
        let mut outcomes = vec![(Time::START, Probed::Good)];
        let mut now = Time::START;
        for (gap, good) in changes {
            now += Duration::from_millis(gap);
            let outcome = if good { Probed::Good } else { Probed::Bad(Duration::from_secs(2)) };
            outcomes.push((now, outcome));
        }
        let end = now + Duration::from_secs(200);
        let mut prober = Prober::new(ticks, Time::START, Probed::Good, true);
        let mut lazy = None;
        for (at, outcome) in &outcomes {
            lazy = prober.kills_at(thresholds).filter(|kill| kill < at);
            if lazy.is_some() {
                break;
            }
            prober.change(*at, *outcome);
        }
        let lazy = lazy.or_else(|| prober.kills_at(thresholds).filter(|kill| *kill < end));
        let eager = probed_eagerly(ticks, Time::START, &outcomes, end);
        // A verdict that was reached just before the outcome changed is carried out all the same.
        let carried = |kill: Time| outcomes.iter().all(|(at, _)| *at < kill - Duration::from_secs(2) || *at > kill);
        prop_assume!(eager.is_none_or(carried));
        prop_assert_eq!(lazy, eager.filter(|kill| *kill < end));
    }
}

//! Laws of the API server: what it publishes and what becomes of requests while etcd is away.

use super::etcd_client::backoff;
use super::*;
use crate::component::fact::{Ability, ApiServerFact, EtcdFact, Fact, Resource, Role};
use crate::component::id::MachineId;
use crate::component::mail::{Call, Endpoint, Op, Outcome, Reply};
use crate::component::param::Params as _;
use crate::component::versions::{Version, Versions};
use crate::component::view::ProcessState;
use crate::components::testing::{Fake, surroundings};
use crate::kernel::time::Time;

const SERVER: ComponentId = ComponentId(0);
const MEMBER: ComponentId = ComponentId(1);
const CALLER: ComponentId = ComponentId(2);

fn at(ms: u64) -> Time {
    Time::at(Duration::from_millis(ms))
}

fn old() -> Versions {
    Versions { kubernetes: Version::new(1, 20), ..Versions::default() }
}

/// One API server beside a single etcd member that leads itself.
fn world(versions: &Versions) -> Fake<ApiServer> {
    world_of(&[(0, Kind::ApiServer), (0, Kind::Etcd), (1, Kind::Client)], versions)
}

/// The same with the member on a machine of its own.
fn remote(versions: &Versions) -> Fake<ApiServer> {
    world_of(&[(0, Kind::ApiServer), (2, Kind::Etcd), (1, Kind::Client)], versions)
}

fn world_of(kinds: &[(usize, Kind)], versions: &Versions) -> Fake<ApiServer> {
    let release = Versions::default().kubernetes;
    let wiring = Wiring { etcd_servers: vec![MEMBER], release, crowds: Vec::new() };
    let params = ApiServerParams::defaults(versions);
    let server = ApiServer::new(SERVER, &params, &wiring);
    let mut world =
        Fake::new(surroundings(kinds, Duration::from_millis(1)), vec![(SERVER, server)], 0);
    world.all.facts[MEMBER.index()] = leads();
    world
}

use crate::component::Kind;

fn leads() -> Fact {
    Fact::Etcd(EtcdFact {
        role: Role::Leader,
        lead: Some(MEMBER),
        serving: true,
        settled: true,
        ..EtcdFact::default()
    })
}

fn leaderless() -> Fact {
    Fact::Etcd(EtcdFact { role: Role::Candidate, serving: true, ..EtcdFact::default() })
}

fn fact(world: &Fake<ApiServer>) -> ApiServerFact {
    match &world.all.facts[SERVER.index()] {
        Fact::ApiServer(fact) => *fact,
        other => panic!("{other:?}"),
    }
}

/// When the published fact first had a property.
fn first(world: &Fake<ApiServer>, property: impl Fn(&ApiServerFact) -> bool) -> Time {
    let holds = |fact: &Fact| matches!(fact, Fact::ApiServer(fact) if property(fact));
    world.facts.iter().find(|(_, _, fact)| holds(fact)).map(|(at, _, _)| *at).unwrap()
}

fn ask(world: &mut Fake<ApiServer>, id: u64, op: Op, deadline: Time) {
    let call = Call { id, op, deadline };
    world.post(world.now, SERVER, Mail { from: CALLER, body: Body::Call(call) });
    world.run_until(world.now);
}

/// The answer to a call and when it left.
fn answer(world: &Fake<ApiServer>, id: u64) -> Option<(Time, Outcome)> {
    world.sent.iter().find_map(|(at, _, to, body)| match body {
        Body::Reply(reply) if *to == CALLER && reply.id == id => Some((*at, reply.outcome)),
        _ => None,
    })
}

/// Keys of the calls that went to etcd.
fn to_etcd(world: &Fake<ApiServer>) -> Vec<u64> {
    let key = |body: &Body| match body {
        Body::Call(call) => Some(call.id),
        _ => None,
    };
    world.sent.iter().filter(|(_, _, to, _)| *to == MEMBER).filter_map(|s| key(&s.3)).collect()
}

fn etcd_says(world: &mut Fake<ApiServer>, id: u64, outcome: Outcome) {
    let body = Body::Reply(Reply { id, outcome });
    world.post(world.now, SERVER, Mail { from: MEMBER, body });
    world.run_until(world.now);
}

/// Law: a settled server with a working etcd is ready, serves every class and needs no alarm.
#[test]
fn a_settled_server_serves_without_events() {
    let mut world = world(&Versions::default());
    world.settle();
    let steps = world.steps;
    world.run_until(at(3_600_000));
    assert_eq!(world.steps, steps);
    let fact = fact(&world);
    assert!(fact.listening && fact.http && fact.ready && fact.live);
    assert_eq!([fact.read_cached, fact.read, fact.write], [Ability::Works; 3]);
    assert_eq!(fact.answered, 1_000_000);
}

/// Law: at a start the port opens first, then HTTP is served, then /readyz turns green, each within
/// its law.
#[test]
fn start_up_opens_the_port_then_http_then_readyz() {
    let mut world = world(&Versions::default());
    world.boot(SERVER);
    world.run_until(at(3000));
    let keys = to_etcd(&world);
    assert_eq!(keys.len(), 1, "the watch cache lists");
    etcd_says(&mut world, keys[0], Outcome::Done);
    world.run_until(at(600_000));
    let port = first(&world, |f| f.listening).since(Time::START);
    let http = first(&world, |f| f.http).since(Time::START);
    let ready = first(&world, |f| f.ready).since(Time::START);
    assert!((61..=126).contains(&(port.as_nanos() / 1_000_000)), "{port}");
    assert!((1750..=2240).contains(&(http.as_nanos() / 1_000_000)), "{http}");
    assert!(ready >= http);
}

/// Law: without any etcd to connect to, the process gives up after 60 s.
#[test]
fn without_etcd_the_start_fails_after_a_minute() {
    let mut world = world(&Versions::default());
    world.all.processes[MEMBER.index()].state = ProcessState::Dead;
    world.boot(SERVER);
    world.run_until(at(120_000));
    assert_eq!(world.exits, [(at(60_000), SERVER)]);
}

/// Law: with an etcd that answers nothing, the post-start hooks fail 30 s after their time.
#[test]
fn without_quorum_the_hooks_are_fatal() {
    let mut world = world(&Versions::default());
    world.all.facts[MEMBER.index()] = leaderless();
    world.boot(SERVER);
    world.run_until(at(300_000));
    let http = first(&world, |f| f.http);
    let (exit, _) = world.exits[0];
    assert!(exit.since(http) >= Duration::from_secs(30), "{exit}");
}

/// Law: from the instant at which etcd has no leader, each question to /readyz and /livez waits for
/// `etcd-healthcheck-timeout`; the first answers that fail are given that much later. Both recover
/// with etcd, and a loss shorter than that fails nothing.
#[test]
fn health_questions_wait_two_seconds_from_the_loss_of_etcd_on() {
    let mut world = world(&Versions::default());
    world.settle();
    world.run_until(at(1000));
    world.set_fact(MEMBER, leaderless());
    assert_eq!([fact(&world).read, fact(&world).write], [Ability::Hangs; 2]);
    let wait = Duration::from_secs(2);
    assert_eq!(fact(&world).health_wait, wait);
    world.run_until(at(2000));
    world.set_fact(MEMBER, leads());
    world.run_until(at(5000));
    assert!(fact(&world).ready && fact(&world).health_wait.is_zero());
    world.set_fact(MEMBER, leaderless());
    world.run_until(at(6999));
    assert!(fact(&world).ready && fact(&world).live);
    world.run_until(at(7000));
    assert!(!fact(&world).ready && !fact(&world).live);
    assert_eq!(fact(&world).health_wait, wait);
    world.set_fact(MEMBER, leads());
    assert!(fact(&world).ready && fact(&world).live && fact(&world).health_wait.is_zero());
}

/// Law: cached reads stop 2-3 s after the member lost its leader, and go on when a list succeeds
/// (blocked in 1.20, refused in current releases).
#[test]
fn the_cache_is_lost_with_its_watches() {
    for (versions, lost) in [(old(), Ability::Hangs), (Versions::default(), Ability::Fails)] {
        let mut world = world(&versions);
        world.settle();
        world.run_until(at(1000));
        world.set_fact(MEMBER, leaderless());
        world.run_until(at(3000));
        assert_eq!(fact(&world).read_cached, Ability::Works);
        world.run_until(at(4000));
        assert_eq!(fact(&world).read_cached, lost);
        let list = *to_etcd(&world).last().unwrap();
        world.set_fact(MEMBER, leads());
        etcd_says(&mut world, list, Outcome::Done);
        assert_eq!(fact(&world).read_cached, Ability::Works);
    }
}

/// Law: where the own member is dead, the cache stays and is served; writes wait for 34 s and reads
/// for 60 s in 1.20, and fail after the client's retries in current releases.
#[test]
fn a_dead_member_leaves_the_cache_alone() {
    for (versions, read, write) in [(old(), 60_000, 34_000), (Versions::default(), 2500, 2500)] {
        let mut world = world(&versions);
        world.settle();
        world.set_process(MEMBER, ProcessState::Dead);
        world.run_until(at(10_000));
        ask(&mut world, 1, Op::Read(Resource::Objects), Time::NEVER);
        ask(&mut world, 2, Op::Write(Resource::Objects), Time::NEVER);
        world.run_until(at(100_000));
        assert_eq!(fact(&world).read_cached, Ability::Works);
        assert_eq!(answer(&world, 1).unwrap().0, at(10_000 + read));
        assert_eq!(answer(&world, 2).unwrap().0, at(10_000 + write));
    }
}

/// Law: a dead member is dialled at once, then 1, 1.6, 2.56 … s after each failed dial (±20 %); the
/// wait never exceeds two minutes and a fifth.
#[test]
fn reconnection_backs_off_like_grpc() {
    assert_eq!(backoff(0, 0.99), Duration::from_secs(1));
    let mut nominal = 1.0;
    for attempt in 1..40 {
        nominal = f64::min(nominal * 1.6, 120.0);
        for (u, factor) in [(0.0, 0.8), (0.5, 1.0), (1.0, 1.2)] {
            let wait = backoff(attempt, u).as_secs_f64();
            assert!((wait - nominal * factor).abs() < 1e-6, "{attempt} {u}: {wait}");
        }
    }
}

/// Law: a member that is back is used at the next dial, and the requests that wait go there then.
#[test]
fn waiting_requests_go_with_the_next_dial() {
    let mut world = world(&old());
    world.settle();
    world.set_process(MEMBER, ProcessState::Dead);
    world.run_until(at(1500));
    ask(&mut world, 1, Op::Write(Resource::Objects), Time::NEVER);
    assert!(to_etcd(&world).is_empty());
    world.all.processes[MEMBER.index()].incarnation += 1;
    world.set_process(MEMBER, ProcessState::Running);
    assert_eq!(fact(&world).write, Ability::Hangs, "not noticed yet");
    world.run_until(at(6000));
    assert_eq!(fact(&world).write, Ability::Works);
    let keys = to_etcd(&world);
    etcd_says(&mut world, keys[0], Outcome::Done);
    assert_eq!(answer(&world, 1).unwrap().1, Outcome::Done);
}

/// Law: objects, Leases and the health endpoints have channels of their own, so that after a member's
/// long absence they come back at different times, each within the wait that its own back-off has
/// grown to (the eighth: 26.8 s and a fifth).
#[test]
fn resources_come_back_at_different_times() {
    let mut world = world(&Versions::default());
    world.settle();
    world.set_process(MEMBER, ProcessState::Dead);
    world.run_until(at(45_000));
    assert!(!fact(&world).ready);
    assert_eq!(fact(&world).leases, None, "they fail together");
    let back = world.facts.len();
    world.all.processes[MEMBER.index()].incarnation += 1;
    world.set_process(MEMBER, ProcessState::Running);
    world.run_until(at(120_000));
    let later = world.facts[back..].iter();
    let first = |property: fn(&ApiServerFact) -> bool| {
        let holds = |fact: &Fact| matches!(fact, Fact::ApiServer(fact) if property(fact));
        later.clone().find(|(_, _, fact)| holds(fact)).map(|(at, _, _)| *at).unwrap()
    };
    let back = [
        first(|f| f.ready),
        first(|f| f.write == Ability::Works),
        first(|f| f.storage(Resource::Leases).write == Ability::Works),
    ];
    assert!(back[0] != back[1] && back[1] != back[2] && back[0] != back[2], "{back:?}");
    let longest = at(45_000) + Duration::from_millis(32_300);
    assert!(back.iter().all(|at| *at <= longest), "{back:?}");
    assert_eq!(fact(&world).leases, None, "all work again");
}

/// Law: a request waits for a channel of its own resource and for no other.
#[test]
fn requests_wait_for_their_own_resource() {
    let mut world = world(&old());
    world.settle();
    world.set_process(MEMBER, ProcessState::Dead);
    world.run_until(at(45_000));
    let ops = [Op::Write(Resource::Objects), Op::RenewNodeLease, Op::PostNodeStatus];
    for (id, op) in ops.into_iter().enumerate() {
        ask(&mut world, id as u64, op, Time::NEVER);
    }
    world.all.processes[MEMBER.index()].incarnation += 1;
    world.set_process(MEMBER, ProcessState::Running);
    world.run_until(at(78_000));
    let mut sent: Vec<Time> =
        world.sent.iter().filter(|(_, _, to, _)| *to == MEMBER).map(|sent| sent.0).collect();
    sent.sort_unstable();
    sent.dedup();
    assert_eq!(sent.len(), 3, "each at its own time: {sent:?}");
}

/// Law: a dial that nobody answers is given up after 20 s, and the back-off before the next begins
/// then: 10 s of `TCP_USER_TIMEOUT`, 20 s, 1 s, 20 s, 1.28 to 1.92 s after a cut comes a third SYN.
#[test]
fn an_unanswered_dial_ends_before_its_back_off_begins() {
    let mut world = remote(&Versions::default());
    world.settle();
    let (near, far) = (MachineId(0), MachineId(2));
    world.network(|reach| reach.cut(near, far, true));
    world.run_until(at(51_200));
    world.network(|reach| reach.cut(near, far, false));
    world.run_until(at(60_000));
    let works = |fact: &Fact| matches!(fact, Fact::ApiServer(f) if f.write == Ability::Works);
    let later = world.facts.iter().filter(|(when, _, _)| *when > at(51_200));
    let back = later.clone().find(|(_, _, fact)| works(fact)).unwrap().0;
    assert!(back >= at(52_280) && back <= at(52_930), "{back}");
}

/// Law: a write whose connection breaks has an unknown outcome; a read fails in 1.20 and is tried
/// again in current releases.
#[test]
fn a_broken_connection_leaves_writes_unknown() {
    for (versions, read) in [(old(), Some(Outcome::Rejected)), (Versions::default(), None)] {
        let mut world = world(&versions);
        world.settle();
        ask(&mut world, 1, Op::Write(Resource::Objects), Time::NEVER);
        ask(&mut world, 2, Op::Read(Resource::Objects), Time::NEVER);
        let keys = to_etcd(&world);
        world.all.processes[MEMBER.index()].state = ProcessState::Dead;
        etcd_says(&mut world, keys[0], Outcome::Reset);
        assert_eq!(answer(&world, 1).unwrap().1, Outcome::TimedOut);
        assert_eq!(answer(&world, 2).map(|a| a.1), read);
    }
}

/// Law: on SIGTERM /readyz fails at once, the port closes after `shutdown-delay-duration`, and the
/// process exits when the last request has been answered.
#[test]
fn a_graceful_stop_drains() {
    let mut world = world(&Versions::default());
    world.settle();
    ask(&mut world, 1, Op::Write(Resource::Objects), Time::NEVER);
    let keys = to_etcd(&world);
    world.deliver(SERVER, Cause::Lever(Lever::Stop));
    assert!(!fact(&world).ready && fact(&world).live && !fact(&world).listening);
    world.run_until(at(20));
    assert!(world.exits.is_empty());
    etcd_says(&mut world, keys[0], Outcome::Done);
    assert_eq!(answer(&world, 1).unwrap().1, Outcome::Done);
    assert_eq!(world.exits.len(), 1);
    assert_eq!(world.all.facts[SERVER.index()], Fact::Absent);
}

/// Law: a health request gets 200 or 500 within `etcd-healthcheck-timeout`.
#[test]
fn health_requests_ask_etcd() {
    let mut world = world(&Versions::default());
    world.settle();
    ask(&mut world, 1, Op::Health(Endpoint::Readyz), Time::NEVER);
    ask(&mut world, 2, Op::Health(Endpoint::Livez), Time::NEVER);
    let keys = to_etcd(&world);
    etcd_says(&mut world, keys[0], Outcome::Done);
    world.run_until(at(2000));
    assert_eq!(answer(&world, 1).unwrap().1, Outcome::Done);
    assert_eq!(answer(&world, 2), Some((at(2000), Outcome::Rejected)));
}

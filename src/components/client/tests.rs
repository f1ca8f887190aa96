//! Laws of clients: what is counted is what would have happened, and no request is lost.

use super::*;
use crate::component::fact::{Ability, ApiServerFact};
use crate::component::param::Params as _;
use crate::component::versions::Versions;
use crate::components::path;
use crate::components::testing::{Fake, surroundings};
use proptest::prelude::*;

const CLIENT: ComponentId = ComponentId(0);
const SERVER: ComponentId = ComponentId(1);

const DELAY: Duration = Duration::from_millis(1);
const EVERY: Duration = Duration::from_millis(100);
const TIMEOUT: Duration = Duration::from_secs(2);

fn at(ms: u64) -> Time {
    Time::at(Duration::from_millis(ms))
}

/// An API server whose writes take `work` milliseconds, or hang.
fn serves(work: Option<u64>) -> Fact {
    Fact::ApiServer(ApiServerFact {
        listening: true,
        http: true,
        write: if work.is_some() { Ability::Works } else { Ability::Hangs },
        answered: path::ALL,
        latency: Duration::from_millis(work.unwrap_or(0)),
        ..ApiServerFact::default()
    })
}

/// One client of one API server elsewhere.
fn world(trial: u64) -> Fake<Client> {
    let kinds = [(0, Kind::Client), (1, Kind::ApiServer)];
    let wiring = Wiring {
        class: RequestClass::Write,
        resource: Resource::Objects,
        targets: vec![SERVER],
        dns: false,
        any: false,
        held: None,
        eager: false,
        api_servers: vec![SERVER],
    };
    let mut params = ClientParams::defaults(&Versions::default());
    params.every = EVERY;
    params.timeout = TIMEOUT;
    let client = Client::new(CLIENT, &params, &wiring);
    let mut world = Fake::new(surroundings(&kinds, DELAY), vec![(CLIENT, client)], trial);
    world.all.facts[SERVER.index()] = serves(Some(3));
    world
}

/// One request: when it was issued, when it ended, and whether it succeeded.
type Ended = (Time, Time, bool);

/// From now on a request takes `work` milliseconds beside its way, or hangs.
type Change = (Time, Option<u64>);

fn takes(work: Option<u64>) -> Option<Duration> {
    work.map(|ms| DELAY * 4 + Duration::from_millis(ms))
}

/// What the client's records say of the requests that ended by `end`.
fn ended(world: &Fake<Client>, end: Time) -> Vec<Ended> {
    let mut requests = Vec::new();
    let mut open = None;
    for (_, record) in &world.records {
        match record {
            Record::Serving { first, latency, .. } => open = Some((*first, *latency)),
            Record::Served { first, last, count, latency, .. } => {
                open = None;
                let counted = (0..*count).map(|n| *first + EVERY * n);
                requests.extend(counted.map(|issued| (issued, issued + *latency, true)));
                assert!(*count == 0 || *first + EVERY * (count - 1) == *last);
            }
            Record::Request(r) => requests.push((r.issued, r.ended, r.succeeded())),
            _ => {}
        }
    }
    if let Some((mut issued, latency)) = open {
        while issued + latency <= end {
            requests.push((issued, issued + latency, true));
            issued += EVERY;
        }
    }
    requests.sort_unstable();
    requests
}

/// The request that a message makes, or makes real.
fn asked(body: &Body) -> Option<Call> {
    match body {
        Body::Call(call) | Body::Begun(Begun { call, .. }) => Some(*call),
        _ => None,
    }
}

/// Runs the client over a history; the transport answers a request once the path has been the same
/// and working for a whole latency. Returns what ended, and the number of handler calls.
fn lazy(changes: &[Change], end: Time, trial: u64) -> (Fake<Client>, Vec<Ended>) {
    let mut world = world(trial);
    world.settle();
    let mut now_takes = takes(Some(3));
    let mut calls: Vec<(u64, Time)> = Vec::new();
    let (mut seen, mut closed) = (0, 0);
    let mut changes = changes.iter().copied();
    let mut change = changes.next();
    loop {
        let answer = calls.iter().map(|(_, due)| *due).min().unwrap_or(Time::NEVER);
        let turn = change.map_or(Time::NEVER, |(at, _)| at);
        let now = world.due().min(answer).min(turn);
        if now > end {
            break;
        }
        world.now = now;
        if answer == now {
            let i = calls.iter().position(|(_, due)| *due == now).unwrap();
            let reply = Reply { id: calls.remove(i).0, outcome: Outcome::Done };
            let mail = Mail { from: SERVER, body: Body::Reply(reply) };
            world.deliver(CLIENT, Cause::Mail(mail));
        } else if turn == now {
            let (_, work) = change.unwrap();
            change = changes.next();
            if takes(work) != now_takes {
                now_takes = takes(work);
                for call in &mut calls {
                    call.1 = now_takes.map_or(Time::NEVER, |latency| now + latency);
                }
                world.set_fact(SERVER, serves(work));
            }
        } else {
            world.run_until(now);
        }
        for (sent, _, _, body) in &world.sent[seen..] {
            if let Some(call) = asked(body) {
                calls.push((call.id, now_takes.map_or(Time::NEVER, |latency| *sent + latency)));
            }
        }
        seen = world.sent.len();
        for (_, id) in &world.closed[closed..] {
            calls.retain(|(call, _)| call != id);
        }
        closed = world.closed.len();
    }
    let requests = ended(&world, end);
    (world, requests)
}

/// Every request of the schedule on its own, by the same transport.
fn eager(first: Time, changes: &[Change], end: Time) -> Vec<Ended> {
    let mut steps = vec![(Time::START, takes(Some(3)))];
    for (at, work) in changes {
        if takes(*work) != steps.last().unwrap().1 {
            steps.push((*at, takes(*work)));
        }
    }
    let mut requests = Vec::new();
    let mut issued = first;
    while issued <= end {
        let started = steps.partition_point(|(at, _)| *at <= issued) - 1;
        let mut from = issued;
        let mut answered = None;
        for (n, (_, latency)) in steps.iter().enumerate().skip(started) {
            let until = steps.get(n + 1).map_or(Time::NEVER, |(at, _)| *at);
            answered = latency.map(|latency| from + latency).filter(|at| *at <= until);
            if answered.is_some() {
                break;
            }
            from = until;
        }
        let deadline = issued + TIMEOUT;
        let (over, done) = match answered {
            Some(at) if at <= deadline => (at, true),
            _ => (deadline, false),
        };
        if over <= end {
            requests.push((issued, over, done));
        }
        issued += EVERY;
    }
    requests.sort_unstable();
    requests
}

fn histories() -> impl Strategy<Value = Vec<Change>> {
    let gap = prop_oneof![0_u64..5_000_000, 0_u64..300_000_000, 0_u64..5_000_000_000];
    let work = prop_oneof![2 => (0_u64..300).prop_map(Some), 1 => (0_u64..3000).prop_map(Some), 1 => Just(None)];
    proptest::collection::vec((gap, work), 0..15).prop_map(|steps| {
        let mut now = Time::START;
        let step = |(gap, work): (u64, Option<u64>)| {
            now += Duration::from_nanos(gap + 1);
            (now, work)
        };
        steps.into_iter().map(step).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Law: laziness is unobservable: counted and simulated requests together are, to the nanosecond,
    /// those of a client that issues every one of its schedule.
    #[test]
    fn counting_equals_issuing(changes in histories(), trial in 0_u64..1000) {
        let end = at(40_000);
        let (mut world, requests) = lazy(&changes, end, trial);
        let issues = world.machine(CLIENT).lanes[0].issues;
        prop_assert_eq!(requests, eager(issues.first_at_or_after(Time::START), &changes, end));
    }

    /// Law: requests are conserved: every one that was issued was served, rejected or given up, or is
    /// still pending.
    #[test]
    fn requests_are_conserved(changes in histories(), trial in 0_u64..1000) {
        let end = at(40_000);
        let (mut world, requests) = lazy(&changes, end, trial);
        let client = world.machine(CLIENT);
        let issued = client.lanes[0].issues.ticks_in(Time::START, end + Duration::from_nanos(1));
        let counting = client.lanes[0].stop(end).map_or(0, |counted| counted.under_way.len());
        let accounted = requests.len() + client.pending.len() + counting;
        prop_assert_eq!(issued, accounted as u64);
    }
}

/// Law: a client of a healthy path needs no events, whatever the horizon, and etcd sees its writes as
/// a cadence.
#[test]
fn a_steady_client_costs_nothing() {
    let mut world = world(0);
    world.settle();
    world.run_until(at(1));
    let steps = world.steps;
    world.run_until(at(365 * 86_400_000));
    assert_eq!(world.steps, steps);
    let Fact::Client(fact) = &world.all.facts[CLIENT.index()] else { panic!("no fact") };
    let Renewals::Every(cadence) = fact.writes else { panic!("no cadence") };
    assert_eq!(cadence.period(), EVERY);
}

/// Law: a rejected request is over at once, and the schedule goes on.
#[test]
fn rejected_requests_do_not_stop_the_schedule() {
    let mut world = world(0);
    world.settle();
    world.run_until(at(1000));
    world.set_fact(SERVER, Fact::Absent);
    let mut answered = 0;
    for step in 0..100 {
        world.run_until(at(1000 + step * 10));
        for at in answered..world.sent.len() {
            let Some(call) = asked(&world.sent[at].3) else { continue };
            let reply = Reply { id: call.id, outcome: Outcome::Refused };
            world.post(world.now, CLIENT, Mail { from: SERVER, body: Body::Reply(reply) });
        }
        answered = world.sent.len();
    }
    let requests = ended(&world, world.now);
    let refused = requests.iter().filter(|(_, _, done)| !done).count();
    assert!((9..=10).contains(&refused), "{refused}");
}

/// Law: a client that knows several servers asks another one at once when one refuses it, loses no
/// request by that, and stays there.
#[test]
fn a_refused_request_goes_to_another_server_at_once() {
    let kinds = [(0, Kind::Client), (1, Kind::ApiServer), (2, Kind::ApiServer)];
    let other = ComponentId(2);
    let servers = vec![SERVER, other];
    let class = RequestClass::Write;
    let wiring = Wiring { class, resource: Resource::Objects, targets: servers.clone(), any: true, dns: false, held: None, eager: false, api_servers: servers };
    let params = ClientParams { every: EVERY, timeout: TIMEOUT, ..ClientParams::defaults(&Versions::default()) };
    let client = Client::new(CLIENT, &params, &wiring);
    let mut world = Fake::new(surroundings(&kinds, DELAY), vec![(CLIENT, client)], 0);
    world.all.facts[SERVER.index()] = serves(Some(3));
    world.all.facts[other.index()] = serves(Some(3));
    world.settle();
    world.run_until(at(1000));
    assert!(world.sent.is_empty());
    world.set_fact(SERVER, Fact::Absent);
    while world.sent.is_empty() {
        let due = world.due();
        world.run_until(due);
    }
    let Body::Call(first) = world.sent[0].3 else { panic!("no call") };
    let reply = |id, outcome| Body::Reply(Reply { id, outcome });
    world.deliver(CLIENT, Cause::Mail(Mail { from: SERVER, body: reply(first.id, Outcome::Refused) }));
    let (sent, _, to, ref body) = world.sent[1];
    let Body::Call(second) = *body else { panic!("no call") };
    assert_eq!((sent, to, second.deadline), (world.now, other, first.deadline));
    world.deliver(CLIENT, Cause::Mail(Mail { from: other, body: reply(second.id, Outcome::Done) }));
    world.run_until(at(60_000));
    let calls = world.sent.iter().filter(|(_, _, _, body)| matches!(body, Body::Call(_)));
    assert_eq!(calls.count(), 2, "the rest is counted again");
    assert!(ended(&world, world.now).iter().all(|(_, _, done)| *done));
}

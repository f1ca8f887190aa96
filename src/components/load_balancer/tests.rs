//! The balancer's laws, in a fake world of three API servers.

use super::*;
use crate::component::fact::{Ability, ApiServerFact, Resource};
use crate::component::mail::{Call, Op, Outcome, Reply};
use crate::component::param::Params;
use crate::component::versions::Versions;
use crate::component::view::ProcessState;
use crate::component::{Kind, MachineId};
use crate::components::testing::{Fake, surroundings, two_samples};
use crate::kernel::time::Time;

const LB: ComponentId = ComponentId(3);
const CLIENT: ComponentId = ComponentId(4);
const DELAY: Duration = Duration::from_micros(50);

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn at(ms: u64) -> Time {
    Time::START + Duration::from_millis(ms)
}

fn params(settings: &serde_json::Value) -> LoadBalancerParams {
    let mut params = LoadBalancerParams::defaults(&Versions::default());
    for (name, value) in settings.as_object().unwrap() {
        assert_eq!(params.set(name, value), Ok(true), "{name}");
    }
    params
}

fn serving() -> Fact {
    Fact::ApiServer(ApiServerFact {
        listening: true,
        http: true,
        ready: true,
        live: true,
        read_cached: Ability::Works,
        ..ApiServerFact::default()
    })
}

/// Three API servers on machines 0-2, the balancer on 3, a client on 4.
fn fake(params: &LoadBalancerParams, trial: u64) -> Fake<LoadBalancer> {
    fake_of(params, Habit::Checks, trial)
}

fn fake_of(params: &LoadBalancerParams, habit: Habit, trial: u64) -> Fake<LoadBalancer> {
    let kinds = [
        (0, Kind::ApiServer),
        (1, Kind::ApiServer),
        (2, Kind::ApiServer),
        (3, Kind::LoadBalancer),
        (4, Kind::Client),
    ];
    let wiring = Wiring {
        servers: vec![ComponentId(0), ComponentId(1), ComponentId(2)],
        habit,
    };
    let mut all = surroundings(&kinds, DELAY);
    for server in 0..3 {
        all.facts[server] = serving();
    }
    let mut fake = Fake::new(all, vec![(LB, LoadBalancer::new(LB, params, &wiring))], trial);
    fake.settle();
    fake.run_until(Time::START);
    fake
}

fn rotation(fake: &Fake<LoadBalancer>) -> u64 {
    match &fake.all.facts[LB.index()] {
        Fact::LoadBalancer(fact) => fact.rotation,
        other => panic!("{other:?}"),
    }
}

/// When server 0's bit first becomes `up` after `from`.
fn marked(fake: &Fake<LoadBalancer>, up: bool, from: Time) -> Option<Duration> {
    fake.facts.iter().find_map(|(at, _, fact)| match fact {
        Fact::LoadBalancer(fact) if *at >= from && (fact.rotation & 1 == 1) == up => {
            Some(at.since(from))
        }
        _ => None,
    })
}

fn call(fake: &mut Fake<LoadBalancer>, id: u64) {
    let deadline = fake.now + secs(100);
    let body = Body::Call(Call { id, op: Op::Read(Resource::Objects), deadline });
    fake.deliver(LB, Cause::Mail(Mail { from: CLIENT, body }));
}

/// The transport or a server answers the balancer's latest call to that server.
fn reply(fake: &mut Fake<LoadBalancer>, server: u16, outcome: Outcome) {
    let id = fake
        .sent
        .iter()
        .rev()
        .find_map(|(_, _, to, body)| match body {
            Body::Call(call) if *to == ComponentId(server) => Some(call.id),
            _ => None,
        })
        .unwrap();
    let body = Body::Reply(Reply { id, outcome });
    fake.deliver(LB, Cause::Mail(Mail { from: ComponentId(server), body }));
}

/// To which servers calls went, with times since the start in ms.
fn calls(fake: &Fake<LoadBalancer>) -> Vec<(u64, u16)> {
    let sent = fake.sent.iter().filter(|(_, _, _, body)| matches!(body, Body::Call(_)));
    sent.map(|(at, _, to, _)| (at.since(Time::START).as_nanos() / 1_000_000, to.0)).collect()
}

/// What the client was told, with times in ms.
fn told(fake: &Fake<LoadBalancer>) -> Vec<(u64, u64, Outcome)> {
    fake.sent
        .iter()
        .filter_map(|(at, _, to, body)| match body {
            Body::Reply(Reply { id, outcome }) if *to == CLIENT => {
                Some((at.since(Time::START).as_nanos() / 1_000_000, *id, *outcome))
            }
            _ => None,
        })
        .collect()
}

fn cut(fake: &mut Fake<LoadBalancer>, machine: u16, cut: bool) {
    fake.network(|reach| reach.close_port(MachineId(machine), cut));
}

/// Law: a settled balancer has every server in rotation and no event while nothing changes.
#[test]
fn an_idle_balancer_costs_nothing() {
    let mut fake = fake(&LoadBalancerParams::default(), 0);
    let before = fake.steps;
    fake.run_until(Time::START + Duration::from_hours(8766));
    assert_eq!((rotation(&fake), fake.steps - before), (7, 0));
}

/// Law (measured): DOWN comes 4-6 s after a refused connection, 10-12 s after a silent one, UP 2-4 s
/// after the port opens again; means 5, 11 and 3 s (600 uniform phases: 4 standard errors of 0.024 s).
#[test]
fn marks_come_in_the_measured_ranges() {
    let (mut refused, mut silent, mut up) = (0.0, 0.0, 0.0);
    let trials = 600;
    for trial in 0..trials {
        let mut fake = fake(&LoadBalancerParams::default(), trial);
        fake.run_until(at(100));
        fake.set_process(ComponentId(0), ProcessState::Dead);
        fake.run_until(at(14_100));
        let down = marked(&fake, false, at(100)).unwrap().as_secs_f64();
        assert!((4.0..6.001).contains(&down), "{down}");
        refused += down;
        fake.set_process(ComponentId(0), ProcessState::Running);
        fake.run_until(at(30_000));
        let back = marked(&fake, true, at(14_100)).unwrap().as_secs_f64();
        assert!((2.0..4.001).contains(&back), "{back}");
        up += back;
        cut(&mut fake, 0, true);
        fake.run_until(at(50_000));
        let down = marked(&fake, false, at(30_000)).unwrap().as_secs_f64();
        assert!((10.0..12.001).contains(&down), "{down}");
        silent += down;
    }
    for (sum, mean) in [(refused, 5.0), (silent, 11.0), (up, 3.0)] {
        let got = sum / trials as f64;
        assert!((got - mean).abs() < 0.1, "mean {got}, expected {mean}");
    }
}

fn samples(file: &str, metric: &str) -> Vec<f64> {
    let text = match (file, metric) {
        ("kill", "down") => KILL_DOWN,
        ("kill", "up") => KILL_UP,
        ("drop", "down") => DROP_DOWN,
        _ => DROP_UP,
    };
    text.split_whitespace().map(|x| x.parse().unwrap()).collect()
}

/// Measured on `HAProxy` 2.6.12, ms: marks after SIGKILL of a server and after its restart 8 s
/// later, and after its packets were dropped for 14 s.
const KILL_DOWN: &str = "\
    4017 4037 4224 4274 4334 4335 4409 4464 4508 4543 4733 4752 4754 4776 4862 4908 4921 \
    4984 5019 5053 5081 5106 5152 5179 5405 5415 5488 5552 5552 5594 5612 5650 5808 5816 \
    5836 5844 5911 5931 5933 5939";
const KILL_UP: &str = "\
    2276 2339 2340 2410 2512 2547 2732 2756 2762 2788 2861 2911 2921 2983 3022 3052 3083 \
    3110 3155 3171 3411 3417 3492 3551 3562 3598 3615 3651 3804 3814 3840 3842 3914 3934 \
    3936 3944 4016 4039 4225 4481";
const DROP_DOWN: &str = "\
    10156 10213 10251 10287 10288 10303 10321 10413 10508 10520 10528 10592 10648 10721 \
    10724 10772 10810 10874 10927 10958 11029 11064 11065 11110 11253 11261 11408 11436 \
    11445 11470 11526 11542 11578 11580 11622 11628 11653 11653 11930 11968";
const DROP_UP: &str = "\
    2039 2070 2088 2145 2263 2293 2430 2460 2465 2476 2538 2539 2593 2636 2642 2647 2656 \
    2673 2959 2975 3007 4168 4214 4253 4295 4305 4306 4340 4417 4506 4521 4527 4593 4651 \
    4739 4782 4817 4873 4926 4961";

/// Law: marks agree in distribution with those measured (Kolmogorov-Smirnov, 1 % level).
#[test]
fn marks_agree_with_the_real_haproxy() {
    for (fault, lasts) in [("kill", 8000), ("drop", 14_000)] {
        let (mut downs, mut ups) = (Vec::new(), Vec::new());
        for trial in 0..1000 {
            let mut fake = fake(&LoadBalancerParams::default(), trial);
            fake.run_until(at(7));
            if fault == "kill" {
                fake.set_process(ComponentId(0), ProcessState::Dead);
            } else {
                cut(&mut fake, 0, true);
            }
            fake.run_until(at(7 + lasts));
            downs.push(marked(&fake, false, at(7)).unwrap().as_millis_f64());
            if fault == "kill" {
                fake.set_process(ComponentId(0), ProcessState::Running);
            } else {
                cut(&mut fake, 0, false);
            }
            fake.run_until(at(40_000));
            ups.push(marked(&fake, true, at(7 + lasts)).unwrap().as_millis_f64());
        }
        for (name, simulated) in [("down", &mut downs), ("up", &mut ups)] {
            let (distance, critical) = two_samples(simulated, &mut samples(fault, name));
            assert!(distance < critical, "{fault} {name}: {distance} against {critical}");
        }
    }
}

/// Law: connections take turns among the servers that are up, and pass outcomes through.
#[test]
fn connections_take_turns() {
    let mut fake = fake(&LoadBalancerParams::default(), 3);
    for id in 0..6 {
        call(&mut fake, id);
    }
    let turns: Vec<u16> = calls(&fake).iter().map(|(_, to)| *to).collect();
    assert_eq!(turns[..3], turns[3..], "{turns:?}");
    let mut once = turns[..3].to_vec();
    once.sort_unstable();
    assert_eq!(once, [0, 1, 2]);
    reply(&mut fake, turns[5], Outcome::Done);
    assert_eq!(told(&fake), [(0, 5, Outcome::Done)]);
}

/// Sends requests until one goes to server 0; returns its id.
fn call_to_first(fake: &mut Fake<LoadBalancer>) -> u64 {
    for id in 0..3 {
        call(fake, id);
        let server = fake.sent.last().unwrap().2;
        if server == ComponentId(0) {
            fake.sent.drain(..fake.sent.len() - 1);
            return id;
        }
        reply(fake, server.0, Outcome::Done);
    }
    unreachable!("one of three turns is that of server 0")
}

/// Law (measured): refused with `option redispatch`, the next server gets the request at once.
#[test]
fn a_refusal_is_redispatched_at_once() {
    let mut fake = fake(&params(&serde_json::json!({ "option redispatch": true })), 4);
    call_to_first(&mut fake);
    reply(&mut fake, 0, Outcome::Refused);
    assert_eq!(calls(&fake), [(0, 0), (0, 1)]);
}

/// Law (measured): refused without redispatch, the same server is tried thrice more, a second apart,
/// and the client is cut off after 3 s; with `timeout connect` below a second it waits only that.
#[test]
fn a_refusal_without_redispatch_costs_a_second_each() {
    for (settings, wait) in [
        (serde_json::json!({ "timeout connect": "5s" }), 1000),
        (serde_json::json!({ "timeout connect": "200ms" }), 200),
    ] {
        let mut fake = fake(&params(&settings), 5);
        fake.all.processes[0].state = ProcessState::Dead;
        let id = call_to_first(&mut fake);
        for attempt in 0..4 {
            reply(&mut fake, 0, Outcome::Refused);
            fake.run_until(at(wait * (attempt + 1)));
        }
        assert_eq!(calls(&fake), [(0, 0), (wait, 0), (2 * wait, 0), (3 * wait, 0)]);
        assert_eq!(told(&fake), [(3 * wait, id, Outcome::Reset)]);
    }
}

/// Law (measured): a silent server costs `timeout connect` once with redispatch, 4 times without.
#[test]
fn a_silent_server_costs_timeout_connect() {
    let redispatch = serde_json::json!({ "timeout connect": "5s", "option redispatch": true });
    let mut with = fake(&params(&redispatch), 6);
    cut(&mut with, 0, true);
    call_to_first(&mut with);
    with.run_until(at(9000));
    assert_eq!(calls(&with), [(0, 0), (5000, 1)]);

    let mut without = fake(&params(&serde_json::json!({ "timeout connect": "5s" })), 6);
    cut(&mut without, 0, true);
    let id = call_to_first(&mut without);
    without.run_until(at(30_000));
    assert_eq!(calls(&without), [(0, 0), (5000, 0), (10_000, 0), (15_000, 0)]);
    assert_eq!(told(&without), [(20_000, id, Outcome::Reset)]);
}

/// Law: a server whose packets pass again before `timeout connect` is not given up: the SYN that is
/// repeated 3 s after the first finds it, and from then on `timeout server` limits the silence.
#[test]
fn a_repaired_path_is_found_by_a_repeated_syn() {
    let settings = serde_json::json!({ "timeout connect": "5s", "timeout server": "35s" });
    let mut fake = fake(&params(&settings), 7);
    cut(&mut fake, 0, true);
    let id = call_to_first(&mut fake);
    fake.run_until(at(2000));
    cut(&mut fake, 0, false);
    fake.run_until(at(60_000));
    assert_eq!(calls(&fake).len(), 1);
    assert_eq!(told(&fake), [(38_000, id, Outcome::Reset)]);
}

/// Law (measured): redispatch does not help against a hung server, because the connection succeeds;
/// `timeout server` bounds the wait.
#[test]
fn a_hung_server_costs_timeout_server() {
    let settings = serde_json::json!({
        "timeout connect": "5s", "timeout server": "30s", "timeout client": "30s",
        "option redispatch": true,
    });
    let mut fake = fake(&params(&settings), 8);
    fake.set_process(ComponentId(0), ProcessState::Paused);
    let id = call_to_first(&mut fake);
    fake.run_until(at(60_000));
    assert_eq!((rotation(&fake), calls(&fake).len()), (7, 1));
    assert_eq!(told(&fake), [(30_000, id, Outcome::Reset)]);
}

/// Law: mark-down leaves established connections alone unless `on-marked-down shutdown-sessions`.
#[test]
fn mark_down_cuts_sessions_only_if_told_to() {
    for (settings, cut_off) in [
        (serde_json::json!({}), false),
        (serde_json::json!({ "on-marked-down": "shutdown-sessions" }), true),
    ] {
        let mut fake = fake(&params(&settings), 9);
        call_to_first(&mut fake);
        fake.run_until(at(10));
        cut(&mut fake, 0, true);
        fake.run_until(at(20_000));
        assert_eq!(rotation(&fake), 6);
        assert_eq!(!told(&fake).is_empty(), cut_off);
    }
}

/// Law: without any server up a connection is closed at once.
#[test]
fn without_servers_clients_are_cut_off() {
    let mut fake = fake(&LoadBalancerParams::default(), 10);
    for server in 0..3 {
        fake.set_process(ComponentId(server), ProcessState::Dead);
    }
    fake.run_until(at(10_000));
    call(&mut fake, 1);
    assert_eq!((rotation(&fake), told(&fake)), (0, vec![(10_000, 1, Outcome::Reset)]));
}

/// Law: `httpchk /readyz` follows readiness where `tcp-check` follows the port.
#[test]
fn readiness_is_seen_by_httpchk_only() {
    for (check, rotation_after) in [("tcp-check", 7), ("httpchk /readyz", 6)] {
        let mut fake = fake(&params(&serde_json::json!({ "check": check })), 11);
        let Fact::ApiServer(fact) = serving() else { unreachable!() };
        fake.set_fact(ComponentId(0), Fact::ApiServer(ApiServerFact { ready: false, ..fact }));
        fake.run_until(at(10_000));
        assert_eq!(rotation(&fake), rotation_after, "{check}");
    }
}

/// When server 0 is marked down after it changed at 100 ms.
fn down_after(settings: &serde_json::Value, trial: u64, change: impl Fn(&mut Fake<LoadBalancer>)) -> Duration {
    let mut fake = fake(&params(settings), trial);
    fake.run_until(at(100));
    change(&mut fake);
    fake.run_until(at(100_000));
    marked(&fake, false, at(100)).unwrap()
}

/// Law (`U(0, inter) + fall·C + (fall−1)·inter`, C being `etcd-healthcheck-timeout`, 2 s): a server
/// without etcd is down 10-12 s after it with the defaults, with TLS and without, and U(0, 10) + 10
/// + 2·2 = 14-24 s with kubeadm's `inter` and `fall`; means within 4 standard errors (200 phases).
#[test]
fn checks_wait_for_a_lost_etcd() {
    let defaults = serde_json::json!({ "check": "httpchk /readyz" });
    let tls = serde_json::json!({ "check": "httpchk /healthz", "check-ssl": true, "timeout check": "10s" });
    let slow = serde_json::json!({
        "check": "httpchk /healthz", "check-ssl": true, "inter": "10s", "fall": 2,
        "timeout connect": "5s", "timeout check": "10s",
    });
    for (settings, least, inter) in [(defaults, 10.0, 2.0), (tls, 10.0, 2.0), (slow, 14.0, 10.0)] {
        let (mut sum, trials) = (0.0, 200);
        for trial in 0..trials {
            let down = down_after(&settings, trial, |fake| {
                let Fact::ApiServer(fact) = serving() else { unreachable!() };
                let lost = ApiServerFact { health_wait: secs(2), ..fact };
                fake.set_fact(ComponentId(0), Fact::ApiServer(lost));
                // Answers to earlier questions fail two seconds on, which is no news to a check.
                fake.run_until(at(2100));
                let failed = ApiServerFact { ready: false, live: false, ..lost };
                fake.set_fact(ComponentId(0), Fact::ApiServer(failed));
            })
            .as_secs_f64();
            assert!((least..least + inter + 0.01).contains(&down), "{settings}: {down}");
            sum += down - least;
        }
        let error = inter / 12_f64.sqrt() / (trials as f64).sqrt();
        assert!((sum / trials as f64 - inter / 2.0).abs() < 4.0 * error + 0.001, "{settings}");
    }
}

/// Law: an etcd that comes back within `etcd-healthcheck-timeout` costs no check.
#[test]
fn a_check_outlasts_a_short_loss_of_etcd() {
    let settings = serde_json::json!({ "check": "httpchk /readyz", "fall": 1 });
    for trial in 0..20 {
        let mut fake = fake(&params(&settings), trial);
        fake.run_until(at(100));
        let Fact::ApiServer(fact) = serving() else { unreachable!() };
        let lost = ApiServerFact { health_wait: secs(2), ..fact };
        fake.set_fact(ComponentId(0), Fact::ApiServer(lost));
        fake.run_until(at(1900));
        fake.set_fact(ComponentId(0), serving());
        fake.run_until(at(30_000));
        assert_eq!(marked(&fake, false, at(100)), None);
    }
}

/// Law (`U(0, inter) + fall·C + (fall−1)·inter`): a hung server passes no TLS check. In a handshake
/// that is part of connecting, C is the least of `inter` and `timeout connect`, or `inter` without a
/// `timeout check`; `ssl-hello-chk` greets once connected, so that `timeout check` is what governs.
#[test]
fn a_hung_server_fails_each_tls_check_in_its_own_time() {
    for (settings, least) in [
        (serde_json::json!({ "check": "ssl-hello-chk", "timeout check": "10s" }), 10 + 20),
        (serde_json::json!({ "check": "ssl-hello-chk" }), 10 + 20),
        (serde_json::json!({ "check-ssl": true, "timeout check": "10s" }), 10 + 10),
        (serde_json::json!({ "check-ssl": true }), 10 + 20),
        (
            serde_json::json!({
                "check": "httpchk /healthz", "check-ssl": true, "timeout check": "10s",
            }),
            10 + 10,
        ),
    ] {
        let mut settings = settings;
        for (name, value) in [("inter", "10s"), ("timeout connect", "5s")] {
            settings[name] = value.into();
        }
        settings["fall"] = 2.into();
        for trial in 0..50 {
            let down = down_after(&settings, trial, |fake| {
                fake.set_process(ComponentId(0), ProcessState::Paused);
            })
            .as_secs_f64();
            let least = f64::from(least);
            assert!((least..least + 10.01).contains(&down), "{settings}: {down}");
        }
    }
}

/// Law: a restarted balancer begins with everything up, one failure from down; the first checks are
/// spread over `inter` by position.
#[test]
fn a_restart_begins_one_failure_from_down() {
    let mut fake = fake(&LoadBalancerParams::default(), 12);
    fake.set_process(ComponentId(1), ProcessState::Dead);
    fake.run_until(at(10_000));
    fake.kill(LB, Lever::Kill);
    assert_eq!(fake.all.facts[LB.index()], Fact::Absent);
    fake.run_until(at(12_000));
    fake.boot(LB);
    fake.run_until(at(12_001));
    assert_eq!(rotation(&fake), 7);
    fake.run_until(at(20_000));
    assert_eq!(rotation(&fake), 5);
    let down = fake.facts.last().unwrap().0.since(at(12_000));
    assert_eq!(down, Duration::from_nanos(2_000_000_000 * 2 / 3) + DELAY * 2);
}

/// Law: `init-state` says how many checks a start has to wait for. The first check of server 0 comes
/// 2/3 s after it (`inter` / 3), further ones 2 s apart: a dead server is out from the start, after
/// one or after `fall` (3) checks, a healthy one in from the start, after one or after `rise` (2).
#[test]
fn the_initial_state_counts_as_checks() {
    let after = |checks: u64| 2000 / 3 + 1 + 2000 * (checks - 1);
    for (state, out, back) in [
        ("fully-up", Some(after(3)), None),
        ("up", Some(after(1)), None),
        ("down", None, Some(after(1))),
        ("fully-down", None, Some(after(2))),
    ] {
        let settings = params(&serde_json::json!({ "init-state": state }));
        for alive in [true, false] {
            let mut fake = fake(&settings, 15);
            fake.kill(LB, Lever::Kill);
            fake.run_until(at(1000));
            let process = if alive { ProcessState::Running } else { ProcessState::Dead };
            fake.set_process(ComponentId(0), process);
            fake.boot(LB);
            fake.run_until(at(1000));
            let begins_up = state.ends_with("up");
            assert_eq!(rotation(&fake) & 1 == 1, begins_up, "{state}");
            fake.run_until(at(20_000));
            let expected = if alive { back } else { out };
            let flip = marked(&fake, !begins_up, at(1001));
            let flip = flip.map(|flip| flip.as_nanos() / 1_000_000 + 1);
            let near = |a: Option<u64>, b: Option<u64>| match (a, b) {
                (Some(a), Some(b)) => a.abs_diff(b) <= 3,
                (a, b) => a == b,
            };
            assert!(near(flip, expected), "{state}, alive {alive}: {flip:?}, not {expected:?}");
        }
    }
}

/// Law (measured): with `observe layer4`; when it continues, what fell due meanwhile counts once.
#[test]
fn a_stopped_balancer_decides_nothing() {
    let mut fake = fake(&LoadBalancerParams::default(), 14);
    fake.run_until(at(100));
    fake.pause(LB);
    fake.set_process(ComponentId(0), ProcessState::Dead);
    fake.run_until(at(60_000));
    assert_eq!(rotation(&fake), 7);
    fake.resume(LB);
    fake.run_until(at(80_000));
    let down = marked(&fake, false, at(60_000)).unwrap();
    assert_eq!(down, secs(4) + DELAY * 2 * 3);
}

/// Law (measured): with `observe layer4` and `on-error mark-down`, `error-limit` refused requests
/// take a server down at once.
#[test]
fn traffic_can_mark_a_server_down() {
    let settings = serde_json::json!({
        "observe": "layer4", "error-limit": 2, "on-error": "mark-down", "option redispatch": true,
    });
    let mut fake = fake(&params(&settings), 13);
    fake.set_process(ComponentId(0), ProcessState::Dead);
    for (round, left) in [(0, 7), (1, 6)] {
        while fake.sent.last().is_none_or(|sent| sent.2 != ComponentId(0)) {
            let id = 100 * round + fake.sent.len() as u64;
            call(&mut fake, id);
        }
        reply(&mut fake, 0, Outcome::Refused);
        assert_eq!(rotation(&fake), left);
    }
}

/// Law: a value outside its range is refused, a contradiction that `HAProxy` accepts is a warning.
#[test]
fn contradictions_are_reported_as_haproxy_treats_them() {
    let complete = serde_json::json!({
        "timeout connect": "5s", "timeout client": "35s", "timeout server": "35s",
    });
    assert_eq!(params(&complete).check(), []);
    for (name, value, fatal) in [
        ("rise", serde_json::json!(0), true),
        ("fall", serde_json::json!(0), true),
        ("inter", serde_json::json!("0s"), true),
        ("spread-checks", serde_json::json!(51), true),
        ("error-limit", serde_json::json!(0), true),
        ("timeout check", serde_json::json!("10s"), false),
        ("on-error", serde_json::json!("mark-down"), false),
    ] {
        let mut settings = complete.clone();
        settings[name] = value;
        let problems = params(&settings).check();
        assert_eq!(problems.len(), 1, "{name}: {problems:?}");
        assert_eq!((problems[0].field, problems[0].fatal), (name, fatal));
    }
}

/// Law (measured on 2.6.12): a `timeout check` below `inter` did not end a hung check before the fix.
#[test]
fn short_check_timeouts_depend_on_the_release() {
    for (version, down) in [("3.2", 7500), ("2.6.12", 12_000)] {
        let versions = Versions { haproxy: version.parse().unwrap(), ..Versions::default() };
        let mut params = LoadBalancerParams::defaults(&versions);
        params.timeout_check = Some(Duration::from_millis(500));
        params.timeout_connect = Some(secs(5));
        params.check = CheckKind::Readyz;
        let rules = params.rules(|span| span);
        let up = Target::Answers { round_trip: Duration::ZERO, work: Duration::ZERO, good: true };
        let mut check = HealthCheck::settled(rules, true, at(2000), up);
        check.see(at(0), Target::Hung(Duration::ZERO), &|_| 0.5);
        assert_eq!(check.flip(at(0), &|_| 0.5).unwrap().at, at(down), "{version}");
    }
}

fn nginx() -> Fake<LoadBalancer> {
    let habit = Habit::Passive { max_fails: 1, fail_timeout: secs(10) };
    fake_of(&NginxParams::default().as_haproxy(3, &Versions::default()), habit, 0)
}

/// Law: NGINX passes a server that refused over for `fail_timeout`, to the next whole second after it;
/// the client goes on at another server at once; one request probes it then, and success clears it.
#[test]
fn nginx_passes_over_a_server_that_failed() {
    let mut fake = nginx();
    fake.run_until(at(2500));
    call_to_first(&mut fake);
    let before = calls(&fake).len();
    reply(&mut fake, 0, Outcome::Refused);
    assert_eq!((rotation(&fake), calls(&fake).len(), told(&fake).len()), (6, before + 1, 0));
    fake.run_until(at(12_999));
    assert_eq!(rotation(&fake), 6);
    fake.run_until(at(13_000));
    assert_eq!(rotation(&fake), 7);
    call_to_first(&mut fake);
    assert_eq!(rotation(&fake), 6, "one request probes, others pass the server over");
    reply(&mut fake, 0, Outcome::Done);
    assert_eq!(rotation(&fake), 7);
}

/// Law: a client that leaves before `proxy_connect_timeout` teaches NGINX nothing; one that stays does.
#[test]
fn nginx_learns_nothing_from_clients_that_leave() {
    let mut fake = nginx();
    cut(&mut fake, 0, true);
    call_to_first(&mut fake);
    fake.run_until(at(59_000));
    assert_eq!(rotation(&fake), 7);
    fake.run_until(at(60_500));
    assert_eq!(rotation(&fake), 6, "this one waits for 100 s");
}

/// Law: a cloud's checks take a silent target out after U[0, i] + (n − 1)·i + timeout: 40 to 70 s with
/// the defaults, and use all targets when none is healthy.
#[test]
fn a_cloud_marks_by_its_interval_and_fails_open() {
    let cloud = CloudParams::default();
    let params = cloud.as_haproxy(&Versions::default());
    for trial in 0..50 {
        let mut fake = fake_of(&params, Habit::Cloud(cloud.clone()), trial);
        fake.run_until(at(100_000));
        cut(&mut fake, 0, true);
        fake.run_until(at(200_000));
        let after = marked(&fake, false, at(100_000)).unwrap();
        assert!((secs(40)..=secs(70)).contains(&after), "{after}");
        cut(&mut fake, 1, true);
        cut(&mut fake, 2, true);
        fake.run_until(at(400_000));
        assert_eq!(rotation(&fake), 7);
    }
}

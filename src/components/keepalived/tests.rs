//! The laws of VRRP as measured, and the eager twin: every advert is sent.

use super::*;
use crate::component::fact::{ApiServerFact, LoadBalancerFact};
use crate::component::param::Params;
use crate::component::versions::Versions;
use crate::component::view::ProcessState;
use crate::component::{Kind, MachineId};
use crate::components::testing::{Fake, surroundings, two_samples};
use proptest::prelude::*;
use serde_json::{Value, json};

const DELAY: Duration = Duration::from_micros(50);

fn at(ms: u64) -> Time {
    Time::START + Duration::from_millis(ms)
}

fn params(settings: &Value) -> KeepalivedParams {
    let mut params = KeepalivedParams::defaults(&Versions::default());
    for (name, value) in settings.as_object().unwrap() {
        assert_eq!(params.set(name, value), Ok(true), "{name}");
    }
    params
}

/// One instance a machine, with a balancer beside each; instance n has id 2n, its balancer 2n + 1.
fn fake(all_params: &[KeepalivedParams], delay: Duration, trial: u64) -> Fake<Keepalived> {
    let n = all_params.len();
    let mut kinds: Vec<(usize, Kind)> =
        (0..n).flat_map(|m| [(m, Kind::Keepalived), (m, Kind::LoadBalancer)]).collect();
    kinds.push((n, Kind::ApiServer));
    let server = ComponentId(node(n).0);
    let mut all = surroundings(&kinds, delay);
    all.facts[server.index()] = Fact::ApiServer(healthy());
    let machines = all_params.iter().enumerate().map(|(m, params)| {
        let peers = (0..n).filter(|p| *p != m).map(node).collect();
        let balancer = ComponentId(node(m).0 + 1);
        let wiring = Wiring { peers, balancer: Some(balancer), servers: vec![server] };
        (node(m), Keepalived::new(node(m), params, &wiring))
    });
    let machines = machines.collect();
    for m in 0..n {
        let fact = LoadBalancerFact { listening: true, rotation: 7, ..LoadBalancerFact::default() };
        all.facts[2 * m + 1] = Fact::LoadBalancer(fact);
    }
    all.settlement.vip_holder = Some(node(0));
    Fake::new(all, machines, trial)
}

fn healthy() -> ApiServerFact {
    ApiServerFact { listening: true, http: true, ready: true, live: true, ..ApiServerFact::default() }
}

fn node(machine: usize) -> ComponentId {
    ComponentId(u16::try_from(2 * machine).unwrap())
}

fn machine(index: usize) -> MachineId {
    MachineId(u16::try_from(index).unwrap())
}

/// Two instances with priorities 101 and 100, settled.
fn pair(settings: &Value, trial: u64) -> Fake<Keepalived> {
    let with = |priority: u32| {
        let mut settings = settings.clone();
        settings["priority"] = json!(priority);
        params(&settings)
    };
    let mut fake = fake(&[with(101), with(100)], DELAY, trial);
    fake.settle();
    fake.run_until(Time::START);
    fake
}

fn vrrp(fake: &Fake<Keepalived>, machine: usize) -> VrrpFact {
    match &fake.all.facts[node(machine).index()] {
        Fact::Vrrp(fact) => *fact,
        _ => VrrpFact::default(),
    }
}

fn holds(fake: &Fake<Keepalived>) -> Vec<bool> {
    // The last machine is the API server's.
    (0..fake.all.machines.len() - 1).map(|m| vrrp(fake, m).holds).collect()
}

/// When a machine first holds the address (or not) from `since` on.
fn held(fake: &Fake<Keepalived>, machine: usize, held: bool, since: Time) -> Option<Duration> {
    fake.facts.iter().find_map(|(at, of, fact)| {
        let now = matches!(fact, Fact::Vrrp(fact) if fact.holds);
        (*of == node(machine) && *at >= since && now == held).then(|| at.since(since))
    })
}

/// Law: a settled pair has no event while nothing changes, and the higher priority holds the address.
#[test]
fn an_idle_pair_costs_nothing() {
    let mut fake = pair(&json!({}), 0);
    let before = fake.steps;
    fake.run_until(Time::START + Duration::from_hours(8766));
    assert_eq!((holds(&fake), fake.steps - before), (vec![true, false], 0));
}

/// Law (measured): after silence the backup takes over in `3A + skew − U(0, A)`: 2.609-3.609 s with
/// the defaults, 0.52-0.72 s at 0.2 s and version 3, 6.61-9.61 s at 3 s.
#[test]
fn takeover_after_silence() {
    let skew = Duration::from_nanos(1_000_000_000 * 156 / 256);
    for (settings, advert, skew) in [
        (json!({}), 1000, skew),
        (json!({ "advert_int": "3s" }), 3000, skew),
        (json!({ "advert_int": "200ms", "vrrp_version": 3 }), 200, skew / 5),
    ] {
        let advert = Duration::from_millis(advert);
        let mut sum = 0.0;
        let trials = 400;
        for trial in 0..trials {
            let mut fake = pair(&settings, trial);
            fake.run_until(at(5));
            fake.kill(node(0), Lever::Kill);
            fake.run_until(at(20_000));
            let takeover = held(&fake, 1, true, at(5)).unwrap();
            assert!(takeover >= advert * 2 + skew && takeover <= advert * 3 + skew + DELAY);
            sum += (takeover - advert * 2 - skew).as_secs_f64() / advert.as_secs_f64();
        }
        // A uniform phase has mean 1/2 and deviation 0.289: 4 standard errors.
        let mean = sum / trials as f64;
        assert!((mean - 0.5).abs() < 4.0 * 0.289 / (trials as f64).sqrt(), "{mean}");
    }
}

/// Measured on keepalived 2.2.7, ms: takeover after SIGKILL of everything, and after SIGKILL of the
/// tracked `HAProxy` with a script of interval 2 s, fall 2, weight −20.
const KILL_ALL: &str = "\
    2621 2650 2652 2654 2663 2677 2700 2738 2831 2845 2892 2892 2894 2907 2924 2948 2957 \
    2966 3036 3062 3110 3140 3148 3206 3209 3211 3212 3228 3269 3320 3342 3367 3414 3418 \
    3434 3480 3482 3511 3534 3595";
const SCRIPT: &str = "\
    4720 4728 4895 5075 5152 5246 5398 5400 5400 5434 5556 5597 5672 5675 5857 5902 5930 \
    5982 6003 6026 6065 6078 6083 6168 6177 6210 6484 6506 6511 6596 6603 6656 6762 6769 \
    6878 7017 7026 7068 7141 7220";
const LINK_DOWN: &str = "\
    2656 2669 2691 2753 2774 2777 2780 2817 2856 2870 2900 2982 3040 3042 3070 3078 3112 \
    3132 3155 3156 3176 3210 3211 3220 3234 3277 3300 3344 3349 3351 3362 3402 3409 3450 \
    3451 3471 3471 3500 3530 3593";

/// Law: takeovers agree in distribution with those measured (Kolmogorov-Smirnov, 1 % level).
#[test]
fn takeovers_agree_with_the_real_keepalived() {
    let script = json!({ "vrrp_script": {
        "interval": "2s", "fall": 2, "rise": 2, "weight": -20,
    } });
    for (name, settings, measured) in
        [("kill", json!({}), KILL_ALL), ("script", script, SCRIPT), ("link", json!({}), LINK_DOWN)]
    {
        let mut simulated = Vec::new();
        for trial in 0..1000 {
            let mut fake = pair(&settings, trial);
            fake.run_until(at(3));
            match name {
                "kill" => fake.kill(node(0), Lever::Kill),
                "link" => carrier(&mut fake, 0, false),
                _ => fake.set_process(ComponentId(1), ProcessState::Dead),
            }
            fake.run_until(at(20_000));
            simulated.push(held(&fake, 1, true, at(3)).unwrap().as_millis_f64());
        }
        let mut measured: Vec<f64> =
            measured.split_whitespace().map(|x| x.parse().unwrap()).collect();
        let (distance, critical) = two_samples(&mut simulated, &mut measured);
        assert!(distance < critical, "{name}: {distance} against {critical}");
    }
}

fn carrier(fake: &mut Fake<Keepalived>, index: usize, up: bool) {
    fake.network(|reach| reach.pull_cable(machine(index), !up));
    fake.deliver(node(index), Cause::Lever(Lever::Carrier(up)));
}

/// Law (measured): SIGTERM sends priority 0, so the backup waits its skew only: 0.609 s (0.122 s at
/// 0.2 s, version 3), and at no time do two hold the address.
#[test]
fn a_clean_stop_costs_the_skew() {
    for (settings, skew) in [
        (json!({}), 1_000_000_000),
        (json!({ "advert_int": "200ms", "vrrp_version": 3 }), 200_000_000),
    ] {
        let mut fake = pair(&settings, 1);
        fake.run_until(at(700));
        fake.deliver(node(0), Cause::Lever(Lever::Stop));
        assert_eq!(holds(&fake), [false, false]);
        fake.run_until(at(5000));
        let takeover = held(&fake, 1, true, at(700)).unwrap();
        assert_eq!(takeover, Duration::from_nanos(skew * 156 / 256) + DELAY);
    }
}

/// Law (measured): kubeadm's script (interval 3 s, fall 10, weight −2) moves the address 29.6-33.6 s
/// after the balancer's death; with weight 0 FAULT says farewell and only the skew follows.
#[test]
fn scripts_move_the_address() {
    let kubeadm = json!({ "vrrp_script": {
        "interval": "3s", "fall": 10, "rise": 2, "weight": -2,
    } });
    let fault = json!({ "vrrp_script": { "interval": "2s", "fall": 2, "rise": 2 } });
    for (settings, least, most) in [(kubeadm, 29.609, 33.610), (fault, 2.609, 4.610)] {
        for trial in 0..200 {
            let mut fake = pair(&settings, trial);
            fake.run_until(at(100));
            fake.set_process(ComponentId(1), ProcessState::Dead);
            fake.run_until(at(60_000));
            let takeover = held(&fake, 1, true, at(100)).unwrap().as_secs_f64();
            assert!((least..most).contains(&takeover), "{takeover}");
            assert_eq!(holds(&fake), [false, true]);
            fake.set_process(ComponentId(1), ProcessState::Running);
            fake.run_until(at(90_000));
            assert_eq!(holds(&fake), [true, false], "preempted after the repair");
        }
    }
}

/// Law (measured): process tracking notices a death at once, but not a stopped process; a weight
/// that does not reach below the backup's priority moves nothing.
#[test]
fn process_tracking_follows_existence() {
    for (weight, state, moves) in [
        (-20, ProcessState::Dead, true),
        (-20, ProcessState::Paused, false),
        (-1, ProcessState::Dead, false),
    ] {
        let mut fake = pair(&json!({ "track_process": { "weight": weight } }), 2);
        fake.run_until(at(100));
        fake.set_process(ComponentId(1), state);
        fake.run_until(at(10_000));
        let takeover = held(&fake, 1, true, at(100));
        assert_eq!(takeover.is_some(), moves, "{weight} {state:?}");
        assert!(takeover.is_none_or(|t| t >= Duration::from_millis(2609)
            && t <= Duration::from_millis(3610)));
    }
}

/// Law (measured): the returning higher priority enters BACKUP, takes the address `3A + skew(own)`
/// after its start, and the lower one lets go within a network delay; with `nopreempt` it does not.
#[test]
fn return_with_and_without_preemption() {
    for (settings, back) in [
        (json!({}), Some(Duration::from_secs(3) + Duration::from_nanos(155 * 3_906_250))),
        (json!({ "nopreempt": true }), None),
        (json!({ "preempt_delay": "20s" }), None),
    ] {
        let mut fake = pair(&settings, 3);
        fake.run_until(at(100));
        fake.kill(node(0), Lever::Kill);
        assert_eq!(holds(&fake), [true, false], "the address stays behind");
        fake.run_until(at(6000));
        assert_eq!(holds(&fake), [true, true]);
        fake.boot(node(0));
        assert_eq!(holds(&fake), [false, true], "a start removes it");
        fake.run_until(at(16_000));
        assert_eq!(held(&fake, 0, true, at(6000)), back);
        assert_eq!(holds(&fake), [back.is_some(), back.is_none()]);
    }
}

/// Law: `preempt_delay` honours a lower master until it is over, and then for what is left of the timer.
#[test]
fn preemption_can_be_delayed() {
    let mut fake = pair(&json!({ "preempt_delay": "20s" }), 3);
    fake.run_until(at(100));
    fake.kill(node(0), Lever::Kill);
    fake.run_until(at(6000));
    fake.boot(node(0));
    fake.run_until(at(60_000));
    let back = held(&fake, 0, true, at(6000)).unwrap();
    assert!((22.6..24.7).contains(&back.as_secs_f64()), "{back}");
}

/// Law: `state MASTER` begins as backup too; only the owner of the address (255) begins as master.
#[test]
fn state_master_is_only_a_wish() {
    let wish = json!({ "state": "MASTER", "priority": 101 });
    let owner = json!({ "state": "MASTER" });
    for (settings, first) in [(wish, 3605), (owner, 0)] {
        let mut fake = fake(&[params(&settings)], DELAY, 4);
        fake.boot(node(0));
        fake.run_until(at(10_000));
        let first_held = held(&fake, 0, true, Time::START).unwrap();
        assert_eq!(first_held.as_nanos() / 1_000_000, first);
    }
}

/// Law (measured): pulled cable: the master drops the address at once (FAULT), the backup still waits.
#[test]
fn loss_of_carrier_is_a_fault() {
    let mut fake = pair(&json!({}), 5);
    fake.run_until(at(100));
    carrier(&mut fake, 0, false);
    assert_eq!(holds(&fake), [false, false]);
    assert_eq!(vrrp(&fake, 0).state, VrrpState::Fault);
    fake.run_until(at(9000));
    assert_eq!(holds(&fake), [false, true]);
    carrier(&mut fake, 0, true);
    assert_eq!(vrrp(&fake, 0).state, VrrpState::Backup);
    fake.run_until(at(20_000));
    assert_eq!(holds(&fake), [true, false]);
}

/// Law (measured): a partition makes two masters; at the heal the lower one lets go at the first
/// advert it hears. If that comes before its own, nobody announces (about half of the heals).
#[test]
fn a_heal_is_silent_or_announced() {
    let mut silent = 0;
    let trials = 400;
    for trial in 0..trials {
        let mut fake = pair(&json!({}), trial);
        fake.run_until(at(100));
        fake.network(|reach| reach.close_port(machine(0), true));
        fake.run_until(at(9000));
        assert_eq!(holds(&fake), [true, true]);
        fake.network(|reach| reach.close_port(machine(0), false));
        fake.run_until(at(10_100));
        assert_eq!(holds(&fake), [true, false]);
        let announced = vrrp(&fake, 0).announced.unwrap();
        silent += u32::from(announced < at(9000));
    }
    // Binomial with p = 1/2: 4 standard errors of 0.025.
    let share = f64::from(silent) / trials as f64;
    assert!((share - 0.5).abs() < 0.1, "{share}");
}

/// Law: a new master announces the address at once and again after `garp_master_delay`.
#[test]
fn a_new_master_announces_twice() {
    let mut fake = pair(&json!({}), 6);
    fake.run_until(at(100));
    fake.kill(node(0), Lever::PowerLoss);
    assert_eq!(fake.all.facts[0], Fact::Absent, "power loss takes the address too");
    fake.run_until(at(30_000));
    let mut announced: Vec<Time> = Vec::new();
    for (_, of, fact) in &fake.facts {
        if let (true, Fact::Vrrp(VrrpFact { announced: Some(at), .. })) = (*of == node(1), fact) {
            announced.push(*at);
        }
    }
    announced.dedup();
    assert_eq!(announced.len(), 2);
    assert_eq!(announced[1].since(announced[0]), Duration::from_secs(5));
}

/// Law (measured): a frozen master keeps the address; resumed, it wins it back at once if its
/// priority is higher, because its advert reaches the other.
#[test]
fn a_frozen_master_wins_back() {
    let mut fake = pair(&json!({}), 7);
    fake.run_until(at(100));
    fake.pause(node(0));
    fake.run_until(at(9000));
    assert_eq!(holds(&fake), [true, true]);
    fake.resume(node(0));
    fake.run_until(at(9001));
    assert_eq!(holds(&fake), [true, false]);
}

/// Law (measured): a killed child leaves the address; its successor, which removes it and begins as
/// backup, comes after 0, 1, 2, 4, 8 … 60 s while children die young, and at once after a minute.
#[test]
fn a_killed_child_comes_back_later_each_time() {
    let mut fake = pair(&json!({}), 9);
    fake.run_until(at(100));
    let mut waits = Vec::new();
    for life in [4, 4, 4, 4, 4, 4, 4, 4, 61, 4] {
        let killed = fake.now;
        fake.deliver(node(0), Cause::Lever(Lever::KillChild));
        assert!(holds(&fake)[0], "the address stays behind");
        let mut waited = 0;
        fake.run_until(killed);
        while holds(&fake)[0] {
            waited += 1;
            fake.run_until(killed + Duration::from_secs(waited));
        }
        waits.push(waited);
        fake.run_until(fake.now + Duration::from_secs(life));
        assert_eq!(holds(&fake), [true, false], "the new child wins the address back");
    }
    assert_eq!(waits, [0, 1, 2, 4, 8, 16, 32, 60, 60, 0]);
}

/// Law: a parent that is stopped while it has no child leaves the address behind: nobody removes it.
#[test]
fn a_stop_without_a_child_leaves_the_address() {
    let mut fake = pair(&json!({}), 9);
    fake.run_until(at(100));
    fake.deliver(node(0), Cause::Lever(Lever::KillChild));
    fake.run_until(at(5000));
    fake.deliver(node(0), Cause::Lever(Lever::KillChild));
    fake.deliver(node(0), Cause::Lever(Lever::Stop));
    fake.run_until(at(60_000));
    assert_eq!(holds(&fake), [true, true]);
}

/// Law: version 2 drops adverts of another interval, so that both are master; version 3 adopts it.
#[test]
fn mismatched_intervals_make_two_masters_in_version_2() {
    for (version, both) in [(2, true), (3, false)] {
        let with = |priority: u32, advert: &str| {
            params(&json!({
                "priority": priority, "advert_int": advert, "vrrp_version": version,
            }))
        };
        let mut fake = fake(&[with(101, "2s"), with(100, "1s")], DELAY, 8);
        fake.settle();
        fake.run_until(at(20_000));
        assert_eq!(holds(&fake), [true, both]);
    }
}

/// Law: values out of range are refused; what keepalived silently ignores is a warning.
#[test]
fn contradictions_are_reported_as_keepalived_treats_them() {
    assert_eq!(params(&json!({ "priority": 101 })).check(), []);
    for (settings, field, fatal) in [
        (json!({ "priority": 300 }), "priority", false),
        (json!({ "state": "MASTER" }), "priority", false),
        (json!({ "state": "MASTER", "priority": 1, "nopreempt": true }), "nopreempt", false),
        (json!({ "advert_int": "1500ms" }), "advert_int", true),
        (json!({ "advert_int": "5ms", "vrrp_version": 3 }), "advert_int", true),
        (json!({ "vrrp_version": 4 }), "vrrp_version", true),
        (json!({ "preempt_delay": "2000s" }), "preempt_delay", true),
        (json!({ "vrrp_script": { "weight": -254 } }), "vrrp_script.weight", true),
        (json!({ "vrrp_script": { "fall": 0 } }), "vrrp_script.fall", true),
    ] {
        let problems = params(&settings).check();
        assert_eq!(problems.len(), 1, "{settings}: {problems:?}");
        assert_eq!((problems[0].field, problems[0].fatal), (field, fatal));
    }
    let weak = params(&json!({ "priority": 110, "vrrp_script": { "weight": -2 } }));
    let other = params(&json!({ "priority": 100 }));
    assert_eq!(weak.check_beside(&[&other])[0].field, "vrrp_script.weight");
    let unknown = KeepalivedParams::defaults(&Versions::default())
        .set("vrrp_script", &json!({ "intervall": "2s" }));
    assert!(unknown.unwrap_err().contains("no option `intervall`"));
}

/// One thing that happens to a machine of the twins.
#[derive(Clone, Copy, Debug)]
enum Event {
    Kill(usize),
    Boot(usize),
    Stop(usize),
    KillChild(usize),
    Path(usize, usize, bool),
    Balancer(usize, bool),
    Carrier(usize, bool),
}

/// (time, machine, state, holds) after each change.
type Ownership = Vec<(Time, usize, VrrpState, bool)>;

/// The eager twin of one instance: it sends every advert.
#[derive(Clone)]
struct Eager {
    params: KeepalivedParams,
    running: bool,
    state: VrrpState,
    holds: bool,
    carrier: bool,
    balancer: bool,
    priority: u8,
    timer: Time,
    lower_since: Option<Time>,
    /// When its child was started, what its parent waits next, and until when it waits now.
    started: Time,
    wait: u64,
    respawn: Time,
}

struct EagerWorld {
    now: Time,
    nodes: Vec<Eager>,
    paths: Vec<Vec<bool>>,
    delay: Duration,
    mail: Vec<(Time, usize, usize, u8)>,
    log: Ownership,
}

impl EagerWorld {
    fn send(&mut self, from: usize, to: usize, priority: u8) {
        let up = self.paths[from][to] && self.nodes[from].carrier && self.nodes[to].carrier;
        if from != to && up {
            self.mail.push((self.now + self.delay, to, from, priority));
        }
    }

    fn advertise(&mut self, from: usize, priority: u8) {
        for to in 0..self.nodes.len() {
            self.send(from, to, priority);
        }
    }

    fn set(&mut self, n: usize, state: VrrpState, holds: bool) {
        (self.nodes[n].state, self.nodes[n].holds) = (state, holds);
        self.log.push((self.now, n, state, holds));
    }

    fn down(&self, n: usize) -> Duration {
        let node = &self.nodes[n];
        node.params.master_down(node.priority, node.params.advert_int)
    }

    fn backup(&mut self, n: usize) {
        self.nodes[n].timer = self.now + self.down(n);
        self.nodes[n].lower_since = None;
        self.set(n, VrrpState::Backup, false);
    }

    fn master(&mut self, n: usize) {
        self.advertise(n, self.nodes[n].priority);
        self.nodes[n].timer = self.now + self.nodes[n].params.advert_int;
        self.set(n, VrrpState::Master, true);
    }

    fn faulty(&self, n: usize) -> bool {
        let node = &self.nodes[n];
        let weightless = node.params.track_process.as_ref().is_some_and(|p| p.weight == 0);
        !node.carrier || (weightless && !node.balancer)
    }

    fn review(&mut self, n: usize) {
        if !self.nodes[n].running {
            return;
        }
        let priority = self.nodes[n].params.priority_with(None, self.nodes[n].balancer);
        let before = self.down(n);
        self.nodes[n].priority = priority;
        if self.nodes[n].state == VrrpState::Backup {
            // A timer that would have ended earlier ends now.
            self.nodes[n].timer = (self.nodes[n].timer + self.down(n) - before).max(self.now);
        }
        let state = self.nodes[n].state;
        if self.faulty(n) && state != VrrpState::Fault {
            if state == VrrpState::Master {
                self.advertise(n, 0);
            }
            self.set(n, VrrpState::Fault, false);
        } else if !self.faulty(n) && state == VrrpState::Fault {
            self.backup(n);
        }
    }

    fn receive(&mut self, n: usize, from: usize, q: u8) {
        let (now, full) = (self.now, self.down(n));
        let node = &mut self.nodes[n];
        let p = node.priority;
        match node.state {
            VrrpState::Backup if q == 0 => {
                node.timer = now + node.params.skew(p, node.params.advert_int);
            }
            VrrpState::Backup if q >= p => {
                node.timer = now + full;
                node.lower_since = None;
            }
            VrrpState::Backup if node.params.nopreempt => node.timer = now + full,
            VrrpState::Backup => {
                let since = *node.lower_since.get_or_insert(now);
                if now < since + node.params.preempt_delay {
                    node.timer = now + full;
                }
            }
            VrrpState::Master if q == 0 || (q, from) < (p, n) => self.send(n, from, p),
            VrrpState::Master => self.backup(n),
            _ => {}
        }
    }

    fn start(&mut self, n: usize) {
        (self.nodes[n].running, self.nodes[n].respawn) = (true, Time::NEVER);
        self.nodes[n].started = self.now;
        let priority = self.nodes[n].params.priority_with(None, self.nodes[n].balancer);
        self.nodes[n].priority = priority;
        if self.faulty(n) {
            self.set(n, VrrpState::Fault, false);
        } else {
            self.backup(n);
        }
    }

    fn kill_child(&mut self, n: usize) {
        let (now, node) = (self.now, &mut self.nodes[n]);
        if !node.running {
            return;
        }
        if now.saturating_since(node.started) > Duration::from_secs(60) {
            node.wait = 0;
        }
        node.respawn = now + Duration::from_secs(node.wait);
        node.wait = (node.wait * 2).clamp(1, 60);
        node.running = false;
        let holds = node.holds;
        self.set(n, VrrpState::Init, holds);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Kill(n) => {
                self.nodes[n].running = false;
                self.nodes[n].respawn = Time::NEVER;
                let holds = self.nodes[n].holds;
                self.set(n, VrrpState::Init, holds);
            }
            Event::KillChild(n) => self.kill_child(n),
            Event::Stop(n) if !self.nodes[n].respawn.is_never() => self.happen(Event::Kill(n)),
            Event::Stop(n) => {
                if self.nodes[n].state == VrrpState::Master {
                    self.advertise(n, 0);
                }
                self.nodes[n].running = false;
                self.set(n, VrrpState::Init, false);
            }
            Event::Boot(n) => {
                self.nodes[n].wait = 0;
                self.start(n);
            }
            Event::Path(a, b, up) => self.paths[a][b] = up,
            Event::Balancer(n, alive) => {
                self.nodes[n].balancer = alive;
                self.review(n);
            }
            Event::Carrier(n, up) => {
                self.nodes[n].carrier = up;
                self.review(n);
            }
        }
    }

    fn step(&mut self, until: Time) -> bool {
        let mail = self.mail.iter().enumerate().min_by_key(|(i, m)| (m.0, *i)).map(|(i, m)| (m.0, i));
        let due = |node: &Eager| {
            let waits = matches!(node.state, VrrpState::Backup | VrrpState::Master);
            if node.running && waits { node.timer } else { Time::NEVER }
        };
        let timer = (0..self.nodes.len()).map(|n| (due(&self.nodes[n]), n)).min().unwrap();
        let mail_at = mail.map_or(Time::NEVER, |(at, _)| at);
        let respawn = (0..self.nodes.len()).map(|n| (self.nodes[n].respawn, n)).min().unwrap();
        self.now = mail_at.min(timer.0).min(respawn.0);
        if self.now >= until {
            return false;
        }
        if respawn.0 == self.now {
            self.start(respawn.1);
            return true;
        }
        if mail_at <= timer.0 {
            let (_, to, from, priority) = self.mail.remove(mail.unwrap().1);
            // What left before a start finds no socket.
            if self.nodes[to].running && self.now >= self.nodes[to].started + self.delay {
                self.receive(to, from, priority);
            }
        } else if self.nodes[timer.1].state == VrrpState::Master {
            self.advertise(timer.1, self.nodes[timer.1].priority);
            self.nodes[timer.1].timer = self.now + self.nodes[timer.1].params.advert_int;
        } else {
            self.master(timer.1);
        }
        true
    }
}

fn eager(all: &[KeepalivedParams], delay: Duration, events: &[(Time, Event)], until: Time) -> Ownership {
    let nodes = all.iter().map(|params| Eager {
        params: params.clone(),
        running: true,
        state: VrrpState::Init,
        holds: false,
        carrier: true,
        balancer: true,
        priority: params.priority_with(None, true),
        timer: Time::NEVER,
        lower_since: None,
        started: Time::ZERO,
        wait: 0,
        respawn: Time::NEVER,
    });
    let nodes: Vec<Eager> = nodes.collect();
    let paths = vec![vec![true; all.len()]; all.len()];
    let mut world =
        EagerWorld { now: Time::START, nodes, paths, delay, mail: Vec::new(), log: Vec::new() };
    for n in 0..all.len() {
        world.backup(n);
    }
    for (at, event) in events {
        while world.step(*at) {}
        world.now = *at;
        world.happen(*event);
    }
    while world.step(until) {}
    world.log
}

fn lazy(all: &[KeepalivedParams], delay: Duration, events: &[(Time, Event)], until: Time) -> Ownership {
    let mut fake = fake(all, delay, 0);
    for n in 0..all.len() {
        fake.boot(node(n));
    }
    for (at, event) in events {
        // What happens at an instant precedes messages and alarms of that instant.
        fake.run_until(Time::from_nanos(at.as_nanos() - 1));
        fake.now = *at;
        match *event {
            Event::Kill(n) => fake.kill(node(n), Lever::Kill),
            Event::Stop(n) => fake.deliver(node(n), Cause::Lever(Lever::Stop)),
            Event::KillChild(n) => fake.deliver(node(n), Cause::Lever(Lever::KillChild)),
            Event::Boot(n) => fake.boot(node(n)),
            Event::Path(a, b, up) => fake.network(|reach| reach.cut(machine(a), machine(b), !up)),
            Event::Balancer(n, alive) => {
                let state = if alive { ProcessState::Running } else { ProcessState::Dead };
                fake.set_process(ComponentId(node(n).0 + 1), state);
            }
            Event::Carrier(n, up) => carrier_if_alive(&mut fake, n, up),
        }
    }
    fake.run_until(Time::from_nanos(until.as_nanos() - 1));
    let owned = fake.facts.iter().map(|(at, of, fact)| match fact {
        Fact::Vrrp(fact) => (*at, of.index() / 2, fact.state, fact.holds),
        _ => (*at, of.index() / 2, VrrpState::Init, false),
    });
    owned.collect()
}

fn carrier_if_alive(fake: &mut Fake<Keepalived>, n: usize, up: bool) {
    fake.all.reach.pull_cable(machine(n), !up);
    if fake.all.processes[node(n).index()].state == ProcessState::Running {
        fake.deliver(node(n), Cause::Lever(Lever::Carrier(up)));
    }
    fake.network(|_| ());
}

/// Only what changed for a machine, in order of time and machine.
fn changes(log: &Ownership, machines: usize) -> Ownership {
    let mut last = vec![None; machines];
    let mut kept: Ownership = Vec::new();
    for (i, (at, n, state, holds)) in log.iter().copied().enumerate() {
        // Of several changes at one instant the last one counts.
        let later = log[i + 1..].iter().any(|other| other.0 == at && other.1 == n);
        if !later && last[n] != Some((state, holds)) {
            last[n] = Some((state, holds));
            kept.push((at, n, state, holds));
        }
    }
    kept.sort_by_key(|(at, n, _, _)| (*at, *n));
    kept
}

/// Turns raw numbers into events that can happen one after the other.
fn events(machines: usize, raw: Vec<(u64, u8, usize, usize)>) -> Vec<(Time, Event)> {
    let mut running = vec![true; machines];
    let mut balancer = vec![true; machines];
    let mut cable = vec![true; machines];
    let mut paths = vec![vec![true; machines]; machines];
    let mut now = Time::START;
    let mut found = Vec::new();
    for (gap, kind, a, b) in raw {
        now += Duration::from_nanos(gap * 1_000_003 + 1);
        let (a, b) = (a % machines, b % machines);
        let event = match kind {
            0 | 1 if !running[a] => Event::Boot(a),
            0 => Event::Kill(a),
            1 => Event::Stop(a),
            2 | 3 if a != b => Event::Path(a, b, !paths[a][b]),
            4 => Event::Balancer(a, !balancer[a]),
            5 if running[a] => Event::KillChild(a),
            _ => Event::Carrier(a, !cable[a]),
        };
        match event {
            Event::Boot(n) => running[n] = true,
            Event::Kill(n) | Event::Stop(n) => running[n] = false,
            Event::KillChild(_) => {}
            Event::Path(a, b, up) => paths[a][b] = up,
            Event::Balancer(n, up) => balancer[n] = up,
            Event::Carrier(n, up) => cable[n] = up,
        }
        found.push((now, event));
    }
    found
}

/// Who owned the address by the lazy instances and by the eager ones, of these priorities.
fn twins(
    priorities: &[u32],
    settings: &Value,
    delay: Duration,
    events: &[(Time, Event)],
) -> (Ownership, Ownership) {
    let with = |priority: &u32| {
        let mut settings = settings.clone();
        settings["priority"] = json!(priority);
        params(&settings)
    };
    let all: Vec<KeepalivedParams> = priorities.iter().map(with).collect();
    let until = events.last().unwrap().0 + Duration::from_secs(40);
    let lazy = changes(&lazy(&all, delay, events, until), all.len());
    let eager = changes(&eager(&all, delay, events, until), all.len());
    (lazy, eager)
}

/// What it shows, settings, priorities, delay in microseconds, and events by nanosecond.
type Case<'a> = (&'a str, Value, &'a [u32], u64, &'a [(u64, Event)]);

/// Law: laziness is unobservable also where something happens at the very instant of an advert, or
/// while one is under way.
#[test]
#[expect(clippy::too_many_lines, reason = "a table of histories")]
fn adverts_under_way_arrive() {
    use Event::{Balancer, Boot, Carrier, Kill, KillChild, Path, Stop};
    let plain = json!({});
    let delayed = json!({ "preempt_delay": "7s" });
    let weight = |weight: i32| json!({ "track_process": { "weight": weight } });
    let cases: [Case; 12] = [
        (
            "what left before a start is not heard: `preempt_delay` begins an advert later",
            delayed.clone(),
            &[101, 100],
            30_000,
            &[(1, Carrier(0, false)), (2, Kill(0)), (1_704_005_117, Carrier(0, true)), (4_610_013_836, Boot(0))],
        ),
        (
            "a master returns to a path that carries its rival's last advert",
            plain.clone(),
            &[150, 100],
            30_000,
            &[
                (4_532_013_598, Carrier(0, false)),
                (6_640_019_923, Carrier(0, true)),
                (10_084_030_256, Kill(0)),
                (13_694_041_087, Boot(0)),
            ],
        ),
        (
            "a master that steps down hears what the winner sent before it failed",
            plain.clone(),
            &[101, 100],
            30_000,
            &[(1_004_003_013, KillChild(0)), (4_640_013_922, Carrier(0, false)), (4_640_013_923, Kill(0))],
        ),
        (
            "the same, the path being cut and the winner killed",
            plain.clone(),
            &[100, 150],
            30_000,
            &[
                (3_415_010_246, Kill(1)),
                (4_640_013_922, Boot(1)),
                (8_250_024_753, Path(1, 0, false)),
                (8_250_024_754, Kill(1)),
            ],
        ),
        (
            "a new master obeys an advert that left while it was backup",
            plain.clone(),
            &[150, 100, 100],
            30_000,
            &[
                (3_944_011_833, Path(0, 2, false)),
                (6_924_020_774, Path(1, 2, false)),
                (7_775_023_328, Stop(2)),
                (8_445_025_339, Kill(0)),
            ],
        ),
        (
            "a new master obeys an advert that leaves at the instant at which it becomes one",
            plain.clone(),
            &[100, 101, 100],
            50,
            &[
                (953_002_860, Path(2, 0, false)),
                (2_414_007_244, Path(0, 1, false)),
                (3_606_010_821, Path(1, 2, false)),
                (4_707_014_125, Kill(1)),
                (7_215_021_650, Path(2, 0, true)),
            ],
        ),
        (
            "an advert leaves although the rival announces itself at that instant",
            plain.clone(),
            &[100, 100],
            50,
            &[(3_246_009_739, Path(1, 0, false)), (7_610_022_832, Path(1, 0, true))],
        ),
        (
            "a priority that rises late ends the timer at once, not before",
            weight(20),
            &[150, 100],
            50,
            &[
                (616_001_849, Kill(1)),
                (631_001_895, Balancer(0, false)),
                (3_336_010_011, Balancer(0, true)),
            ],
        ),
        (
            "`preempt_delay` counts from an advert that was under way to a new child",
            delayed.clone(),
            &[100, 150],
            30_000,
            &[(4_821_014_465, Path(1, 0, false)), (11_054_033_166, KillChild(1))],
        ),
        (
            "`preempt_delay` is over although the last advert before was under way when the path failed",
            delayed,
            &[101, 100],
            30_000,
            &[(3_126_009_379, KillChild(0)), (10_610_031_833, Path(0, 1, false))],
        ),
        (
            "a priority changes twice between two adverts",
            weight(-20),
            &[150, 100, 150],
            30_000,
            &[
                (4_706_014_119, Balancer(0, false)),
                (5_224_015_674, Balancer(2, false)),
                (9_463_028_393, Kill(1)),
                (11_595_034_790, Carrier(0, false)),
                (14_672_044_023, Carrier(0, true)),
                (15_415_046_253, Balancer(0, true)),
            ],
        ),
        (
            "three masters at once, and one is replaced while its farewell is under way",
            plain,
            &[150, 150, 150],
            30_000,
            &[(3_863_011_590, Path(2, 1, false)), (7_445_022_337, Stop(2)), (7_445_022_338, Boot(2))],
        ),
    ];
    for (what, settings, priorities, delay, events) in cases {
        let events: Vec<(Time, Event)> =
            events.iter().map(|(at, event)| (Time::START + Duration::from_nanos(*at), *event)).collect();
        let (lazy, eager) = twins(priorities, &settings, Duration::from_micros(delay), &events);
        assert_eq!(lazy, eager, "{what}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1500,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Law: laziness is unobservable. States and ownership of the address change at the same
    /// nanoseconds as where every advert is sent.
    #[test]
    fn laziness_is_unobservable(
        priorities in prop::collection::vec(prop_oneof![Just(100_u32), Just(101), Just(150)], 2..4),
        version in 2..4_u32,
        nopreempt: bool,
        preempt_delay in prop_oneof![Just(0_u64), Just(0), Just(7)],
        weight in prop_oneof![Just(None), Just(Some(-20)), Just(Some(20)), Just(Some(0))],
        delay in prop_oneof![Just(50_u64), Just(30_000)],
        raw in prop::collection::vec((0..6000_u64, 0..7_u8, 0..3_usize, 0..3_usize), 1..14),
    ) {
        let settings = json!({
            "vrrp_version": version,
            "nopreempt": nopreempt,
            "preempt_delay": format!("{}s", if priorities.len() == 2 { preempt_delay } else { 0 }),
            "track_process": weight.map(|weight| json!({ "weight": weight })),
        });
        let events = events(priorities.len(), raw);
        let (lazy, eager) = twins(&priorities, &settings, Duration::from_micros(delay), &events);
        prop_assert_eq!(lazy, eager, "{:?}", events);
    }
}

/// Law: `check_apiserver.sh` asks for health, not for a port. Where no server in rotation is live
/// (etcd is lost, and TCP checks keep every server in rotation) both instances become faulty with
/// weight 0, and nobody holds the address until a server is well again: `U(0, 3) + 2·3 + 2` s.
#[test]
fn the_script_asks_for_health() {
    let script = json!({ "script": "check_apiserver.sh", "interval": "3s", "fall": 3 });
    for trial in 0..50 {
        let mut fake = pair(&json!({ "vrrp_script": script.clone() }), trial);
        fake.run_until(at(100));
        let server = node(2);
        let lost = ApiServerFact { health_wait: Duration::from_secs(2), ..healthy() };
        fake.set_fact(server, Fact::ApiServer(lost));
        fake.run_until(at(60_000));
        assert_eq!(holds(&fake), [false, false]);
        let dropped = held(&fake, 0, false, at(100)).unwrap().as_secs_f64();
        assert!((8.0..11.01).contains(&dropped), "{dropped}");
        fake.set_fact(server, Fact::ApiServer(healthy()));
        fake.run_until(at(80_000));
        assert_eq!(holds(&fake), [true, false]);
    }
}

/// Law: keepalived drops adverts of another version of VRRP, so that instances which do not agree
/// are both master, and stay so.
#[test]
fn mixed_versions_make_two_masters() {
    let with = |version: u32, priority: u32| {
        params(&json!({ "vrrp_version": version, "priority": priority }))
    };
    let mut mixed = fake(&[with(3, 101), with(2, 100)], DELAY, 1);
    mixed.settle();
    mixed.run_until(at(60_000));
    assert_eq!(holds(&mixed), [true, true]);
    let warned = with(2, 100).check_beside(&[&with(3, 101)]);
    assert_eq!(warned.iter().map(|p| (p.field, p.fatal)).collect::<Vec<_>>(), [("vrrp_version", false)]);
}

/// Law: with `garp_master_refresh` a master announces itself again every so many adverts, as long as
/// another one holds the address or somebody sends there; once nobody does, it costs no event.
#[test]
fn a_master_refreshes_while_somebody_may_be_wrong() {
    let mut fake = pair(&json!({ "garp_master_refresh": "2500ms" }), 3);
    fake.run_until(at(1000));
    let before = fake.steps;
    fake.run_until(at(100_000));
    assert_eq!(fake.steps, before);
    // A killed daemon leaves its address behind.
    fake.kill(node(0), Lever::Kill);
    fake.run_until(at(150_000));
    let announced = |fake: &Fake<Keepalived>| -> Vec<Time> {
        let facts = fake.facts.iter().filter(|(_, of, _)| *of == node(1));
        let mut times: Vec<Time> = facts
            .filter_map(|(_, _, fact)| match fact {
                Fact::Vrrp(fact) => fact.announced,
                _ => None,
            })
            .collect();
        times.dedup();
        times
    };
    let times = announced(&fake);
    // The second announcement of the new master comes after 5 s; all else is every third advert.
    let period = Duration::from_secs(3);
    let first = times[0];
    let renewed: Vec<Time> =
        times.iter().copied().filter(|t| *t != first + Duration::from_secs(5)).collect();
    for (n, time) in renewed.iter().enumerate() {
        assert_eq!(time.since(first), period * n as u64);
    }
    assert!(renewed.len() > 13, "{renewed:?}");
    fake.boot(node(0));
    fake.run_until(at(200_000));
    let (steps, count) = (fake.steps, announced(&fake).len());
    fake.run_until(at(400_000));
    assert_eq!((fake.steps, announced(&fake).len()), (steps, count));
}

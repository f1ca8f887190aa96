//! A balancer: health checks, or what happens to its clients' connections, decide which servers are in
//! rotation, and each connection of a client is passed on to one of them. `HAProxy` in `mode tcp` is the
//! model; NGINX and a cloud's balancer have other habits.
//!
//! Checks are planned, never ticked (see [`health_check`](crate::components::health_check)); one
//! alarm a server stands for the instant at which its verdict flips. Sessions exist only while
//! clients send single requests.
//!
//! Absent on purpose: `mode http`, weights, persistence, queues and `agent-check`; and the address
//! in front of it, which is keepalived's.

mod cloud;
mod data_path;
mod habit;
mod params;
mod passive;
mod sessions;

pub use cloud::{CloudCheck, CloudParams};
pub use params::{Balance, CheckKind, InitState, LoadBalancerParams, Observe, OnError, OnMarkedDown};
pub use habit::Habit;
pub use passive::NginxParams;

use crate::component::blame::Blame;
use crate::component::effects::{Effects, ExitStatus, HangUp};
use crate::component::fact::{Fact, LoadBalancerFact};
use crate::component::id::ComponentId;
use crate::component::lever::Lever;
use crate::component::mail::{Body, Mail};
use crate::component::map::Map;
use crate::component::view::View;
use crate::component::{Alarm, Cause, Component};
use crate::components::health_check::{Dice, HealthCheck, Luck, Rules, Target};
use crate::kernel::time::{Duration, Time};
use passive::Failures;
use sessions::Sessions;

/// The most servers that a backend can have here: the published rotation has one bit for each.
pub const SERVERS_MAX: usize = 64;

/// Purposes of draws.
const PHASE_DRAW: u32 = 0;
const SPREAD_DRAW: u32 = 1;
const TURN_DRAW: u32 = 2;
const STARTUP_DRAW: u32 = 3;
const LUCK_DRAW: u32 = 4;

/// The servers behind a balancer.
#[derive(Clone, Debug, PartialEq)]
pub struct Wiring {
    /// The API servers, in the order of the backend's list.
    pub servers: Vec<ComponentId>,
    /// How it learns which of them work.
    pub habit: Habit,
}

/// A balancer's alarms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BalancerAlarm {
    /// Its ports open.
    Listen,
    /// Everything has been published at a settled start.
    Look,
    /// The earliest time-out of a session.
    Session,
    /// The verdict on the server at this position flips.
    Verdict(usize),
}

impl Alarm for BalancerAlarm {
    fn index(self) -> usize {
        match self {
            BalancerAlarm::Listen => 0,
            BalancerAlarm::Look => 1,
            BalancerAlarm::Session => 2,
            BalancerAlarm::Verdict(server) => 3 + server,
        }
    }

    fn at_index(index: usize) -> Self {
        match index {
            0 => BalancerAlarm::Listen,
            1 => BalancerAlarm::Look,
            2 => BalancerAlarm::Session,
            server => BalancerAlarm::Verdict(server - 3),
        }
    }
}

type Fx<'a, 'b> = &'a mut Effects<'b, BalancerAlarm>;

/// One `HAProxy` process.
#[derive(Debug)]
pub struct LoadBalancer {
    params: LoadBalancerParams,
    servers: Vec<ComponentId>,
    habit: Habit,
    /// What NGINX remembers of each server.
    failures: Vec<Failures>,
    checks: Vec<HealthCheck>,
    /// Errors in a row that `observe` saw, per server.
    errors: Vec<u32>,
    /// When losses alone take a healthy server down, per server.
    unlucky: Vec<Option<Time>>,
    /// Position of the server that had the last turn.
    turn: usize,
    sessions: Sessions,
    fact: LoadBalancerFact,
    /// Numbers the process's lives, to keep their draws apart.
    lives: u64,
}

impl LoadBalancer {
    /// A balancer before its first start.
    pub fn new(_me: ComponentId, params: &LoadBalancerParams, wiring: &Wiring) -> Self {
        let count = wiring.servers.len();
        assert!(count <= SERVERS_MAX, "{count} servers, but a backend has at most {SERVERS_MAX}");
        Self {
            params: params.clone(),
            servers: wiring.servers.clone(),
            habit: wiring.habit.clone(),
            failures: vec![Failures::default(); count],
            checks: Vec::with_capacity(count),
            errors: vec![0; count],
            unlucky: vec![None; count],
            turn: 0,
            sessions: Sessions::default(),
            fact: LoadBalancerFact::default(),
            lives: 0,
        }
    }

    /// What a check of this server that is sent now would meet.
    fn target(&self, view: &View, server: usize) -> Target {
        let id = self.servers[server];
        let fact = view.api_server(id).copied().unwrap_or_default();
        let (good, wait) = match self.params.check {
            CheckKind::TcpCheck | CheckKind::SslHello => (true, Duration::ZERO),
            CheckKind::Readyz => (fact.ready, fact.health_wait),
            CheckKind::Livez | CheckKind::Healthz => (fact.live, fact.health_wait),
        };
        Target::of(view.probe(id), fact.http, good).waiting(wait)
    }

    /// A number for the spread of check n of a server, in this life of the process.
    fn with_dice<R>(&mut self, fx: Fx, server: usize, act: impl FnOnce(&mut HealthCheck, Dice) -> R) -> R {
        let stream = (self.lives << 8 | server as u64) << 32;
        let dice = |n: u64| fx.draw_keyed(SPREAD_DRAW, stream ^ n).uniform();
        act(&mut self.checks[server], &dice)
    }

    /// A system that has been at rest for long: everything up, each check at a phase of its own.
    fn settle(&mut self, view: &View, fx: Fx) {
        self.forget();
        let rules = self.rules(view);
        let good =
            Target::Answers { round_trip: Duration::ZERO, work: Duration::ZERO, good: true };
        for _ in 0..self.checked() {
            let phase = fx.draw(PHASE_DRAW).uniform_duration(Duration::ZERO, rules.inter);
            self.checks.push(HealthCheck::settled(rules, true, view.now + phase, good));
        }
        let draw = fx.draw(TURN_DRAW).below(self.servers.len().max(1) as u64);
        self.turn = usize::try_from(draw).unwrap_or(0);
        fx.set(BalancerAlarm::Look, view.now, Blame::default());
        self.listen(fx);
    }

    /// A server that never started was down for long already when a settled run begins.
    fn look(&mut self, view: &View, fx: Fx) {
        for server in 0..self.checked() {
            if view.process(self.servers[server]).incarnation == 0 {
                let rules = self.rules(view);
                let phase = fx.draw(PHASE_DRAW).uniform_duration(Duration::ZERO, rules.downinter);
                let target = self.target(view, server);
                self.checks[server] = HealthCheck::settled(rules, false, view.now + phase, target);
            }
            self.saw(server, view, fx);
        }
        self.publish(fx);
    }

    fn rules(&self, view: &View) -> Rules {
        let local = |span| view.local(span);
        let rules = match &self.habit {
            Habit::Cloud(params) => params.rules(local),
            _ => self.params.rules(local),
        };
        Rules { syn: view.all.reach.syn().into(), ..rules }
    }

    /// A process starts: every server is as `init-state` says (up, but one failure from down, unless
    /// it is given), and first checks are spread over `mininter` (`check.c`, `start_checks`).
    fn boot(&mut self, view: &View, fx: Fx) {
        self.forget();
        let startup = self.params.startup.sample(&mut fx.draw(STARTUP_DRAW));
        let rules = self.rules(view);
        let count = self.servers.len() as u64;
        for server in 0..self.checked() {
            let share = rules.inter * (server as u64 + 1) / count;
            let first = view.now + startup + share;
            let target = self.target(view, server);
            let check = HealthCheck::starting(rules, first, target);
            self.checks.push(check.believing(self.params.init_state.start()));
            self.plan(server, view, fx);
        }
        fx.set_after(BalancerAlarm::Listen, startup, "startup");
    }

    fn listen(&mut self, fx: Fx) {
        self.fact.listening = true;
        self.publish(fx);
    }

    fn publish(&mut self, fx: Fx) {
        let known = self.checks.len() == self.checked();
        let up = (0..self.servers.len()).filter(|s| known && self.is_up(*s));
        self.fact.rotation = up.fold(0, |bits, s| bits | 1 << s);
        self.fact.idle_limit = self.params.idle_limit();
        self.fact.cuts_sessions = self.params.on_marked_down == Some(OnMarkedDown::ShutdownSessions);
        fx.publish(Fact::LoadBalancer(self.fact));
    }

    /// The volatile state of a process is gone.
    fn forget(&mut self) {
        self.checks.clear();
        self.errors.fill(0);
        self.failures.fill(Failures::default());
        self.unlucky.fill(None);
        self.turn = self.servers.len().saturating_sub(1);
        self.sessions.clear();
        self.fact = LoadBalancerFact::default();
        self.lives += 1;
    }

    /// Something about a server or the path to it changed.
    fn saw(&mut self, server: usize, view: &View, fx: Fx) {
        if self.checked() == 0 {
            self.follow_path(server, view);
            return self.plan_sessions(view, fx);
        }
        let target = self.target(view, server);
        let (now, before) = (view.now, self.checks[server].target());
        self.with_dice(fx, server, |check, dice| check.see(now, target, dice));
        if before != target {
            self.hold_off(server, view, fx);
        }
        self.plan(server, view, fx);
        self.follow_path(server, view);
        self.plan_sessions(view, fx);
    }

    /// One alarm for the instant at which the verdict flips.
    fn plan(&mut self, server: usize, view: &View, fx: Fx) {
        let now = view.now;
        self.unlucky[server] = None;
        match self.with_dice(fx, server, |check, dice| check.flip(now, dice)) {
            Some(flip) => fx.set(BalancerAlarm::Verdict(server), flip.at, flip.blame),
            None => self.plan_bad_luck(server, view, fx),
        }
    }

    /// What losses on the way to a server do to its checks.
    fn luck(&self, server: usize, view: &View) -> Option<Luck> {
        let id = self.servers[server];
        self.checks[server].luck(view.loss(view.me, id), view.loss(id, view.me))
    }

    /// One alarm for the instant at which losses alone take a server down.
    fn plan_bad_luck(&mut self, server: usize, view: &View, fx: Fx) {
        let luck = self.luck(server, view);
        let down = luck.and_then(|luck| {
            self.checks[server].bad_luck(view.now, luck, &mut fx.draw(LUCK_DRAW))
        });
        self.unlucky[server] = down;
        match down {
            Some(at) => {
                let wait = at.since(view.now);
                fx.set(BalancerAlarm::Verdict(server), at, Blame::of("packet loss", wait));
            }
            None => fx.clear(BalancerAlarm::Verdict(server)),
        }
    }

    /// A server that is down answers checks again, as far as losses let them pass.
    fn hold_off(&mut self, server: usize, view: &View, fx: Fx) {
        if let Some(luck) = self.luck(server, view).filter(|_| !self.is_up(server)) {
            self.checks[server].hold_off(luck, &mut fx.draw(LUCK_DRAW));
        }
    }

    /// The verdict on a server flips.
    fn decide(&mut self, server: usize, view: &View, fx: Fx) {
        if self.checked() == 0 {
            return self.forgive(server, fx);
        }
        let (up, now) = (self.is_up(server), view.now);
        let unlucky = self.unlucky[server] == Some(now);
        self.with_dice(fx, server, |check, dice| {
            check.advance(now, dice);
            if unlucky {
                check.condemn(now, dice);
                check.start_over(now);
            }
        });
        if unlucky {
            self.hold_off(server, view, fx);
        }
        self.plan(server, view, fx);
        if up && !self.is_up(server) {
            self.marked_down(server, fx);
        }
        self.publish(fx);
        self.plan_sessions(view, fx);
    }

    fn marked_down(&mut self, server: usize, fx: Fx) {
        self.errors[server] = 0;
        if self.params.on_marked_down == Some(OnMarkedDown::ShutdownSessions) {
            self.cut_sessions(server, fx);
            fx.hang_up(HangUp::Cut(self.servers[server]));
        }
    }

    /// The process executes again after a pause.
    fn resume(&mut self, view: &View, fx: Fx) {
        for server in 0..self.checks.len() {
            let target = self.target(view, server);
            self.checks[server].wake(view.now, target);
            self.plan(server, view, fx);
            self.follow_path(server, view);
        }
        self.plan_sessions(view, fx);
    }

    fn clock_changed(&mut self, view: &View, fx: Fx) {
        let rules = self.rules(view);
        for server in 0..self.checks.len() {
            self.with_dice(fx, server, |check, dice| check.change_rules(view.now, rules, dice));
            self.plan(server, view, fx);
        }
    }
}

impl Component for LoadBalancer {
    type Alarm = BalancerAlarm;

    fn alarms(&self) -> usize {
        BalancerAlarm::Verdict(self.servers.len()).index()
    }

    fn watches(&self, _map: &Map) -> Vec<ComponentId> {
        self.servers.clone()
    }

    fn on(&mut self, cause: Cause<BalancerAlarm>, view: &View, fx: Fx) {
        match cause {
            Cause::Settle => self.settle(view, fx),
            Cause::Boot => self.boot(view, fx),
            Cause::Alarm(BalancerAlarm::Listen) => self.listen(fx),
            Cause::Alarm(BalancerAlarm::Look) => self.look(view, fx),
            Cause::Alarm(BalancerAlarm::Session) => self.time_out(view, fx),
            Cause::Alarm(BalancerAlarm::Verdict(server)) => self.decide(server, view, fx),
            Cause::Saw(of) => {
                for server in 0..self.servers.len() {
                    let known = self.checks.len() == self.checked();
                    if known && self.servers[server] == of {
                        self.saw(server, view, fx);
                    }
                }
            }
            Cause::Mail(Mail { from, body: Body::Call(call) }) => self.accept(from, call, view, fx),
            Cause::Mail(Mail { from, body: Body::Begun(begun) }) => {
                self.resume_session(from, begun, view, fx);
            }
            Cause::Mail(Mail { body: Body::Reply(reply), .. }) => self.answer(reply, view, fx),
            Cause::Lever(Lever::Stop) => fx.exit(ExitStatus::Clean),
            Cause::Lever(Lever::Kill | Lever::PowerLoss) => {
                self.forget();
                fx.publish(Fact::Absent);
            }
            Cause::Lever(Lever::Resume) => self.resume(view, fx),
            Cause::Lever(Lever::ClockRate(_)) => self.clock_changed(view, fx),
            Cause::Mail(_) | Cause::Lever(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;

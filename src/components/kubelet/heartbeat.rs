//! The node Lease: renewed steadily without events, and attempt by attempt while something is wrong.
//!
//! A kubelet keeps one connection to one API server, so other servers' faults do not touch it. When
//! that connection is reset it dials again at its next renewal; when it is half-dead, attempts run into
//! their time-out until it is closed (see [`connection`](super::connection)). On a path that loses packets
//! for good, only the next renewal is drawn that all its retransmissions do not save in time. Five
//! attempts follow each other at once, further ones wait 0.2, 0.4 … 7 s.
//!
//! A renewal is booked when its answer is back. Absent on purpose: the Lease object itself; the
//! node monitor reads the renewals from the kubelet's fact.

use super::connection::Connection;
use super::{Alarm, Kubelet, LOSS_DRAW, PHASE_DRAW, SERVER_DRAW};
use crate::component::fact::{Fact, KubeletFact, Renewals};
use crate::component::mail::{Body, Call, Op, Outcome};
use crate::component::{Blame, Effects, Kind, View};
use crate::kernel::cadence::Cadence;
use crate::kernel::time::{Duration, Time};
use crate::transport::loss::tries_before;
use crate::transport::retransmission::Schedule;

/// Attempts at once before the waits begin. kubelet: `maxUpdateRetries` 5.
const ATTEMPTS_AT_ONCE: u32 = 5;

/// First wait after that, doubling, and its cap. kubelet: lease controller, `backoffEnsureLease`.
const WAIT_FIRST: Duration = Duration::from_millis(200);
const WAIT_MAX: Duration = Duration::from_secs(7);

/// A renewal that was turned away (429) is sent again so much later. client-go: `rest/with_retry.go`.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// How renewals are made at present.
#[derive(Clone, Copy, Debug, Default)]
enum Mode {
    /// Not at all.
    #[default]
    Off,
    /// They have been going on; the path cannot be seen yet.
    Settling,
    /// Without events: answers come back at the ticks, each this long after it was sent.
    /// With losses a renewal fails this often.
    Steady { answers: Cadence, latency: Duration, fails: f64 },
    /// The next one is planned.
    Planned,
    /// One is under way: a call, or (`None`) data on a half-dead connection.
    Waiting { call: Option<u64>, until: Time },
}

/// State of the renewals.
#[derive(Clone, Debug, Default)]
pub(super) struct Heartbeat {
    mode: Mode,
    pub(super) connection: Option<Connection>,
    pub(super) failures: u32,
    /// At which address of the kubeconfig's name a new connection is tried, counting on.
    pub(super) address: usize,
    last: Option<Time>,
    /// The renewal that is waited for has been lost so often that it will not be answered.
    doomed: bool,
    /// When the last frame came on the connection.
    pub(super) heard: Option<Time>,
    /// The connection was half-dead when last looked at.
    pub(super) was_stuck: bool,
    /// When data were first sent on the half-dead connection.
    pub(super) dead_since: Option<Time>,
    /// Makes every renewal one by one: the twin that shows that laziness is unobservable.
    pub(super) eager: bool,
}

impl Heartbeat {
    /// Whether renewals go on without events: the last answer then shows when that ends.
    pub(super) fn is_steady(&self) -> bool {
        matches!(self.mode, Mode::Steady { .. })
    }

    pub(super) fn awaits(&self, id: u64) -> bool {
        matches!(self.mode, Mode::Waiting { call: Some(call), .. } if call == id)
    }

    /// The process is gone: what had been renewed by then stays.
    pub(super) fn end(&mut self, view: &View) -> Renewals {
        self.book(view.now);
        let last = self.last;
        *self = Self { last, eager: self.eager, ..Self::default() };
        self.renewals()
    }

    /// Ends the steady mode at `now`, if it is on; returns when the next renewal is sent (in the past
    /// if it is under way).
    fn book(&mut self, now: Time) -> Option<Time> {
        let Mode::Steady { answers, latency, .. } = self.mode else { return None };
        self.last = answers.last_at_or_before(now).max(self.last);
        self.heard = self.heard.max(self.last);
        self.mode = Mode::Planned;
        let next = answers.first_after(now);
        Some(Time::from_nanos(next.as_nanos().saturating_sub(latency.as_nanos())))
    }

    fn renewals(&self) -> Renewals {
        match self.mode {
            Mode::Steady { answers, .. } => Renewals::Every(answers),
            _ => self.last.map_or(Renewals::Never, Renewals::Once),
        }
    }
}

impl Kubelet {
    fn renew_interval(&self) -> Duration {
        self.params.renew_interval()
    }

    /// The client's time-out of a heartbeat.
    fn heartbeat_timeout(&self) -> Duration {
        let lease = Duration::from_secs(u64::from(self.params.lease_duration_seconds));
        self.params.status_update_frequency.min(lease)
    }

    fn publish_renewals(&self, fx: &mut Effects<Alarm>) {
        let renewals = self.heartbeat.renewals();
        fx.publish(Fact::Kubelet(KubeletFact { renewals }));
    }

    /// Renewals have been going on; which server they go to shows once all facts are out.
    pub(super) fn settle_heartbeat(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        let interval = self.renew_interval();
        let age = fx.draw(PHASE_DRAW).uniform_duration(Duration::ZERO, interval);
        self.heartbeat.last = Some(view.now - age);
        self.heartbeat.heard = self.heartbeat.last;
        self.heartbeat.mode = Mode::Settling;
        fx.set(Alarm::Renew, view.now, Blame::default());
        self.publish_renewals(fx);
    }

    /// The kubelet begins to work.
    pub(super) fn begin_heartbeat(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        self.heartbeat.failures = 0;
        self.heartbeat.mode = Mode::Planned;
        self.renew(view, fx);
    }

    /// A renewal is due.
    pub(super) fn renew(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        if matches!(self.heartbeat.mode, Mode::Settling) {
            self.settled(view, fx);
            return;
        }
        if self.heartbeat.book(view.now).is_some() {
            self.heartbeat.doomed = true;
            self.await_answer(None, view.now, view, fx);
            self.publish_renewals(fx);
            return;
        }
        self.drop_given_up(view);
        if self.is_stuck(view) {
            self.heartbeat.dead_since.get_or_insert(view.now);
            self.await_answer(None, view.now, view, fx);
        } else {
            self.heartbeat.dead_since = None;
            self.attempt(view.now, view, fx);
        }
    }

    /// Makes a renewal real that was sent at `sent`, now or a moment ago.
    fn attempt(&mut self, sent: Time, view: &View, fx: &mut Effects<Alarm>) {
        let id = self.new_call();
        let deadline = sent + self.heartbeat_timeout();
        fx.send(self.server(), Body::Call(Call { id, op: Op::RenewNodeLease, deadline }));
        self.await_answer(Some(id), sent, view, fx);
    }

    fn await_answer(
        &mut self,
        call: Option<u64>,
        sent: Time,
        view: &View,
        fx: &mut Effects<Alarm>,
    ) {
        let until = sent + self.heartbeat_timeout();
        self.heartbeat.mode = Mode::Waiting { call, until };
        let dead = self.heartbeat.dead_since.filter(|_| call.is_none());
        let given_up = dead.map(|since| self.gives_up(since));
        let (at, name) = given_up.filter(|(at, _)| *at < until).unwrap_or((until, "heartbeat timeout"));
        let at = at.max(view.now);
        fx.set(Alarm::RenewTimeout, at, Blame::of(name, at.since(view.now)));
    }

    /// All facts are out: renewals go on, without events if the path works.
    fn settled(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        if !self.go_steady(view, fx) {
            let due = self.heartbeat.last.map_or(view.now, |last| last + self.renew_interval());
            self.plan_renewal(due, view, fx);
        }
        self.publish_renewals(fx);
    }

    fn plan_renewal(&mut self, at: Time, view: &View, fx: &mut Effects<Alarm>) {
        self.heartbeat.mode = Mode::Planned;
        let at = at.max(view.now);
        fx.set(Alarm::Renew, at, Blame::of("node lease renewal", at.since(view.now)));
    }

    /// An attempt ran into its time-out.
    pub(super) fn renewal_silent(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        if let Mode::Waiting { call: Some(call), .. } = self.heartbeat.mode {
            fx.close(call);
        }
        self.heartbeat.doomed = false;
        self.renewal_failed(view, fx);
    }

    fn renewal_failed(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        self.heartbeat.failures += 1;
        if self.heartbeat.connection.is_none() {
            self.heartbeat.address += 1;
        }
        self.review_failure(view);
        let Some(late) = self.heartbeat.failures.checked_sub(ATTEMPTS_AT_ONCE) else {
            self.renew(view, fx);
            return;
        };
        let wait = (WAIT_FIRST * (1 << late.min(16))).min(WAIT_MAX);
        self.plan_renewal(view.now + wait, view, fx);
    }

    /// An attempt was answered.
    pub(super) fn renewal_answered(
        &mut self,
        outcome: Outcome,
        view: &View,
        fx: &mut Effects<Alarm>,
    ) {
        fx.clear(Alarm::RenewTimeout);
        self.heartbeat.heard = Some(view.now);
        if outcome == Outcome::TooMany {
            self.plan_renewal(view.now + RETRY_AFTER, view, fx);
            return;
        }
        if outcome != Outcome::Done {
            self.renewal_failed(view, fx);
            return;
        }
        self.heartbeat.failures = 0;
        self.heartbeat.last = Some(view.now);
        if !self.go_steady(view, fx) {
            self.plan_renewal(view.now + self.renew_interval(), view, fx);
        }
        self.publish_renewals(fx);
    }

    /// Connects for good where that works now; renewals then need no events.
    fn go_steady(&mut self, view: &View, fx: &mut Effects<Alarm>) -> bool {
        let Some(last) = self.heartbeat.last else { return false };
        let kept = self.heartbeat.connection.zip(self.still_works(view));
        let Some((connection, latency)) = kept.or_else(|| self.connect(view, fx)) else {
            return false;
        };
        self.heartbeat.connection = Some(connection);
        if self.heartbeat.eager || latency >= self.heartbeat_timeout() {
            return false;
        }
        let answers = Cadence::new(last, self.renew_interval() + latency);
        let fails = connection.fails(view, self.heartbeat_timeout() - latency);
        self.heartbeat.mode = Mode::Steady { answers, latency, fails };
        fx.clear(Alarm::Renew);
        if fails > 0.0
            && let Some(before) = tries_before(fails, &mut fx.draw(LOSS_DRAW))
        {
            let answer = answers.nth_after(view.now, before.saturating_add(1));
            let sent = (answer - latency).max(view.now);
            fx.set(Alarm::Renew, sent, Blame::of("packet loss", sent.since(view.now)));
        }
        true
    }

    /// A server that a new connection may reach and that works.
    fn connect(&self, view: &View, fx: &mut Effects<Alarm>) -> Option<(Connection, Duration)> {
        let at = view.resolve(self.server())?;
        if view.map().component(at).kind != Kind::LoadBalancer {
            let connection = Connection { balancer: None, server: at, made: view.now };
            return Some((connection, connection.latency(view)?));
        }
        let rotation = view.load_balancer(at)?.rotation;
        let servers = self.wiring.api_servers.iter().enumerate();
        let working: Vec<(Connection, Duration)> = servers
            .filter(|(bit, _)| rotation >> bit & 1 == 1)
            .map(|(_, server)| Connection { balancer: Some(at), server: *server, made: view.now })
            .filter_map(|c| Some((c, c.latency(view)?)))
            .collect();
        if working.is_empty() {
            return None;
        }
        let chosen = fx.draw(SERVER_DRAW).below(working.len() as u64);
        working.get(usize::try_from(chosen).unwrap_or(0)).copied()
    }

    /// Whether the connection still stands and how long a renewal takes over it.
    fn still_works(&self, view: &View) -> Option<Duration> {
        let connection = self.heartbeat.connection?;
        if connection.balancer.is_some() && view.resolve(self.server()) != connection.balancer {
            return None;
        }
        connection.latency(view)
    }

    /// Whether the API can be asked and told things now: over the connection that it has, or, where
    /// chance decides about each packet, as its last renewal says.
    pub(super) fn online(&self, view: &View) -> bool {
        if self.heartbeat.connection.is_some() {
            return self.still_works(view).is_some();
        }
        let last = self.heartbeat.renewals().last(view.now);
        let recent = |last: Time| view.now.saturating_since(last) <= self.renew_interval() * 2;
        self.heartbeat.failures == 0 && last.is_some_and(recent)
    }

    /// How likely losses let a renewal over the connection fail.
    fn fails(&self, latency: Duration, view: &View) -> Option<f64> {
        let patience = self.heartbeat_timeout().saturating_sub(latency);
        self.heartbeat.connection.map(|connection| connection.fails(view, patience))
    }

    /// Something on the path changed.
    pub(super) fn review_heartbeat(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        let cut = self.review_connection(view);
        match self.heartbeat.mode {
            // What was under way on a connection that is cut has failed.
            Mode::Waiting { call: None, .. } if cut => {
                self.heartbeat.doomed = false;
                fx.clear(Alarm::RenewTimeout);
                self.renewal_failed(view, fx);
            }
            Mode::Steady { latency, fails, .. }
                if self.still_works(view) != Some(latency)
                    || self.fails(latency, view) != Some(fails) =>
            {
                self.interrupt_heartbeat(view, fx);
            }
            // What waits in a half-dead connection gets through again when it is retransmitted.
            Mode::Waiting { call: None, until }
                if !self.heartbeat.doomed && self.still_works(view).is_some() =>
            {
                let sent = until - self.heartbeat_timeout();
                let again = Schedule::data(sent);
                fx.clear(Alarm::RenewTimeout);
                self.plan_renewal(again.at_or_after(view.now).unwrap_or(until), view, fx);
            }
            _ => {}
        }
    }

    /// Leaves the steady mode: the next renewal is made one by one, now if it was under way.
    pub(super) fn interrupt_heartbeat(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        let Some(next) = self.heartbeat.book(view.now) else { return };
        fx.clear(Alarm::Renew);
        if next < view.now {
            self.attempt(next, view, fx);
        } else {
            self.plan_renewal(next, view, fx);
        }
        self.publish_renewals(fx);
    }
}

//! The balancer's data path: whose turn it is, and what happens when a server does not answer.

use super::sessions::{Session, stands};
use super::{BalancerAlarm, Fx, Habit, LoadBalancer, OnError};
use crate::component::blame::Blame;
use crate::component::id::ComponentId;
use crate::component::mail::{Begun, Body, Call, Outcome, Reply};
use crate::component::view::{Probe, View};
use crate::kernel::time::{Duration, Time};

/// The turn-around before a refusing server is tried again, unless `timeout connect` is shorter.
/// `HAProxy`: `back_handle_st_cer`, `MS_TO_TICKS(1000)`.
const TURN_AROUND: Duration = Duration::from_secs(1);

impl LoadBalancer {
    /// The server whose turn it is, among those that are up; it has had its turn then.
    fn next_server(&mut self) -> Option<usize> {
        let count = self.servers.len();
        let next = (1..=count).map(|step| (self.turn + step) % count).find(|s| self.is_up(*s))?;
        self.turn = next;
        Some(next)
    }

    fn any_up(&self) -> bool {
        (0..self.servers.len()).any(|server| self.is_up(server))
    }

    /// The next server, another one than `avoided` if there is one; that one loses its turn
    /// (`lb_fwrr.c`, `srvtoavoid`).
    fn next_server_but(&mut self, avoided: usize) -> Option<usize> {
        self.next_server().and_then(|next| if next == avoided { self.next_server() } else { Some(next) })
    }

    /// A client's request: passed on, or its connection closed if there is no server.
    pub(super) fn accept(&mut self, client: ComponentId, call: Call, view: &View, fx: Fx) {
        let now = view.now;
        let waiting = Session {
            client,
            call,
            server: 0,
            retries: self.params.retries,
            first: now,
            stands: Time::NEVER,
            turning: false,
            deadline: call.deadline,
            reason: "",
        };
        match self.next_server() {
            Some(server) => {
                self.chosen(server, view, fx);
                self.connect(Session { server, ..waiting }, view, fx);
            }
            None => reset(&waiting, fx),
        }
        self.plan_sessions(view, fx);
    }

    /// A request that a client began a while ago: it has been passed on already, or is about to be.
    pub(super) fn resume_session(&mut self, client: ComponentId, begun: Begun, view: &View, fx: Fx) {
        let Some(server) = self.next_server() else {
            return self.accept(client, begun.call, view, fx);
        };
        let to = self.servers[server];
        let session = Session {
            client,
            call: begun.call,
            server,
            retries: self.params.retries,
            first: begun.at,
            stands: begun.at + view.round_trip(view.me, to),
            turning: false,
            deadline: begun.call.deadline,
            reason: "",
        };
        let id = self.sessions.open(self.with_deadline(session, view));
        let call = Call { id, ..begun.call };
        fx.send(to, Body::Begun(Begun { call, server: to, ..begun }));
        self.plan_sessions(view, fx);
    }

    /// Sends a request on to the session's server, on a connection of its own.
    fn connect(&mut self, session: Session, view: &View, fx: Fx) {
        let to = self.servers[session.server];
        let stands = match view.probe(to) {
            Probe::Hung(round_trip) | Probe::Answers(round_trip) => view.now + round_trip,
            _ => Time::NEVER,
        };
        let session = Session { first: view.now, stands, turning: false, ..session };
        let key = self.sessions.open(self.with_deadline(session, view));
        fx.send(to, Body::Call(Call { id: key, ..session.call }));
    }

    /// A session with the end that its present wait has: the client's own, or a time-out.
    fn with_deadline(&self, session: Session, view: &View) -> Session {
        let after = |since: Time, wait: Option<Duration>| {
            wait.map_or(Time::NEVER, |wait| since + view.local(wait))
        };
        let connect = after(session.first, self.params.timeout_connect);
        let (limit, reason) = if session.stands > connect {
            (connect, "timeout connect")
        } else {
            let server = after(session.stands, self.params.timeout_server);
            let client = after(session.stands, self.params.timeout_client);
            if client < server { (client, "timeout client") } else { (server, "timeout server") }
        };
        Session { deadline: limit, reason, ..session }.until_client_leaves()
    }

    /// The path to a server changed: SYNs that are repeated from now on meet what is there now.
    pub(super) fn follow_path(&mut self, server: usize, view: &View) {
        let probe = view.probe(self.servers[server]);
        for key in self.sessions.of_server(server) {
            let Some(session) = self.sessions.close(key) else { continue };
            let followed = if session.turning || session.stands <= view.now {
                session
            } else {
                let stands = match probe {
                    Probe::Hung(round_trip) | Probe::Answers(round_trip) => {
                        stands(session.first, view, round_trip)
                    }
                    _ => Time::NEVER,
                };
                self.with_deadline(Session { stands, ..session }, view)
            };
            self.sessions.reopen(key, followed);
        }
    }

    /// The earliest time-out of a session is due.
    pub(super) fn time_out(&mut self, view: &View, fx: Fx) {
        while let Some((at, key, _)) = self.sessions.next_deadline() {
            if at > view.now {
                break;
            }
            if let Some(session) = self.sessions.close(key) {
                self.time_out_of(key, session, view, fx);
            }
        }
        self.plan_sessions(view, fx);
    }

    fn time_out_of(&mut self, key: u64, session: Session, view: &View, fx: Fx) {
        if !session.turning {
            fx.close(key);
        }
        if session.call.deadline <= view.now {
            return;
        }
        if session.turning {
            let dead = self.params.redispatch && !self.is_up(session.server);
            let other = if dead { self.next_server() } else { None };
            let server = other.unwrap_or(session.server);
            self.connect(Session { server, ..session }, view, fx);
        } else if session.stands <= view.now {
            reset(&session, fx);
        } else {
            self.observed(session.server, false, view, fx);
            self.retry(session, false, view, fx);
        }
    }

    /// A server's answer, or what the transport says instead of one.
    pub(super) fn answer(&mut self, reply: Reply, view: &View, fx: Fx) {
        let Some(session) = self.sessions.close(reply.id) else { return };
        match reply.outcome {
            Outcome::Refused | Outcome::Unreachable => {
                self.observed(session.server, false, view, fx);
                self.retry(session, true, view, fx);
            }
            // The kernel gave up connecting.
            Outcome::TimedOut if session.stands.is_never() => {
                self.retry(session, false, view, fx);
            }
            outcome => {
                self.observed(session.server, true, view, fx);
                let reply = Reply { id: session.call.id, outcome };
                fx.send(session.client, Body::Reply(reply));
            }
        }
        self.plan_sessions(view, fx);
    }

    /// An attempt to connect failed: another server at once, the same one (after a turn-around if it
    /// refused), or the end.
    fn retry(&mut self, session: Session, refused: bool, view: &View, fx: Fx) {
        if session.retries == 0 {
            return reset(&session, fx);
        }
        let session = Session { retries: session.retries - 1, ..session };
        // NGINX tries each server once.
        if matches!(self.habit, Habit::Passive { .. }) && !self.any_up() {
            return reset(&session, fx);
        }
        let active = (0..self.servers.len()).filter(|s| self.is_up(*s)).count();
        let elsewhere = self.params.redispatch && (active > 1 || !self.is_up(session.server));
        if elsewhere && let Some(server) = self.next_server_but(session.server) {
            self.chosen(server, view, fx);
            return self.connect(Session { server, ..session }, view, fx);
        }
        if !refused {
            return self.connect(session, view, fx);
        }
        let wait = self.params.timeout_connect.map_or(TURN_AROUND, |limit| limit.min(TURN_AROUND));
        let deadline = view.now + view.local(wait);
        let waiting = Session { turning: true, deadline, reason: "retries (turn-around)", ..session };
        self.sessions.open(waiting.until_client_leaves());
    }

    /// Cuts every session with a server (`on-marked-down shutdown-sessions`).
    pub(super) fn cut_sessions(&mut self, server: usize, fx: Fx) {
        for key in self.sessions.of_server(server) {
            if let Some(session) = self.sessions.close(key) {
                fx.close(key);
                reset(&session, fx);
            }
        }
    }

    /// One alarm for the earliest time-out.
    pub(super) fn plan_sessions(&mut self, view: &View, fx: Fx) {
        match self.sessions.next_deadline() {
            Some((at, _, reason)) => {
                let at = at.max(view.now);
                fx.set(BalancerAlarm::Session, at, Blame::of(reason, at.since(view.now)));
            }
            None => fx.clear(BalancerAlarm::Session),
        }
    }

    /// `observe layer4`: what traffic shows of a server (`check.c`, `__health_adjust`).
    fn observed(&mut self, server: usize, good: bool, view: &View, fx: Fx) {
        self.learned(server, good, view, fx);
        if self.params.observe.is_none() {
            return;
        }
        self.errors[server] = if good { 0 } else { self.errors[server] + 1 };
        if self.errors[server] < self.params.error_limit {
            return;
        }
        self.errors[server] = 0;
        let (up, now, action) = (self.is_up(server), view.now, self.params.on_error);
        self.with_dice(fx, server, |check, dice| {
            match action {
                OnError::Fastinter => {}
                OnError::FailCheck => check.fail(now, dice),
                OnError::SuddenDeath => check.weaken(now, dice),
                OnError::MarkDown => check.condemn(now, dice),
            }
            check.hasten(now, dice);
        });
        self.plan(server, view, fx);
        if up && !self.is_up(server) {
            self.marked_down(server, fx);
            self.publish(fx);
        }
    }
}

/// In `mode tcp` a client whose request cannot be served finds its connection closed.
fn reset(session: &Session, fx: Fx) {
    let reply = Reply { id: session.call.id, outcome: Outcome::Reset };
    fx.send(session.client, Body::Reply(reply));
}

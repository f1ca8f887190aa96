//! A long-lived HTTP/2 connection as the program sees that holds it: dialled when first needed, used
//! for every request, given up when a ping stays without an answer.
//!
//! While the path is constant and requests are answered, nothing here needs an event: when the last
//! frame came follows from the schedule of requests and pings ([`Connection::carried_on`]).
//!
//! Absent on purpose: what travels on it, who waits for it, and whether failed requests are repeated.

use crate::component::effects::Standing;
use crate::component::fact::Resource;
use crate::component::mail::{Ask, Body, Call, Op, Outcome, Reply};
use crate::component::record::RequestClass;
use crate::component::view::Probe;
use crate::component::{Alarm, ComponentId, Effects, Kind, View};
use crate::components::path;
use crate::kernel::stream::Draw;
use crate::kernel::time::{Duration, Time};

/// Go's HTTP/2 client gives a TCP connection up after 30 s (client-go `net.Dialer` `Timeout`) and the
/// TLS handshake after 10 s (client-go transport/cache.go, `tlsHandshakeTimeout`); it sends a PING
/// after some silence, and closes the connection if no answer comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// From the last frame that came until a PING is sent; zero: none ever is.
    pub read_idle: Duration,
    /// How long the answer to a PING may take.
    pub ping_timeout: Duration,
    /// How long a TCP connection may take to come about.
    pub dial_timeout: Duration,
    /// How long the TLS handshake on it may take.
    pub handshake_timeout: Duration,
}

/// What an answer meant to a connection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum News {
    /// Nothing: the answer is not the connection's own.
    NotMine,
    /// It stands.
    Opened,
    /// It could not be opened.
    Failed(Outcome),
    /// A PING was answered.
    Pong,
}

/// What an alarm meant to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rung {
    /// A PING was sent, or nothing was due.
    Nothing,
    /// It could not be opened in time.
    DialFailed,
    /// It is closed: by a balancer that saw nothing pass, or after a PING without an answer.
    Lost,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Closed,
    Dialling { call: u64, target: ComponentId, until: Time, limit: &'static str },
    Open { ends: Standing, heard: Time, sent: Time, ping: Option<(u64, Time)> },
}

/// A connection, or the lack of one.
#[derive(Clone, Copy, Debug)]
pub struct Connection {
    settings: Settings,
    state: State,
}

impl Connection {
    /// No connection yet.
    pub fn new(settings: Settings) -> Self {
        Self { settings, state: State::Closed }
    }

    /// Forgets it: the process is gone, or the server takes nothing more on it.
    pub fn forget(&mut self) {
        self.state = State::Closed;
    }

    /// Whether there is neither a connection nor an attempt at one.
    pub fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// The connection that stands.
    pub fn standing(&self) -> Option<Standing> {
        match self.state {
            State::Open { ends, .. } => Some(ends),
            _ => None,
        }
    }

    /// How long a request takes on it, if it stands and its path works; `None` too where it would be
    /// cut between requests that are `every` apart.
    pub fn latency(
        &self,
        what: (RequestClass, Resource),
        every: Duration,
        view: &View,
    ) -> Option<Duration> {
        let ends = self.standing().filter(|ends| view.flows(ends.id))?;
        let silence = if self.pings() { self.settings.read_idle.min(every) } else { every };
        if idle_limit(ends, view).is_some_and(|limit| silence >= limit) {
            return None;
        }
        path::latency_on(view, view.me, (ends.near, ends.server), what)
    }

    fn pings(&self) -> bool {
        !self.settings.read_idle.is_zero()
    }

    /// Takes up, at a settled start, a connection that has been standing for long: to the server that
    /// is named, else to one of those that a new one could reach, drawn evenly.
    pub fn adopt<A: Alarm>(
        &mut self,
        id: u64,
        target: ComponentId,
        (servers, named): (&[ComponentId], Option<ComponentId>),
        draw: &mut Draw,
        view: &View,
        fx: &mut Effects<A>,
    ) -> bool {
        let Some(near) = view.resolve(target) else { return false };
        let reachable = reachable(near, servers, view);
        let at = usize::try_from(draw.below(reachable.len().max(1) as u64)).unwrap_or(0);
        let named = named.filter(|server| reachable.contains(server));
        let Some(server) = named.or(reachable.get(at).copied()) else { return false };
        let ends = Standing { id, target, near, server };
        fx.adopt(ends);
        self.state = State::Open { ends, heard: view.now, sent: view.now, ping: None };
        true
    }

    /// Begins to connect.
    pub fn dial<A: Alarm>(
        &mut self,
        id: u64,
        target: ComponentId,
        view: &View,
        fx: &mut Effects<A>,
    ) {
        let accepts = |to| matches!(view.probe(to), Probe::Answers(_) | Probe::Hung(_));
        let connects = view.resolve(target).is_some_and(accepts);
        let (wait, limit) = if connects {
            (self.settings.handshake_timeout, "TLS handshake timeout")
        } else {
            (self.settings.dial_timeout, "dial timeout")
        };
        let until = view.now + wait;
        fx.send(target, Body::Call(Call { id, op: Op::Open, deadline: until }));
        self.state = State::Dialling { call: id, target, until, limit };
    }

    /// Sends a request on it.
    pub fn ask<A: Alarm>(&mut self, call: Call, view: &View, fx: &mut Effects<A>) {
        if let State::Open { ends, sent, .. } = &mut self.state {
            *sent = view.now;
            fx.send(ends.near, Body::Ask(Ask { connection: ends.id, call }));
        }
    }

    /// An answer came, from `from`.
    pub fn hear(&mut self, reply: &Reply, from: ComponentId, view: &View) -> News {
        match &mut self.state {
            State::Dialling { call, target, .. } if *call == reply.id => {
                let Outcome::Opened(server) = reply.outcome else {
                    self.state = State::Closed;
                    return News::Failed(reply.outcome);
                };
                let ends = Standing { id: *call, target: *target, near: from, server };
                self.state = State::Open { ends, heard: view.now, sent: view.now, ping: None };
                News::Opened
            }
            State::Open { heard, ping, .. } => {
                *heard = view.now;
                if ping.is_some_and(|(call, _)| call == reply.id) {
                    *ping = None;
                    return News::Pong;
                }
                News::NotMine
            }
            _ => News::NotMine,
        }
    }

    /// Requests were answered up to `last` without events, one each `every`; pings filled the pauses.
    pub fn carried_on(&mut self, last: Time, view: &View) {
        let pings = self.pings();
        let State::Open { ends, heard, sent, .. } = &mut self.state else { return };
        let around = view.round_trip(view.me, ends.near) + view.round_trip(ends.near, ends.server);
        let cycle = self.settings.read_idle.saturating_add(around);
        let last = last.max(*heard);
        let silent = view.now.saturating_since(last).as_nanos();
        let pinged = if pings { silent / cycle.as_nanos().max(1) } else { 0 };
        *heard = last + cycle * pinged;
        *sent = *heard;
    }

    /// The holder's clock stood still for so long, and its timers with it.
    pub fn slept(&mut self, by: Duration) {
        match &mut self.state {
            State::Closed => {}
            State::Dialling { until, .. } => *until += by,
            State::Open { heard, sent, ping, .. } => {
                *heard += by;
                *sent += by;
                if let Some((_, until)) = ping {
                    *until += by;
                }
            }
        }
    }

    /// The transport reports the end of a connection; whether it is this one.
    pub fn broken(&mut self, id: u64) -> bool {
        let mine = self.standing().is_some_and(|ends| ends.id == id);
        if mine {
            self.state = State::Closed;
        }
        mine
    }

    /// Closes it, or stops trying to open it.
    pub fn close<A: Alarm>(&mut self, fx: &mut Effects<A>) {
        match self.state {
            State::Closed => {}
            State::Dialling { call, .. } => fx.close(call),
            State::Open { ends, .. } => fx.close(ends.id),
        }
        self.state = State::Closed;
    }

    /// When something is due, and by which setting.
    pub fn due(&self, view: &View) -> Option<(Time, &'static str)> {
        match self.state {
            State::Closed => None,
            State::Dialling { until, limit, .. } => Some((until, limit)),
            State::Open { ends, heard, sent, ping } => {
                let ping = match ping {
                    Some((_, until)) => Some((until, "HTTP/2 ping timeout")),
                    None if self.pings() => {
                        Some((heard + self.settings.read_idle, "HTTP/2 read idle timeout"))
                    }
                    None => None,
                };
                let limit = idle_limit(ends, view).map(|limit| heard.max(sent) + limit);
                let cut = limit.map(|at| (at, "idle time-out of the balancer"));
                [ping, cut].into_iter().flatten().min()
            }
        }
    }

    /// Whatever is due happens; `id` is free for a PING.
    pub fn ring<A: Alarm>(&mut self, id: u64, view: &View, fx: &mut Effects<A>) -> Rung {
        if self.due(view).is_none_or(|(at, _)| at > view.now) {
            return Rung::Nothing;
        }
        match &mut self.state {
            State::Open { ends, heard, sent, ping: ping @ None }
                if !self.settings.read_idle.is_zero()
                    && *heard + self.settings.read_idle <= view.now =>
            {
                let until = view.now + self.settings.ping_timeout;
                *ping = Some((id, until));
                *sent = view.now;
                let call = Call { id, op: Op::Connect, deadline: until };
                fx.send(ends.near, Body::Ask(Ask { connection: ends.id, call }));
                Rung::Nothing
            }
            State::Dialling { .. } => {
                self.close(fx);
                Rung::DialFailed
            }
            _ => {
                self.close(fx);
                Rung::Lost
            }
        }
    }
}

/// How long the balancer in the middle, if any, lets a connection be silent.
fn idle_limit(ends: Standing, view: &View) -> Option<Duration> {
    view.load_balancer(ends.near)?.idle_limit
}

/// The servers that a new connection to `near` may reach.
fn reachable(near: ComponentId, servers: &[ComponentId], view: &View) -> Vec<ComponentId> {
    if view.map().component(near).kind != Kind::LoadBalancer {
        return vec![near];
    }
    let rotation = view.load_balancer(near).map_or(0, |fact| fact.rotation);
    let chosen = servers.iter().enumerate().filter(|(bit, _)| rotation >> bit & 1 == 1);
    let opens = (RequestClass::Connect, Resource::Objects);
    let works = |id: &ComponentId| path::latency_on(view, view.me, (near, *id), opens).is_some();
    chosen.map(|(_, id)| *id).filter(works).collect()
}

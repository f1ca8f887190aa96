//! Requests on connections of their own: connecting, sending, answering, and what happens to them
//! when a process or the path goes away.
//!
//! The outcomes are those that detectors react to differently: refused, unreachable, silence with
//! retransmission, a reset in the middle, and an answer.

use super::observer::Observer;
use super::{CallKey, Letter, Origin, World};
use crate::component::blame::{Blame, EventId};
use crate::component::id::{ComponentId, Kind};
use crate::component::mail::{Begun, Body, Call, Mail, Outcome, Reply};
use crate::component::view::{Probe, ProcessState, View};
use crate::kernel::time::{Duration, Time};
use crate::transport::neighbour::UNRESOLVED;
use crate::transport::retransmission::Schedule;

/// A call that its caller has not closed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    pub(super) call: Call,
    /// Whom the caller asked for; may be the virtual address.
    pub(super) target: ComponentId,
    /// The standing connection on which it was asked; `None`: it has one of its own.
    pub(super) over: Option<u64>,
    /// Who answered the SYN.
    server: Option<ComponentId>,
    /// When the present stage's first packet left: the SYN, the request or the answer.
    first: Time,
    /// The event from which the present stage's waiting counts.
    pub(super) since: EventId,
    /// The server has answered; a reset no longer matters.
    answered: bool,
}

impl World<'_> {
    /// A component opens a connection and sends a request on it.
    pub(super) fn place_call(&mut self, caller: ComponentId, target: ComponentId, call: Call) {
        let key = self.open_call(caller, target, call, None);
        self.connect(key);
    }

    /// Takes a call up: on a connection of its own, or on a standing one to a server.
    pub(super) fn open_call(
        &mut self,
        caller: ComponentId,
        target: ComponentId,
        call: Call,
        over: Option<(u64, ComponentId)>,
    ) -> CallKey {
        let open = Open {
            call,
            target,
            over: over.map(|(connection, _)| connection),
            server: over.map(|(_, server)| server),
            first: self.now,
            since: self.event,
            answered: false,
        };
        let key = (caller, call.id);
        let twin = self.calls.insert(key, open);
        assert!(twin.is_none(), "{} used call {} twice", self.all.map.name(caller), call.id);
        key
    }

    /// A request becomes real that was under way when its path changed: on the connection that it
    /// has, as far as it had come.
    pub(super) fn resume_call(&mut self, caller: ComponentId, target: ComponentId, begun: Begun) {
        let Begun { call, at, server, answered } = begun;
        let key = self.open_call(caller, target, call, None);
        let view = View { now: self.now, me: caller, all: &self.all };
        let connected = at + view.round_trip(caller, server);
        let arrived = connected + view.delay(caller, server);
        let back = view.delay(server, caller);
        let heard = view.passes(server, caller);
        if let Some(open) = self.calls.get_mut(&key) {
            (open.server, open.first) = (Some(server), connected);
        }
        let dead = self.all.processes[server.index()].state == ProcessState::Dead;
        if self.now + back >= answered {
            self.report(key, Outcome::Done, answered.saturating_since(self.now));
        } else if dead && heard {
            self.report(key, Outcome::Reset, back);
        } else if self.now < arrived {
            self.post_call(key, arrived, Letter::Request(key));
        } else if !dead {
            let kind = self.all.map.component(server).kind;
            let resumes = matches!(kind, Kind::LoadBalancer | Kind::ApiServer);
            let taken = Body::Begun(Begun { at: arrived, answered: answered - back, ..begun });
            let body = if resumes { taken } else { Body::Call(call) };
            let origin = Origin::new(self.event, Blame::default());
            let mail = Mail { from: caller, body };
            let (to, from) = (u32::from(server.0), u32::from(caller.0));
            self.post.push(self.now, to, from, Letter::Arrive(mail, origin));
        }
    }

    /// Sends a SYN: the first, or one that is retransmitted.
    pub(super) fn connect(&mut self, key: CallKey) {
        let Some(open) = self.calls.get(&key).copied() else { return };
        self.use_neighbour(key.0, open.target);
        let view = View { now: self.now, me: key.0, all: &self.all };
        let server = view.resolve(open.target);
        let probe = server.map_or(Probe::Blackholed, |server| view.probe(server));
        let lost = server.is_some_and(|server| self.handshake_lost(key.0, server));
        match (probe, server) {
            (Probe::Unreachable, _) if self.now >= open.first + UNRESOLVED => {
                self.report(key, Outcome::Unreachable, Duration::ZERO);
            }
            (Probe::Refused(round_trip), _) if !lost => {
                self.report(key, Outcome::Refused, round_trip);
            }
            (Probe::Hung(round_trip) | Probe::Answers(round_trip), Some(server)) if !lost => {
                let there = self.delay_between(key.0, server);
                let open = Open { server: Some(server), first: self.now + round_trip, ..open };
                self.calls.insert(key, open);
                self.post_call(key, self.now + round_trip + there, Letter::Request(key));
            }
            _ => match Schedule::syn(open.first, self.all.reach.syn()).after(self.now) {
                Some(at) => self.post_call(key, at, Letter::Syn(key)),
                None => self.report(key, Outcome::TimedOut, Duration::ZERO),
            },
        }
    }

    /// Whether chance takes a SYN or its answer. An API server asks its etcd members over channels
    /// that stand.
    fn handshake_lost(&mut self, caller: ComponentId, server: ComponentId) -> bool {
        let kind = |id| self.all.map.component(id).kind;
        let stands = (kind(caller), kind(server)) == (Kind::ApiServer, Kind::Etcd);
        !stands && (self.packet_lost(caller, server) || self.packet_lost(server, caller))
    }

    fn post_call(&mut self, key: CallKey, at: Time, letter: Letter) {
        let caller = u32::from(key.0.0);
        self.post.push(at, caller, caller, letter);
    }

    /// The request's data reach the server, if the path still stands.
    pub(super) fn request_arrives(&mut self, key: CallKey, observer: &mut impl Observer) {
        let Some(open) = self.calls.get(&key).copied() else { return };
        let Some(server) = open.server else { return };
        self.use_neighbour(key.0, open.target);
        let view = View { now: self.now, me: key.0, all: &self.all };
        // A virtual address that moved keeps no connection: its new holder knows nothing of them.
        let there = view.resolve(open.target);
        if there.is_none_or(|there| !view.connects(key.0, there)) || self.packet_lost(key.0, server)
        {
            if let Some(at) = Schedule::data(open.first).after(self.now) {
                self.post_call(key, at, Letter::Request(key));
            }
            return;
        }
        let moved = there != Some(server);
        if moved || self.all.processes[server.index()].state == ProcessState::Dead {
            let back = self.delay_between(server, key.0);
            self.report(key, Outcome::Reset, back);
            return;
        }
        let blame = Blame::of("network", self.now.saturating_since(self.log.get(open.since).at));
        let mail = Mail { from: key.0, body: Body::Call(open.call) };
        self.arrive(server, mail, Origin::new(open.since, blame), observer);
    }

    /// A server answers a call.
    pub(super) fn reply(&mut self, server: ComponentId, caller: ComponentId, reply: Reply) {
        let key = (caller, reply.id);
        let Some(open) = self.calls.get_mut(&key) else { return };
        if open.server != Some(server) || open.answered {
            return;
        }
        open.answered = true;
        open.first = self.now;
        open.since = self.event;
        match open.over {
            Some(connection) => self.answer_ask(key, connection, reply),
            None => self.answer(key, reply),
        }
    }

    /// The answer's data leave, or are retransmitted.
    pub(super) fn answer(&mut self, key: CallKey, reply: Reply) {
        let Some(open) = self.calls.get(&key).copied() else { return };
        let Some(server) = open.server else { return };
        let view = View { now: self.now, me: server, all: &self.all };
        let silent = !view.connects(server, key.0) || !self.may_speak(server, open.target);
        if silent || self.packet_lost(server, key.0) {
            if let Some(at) = Schedule::data(open.first).after(self.now) {
                self.post_call(key, at, Letter::Answer(key, reply));
            }
            return;
        }
        let back = self.delay_between(server, key.0);
        self.report(key, reply.outcome, back);
    }

    /// Whether a server may still send from the address at which it was called: a machine that gave
    /// the virtual address up cannot.
    fn may_speak(&self, server: ComponentId, target: ComponentId) -> bool {
        let mut instances = self.all.vip.iter();
        let beside = instances.find(|(_, balancer)| *balancer == server);
        target != ComponentId::VIP
            || beside.is_none_or(|(instance, _)| self.all.facts[instance.index()].held().is_some())
    }

    /// Tells the caller how its call ended, `after` from now.
    pub(super) fn report(&mut self, key: CallKey, outcome: Outcome, after: Duration) {
        let Some(open) = self.calls.get_mut(&key) else { return };
        open.answered = true;
        let (from, since) = (open.server.unwrap_or(open.target), open.since);
        let at = self.now + after;
        let blame = Blame::of("network", at.saturating_since(self.log.get(since).at));
        let mail = Mail { from, body: Body::Reply(Reply { id: key.1, outcome }) };
        let (to, source) = (u32::from(key.0.0), u32::from(from.0));
        self.post.push(at, to, source, Letter::Arrive(mail, Origin::new(since, blame)));
    }

    /// A process is gone: its own calls vanish, and those it was serving are reset (`rst`) or, if its
    /// machine lost power, stay silent.
    pub(super) fn drop_calls_of(&mut self, gone: ComponentId, rst: bool) {
        self.calls.retain(|(caller, _), _| *caller != gone);
        if !rst {
            return;
        }
        let view = View { now: self.now, me: gone, all: &self.all };
        let broken: Vec<CallKey> = self
            .calls
            .iter()
            .filter(|(key, open)| {
                let own = open.server == Some(gone) && open.over.is_none();
                own && !open.answered && view.passes(gone, key.0)
            })
            .map(|(key, _)| *key)
            .collect();
        for key in broken {
            let back = self.delay_between(gone, key.0);
            if let Some(open) = self.calls.get_mut(&key) {
                open.since = self.event;
            }
            self.report(key, Outcome::Reset, back);
        }
    }
}

//! Requests and answers on standing connections: leaving, arriving, passed on, and sent again.
//!
//! See [`connections`](super::connections) for what stands, and how it ends.

use super::connections::{Key, Leg, Pass, Ride};
use super::observer::Observer;
use super::{CallKey, Letter, Origin, World};
use crate::component::blame::Blame;
use crate::component::effects::Standing;
use crate::component::id::ComponentId;
use crate::component::mail::{Ask, Body, Mail, Reply};
use crate::component::view::ProcessState;
use crate::kernel::time::Duration;
use crate::transport::retransmission::DATA_FIRST;

impl World<'_> {
    /// A request leaves on a standing connection. On one that has ended it is lost with it.
    pub(super) fn place_ask(&mut self, holder: ComponentId, ask: Ask) {
        let Some(connection) = self.connections.get(&(holder, ask.connection)) else { return };
        let Standing { target, server, .. } = connection.ends;
        let key = self.open_call(holder, target, ask.call, Some((ask.connection, server)));
        let connection = ask.connection;
        self.leave(Ride { key, connection, leg: Leg::ToNear, sent: self.now, answer: None });
    }

    /// A server's answer leaves on the connection on which it was asked.
    pub(super) fn answer_ask(&mut self, key: CallKey, connection: u64, reply: Reply) {
        let Some(standing) = self.connections.get(&(key.0, connection)) else { return };
        let leg = if standing.direct() { Leg::BackToHolder } else { Leg::BackToNear };
        self.leave(Ride { key, connection, leg, sent: self.now, answer: Some(reply) });
    }

    /// Data leave for one leg, or wait behind what has not got through.
    fn leave(&mut self, ride: Ride) {
        let key = (ride.key.0, ride.connection);
        let Some(connection) = self.connections.get_mut(&key) else { return };
        let waits = connection.lane(ride.leg).waits();
        if connection.ended && ride.leg.toward_server() {
            return;
        }
        match self.pass(key, ride.leg.hop()) {
            Pass::Through if !waits => self.fly(ride),
            Pass::Foreign(host) if ride.leg == Leg::ToNear && !waits => self.disowned(key, host),
            _ => self.hold(ride),
        }
    }

    fn fly(&mut self, ride: Ride) {
        let key = (ride.key.0, ride.connection);
        let Some(connection) = self.connections.get(&key) else { return };
        let (from, to) = connection.ends_of(key.0, ride.leg);
        let again = if self.packet_lost(from, to) { DATA_FIRST } else { Duration::ZERO };
        let at = self.now + again + self.delay_between(from, to);
        let Some(connection) = self.connections.get_mut(&key) else { return };
        let at = connection.lane(ride.leg).in_order(at);
        match ride.answer {
            Some(reply) if ride.leg == Leg::BackToHolder => {
                self.report(ride.key, reply.outcome, at.since(self.now));
            }
            _ => {
                let (target, source) = (u32::from(to.0), u32::from(from.0));
                self.post.push(at, target, source, Letter::Ride(Ride { sent: self.now, ..ride }));
            }
        }
    }

    /// Keeps data until they are retransmitted.
    fn hold(&mut self, ride: Ride) {
        let key = (ride.key.0, ride.connection);
        let (leg, sent) = (ride.leg, ride.sent);
        let Some(connection) = self.connections.get_mut(&key) else { return };
        if let Some(at) = connection.lane(leg).hold(sent, ride) {
            let holder = u32::from(key.0.0);
            self.post.push(at, holder, holder, Letter::GiveUp(key, leg, sent));
            self.note_flow(key);
        }
    }

    /// Data reach the end of a leg.
    pub(super) fn ride_arrives(&mut self, ride: Ride, observer: &mut impl Observer) {
        let key = (ride.key.0, ride.connection);
        let Some(connection) = self.connections.get(&key) else { return };
        let (from, to) = connection.ends_of(key.0, ride.leg);
        let near = connection.ends.near;
        let life = connection.lives[usize::from(to == connection.ends.server)];
        let (cut, direct) = (connection.cut, connection.direct());
        if connection.ended && ride.leg.toward_server() {
            return;
        }
        match self.pass(key, ride.leg.hop()) {
            Pass::Through => {}
            Pass::Foreign(host) if ride.leg == Leg::ToNear => return self.disowned(key, host),
            _ => return self.hold(ride),
        }
        let process = self.all.processes[to.index()];
        let known = process.state != ProcessState::Dead && process.incarnation == life;
        let relays = to == near && !direct;
        if !known || (relays && cut) {
            let back = self.delay_between(to, from);
            return self.reset_leg(key, ride.leg, back);
        }
        if !relays {
            return self.ask_arrives(ride, to, observer);
        }
        if process.state == ProcessState::Paused {
            if let Some(connection) = self.connections.get_mut(&key) {
                connection.parked.push(ride);
            }
            return;
        }
        self.relay(ride);
    }

    pub(super) fn relay(&mut self, ride: Ride) {
        let leg = if ride.answer.is_some() { Leg::BackToHolder } else { Leg::ToServer };
        self.leave(Ride { leg, sent: self.now, ..ride });
    }

    fn ask_arrives(&mut self, ride: Ride, server: ComponentId, observer: &mut impl Observer) {
        let Some(open) = self.calls.get(&ride.key).copied() else { return };
        let waited = self.now.saturating_since(self.log.get(open.since).at);
        let origin = Origin::new(open.since, Blame::of("network", waited));
        let mail = Mail { from: ride.key.0, body: Body::Asked(open.call) };
        self.arrive(server, mail, origin, observer);
    }

    /// What waited is sent again: it gets through, or meets somebody else.
    pub(super) fn retransmit(&mut self, key: Key, leg: Leg, change: u64) {
        let Some(connection) = self.connections.get_mut(&key) else { return };
        if connection.changes[leg.hop()] != change || !connection.lane(leg).waits() {
            return;
        }
        match self.pass(key, leg.hop()) {
            Pass::Foreign(host) if leg == Leg::ToNear => self.disowned(key, host),
            Pass::Silent | Pass::Foreign(_) => {}
            Pass::Through => {
                let Some(connection) = self.connections.get_mut(&key) else { return };
                for ride in connection.lane(leg).release() {
                    self.leave(ride);
                }
                self.note_flow(key);
            }
        }
    }
}

//! Standing connections: one or two TCP connections in a row, followed over every cut, end and move.
//!
//! A connection through a balancer is two of the kernel's: holder to balancer, balancer to server.
//! Requests ride over both and answers back, in order. A process that ends on a machine that lives
//! resets what it held, at once; a machine that vanishes says nothing, and what is sent to it waits
//! behind the doubling schedule of retransmissions. A virtual address that moves leaves its
//! connections behind: the new holder answers their next segment with a reset.
//!
//! Absent on purpose: pings and time-outs, which are the holder's, and a balancer's own limits on
//! idle connections, which follow from what the holder sends.

use super::{CallKey, Letter, Origin, World};
use crate::component::blame::Blame;
use crate::component::effects::{HangUp, Standing};
use crate::component::id::{ComponentId, Kind};
use crate::component::mail::{Body, Mail, Outcome, Reply};
use crate::component::view::{ProcessState, View};
use crate::kernel::time::{Duration, Time};
use crate::transport::lane::Lane;

/// The way of data over a connection: to the balancer, to the server, back to the balancer, back to
/// the holder. Without a balancer only the first and the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Leg {
    ToNear,
    ToServer,
    BackToNear,
    BackToHolder,
}

const LEGS: [Leg; 4] = [Leg::ToNear, Leg::ToServer, Leg::BackToNear, Leg::BackToHolder];

/// A request, or its answer, on its way over a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ride {
    pub(super) key: CallKey,
    pub(super) connection: u64,
    pub(super) leg: Leg,
    /// When it left for this leg.
    pub(super) sent: Time,
    pub(super) answer: Option<Reply>,
}

/// What becomes of a segment that leaves now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    Through,
    Silent,
    /// It reaches a host that does not know the connection.
    Foreign(ComponentId),
}

/// One standing connection.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    pub(super) ends: Standing,
    /// Which lives of the near end and of the server it belongs to.
    pub(super) lives: [u32; 2],
    lanes: [Lane<Ride>; 4],
    /// How segments of the two hops passed when last looked at, and how often that changed.
    passes: [Pass; 2],
    pub(super) changes: [u64; 2],
    /// The balancer has closed both sides; a paused one closes the holder's when it resumes.
    pub(super) cut: bool,
    /// The news of the end is on its way to the holder.
    pub(super) ended: bool,
    /// What a paused balancer's kernel keeps.
    pub(super) parked: Vec<Ride>,
}

/// A connection: its holder and the holder's key.
pub(super) type Key = (ComponentId, u64);

impl Leg {
    pub(super) fn hop(self) -> usize {
        usize::from(matches!(self, Leg::ToServer | Leg::BackToNear))
    }

    pub(super) fn toward_server(self) -> bool {
        matches!(self, Leg::ToNear | Leg::ToServer)
    }
}

impl Connection {
    pub(super) fn direct(&self) -> bool {
        self.ends.near == self.ends.server
    }

    pub(super) fn lane(&mut self, leg: Leg) -> &mut Lane<Ride> {
        &mut self.lanes[leg as usize]
    }

    /// From where to where data of a leg go.
    pub(super) fn ends_of(&self, holder: ComponentId, leg: Leg) -> (ComponentId, ComponentId) {
        let Standing { near, server, .. } = self.ends;
        match leg {
            Leg::ToNear => (holder, near),
            Leg::ToServer => (near, server),
            Leg::BackToNear => (server, near),
            Leg::BackToHolder => (near, holder),
        }
    }
}

impl World<'_> {
    fn incarnation(&self, id: ComponentId) -> u32 {
        self.all.processes[id.index()].incarnation
    }

    /// A connection stands from now on.
    pub(super) fn add_connection(&mut self, holder: ComponentId, ends: Standing) {
        let connection = Connection {
            ends,
            lives: [self.incarnation(ends.near), self.incarnation(ends.server)],
            lanes: std::array::from_fn(|_| Lane::default()),
            passes: [Pass::Through; 2],
            changes: [0; 2],
            cut: false,
            ended: false,
            parked: Vec::new(),
        };
        let key = (holder, ends.id);
        self.connections.insert(key, connection);
        self.follow(key);
    }

    /// A call that opened a connection was answered, and its holder gets to know.
    pub(super) fn connection_opened(
        &mut self,
        holder: ComponentId,
        near: ComponentId,
        id: u64,
        target: ComponentId,
        server: ComponentId,
    ) {
        // A balancer's own connection is part of its client's.
        if self.all.map.component(holder).kind != Kind::LoadBalancer {
            self.add_connection(holder, Standing { id, target, near, server });
        }
    }

    /// The holder closes a connection.
    pub(super) fn remove_connection(&mut self, key: Key) {
        if self.connections.remove(&key).is_some() {
            self.all.connections.remove(&key);
            self.calls.retain(|(holder, _), open| *holder != key.0 || open.over != Some(key.1));
        }
    }

    pub(super) fn pass(&self, key: Key, hop: usize) -> Pass {
        let Some(connection) = self.connections.get(&key) else { return Pass::Silent };
        let Standing { target, near, server, .. } = connection.ends;
        let view = View { now: self.now, me: key.0, all: &self.all };
        let (from, to) = if hop == 0 { (key.0, near) } else { (near, server) };
        if hop == 0 && target == ComponentId::VIP {
            match view.resolve_vip() {
                Some(at) if at != near => return Pass::Foreign(at),
                None => return Pass::Silent,
                Some(_) => {}
            }
        }
        if view.connects(from, to) { Pass::Through } else { Pass::Silent }
    }

    /// The far end of a leg does not know the connection: it answers with a reset.
    pub(super) fn reset_leg(&mut self, key: Key, leg: Leg, back: Duration) {
        match leg {
            Leg::ToNear => self.end_connection(key, back),
            Leg::ToServer => self.near_ends(key, back),
            Leg::BackToNear | Leg::BackToHolder => {}
        }
    }

    /// A segment reached the new holder of the address.
    pub(super) fn disowned(&mut self, key: Key, host: ComponentId) {
        let there = self.delay_between(key.0, host);
        let back = self.delay_between(host, key.0);
        self.end_connection(key, there + back);
    }

    /// The balancer's side ends: it tells the holder, `after` from now, if it runs and can.
    fn near_ends(&mut self, key: Key, after: Duration) {
        let Some(connection) = self.connections.get_mut(&key) else { return };
        connection.cut = true;
        let near = connection.ends.near;
        self.note_flow(key);
        let runs = self.all.processes[near.index()].state == ProcessState::Running;
        if runs && self.pass(key, 0) == Pass::Through {
            let back = self.delay_between(near, key.0);
            self.end_connection(key, after + back);
        }
    }

    /// The holder will know in a while that the connection has ended.
    pub(super) fn end_connection(&mut self, key: Key, after: Duration) {
        let Some(connection) = self.connections.get_mut(&key) else { return };
        if std::mem::replace(&mut connection.ended, true) {
            return;
        }
        let near = connection.ends.near;
        self.note_flow(key);
        let mail = Mail { from: near, body: Body::Broken(key.1) };
        let origin = Origin::new(self.event, Blame::of("network", after));
        let (to, from) = (u32::from(key.0.0), u32::from(near.0));
        self.post.push(self.now + after, to, from, Letter::Arrive(mail, origin));
    }

    /// A kernel has retransmitted in vain for as long as it does.
    pub(super) fn give_up_lane(&mut self, key: Key, leg: Leg, since: Time) {
        let Some(connection) = self.connections.get_mut(&key) else { return };
        if !connection.lane(leg).waits_since(since) {
            return;
        }
        match leg {
            Leg::ToNear => self.end_connection(key, Duration::ZERO),
            _ => self.near_ends(key, Duration::ZERO),
        }
    }

    /// Paths, or who holds the address, may have changed.
    pub(super) fn connections_follow_paths(&mut self) {
        let keys: Vec<Key> = self.connections.keys().copied().collect();
        for key in keys {
            self.follow(key);
        }
    }

    fn follow(&mut self, key: Key) {
        for hop in 0..2 {
            let pass = self.pass(key, hop);
            let Some(connection) = self.connections.get_mut(&key) else { return };
            if std::mem::replace(&mut connection.passes[hop], pass) == pass {
                continue;
            }
            connection.changes[hop] += 1;
            if pass != Pass::Silent {
                self.await_retransmission(key, hop);
            }
        }
        self.note_flow(key);
    }

    /// What waits in a hop is noticed when it is sent next.
    fn await_retransmission(&mut self, key: Key, hop: usize) {
        let Some(connection) = self.connections.get_mut(&key) else { return };
        let change = connection.changes[hop];
        for leg in LEGS.into_iter().filter(|leg| leg.hop() == hop) {
            if let Some(at) = connection.lane(leg).next_transmission(self.now) {
                let holder = u32::from(key.0.0);
                self.post.push(at, holder, holder, Letter::Retransmit(key, leg, change));
            }
        }
    }

    /// Tells the holder whether data pass through at once.
    pub(super) fn note_flow(&mut self, key: Key) {
        let Some(connection) = self.connections.get(&key) else { return };
        let Standing { near, server, .. } = connection.ends;
        let alive = |(id, life): (ComponentId, u32)| {
            let process = self.all.processes[id.index()];
            process.state != ProcessState::Dead && process.incarnation == life
        };
        let flows = connection.passes == [Pass::Through; 2]
            && connection.lanes.iter().all(|lane| !lane.waits())
            && [near, server].into_iter().zip(connection.lives).all(alive)
            && !connection.cut;
        if connection.ended {
            self.all.connections.remove(&key);
        } else if self.all.connections.insert(key, flows) == Some(flows) {
            return;
        }
        self.saw.insert((key.0, server));
    }

    /// A process ended: its own connections are gone; those through it are reset, if its machine's
    /// kernel is there to do that (`rst`).
    pub(super) fn connections_of_ended(&mut self, id: ComponentId, rst: bool) {
        let keys: Vec<(Key, Standing)> =
            self.connections.iter().map(|(key, c)| (*key, c.ends)).collect();
        for (key, ends) in keys {
            if key.0 == id {
                self.remove_connection(key);
            } else if ends.near == id || ends.server == id {
                self.note_flow(key);
                let hop = usize::from(ends.near != id);
                if rst && self.pass(key, hop) == Pass::Through {
                    let to = if hop == 0 { key.0 } else { ends.near };
                    let back = self.delay_between(id, to);
                    let leg = if hop == 0 { Leg::ToNear } else { Leg::ToServer };
                    self.reset_leg(key, leg, back);
                }
            }
        }
    }

    /// A balancer runs again: it passes on what its kernel kept, and notices what ended meanwhile.
    pub(super) fn connections_of_resumed(&mut self, id: ComponentId) {
        let keys: Vec<Key> = self
            .connections
            .iter()
            .filter(|(_, c)| c.ends.near == id && !c.direct())
            .map(|(key, _)| *key)
            .collect();
        for key in keys {
            let Some(connection) = self.connections.get_mut(&key) else { continue };
            let (parked, cut) = (std::mem::take(&mut connection.parked), connection.cut);
            for ride in parked {
                self.relay(ride);
            }
            if cut {
                self.near_ends(key, Duration::ZERO);
            }
        }
    }

    /// A process hangs up on others' connections.
    pub(super) fn hang_up(&mut self, by: ComponentId, how: HangUp) {
        let keys: Vec<(Key, Standing)> =
            self.connections.iter().map(|(key, c)| (*key, c.ends)).collect();
        for (key, ends) in keys {
            match how {
                HangUp::Cut(server) if ends.near == by && ends.server == server => {
                    self.near_ends(key, Duration::ZERO);
                }
                HangUp::GoAway if ends.server == by => self.send_goaway(key, ends),
                _ => {}
            }
        }
    }

    fn send_goaway(&mut self, key: Key, ends: Standing) {
        let passes = (0..2).all(|hop| self.pass(key, hop) == Pass::Through);
        let relays = self.all.processes[ends.near.index()].state == ProcessState::Running;
        if passes && relays {
            let after =
                self.delay_between(ends.server, ends.near) + self.delay_between(ends.near, key.0);
            let mail = Mail { from: ends.server, body: Body::GoAway(key.1) };
            let origin = Origin::new(self.event, Blame::of("network", after));
            let (to, from) = (u32::from(key.0.0), u32::from(ends.near.0));
            self.post.push(self.now + after, to, from, Letter::Arrive(mail, origin));
        }
    }
}

/// The server that an answer names as that of a connection that now stands.
pub(super) fn opened(outcome: Outcome) -> Option<ComponentId> {
    match outcome {
        Outcome::Opened(server) => Some(server),
        _ => None,
    }
}

//! Messages on their way: which transport carries them, when they arrive, or that they are lost.

use super::observer::Observer;
use super::{Letter, Origin, World};
use crate::component::Cause;
use crate::component::blame::Blame;
use crate::component::effects::Outgoing;
use crate::component::id::{ComponentId, MachineId};
use crate::component::mail::{Body, Mail};
use crate::component::view::{ProcessState, View};
use crate::kernel::time::{Duration, Time};

use super::connections::opened;
use super::event::EventKind;

/// Purposes of a machine's draws for its packets.
const JITTER_DRAW: u32 = 2;
const LOSS_DRAW: u32 = 3;
/// Purpose of a machine's draws for its neighbour entries.
pub(super) const NEIGHBOUR_DRAW: u32 = 4;

impl World<'_> {
    /// A message leaves its sender, now or after some work.
    pub(super) fn dispatch(&mut self, from: ComponentId, outgoing: Outgoing) {
        if outgoing.departs > self.now {
            let origin = Origin::new(self.event, outgoing.blame.clone());
            let source = u32::from(from.0);
            self.post.push(outgoing.departs, source, source, Letter::Depart(outgoing, origin));
        } else {
            self.route(from, outgoing);
        }
    }

    /// Hands a message to the transport of its kind.
    pub(super) fn route(&mut self, from: ComponentId, outgoing: Outgoing) {
        let Outgoing { to, body, .. } = outgoing;
        match body {
            Body::Call(call) => self.place_call(from, to, call),
            Body::Begun(begun) => self.resume_call(from, to, begun),
            Body::Reply(reply) => self.reply(from, to, reply),
            Body::Advert(_) => {
                let view = View { now: self.now, me: from, all: &self.all };
                if view.passes(from, to) && !self.packet_lost(from, to) {
                    self.post_mail(from, to, body, self.now);
                }
            }
            Body::Raft(_) => self.route_raft(from, to, body),
            Body::Ask(ask) => self.place_ask(from, ask),
            // Only the transport itself says these.
            Body::Broken(_) | Body::GoAway(_) | Body::Asked(_) => {}
        }
    }

    /// Lets a message arrive one delay after `departs`.
    pub(super) fn post_mail(
        &mut self,
        from: ComponentId,
        to: ComponentId,
        body: Body,
        departs: Time,
    ) {
        let at = departs + self.delay_between(from, to);
        let blame = Blame::of("network", at.since(self.now));
        let origin = Origin::new(self.event, blame);
        let (target, source) = (u32::from(to.0), u32::from(from.0));
        self.post.push(at, target, source, Letter::Arrive(Mail { from, body }, origin));
    }

    /// A message reaches its process: handled, kept for a paused one, or lost on a dead one.
    pub(super) fn arrive(
        &mut self,
        to: ComponentId,
        mail: Mail,
        origin: Origin,
        observer: &mut impl Observer,
    ) {
        match &mail.body {
            Body::Reply(reply) => {
                let Some(open) = self.calls.remove(&(to, reply.id)) else { return };
                if let Some(server) = opened(reply.outcome) {
                    self.connection_opened(to, mail.from, reply.id, open.target, server);
                }
            }
            Body::Broken(connection) => self.remove_connection((to, *connection)),
            _ => {}
        }
        match self.all.processes[to.index()].state {
            ProcessState::Dead => {}
            ProcessState::Paused => self.inboxes[to.index()].mail.push((mail, origin)),
            ProcessState::Running => {
                self.begin(Some(to), origin, EventKind::Mail { from: mail.from });
                self.deliver(to, Cause::Mail(mail), observer);
            }
        }
    }

    /// One-way delay of a message that leaves now, jitter included.
    pub(super) fn delay_between(&mut self, from: ComponentId, to: ComponentId) -> Duration {
        let map = &self.all.map;
        let (Some(a), Some(b)) = (map.machine_of(from), map.machine_of(to)) else {
            return Duration::ZERO;
        };
        let base = self.all.reach.delay(a, b);
        let jitter = if a == b { Duration::ZERO } else { self.all.reach.direction(a, b).jitter };
        if jitter == Duration::ZERO {
            return base;
        }
        let stream = map.machine(a).stream;
        let mut draw = self.key.draw(stream, JITTER_DRAW, self.next_packet(a));
        base + draw.uniform_duration(Duration::ZERO, jitter)
    }

    /// Whether chance takes a packet that leaves now.
    pub(super) fn packet_lost(&mut self, from: ComponentId, to: ComponentId) -> bool {
        let map = &self.all.map;
        let (Some(a), Some(b)) = (map.machine_of(from), map.machine_of(to)) else {
            return false;
        };
        let loss = self.all.reach.loss(a, b);
        if loss == 0 {
            return false;
        }
        let stream = map.machine(a).stream;
        let mut draw = self.key.draw(stream, LOSS_DRAW, self.next_packet(a));
        draw.below(1_000_000) < u64::from(loss)
    }

    fn next_packet(&mut self, from: MachineId) -> u64 {
        let count = &mut self.jitters[from.index()];
        *count += 1;
        *count
    }

    /// Something about the paths of a machine changed: streams follow, and whoever watches a
    /// component there, or sits there and watches others, looks again.
    pub(super) fn network_changed(&mut self, machine: MachineId) {
        self.changed = true;
        self.streams_follow_paths();
        self.review_neighbours();
        self.connections_follow_paths();
        let map = self.all.map.clone();
        for (id, entry) in map.components() {
            if entry.machine == Some(machine) {
                self.wake_watchers(id);
            }
        }
        for (of, watchers) in self.layout.watchers.iter().enumerate() {
            for viewer in watchers {
                if map.machine_of(*viewer) == Some(machine) {
                    self.saw.insert((*viewer, ComponentId(u16::try_from(of).unwrap_or(u16::MAX))));
                }
            }
        }
    }
}

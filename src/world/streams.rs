//! The long-lived streams between etcd members: cut with the path, back when TCP is back.

use super::{Letter, Origin, World};
use crate::component::blame::Blame;
use crate::component::certificate::Certificates;
use crate::component::id::{ComponentId, Kind};
use crate::component::mail::{Body, Mail};
use crate::component::view::{PeerStream, ProcessState, View};
use crate::kernel::time::{Duration, Time};
use crate::transport::peer_stream::{Recovery, recovery};
use crate::transport::retransmission::Schedule;

/// Purpose of an etcd member's draws for its peers' redials, beside the member's own purposes.
const REDIAL_DRAW: u32 = 1 << 17;

/// The stream from one member to another.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    /// The path was lost at this instant.
    cut: Option<Time>,
    /// One end refuses the other's certificate: nothing can be sent.
    refused: bool,
    /// The old connection bridges the cut: what is sent until it is back is not lost.
    bridged: bool,
    /// What the old connection retransmits when it is back.
    held: Vec<Body>,
    /// No message overtakes an earlier one.
    last_arrival: Time,
}

impl Stream {
    fn new() -> Self {
        Self {
            cut: None,
            refused: false,
            bridged: false,
            held: Vec::new(),
            last_arrival: Time::ZERO,
        }
    }
}

/// The streams between all members, by the places of both among them.
#[derive(Debug)]
pub(super) struct Streams {
    members: usize,
    streams: Vec<Stream>,
}

impl Streams {
    /// As many members as that, nothing under way among them.
    pub(super) fn of(members: usize) -> Self {
        Self { members, streams: vec![Stream::new(); members * members] }
    }
}

impl World<'_> {
    fn stream_between(&mut self, from: ComponentId, to: ComponentId) -> &mut Stream {
        let (from, to) = (self.all.map.rank(from), self.all.map.rank(to));
        &mut self.peers.streams[from * self.peers.members + to]
    }

    /// A raft message leaves on its stream: at once, when the old connection is back, or never.
    pub(super) fn route_raft(&mut self, from: ComponentId, to: ComponentId, body: Body) {
        let (now, ready) = (self.now, self.all.stream(from, to).ready);
        let stream = self.stream_between(from, to);
        if stream.refused {
            return;
        }
        if ready.is_never() {
            stream.held.push(body);
        } else if ready <= now || stream.bridged {
            self.send_on_stream(from, to, body, ready.max(self.now));
        }
    }

    fn send_on_stream(&mut self, from: ComponentId, to: ComponentId, body: Body, departs: Time) {
        let sent = Schedule::data(departs).transmissions().find(|_| !self.packet_lost(from, to));
        let at = sent.unwrap_or(Time::NEVER) + self.delay_between(from, to);
        let stream = self.stream_between(from, to);
        let at = at.max(stream.last_arrival);
        stream.last_arrival = at;
        let waiting = departs.since(self.now);
        let blame = Blame::of("peer stream", waiting).and("network", at.since(departs));
        let origin = Origin::new(self.event, blame);
        let (target, source) = (u32::from(to.0), u32::from(from.0));
        self.post.push(at, target, source, Letter::Arrive(Mail { from, body }, origin));
    }

    fn members(&self) -> Vec<ComponentId> {
        self.all.map.of_kind(Kind::Etcd).collect()
    }

    fn pairs(&self) -> Vec<(ComponentId, ComponentId)> {
        let members = self.members();
        let all = members.iter().flat_map(|a| members.iter().map(|b| (*a, *b)));
        all.filter(|(a, b)| a != b).collect()
    }

    /// Follows a change of the network: paths that went are cut, paths that returned recover.
    pub(super) fn streams_follow_paths(&mut self) {
        for (from, to) in self.pairs() {
            let view = View { now: self.now, me: from, all: &self.all };
            let (path, now) = (view.connects(from, to), self.now);
            let stream = self.stream_between(from, to);
            match (path, stream.cut) {
                (false, None) => {
                    stream.cut = Some(now);
                    stream.bridged = false;
                    let old = self.all.stream(from, to);
                    self.all.set_stream(from, to, PeerStream { ready: Time::NEVER, ..old });
                }
                (true, Some(cut)) => self.stream_recovers(from, to, cut),
                _ => {}
            }
        }
    }

    /// The path is back. Members send each other something every heartbeat, so that the first
    /// unacknowledged data left, and the last data were read, within one heartbeat of the cut.
    fn stream_recovers(&mut self, from: ComponentId, to: ComponentId, cut: Time) {
        let heartbeat = self.plan.heartbeat;
        let mut draw = self.redial_draw(to, from);
        let sent = cut + draw.uniform_duration(Duration::ZERO, heartbeat);
        let read = sent - heartbeat;
        let back = recovery(self.plan.streams, read, sent, self.now);
        let stream = self.stream_between(from, to);
        stream.cut = None;
        stream.bridged = matches!(back, Recovery::Retransmitted(_));
        let held = std::mem::take(&mut stream.held);
        let accepted = self.accept_each_other(from, to);
        if matches!(back, Recovery::Retransmitted(_)) {
            let old = self.all.stream(from, to);
            self.all.set_stream(from, to, PeerStream { ready: back.at(), ..old });
            for body in held {
                self.send_on_stream(from, to, body, back.at());
            }
        } else if accepted {
            self.all.set_stream(from, to, PeerStream::new(back.at()));
        } else {
            self.refuse_stream(from, to);
        }
    }

    fn redial_draw(
        &mut self,
        reader: ComponentId,
        writer: ComponentId,
    ) -> crate::kernel::stream::Draw {
        let name = self.all.map.component(reader).stream.part(u64::from(writer.0));
        self.key.draw(name, REDIAL_DRAW, self.log.count() as u64)
    }

    /// A member started: it dials its peers at once; they, refused so far, dial it within one pause.
    pub(super) fn streams_of_started(&mut self, id: ComponentId) {
        if self.all.map.component(id).kind != Kind::Etcd {
            return;
        }
        for peer in self.members() {
            let view = View { now: self.now, me: id, all: &self.all };
            if peer == id || !view.connects(id, peer) {
                continue;
            }
            let up = self.all.processes[peer.index()].state != ProcessState::Dead;
            if up && !self.accept_each_other(id, peer) {
                self.refuse_stream(peer, id);
                self.refuse_stream(id, peer);
                continue;
            }
            let pause = self.plan.streams.dial_pause;
            let wait = self.redial_draw(peer, id).uniform_duration(Duration::ZERO, pause);
            let ready = if up { self.now } else { Time::NEVER };
            self.renew_stream(peer, id, ready);
            self.renew_stream(id, peer, if up { self.now + wait } else { Time::NEVER });
        }
    }

    /// Whether two members would accept each other's certificates for a new connection.
    fn accept_each_other(&self, a: ComponentId, b: ComponentId) -> bool {
        let valid = |id: ComponentId| {
            !self.all.processes[id.index()].expired.shown.intersects(Certificates::ETCD_PEER)
        };
        valid(a) && valid(b)
    }

    fn refuse_stream(&mut self, from: ComponentId, to: ComponentId) {
        self.renew_stream(from, to, Time::NEVER);
        self.stream_between(from, to).refused = true;
    }

    /// A member has a valid certificate again: its peers, refused so far, dial it within one pause, and
    /// it them. What stood when it expired has stood all along.
    pub(super) fn streams_of_certified(&mut self, id: ComponentId) {
        for (from, to) in self.pairs().into_iter().filter(|(a, b)| *a == id || *b == id) {
            if self.stream_between(from, to).refused && self.accept_each_other(from, to) {
                let pause = self.plan.streams.dial_pause;
                let wait = self.redial_draw(to, from).uniform_duration(Duration::ZERO, pause);
                self.renew_stream(from, to, self.now + wait);
            }
        }
    }

    fn renew_stream(&mut self, from: ComponentId, to: ComponentId, ready: Time) {
        *self.stream_between(from, to) = Stream::new();
        self.all.set_stream(from, to, PeerStream::new(ready));
    }

    /// A member ended: its streams break, and what was on them is lost.
    pub(super) fn streams_of_ended(&mut self, id: ComponentId, rst: bool) {
        if self.all.map.component(id).kind != Kind::Etcd || !rst {
            return;
        }
        for peer in self.members() {
            if peer != id {
                self.renew_stream(id, peer, Time::NEVER);
                self.renew_stream(peer, id, Time::NEVER);
            }
        }
    }
}

//! Whom a leader reaches: steady contact, and the real heartbeats that peers without it get.
//!
//! An answer counts for steady contact only if its heartbeat left after the last change of the
//! peer's path or state; else it might say that all is well to a peer that hears nothing any more.
//!
//! Absent on purpose: entries (`replication`).

use super::progress::Peer;
use super::{Etcd, Fx};
use crate::component::id::ComponentId;
use crate::component::mail::{RaftKind, RaftMessage};
use crate::component::view::{ProcessState, View};
use crate::kernel::time::{Duration, Time};

/// When a heartbeat to a peer that is not in steady contact would leave next.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Due {
    /// Never as things stand: nobody is there, or it has been told once while it cannot answer.
    Never,
    /// At the next tick, as the one word that waits for a silent peer.
    Once,
    /// At the next tick, and again until it answers.
    Now,
    /// Once its stream carries messages again.
    From(Time),
}

impl Etcd {
    fn due(&self, peer: &Peer, view: &View) -> Due {
        let gone = view.process(peer.id).state == ProcessState::Dead;
        if peer.steady.is_some() || gone {
            return Due::Never;
        }
        let ready = view.stream_ready(self.me, peer.id);
        let unheard = peer.silent || ready > view.now;
        match peer.told {
            _ if !unheard => Due::Now,
            None => Due::Once,
            // A stream that is being built may lose what it is given.
            Some(_) if ready > view.now && !ready.is_never() => Due::From(ready),
            Some(told) if told < ready && !ready.is_never() => Due::Once,
            Some(_) => Due::Never,
        }
    }

    /// The next tick at which a heartbeat has to be sent.
    pub(super) fn next_beat(&self, view: &View) -> Time {
        let Some(leading) = &self.raft.leading else { return Time::NEVER };
        let beats = &self.raft.beats;
        let at = |peer: &Peer| match self.due(peer, view) {
            Due::Never => Time::NEVER,
            Due::Once | Due::Now => beats.first_after(view.now),
            Due::From(ready) => beats.first_at_or_after(ready),
        };
        leading.peers.iter().map(at).min().unwrap_or(Time::NEVER)
    }

    /// A tick of the leader: heartbeats to whoever is not known to hear them anyway.
    pub(super) fn beat_all(&mut self, view: &View, fx: &mut Fx) {
        let Some(leading) = &self.raft.leading else { return };
        let due: Vec<(ComponentId, Due)> =
            leading.peers.iter().map(|peer| (peer.id, self.due(peer, view))).collect();
        for (peer, due) in due {
            if self.eager || matches!(due, Due::Once | Due::Now) {
                self.beat(peer, None, fx);
            }
            if let Some(peer) = self.raft.leading.as_mut().and_then(|l| l.peer(peer)) {
                peer.told = match due {
                    Due::Once => Some(view.now),
                    Due::Now => None,
                    Due::Never | Due::From(_) => peer.told,
                };
            }
        }
    }

    /// Sends one heartbeat: with a new number, or with that of a round of read confirmations.
    pub(super) fn beat(&mut self, to: ComponentId, round: Option<u64>, fx: &mut Fx) {
        let commit = self.raft.commit;
        let Some(leading) = &mut self.raft.leading else { return };
        let round = round.unwrap_or_else(|| leading.next_round());
        let Some(peer) = leading.peer(to) else { return };
        let kind = RaftKind::Heartbeat { commit: commit.min(peer.acked), round };
        let message = RaftMessage { term: self.hard.term, kind };
        self.emit_now(to, message, fx);
    }

    /// The peer's steady contact ended: what left before `left` still counts.
    fn release(&mut self, at: usize, left: Time, view: &View) {
        let beats = self.raft.beats;
        let last = self.hard.log.last_index();
        let Some(leading) = &self.raft.leading else { return };
        let Some((there, back)) = leading.peers[at].steady else { return };
        let recent = self.writes_in(view.now - (there + back + self.rules.heartbeat), view.now);
        let Some(leading) = &mut self.raft.leading else { return };
        let peer = &mut leading.peers[at];
        peer.steady = None;
        peer.told = None;
        peer.fresh = false;
        if let Some(beat) = beats.last_before(left) {
            peer.last_active = peer.last_active.max(beat + there + back);
        }
        if peer.acked == last {
            peer.acked = peer.flight.min(last).max(last.saturating_sub(recent));
        }
    }

    /// This leader's heartbeats stop: nobody is in steady contact any more.
    pub(super) fn release_all(&mut self, left: Time, view: &View) {
        for at in 0..self.raft.leading.as_ref().map_or(0, |leading| leading.peers.len()) {
            self.release(at, left, view);
        }
    }

    /// Heartbeats that left before now say nothing of how things stand.
    pub(super) fn begin_regimes(&mut self) {
        let Some(leading) = &mut self.raft.leading else { return };
        let sent = leading.last_round;
        for peer in &mut leading.peers {
            peer.begin_regime(sent);
        }
    }

    /// Answers that have not arrived when the process is paused are found when it resumes.
    pub(super) fn hold_replies(&mut self, now: Time) {
        let Some(leading) = &mut self.raft.leading else { return };
        for peer in &mut leading.peers {
            if peer.last_active >= now {
                peer.held = true;
                peer.last_active = now - self.rules.heartbeat;
            }
        }
    }

    /// The answers that waited in the inbox.
    pub(super) fn find_replies(&mut self, now: Time) {
        let Some(leading) = &mut self.raft.leading else { return };
        for peer in leading.peers.iter_mut().filter(|peer| peer.held) {
            peer.held = false;
            peer.last_active = now;
        }
    }

    /// Looks which peers have fallen silent: each of them gets one word that waits for it.
    fn review_silence(&mut self, view: &View) {
        let me = self.me;
        let Some(leading) = &mut self.raft.leading else { return };
        let sent = leading.last_round;
        for peer in &mut leading.peers {
            let stalled = view.etcd(peer.id).is_some_and(|fact| fact.stalled);
            let paused = view.process(peer.id).state == ProcessState::Paused;
            let silent = stalled || paused || view.stream_ready(me, peer.id).is_never();
            let path = Some((
                view.stream_ready(me, peer.id),
                view.delay(me, peer.id),
                view.process(peer.id).incarnation,
            ));
            if silent != peer.silent || path != peer.path {
                peer.begin_regime(sent);
                peer.path = path;
            }
            peer.silent = silent;
        }
    }

    /// Looks which peers are still in steady contact.
    pub(super) fn review_peers(&mut self, view: &View) {
        self.review_silence(view);
        let Some(leading) = &self.raft.leading else { return };
        let ended: Vec<(usize, Duration)> = leading
            .peers
            .iter()
            .enumerate()
            .filter_map(|(at, peer)| Some((at, peer.id, peer.steady?)))
            .filter(|(_, id, steady)| self.steadiness(*id, view) != Some(*steady))
            .map(|(at, _, (there, _))| (at, there))
            .collect();
        if !ended.is_empty() {
            self.book_writes(view.now);
            self.book_passes(view.now);
        }
        for (at, there) in ended {
            self.release(at, view.now - there, view);
        }
        self.demote_unreachable(view);
    }

    /// Peers whose stream broke are probed again (raft: `ReportUnreachable`, `becomeProbe`).
    fn demote_unreachable(&mut self, view: &View) {
        let me = self.me;
        let Some(leading) = &mut self.raft.leading else { return };
        let sending = leading.peers.iter_mut().filter(|peer| peer.replicate || peer.snapshot);
        for peer in sending {
            let dead = view.process(peer.id).state == ProcessState::Dead;
            if dead || view.stream_ready(me, peer.id) > view.now {
                peer.replicate = false;
                peer.snapshot = false;
                peer.probed = false;
                peer.next = peer.acked + 1;
            }
        }
    }

    /// The delays of a peer's steady contact as things stand; none if it is not.
    fn steadiness(&self, peer: ComponentId, view: &View) -> Option<(Duration, Duration)> {
        let fact = view.etcd(peer)?;
        let streams = view.stream_ready(self.me, peer) <= view.now
            && view.stream_ready(peer, self.me) <= view.now;
        let follows =
            fact.lead == Some(self.me) && fact.term == self.hard.term && !fact.stalled;
        let steady = streams && follows && view.executes(peer) && self.raft.frozen.is_none();
        steady.then(|| (view.delay(self.me, peer), view.delay(peer, self.me)))
    }

    /// Books steady contact with a peer that has answered and caught up.
    pub(super) fn try_steady(&mut self, id: ComponentId, view: &View) {
        let Some(delays) = self.steadiness(id, view).filter(|_| !self.eager) else { return };
        let last = self.hard.log.last_index();
        let Some(leading) = &mut self.raft.leading else { return };
        let single = leading.single;
        let Some(peer) = leading.peer(id) else { return };
        if peer.fresh && !peer.snapshot && peer.acked >= peer.flight.max(single) {
            peer.steady = Some(delays);
            peer.acked = last;
            peer.next = last + 1;
        }
    }
}

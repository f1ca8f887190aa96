//! What a leader does: appends, heartbeats where they change something, commits, hands over; and
//! what a follower does with them.
//!
//! A peer in steady contact holds whatever the leader's log holds, up to appends that are simulated
//! one by one and not yet answered; nothing is sent to it otherwise. A peer that is not steady gets
//! real heartbeats at the leader's ticks, as soon as its stream carries them, until it answers and
//! has caught up.
//!
//! Absent on purpose: flow control and the size of messages.

use super::progress::Peer;
use super::quorum::reached_by_majority;
use super::{Etcd, Fx, SNAPSHOT};
use crate::component::effects::ExitStatus;
use crate::component::id::ComponentId;
use crate::component::mail::{Body, Proposal, RaftKind, RaftMessage, Run};
use crate::component::record::Record;
use crate::component::view::{ProcessState, View};
use crate::kernel::time::{Duration, Time};

/// Entries on their way from a leader.
#[derive(Clone, Copy, Debug)]
pub(super) struct Appended<'a> {
    pub(super) previous: (u64, u64),
    pub(super) entries: &'a [Run],
    pub(super) proposals: &'a [Proposal],
    pub(super) commit: u64,
}

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
        match (peer.silent || ready > view.now, peer.told) {
            (true, false) => Due::Once,
            (true, true) if peer.silent => Due::Never,
            (true, true) => Due::From(ready),
            (false, _) => Due::Now,
        }
    }

    /// The next tick at which a heartbeat has to be sent.
    pub(super) fn next_beat(&self, view: &View) -> Time {
        let Some(leading) = &self.raft.leading else { return Time::NEVER };
        let ticks = &self.raft.ticks;
        let at = |peer: &Peer| match self.due(peer, view) {
            Due::Never => Time::NEVER,
            Due::Once | Due::Now => ticks.first_after(view.now),
            Due::From(ready) => ticks.first_at_or_after(ready),
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
                peer.told = matches!(due, Due::Once) || (peer.told && due != Due::Now);
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
        let ticks = self.raft.ticks;
        let last = self.hard.log.last_index();
        let Some(leading) = &self.raft.leading else { return };
        let Some((there, back)) = leading.peers[at].steady else { return };
        let recent = self.writes_in(view.now - (there + back + self.rules.tick), view.now);
        let Some(leading) = &mut self.raft.leading else { return };
        let peer = &mut leading.peers[at];
        peer.steady = None;
        peer.told = false;
        peer.fresh = false;
        if let Some(beat) = ticks.last_before(left) {
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
                peer.last_active = now - self.rules.tick;
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
    fn try_steady(&mut self, id: ComponentId, view: &View) {
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

    /// Sends a peer what it lacks (raft: `maybeSendAppend`).
    fn send_append(&mut self, to: ComponentId, fx: &mut Fx) {
        let last = self.hard.log.last_index();
        let retained = self.rules.first_retained(last);
        let Some(peer) = self.raft.leading.as_mut().and_then(|l| l.peer(to)) else { return };
        if peer.snapshot || (!peer.replicate && peer.probed) {
            return;
        }
        peer.probed = !peer.replicate;
        let previous = peer.next - 1;
        if peer.next < retained {
            peer.snapshot = true;
            peer.next = last + 1;
            self.send_snapshot(to, last, fx);
            return;
        }
        if peer.replicate {
            peer.next = last + 1;
        }
        peer.flight = peer.flight.max(last);
        let kind = RaftKind::Append {
            previous_term: self.hard.log.term_at(previous).unwrap_or(0),
            previous_index: previous,
            entries: self.hard.log.runs_after(previous),
            proposals: self.hard.log.proposals_after(previous),
            commit: self.raft.commit,
        };
        self.emit(to, RaftMessage { term: self.hard.term, kind });
    }

    fn send_snapshot(&mut self, to: ComponentId, last: u64, fx: &mut Fx) {
        let transfer = self.rules.options.snapshot_transfer.sample(&mut fx.draw(SNAPSHOT));
        let kind = RaftKind::Snapshot { last_term: self.hard.log.last_term(), last_index: last };
        let message = RaftMessage { term: self.hard.term, kind };
        fx.send_after(transfer, "snapshot-transfer", to, Body::Raft(message));
    }

    /// Sends everybody what they lack (raft: `bcastAppend`).
    pub(super) fn append_to_all(&mut self, fx: &mut Fx) {
        for peer in self.peers.clone() {
            self.send_append(peer, fx);
        }
    }

    /// Enters a proposal into the leader's log and sends it on.
    pub(super) fn append_proposal(&mut self, proposal: Proposal, view: &View, fx: &mut Fx) {
        self.book_writes(view.now);
        self.persist();
        self.hard.log.push(self.hard.term, proposal);
        self.entered_singly();
        self.append_to_all(fx);
    }

    /// The last entry is one that has to be acknowledged by messages.
    pub(super) fn entered_singly(&mut self) {
        if let Some(leading) = &mut self.raft.leading {
            leading.single = self.hard.log.last_index();
        }
    }

    /// A follower takes entries over.
    pub(super) fn on_append(&mut self, from: ComponentId, append: Appended, view: &View) {
        let mirrored = self.raft.mirror && self.raft.contact.is_some();
        self.follow_writes(view);
        self.hear(from, view);
        let (previous_term, previous_index) = append.previous;
        let last = self.hard.log.last_index();
        if mirrored && previous_index > last && previous_term == self.hard.term {
            self.hard.log.extend(previous_term, previous_index - last);
        }
        if !append.entries.is_empty() {
            self.persist();
        }
        let taken = self.hard.log.accept(append.previous, append.entries, append.proposals);
        let kind = match taken {
            Some(index) => {
                self.raft.mirror = self.raft.contact.is_some();
                self.learn_commit(append.commit.min(index));
                RaftKind::AppendReply { index, rejected: false }
            }
            None => {
                let index = self.hard.log.hint(previous_term, previous_index);
                RaftKind::AppendReply { index, rejected: true }
            }
        };
        self.emit(from, RaftMessage { term: self.hard.term, kind });
    }

    /// A follower takes over a snapshot.
    pub(super) fn on_snapshot(&mut self, from: ComponentId, last: (u64, u64), view: &View) {
        self.hear(from, view);
        self.persist();
        if last.1 > self.raft.commit {
            self.hard.log.restore(last.0, last.1);
            self.raft.commit = last.1;
        }
        let kind = RaftKind::AppendReply { index: last.1, rejected: false };
        self.emit(from, RaftMessage { term: self.hard.term, kind });
    }

    /// A follower hears a heartbeat.
    pub(super) fn on_heartbeat(
        &mut self,
        from: ComponentId,
        commit: u64,
        round: u64,
        view: &View,
        fx: &mut Fx,
    ) {
        self.follow_writes(view);
        self.hear(from, view);
        if commit > 0 && self.hard.log.last_index() == 0 {
            fx.exit(ExitStatus::Fatal("tocommit is out of range [lastIndex(0)]: was the log lost?"));
            return;
        }
        self.learn_commit(commit.min(self.hard.log.last_index()));
        let kind = RaftKind::HeartbeatReply { round };
        let message = RaftMessage { term: self.hard.term, kind };
        self.emit_now(from, message, fx);
    }

    /// Steady writes that left the leader before the message that just arrived are in the log.
    fn follow_writes(&mut self, view: &View) {
        if let Some(contact) = self.raft.contact {
            self.book_writes(view.now - contact.delay);
        }
    }

    fn learn_commit(&mut self, commit: u64) {
        if commit > self.raft.commit {
            self.raft.commit = commit;
            self.hard.log.take_proposals(commit);
        }
    }

    /// A peer answered a heartbeat: it is active, and what it lacks can be sent.
    pub(super) fn on_heartbeat_reply(
        &mut self,
        from: ComponentId,
        round: u64,
        view: &View,
        fx: &mut Fx,
    ) {
        let last = self.hard.log.last_index();
        let writes = !self.ledger.is_empty();
        let Some(peer) = self.raft.leading.as_mut().and_then(|l| l.peer(from)) else { return };
        peer.last_active = view.now;
        peer.probed = false;
        peer.fresh |= round > peer.regime;
        self.confirm_round(from, round, view, fx);
        let Some(peer) = self.raft.leading.as_mut().and_then(|l| l.peer(from)) else { return };
        if peer.steady.is_some() {
            return;
        }
        let under_way = peer.replicate && peer.next > last;
        if (peer.acked < last && !under_way) || writes {
            self.send_append(from, fx);
        } else {
            self.try_steady(from, view);
        }
    }

    /// A peer answered an append.
    pub(super) fn on_append_reply(
        &mut self,
        from: ComponentId,
        index: u64,
        rejected: bool,
        view: &View,
        fx: &mut Fx,
    ) {
        self.book_writes(view.now);
        let last = self.hard.log.last_index();
        let Some(leading) = &mut self.raft.leading else { return };
        let single = leading.single;
        let Some(peer) = leading.peer(from) else { return };
        peer.last_active = view.now;
        peer.probed = false;
        if rejected {
            let next = if peer.replicate { peer.acked } else { index.min(peer.next.max(2) - 2) };
            peer.replicate = false;
            peer.next = next.max(peer.acked) + 1;
            self.send_append(from, fx);
            return;
        }
        peer.acked = peer.acked.max(index);
        if peer.steady.is_some() && peer.acked >= peer.flight.max(single) {
            peer.acked = last;
        }
        peer.replicate = true;
        peer.snapshot = false;
        peer.next = peer.next.max(peer.acked + 1);
        self.advance_commit(view, fx);
        self.try_steady(from, view);
        let leading = self.raft.leading.as_mut();
        if leading.and_then(|l| l.peer(from)).is_some_and(|peer| peer.next <= last) {
            self.send_append(from, fx);
        }
        self.hand_over(from, fx);
    }

    /// Commits what a majority holds, if it is of the leader's own term, and applies it.
    pub(super) fn advance_commit(&mut self, view: &View, fx: &mut Fx) {
        let last = self.hard.log.last_index();
        let busy = self.disk.busy();
        let Some(leading) = &mut self.raft.leading else { return };
        if !busy && !self.disk.turn.persist {
            leading.synced = last;
        }
        let mut reached: Vec<u64> = leading.peers.iter().map(|peer| peer.acked).collect();
        reached.push(leading.synced);
        let index = reached_by_majority(reached);
        if index <= self.raft.commit || self.hard.log.term_at(index) != Some(self.hard.term) {
            return;
        }
        self.raft.commit = index;
        if !std::mem::replace(&mut leading.settled, true) {
            self.booked = view.now;
            fx.record(Record::CommittedFirst { term: self.hard.term });
            self.release_early_reads(view, fx);
        }
        for proposal in self.hard.log.take_proposals(index) {
            self.apply(proposal, view, fx);
        }
    }
}

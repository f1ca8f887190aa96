//! What a leader does: appends and commits; and
//! what a follower does with them.
//!
//! A peer in steady contact (see `contact`) holds whatever the leader's log holds, up to appends that
//! are simulated one by one and not yet answered; nothing but what is committed is told to it otherwise.
//!
//! Absent on purpose: flow control and the size of messages.

use super::quorum::reached_by_majority;
use super::{Etcd, Fx, SNAPSHOT};
use crate::component::effects::ExitStatus;
use crate::component::id::ComponentId;
use crate::component::mail::{Body, Proposal, RaftKind, RaftMessage, Run};
use crate::component::members::Members;
use crate::component::record::Record;
use crate::component::view::View;

/// Entries on their way from a leader.
#[derive(Clone, Copy, Debug)]
pub(super) struct Appended<'a> {
    pub(super) previous: (u64, u64),
    pub(super) entries: &'a [Run],
    pub(super) proposals: &'a [Proposal],
    pub(super) members: &'a [Members],
    pub(super) commit: u64,
    pub(super) full: bool,
}

impl Etcd {
    /// Sends a peer what it lacks (raft: `maybeSendAppend`).
    pub(super) fn send_append(&mut self, to: ComponentId, fx: &mut Fx) {
        let last = self.hard.log.last_index();
        let retained = self.rules.first_retained(last);
        let Some(peer) = self.raft.leading.as_mut().and_then(|l| l.peer(to)) else { return };
        if peer.snapshot || (!peer.replicate && peer.probed) {
            return;
        }
        peer.probed = !peer.replicate;
        let previous = peer.next - 1;
        let entries = previous < last || !peer.replicate;
        if peer.next < retained {
            peer.snapshot = true;
            peer.next = last + 1;
            self.send_snapshot(to, last, fx);
            return;
        }
        if peer.replicate {
            peer.next = last + 1;
        }
        // What goes with nothing in it is no proof of entries.
        if entries {
            peer.flight = peer.flight.max(last);
        }
        let kind = RaftKind::Append {
            previous_term: self.hard.log.term_at(previous).unwrap_or(0),
            previous_index: previous,
            entries: self.hard.log.runs_after(previous),
            proposals: self.hard.log.proposals_after(previous),
            members: self.hard.log.changes_after(previous),
            commit: self.raft.commit,
            full: self.hard.full,
        };
        self.emit(to, RaftMessage { term: self.hard.term, kind });
    }

    fn send_snapshot(&mut self, to: ComponentId, last: u64, fx: &mut Fx) {
        let transfer = self.rules.options.snapshot_transfer.sample(&mut fx.draw(SNAPSHOT));
        let (full, members) = (self.hard.full, self.hard.members);
        let last_term = self.hard.log.last_term();
        let kind = RaftKind::Snapshot { last_term, last_index: last, full, members };
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
        let kind = if let Some(index) = taken {
            self.hard.log.take_changes(append.members);
            self.raft.mirror = self.raft.contact.is_some();
            self.learn_commit(append.commit.min(index), view);
            if append.commit <= index {
                self.hard.full = append.full;
            }
            RaftKind::AppendReply { index, rejected: None }
        } else {
            let index = self.hard.log.hint(previous_term, previous_index);
            RaftKind::AppendReply { index, rejected: Some(previous_index) }
        };
        self.emit(from, RaftMessage { term: self.hard.term, kind });
    }

    /// A follower takes over a snapshot.
    pub(super) fn on_snapshot(
        &mut self,
        from: ComponentId,
        last: (u64, u64),
        full: bool,
        members: Members,
        view: &View,
    ) {
        self.hear(from, view);
        self.persist();
        if last.1 > self.raft.commit {
            self.hard.log.restore(last.0, last.1);
            self.hard.full = full;
            self.raft.commit = last.1;
            self.set_members(members);
            self.raft.mirror = self.raft.contact.is_some();
        }
        let kind = RaftKind::AppendReply { index: last.1, rejected: None };
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
        self.learn_commit(commit.min(self.hard.log.last_index()), view);
        let kind = RaftKind::HeartbeatReply { round };
        let message = RaftMessage { term: self.hard.term, kind };
        self.emit_now(from, message, fx);
    }

    /// Steady writes that left the leader before the message that just arrived are in the log.
    pub(super) fn follow_writes(&mut self, view: &View) {
        if let Some(contact) = self.raft.contact {
            self.book_writes(view.now - contact.delay);
        }
    }

    fn learn_commit(&mut self, commit: u64, view: &View) {
        if commit > self.raft.commit {
            self.raft.commit = commit;
            for proposal in self.take_applied(commit, view.now) {
                self.follow_applied(&proposal, view);
            }
            self.apply_members(view);
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
        // Who lacks nothing is probed no longer. Releases from 3.6 on send an empty append for that, earlier
        // ones the next entry; a round trip that nobody notices is left out.
        peer.replicate |= peer.fresh && peer.acked == last && !peer.snapshot;
        if (peer.acked < last && !(peer.replicate && peer.next > last)) || writes {
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
        rejected: Option<u64>,
        view: &View,
        fx: &mut Fx,
    ) {
        self.book_writes(view.now);
        let last = self.hard.log.last_index();
        let Some(leading) = &mut self.raft.leading else { return };
        let single = leading.single;
        let Some(peer) = leading.peer(from) else { return };
        peer.last_active = view.now;
        if let Some(rejected) = rejected {
            // An answer to what was overtaken (raft: MaybeDecrTo); another one for each of those
            // would never end.
            let lacks = rejected == peer.acked && index < rejected && peer.steady.is_none();
            let stale = if peer.replicate {
                rejected <= peer.acked && !lacks
            } else {
                rejected + 1 != peer.next
            };
            if stale {
                return;
            }
            peer.probed = false;
            if lacks || (!peer.replicate && rejected == peer.acked) {
                // Steady writes were counted for a peer that failed before they had reached its disk;
                // raft would never have had an answer to them.
                peer.acked = peer.acked.min(index);
            }
            let next = if peer.replicate { peer.acked } else { index.min(peer.next.max(2) - 2) };
            peer.replicate = false;
            peer.next = next.max(peer.acked) + 1;
            self.send_append(from, fx);
            return;
        }
        peer.probed = false;
        peer.acked = peer.acked.max(index);
        if peer.steady.is_some() && peer.acked >= peer.flight.max(single) {
            peer.acked = last;
        }
        peer.replicate = true;
        if std::mem::take(&mut peer.snapshot) && peer.acked < last {
            // What was written while the snapshot was under way goes as an append.
            peer.next = peer.acked + 1;
            peer.flight = last;
        }
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
        let voters = leading.peers.iter().filter(|peer| peer.voter);
        let mut reached: Vec<u64> = voters.map(|peer| peer.acked).collect();
        // A leader that has removed itself counts no more.
        if reached.is_empty() || self.hard.members.voters() > reached.len() {
            reached.push(leading.synced);
        }
        let index = reached_by_majority(reached);
        if index <= self.raft.commit || self.hard.log.term_at(index) != Some(self.hard.term) {
            return;
        }
        self.raft.commit = index;
        if !std::mem::replace(&mut leading.settled, true) {
            self.booked = view.now;
            fx.record(Record::CommittedFirst { term: self.hard.term });
            if self.hard.log.begins_in(self.hard.term) {
                self.begin_empty(view, fx);
            }
            self.release_early_reads(view, fx);
        }
        for proposal in self.take_applied(index, view.now) {
            self.apply(proposal, view, fx);
        }
        // What is committed is told at once, with or without further entries.
        self.append_to_all(fx);
        self.lead_members(view, fx);
    }
}

//! Raft messages as they arrive: the rules of terms first, then the message's own.
//!
//! Absent on purpose: what each message does, which is with its subject.

use super::replication::Appended;
use super::vote::Asked;
use super::{Etcd, Fx};
use crate::component::fact::Role;
use crate::component::id::ComponentId;
use crate::component::mail::{RaftKind, RaftMessage};
use crate::component::view::View;

impl Etcd {
    /// Handles a raft message (raft: `Step`).
    pub(super) fn on_raft(
        &mut self,
        from: ComponentId,
        message: RaftMessage,
        view: &View,
        fx: &mut Fx,
    ) {
        let RaftMessage { term, kind } = message;
        if let RaftKind::Propose { origin, tag, op } = kind {
            self.propose(origin, tag, op, view, fx);
            return;
        }
        if let RaftKind::Applied { tag, entry, outcome } = kind {
            self.requests.decided(tag, entry, outcome);
            return;
        }
        if let RaftKind::Gone { index } = kind {
            self.on_gone(index, fx);
            return;
        }
        if self.turns_away(from, &kind) {
            return;
        }
        if term > self.hard.term && !self.raise_term(from, term, &kind, view, fx) {
            return;
        }
        if term < self.hard.term {
            self.answer_lower_term(from, &kind);
            return;
        }
        if from_leader(&kind) && self.raft.role != Role::Follower {
            if self.raft.role == Role::Leader {
                return;
            }
            self.become_follower(term, Some(from), view, fx);
        }
        self.step(from, term, kind, view, fx);
    }

    /// A message at a higher term: whether it is to be handled, after the term has followed it.
    fn raise_term(
        &mut self,
        from: ComponentId,
        term: u64,
        kind: &RaftKind,
        view: &View,
        fx: &mut Fx,
    ) -> bool {
        match kind {
            RaftKind::Vote { transfer: false, .. } if self.in_lease(view) => return false,
            RaftKind::Vote { pre: true, .. } | RaftKind::VoteReply { pre: true, granted: true } => {}
            kind => {
                let lead = from_leader(kind).then_some(from);
                self.become_follower(term, lead, view, fx);
            }
        }
        true
    }

    /// A message at a lower term: leaders and pre-candidates are told the term, others hear nothing.
    fn answer_lower_term(&mut self, from: ComponentId, kind: &RaftKind) {
        let answer = match kind {
            RaftKind::Heartbeat { .. } | RaftKind::Append { .. } => {
                RaftKind::AppendReply { index: 0, rejected: None }
            }
            RaftKind::Vote { pre: true, .. } => RaftKind::VoteReply { pre: true, granted: false },
            _ => return,
        };
        self.emit(from, RaftMessage { term: self.hard.term, kind: answer });
    }

    fn step(
        &mut self,
        from: ComponentId,
        term: u64,
        kind: RaftKind,
        view: &View,
        fx: &mut Fx,
    ) {
        match kind {
            RaftKind::Vote { pre, last_term, last_index, .. } => {
                self.on_vote(Asked { from, term, pre, last_term, last_index }, view);
            }
            RaftKind::VoteReply { pre, granted } => {
                self.on_vote_reply(from, pre, granted, view, fx);
            }
            RaftKind::Heartbeat { commit, round } => {
                self.raft.lead = Some(from);
                self.on_heartbeat(from, commit, round, view, fx);
            }
            RaftKind::Append {
                previous_term,
                previous_index,
                entries,
                proposals,
                members,
                commit,
                full,
            } => {
                self.raft.lead = Some(from);
                let previous = (previous_term, previous_index);
                let append = Appended {
                    previous,
                    entries: &entries,
                    proposals: &proposals,
                    members: &members,
                    commit,
                    full,
                };
                self.on_append(from, append, view);
            }
            RaftKind::Snapshot { last_term, last_index, full, members } => {
                self.raft.lead = Some(from);
                self.on_snapshot(from, (last_term, last_index), full, members, view);
            }
            RaftKind::HeartbeatReply { round } => self.on_heartbeat_reply(from, round, view, fx),
            RaftKind::AppendReply { index, rejected } => {
                self.on_append_reply(from, index, rejected, view, fx);
            }
            RaftKind::TimeoutNow => self.on_timeout_now(view, fx),
            RaftKind::ReadIndex { tag } => self.on_read_index(from, tag, view, fx),
            RaftKind::ReadIndexReply { tag, upto } => self.reads.confirmed(tag, upto),
            RaftKind::Propose { .. } | RaftKind::Applied { .. } | RaftKind::Gone { .. } => {}
        }
    }

    /// The leader hands over: stand at once, without asking and past everybody's lease.
    fn on_timeout_now(&mut self, view: &View, fx: &mut Fx) {
        if self.raft.role == Role::Follower && self.promotable() {
            self.campaign(false, true, view, fx);
        }
    }
}

/// Whether only a leader sends this.
fn from_leader(kind: &RaftKind) -> bool {
    matches!(
        kind,
        RaftKind::Append { .. } | RaftKind::Heartbeat { .. } | RaftKind::Snapshot { .. }
    )
}

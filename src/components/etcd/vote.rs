//! Roles and votes, rule by rule as etcd-io/raft has them (`Step`, `campaign`, `stepCandidate`).
//!
//! Absent on purpose: when a campaign begins (`election`) and what a leader does (`replication`).

use super::progress::Leading;
use super::quorum::{Tally, tally};
use super::{Etcd, Fx};
use crate::component::fact::Role;
use crate::component::id::ComponentId;
use crate::component::mail::{RaftKind, RaftMessage};
use crate::component::record::Record;
use crate::component::view::View;
use crate::kernel::cadence::Cadence;

/// A request for a vote, as its receiver finds it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) from: ComponentId,
    pub(super) term: u64,
    pub(super) pre: bool,
    pub(super) last_term: u64,
    pub(super) last_index: u64,
}

impl Etcd {
    /// raft's `reset`: new term and role, a new random timeout, nothing known of a leader.
    fn reset(&mut self, term: u64, view: &View, fx: &mut Fx) {
        self.book_writes(view.now);
        if term != self.hard.term {
            self.persist();
            self.leave_contact(view.now);
            self.hard.term = term;
            self.hard.vote = None;
        }
        self.raft.lead = None;
        self.raft.contact = None;
        self.raft.mirror = false;
        self.raft.leading = None;
        self.raft.votes.clear();
        self.raft.timer.elapsed = 0;
        self.raft.timer.since = view.now;
        self.raft.timer.timeout = self.draw_timeout(fx);
    }

    /// Follows `lead` in `term`, or waits for somebody to lead.
    pub(super) fn become_follower(
        &mut self,
        term: u64,
        lead: Option<ComponentId>,
        view: &View,
        fx: &mut Fx,
    ) {
        self.reset(term, view, fx);
        self.raft.role = Role::Follower;
        self.raft.lead = lead;
    }

    /// Campaigns: asks first whether it could win (`pre`), or stands at once. A leader's transfer
    /// overrides the voters' lease.
    pub(super) fn campaign(&mut self, pre: bool, transfer: bool, view: &View, fx: &mut Fx) {
        let term = self.hard.term + 1;
        fx.record(Record::Campaign { term, pre });
        if pre {
            self.become_pre_candidate(view);
        } else {
            self.reset(term, view, fx);
            self.raft.role = Role::Candidate;
            self.hard.vote = Some(self.me);
        }
        self.raft.votes.push((self.me, true));
        if tally(self.voters(), 1, 0) == Tally::Won {
            self.win(view, fx);
            return;
        }
        let (last_term, last_index) = (self.hard.log.last_term(), self.hard.log.last_index());
        for (peer, _) in self.electorate().into_iter().filter(|(_, votes)| *votes) {
            let kind = RaftKind::Vote { pre, transfer, last_term, last_index };
            self.emit(peer, RaftMessage { term, kind });
        }
    }

    /// Keeps term, vote and random timeout, but knows no leader any more.
    fn become_pre_candidate(&mut self, view: &View) {
        self.book_writes(view.now);
        self.raft.role = Role::PreCandidate;
        self.raft.lead = None;
        self.raft.mirror = false;
        self.raft.votes.clear();
    }

    /// A majority has granted.
    fn win(&mut self, view: &View, fx: &mut Fx) {
        if self.raft.role == Role::PreCandidate {
            self.campaign(false, false, view, fx);
        } else {
            self.become_leader(view, fx);
        }
    }

    fn become_leader(&mut self, view: &View, fx: &mut Fx) {
        self.reset(self.hard.term, view, fx);
        self.raft.role = Role::Leader;
        self.raft.lead = Some(self.me);
        self.raft.window = view.now;
        if self.rules.tick != self.rules.heartbeat {
            self.raft.beats = Cadence::new(view.now, view.local(self.rules.heartbeat));
        }
        self.booked = view.now;
        let last = self.hard.log.last_index();
        self.raft.leading = Some(Leading::new(&self.electorate(), last));
        self.persist();
        self.hard.log.extend(self.hard.term, 1);
        self.entered_singly();
        for (term, first, last) in self.hard.log.known_runs() {
            fx.record(Record::ElectedWith { leads: self.hard.term, term, first, last });
        }
        self.review_peers(view);
        self.append_to_all(fx);
    }

    /// Whether a request at a higher term is ignored: a leader has been heard of within `E` own ticks.
    pub(super) fn in_lease(&self, view: &View) -> bool {
        self.rules.options.check_quorum
            && self.raft.lead.is_some()
            && self.elapsed(view.now) < self.rules.ticks
    }

    /// Answers a request for a vote; one at a higher term has passed the lease and moved the term.
    pub(super) fn on_vote(&mut self, asked: Asked, view: &View) {
        let can = self.hard.vote == Some(asked.from)
            || (self.hard.vote.is_none() && self.raft.lead.is_none())
            || (asked.pre && asked.term > self.hard.term);
        let granted = can && self.hard.log.yields_to(asked.last_term, asked.last_index);
        if granted && !asked.pre {
            if self.hard.vote != Some(asked.from) {
                self.persist();
                self.hard.vote = Some(asked.from);
            }
            self.raft.timer.elapsed = 0;
            self.raft.timer.since = view.now;
        }
        let term = if granted { asked.term } else { self.hard.term };
        let kind = RaftKind::VoteReply { pre: asked.pre, granted };
        self.emit(asked.from, RaftMessage { term, kind });
    }

    /// Counts a vote.
    pub(super) fn on_vote_reply(
        &mut self,
        from: ComponentId,
        pre: bool,
        granted: bool,
        view: &View,
        fx: &mut Fx,
    ) {
        let asked = if pre { Role::PreCandidate } else { Role::Candidate };
        if self.raft.role != asked {
            return;
        }
        if self.votes(from) && !self.raft.votes.iter().any(|(voter, _)| *voter == from) {
            self.raft.votes.push((from, granted));
        }
        let granted = self.raft.votes.iter().filter(|(_, granted)| *granted).count();
        match tally(self.voters(), granted, self.raft.votes.len() - granted) {
            Tally::Won => self.win(view, fx),
            Tally::Lost => self.become_follower(self.hard.term, None, view, fx),
            Tally::Open => {}
        }
    }
}

//! Membership: one change of the configuration at a time, as an entry of the log.
//!
//! A change is committed by the rules of the configuration before it and takes effect where its entry
//! is applied; a leader applies it as soon as it commits. Before it is proposed etcd looks whether the
//! cluster would survive it (`--strict-reconfig-check`). Who starts with an empty directory asks the
//! others which configuration holds; who finds itself removed ends.
//!
//! Absent on purpose: addresses, and joint consensus, which etcd does not use.

use super::quorum::majority;
use super::log::Log;
use super::{Etcd, Fx, Hard};
use crate::component::effects::ExitStatus;
use crate::component::fact::Role;
use crate::component::id::ComponentId;
use crate::component::lever::Snapshot;
use crate::component::mail::{Op, RaftKind, RaftMessage};
use crate::component::members::{MemberChange, Members};
use crate::component::record::Record;
use crate::component::view::{ProcessState, View};
use crate::kernel::time::Duration;

/// For how long a member must have been connected to count (`HealthInterval`).
const HEALTHY_AFTER: Duration = Duration::from_secs(5);
/// How long a removed member still runs (`stopWithDelay`: 10 × 100 ms).
pub(super) const LINGERS: Duration = Duration::from_secs(1);
/// Most learners at a time (`--max-learners`).
const LEARNERS_MAX: usize = 1;

/// A new cluster counts its terms from 1. They go on here from above those of the old one, so that
/// whoever observes both tells them apart.
const NEW_CLUSTER: u64 = 1000;

/// What a removed member says at its end.
pub(super) const REMOVED: ExitStatus =
    ExitStatus::Fatal("the member has been permanently removed from the cluster");

impl Etcd {
    /// A member's place among all that the scenario has.
    fn place(&self, id: ComponentId) -> usize {
        self.all.iter().position(|member| *member == id).unwrap_or(usize::MAX)
    }

    /// Whether a member votes in the configuration in force here.
    pub(super) fn votes(&self, id: ComponentId) -> bool {
        self.hard.members.votes(self.place(id))
    }

    /// Whether this member may lead: learners and removed members may not.
    pub(super) fn promotable(&self) -> bool {
        self.votes(self.me)
    }

    /// Whether this member belongs to the configuration in force here.
    pub(super) fn belongs(&self) -> bool {
        self.hard.members.has(self.place(self.me))
    }

    /// The other members with their votes.
    pub(super) fn electorate(&self) -> Vec<(ComponentId, bool)> {
        self.peers.iter().map(|peer| (*peer, self.votes(*peer))).collect()
    }

    /// What follows from the configuration in force.
    fn know_peers(&mut self) {
        let belongs = |id: &&ComponentId| **id != self.me && self.hard.members.has(self.place(**id));
        self.peers = self.all.iter().filter(belongs).copied().collect();
    }

    /// Goes by a configuration from now on.
    pub(super) fn set_members(&mut self, members: Members) {
        self.hard.members = members;
        self.know_peers();
    }

    /// An empty directory: the cluster says who belongs to it; where nobody answers it is the one
    /// that the flags name. Whether this member may go on.
    pub(super) fn find_cluster(&mut self, view: &View, fx: &mut Fx) -> bool {
        if self.hard.members.is_empty() {
            let answers = |peer: &&ComponentId| {
                view.process(**peer).state == ProcessState::Running
                    && view.stream_ready(**peer, self.me) <= view.now
            };
            let others = self.all.iter().filter(|id| **id != self.me).filter(answers);
            let told = others.filter_map(|peer| view.etcd(*peer));
            let told = told.map(|fact| fact.members.unwrap_or(self.everybody()));
            let members = told.max_by_key(|members| members.index).unwrap_or(self.first);
            self.set_members(members);
        }
        let known = self.belongs();
        if !known {
            fx.exit(ExitStatus::Fatal("is not in the cluster's list of members"));
        }
        known
    }

    /// The configuration of a cluster to which every member of the scenario belongs from the start.
    pub(super) fn everybody(&self) -> Members {
        Members::first(self.all.len())
    }

    /// An operator asks for a change.
    pub(super) fn ask_change(
        &mut self,
        change: MemberChange,
        member: ComponentId,
        view: &View,
        fx: &mut Fx,
    ) {
        let refusal = match self.changed(change, member, view) {
            Ok(members) => {
                let tag = self.requests.tag();
                self.propose(self.me, tag, Op::Reconfigure(members), view, fx);
                None
            }
            Err(reason) => Some(reason),
        };
        if let Some(reason) = refusal.filter(|_| refusal != self.refusal) {
            fx.record(Record::Note(reason));
        }
        self.refusal = refusal;
    }

    /// The configuration after a change, or why etcd refuses it.
    fn changed(
        &self,
        change: MemberChange,
        member: ComponentId,
        view: &View,
    ) -> Result<Members, &'static str> {
        let now = self.hard.members;
        let next = now.after(change, self.place(member));
        let Some(next) = next.filter(|next| next.voters() > 0) else {
            return Err("refuses a change of members that would change nothing");
        };
        if self.change_pending() {
            return Err("refuses a second change of members while one is under way");
        }
        match change {
            MemberChange::AddLearner if now.learners() >= LEARNERS_MAX => {
                Err("refuses a learner: there is one already")
            }
            MemberChange::Promote if !self.caught_up(member) => {
                Err("refuses to promote a learner that has not caught up")
            }
            _ if !self.rules.options.strict_reconfig_check => Ok(next),
            MemberChange::AddVoter if now.voters() > 1 && self.started() < majority(next.voters()) => {
                Err("refuses a member: not enough started members")
            }
            MemberChange::AddVoter | MemberChange::AddLearner if !self.fully_connected(view) => {
                Err("refuses a member: unhealthy cluster")
            }
            MemberChange::Remove if self.votes(member) && !self.can_spare(member, view) => {
                Err("refuses to remove a member: unhealthy cluster")
            }
            _ => Ok(next),
        }
    }

    /// Whether an entry that changes the configuration is not applied yet. Before the first commit of
    /// a term a leader does not know (raft: `pendingConfIndex`).
    fn change_pending(&self) -> bool {
        let settled = self.raft.leading.as_ref().is_some_and(|leading| leading.settled);
        !settled || self.hard.log.last_change() > self.hard.members.index
    }

    /// Whether a learner holds nine tenths of the log (`readyPercentThreshold`).
    fn caught_up(&self, member: ComponentId) -> bool {
        let leading = self.raft.leading.as_ref();
        let peer = leading.and_then(|l| l.peers.iter().find(|peer| peer.id == member));
        peer.is_some_and(|peer| peer.acked * 10 >= self.hard.log.last_index() * 9)
    }

    /// How many voters have ever answered this leader, itself included.
    fn started(&self) -> usize {
        let peers = self.raft.leading.iter().flat_map(|leading| &leading.peers);
        1 + peers.filter(|peer| peer.voter && peer.acked > 0).count()
    }

    /// Voters that have been connected for long enough, this member included.
    fn connected(&self, view: &View) -> usize {
        let since = |peer: &&ComponentId| {
            let ready = view.stream_ready(self.me, **peer).max(view.stream_ready(**peer, self.me));
            view.process(**peer).state != ProcessState::Dead && ready + HEALTHY_AFTER <= view.now
        };
        let voters = self.peers.iter().filter(|peer| self.votes(**peer));
        usize::from(self.promotable()) + voters.filter(since).count()
    }

    /// Whether enough voters are connected to add one: all of them.
    fn fully_connected(&self, view: &View) -> bool {
        self.connected(view) == self.hard.members.voters()
    }

    /// Whether the cluster can do without a voter: one that is away may always go.
    fn can_spare(&self, member: ComponentId, view: &View) -> bool {
        let away = member != self.me && view.process(member).state == ProcessState::Dead;
        let voters = self.hard.members.voters();
        away || voters <= 1 || self.connected(view) > 1 + (voters - 1) / 2
    }

    /// What is committed may change the configuration here; whether it did.
    pub(super) fn apply_members(&mut self, view: &View) -> bool {
        let Some(members) = self.hard.log.members_at(self.raft.commit) else { return false };
        if members.index <= self.hard.members.index {
            return false;
        }
        self.set_members(members);
        if !self.belongs() {
            self.linger(view.now);
        }
        true
    }

    /// A leader's configuration follows what has committed: everybody hears of it, also who goes.
    pub(super) fn lead_members(&mut self, view: &View, fx: &mut Fx) {
        let before = self.peers.clone();
        if !self.apply_members(view) {
            return;
        }
        // Passes before this moment have found the majority of the old configuration.
        self.book_passes(view.now);
        fx.record(Record::Note(words(self.hard.members)));
        for peer in before {
            self.send_append(peer, fx);
        }
        let (electorate, last) = (self.electorate(), self.hard.log.last_index());
        if let Some(leading) = &mut self.raft.leading {
            leading.follow_members(&electorate, last);
        }
        self.review_peers(view);
        self.append_to_all(fx);
        self.advance_commit(view, fx);
    }

    /// The directory is that of a new cluster, made of a snapshot: all the members that the scenario
    /// began with, and the log no longer than the snapshot's.
    pub(super) fn restore(&mut self, snapshot: Snapshot, fx: &mut Fx) {
        let lost = self.hard.log.last_index().saturating_sub(snapshot.index);
        fx.record(Record::Restored { taken: snapshot.taken, lost });
        let term = snapshot.term + NEW_CLUSTER;
        let log = Log::of(term, snapshot.index);
        self.hard = Hard { term, log, ..Hard::default() };
        self.wipe = false;
        self.set_members(self.first);
    }

    /// `--force-new-cluster`: this member is all that is left of the cluster.
    pub(super) fn force_new_cluster(&mut self) {
        let index = self.hard.log.last_index();
        self.set_members(Members::only(self.place(self.me)).made_at(index));
    }

    /// Whether a request for a vote comes from one that the configuration has no place for any more:
    /// it is told so, and not heard (rafthttp).
    pub(super) fn turns_away(&mut self, from: ComponentId, kind: &RaftKind) -> bool {
        let asks = matches!(kind, RaftKind::Vote { .. });
        let members = self.hard.members;
        if !asks || members.index == 0 || members.has(self.place(from)) {
            return false;
        }
        let kind = RaftKind::Gone { index: members.index };
        self.emit(from, RaftMessage { term: self.hard.term, kind });
        true
    }

    /// A member says that this one has been removed.
    pub(super) fn on_gone(&mut self, index: u64, fx: &mut Fx) {
        if index > self.hard.members.index && self.raft.role != Role::Leader {
            fx.exit(REMOVED);
        }
    }
}

/// What a leader says of the configuration in force.
fn words(members: Members) -> &'static str {
    match (members.voters(), members.learners()) {
        (1, 0) => "leads one voter",
        (1, _) => "leads one voter and a learner",
        (2, 0) => "leads two voters",
        (2, _) => "leads two voters and a learner",
        (3, 0) => "leads three voters",
        (3, _) => "leads three voters and a learner",
        (4, 0) => "leads four voters",
        (4, _) => "leads four voters and a learner",
        (5, 0) => "leads five voters",
        (5, _) => "leads five voters and a learner",
        (_, 0) => "leads more voters than before or fewer",
        _ => "leads its voters and a learner",
    }
}

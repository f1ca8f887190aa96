//! Requests of clients as a member serves them, and proposals on their way to the leader.
//!
//! A proposal waits as long as no leader is known; it is forwarded once, and lost if the leader it
//! goes to is gone. Whoever waits for it is told after 5 s + 2 election-timeouts that the outcome is
//! unknown; the entry itself may still commit. An answer goes out when the member that was asked has
//! applied the entry itself: one that still catches up, from a snapshot perhaps, keeps its clients
//! waiting, and opens its client port no sooner.
//!
//! Absent on purpose: authentication, quotas, sizes.

use super::{Alarm, Etcd, Fx};
use crate::component::EventId;
use crate::component::blame::Blame;
use crate::component::certificate::Certificates;
use crate::component::fact::{Fact, LeaseFact, NodeFact, Resource, WorkloadFact};
use crate::component::id::{ComponentId, Kind};
use crate::component::mail::{
    Body, Call, Endpoint, EntryName, Op, Outcome, Proposal, RaftKind, RaftMessage, Reply,
};
use crate::component::record::Record;
use crate::component::view::View;
use crate::kernel::time::Time;
use std::collections::BTreeMap;

/// Who asked, and under which key the answer is found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker {
    pub(super) client: ComponentId,
    pub(super) call: u64,
}

/// A write whose outcome a client of this member waits for.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    asker: Asker,
    /// When this member stops waiting.
    until: Time,
    /// The event with which it was proposed to a leader.
    asked: EventId,
}

/// A proposal that waits for a leader to be known.
#[derive(Clone, Copy, Debug)]
struct Blocked {
    tag: u64,
    op: Op,
}

/// A proposal of this member that is committed.
#[derive(Clone, Copy, Debug)]
struct Decided {
    tag: u64,
    entry: EntryName,
    outcome: Outcome,
}

/// Writes under way at one member.
#[derive(Clone, Debug, Default)]
pub(super) struct Requests {
    waiting: BTreeMap<u64, Waiting>,
    blocked: Vec<Blocked>,
    /// Proposals whose entries this member has yet to apply.
    decided: Vec<Decided>,
    last_tag: u64,
    /// Leases written in this very step, which the view does not show yet.
    fresh: Vec<(ComponentId, LeaseFact)>,
    /// The proposal by which a started member makes itself known; then its client port opens.
    pub(super) publication: Option<(u64, Time)>,
}

impl Requests {
    /// Ends a step: what it wrote is now in the view.
    pub(super) fn end_step(&mut self) {
        self.fresh.clear();
    }

    /// A key for a proposal or a read.
    pub(super) fn tag(&mut self) -> u64 {
        self.last_tag += 1;
        self.last_tag
    }

    /// Whether an outcome is known but not yet its entry.
    pub(super) fn awaits_entry(&self) -> bool {
        !self.decided.is_empty()
    }

    /// A proposal of this member is committed.
    pub(super) fn decided(&mut self, tag: u64, entry: EntryName, outcome: Outcome) {
        self.decided.push(Decided { tag, entry, outcome });
    }

    /// Nobody waits for a proposal any more.
    fn give_up(&mut self, tag: u64) {
        self.blocked.retain(|blocked| blocked.tag != tag);
        self.decided.retain(|decided| decided.tag != tag);
    }

    /// Forgets everything, as a process does that ends; keys are not used again.
    pub(super) fn forget(&mut self) {
        *self = Self { last_tag: self.last_tag, ..Self::default() };
    }
}

impl Etcd {
    /// A client's request arrives.
    pub(super) fn on_call(&mut self, client: ComponentId, call: Call, view: &View, fx: &mut Fx) {
        let asker = Asker { client, call: call.id };
        // An API server's connections stand; a client makes one for each request.
        let made = view.map().component(client).kind == Kind::Client;
        if made && view.process(self.me).expired.shown.intersects(Certificates::ETCD_SERVING) {
            answer(asker, Outcome::Rejected, fx);
            return;
        }
        match call.op {
            Op::Connect
            | Op::Open
            | Op::ReadCached
            | Op::List
            | Op::Watch(_)
            | Op::Health(Endpoint::Livez) => {
                answer(asker, Outcome::Done, fx);
            }
            Op::Health(_) if self.raft.lead.is_none() && self.rules.health_needs_leader => {
                answer(asker, Outcome::Rejected, fx);
            }
            // Up to 3.4 `/health` fails while any alarm is armed.
            Op::Health(_) if self.hard.full && self.rules.health_needs_leader => {
                answer(asker, Outcome::Rejected, fx);
            }
            Op::Read(_) | Op::GetLease(_) | Op::Health(_) => {
                self.ask_read(asker, call.op, view, fx);
            }
            // etcd: `quotaKVServer`, `ErrGRPCNoSpace`.
            op if op.writes() && self.refuses_writes() => answer(asker, Outcome::Rejected, fx),
            Op::Write(_)
            | Op::PutLease { .. }
            | Op::RenewNodeLease
            | Op::PostNodeStatus
            | Op::Alarm(_)
            | Op::Reconfigure(_) => {
                let tag = self.requests.tag();
                let until = call.deadline.min(view.now + self.rules.request_timeout);
                self.requests.waiting.insert(tag, Waiting { asker, until, asked: fx.event() });
                self.propose(self.me, tag, call.op, view, fx);
            }
        }
    }

    /// A proposal of this member, or one that another forwarded.
    pub(super) fn propose(
        &mut self,
        origin: ComponentId,
        tag: u64,
        op: Op,
        view: &View,
        fx: &mut Fx,
    ) {
        if let Some(waiting) = self.requests.waiting.get_mut(&tag).filter(|_| origin == self.me) {
            waiting.asked = fx.event();
        }
        match self.raft.lead {
            // A proposal that another forwarded to a leader that is none any more is lost: only the
            // own ones wait before they enter raft. etcd-io/raft: `stepFollower`, `ErrProposalDropped`.
            None if origin != self.me => {}
            None => self.requests.blocked.push(Blocked { tag, op }),
            Some(lead) if lead == self.me => self.enter_proposal(origin, tag, op, view, fx),
            Some(lead) => {
                let kind = RaftKind::Propose { origin, tag, op };
                self.emit_now(lead, RaftMessage { term: self.hard.term, kind }, fx);
            }
        }
    }

    /// The leader enters a proposal, unless it is handing over (`ErrProposalDropped`).
    fn enter_proposal(&mut self, origin: ComponentId, tag: u64, op: Op, view: &View, fx: &mut Fx) {
        let dropped = self.raft.leading.as_ref().is_none_or(|l| l.transfer.is_some());
        if dropped {
            if origin == self.me {
                self.complete(tag, Outcome::Rejected, view, fx);
            }
            return;
        }
        let (asked, entered) = (fx.event(), view.now);
        self.append_proposal(Proposal { index: 0, origin, tag, op, asked, entered }, view, fx);
        self.advance_commit(view, fx);
    }

    /// A leader is known: what waited for one goes to it.
    pub(super) fn release_blocked(&mut self, view: &View, fx: &mut Fx) {
        for blocked in std::mem::take(&mut self.requests.blocked) {
            self.propose(self.me, blocked.tag, blocked.op, view, fx);
        }
    }

    /// The leader applies a committed entry and tells the member that waits for it.
    pub(super) fn apply(&mut self, proposal: Proposal, view: &View, fx: &mut Fx) {
        let outcome = match proposal.op {
            Op::Alarm(armed) => {
                self.hard.full = armed;
                Outcome::Done
            }
            // etcd: `applierV3Capped`.
            Op::PutLease { .. } if self.hard.full => Outcome::Rejected,
            Op::PutLease { lease, expected, record } => {
                self.put_lease(lease, expected, record, proposal.asked, view, fx)
            }
            _ => Outcome::Done,
        };
        let entry = self.hard.log.name(proposal.index);
        if outcome == Outcome::Done {
            fx.record(Record::Acknowledged { term: entry.term, index: entry.index });
        }
        if proposal.origin == self.me {
            self.complete(proposal.tag, outcome, view, fx);
        } else {
            let kind = RaftKind::Applied { tag: proposal.tag, entry, outcome };
            self.emit(proposal.origin, RaftMessage { term: self.hard.term, kind });
        }
    }

    /// The entries up to `index` that are to be applied now.
    pub(super) fn take_applied(&mut self, index: u64, now: Time) -> Vec<Proposal> {
        self.hard.log.take_proposals(index, now - self.rules.request_timeout)
    }

    /// A follower applies a committed entry. What the leader says of it may have been lost on the way;
    /// whichever comes first is the answer. Why a Lease was not written is then not known any more.
    pub(super) fn follow_applied(&mut self, proposal: &Proposal, view: &View) {
        if proposal.origin != self.me {
            return;
        }
        let outcome = match proposal.op {
            Op::PutLease { lease, expected, record } => {
                let done = self.lease(lease, view) == Some(written(expected, record));
                if done { Outcome::Done } else { Outcome::Conflict }
            }
            _ => Outcome::Done,
        };
        let entry = self.hard.log.name(proposal.index);
        self.requests.decided(proposal.tag, entry, outcome);
    }

    /// Compare-and-swap of a Lease. One that an earlier leader has already applied is done.
    fn put_lease(
        &mut self,
        lease: ComponentId,
        expected: (u64, Option<Time>),
        record: LeaseFact,
        asked: EventId,
        view: &View,
        fx: &mut Fx,
    ) -> Outcome {
        let Some(present) = self.lease(lease, view) else { return Outcome::Conflict };
        let written = written(expected, record);
        if present == written {
            return Outcome::Done;
        }
        if present.revision(view.now) != expected {
            return Outcome::Conflict;
        }
        self.requests.fresh.push((lease, written));
        fx.commit_for(asked, lease, Fact::Lease(written));
        Outcome::Done
    }

    /// A leader whose log was empty begins a store without objects: whatever Leases, nodes and workloads
    /// there were are gone.
    pub(super) fn begin_empty(&mut self, view: &View, fx: &mut Fx) {
        let gone = LeaseFact::default();
        for lease in view.map().of_kind(Kind::Lease).collect::<Vec<_>>() {
            if view.lease(lease).is_some_and(|fact| *fact != gone) {
                self.requests.fresh.push((lease, gone));
                fx.commit_for(fx.event(), lease, Fact::Lease(gone));
            }
        }
        let objects = view.map().of_kind(Kind::Node).chain(view.map().of_kind(Kind::Workload));
        for object in objects.filter(|_| self.hard.wiped).collect::<Vec<_>>() {
            let gone = match view.fact(object) {
                Fact::Node(node) if !node.gone => {
                    Fact::Node(NodeFact { gone: true, ..NodeFact::default() })
                }
                Fact::Workload(pods) if !pods.gone => {
                    let created = pods.created;
                    Fact::Workload(WorkloadFact { pods: Vec::new(), created, gone: true })
                }
                _ => continue,
            };
            fx.commit_for(fx.event(), object, gone);
        }
    }

    /// A Lease as it stands, this step's writes included.
    pub(super) fn lease(&self, lease: ComponentId, view: &View) -> Option<LeaseFact> {
        let fresh = self.requests.fresh.iter().rev().find(|(id, _)| *id == lease);
        fresh.map(|(_, fact)| *fact).or_else(|| view.lease(lease).copied())
    }

    /// The outcome of a proposal of this member.
    pub(super) fn complete(&mut self, tag: u64, outcome: Outcome, view: &View, fx: &mut Fx) {
        if self.requests.publication.is_some_and(|(published, _)| published == tag) {
            if outcome == Outcome::Done {
                self.requests.publication = None;
                self.starting.serving = true;
            }
            return;
        }
        let Some(waiting) = self.requests.waiting.remove(&tag) else { return };
        if waiting.until > view.now {
            let reply = Body::Reply(Reply { id: waiting.asker.call, outcome });
            let (work, client) = (self.rules.options.apply, waiting.asker.client);
            fx.send_for_after(waiting.asked, work, "apply", client, reply);
        }
    }

    /// Whether this member has applied an entry that is committed; steady writes that have reached it
    /// count.
    fn has_applied(&mut self, entry: EntryName, view: &View) -> bool {
        let has = |etcd: &Self| etcd.raft.commit >= entry.index || etcd.hard.log.has(entry);
        if !has(self) && self.unbooked_writes(view.now) > 0 {
            self.follow_writes(view);
        }
        has(self)
    }

    /// Answers what waited for entries that this member has by now.
    pub(super) fn answer_applied(&mut self, view: &View, fx: &mut Fx) {
        for decided in std::mem::take(&mut self.requests.decided) {
            if self.has_applied(decided.entry, view) {
                self.complete(decided.tag, decided.outcome, view, fx);
            } else {
                self.requests.decided.push(decided);
            }
        }
        if let Some((tag, upto)) = self.reads.awaits()
            && self.has_applied(upto, view)
        {
            self.read_confirmed(tag, view, fx);
        }
    }

    /// A started member makes itself known, again after each time-out.
    pub(super) fn publish_member(&mut self, view: &View, fx: &mut Fx) {
        let tag = self.requests.tag();
        self.requests.publication = Some((tag, view.now + self.rules.request_timeout));
        self.propose(self.me, tag, Op::Write(Resource::Objects), view, fx);
    }

    /// Time-outs of writes: the outcome is unknown. What still waits for a leader was never proposed.
    pub(super) fn time_out_writes(&mut self, view: &View, fx: &mut Fx) {
        let due: Vec<u64> = self.due_writes(view.now);
        for tag in due {
            if let Some(waiting) = self.requests.waiting.remove(&tag) {
                answer(waiting.asker, Outcome::TimedOut, fx);
            }
            self.requests.give_up(tag);
        }
        if let Some((tag, until)) = self.requests.publication
            && until <= view.now
        {
            self.requests.give_up(tag);
            self.publish_member(view, fx);
        }
    }

    fn due_writes(&self, now: Time) -> Vec<u64> {
        let due = self.requests.waiting.iter().filter(|(_, waiting)| waiting.until <= now);
        due.map(|(tag, _)| *tag).collect()
    }

    /// The alarm of the next time-out of a write.
    pub(super) fn plan_requests(&mut self, fx: &mut Fx) {
        let waiting = self.requests.waiting.values().map(|waiting| waiting.until);
        let publication = self.requests.publication.map(|(_, until)| until);
        let next = waiting.chain(publication).min().unwrap_or(Time::NEVER);
        self.arm(Alarm::Write, next, |wait| Blame::of("etcd request timeout", wait), fx);
    }
}

/// A Lease after a write that has succeeded.
fn written(expected: (u64, Option<Time>), record: LeaseFact) -> LeaseFact {
    LeaseFact { writes: expected.0 + 1, ..record }
}

/// Answers a client.
pub(super) fn answer(asker: Asker, outcome: Outcome, fx: &mut Fx) {
    fx.send(asker.client, Body::Reply(Reply { id: asker.call, outcome }));
}

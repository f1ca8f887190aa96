//! Linearizable reads: a member asks its leader for a read index, and the leader confirms with a round
//! of heartbeats that it still leads.
//!
//! Reads are batched: while one batch is under way, later reads wait for the next. A batch fails when
//! a leader appears during its wait for the index ("leader changed") or after 5 s + 2
//! election-timeouts. With the index known, it waits until the member has applied that much itself.
//!
//! Absent on purpose: what a read returns, Leases apart.

use super::progress::Round;
use super::requests::{Asker, answer};
use super::{Alarm, Etcd, Fx};
use crate::component::blame::Blame;
use crate::component::id::ComponentId;
use crate::component::mail::{Body, EntryName, Op, Outcome, RaftKind, RaftMessage, Reply};
use crate::component::view::View;
use crate::kernel::time::Time;

/// A read that a client waits for.
#[derive(Clone, Copy, Debug)]
struct Query {
    asker: Asker,
    op: Op,
}

/// Reads that share one read index.
#[derive(Clone, Debug)]
struct Batch {
    tag: u64,
    queries: Vec<Query>,
    until: Time,
    retry: Time,
    /// The read index, once it is known.
    upto: Option<EntryName>,
}

/// The read loop of a member (`linearizableReadLoop`).
#[derive(Clone, Debug, Default)]
pub(super) struct Reads {
    batch: Option<Batch>,
    waiting: Vec<Query>,
}

impl Reads {
    /// The read index of a batch is known.
    pub(super) fn confirmed(&mut self, tag: u64, upto: EntryName) {
        if let Some(batch) = self.batch.as_mut().filter(|batch| batch.tag == tag) {
            batch.upto = Some(upto);
            batch.retry = Time::NEVER;
        }
    }

    /// The batch that waits for the member itself, and for what.
    pub(super) fn awaits(&self) -> Option<(u64, EntryName)> {
        self.batch.as_ref().and_then(|batch| Some((batch.tag, batch.upto?)))
    }
}

impl Etcd {
    /// A client asks for a linearizable read.
    pub(super) fn ask_read(&mut self, asker: Asker, op: Op, view: &View, fx: &mut Fx) {
        self.reads.waiting.push(Query { asker, op });
        self.next_batch(view, fx);
    }

    fn next_batch(&mut self, view: &View, fx: &mut Fx) {
        if self.reads.batch.is_some() || self.reads.waiting.is_empty() {
            return;
        }
        let tag = self.requests.tag();
        self.reads.batch = Some(Batch {
            tag,
            queries: std::mem::take(&mut self.reads.waiting),
            until: view.now + self.rules.request_timeout,
            retry: self.rules.read_retry.map_or(Time::NEVER, |retry| view.now + retry),
            upto: None,
        });
        self.ask_index(tag, view, fx);
    }

    fn ask_index(&mut self, tag: u64, view: &View, fx: &mut Fx) {
        match self.raft.lead {
            None => {}
            Some(lead) if lead == self.me => self.on_read_index(self.me, tag, view, fx),
            Some(lead) => {
                let kind = RaftKind::ReadIndex { tag };
                self.emit_now(lead, RaftMessage { term: self.hard.term, kind }, fx);
            }
        }
    }

    /// The leader is asked for a read index. Before its first commit it does not know one.
    pub(super) fn on_read_index(
        &mut self,
        origin: ComponentId,
        tag: u64,
        view: &View,
        fx: &mut Fx,
    ) {
        let keeps = self.rules.read_retry.is_some();
        let Some(leading) = &mut self.raft.leading else { return };
        if !leading.settled {
            if keeps {
                leading.early_reads.push((origin, tag));
            }
            return;
        }
        let number = leading.next_round();
        leading.rounds.push(Round { number, origin, tag, acks: Vec::new() });
        if self.majority() == 1 {
            self.finish_rounds(number, view, fx);
        }
        for peer in self.peers.clone() {
            self.beat(peer, Some(number), fx);
        }
    }

    /// The first commit of the term: reads that came before it get their round.
    pub(super) fn release_early_reads(&mut self, view: &View, fx: &mut Fx) {
        let Some(leading) = &mut self.raft.leading else { return };
        for (origin, tag) in std::mem::take(&mut leading.early_reads) {
            self.on_read_index(origin, tag, view, fx);
        }
    }

    /// A peer confirms a round. A majority confirms all earlier ones too.
    pub(super) fn confirm_round(
        &mut self,
        from: ComponentId,
        number: u64,
        view: &View,
        fx: &mut Fx,
    ) {
        let (majority, votes) = (self.majority(), self.votes(from));
        let Some(leading) = &mut self.raft.leading else { return };
        let Some(round) = leading.rounds.iter_mut().find(|round| round.number == number) else {
            return;
        };
        if votes && !round.acks.contains(&from) {
            round.acks.push(from);
        }
        if round.acks.len() + 1 >= majority {
            self.finish_rounds(number, view, fx);
        }
    }

    fn finish_rounds(&mut self, upto: u64, view: &View, fx: &mut Fx) {
        let Some(leading) = &mut self.raft.leading else { return };
        let later = leading.rounds.iter().position(|round| round.number > upto);
        let end = later.unwrap_or(leading.rounds.len());
        let done: Vec<Round> = leading.rounds.drain(..end).collect();
        let upto = self.hard.log.name(self.raft.commit);
        for round in done {
            if round.origin == self.me {
                self.read_confirmed(round.tag, view, fx);
            } else {
                let kind = RaftKind::ReadIndexReply { tag: round.tag, upto };
                self.emit_now(round.origin, RaftMessage { term: self.hard.term, kind }, fx);
            }
        }
    }

    /// The read index is known and applied: the batch is answered from the local store.
    pub(super) fn read_confirmed(&mut self, tag: u64, view: &View, fx: &mut Fx) {
        if self.reads.batch.as_ref().is_none_or(|batch| batch.tag != tag) {
            return;
        }
        let Some(batch) = self.reads.batch.take() else { return };
        for query in batch.queries {
            let outcome = match query.op {
                Op::GetLease(lease) => Outcome::Lease(self.lease(lease, view)),
                _ => Outcome::Done,
            };
            let reply = Body::Reply(Reply { id: query.asker.call, outcome });
            fx.send_after(self.rules.options.apply, "apply", query.asker.client, reply);
        }
        self.next_batch(view, fx);
    }

    /// The batch under way fails; those that waited for it take their turn.
    fn fail_batch(&mut self, outcome: Outcome, view: &View, fx: &mut Fx) {
        let Some(batch) = self.reads.batch.take() else { return };
        for query in batch.queries {
            answer(query.asker, outcome, fx);
        }
        self.next_batch(view, fx);
    }

    /// A leader appeared: whoever waits for an index hears "leader changed".
    pub(super) fn leader_changed(&mut self, view: &View, fx: &mut Fx) {
        if self.reads.awaits().is_some() {
            return;
        }
        self.fail_batch(Outcome::Rejected, view, fx);
    }

    /// The batch under way times out, or asks again.
    pub(super) fn read_alarm(&mut self, view: &View, fx: &mut Fx) {
        let Some(batch) = &mut self.reads.batch else { return };
        if batch.until <= view.now {
            self.fail_batch(Outcome::TimedOut, view, fx);
        } else if batch.retry <= view.now {
            let tag = batch.tag;
            batch.retry = self.rules.read_retry.map_or(Time::NEVER, |retry| view.now + retry);
            self.ask_index(tag, view, fx);
        }
    }

    /// The alarm of the batch under way.
    pub(super) fn plan_reads(&mut self, fx: &mut Fx) {
        let next = self.reads.batch.as_ref().map(|batch| batch.until.min(batch.retry));
        let next = next.unwrap_or(Time::NEVER);
        self.arm(Alarm::Read, next, |wait| Blame::of("etcd read index", wait), fx);
    }
}

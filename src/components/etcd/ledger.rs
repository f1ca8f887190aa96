//! Writes that nobody simulates: steady writers' entries, counted when it matters.
//!
//! Each steady writer says at which instants its writes commit. From that follow the age of the last
//! append, which postpones elections as heartbeats do, and how many entries the log has grown by.
//!
//! Absent on purpose: explicit requests, which are entries of their own.

use super::Etcd;
use super::progress::Leading;
use crate::component::fact::{Fact, Renewals, Role};
use crate::component::id::ComponentId;
use crate::component::view::View;
use crate::kernel::time::{Duration, Time};

/// One nanosecond: the step from a closed to an open end.
const NANO: Duration = Duration::from_nanos(1);

/// A steady writer as it was last seen.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    id: ComponentId,
    seen: Renewals,
}

impl Writer {
    /// A writer that has not been seen writing.
    pub(super) fn new(id: ComponentId) -> Self {
        Self { id, seen: Renewals::Never }
    }

    /// Who writes.
    pub(super) fn id(&self) -> ComponentId {
        self.id
    }

    /// Its next write after `now`, if it goes on writing.
    pub(super) fn next_after(&self, now: Time) -> Option<Time> {
        match self.seen {
            Renewals::Every(cadence) => Some(cadence.first_after(now)),
            _ => None,
        }
    }

    /// Its last write before `t`.
    fn last_before(&self, t: Time) -> Option<Time> {
        match self.seen {
            Renewals::Every(cadence) => cadence.last_before(t),
            Renewals::Once(at) => Some(at).filter(|at| *at < t),
            Renewals::Never => None,
        }
    }

    /// How many writes fall into [`from`, `to`).
    fn count(&self, from: Time, to: Time) -> u64 {
        match self.seen {
            Renewals::Every(cadence) => cadence.ticks_in(from, to),
            _ => 0,
        }
    }
}

/// The steady writes of a component, whatever its kind.
fn renewals_of(view: &View, id: ComponentId) -> Renewals {
    match view.fact(id) {
        Fact::Lease(fact) => fact.renewals,
        Fact::Kubelet(fact) => fact.renewals,
        Fact::Client(fact) => fact.writes,
        _ => Renewals::Never,
    }
}

impl Etcd {
    /// The last append that left the leader before `t`, as far as steady writers go.
    pub(super) fn last_write_before(&self, t: Time) -> Option<Time> {
        self.ledger.iter().filter_map(|writer| writer.last_before(t)).max()
    }

    /// The first append that leaves the leader at `t` or later, as far as steady writers go.
    pub(super) fn first_write_from(&self, t: Time) -> Option<Time> {
        self.ledger.iter().filter_map(|writer| writer.next_after(t - NANO)).min()
    }

    /// How many steady writes fall into [`from`, `to`).
    pub(super) fn writes_in(&self, from: Time, to: Time) -> u64 {
        self.ledger.iter().map(|writer| writer.count(from, to)).sum()
    }

    /// Whether steady writes enter this member's log at present.
    fn takes_writes(&self) -> bool {
        if self.raft.frozen.is_some() {
            return false;
        }
        match self.raft.role {
            Role::Leader => self.raft.leading.as_ref().is_some_and(Leading::takes_writes),
            _ => self.raft.mirror && self.raft.contact.is_some_and(|contact| contact.writes),
        }
    }

    /// How many steady writes have reached this member's log by now beyond those booked.
    pub(super) fn unbooked_writes(&self, now: Time) -> u64 {
        let delay = self.raft.contact.map_or(Duration::ZERO, |contact| contact.delay);
        let upto = Time::from_nanos(now.as_nanos().saturating_sub(delay.as_nanos()));
        let counts = self.takes_writes() && upto > self.booked;
        if counts { self.writes_in(self.booked, upto) } else { 0 }
    }

    /// Books the steady writes before `upto` that are not in the log yet.
    pub(super) fn book_writes(&mut self, upto: Time) {
        if upto <= self.booked {
            return;
        }
        let count = if self.takes_writes() { self.writes_in(self.booked, upto) } else { 0 };
        self.booked = upto;
        self.enter(count);
    }

    /// Enters steady writes into the log. Those of a leader with a steady majority are committed.
    fn enter(&mut self, count: u64) {
        if count == 0 {
            return;
        }
        let before = self.hard.log.last_index();
        self.hard.log.extend(self.hard.term, count);
        let last = self.hard.log.last_index();
        if let Some(leading) = &mut self.raft.leading {
            leading.writes_entered(before, last);
        }
        if self.raft.commit == before {
            self.raft.commit = last;
        }
    }

    /// A writer changed its schedule: what it wrote by the old one is booked.
    pub(super) fn saw_writer(&mut self, of: ComponentId, view: &View) {
        let now = view.now;
        let Some(at) = self.ledger.iter().position(|writer| writer.id == of) else { return };
        let new = renewals_of(view, of);
        let old = self.ledger[at].seen;
        if old == new {
            return;
        }
        if let (Renewals::Every(_), Renewals::Once(last)) = (old, new) {
            let (from, to) = (self.booked, now.min(last + NANO));
            let own = if self.takes_writes() { self.ledger[at].count(from, to) } else { 0 };
            self.ledger[at].seen = Renewals::Never;
            self.enter(own);
        }
        self.book_writes(now);
        self.disk.long = None;
        self.ledger[at].seen = new;
    }

    /// Looks at every writer again, as after a pause.
    pub(super) fn see_writers(&mut self, view: &View) {
        for at in 0..self.ledger.len() {
            self.saw_writer(self.ledger[at].id, view);
        }
    }

    /// Whether this component is a writer.
    pub(super) fn is_writer(&self, id: ComponentId) -> bool {
        self.ledger.iter().any(|writer| writer.id == id)
    }

}

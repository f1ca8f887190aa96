//! Whether every acknowledged write is in the log of every leader of a later term.
//!
//! By raft's log matching, index and term name an entry. Each new leader tells its log run by run; of
//! every term the lowest and the highest index that were acknowledged must lie in its run of that
//! term, or before its first run, where the log is compacted. The order of time does not matter: an
//! old leader's acknowledgement that arrives late counts as well.
//!
//! Members whose data are wiped may have been needed for the majority that held an entry, or for the one
//! that elected a leader without it. Any two majorities of `n` members share `2 × majority - n`: as
//! many wiped ones can lose what was acknowledged before they started anew. That is a loss of data and
//! no bug; with fewer of them, and for later writes, the law holds as ever. A member restored from a
//! snapshot counts as wiped.
//!
//! Where all was wiped or restored, terms begin anew: a leader of a term that is not higher than the last
//! one's begins another era, and only entries of its own era and of earlier ones are asked of it.
//!
//! Steady writes are counted, not simulated, and nobody acknowledges them one by one; that they enter
//! logs as simulated ones do is a law of etcd's eager twin. Where data are lost they are counted too: a
//! leader lacks those written since it last had a leader itself (a member that was cut off notices that
//! an election time-out later).

use super::{Law, Violation};
use crate::component::fact::{EtcdFact, Fact, Renewals};
use crate::component::id::{ComponentId, Kind};
use crate::component::lever::{Lever, Setting};
use crate::component::record::Record;
use crate::component::view::ProcessState;
use crate::components::etcd::quorum::majority;
use crate::kernel::time::Time;
use crate::measure::case::Case;
use crate::measure::history::{Recorded, Seen};
use crate::plan::Start;
use crate::world::observer::FaultFired;
use std::collections::{BTreeMap, BTreeSet};

/// The lowest and the highest acknowledged index of a term, and when each was acknowledged.
#[derive(Clone, Copy, Debug)]
struct Acknowledged {
    low: (u64, Time),
    high: (u64, Time),
}

/// A leader at its election, with the runs of its log: term, first and last index.
#[derive(Clone, Debug)]
struct Leader {
    id: ComponentId,
    at: Time,
    runs: Vec<(u64, u64, u64)>,
}

impl Leader {
    /// Whether its log has an entry of that term and index, as far as it is not compacted.
    fn has(&self, term: u64, index: u64) -> bool {
        let compacted = self.runs.first().is_none_or(|(_, first, _)| index < *first);
        compacted
            || self
                .runs
                .iter()
                .any(|(of, first, last)| *of == term && (*first..=*last).contains(&index))
    }

    /// Whether its log began with its own term, so that it had been empty.
    fn began_empty(&self, leads: u64) -> bool {
        self.runs.first().is_some_and(|(of, first, _)| (*of, *first) == (leads, 1))
    }
}

/// A member whose data were wiped.
#[derive(Clone, Copy, Debug)]
struct Wiped {
    of: ComponentId,
    at: Time,
    /// When it started without them, if it did; until then what it had in memory may have counted.
    anew: Option<Time>,
}

/// What a history tells of writes, leaders and wiped disks.
#[derive(Debug, Default)]
struct Told {
    /// By era and term.
    acknowledged: BTreeMap<(usize, u64), Acknowledged>,
    leaders: BTreeMap<(usize, u64, ComponentId), Leader>,
    wiped: Vec<Wiped>,
    /// When each era but the first began.
    eras: Vec<Time>,
    /// The term of the last leader.
    last_term: u64,
}

impl Told {
    fn of(case: &Case) -> Self {
        let mut told = Self::default();
        for seen in &case.history.seen {
            match seen {
                Seen::Record(recorded) => told.hear(recorded),
                Seen::Fault(fired) => told.wipe(fired),
                Seen::Transition(_) => {}
            }
        }
        for change in case.history.processes() {
            let started = change.from == ProcessState::Dead && change.to == ProcessState::Running;
            let of = |wiped: &&mut Wiped| wiped.of == change.of && wiped.at <= change.at;
            for wiped in told.wiped.iter_mut().filter(of).filter(|_| started) {
                wiped.anew.get_or_insert(change.at);
            }
        }
        told
    }

    fn hear(&mut self, recorded: &Recorded) {
        match recorded.record {
            Record::Acknowledged { term, index } => {
                let new = (index, recorded.at);
                let first = Acknowledged { low: new, high: new };
                let known = self.acknowledged.entry((self.eras.len(), term)).or_insert(first);
                known.low = known.low.min(new);
                known.high = if index > known.high.0 { new } else { known.high };
            }
            Record::ElectedWith { leads, term, first, last } => {
                self.elected(recorded, leads, (term, first));
                let key = (self.eras.len(), leads, recorded.of);
                let leader = Leader { id: recorded.of, at: recorded.at, runs: Vec::new() };
                self.leaders.entry(key).or_insert(leader).runs.push((term, first, last));
            }
            _ => {}
        }
    }

    /// A leader tells a run of its log: whether it is the first one of another era.
    fn elected(&mut self, recorded: &Recorded, leads: u64, run: (u64, u64)) {
        let key = (self.eras.len(), leads, recorded.of);
        if self.leaders.get(&key).is_some_and(|leader| leader.at == recorded.at) {
            return;
        }
        let again = leads == self.last_term && run == (leads, 1);
        if !self.wiped.is_empty() && (leads < self.last_term || again) {
            self.eras.push(recorded.at);
        }
        self.last_term = leads;
    }

    /// The era of an instant.
    fn era(&self, at: Time) -> usize {
        self.eras.partition_point(|began| *began <= at)
    }

    fn wipe(&mut self, fired: &FaultFired) {
        let wiped = wiped_by(fired).map(|of| Wiped { of, at: fired.at, anew: None });
        self.wiped.extend(wiped);
    }

    /// Whether wiped members may have cost a leader what was acknowledged at `at`.
    fn excuses(&self, leader: &Leader, at: Time, members: usize) -> bool {
        let counts =
            |wiped: &&Wiped| wiped.at <= leader.at && wiped.anew.is_none_or(|anew| at <= anew);
        let lost: BTreeSet<ComponentId> =
            self.wiped.iter().filter(counts).map(|wiped| wiped.of).collect();
        !lost.is_empty() && lost.len() >= 2 * majority(members) - members
    }
}

/// The members whose data a fault wiped or replaced.
fn wiped_by(fired: &FaultFired) -> impl Iterator<Item = ComponentId> {
    fired.applied.iter().filter_map(|applied| match applied.setting {
        Setting::Process(of, Lever::WipeData | Lever::Restore(_)) => Some(of),
        _ => None,
    })
}

/// Whether so many members had been wiped by an instant that two majorities can have in common none
/// that remembers its vote.
pub(super) fn votes_forgotten(case: &Case, at: Time) -> bool {
    let fired = case.history.faults().filter(|fired| fired.at <= at);
    let wiped: BTreeSet<ComponentId> = fired.flat_map(wiped_by).collect();
    let members = case.plan.services.members.len();
    !wiped.is_empty() && wiped.len() >= 2 * majority(members) - members
}

/// Every acknowledged write that a later leader lacks. What wiped disks cost is told once, at the first
/// leader without it.
pub(super) fn none_lost(case: &Case) -> Vec<Violation> {
    let mut told = Told::of(case);
    let members = case.plan.services.members.len();
    let mut found = Vec::new();
    for ((era, leads, _), leader) in std::mem::take(&mut told.leaders) {
        let mut lost = Vec::new();
        for (key @ (_, term), acknowledged) in told.acknowledged.range(..(era, leads)) {
            let ends = [acknowledged.low, acknowledged.high];
            let lacks = |(index, _): &(u64, Time)| !leader.has(*term, *index);
            let Some((index, at)) = ends.into_iter().find(lacks) else { continue };
            if told.excuses(&leader, at, members) {
                lost.push(*key);
                continue;
            }
            let name = case.plan.map.name(leader.id);
            let what = format!(
                "{name} leads term {leads} without entry {index} of term {term}, which was acknowledged"
            );
            let at = leader.at.max(acknowledged.high.1);
            found.push(Violation { law: Law::NoAcknowledgedWriteLost, at, what });
        }
        let settled = case.plan.start == Start::Settled;
        let emptied =
            settled && leader.began_empty(leads) && told.excuses(&leader, Time::START, members);
        let since = if emptied { Time::START } else { last_led(case, &leader) };
        let wiped = told.excuses(&leader, since, members);
        let steady = if wiped { steady_writes(case, since, leader.at) } else { 0 };
        if emptied || !lost.is_empty() || steady > 0 {
            found.push(told.loss(case, &leader, leads, (&lost, steady)));
            told.acknowledged.retain(|key, _| !lost.contains(key));
        }
    }
    found
}

impl Told {
    /// A leader lacks writes that were acknowledged before disks were wiped: those of some terms, and
    /// so many steady ones.
    fn loss(
        &self,
        case: &Case,
        leader: &Leader,
        leads: u64,
        (lost, steady): (&[(usize, u64)], u64),
    ) -> Violation {
        let lacked = case.history.records().filter(|recorded| match recorded.record {
            Record::Acknowledged { term, index } => {
                lost.contains(&(self.era(recorded.at), term)) && !leader.has(term, index)
            }
            _ => false,
        });
        let count = lacked.count() as u64 + steady;
        let writes = if count == 1 { "write" } else { "writes" };
        let name = case.plan.map.name(leader.id);
        let log = if leader.began_empty(leads) { " with an empty log" } else { "" };
        let what = format!("{count} acknowledged {writes}: {name} leads term {leads}{log}");
        Violation { law: Law::DataLost, at: leader.at, what }
    }
}

/// Until when a new leader had another one before, or led itself: its log is that old. The instant of
/// its election if it never lost one.
fn last_led(case: &Case, leader: &Leader) -> Time {
    let led = |fact: &Fact| matches!(fact, Fact::Etcd(EtcdFact { lead: Some(_), .. }));
    let own = case.history.facts().filter(|c| c.of == leader.id && c.at <= leader.at);
    let lost = own.filter(|change| led(change.from) && !led(change.to)).map(|change| change.at);
    lost.last().unwrap_or(leader.at)
}

/// How many writes of steady writers fall into [`from`, `to`).
fn steady_writes(case: &Case, from: Time, to: Time) -> u64 {
    let writers = [Kind::Lease, Kind::Kubelet, Kind::Client];
    let writers = writers.into_iter().flat_map(|kind| case.plan.map.of_kind(kind));
    writers.map(|id| writes_of(case, id, from, to)).sum()
}

/// How many of one writer, whose schedule changes with its fact.
fn writes_of(case: &Case, id: ComponentId, from: Time, to: Time) -> u64 {
    let count = |fact: &Fact, from: Time, to: Time| match renewals(fact) {
        Renewals::Every(cadence) => cadence.ticks_in(from, to),
        _ => 0,
    };
    let (mut sum, mut since) = (0, from);
    let mut fact = case.fact_before(from, id);
    for change in case.history.facts().filter(|c| c.of == id && c.at >= from && c.at < to) {
        sum += count(fact, since, change.at);
        (fact, since) = (change.to, change.at);
    }
    sum + count(fact, since, to)
}

fn renewals(fact: &Fact) -> Renewals {
    match fact {
        Fact::Lease(fact) => fact.renewals,
        Fact::Kubelet(fact) => fact.renewals,
        Fact::Client(fact) => fact.writes,
        _ => Renewals::Never,
    }
}

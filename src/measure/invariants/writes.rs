//! Whether every acknowledged write is in the log of every leader of a later term.
//!
//! By raft's log matching, index and term name an entry. Each new leader tells its log run by run; of
//! every term the lowest and the highest index that were acknowledged must lie in its run of that
//! term, or before its first run, where the log is compacted. The order of time does not matter: an
//! old leader's acknowledgement that arrives late counts as well.
//!
//! Steady writes are counted, not simulated, and nobody acknowledges them one by one; that they enter
//! logs as simulated ones do is a law of etcd's eager twin.

use super::{Law, Violation};
use crate::component::id::ComponentId;
use crate::component::lever::{Lever, Setting};
use crate::component::record::Record;
use crate::kernel::time::Time;
use crate::measure::case::Case;
use crate::measure::history::Seen;
use std::collections::BTreeMap;

/// The lowest and the highest acknowledged index of a term, and when the latter was acknowledged.
#[derive(Clone, Copy, Debug)]
struct Acknowledged {
    low: u64,
    high: u64,
    at: Time,
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
}

/// What a history tells of writes and leaders, until data were wiped.
#[derive(Debug, Default)]
struct Told {
    acknowledged: BTreeMap<u64, Acknowledged>,
    leaders: BTreeMap<(u64, ComponentId), Leader>,
}

fn wipes(seen: &Seen) -> bool {
    let Seen::Fault(fired) = seen else { return false };
    fired.applied.iter().any(|a| matches!(a.setting, Setting::Process(_, Lever::WipeData)))
}

/// When data were first wiped, if they were.
pub(super) fn wiped_at(case: &Case) -> Option<Time> {
    case.history.seen.iter().find(|seen| wipes(seen)).map(Seen::at)
}

fn told(case: &Case) -> Told {
    let mut told = Told::default();
    for seen in case.history.seen.iter().take_while(|seen| !wipes(seen)) {
        let Seen::Record(recorded) = seen else { continue };
        match recorded.record {
            Record::Acknowledged { term, index } => {
                let new = Acknowledged { low: index, high: index, at: recorded.at };
                let known = told.acknowledged.entry(term).or_insert(new);
                known.low = known.low.min(index);
                if index > known.high {
                    *known = Acknowledged { low: known.low, ..new };
                }
            }
            Record::ElectedWith { leads, term, first, last } => {
                let key = (leads, recorded.of);
                let leader = Leader { id: recorded.of, at: recorded.at, runs: Vec::new() };
                told.leaders.entry(key).or_insert(leader).runs.push((term, first, last));
            }
            _ => {}
        }
    }
    told
}

/// Every acknowledged write that a later leader lacks.
pub(super) fn none_lost(case: &Case) -> Vec<Violation> {
    let told = told(case);
    let mut found = Vec::new();
    for ((leads, _), leader) in &told.leaders {
        for (term, acknowledged) in told.acknowledged.range(..*leads) {
            let ends = [acknowledged.low, acknowledged.high];
            let Some(index) = ends.into_iter().find(|index| !leader.has(*term, *index)) else {
                continue;
            };
            let name = case.plan.map.name(leader.id);
            let what = format!(
                "{name} leads term {leads} without entry {index} of term {term}, which was acknowledged"
            );
            let at = leader.at.max(acknowledged.at);
            found.push(Violation { law: Law::NoAcknowledgedWriteLost, at, what });
        }
    }
    found
}

//! The raft log as runs of entries of one term, and the few entries that somebody waits for.
//!
//! A cluster writes millions of entries that mean nothing to a study; only how many there are of
//! which term decides elections and catch-up. Absent on purpose: what applying an entry does.

use crate::component::mail::{EntryName, Op, Proposal, Run};
use crate::component::members::Members;
use crate::kernel::time::Time;
use std::collections::BTreeMap;

/// How many runs are kept apart. Older ones are merged: only terms near the end are ever compared,
/// and whoever lags further behind gets a snapshot.
const RUNS_MAX: usize = 64;

/// How many committed entries are kept for peers that lack them and whose clients may wait for one; whoever
/// lacks more lets its clients time out.
const KEPT_MAX: usize = 32;

/// A log: entries from index 1 to the last.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Log {
    runs: Vec<Run>,
    last: u64,
    /// Up to here entries are merged or part of a snapshot: of which term each is, is forgotten.
    compacted: u64,
    proposals: BTreeMap<u64, Proposal>,
    /// Up to here they have been taken to be applied.
    taken: u64,
    /// The configurations that entries make, by index, since the last snapshot.
    changes: BTreeMap<u64, Members>,
}

impl Log {
    /// A log of `count` entries of one term.
    pub(super) fn of(term: u64, count: u64) -> Self {
        let mut log = Self::default();
        log.extend(term, count);
        log
    }

    /// Index of the last entry; 0 if there is none.
    pub(super) fn last_index(&self) -> u64 {
        self.last
    }

    /// Term of the last entry; 0 if there is none.
    pub(super) fn last_term(&self) -> u64 {
        self.runs.last().map_or(0, |run| run.term)
    }

    /// Term of the entry at `index`: 0 before the first, none beyond the last.
    pub(super) fn term_at(&self, index: u64) -> Option<u64> {
        if index == 0 {
            return Some(0);
        }
        if index > self.last {
            return None;
        }
        let mut end = self.last;
        for run in self.runs.iter().rev() {
            if index > end - run.count {
                return Some(run.term);
            }
            end -= run.count;
        }
        None
    }

    /// Whether this log has an entry, and with it everything before that.
    pub(super) fn has(&self, entry: EntryName) -> bool {
        self.term_at(entry.index) == Some(entry.term)
    }

    /// Whether its very first entry is of that term, so that nothing came before it.
    pub(super) fn begins_in(&self, term: u64) -> bool {
        self.compacted == 0 && self.runs.first().is_some_and(|run| run.term == term)
    }

    /// The name of the entry at `index`, which is in the log.
    pub(super) fn name(&self, index: u64) -> EntryName {
        EntryName { term: self.term_at(index).unwrap_or(0), index }
    }

    /// Appends `count` entries of a term.
    pub(super) fn extend(&mut self, term: u64, count: u64) {
        if count == 0 {
            return;
        }
        self.last += count;
        match self.runs.last_mut() {
            Some(run) if run.term == term => run.count += count,
            _ => self.runs.push(Run { term, count }),
        }
        if self.runs.len() > RUNS_MAX {
            let oldest = self.runs.remove(0);
            self.runs[0].count += oldest.count;
            self.compacted = self.compacted.max(oldest.count);
        }
    }

    /// Appends one entry that somebody waits for.
    pub(super) fn push(&mut self, term: u64, proposal: Proposal) {
        self.extend(term, 1);
        if let Op::Reconfigure(members) = proposal.op {
            self.changes.insert(self.last, members.made_at(self.last));
        }
        self.proposals.insert(self.last, Proposal { index: self.last, ..proposal });
    }

    /// The configuration that holds once everything up to `index` is applied, if an entry made it.
    pub(super) fn members_at(&self, index: u64) -> Option<Members> {
        self.changes.range(..=index).next_back().map(|(_, members)| *members)
    }

    /// Index of the last entry that changes the configuration; 0 if there is none.
    pub(super) fn last_change(&self) -> u64 {
        self.changes.last_key_value().map_or(0, |(index, _)| *index)
    }

    /// The configurations that entries after `index` make.
    pub(super) fn changes_after(&self, index: u64) -> Vec<Members> {
        self.changes.range(index + 1..).map(|(_, members)| *members).collect()
    }

    /// Takes over configurations together with the entries that make them.
    pub(super) fn take_changes(&mut self, changes: &[Members]) {
        let held = changes.iter().filter(|members| members.index <= self.last);
        self.changes.extend(held.map(|members| (members.index, *members)));
    }

    /// Drops all entries after `index`.
    fn truncate(&mut self, index: u64) {
        while self.last > index {
            let excess = self.last - index;
            let Some(run) = self.runs.last_mut() else { break };
            let dropped = excess.min(run.count);
            run.count -= dropped;
            self.last -= dropped;
            if run.count == 0 {
                self.runs.pop();
            }
        }
        self.proposals.split_off(&(index + 1));
        self.taken = self.taken.min(index);
        self.changes.split_off(&(index + 1));
    }

    /// Term, first and last index of each run of entries whose terms are known one by one.
    pub(super) fn known_runs(&self) -> Vec<(u64, u64, u64)> {
        let mut end = 0;
        let mut known = Vec::with_capacity(self.runs.len());
        for run in &self.runs {
            let first = (end + 1).max(self.compacted + 1);
            end += run.count;
            if first <= end {
                known.push((run.term, first, end));
            }
        }
        known
    }

    /// The entries after `index`, as runs.
    pub(super) fn runs_after(&self, index: u64) -> Vec<Run> {
        let mut end = self.last;
        let mut found = Vec::new();
        for run in self.runs.iter().rev() {
            if end <= index {
                break;
            }
            let count = run.count.min(end - index);
            found.push(Run { term: run.term, count });
            end -= run.count;
        }
        found.reverse();
        found
    }

    /// The entries after `index` that somebody waits for.
    pub(super) fn proposals_after(&self, index: u64) -> Vec<Proposal> {
        self.proposals.range(index + 1..).map(|(_, proposal)| *proposal).collect()
    }

    /// The entries up to `index` that somebody waits for and that have not been taken yet, in order: they
    /// are committed. They stay for peers that lack them, as long as somebody may wait: those that entered
    /// before `since` go, and of the others all but the last few, since the log is copied at each sync.
    pub(super) fn take_proposals(&mut self, index: u64, since: Time) -> Vec<Proposal> {
        if index <= self.taken {
            return Vec::new();
        }
        let new = self.proposals.range(self.taken + 1..=index);
        let new = new.map(|(_, proposal)| *proposal).collect();
        self.taken = index;
        let mut kept = 0;
        let committed = self.proposals.iter().rev().filter(|(at, _)| **at <= index);
        let gone = committed.map(|(at, proposal)| (*at, proposal.entered < since)).find(|(_, old)| {
            kept += 1;
            *old || kept > KEPT_MAX
        });
        if let Some((at, _)) = gone {
            self.proposals = self.proposals.split_off(&(at + 1));
        }
        new
    }

    /// Takes over entries after a previous one; `None` if this log does not hold that one. Returns
    /// the index of the last entry taken over. Entries that agree stay, what conflicts goes.
    pub(super) fn accept(
        &mut self,
        previous: (u64, u64),
        entries: &[Run],
        proposals: &[Proposal],
    ) -> Option<u64> {
        let (previous_term, previous_index) = previous;
        if self.term_at(previous_index) != Some(previous_term) {
            return None;
        }
        let mut at = previous_index;
        for run in entries {
            let end = at + run.count;
            while at < end && self.term_at(at + 1) == Some(run.term) {
                at = self.end_of_run(at + 1).min(end);
            }
            if at < end {
                self.truncate(at);
                self.extend(run.term, end - at);
                at = end;
            }
        }
        for proposal in proposals.iter().filter(|proposal| proposal.index > self.taken) {
            self.proposals.insert(proposal.index, *proposal);
        }
        Some(at)
    }

    /// Index of the last entry of the run that holds `index`.
    fn end_of_run(&self, index: u64) -> u64 {
        let mut end = self.last;
        for run in self.runs.iter().rev() {
            if index > end - run.count {
                return end;
            }
            end -= run.count;
        }
        end
    }

    /// Replaces the log by a snapshot.
    pub(super) fn restore(&mut self, last_term: u64, last_index: u64) {
        *self = Self::of(last_term, last_index);
        self.compacted = last_index;
        self.taken = last_index;
    }

    /// Where a leader should look for agreement after a rejected append: the last index before the
    /// previous entry whose term is not above its term (etcd: `findConflictByTerm`).
    pub(super) fn hint(&self, previous_term: u64, previous_index: u64) -> u64 {
        let mut index = self.last.min(previous_index.saturating_sub(1));
        while self.term_at(index).is_some_and(|term| term > previous_term) {
            index = self.start_of_run(index) - 1;
        }
        index
    }

    /// Index of the first entry of the run that holds `index`.
    fn start_of_run(&self, index: u64) -> u64 {
        let mut end = self.last;
        for run in self.runs.iter().rev() {
            if index > end - run.count {
                return end - run.count + 1;
            }
            end -= run.count;
        }
        1
    }

    /// Whether a candidate whose log ends so may lead holders of this log.
    pub(super) fn yields_to(&self, last_term: u64, last_index: u64) -> bool {
        (last_term, last_index) >= (self.last_term(), self.last)
    }
}

#[cfg(test)]
mod tests {
    use crate::component::fact::Resource;
    use super::*;
    use crate::component::EventId;
    use crate::component::id::ComponentId;
    use crate::component::mail::Op;
    use crate::kernel::time::Duration;
    use proptest::prelude::*;

    /// The terms of all entries, one by one: the plain form of a log.
    fn plain(log: &Log) -> Vec<u64> {
        (1..=log.last_index()).map(|i| log.term_at(i).unwrap()).collect()
    }

    fn of(terms: &[u64]) -> Log {
        let mut log = Log::default();
        for term in terms {
            log.extend(*term, 1);
        }
        log
    }

    fn terms() -> impl Strategy<Value = Vec<u64>> {
        proptest::collection::vec(0..2u64, 0..12).prop_map(|steps| {
            let climb = steps.iter().scan(1, |term, step| {
                *term += step;
                Some(*term)
            });
            climb.collect()
        })
    }

    proptest! {
        /// Law: runs behave as a plain list of terms does, for every append of every log.
        #[test]
        fn runs_are_a_list_of_terms(mine in terms(), theirs in terms(), from in 0..12usize) {
            let (mut log, leader) = (of(&mine), of(&theirs));
            let from = from.min(theirs.len());
            let previous = (leader.term_at(from as u64).unwrap(), from as u64);
            let taken = log.accept(previous, &leader.runs_after(from as u64), &[]);
            let holds = from == 0 || mine.get(from - 1) == Some(&previous.0);
            prop_assert_eq!(taken.is_some(), holds);
            if holds {
                let conflict = (from..theirs.len()).find(|i| mine.get(*i) != Some(&theirs[*i]));
                let mut expected = mine.clone();
                if let Some(at) = conflict {
                    expected.truncate(at);
                    expected.extend(&theirs[at..]);
                }
                prop_assert_eq!(taken, Some(theirs.len() as u64));
                prop_assert_eq!(plain(&log), expected);
            }
        }

        /// Law: following hints, a leader finds agreement in at most one step a term. Two logs of one
        /// cluster agree up to some entry and have no term in common after it.
        #[test]
        fn hints_lead_to_agreement(shared in terms(), mine in terms(), theirs in terms()) {
            let last = shared.last().copied().unwrap_or(0);
            let after = |own: &[u64], odd: u64| {
                let own = own.iter().map(|term| last + 2 * term + odd);
                shared.iter().copied().chain(own).collect::<Vec<u64>>()
            };
            let (mine, theirs) = (after(&mine, 0), after(&theirs, 1));
            let (mut log, leader) = (of(&mine), of(&theirs));
            let mut next = leader.last_index();
            for _ in 0..=mine.len() + 1 {
                let previous = (leader.term_at(next).unwrap(), next);
                if log.accept(previous, &leader.runs_after(next), &[]).is_some() {
                    break;
                }
                next = log.hint(previous.0, next);
            }
            prop_assert!(plain(&log).starts_with(&theirs));
        }
    }

    /// Law: an entry that somebody waits for goes with the entries that conflict, and only then.
    #[test]
    fn proposals_live_and_die_with_their_entries() {
        let (origin, op) = (ComponentId(0), Op::Write(Resource::Objects));
        let mut log = Log::of(1, 5);
        let (asked, entered) = (EventId::START, Time::START);
        log.push(1, Proposal { index: 0, origin, tag: 7, op, asked, entered });
        assert_eq!(log.proposals_after(5).len(), 1);
        let longer = [Run { term: 1, count: 2 }];
        assert_eq!(log.clone().accept((1, 5), &longer, &[]), Some(7));
        assert_eq!(log.proposals_after(0).len(), 1);
        assert_eq!(log.accept((1, 5), &[Run { term: 2, count: 1 }], &[]), Some(6));
        assert_eq!(log.proposals_after(0), []);
    }

    /// Law: an entry is taken once, stays for peers that lack it while somebody may wait, and does not
    /// come back with an append that is repeated.
    #[test]
    fn proposals_are_taken_once() {
        let (origin, op) = (ComponentId(0), Op::Write(Resource::Objects));
        let mut log = Log::of(1, 5);
        let entered = Time::at(Duration::from_secs(10));
        let proposal = Proposal { index: 0, origin, tag: 7, op, asked: EventId::START, entered };
        log.push(1, proposal);
        assert_eq!(log.take_proposals(5, Time::START), []);
        assert_eq!(log.take_proposals(6, entered).len(), 1);
        let kept = log.proposals_after(5);
        assert_eq!(kept.len(), 1);
        assert_eq!(log.take_proposals(6, entered), []);
        log.extend(1, 1);
        assert_eq!(log.take_proposals(7, entered + Duration::from_nanos(1)), []);
        assert_eq!(log.proposals_after(5), []);
        assert_eq!(log.accept((1, 5), &[Run { term: 1, count: 2 }], &kept), Some(7));
        assert_eq!(log.proposals_after(5), []);
    }

    /// Law: of many committed entries the last few stay, and all that are not committed.
    #[test]
    fn few_committed_proposals_are_kept() {
        let (origin, op, entered) = (ComponentId(0), Op::Write(Resource::Objects), Time::START);
        let mut log = Log::default();
        for tag in 1..=100 {
            log.push(1, Proposal { index: 0, origin, tag, op, asked: EventId::START, entered });
        }
        assert_eq!(log.take_proposals(60, entered).len(), 60);
        let kept = log.proposals_after(0);
        assert_eq!(kept.len(), KEPT_MAX + 40);
        assert_eq!(kept[0].index, 60 - KEPT_MAX as u64 + 1);
    }
}

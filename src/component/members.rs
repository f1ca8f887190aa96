//! Who belongs to an etcd cluster: its voters and learners, as one committed configuration.
//!
//! Members are counted by their places among all etcd processes of the scenario, so that a
//! configuration is two words and can be published with every fact.
//!
//! Absent on purpose: how a configuration is changed (the etcd component), and who may stand by.

use super::id::{ComponentId, Kind};
use super::map::Map;
use serde::Serialize;

/// A configuration of the cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Members {
    /// The places of those that vote, a bit each.
    voters: u16,
    /// The places of those that only receive the log, a bit each.
    learners: u16,
    /// Index of the log entry that made it so; 0: it was so when the cluster began.
    pub index: u64,
}

/// One change of a configuration: one member at a time, as etcd has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberChange {
    /// Adds a member that does not vote yet (`etcdctl member add --learner`).
    AddLearner,
    /// Adds a member that votes at once (`etcdctl member add`).
    AddVoter,
    /// Gives a learner its vote (`etcdctl member promote`).
    Promote,
    /// Takes a member out (`etcdctl member remove`).
    Remove,
}

impl Members {
    /// The configuration of which the first `count` places are voters.
    pub fn first(count: usize) -> Self {
        let voters = (0..count.min(16)).fold(0, |bits, at| bits | bit(at));
        Self { voters, learners: 0, index: 0 }
    }

    /// The configuration of which one place is the only voter.
    pub fn only(place: usize) -> Self {
        Self { voters: bit(place), learners: 0, index: 0 }
    }

    /// The same configuration, made by the entry at an index.
    pub fn made_at(self, index: u64) -> Self {
        Self { index, ..self }
    }

    /// Whether nobody belongs to it: a member that has not learnt its cluster yet.
    pub fn is_empty(self) -> bool {
        self.voters | self.learners == 0
    }

    /// Whether the member at a place votes.
    pub fn votes(self, place: usize) -> bool {
        self.voters & bit(place) != 0
    }

    /// Whether the member at a place receives the log without a vote.
    pub fn learns(self, place: usize) -> bool {
        self.learners & bit(place) != 0
    }

    /// Whether the member at a place belongs to it at all.
    pub fn has(self, place: usize) -> bool {
        self.votes(place) || self.learns(place)
    }

    /// How many vote.
    pub fn voters(self) -> usize {
        self.voters.count_ones() as usize
    }

    /// How many only learn.
    pub fn learners(self) -> usize {
        self.learners.count_ones() as usize
    }

    /// The configuration after a change of the member at a place; `None` where it would change
    /// nothing or makes no sense.
    pub fn after(self, change: MemberChange, place: usize) -> Option<Self> {
        let own = bit(place);
        let (voters, learners) = match change {
            MemberChange::AddLearner if !self.has(place) => (self.voters, self.learners | own),
            MemberChange::AddVoter if !self.has(place) => (self.voters | own, self.learners),
            MemberChange::Promote if self.learns(place) => {
                (self.voters | own, self.learners & !own)
            }
            MemberChange::Remove if self.has(place) => (self.voters & !own, self.learners & !own),
            _ => return None,
        };
        Some(Self { voters, learners, index: self.index })
    }

    /// Those of the scenario's etcd processes that vote.
    pub fn voters_of(self, map: &Map) -> impl Iterator<Item = ComponentId> {
        map.of_kind(Kind::Etcd).enumerate().filter(move |(at, _)| self.votes(*at)).map(|(_, id)| id)
    }
}

fn bit(place: usize) -> u16 {
    u32::try_from(place).ok().and_then(|place| 1u16.checked_shl(place)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law: each change adds or takes exactly the member it names, and one that makes no sense is
    /// none.
    #[test]
    fn a_change_concerns_one_member() {
        let three = Members::first(3);
        assert_eq!((three.voters(), three.learners()), (3, 0));
        let learning = three.after(MemberChange::AddLearner, 3).unwrap();
        assert_eq!((learning.voters(), learning.learners()), (3, 1));
        assert!(learning.learns(3) && !learning.votes(3) && learning.has(3));
        let four = learning.after(MemberChange::Promote, 3).unwrap();
        assert_eq!(four, three.after(MemberChange::AddVoter, 3).unwrap());
        assert_eq!(four.after(MemberChange::Remove, 3), Some(three));
        for (change, place) in [
            (MemberChange::AddVoter, 1),
            (MemberChange::AddLearner, 1),
            (MemberChange::Promote, 1),
            (MemberChange::Remove, 3),
        ] {
            assert_eq!(three.after(change, place), None, "{change:?}");
        }
    }
}

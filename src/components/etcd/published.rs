//! What a member lets others observe.
//!
//! Absent on purpose: who looks.

use super::life::Life;
use super::{Etcd, Fx};
use crate::component::fact::{EtcdFact, Fact};

impl Etcd {
    /// Publishes the fact if it has changed in more than the length of the log.
    pub(super) fn publish(&mut self, fx: &mut Fx) {
        let fact = (self.life == Life::Up).then(|| self.fact());
        let same = |old: EtcdFact, new: EtcdFact| EtcdFact { index: new.index, ..old } == new;
        let unchanged = match (self.published, fact) {
            (Some(old), Some(new)) => same(old, new),
            (old, new) => old.is_none() && new.is_none(),
        };
        if !unchanged {
            self.published = fact;
            fx.publish(fact.map_or(Fact::Absent, Fact::Etcd));
        }
    }

    /// What can be observed of this member now.
    pub(super) fn fact(&self) -> EtcdFact {
        let leading = self.raft.leading.as_ref();
        EtcdFact {
            role: self.raft.role,
            term: self.hard.term,
            lead: self.raft.lead,
            serving: self.starting.serving,
            beats: leading.map(|_| self.raft.beats),
            stalled: self.disk.frozen(),
            settled: leading.is_some_and(|leading| leading.settled),
            transferring: leading.is_some_and(|leading| leading.transfer.is_some()),
            index: self.hard.log.last_index(),
            full: self.hard.full,
            sync: self.disk.mean_sync(&self.rules),
            members: Some(self.hard.members).filter(|members| *members != self.everybody()),
        }
    }
}

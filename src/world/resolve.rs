//! Whom a fault hits: selectors resolved at the instant at which it fires.

use super::World;
use crate::component::fact::{Fact, Role};
use crate::component::id::{ComponentId, Kind, MachineId};
use crate::component::view::ProcessState;
use crate::plan::schedule::Target;

/// Something concrete that a fault hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Hit {
    /// A process.
    Process(ComponentId),
    /// A machine.
    Machine(MachineId),
}

impl World<'_> {
    /// Everything a target means now; empty where nothing fits (nobody leads).
    pub(super) fn hits(&mut self, fault: usize, target: &Target) -> Vec<Hit> {
        match target {
            Target::Process(id) => vec![Hit::Process(*id)],
            Target::Machine(machine) => vec![Hit::Machine(*machine)],
            Target::LeaderOf(kind) => self.leader(*kind).map(Hit::Process).into_iter().collect(),
            Target::FollowerOf(kind) => {
                let leader = self.leader(*kind);
                let others = self.all.map.of_kind(*kind).filter(|id| Some(*id) != leader);
                let running: Vec<Hit> = others
                    .filter(|id| self.all.processes[id.index()].state == ProcessState::Running)
                    .map(Hit::Process)
                    .collect();
                self.one_of(fault, running)
            }
            Target::MachineOfLeader(kind) => {
                let machine = self.leader(*kind).and_then(|id| self.all.map.machine_of(id));
                machine.map(Hit::Machine).into_iter().collect()
            }
            Target::HolderOfVip => self.vip_holder().map(Hit::Process).into_iter().collect(),
            Target::MachineOfVip => {
                let machine = self.vip_holder().and_then(|id| self.all.map.machine_of(id));
                machine.map(Hit::Machine).into_iter().collect()
            }
            Target::Zone(zone) => {
                let all = self.all.map.machines();
                all.filter(|(_, m)| m.zone == *zone).map(|(id, _)| Hit::Machine(id)).collect()
            }
            Target::Each(targets) => targets.iter().flat_map(|t| self.hits(fault, t)).collect(),
            Target::AnyOf(targets) => {
                let hits = targets.iter().flat_map(|t| self.hits(fault, t)).collect();
                self.one_of(fault, hits)
            }
            Target::On(kind, place) => {
                let places = self.hits(fault, place);
                let map = &self.all.map;
                let machine = |hit: Hit| match hit {
                    Hit::Machine(machine) => Some(machine),
                    Hit::Process(id) => map.machine_of(id),
                };
                let found = places.into_iter().filter_map(machine);
                found.filter_map(|m| map.local(m, *kind)).map(Hit::Process).collect()
            }
            Target::SameAs(earlier) => self.operator.hit_by(*earlier).to_vec(),
            Target::OthersOf(earlier) => self.operator.others_of(*earlier).to_vec(),
        }
    }

    fn one_of(&mut self, fault: usize, mut hits: Vec<Hit>) -> Vec<Hit> {
        if hits.len() > 1 {
            let index = self.operator.draw(self.key, fault, super::operator::TARGET_DRAW);
            let mut index = index;
            let at = usize::try_from(index.below(hits.len() as u64)).unwrap_or(0);
            return vec![hits.swap_remove(at)];
        }
        hits
    }

    /// Who leads or holds at present.
    pub(super) fn leader(&self, kind: Kind) -> Option<ComponentId> {
        match kind {
            Kind::Etcd => self.etcd_leader(),
            _ => self.lease_holder(kind),
        }
    }

    fn etcd_leader(&self) -> Option<ComponentId> {
        let leads = |id: &ComponentId| match &self.all.facts[id.index()] {
            Fact::Etcd(fact) if fact.role == Role::Leader => Some((fact.term, *id)),
            _ => None,
        };
        self.all.map.of_kind(Kind::Etcd).filter_map(|id| leads(&id)).max().map(|(_, id)| id)
    }

    fn lease_holder(&self, kind: Kind) -> Option<ComponentId> {
        let lease = self.all.map.lease_of(kind)?;
        let Fact::Lease(fact) = &self.all.facts[lease.index()] else { return None };
        fact.holder.map(|holder| holder.component)
    }

    fn vip_holder(&self) -> Option<ComponentId> {
        let announced =
            |id: &ComponentId| Some((self.all.facts[id.index()].held()?.announced, *id));
        let holders = self.all.vip.iter().filter_map(|(instance, _)| announced(instance));
        holders.max().map(|(_, id)| id)
    }
}

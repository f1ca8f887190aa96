//! Which holder of the virtual address each machine sends to: its neighbour entry.
//!
//! An announcement that arrives overwrites the entry; a holder that falls silent is believed until
//! the entry expires, whoever else has taken the address without saying so.

use super::{Letter, World};
use crate::component::fact::Fact;
use crate::component::id::{ComponentId, MachineId};
use crate::transport::neighbour::trusted_for;

/// What a machine knows beside the holder itself, which is in the surroundings.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Trust {
    /// The holder does not answer for the address at present.
    silent: bool,
    /// Counts changes, so that an expiry that was planned before one is ignored.
    generation: u64,
}

impl World<'_> {
    /// Every machine sends to the holder of the start.
    pub(super) fn settle_neighbours(&mut self) {
        let holder = self.all.settlement.vip_holder;
        self.all.neighbours = vec![holder; self.all.map.machine_count()];
    }

    /// An instance announced the address now: whoever hears it sends there from now on.
    pub(super) fn hear_announcement(&mut self, of: ComponentId, from: &Fact, to: &Fact) {
        let (Fact::Vrrp(before), Fact::Vrrp(after)) = (from, to) else { return };
        if after.announced == before.announced || after.announced != Some(self.now) {
            return;
        }
        let map = self.all.map.clone();
        for (machine, _) in map.machines() {
            let heard = map.machine_of(of).is_some_and(|m| self.all.reach.up(m, machine));
            if heard && self.all.machines[machine.index()].powered {
                self.all.neighbours[machine.index()] = Some(of);
            }
        }
    }

    /// Holders or paths changed: entries whose holder fell silent begin to expire, others recover.
    pub(super) fn review_neighbours(&mut self) {
        if self.all.vip.is_empty() {
            return;
        }
        let map = self.all.map.clone();
        for (machine, entry) in map.machines() {
            let silent = !self.holder_answers(machine);
            let trust = &mut self.trusts[machine.index()];
            if silent == trust.silent {
                continue;
            }
            *trust = Trust { silent, generation: trust.generation + 1 };
            if silent {
                let mut draw =
                    self.key.draw(entry.stream, super::network::NEIGHBOUR_DRAW, trust.generation);
                let at = self.now + trusted_for(&mut draw);
                let letter = Letter::Neighbour(machine, trust.generation);
                let place = u32::from(u16::MAX);
                self.post.push(at, place, u32::from(machine.0), letter);
            }
        }
    }

    fn holder_answers(&self, machine: MachineId) -> bool {
        self.all.neighbours[machine.index()].is_some_and(|k| self.all.holds_for(machine, k))
    }

    /// An entry's holder has been silent for as long as it is trusted: the machine asks everybody.
    /// With several holders the first to answer wins; that race goes to the first declared.
    pub(super) fn expire_neighbour(&mut self, machine: MachineId, generation: u64) {
        let trust = self.trusts[machine.index()];
        if !trust.silent || trust.generation != generation {
            return;
        }
        let instances: Vec<ComponentId> = self.all.vip.iter().map(|(k, _)| *k).collect();
        let found = instances.into_iter().find(|k| self.all.holds_for(machine, *k));
        self.all.neighbours[machine.index()] = found;
        self.trusts[machine.index()].silent = found.is_none();
        self.network_changed(machine);
    }
}

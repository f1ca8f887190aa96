//! Which holder of the virtual address each machine sends to: its neighbour entry.
//!
//! An announcement that arrives overwrites the entry; a holder that falls silent is believed until
//! the entry expires, whoever else has taken the address without saying so.
//!
//! An entry has a state and an age: confirmed by the last answer that came, stale some time later, and
//! doubted from the first packet on that finds it stale. A machine whose clients open a connection for
//! each request sends what they send; every other machine is taken to be in steady use, as whoever
//! watches the address from outside is.

use super::{Letter, World};
use crate::component::fact::{Fact, Renewals};
use crate::component::id::{ComponentId, MachineId};
use crate::kernel::stream::Draw;
use crate::kernel::time::Time;
use crate::plan::client::ClientTarget;
use crate::transport::neighbour::{given_up_after, stale_at, trusted_for};

/// What a machine knows beside the holder itself, which is in the surroundings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trust {
    /// The holder does not answer for the address at present.
    silent: bool,
    /// When somebody last announced the address to it.
    announced: Option<Time>,
    /// From when on a packet finds the entry stale, and begins to doubt the holder. Never, where a
    /// packet did, or where the expiry is planned already.
    stale: Time,
    /// Counts changes, so that an expiry that was planned before one is ignored.
    generation: u64,
}

impl Default for Trust {
    fn default() -> Self {
        Self { silent: false, announced: None, stale: Time::NEVER, generation: 0 }
    }
}

impl World<'_> {
    /// Every machine sends to the holder of the start.
    pub(super) fn settle_neighbours(&mut self) {
        let holder = self.all.settlement.vip_holder;
        self.all.neighbours = vec![holder; self.all.map.machine_count()];
    }

    /// An instance announced the address now: whoever hears it sends there from now on.
    pub(super) fn hear_announcement(&mut self, of: ComponentId, from: &Fact, to: &Fact) {
        if to.announced() == from.announced() || to.announced() != Some(self.now) {
            return;
        }
        let map = self.all.map.clone();
        for (machine, _) in map.machines() {
            let heard = map.machine_of(of).is_some_and(|m| self.all.reach.up(m, machine));
            if heard && self.all.machines[machine.index()].powered {
                self.all.neighbours[machine.index()] = Some(of);
                self.trusts[machine.index()].announced = Some(self.now);
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
            let generation = trust.generation + 1;
            *trust = Trust { silent, generation, stale: Time::NEVER, ..*trust };
            if silent {
                let draw = self.key.draw(entry.stream, super::network::NEIGHBOUR_DRAW, generation);
                self.await_expiry(machine, draw);
            }
        }
    }

    /// The holder fell silent now: plans when it is given up, or which packet begins that.
    fn await_expiry(&mut self, machine: MachineId, mut draw: Draw) {
        let Some(confirmed) = self.confirmed(machine) else {
            return self.plan_expiry(machine, self.now + trusted_for(&mut draw));
        };
        let announced = self.trusts[machine.index()].announced;
        self.trusts[machine.index()].stale =
            stale_at(self.now, confirmed.last(self.now), announced, &mut draw);
    }

    fn plan_expiry(&mut self, machine: MachineId, at: Time) {
        let letter = Letter::Neighbour(machine, self.trusts[machine.index()].generation);
        self.post.push(at, u32::from(u16::MAX), u32::from(machine.0), letter);
    }

    /// When the address last answered a machine whose packets to it are all simulated: those of clients
    /// that open a connection for each request. `None`: the machine is taken to be in steady use.
    fn confirmed(&self, machine: MachineId) -> Option<Renewals> {
        let map = &self.all.map;
        let here = |id: ComponentId| map.machine_of(id) == Some(machine);
        if self.connections.keys().any(|(holder, _)| here(*holder)) {
            return None;
        }
        let clients = self.plan.clients.iter();
        let heard = clients.filter(|(id, plan)| plan.target == ClientTarget::Endpoint && here(*id));
        heard
            .map(|(id, _)| match self.all.facts[id.index()] {
                Fact::Client(fact) => fact.answers,
                _ => Renewals::Never,
            })
            .max_by_key(|answers| answers.last(self.now))
    }

    /// A packet for the address leaves: one that finds the entry stale begins to doubt its holder.
    pub(super) fn use_neighbour(&mut self, from: ComponentId, target: ComponentId) {
        if target != ComponentId::VIP {
            return;
        }
        let Some(machine) = self.all.map.machine_of(from) else { return };
        let trust = &mut self.trusts[machine.index()];
        if trust.silent && trust.stale <= self.now {
            trust.stale = Time::NEVER;
            self.plan_expiry(machine, self.now + given_up_after());
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

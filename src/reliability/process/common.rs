//! Common causes: outages of zones and racks, shocks, machines that follow another one down.

use super::super::clocks::Purpose;
use super::{Process, Slot, State, cell};
use crate::component::id::MachineId;
use crate::kernel::law::Law;
use crate::kernel::time::Time;
use crate::plan::reliability::{OutageEffect, Thing};

impl Process<'_> {
    /// Something goes down, with a repair of this law, by something else than its own clock.
    fn strike(&mut self, at: usize, repair: &Law, needs_crew: bool) {
        let span = self.slots[at].clock.span(self.key, Purpose::Repair, repair);
        self.strike_for(at, span, needs_crew);
    }

    pub(super) fn next_outage_event(&mut self, at: usize) {
        let laws = &self.laws.outages[at];
        let number = self.slots.len() + at;
        self.since[number] = self.now;
        if self.held && !self.outages[at].away {
            return self.agenda.clear(cell(number));
        }
        if self.held {
            let span = self.outage_while_held(at, &laws.repair);
            return self.agenda.set(cell(number), self.now + span);
        }
        let law = if self.outages[at].away { &laws.repair } else { &laws.failure };
        let end = self.outages[at].clock.end(self.key, Purpose::Failure, law, self.now);
        self.agenda.set(cell(number), end);
    }

    pub(super) fn outage_event(&mut self, at: usize) {
        let away = !self.outages[at].away;
        self.outages[at].away = away;
        self.mark(self.slots.len() + at, away);
        self.strikes += u64::from(self.outages[at].away);
        self.next_outage_event(at);
        let laws = &self.laws.outages[at];
        let OutageEffect::Crash { boot } = &laws.effect else { return };
        for machine in laws.machines.iter().map(|machine| MachineId::index(*machine)) {
            let state = self.slots[machine].state;
            if self.outages[at].away {
                if matches!(state, State::Up | State::Booting | State::Worked) {
                    self.down(machine, State::WaitingForPower);
                }
            } else if state == State::WaitingForPower && self.has_power(machine) {
                self.put(machine, State::Booting);
                let key = self.key;
                let end = self.slots[machine].clock.end(key, Purpose::Boot, boot, self.now);
                self.agenda.set(cell(machine), end);
            }
        }
    }

    pub(super) fn next_shock(&mut self, at: usize) {
        let number = self.slots.len() + self.outages.len() + at;
        self.since[number] = self.now;
        if self.held {
            return self.agenda.clear(cell(number));
        }
        let law = &self.laws.shocks[at].every;
        let end = self.shocks[at].end(self.key, Purpose::Failure, law, self.now);
        self.agenda.set(cell(number), end);
    }

    pub(super) fn shock(&mut self, at: usize) {
        self.strikes += 1;
        self.next_shock(at);
        let laws = self.laws;
        let shock = &laws.shocks[at];
        for id in &shock.processes {
            let Some(process) = self.program[id.index()] else { continue };
            let on_up = self.machine_of[id.index()].is_none_or(|machine| self.is_up(machine));
            if on_up && self.is_up(process) {
                self.slots[process].shock = Some(at);
                self.strike(process, &shock.repair, false);
            }
        }
    }

    pub(super) fn set_follower_cell(&mut self) {
        let next = self.followers.iter().map(|(at, ..)| *at).min().unwrap_or(Time::NEVER);
        self.agenda.set(cell(self.agenda.len() - 1), next);
    }

    /// A machine follows another one down.
    pub(super) fn follow(&mut self) {
        let laws = self.laws;
        let Some(bursts) = &laws.bursts else { return };
        let Some(due) = self.followers.iter().position(|(at, ..)| *at <= self.now) else { return };
        let (_, leader, mode) = self.followers.remove(due);
        self.set_follower_cell();
        let Some(part) = self.part(leader) else { return };
        let key = self.key;
        let mut draw = self.slots[leader].clock.draw(key, Purpose::Follower);
        let near = draw.uniform() < f64::from(bursts.same_zone.0) / 1e6;
        let fails = |slot: &Slot| matches!(slot.thing, Thing::Machine(_)) && slot.part.is_some();
        let fits = |at: &usize, same: bool| {
            let slot = &self.slots[*at];
            let here = !same || slot.zone == self.slots[leader].zone;
            *at != leader && fails(slot) && slot.state == State::Up && here
        };
        let all = 0..self.slots.len();
        let near = near && all.clone().any(|at| fits(&at, true));
        let count = all.clone().filter(|at| fits(at, near)).count();
        if count == 0 {
            return;
        }
        let number = usize::try_from(draw.below(count as u64)).unwrap_or(0);
        let Some(other) = all.into_iter().filter(|at| fits(at, near)).nth(number) else { return };
        let mode = &part.modes[mode];
        self.strike(other, &mode.repair, mode.needs_crew);
    }
}

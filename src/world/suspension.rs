//! Machines that are suspended, as a hypervisor does it: nothing runs on them, nothing is answered for
//! them, and their clocks stand still, so that every timer goes on where it was.
//!
//! Absent on purpose: time of day, which is behind after that until it is set; nothing that is modelled
//! here reads it (who observes a Lease counts from when he saw it change).

use super::World;
use super::observer::Observer;
use crate::component::id::{ComponentId, Kind, MachineId};
use crate::component::lever::Lever;
use crate::component::view::ProcessState;
use crate::kernel::agenda::Cell;
use crate::kernel::time::Duration;

impl World<'_> {
    /// Suspends a machine that has power.
    pub(super) fn suspend(&mut self, machine: MachineId, observer: &mut impl Observer) {
        let state = &mut self.all.machines[machine.index()];
        if !state.powered || state.suspended.is_some() {
            return;
        }
        state.suspended = Some(self.now);
        self.all.reach.close_port(machine, true);
        for id in self.programs(machine) {
            if self.all.processes[id.index()].state == ProcessState::Running {
                self.pull(id, Lever::Pause, observer);
                self.inboxes[id.index()].frozen = Some(self.take_timers(id));
            }
        }
        self.network_changed(machine);
    }

    /// Lets a suspended machine go on. What an operator paused on it stays paused.
    pub(super) fn wake(&mut self, machine: MachineId, observer: &mut impl Observer) {
        if self.end_suspension(machine).is_none() {
            return;
        }
        self.network_changed(machine);
        for id in self.programs(machine) {
            if self.inboxes[id.index()].frozen.is_some() {
                self.resume(id, observer);
            }
        }
    }

    /// The machine is suspended no more, whether it goes on or lost its power. How long it was.
    pub(super) fn end_suspension(&mut self, machine: MachineId) -> Option<Duration> {
        let since = self.all.machines[machine.index()].suspended.take()?;
        let slept = self.now.since(since);
        self.all.machines[machine.index()].slept += slept;
        self.all.reach.close_port(machine, false);
        Some(slept)
    }

    /// Whether the machine of a process is suspended.
    pub(super) fn is_suspended(&self, id: ComponentId) -> bool {
        let machine = self.all.map.machine_of(id);
        machine.is_some_and(|machine| self.all.machines[machine.index()].suspended.is_some())
    }

    /// Clients stand for people and programs elsewhere.
    fn programs(&self, machine: MachineId) -> Vec<ComponentId> {
        let map = &self.all.map;
        map.on_machine(machine).filter(|id| map.component(*id).kind != Kind::Client).collect()
    }

    /// How long each timer of a process still runs.
    fn take_timers(&mut self, id: ComponentId) -> Vec<(Cell, Duration)> {
        let mut timers = Vec::new();
        let count = self.machines[id.index()].alarms();
        for offset in 0..u32::try_from(count).unwrap_or(0) {
            let cell = Cell(self.layout.bases[id.index()] + offset);
            let at = self.agenda.at(cell);
            if !at.is_never() {
                timers.push((cell, at.saturating_since(self.now)));
                self.agenda.clear(cell);
            }
        }
        timers
    }

    /// Timers go on from where they stood.
    pub(super) fn restore_timers(&mut self, timers: Option<Vec<(Cell, Duration)>>) {
        for (cell, left) in timers.into_iter().flatten() {
            self.agenda.set(cell, self.now + left);
        }
    }
}

//! Planned work: windows that come round, machines one after the other.

use super::super::clocks::Purpose;
use super::{Process, State, cell};
use crate::kernel::agenda::Cell;
use crate::kernel::time::{Duration, Time};

impl Process<'_> {
    pub(super) fn work_cell(&self, at: usize) -> Cell {
        cell(self.slots.len() + self.outages.len() + self.shocks.len() + at)
    }

    /// A window opens, or the next machine's turn comes.
    pub(super) fn work_event(&mut self, at: usize) {
        let laws = self.laws;
        let plan = &laws.work[at];
        if self.works[at].opened.is_never() {
            self.works[at].opened = self.now;
        }
        let closes = self.works[at].opened + plan.window;
        let Some(machine) = plan.machines.get(self.works[at].next).map(|machine| machine.index())
        else {
            return self.wait_for_window(at);
        };
        if self.now >= closes {
            return self.wait_for_window(at);
        }
        if !self.is_up(machine) || (plan.only_when_whole && !self.is_whole()) {
            // Looked at again when something happens; the window's end at the latest.
            let again = self.agenda.next().map_or(closes, |(next, _)| next.min(closes));
            let soon = self.now + Duration::from_nanos(1);
            return self.agenda.set(self.work_cell(at), again.max(soon));
        }
        let key = self.key;
        let span = plan.lasts.sample(&mut self.works[at].clock.draw(key, Purpose::Repair));
        self.works[at].next += 1;
        self.works[at].machine = Some(machine);
        self.down(machine, State::Worked);
        self.agenda.set(cell(machine), self.now + span);
    }

    /// All machines are done, or the window has closed: the next window goes on.
    pub(super) fn wait_for_window(&mut self, at: usize) {
        let plan = &self.laws.work[at];
        let work = &mut self.works[at];
        if work.next >= plan.machines.len() {
            work.next = 0;
        }
        let mut opens = work.opened;
        while opens <= self.now {
            opens += plan.every;
        }
        work.opened = Time::NEVER;
        self.agenda.set(self.work_cell(at), opens);
    }

    /// A machine is up again: if work had taken it, the next one's turn comes.
    pub(super) fn work_ended(&mut self, machine: usize) {
        for at in 0..self.works.len() {
            if self.works[at].machine == Some(machine) {
                self.works[at].machine = None;
                let next = self.now + self.laws.work[at].pause;
                self.agenda.set(self.work_cell(at), next);
            }
        }
    }

    pub(super) fn is_whole(&self) -> bool {
        self.slots.iter().all(|slot| slot.state == State::Up)
            && !self.outages.iter().any(|outage| outage.away)
    }
}

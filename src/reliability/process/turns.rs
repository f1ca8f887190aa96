//! Repairs that begin, and crews that go from one to the next.

use super::super::crews::Turn;
use super::{Process, State, cell};

impl Process<'_> {
    pub(super) fn begin_repair(&mut self, at: usize) {
        if let State::Queued(span) = self.slots[at].state {
            self.put(at, State::Repairing);
            self.agenda.set(cell(at), self.now + span);
        }
    }

    pub(super) fn take_turns(&mut self) {
        let turns = std::mem::take(&mut self.turns);
        for turn in &turns {
            match *turn {
                Turn::Begins(at) => self.begin_repair(at),
                Turn::Stops(at) => {
                    let left = self.agenda.at(cell(at)).saturating_since(self.now);
                    self.put(at, State::Queued(left));
                    self.agenda.clear(cell(at));
                }
            }
        }
        self.turns = turns;
        self.turns.clear();
    }

    pub(super) fn leave_crew(&mut self, at: usize) {
        let crew = self.part(at).and_then(|part| part.crew);
        if let Some(crew) = crew.filter(|_| std::mem::take(&mut self.slots[at].needs_crew)) {
            self.crews[crew].leave(at, &mut self.turns);
            self.take_turns();
        }
    }
}

//! Things that are of use only some time after what they stand on has come back.
//!
//! Absent on purpose: what that time is.

use super::scene::{Bits, each_of};
use crate::kernel::time::Time;
use crate::reliability::clocks::Clock;

/// Several of a kind, by their numbers.
#[derive(Clone, Debug)]
pub(super) struct Starts {
    clocks: Vec<Clock>,
    due: Vec<Time>,
    was_up: Bits,
    machines: Bits,
    waiting: Bits,
    soonest: Time,
}

impl Starts {
    /// All of them up, with the names of their draws.
    pub(super) fn of(names: impl Iterator<Item = String>) -> Self {
        let clocks: Vec<Clock> = names.map(|name| Clock::of(&name)).collect();
        Self {
            due: vec![Time::NEVER; clocks.len()],
            clocks,
            was_up: Bits::MAX,
            machines: Bits::MAX,
            waiting: 0,
            soonest: Time::NEVER,
        }
    }

    /// Begins anew, all of them up.
    pub(super) fn reset(&mut self) {
        self.clocks.iter_mut().for_each(Clock::rewind);
        self.due.fill(Time::NEVER);
        (self.was_up, self.machines, self.waiting) = (Bits::MAX, Bits::MAX, 0);
        self.soonest = Time::NEVER;
    }

    /// Whether nothing is otherwise than at the last review: the same stand, and no time has come.
    #[inline]
    fn is_settled(&self, now: Time, (up, machines): (Bits, Bits)) -> bool {
        (self.was_up, self.machines) == (up, machines) && self.soonest > now
    }

    /// What they stand on is `up` now, and these `machines` under it; `end` says when one that has come
    /// back, perhaps with its machine, is of use. Who still waits.
    #[inline]
    pub(super) fn review(
        &mut self,
        now: Time,
        (up, machines): (Bits, Bits),
        mut end: impl FnMut(bool, &mut Clock) -> Time,
    ) -> Bits {
        if self.is_settled(now, (up, machines)) {
            return self.waiting;
        }
        let came = up & !self.was_up;
        let booted = machines & !self.machines;
        (self.was_up, self.machines) = (up, machines);
        let mut left = self.waiting | came;
        self.soonest = Time::NEVER;
        while left != 0 {
            let at = left.trailing_zeros() as usize;
            left &= left - 1;
            let Some(due) = self.due.get_mut(at) else { break };
            if came >> at & 1 == 1 {
                *due = end(booted >> at & 1 == 1, &mut self.clocks[at]);
                self.waiting |= 1 << at;
            } else if up >> at & 1 == 0 || *due <= now {
                *due = Time::NEVER;
                self.waiting &= !(1 << at);
            }
            self.soonest = self.soonest.min(*due);
        }
        self.waiting
    }

    /// Those that have come back, if these are up now.
    pub(super) fn coming(&self, up: Bits) -> Bits {
        up & !self.was_up
    }

    /// What they stand on is so now, and nobody waits: who has come back. Their draws are counted as if
    /// they had been made.
    #[inline]
    pub(super) fn stand(&mut self, (up, machines): (Bits, Bits)) -> Bits {
        let came = self.coming(up);
        (self.was_up, self.machines) = (up, machines);
        for at in each_of(came) {
            if let Some(clock) = self.clocks.get_mut(at) {
                clock.skip_timers();
            }
        }
        came
    }

    /// Lets all of them be of use.
    pub(super) fn finish(&mut self) {
        each_of(self.waiting).for_each(|at| self.due[at] = Time::NEVER);
        (self.waiting, self.soonest) = (0, Time::NEVER);
    }

    /// Lets one that waits be of use now.
    pub(super) fn hasten(&mut self, at: usize, now: Time) {
        (self.due[at], self.soonest) = (now, now);
    }

    /// Whether each waits.
    pub(super) fn each(&self) -> impl Iterator<Item = bool> + '_ {
        (0..self.due.len()).map(|at| self.waiting >> at & 1 == 1)
    }

    /// Those that wait.
    pub(super) fn waiting(&self) -> Bits {
        self.waiting
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.due.len()
    }

    /// When each that waits is of use.
    pub(super) fn dues(&self) -> impl Iterator<Item = Time> + '_ {
        self.due.iter().copied()
    }

    /// The earliest of them.
    pub(super) fn soonest(&self) -> Time {
        self.soonest
    }
}

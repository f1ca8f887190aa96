//! API servers in the balancers' rotation, and those on their way in or out.
//!
//! Absent on purpose: how long the way takes.

use super::scene::{Bits, bits, each_of};
use crate::kernel::time::Time;
use crate::reliability::clocks::Clock;

/// The rotation, by the servers' numbers.
#[derive(Clone, Debug)]
pub(super) struct Rotation {
    clocks: Vec<Clock>,
    due: Vec<Time>,
    all: Bits,
    inside: Bits,
    moving: Bits,
    soonest: Time,
}

impl Rotation {
    /// All of them inside, with the names of their draws.
    pub(super) fn of(names: impl Iterator<Item = String>) -> Self {
        let clocks: Vec<Clock> = names.map(|name| Clock::of(&name)).collect();
        let all = bits(clocks.len(), |_| true);
        Self {
            due: vec![Time::NEVER; clocks.len()],
            clocks,
            all,
            inside: all,
            moving: 0,
            soonest: Time::NEVER,
        }
    }

    /// Begins anew, all of them inside.
    pub(super) fn reset(&mut self) {
        self.clocks.iter_mut().for_each(Clock::rewind);
        self.due.fill(Time::NEVER);
        (self.inside, self.moving, self.soonest) = (self.all, 0, Time::NEVER);
    }

    /// Those in `healthy` serve now; `end` says when one that does not stand where it belongs will,
    /// [`None`]: at once.
    pub(super) fn review(
        &mut self,
        now: Time,
        healthy: Bits,
        mut end: impl FnMut(usize, &mut Clock) -> Option<Time>,
    ) {
        let wrong = (self.inside ^ healthy) & self.all;
        let mut left = wrong | self.moving;
        let mut soonest = Time::NEVER;
        while left != 0 {
            let at = left.trailing_zeros() as usize;
            let bit = left & left.wrapping_neg();
            left ^= bit;
            let goes_on = if wrong & bit == 0 {
                None
            } else if self.moving & bit == 0 {
                end(at, &mut self.clocks[at])
            } else {
                Some(self.due[at]).filter(|due| *due > now)
            };
            let due = goes_on.unwrap_or(Time::NEVER);
            let arrives = if goes_on.is_none() { bit } else { 0 };
            self.due[at] = due;
            self.moving = self.moving & !bit | bit & !arrives;
            self.inside ^= wrong & arrives;
            soonest = soonest.min(due);
        }
        self.soonest = soonest;
    }

    /// When one moves next that requests would notice: not one that serves nobody and leaves.
    #[inline]
    pub(super) fn next_loud(&self, healthy: Bits) -> Time {
        if self.is_quiet(healthy) { Time::NEVER } else { self.soonest }
    }

    /// Whether all that are on their way serve nobody and leave.
    #[inline]
    pub(super) fn is_quiet(&self, healthy: Bits) -> bool {
        self.moving & (healthy | !self.inside) == 0
    }

    /// Those of these that are outside, and not on their way.
    pub(super) fn misses(&self, of: Bits) -> Bits {
        of & !self.inside & !self.moving
    }

    /// Whether nobody is on his way.
    pub(super) fn is_still(&self) -> bool {
        self.moving == 0
    }

    /// Whether nobody is on his way out.
    pub(super) fn only_fills(&self) -> bool {
        self.moving & self.inside == 0
    }

    /// Lets those go whose time has come, which all that move wait for.
    pub(super) fn release(&mut self, now: Time) {
        self.soonest = Time::NEVER;
        for at in each_of(self.moving) {
            if self.due[at] <= now {
                self.due[at] = Time::NEVER;
                self.moving &= !(1 << at);
                self.inside &= !(1 << at);
            }
            self.soonest = self.soonest.min(self.due[at]);
        }
    }

    /// Counts one draw of each of these.
    pub(super) fn skip_draws(&mut self, of: Bits) {
        each_of(of).for_each(|at| self.clocks[at].skip_timers());
    }

    /// Lets these come inside, and all that are on their way, none of them out.
    pub(super) fn admit(&mut self, comes: Bits) {
        let all = comes | self.moving;
        each_of(all).for_each(|at| self.due[at] = Time::NEVER);
        self.inside |= all;
        (self.moving, self.soonest) = (0, Time::NEVER);
    }

    /// Lets one that is on its way arrive now.
    pub(super) fn hasten(&mut self, at: usize, now: Time) {
        (self.due[at], self.soonest) = (now, now);
    }

    /// Each server: whether it is inside, and on its way.
    pub(super) fn each(&self) -> impl Iterator<Item = (bool, bool)> + '_ {
        (0..self.due.len()).map(|at| (self.inside >> at & 1 == 1, self.moving >> at & 1 == 1))
    }

    /// Those inside.
    pub(super) fn inside(&self) -> Bits {
        self.inside
    }

    /// Lets these be inside, where nobody is on his way.
    pub(super) fn stand(&mut self, inside: Bits) {
        self.inside = inside;
    }

    /// The share of those inside that are healthy; 0 where nobody is inside.
    pub(super) fn share(&self, healthy: Bits) -> f64 {
        let served = self.inside & healthy;
        if served == 0 {
            0.0
        } else if served == self.inside {
            1.0
        } else {
            f64::from(served.count_ones()) / f64::from(self.inside.count_ones())
        }
    }

    /// Those of these that fresh requests reach.
    pub(super) fn reached(&self, healthy: Bits) -> Bits {
        self.inside & healthy
    }

    /// When each that is on its way arrives.
    pub(super) fn dues(&self) -> impl Iterator<Item = Time> + '_ {
        self.due.iter().copied()
    }

    /// The earliest of them.
    pub(super) fn soonest(&self) -> Time {
        self.soonest
    }
}

//! Who holds what one of several can hold, and how long it takes until another one does.
//!
//! Absent on purpose: who may hold it, which the services tell.

use super::super::clocks::{Clock, Purpose};
use crate::kernel::law::Law;
use crate::kernel::stream::Key;
use crate::kernel::time::Time;
use crate::plan::timings::{Timing, Timings};

/// A takeover: who holds, or when somebody will.
#[derive(Clone, Debug)]
pub(super) struct Seat {
    pub(super) timing: Timing,
    pub(super) holder: Option<usize>,
    pub(super) due: Time,
    /// Who wins the next takeover, where that is decided from outside.
    pub(super) appointed: Option<usize>,
    pub(super) clock: Clock,
}

/// The one with this number among those whose bit is set.
pub(super) fn one_of(bits: u64, number: u64) -> Option<usize> {
    (0..64).filter(|at| bits >> at & 1 == 1).nth(usize::try_from(number).ok()?)
}

impl Seat {
    /// One of those whose bit is set, each as likely as the others.
    pub(super) fn any_of(&mut self, bits: u64, key: Key) -> Option<usize> {
        if self.appointed.is_some() {
            return self.appointed;
        }
        let mut draw = self.clock.draw(key, Purpose::Follower);
        one_of(bits, draw.below(u64::from(bits.count_ones().max(1))))
    }

    /// Whether the holder stays, whether a takeover can go on, and who wins when its time has come.
    pub(super) fn review(
        &mut self,
        now: Time,
        key: Key,
        law: &Law,
        keeps: impl Fn(usize) -> bool,
        possible: bool,
        winner: impl Fn(&mut Seat, Key) -> Option<usize>,
    ) {
        if self.holder.is_some_and(&keeps) {
            return;
        }
        self.holder = None;
        if !possible {
            self.due = Time::NEVER;
        } else if Timings::is_instantaneous(law) || self.due <= now {
            self.due = Time::NEVER;
            self.holder = winner(self, key);
        } else if self.due.is_never() {
            self.due = self.clock.end(key, Purpose::Timer, law, now);
        }
    }
}

//! A seat that somebody holds until it is lost, and that takes its time to be taken over: the virtual
//! address, etcd's leadership, a Lease.

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
    pub(super) clock: Clock,
}

impl Seat {
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

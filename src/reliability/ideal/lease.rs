//! A Lease whose time is drawn from its timers: its record expires whether or not writes work, and a
//! holder that cannot renew it gives it up.
//!
//! Absent on purpose: Leases whose time is a law, which runs only while writes work.

use super::scene::{Bits, Group};
use super::seat::Seat;
use crate::kernel::stream::Key;
use crate::kernel::time::Time;
use crate::reliability::clocks::Clock;
use crate::reliability::timers::{Lost, Timers};

/// What a Lease does beside its seat.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lease {
    /// Of the controller-manager, and not of the scheduler.
    manager: bool,
    /// When its holder gives it up unless writes work before.
    pub(super) patience: Time,
    /// Its record has expired: the next try that can write takes it.
    expired: bool,
}

/// How things stand for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    pub(super) now: Time,
    pub(super) key: Key,
    /// The candidates.
    pub(super) group: Group,
    /// Those whose way to the API, and its way to etcd, works.
    pub(super) able: Bits,
}

impl Lease {
    /// Held, and renewed.
    pub(super) fn new(manager: bool) -> Self {
        Self { manager, patience: Time::NEVER, expired: false }
    }

    /// Lets the Lease follow from how things stand.
    pub(super) fn review(&mut self, seat: &mut Seat, timers: &Timers, it: Standing) {
        if let Some(holder) = seat.holder {
            if it.group.running >> holder & 1 == 0 {
                let lost = it.group.lost(holder);
                self.vacate(seat, false);
                seat.due = self.end(&mut seat.clock, timers, (lost, it.group.serving), it);
            } else if it.able >> holder & 1 == 1 {
                self.patience = Time::NEVER;
            } else if self.patience.is_never() {
                let mut draw = seat.clock.timers(it.key);
                self.patience = it.now + timers.lease_given_up(&mut draw, self.manager);
            } else if self.patience <= it.now {
                self.vacate(seat, true);
            }
        }
        if seat.holder.is_none() {
            self.fill(seat, timers, it);
        }
    }

    fn vacate(&mut self, seat: &mut Seat, expired: bool) {
        (seat.holder, seat.due) = (None, Time::NEVER);
        (self.patience, self.expired) = (Time::NEVER, expired);
    }

    fn fill(&mut self, seat: &mut Seat, timers: &Timers, it: Standing) {
        let takers = it.group.serving & it.able;
        let possible = takers != 0;
        let rang = seat.due <= it.now;
        if rang && possible {
            (seat.due, self.expired) = (Time::NEVER, false);
            seat.holder = seat.any_of(takers, it.key);
        } else if rang || seat.due.is_never() {
            (seat.due, self.expired) = (Time::NEVER, true);
        }
        if self.expired && !possible {
            seat.due = Time::NEVER;
        } else if self.expired && seat.due.is_never() {
            seat.due = self.end(&mut seat.clock, timers, (Lost::Nobody, takers), it);
        }
    }

    fn end(
        &self,
        clock: &mut Clock,
        timers: &Timers,
        (lost, standbys): (Lost, Bits),
        it: Standing,
    ) -> Time {
        let mut draw = clock.timers(it.key);
        it.now + timers.lease(&mut draw, self.manager, lost, standbys.count_ones())
    }
}

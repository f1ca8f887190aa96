//! A Lease whose time is drawn from its timers: its record expires whether or not writes work, and a
//! holder that cannot renew it gives it up.
//!
//! Absent on purpose: Leases whose time is a law, which runs only while writes work.

use super::scene::{Bits, Group};
use super::seat::Seat;
use crate::kernel::stream::{Draw, Key};
use crate::kernel::time::{Duration, Time};
use crate::plan::timings::Timing;
use crate::reliability::timers::{Lost, Timers};

/// What a Lease does beside its seat.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lease {
    /// When its holder gives it up unless writes work before.
    pub(super) patience: Time,
    /// When others who can write all the time take it from a holder that cannot.
    passes: Time,
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
    pub(super) fn new() -> Self {
        Self { patience: Time::NEVER, passes: Time::NEVER, expired: false }
    }

    /// Whether all is as it should be: one of those who can renew it holds it, and has not begun to lose
    /// patience.
    #[inline]
    pub(super) fn is_kept(&self, seat: &Seat, able: Bits) -> bool {
        self.patience.is_never() && seat.is_held_by(able)
    }

    /// Lets the Lease follow from how things stand.
    pub(super) fn review(&mut self, seat: &mut Seat, timers: &Timers, it: Standing) {
        if let Some(holder) = seat.holder() {
            if it.group.running >> holder & 1 == 0 {
                let lost = it.group.lost(holder);
                self.vacate(seat, false);
                let draw = &mut seat.clock.timers(it.key);
                seat.due = it.now + span(seat.timing, timers, draw, (lost, it.group.serving));
            } else if it.able >> holder & 1 == 1 {
                self.patience = Time::NEVER;
            } else if self.patience.is_never() {
                self.lose_patience(seat, timers, it);
            } else if self.patience <= it.now {
                let passes = self.passes;
                self.vacate(seat, passes.is_never());
                seat.due = passes.max(it.now);
            }
        }
        if !seat.is_held() {
            self.fill(seat, timers, it);
        }
    }

    /// Its holder cannot renew it any more.
    fn lose_patience(&mut self, seat: &mut Seat, timers: &Timers, it: Standing) {
        let draw = &mut seat.clock.timers(it.key);
        self.patience = it.now + given_up(seat.timing, timers, draw);
        let others = it.group.serving & it.able;
        self.passes = Time::NEVER;
        if others != 0 {
            self.passes = it.now + span(seat.timing, timers, draw, (Lost::Silently, others));
        }
    }

    fn vacate(&mut self, seat: &mut Seat, expired: bool) {
        seat.give(None);
        seat.due = Time::NEVER;
        (self.patience, self.expired) = (Time::NEVER, expired);
    }

    fn fill(&mut self, seat: &mut Seat, timers: &Timers, it: Standing) {
        let takers = it.group.serving & it.able;
        let possible = takers != 0;
        let rang = seat.due <= it.now;
        if rang && possible {
            (seat.due, self.expired) = (Time::NEVER, false);
            let taker = seat.any_of(takers, it.key);
            seat.give(taker);
        } else if rang || seat.due.is_never() {
            (seat.due, self.expired) = (Time::NEVER, true);
        }
        if self.expired && !possible {
            seat.due = Time::NEVER;
        } else if self.expired && seat.due.is_never() {
            let draw = &mut seat.clock.timers(it.key);
            seat.due = it.now + span(seat.timing, timers, draw, (Lost::Nobody, takers));
        }
    }
}

/// How long it takes until another one of so many holds it.
fn span(
    timing: Timing,
    timers: &Timers,
    draw: &mut Draw,
    (lost, standbys): (Lost, Bits),
) -> Duration {
    let (manager, standbys) = (timing == Timing::ControllerManagerTakeover, standbys.count_ones());
    match timing {
        Timing::VipTakeover => timers.holder(draw, lost, standbys),
        _ => timers.lease(draw, manager, lost, standbys),
    }
}

/// How long a holder that cannot renew it keeps it.
fn given_up(timing: Timing, timers: &Timers, draw: &mut Draw) -> Duration {
    match timing {
        Timing::VipTakeover => timers.holder_gives_up(draw),
        _ => timers.lease_given_up(draw, timing == Timing::ControllerManagerTakeover),
    }
}

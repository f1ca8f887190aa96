//! Who holds what one of several can hold, and how long it takes until another one does.
//!
//! Absent on purpose: who may hold it, which the services tell.

use super::super::clocks::{Clock, Purpose};
use super::scene::Bits;
use crate::kernel::stream::Key;
use crate::kernel::time::Time;
use crate::plan::timings::Timing;

/// A takeover: who holds, or when somebody will.
#[derive(Clone, Debug)]
pub(super) struct Seat {
    pub(super) timing: Timing,
    /// The bit of who holds it; none if nobody does.
    held: Bits,
    /// Who lost it and, if he is back before another one has it, never knew.
    left: Option<usize>,
    /// Until when that one has it even while nobody can hold it.
    pub(super) stays: Option<Time>,
    pub(super) due: Time,
    /// Whether the protocol's timers decide, and not a law.
    drawn: bool,
    /// Who wins the next takeover, where that is decided from outside.
    pub(super) appointed: Option<usize>,
    pub(super) clock: Clock,
}

/// The one with this number among those whose bit is set.
pub(super) fn one_of(bits: Bits, number: u64) -> Option<usize> {
    let mut left = bits;
    for _ in 0..number {
        left &= left.wrapping_sub(1);
    }
    (left != 0).then(|| left.trailing_zeros() as usize)
}

impl Seat {
    /// Held by the first, with draws of its own.
    pub(super) fn new(timing: Timing, drawn: bool) -> Self {
        Self {
            timing,
            drawn,
            held: 1,
            left: None,
            stays: None,
            due: Time::NEVER,
            appointed: None,
            clock: Clock::of(timing.name()),
        }
    }

    /// Begins anew.
    pub(super) fn reset(&mut self) {
        (self.held, self.left, self.due) = (1, None, Time::NEVER);
        self.stays = None;
        self.clock.rewind();
    }

    /// Whether one of those whose bit is set holds it.
    #[inline]
    pub(super) fn is_held_by(&self, bits: Bits) -> bool {
        self.held & bits != 0
    }

    /// Whether anybody holds it.
    #[inline]
    pub(super) fn is_held(&self) -> bool {
        self.held != 0
    }

    /// Who holds it.
    #[inline]
    pub(super) fn holder(&self) -> Option<usize> {
        (self.held != 0).then(|| self.held.trailing_zeros() as usize)
    }

    /// Lets this one hold it from now on.
    #[inline]
    pub(super) fn give(&mut self, to: Option<usize>) {
        self.held = to.map_or(0, |at| 1 << at);
    }

    /// The bit of who holds it; none if nobody does.
    #[inline]
    pub(super) fn held(&self) -> Bits {
        self.held
    }

    /// Lets the one of this bit hold it.
    #[inline]
    pub(super) fn sit(&mut self, held: Bits) {
        self.held = held;
    }

    /// One of those whose bit is set, each as likely as the others.
    pub(super) fn any_of(&mut self, bits: Bits, key: Key) -> Option<usize> {
        if self.appointed.is_some() {
            return self.appointed;
        }
        let purpose = Purpose::Follower;
        let mut draw =
            if self.drawn { self.clock.quick(key, purpose) } else { self.clock.draw(key, purpose) };
        one_of(bits, draw.below(u64::from(bits.count_ones().max(1))))
    }

    /// What becomes of it now, if these can hold it: whether the holder stays, whether a takeover can go
    /// on, and who wins when its time has come. `end` says when a takeover that begins now is over,
    /// [`None`]: at once.
    pub(super) fn review(
        &mut self,
        now: Time,
        able: Bits,
        losing: Losing,
        end: impl FnOnce(&mut Clock) -> Option<Time>,
        winner: impl FnOnce(&mut Seat) -> Option<usize>,
    ) {
        if self.is_held_by(losing.keeps) {
            self.due = Time::NEVER;
            return;
        }
        if let Some(holder) = self.holder() {
            self.give(None);
            self.left = losing.may_return.then_some(holder);
        }
        let stays = self.stays.map_or(able != 0, |until| now < until);
        self.left = self.left.filter(|_| stays);
        let back = self.left.filter(|at| able >> at & 1 == 1);
        let over = if able == 0 {
            self.due = Time::NEVER;
            false
        } else if back.is_some() {
            true
        } else if self.due.is_never() {
            let end = end(&mut self.clock);
            self.due = end.unwrap_or(Time::NEVER);
            end.is_none()
        } else {
            self.due <= now
        };
        if over {
            (self.due, self.left) = (Time::NEVER, None);
            let next = back.or_else(|| winner(self));
            self.give(next);
        }
    }

    /// The holder serves on without what would defend it: another one takes it, and nobody misses it
    /// meanwhile.
    pub(super) fn pass_on(
        &mut self,
        now: Time,
        taker: Option<usize>,
        end: impl FnOnce(&mut Clock) -> Option<Time>,
    ) {
        if taker.is_none() {
            self.due = Time::NEVER;
        } else if self.due.is_never() {
            self.due = end(&mut self.clock).unwrap_or(now);
        } else if self.due <= now {
            self.give(taker);
            self.due = Time::NEVER;
        }
    }
}

/// How one that cannot hold it any more loses it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Losing {
    /// Those who keep it if they have it.
    pub(super) keeps: Bits,
    /// Whether the one who loses it now has it again if he is back before another one has.
    pub(super) may_return: bool,
}

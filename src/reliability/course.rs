//! What a trial of years asks of whatever plays the failures.

use super::ideal::{Ideal, Measure, Reason};
use crate::kernel::stream::Key;
use crate::kernel::time::Time;

/// Failures and services, from one instant at which something may change to the next.
pub trait Course {
    /// Begins anew with other randomness.
    fn reset(&mut self, key: Key);
    /// When something may change next, but for [`Course::drift`].
    fn next(&self) -> Time;
    /// Goes on to the next instant before that one at which the share of requests that are served
    /// changes, and nothing else; [`None`]: it does not. A share of 1 stays as it is.
    #[inline]
    fn drift(&mut self, before: Time) -> Option<Time> {
        let _ = before;
        None
    }
    /// Goes on to that instant, and further as far as nothing that is measured changes.
    fn step(&mut self);
    /// What is up now; bit by bit in the order of [`Measure::ALL`].
    fn levels(&self) -> u8;
    /// Why a measure that is down is down.
    fn reason(&self, measure: Measure) -> Reason;
    /// Tells the same of each measure whose bit is set.
    #[inline]
    fn blame(&self, mut down: u8, mut tell: impl FnMut(usize, Reason))
    where
        Self: Sized,
    {
        while down != 0 {
            let at = down.trailing_zeros() as usize;
            down &= down - 1;
            tell(at, self.reason(Measure::ALL[at]));
        }
    }
    /// The share of fresh requests that reach an API server that serves.
    fn share_served(&self) -> f64;
}

impl Course for Ideal<'_> {
    fn reset(&mut self, key: Key) {
        Ideal::reset(self, key);
    }

    #[inline]
    fn next(&self) -> Time {
        self.next_loud()
    }

    fn drift(&mut self, before: Time) -> Option<Time> {
        Ideal::drift(self, before)
    }

    fn step(&mut self) {
        self.stride();
    }

    #[inline]
    fn levels(&self) -> u8 {
        Ideal::levels(self)
    }

    fn reason(&self, measure: Measure) -> Reason {
        Ideal::reason(self, measure)
    }

    #[inline]
    fn blame(&self, down: u8, tell: impl FnMut(usize, Reason)) {
        Ideal::blame(self, down, tell);
    }

    #[inline]
    fn share_served(&self) -> f64 {
        Ideal::share_served(self)
    }
}

//! Clocks that run at a rate of their own.
//!
//! Absent on purpose: steps; nothing modelled compares the wall clocks of two machines.

use crate::kernel::time::Duration;

/// The rate of a true clock, in parts per million.
pub(super) const TRUE_PPM: u32 = 1_000_000;

/// A clock that runs at a rate of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Its rate, in parts per million of true time.
    pub ppm: u32,
}

impl Default for Clock {
    fn default() -> Self {
        Self { ppm: TRUE_PPM }
    }
}

impl Clock {
    /// How long a stretch of this clock takes in true time.
    pub fn lasts(self, clock: Duration) -> Duration {
        self.carry(clock, TRUE_PPM)
    }

    /// How long a rest of true time planned by `before` takes when this clock goes on instead.
    pub fn carries_on(self, rest: Duration, before: Clock) -> Duration {
        self.carry(rest, before.ppm)
    }

    fn carry(self, span: Duration, ppm: u32) -> Duration {
        if self.ppm == ppm {
            return span;
        }
        let nanos = u128::from(span.as_nanos()) * u128::from(ppm) / u128::from(self.ppm.max(1));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

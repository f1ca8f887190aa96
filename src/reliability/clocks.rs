//! Draws of the failure process, keyed by the name of what fails and by its own count: one failure
//! more elsewhere leaves every other lifetime as it was.

use crate::kernel::law::{Law, exponentials};
use crate::kernel::stream::{Draw, Key, StreamName};
use crate::kernel::time::{Duration, Time};

/// What draws are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Failure = 0,
    Repair = 1,
    Boot = 2,
    Thinning = 3,
    Follower = 4,
    Timer = 5,
}

/// How many purposes there are.
const PURPOSES: usize = 6;

/// How many numbers of mean 1 are drawn ahead at once: their arithmetic overlaps, where one alone
/// would wait for itself.
const AHEAD: usize = 4;

/// Added to a purpose where its numbers are drawn ahead, so that they are none of those drawn alone.
const AHEAD_PURPOSE: u32 = 16;

/// Exponential numbers of mean 1 for one purpose, drawn ahead.
#[derive(Clone, Copy, Debug)]
struct Ahead {
    numbers: [f64; AHEAD],
    used: usize,
    batches: u64,
}

impl Ahead {
    const NONE: Self = Self { numbers: [0.0; AHEAD], used: AHEAD, batches: 0 };
}

/// The stream of one thing: each purpose counts for itself, so that the n-th lifetime is the n-th
/// whatever else was drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    name: StreamName,
    counts: [u64; PURPOSES],
    /// Of failures and of repairs.
    ahead: [Ahead; 2],
}

impl Clock {
    pub(super) fn of(name: &str) -> Self {
        let name = StreamName::of(&format!("reliability/{name}"));
        Self { name, counts: [0; PURPOSES], ahead: [Ahead::NONE; 2] }
    }

    /// Begins anew, for another run.
    pub(super) fn rewind(&mut self) {
        self.counts = [0; PURPOSES];
        for ahead in &mut self.ahead {
            (ahead.used, ahead.batches) = (AHEAD, 0);
        }
    }

    pub(super) fn draw(&mut self, key: Key, purpose: Purpose) -> Draw {
        let count = &mut self.counts[purpose as usize];
        *count += 1;
        key.draw(self.name, purpose as u32, *count)
    }

    /// The numbers from which a protocol's timers are drawn.
    #[inline]
    pub(super) fn timers(&mut self, key: Key) -> Draw {
        self.quick(key, Purpose::Timer)
    }

    /// Counts those of one draw without drawing any.
    #[inline]
    pub(super) fn skip_timers(&mut self) {
        self.counts[Purpose::Timer as usize] += 1;
    }

    /// Numbers for this purpose that are quick to draw.
    #[inline]
    pub(super) fn quick(&mut self, key: Key, purpose: Purpose) -> Draw {
        let count = &mut self.counts[purpose as usize];
        *count += 1;
        key.quick_draw(self.name, purpose as u32, *count)
    }

    /// A span of this law.
    #[inline]
    pub(super) fn span(&mut self, key: Key, purpose: Purpose, law: &Law) -> Duration {
        match (law, self.ahead.get_mut(purpose as usize)) {
            (Law::Exponential { mean }, Some(ahead)) => {
                if ahead.used == AHEAD {
                    ahead.batches += 1;
                    let purpose = purpose as u32 + AHEAD_PURPOSE;
                    ahead.numbers = exponentials(&mut key.draw(self.name, purpose, ahead.batches));
                    ahead.used = 0;
                }
                ahead.used += 1;
                mean.times(ahead.numbers[ahead.used - 1])
            }
            _ => law.sample(&mut self.draw(key, purpose)),
        }
    }

    /// When a span of this law that begins now ends.
    #[inline]
    pub(super) fn end(&mut self, key: Key, purpose: Purpose, law: &Law, now: Time) -> Time {
        now + self.span(key, purpose, law)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law: spans drawn ahead have the law's mean, and come again after a rewind.
    #[test]
    fn spans_ahead_are_of_their_law() {
        const N: u32 = 40_000;
        let law = Law::Exponential { mean: Duration::from_secs(100) };
        let (key, mut clock) = (Key::new(1, 2), Clock::of("cp1"));
        let spans = |clock: &mut Clock| -> Vec<f64> {
            (0..N).map(|_| clock.span(key, Purpose::Failure, &law).as_secs_f64()).collect()
        };
        let first = spans(&mut clock);
        clock.rewind();
        assert_eq!(first, spans(&mut clock));
        let mean = first.iter().sum::<f64>() / f64::from(N);
        // Four standard errors.
        assert!((mean - 100.0).abs() < 4.0 * 100.0 / f64::from(N).sqrt(), "{mean}");
        let neighbours = first.windows(2).map(|w| (w[0] - 100.0) * (w[1] - 100.0) / 1e4);
        assert!((neighbours.sum::<f64>() / f64::from(N)).abs() < 4.0 / f64::from(N).sqrt());
    }
}

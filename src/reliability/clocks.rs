//! Draws of the failure process, keyed by the name of what fails and by its own count: one failure
//! more elsewhere leaves every other lifetime as it was.

use crate::kernel::law::Law;
use crate::kernel::stream::{Draw, Key, StreamName};
use crate::kernel::time::Time;

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

/// The stream of one thing: each purpose counts for itself, so that the n-th lifetime is the n-th
/// whatever else was drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    name: StreamName,
    counts: [u64; PURPOSES],
}

impl Clock {
    pub(super) fn of(name: &str) -> Self {
        Self { name: StreamName::of(&format!("reliability/{name}")), counts: [0; PURPOSES] }
    }

    /// Begins anew, for another run.
    pub(super) fn rewind(&mut self) {
        self.counts = [0; PURPOSES];
    }

    pub(super) fn draw(&mut self, key: Key, purpose: Purpose) -> Draw {
        let count = &mut self.counts[purpose as usize];
        *count += 1;
        key.draw(self.name, purpose as u32, *count)
    }

    /// When a span of this law that begins now ends.
    pub(super) fn end(&mut self, key: Key, purpose: Purpose, law: &Law, now: Time) -> Time {
        now + law.sample(&mut self.draw(key, purpose))
    }
}

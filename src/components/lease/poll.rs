//! The attempts of one who does not hold the Lease, as arithmetic: each begins a jittered wait after
//! the end of the one before.
//!
//! An attempt that cannot change anything is never made. When it matters where the sequence stands,
//! it is continued from where it was last known, gap by gap; after many gaps nothing of its phase is
//! left, and an equilibrium draw takes its place.

use crate::kernel::cadence::covering_gap;
use crate::kernel::stream::Draw;
use crate::kernel::time::{Duration, Time};
use std::collections::VecDeque;

/// After so many gaps the sequence is no longer followed. For gaps uniform on [2, 4.4] s their sum
/// has a standard deviation of 5.5 s by then, more than the longest gap.
pub(super) const GAPS_MAX: u64 = 64;

/// Where the sequence of attempts stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Poll {
    /// The last attempt so far began.
    pub(super) began: Time,
    /// It ends, or ended.
    pub(super) ends: Time,
    /// Its answer has not been looked at.
    pub(super) unread: bool,
    /// When a computed attempt was last answered, be it by an error.
    pub(super) heard: Time,
    /// The next one begins.
    pub(super) next: Time,
    /// Nothing is known of this process's first attempt yet: it is made whatever it may find.
    pub(super) first: bool,
    /// Waits drawn in advance, on the candidate's own clock.
    ahead: VecDeque<Duration>,
}

impl Poll {
    /// A sequence whose first attempt begins at `first`.
    pub(super) fn starting(now: Time, first: Time) -> Self {
        Self {
            began: now,
            ends: now,
            unread: false,
            heard: Time::ZERO,
            next: first,
            first: true,
            ahead: VecDeque::new(),
        }
    }

    /// A sequence that has gone on for so long that nothing is known of it.
    pub(super) fn unknown() -> Self {
        let mut poll = Self::starting(Time::ZERO, Time::ZERO);
        poll.first = false;
        poll
    }

    /// Its instants, all by the candidate's own clock.
    pub(super) fn instants(&mut self) -> impl Iterator<Item = &mut Time> {
        [&mut self.began, &mut self.ends, &mut self.heard, &mut self.next].into_iter()
    }

    /// Whether the sequence was last known too long ago to be followed. `longest` is its longest gap.
    pub(super) fn is_lost(&self, now: Time, longest: Duration) -> bool {
        now.saturating_since(self.next) > longest.saturating_mul(GAPS_MAX)
    }

    /// Draws where the sequence stands at an arbitrary instant: in a gap between two beginnings that
    /// is uniform on [`from`, `to`], with attempts that take `took`.
    pub(super) fn find(
        &mut self,
        now: Time,
        from: Duration,
        to: Duration,
        took: Duration,
        mut draw: Draw,
    ) {
        let gap = covering_gap(from, to, draw.uniform());
        let age = gap.mul_f64(draw.uniform());
        self.began = now - age;
        self.ends = self.began + took;
        self.unread = true;
        let wait = from.saturating_sub(took) + to.saturating_sub(from).mul_f64(draw.uniform());
        self.heard = Time::from_nanos(self.began.as_nanos().saturating_sub(wait.as_nanos()));
        self.next = (self.began + gap).max(now);
        self.ahead.clear();
    }

    /// The next attempt begins and takes `took`; the one after it begins `wait` later.
    pub(super) fn step(&mut self, took: Duration, wait: Duration) {
        self.began = self.next;
        self.ends = self.began + took;
        self.unread = true;
        self.next = self.ends + wait;
    }

    /// An attempt that was really made has ended.
    pub(super) fn ended(&mut self, now: Time, wait: Duration) {
        self.ends = now;
        self.unread = false;
        self.next = now + wait;
    }

    /// The wait that comes next, if it was drawn in advance.
    pub(super) fn take_ahead(&mut self) -> Option<Duration> {
        self.ahead.pop_front()
    }

    /// The `n`-th wait from now, drawn if need be.
    pub(super) fn ahead(&mut self, n: usize, mut draw: impl FnMut() -> Duration) -> Duration {
        while self.ahead.len() <= n {
            self.ahead.push_back(draw());
        }
        self.ahead[n]
    }
}

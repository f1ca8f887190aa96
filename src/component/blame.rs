//! Why something happened when it did: the terms of an outage's blame line.
//!
//! Every alarm and every message states what its waiting time was made of. The terms cover the
//! interval that ends when it fires; they may begin before the event that booked it (a lease's age at
//! a fault), never after. Walking from event to cause adds the terms up without gap or overlap.

use crate::kernel::time::{Duration, Time};
use arrayvec::ArrayVec;

/// The most terms one wait can have.
pub const TERMS_MAX: usize = 6;

/// Index of an event in a run's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub u32);

impl EventId {
    /// The start of the run: everything that was already so at time 0.
    pub const START: EventId = EventId(0);
}

/// One stretch of waiting and the parameter that made it so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// The option or mechanism, in the real software's spelling where it has one (`leaseDuration`).
    pub parameter: &'static str,
    /// How long it made us wait.
    pub amount: Duration,
}

/// What one wait was made of, in order of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blame {
    /// The stretches, earliest first; they end when the alarm fires.
    pub terms: ArrayVec<Term, TERMS_MAX>,
    /// The event at which the first stretch began, where that is not the event that booked the wait.
    pub after: Option<EventId>,
}

impl Blame {
    /// A wait of one stretch.
    pub fn of(parameter: &'static str, amount: Duration) -> Self {
        Self::default().and(parameter, amount)
    }

    /// Adds a stretch; empty ones are left out.
    #[must_use]
    pub fn and(mut self, parameter: &'static str, amount: Duration) -> Self {
        if amount > Duration::ZERO && !self.terms.is_full() {
            self.terms.push(Term { parameter, amount });
        }
        self
    }

    /// Stretches that end at the given instants, each as far as it lies after `from` and after the
    /// ones before it.
    pub fn stretches(from: Time, ends: &[(&'static str, Time)]) -> Self {
        let mut at = from;
        let mut blame = Self::default();
        for (parameter, end) in ends {
            blame = blame.and(parameter, end.saturating_since(at));
            at = at.max(*end);
        }
        blame
    }

    /// States the event at which the first stretch began.
    #[must_use]
    pub fn since(mut self, event: EventId) -> Self {
        self.after = Some(event);
        self
    }

    /// The whole length of the wait.
    pub fn total(&self) -> Duration {
        self.terms.iter().fold(Duration::ZERO, |sum, term| sum.saturating_add(term.amount))
    }

    /// When the first stretch began, for a wait that ended at `end`.
    pub fn start(&self, end: Time) -> Time {
        end - self.total()
    }
}

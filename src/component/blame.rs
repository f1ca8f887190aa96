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

/// How many terms have room without memory of their own: few waits have more, and each is copied
/// with its alarm, its message and its event.
const TERMS_AT_HAND: usize = 2;

/// The stretches of one wait, at most [`TERMS_MAX`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    first: ArrayVec<Term, TERMS_AT_HAND>,
    more: Option<Box<ArrayVec<Term, { TERMS_MAX - TERMS_AT_HAND }>>>,
}

impl Terms {
    /// Adds a stretch after the others.
    ///
    /// # Panics
    ///
    /// If there are as many as there may be.
    pub fn push(&mut self, term: Term) {
        if self.first.is_full() {
            self.more.get_or_insert_default().push(term);
        } else {
            self.first.push(term);
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.first.len() + self.more.as_ref().map_or(0, |more| more.len())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    /// Whether there is no room for another.
    pub fn is_full(&self) -> bool {
        self.len() == TERMS_MAX
    }

    /// All of them, earliest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Term> {
        self.first.iter().chain(self.more.iter().flat_map(|more| more.iter()))
    }

    /// The same, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Term> {
        self.first.iter_mut().chain(self.more.iter_mut().flat_map(|more| more.iter_mut()))
    }
}

/// What one wait was made of, in order of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blame {
    /// The stretches, earliest first; they end when the alarm fires.
    pub terms: Terms,
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

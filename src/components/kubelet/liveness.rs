//! Liveness and start-up probes of one container, counted instead of made.
//!
//! When the outcome that a probe would have changes, the probes since the last change are counted
//! and the instant computed at which the last tolerated failure in a row will be over. A probe that
//! hangs lasts its time-out; of the ticks it covers the first is kept (a Go ticker's channel holds
//! one), so that the next probe follows at once.

use crate::kernel::cadence::Cadence;
use crate::kernel::time::{Duration, Time};

/// What a probe made now would find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Success.
    Good,
    /// Failure after this long.
    Bad(Duration),
}

/// Failures in a row that kill.
#[derive(Clone, Copy, Debug)]
pub(super) struct Thresholds {
    /// Once the container has answered.
    pub(super) liveness: u32,
    /// Before that.
    pub(super) startup: u32,
}

/// The probes of one container.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prober {
    ticks: Cadence,
    /// The outcome since `since`.
    outcome: Outcome,
    /// When the outcome changed, or `initialDelaySeconds` ended; no probe before is left to count.
    since: Time,
    failures: u64,
    started: bool,
}

impl Prober {
    /// Probes at `ticks` from `first` on; `started`: the container is known to have answered.
    pub(super) fn new(ticks: Cadence, first: Time, outcome: Outcome, started: bool) -> Self {
        Self { ticks, outcome, since: first, failures: 0, started }
    }

    /// From probe to probe for a probe that lasts this long.
    fn stride(&self, lasts: Duration) -> Duration {
        self.ticks.period().max(lasts)
    }

    /// The outcome becomes `outcome` at `now`.
    pub(super) fn change(&mut self, now: Time, outcome: Outcome) {
        let probed = self.ticks.ticks_in(self.since, now) > 0;
        match self.outcome {
            Outcome::Good if probed => {
                self.failures = 0;
                self.started = true;
            }
            Outcome::Bad(lasts) if probed => {
                let first = self.ticks.first_at_or_after(self.since);
                let made = now.since(first).as_nanos().div_ceil(self.stride(lasts).as_nanos());
                self.failures += made;
            }
            Outcome::Good | Outcome::Bad(_) => {}
        }
        self.since = self.since.max(now);
        self.outcome = outcome;
    }

    /// When the container is killed if nothing changes.
    pub(super) fn kills_at(&self, thresholds: Thresholds) -> Option<Time> {
        let Outcome::Bad(lasts) = self.outcome else { return None };
        let limit = if self.started { thresholds.liveness } else { thresholds.startup };
        let further = u64::from(limit).saturating_sub(self.failures).max(1) - 1;
        let period = self.stride(lasts);
        Some(self.ticks.first_at_or_after(self.since) + period * further + lasts)
    }

    /// The outcome that is being counted.
    pub(super) fn outcome(&self) -> Outcome {
        self.outcome
    }
}

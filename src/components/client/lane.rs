//! The schedule of one client at one target, and the arithmetic of counting it.

use crate::component::ComponentId;
use crate::kernel::cadence::Cadence;
use crate::kernel::time::{Duration, Time};

/// What a settled path does to each request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Service {
    /// Whose port accepts its connection.
    pub(super) near: ComponentId,
    /// From issue to answer, if nothing is lost.
    pub(super) latency: Duration,
    /// How likely losses let a request run into its time-out.
    pub(super) fails: f64,
    /// How likely losses slow down a request that is answered.
    pub(super) slow: f64,
}

/// How the requests of a schedule are treated at present.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Mode {
    /// One by one; the next is issued then.
    Single { next: Time },
    /// Counted: those from `first` on are served, but for the one issued at `doomed`.
    Counted { first: Time, service: Service, doomed: Time },
}

/// A schedule.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lane {
    pub(super) issues: Cadence,
    pub(super) mode: Mode,
}

/// What was counted when counting stopped.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Counted {
    pub(super) first: Time,
    /// The last one served; `first` if there was none.
    pub(super) last: Time,
    pub(super) count: u64,
    pub(super) service: Service,
    /// When those were issued that are not answered yet.
    pub(super) under_way: Vec<Time>,
}

impl Lane {
    /// A schedule whose first request is the first at or after `now`.
    pub(super) fn new(issues: Cadence, now: Time) -> Self {
        Self { issues, mode: Mode::Single { next: issues.first_at_or_after(now) } }
    }

    /// When the answers of counted requests come back.
    pub(super) fn answers(&self) -> Option<Cadence> {
        let Mode::Counted { service, .. } = self.mode else { return None };
        Some(Cadence::new(self.issues.phase() + service.latency, self.issues.period()))
    }

    /// Stops counting at `now`. Requests issued by now and not answered by now are under way.
    pub(super) fn stop(&mut self, now: Time) -> Option<Counted> {
        let Mode::Counted { first, service, .. } = self.mode else { return None };
        let next = self.issues.first_after(now).max(first);
        self.mode = Mode::Single { next };
        // An answer that comes back at this very instant has come back.
        let answered = now.as_nanos().checked_sub(service.latency.as_nanos()).map(Time::from_nanos);
        let last = answered
            .and_then(|until| self.issues.last_at_or_before(until))
            .filter(|last| *last >= first);
        let count = last.map_or(0, |last| self.issues.ticks_in(first, last) + 1);
        let from = last.map_or(first, |last| self.issues.first_after(last));
        let under_way = std::iter::successors(Some(from), |at| Some(self.issues.first_after(*at)))
            .take_while(|at| *at < next)
            .collect();
        Some(Counted { first, last: last.unwrap_or(first), count, service, under_way })
    }
}

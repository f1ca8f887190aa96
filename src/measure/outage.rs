//! Intervals in which a service was out or degraded, and the shares of time and of requests that it
//! served.
//!
//! An outage is a maximal interval at level 0, a degradation one strictly between 0 and 1.

use super::blame::{BlameLine, explain, root_fault};
use super::history::{Step, Track};
use crate::component::blame::EventId;
use crate::kernel::time::{Duration, Time};
use crate::plan::service::Service;
use crate::world::event::EventLog;

/// How bad an interval was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Some fresh requests were served, some not.
    Degradation,
    /// No fresh request was served.
    Outage,
}

/// An interval in which a service was not fully there.
#[derive(Clone, Debug, PartialEq)]
pub struct Interval {
    /// Whose.
    pub service: Service,
    /// How bad.
    pub severity: Severity,
    /// When it began.
    pub from: Time,
    /// When it ended; `None`: it was still open at the end of the run.
    pub to: Option<Time>,
    /// How long it was, up to the end of the run if open.
    pub length: Duration,
    /// Mean share of fresh requests that were hit, 1 for an outage.
    pub hit: f64,
    /// The event that began it.
    pub began: EventId,
    /// The fault (position in the schedule, whether its end) from which it followed.
    pub cause: Option<(usize, bool)>,
    /// What made it as long as it was; `None` while open.
    pub blame: Option<BlameLine>,
}

/// How a service fared over a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The service.
    pub service: Service,
    /// Outages and degradations in order of time.
    pub intervals: Vec<Interval>,
    /// Share of time at a level above 0.
    pub time_weighted: f64,
    /// Mean level over time.
    pub request_weighted: f64,
    /// Whether it was up (above 0) at the end.
    pub up_at_end: bool,
}

impl Record {
    /// The outages in order of time.
    pub fn outages(&self) -> impl Iterator<Item = &Interval> {
        self.intervals.iter().filter(|interval| interval.severity == Severity::Outage)
    }

    /// The degradations in order of time.
    pub fn degradations(&self) -> impl Iterator<Item = &Interval> {
        self.intervals.iter().filter(|interval| interval.severity == Severity::Degradation)
    }

    /// The longest degradation; zero without one.
    pub fn longest_degradation(&self) -> Duration {
        self.degradations().map(|part| part.length).max().unwrap_or(Duration::ZERO)
    }

    /// The longest outage; zero without one.
    pub fn longest_outage(&self) -> Duration {
        self.outages().map(|outage| outage.length).max().unwrap_or(Duration::ZERO)
    }

    /// The sum of all outages.
    pub fn total_outage(&self) -> Duration {
        self.outages().map(|outage| outage.length).sum()
    }
}

fn severity(step: &Step) -> Option<Severity> {
    if step.share.is_all() {
        None
    } else if step.share.is_none() {
        Some(Severity::Outage)
    } else {
        Some(Severity::Degradation)
    }
}

/// How a service fared from the start to `until`.
pub fn record(track: &Track, log: &EventLog, until: Time) -> Record {
    let steps: Vec<Step> = track.steps.iter().filter(|step| step.at <= until).copied().collect();
    let mut intervals = Vec::new();
    let mut first = 0;
    while first < steps.len() {
        let kind = severity(&steps[first]);
        let count = steps[first..].iter().take_while(|step| severity(step) == kind).count();
        let next = steps.get(first + count);
        if let Some(severity) = kind {
            let part = &steps[first..first + count];
            intervals.push(interval(track.service, severity, part, next, log, until));
        }
        first += count;
    }
    Record {
        service: track.service,
        time_weighted: mean(&steps, until, |step| f64::from(u8::from(!step.share.is_none()))),
        request_weighted: mean(&steps, until, |step| step.share.as_f64()),
        up_at_end: steps.last().is_none_or(|step| !step.share.is_none()),
        intervals,
    }
}

fn interval(
    service: Service,
    severity: Severity,
    part: &[Step],
    next: Option<&Step>,
    log: &EventLog,
    until: Time,
) -> Interval {
    let (from, end) = (part[0].at, next.map_or(until, |step| step.at));
    Interval {
        service,
        severity,
        from,
        to: next.map(|step| step.at),
        length: end.since(from),
        hit: mean(part, end, |step| 1.0 - step.share.as_f64()),
        began: part[0].because,
        cause: root_fault(log, part[0].because),
        blame: next.map(|step| explain(log, from, step.at, step.because)),
    }
}

/// The mean of a level over time from the first step to `until`; at an instant, its level there.
fn mean(steps: &[Step], until: Time, level: impl Fn(&Step) -> f64) -> f64 {
    let (Some(first), Some(last)) = (steps.first(), steps.last()) else { return 1.0 };
    let whole = until.since(first.at);
    if whole.is_zero() {
        return level(last);
    }
    let ends = steps.iter().skip(1).map(|step| step.at).chain(std::iter::once(until));
    let weighted = steps.iter().zip(ends).map(|(step, end)| {
        let nanos = end.since(step.at).as_nanos();
        level(step) * nanos as f64
    });
    weighted.sum::<f64>() / whole.as_nanos() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::share::Share;

    fn at(secs: u64) -> Time {
        Time::at(Duration::from_secs(secs))
    }

    fn track(steps: &[(u64, Share)]) -> Track {
        let mut track = Track { service: Service::ApiWrite, steps: Vec::new() };
        for (secs, share) in steps {
            track.note(Step { at: at(*secs), share: *share, because: EventId::START });
        }
        track
    }

    /// Law: outages and degradations are maximal, adjoin, and add up to the time not fully served.
    #[test]
    fn intervals_are_maximal() {
        let two_thirds = Share::of(2, 3);
        let track = track(&[
            (0, Share::ALL),
            (10, Share::NONE),
            (14, two_thirds),
            (16, Share::of(1, 3)),
            (20, Share::ALL),
            (90, Share::NONE),
        ]);
        let record = record(&track, &EventLog::default(), at(100));
        let found: Vec<_> = record
            .intervals
            .iter()
            .map(|i| (i.severity, i.length.as_nanos() / 1_000_000_000, i.to.is_some()))
            .collect();
        assert_eq!(
            found,
            [
                (Severity::Outage, 4, true),
                (Severity::Degradation, 6, true),
                (Severity::Outage, 10, false)
            ]
        );
        assert!((record.time_weighted - 0.86).abs() < 1e-12);
        let hit = (2.0 / 3.0 + 4.0 * 2.0 / 3.0) / 6.0;
        assert!((record.intervals[1].hit - hit).abs() < 1e-12, "{}", record.intervals[1].hit);
        assert_eq!(record.longest_outage(), Duration::from_secs(10));
        assert_eq!(record.total_outage(), Duration::from_secs(14));
        assert!(!record.up_at_end);
    }

    /// Law: a level that changes and changes back at one instant was never another.
    #[test]
    fn an_instant_has_one_level() {
        let track = track(&[(0, Share::ALL), (5, Share::NONE), (5, Share::ALL)]);
        assert_eq!(track.steps.len(), 1);
    }
}

//! The requests of steady clients: completions, gaps between successes, failures.
//!
//! Requests that a settled path served come as counted runs; they have the same effect on every value
//! here as if they had been simulated one by one.

use crate::component::id::ComponentId;
use crate::component::record::{Record, RequestClass, RequestRecord};
use crate::kernel::time::{Duration, Time};
use crate::measure::case::Case;
use crate::plan::client::{ClientPlan, ClientTarget};
use std::collections::BTreeMap;

/// Successes without a gap between them: completions every so often, from the first to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Run {
    first: Time,
    last: Time,
    spacing: Duration,
}

/// The requests of some clients that count for a metric.
pub(super) struct Requests<'a> {
    case: &'a Case<'a>,
    clients: Vec<ComponentId>,
    /// Targets (client, position) that do not count.
    without: Vec<(ComponentId, u16)>,
}

impl<'a> Requests<'a> {
    /// Those of the clients for which `which` holds; `None` if there is no such client.
    pub(super) fn of(case: &'a Case<'a>, which: impl Fn(&ClientPlan) -> bool) -> Option<Self> {
        let chosen = case.plan.clients.iter().filter(|(_, plan)| which(plan));
        let clients: Vec<ComponentId> = chosen.map(|(id, _)| *id).collect();
        (!clients.is_empty()).then_some(Self { case, clients, without: Vec::new() })
    }

    /// Those of the clients of a class at the endpoint.
    pub(super) fn at_endpoint(case: &'a Case<'a>, class: RequestClass) -> Option<Self> {
        Self::of(case, |plan| plan.class == class && plan.target == ClientTarget::Endpoint)
    }

    /// Leaves requests to some servers out.
    #[must_use]
    pub(super) fn except(mut self, out: impl Fn(ComponentId) -> bool) -> Self {
        for (client, plan) in &self.case.plan.clients {
            if let ClientTarget::Servers(servers) = &plan.target {
                let positions = servers.iter().enumerate().filter(|(_, id)| out(**id));
                let targets = positions.filter_map(|(at, _)| u16::try_from(at).ok());
                self.without.extend(targets.map(|target| (*client, target)));
            }
        }
        self
    }

    fn counts(&self, client: ComponentId, target: u16) -> bool {
        self.clients.contains(&client) && !self.without.contains(&(client, target))
    }

    /// Requests that were simulated one by one.
    pub(super) fn single(&self) -> impl Iterator<Item = &'a RequestRecord> + '_ {
        self.case.history.records().filter_map(|recorded| match &recorded.record {
            Record::Request(request) if self.counts(request.client, request.target) => {
                Some(request)
            }
            _ => None,
        })
    }

    fn every(&self, client: ComponentId) -> Duration {
        let mut clients = self.case.plan.clients.iter();
        clients.find(|(id, _)| *id == client).map_or(Duration::ZERO, |(_, plan)| plan.every)
    }

    /// Successes, by completion.
    fn successes(&self) -> Vec<Run> {
        let mut runs: Vec<Run> = self
            .single()
            .filter(|request| request.succeeded())
            .map(|r| Run { first: r.ended, last: r.ended, spacing: Duration::ZERO })
            .collect();
        let mut open: BTreeMap<(ComponentId, RequestClass, u16), Run> = BTreeMap::new();
        for recorded in self.case.history.records() {
            match recorded.record {
                Record::Serving { client, class, target, first, every, latency }
                    if self.counts(client, target) =>
                {
                    let last = self.case.until.max(first + latency);
                    let run = Run { first: first + latency, last, spacing: every };
                    open.insert((client, class, target), run);
                }
                Record::Served { client, class, target, first, last, count, latency }
                    if self.counts(client, target) =>
                {
                    open.remove(&(client, class, target));
                    let spacing = if count > 1 { self.every(client) } else { Duration::ZERO };
                    let run = Run { first: first + latency, last: last + latency, spacing };
                    runs.extend((count > 0).then_some(run));
                }
                _ => {}
            }
        }
        runs.extend(open.into_values());
        runs.sort_unstable();
        runs
    }

    /// The longest gap between completions of successive successes that began in `[from, to)`. The
    /// time from the last success to `to` counts too: a service that never came back has no second
    /// success. Nothing without any success.
    pub(super) fn longest_gap(&self, from: Time, to: Time) -> Option<Duration> {
        let mut longest = Duration::ZERO;
        let mut covered: Option<Time> = None;
        let mut note = |begin: Time, end: Time| {
            if begin >= from && begin < to {
                longest = longest.max(end.saturating_since(begin));
            }
        };
        for run in self.successes() {
            if let Some(begin) = covered {
                note(begin, run.first);
            }
            if !run.spacing.is_zero() && run.last >= from && run.first < to {
                note(run.first.max(from), run.first.max(from) + run.spacing);
            }
            covered = Some(covered.map_or(run.last, |t| t.max(run.last)));
        }
        note(covered?, self.case.until.max(to));
        Some(longest)
    }

    /// The first success that completed at or after an instant.
    pub(super) fn first_success(&self, from: Time) -> Option<Time> {
        let completions = self.successes().into_iter().filter(|run| run.last >= from);
        completions.map(|run| completion_from(&run, from)).min()
    }

    /// How many requests failed.
    pub(super) fn failures(&self) -> u64 {
        u64::try_from(self.single().filter(|request| !request.succeeded()).count()).unwrap_or(0)
    }

    /// When the last request was issued for which `which` holds.
    pub(super) fn last_issue(&self, which: impl Fn(&RequestRecord) -> bool) -> Option<Time> {
        self.single().filter(|request| which(request)).map(|request| request.issued).max()
    }
}

/// The first completion of a run of successes at or after an instant.
fn completion_from(run: &Run, from: Time) -> Time {
    if run.first >= from || run.spacing.is_zero() {
        return run.first.max(from.min(run.last));
    }
    let missed = from.since(run.first).as_nanos().div_ceil(run.spacing.as_nanos());
    (run.first + run.spacing * missed).min(run.last)
}

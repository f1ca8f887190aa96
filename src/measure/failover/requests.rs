//! The requests of steady clients: completions, gaps between successes, failures.
//!
//! Requests that a settled path served come as counted runs; they have the same effect on every value
//! here as if they had been simulated one by one.

use super::stalls;
use crate::component::id::ComponentId;
use crate::component::record::{Record, RequestClass, RequestRecord};
use crate::kernel::law::Law;
use crate::kernel::time::{Duration, Time};
use crate::measure::case::Case;
use crate::measure::history::Recorded;
use crate::plan::client::{ClientPlan, ClientTarget};
use std::collections::BTreeMap;

/// Successes without a gap between them: completions every so often, from the first to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Run {
    first: Time,
    last: Time,
    spacing: Duration,
}

impl Run {
    fn single(at: Time) -> Run {
        Run { first: at, last: at, spacing: Duration::ZERO }
    }

    /// Each success.
    fn each(self) -> impl Iterator<Item = Time> {
        let next = move |at: &Time| {
            let next = *at + self.spacing;
            (!self.spacing.is_zero() && next <= self.last).then_some(next)
        };
        std::iter::successors(Some(self.first), next)
    }

    /// The same successes where those of `[begin, end)` are noted at its end.
    fn stalled(self, begin: Time, end: Time) -> Vec<Run> {
        let (first, last, spacing) = (self.first, self.last, self.spacing);
        if last < begin || first >= end {
            return vec![self];
        }
        if spacing.is_zero() {
            return vec![Run::single(end)];
        }
        let mut runs = vec![Run::single(end)];
        if first < begin {
            let before = (begin.since(first).as_nanos() - 1) / spacing.as_nanos();
            runs.push(Run { last: first + spacing * before, ..self });
        }
        if last >= end {
            let skipped = end.since(first).as_nanos().div_ceil(spacing.as_nanos());
            let next = first + spacing * skipped;
            if next <= last {
                runs.push(Run { first: next, ..self });
            }
            if next - spacing < begin {
                // No completion fell into the stall.
                return vec![self];
            }
        }
        runs
    }
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

    /// Successes, by when the client notes their completion.
    fn successes(&self) -> Vec<Run> {
        let mut found = self.completions();
        for (begin, end) in self.stalls() {
            let cut = |(id, run): (ComponentId, Run)| {
                run.stalled(begin, end).into_iter().map(move |run| (id, run))
            };
            found = found.into_iter().flat_map(cut).collect();
        }
        let noted = |(id, run): (ComponentId, Run)| match self.delay(id) {
            Some(law) => run.each().map(|at| Run::single(self.delayed(law, id, at))).collect(),
            None => vec![run],
        };
        let mut runs: Vec<Run> = found.into_iter().flat_map(noted).collect();
        runs.sort_unstable();
        runs
    }

    /// Successes as they come back to the clients.
    fn completions(&self) -> Vec<(ComponentId, Run)> {
        let mut runs: Vec<(ComponentId, Run)> = self
            .single()
            .filter(|request| request.succeeded())
            .map(|request| (request.client, Run::single(request.ended)))
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
                Record::Served { client, class, target, first, last, count, latency, .. }
                    if self.counts(client, target) =>
                {
                    open.remove(&(client, class, target));
                    let spacing = if count > 1 { self.every(client) } else { Duration::ZERO };
                    let run = Run { first: first + latency, last: last + latency, spacing };
                    runs.extend((count > 0).then_some((client, run)));
                }
                _ => {}
            }
        }
        runs.extend(open.into_iter().map(|((client, ..), run)| (client, run)));
        runs
    }

    fn delay(&self, client: ComponentId) -> Option<&'a Law> {
        let mut clients = self.case.plan.clients.iter();
        clients.find(|(id, _)| *id == client).and_then(|(_, plan)| plan.delay.as_ref())
    }

    fn delayed(&self, law: &Law, client: ComponentId, came: Time) -> Time {
        came + stalls::delay(law, self.case.key, client, came)
    }

    /// When a client notes an answer that came back to it at `came`.
    pub(super) fn noted(&self, client: ComponentId, came: Time) -> Time {
        let stalls = self.stalls();
        let stall = stalls.iter().find(|(begin, end)| *begin <= came && came < *end);
        let free = stall.map_or(came, |(_, end)| *end);
        self.delay(client).map_or(free, |law| self.delayed(law, client, free))
    }

    /// When the machine of the clients keeps them from noting answers.
    fn stalls(&self) -> Vec<(Time, Time)> {
        let mut clients = self.case.plan.clients.iter();
        let first = clients.find(|(id, _)| self.clients.contains(id));
        let law = first.and_then(|(_, plan)| plan.stalls.as_ref());
        law.map_or_else(Vec::new, |law| stalls::of(law, self.case.key, self.case.until))
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

    /// How long the longest request took, failed ones too. Of those that a settled path served and
    /// lost packets slowed down, nobody noted how long they took: they count as the others.
    pub(super) fn longest(&self) -> Option<Duration> {
        let counted = self.case.history.records().filter_map(|recorded| match recorded.record {
            Record::Served { client, target, latency, count, .. }
                if count > 0 && self.counts(client, target) =>
            {
                Some(latency)
            }
            _ => None,
        });
        let single = self.single().map(|request| request.ended.saturating_since(request.issued));
        single.chain(counted).max()
    }

    /// When the last of the counted requests was issued that a stall of the clients' machine made
    /// slower than `limit`, stalls that begin in `[from, until)`.
    pub(super) fn last_stalled(&self, limit: Duration, from: Time, until: Time) -> Option<Time> {
        let stalls = self.stalls();
        let slow = |recorded: &Recorded| match recorded.record {
            Record::Served { client, target, first, last, count, latency, .. }
                if count > 0 && self.counts(client, target) =>
            {
                let run = Run {
                    first: first + latency,
                    last: last + latency,
                    spacing: self.every(client),
                };
                let late = |stall: &(Time, Time)| last_stalled(&run, latency, *stall, limit);
                stalls
                    .iter()
                    .filter(|(begin, _)| *begin >= from && *begin < until)
                    .filter_map(late)
                    .max()
            }
            _ => None,
        };
        self.case.history.records().filter_map(slow).max()
    }

    /// When the last request was issued for which `which` holds, or that was counted as slow since
    /// `from`.
    pub(super) fn last_issue(
        &self,
        which: impl Fn(&RequestRecord) -> bool,
        from: Time,
    ) -> Option<Time> {
        let slow = self.case.history.records().filter_map(|recorded| match recorded.record {
            Record::Served { client, target, last_slow, .. } if self.counts(client, target) => {
                last_slow.filter(|at| *at >= from)
            }
            _ => None,
        });
        self.single().filter(|request| which(request)).map(|r| r.issued).chain(slow).max()
    }
}

/// When the last request of a run was issued that a stall from `begin` to `end` made slower than `limit`,
/// each taking `latency`.
fn last_stalled(
    run: &Run,
    latency: Duration,
    (begin, end): (Time, Time),
    limit: Duration,
) -> Option<Time> {
    if end.since(begin) <= limit {
        return None;
    }
    // Issued by then, it is slow; answered before the stall, it is not.
    let late = end - limit + latency;
    let last = if run.spacing.is_zero() || late >= run.last {
        run.last
    } else {
        let steps = late.saturating_since(run.first).as_nanos() / run.spacing.as_nanos();
        run.first + run.spacing * steps
    };
    (last >= begin && last < end && last <= late).then(|| last - latency)
}

/// The first completion of a run of successes at or after an instant.
fn completion_from(run: &Run, from: Time) -> Time {
    if run.first >= from || run.spacing.is_zero() {
        return run.first.max(from.min(run.last));
    }
    let missed = from.since(run.first).as_nanos().div_ceil(run.spacing.as_nanos());
    (run.first + run.spacing * missed).min(run.last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time::at(Duration::from_millis(millis))
    }

    /// Law: cutting a counted run at a stall gives what noting each of its successes would give.
    #[test]
    fn a_counted_run_stalls_as_single_successes_do() {
        let run = Run { first: at(100), last: at(500), spacing: Duration::from_millis(100) };
        for (begin, end) in
            [(0, 50), (0, 150), (150, 180), (200, 201), (190, 410), (450, 900), (600, 700)]
        {
            let mut cut: Vec<Time> = Vec::new();
            for run in run.stalled(at(begin), at(end)) {
                let mut t = run.first;
                while t <= run.last {
                    cut.push(t);
                    t += if run.spacing.is_zero() { Duration::from_secs(9) } else { run.spacing };
                }
            }
            cut.sort_unstable();
            cut.dedup();
            let noted = |t: u64| if t >= begin && t < end { at(end) } else { at(t) };
            let mut single: Vec<Time> = (1..=5).map(|k| noted(k * 100)).collect();
            single.dedup();
            assert_eq!(cut, single, "{begin} to {end}");
        }
    }

    /// Law: of requests that a stall catches, the last one issued long enough before its end was slow.
    #[test]
    fn the_last_stalled_request_is_found() {
        let run = Run { first: at(100), last: at(500), spacing: Duration::from_millis(100) };
        let none = Duration::ZERO;
        let limit = Duration::from_millis(100);
        let last = |begin, end| last_stalled(&run, none, (at(begin), at(end)), limit);
        assert_eq!(last(150, 405), Some(at(300)));
        assert_eq!(last(150, 395), Some(at(200)));
        assert_eq!(last(210, 395), None, "300 ms is noted 95 ms late");
        assert_eq!(last(150, 240), None, "no stall of 100 ms");
        assert_eq!(last(450, 900), Some(at(500)));
        assert_eq!(last(550, 900), None, "nothing is under way");
    }
}

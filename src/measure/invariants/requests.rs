//! Conservation of requests: what a client issued was served, rejected or given up, or is pending, and
//! nothing is pending for longer than its client waits.
//!
//! A schedule issues one request each `every`. Each of its instants is looked for among the requests
//! that ended one by one and those that were counted: there once, or never if it may be pending still.
//! That no request takes longer than its time-out makes it hold at every instant, not only at the end.
//!
//! Absent on purpose: clients whose own process was hit, which skip what they could not issue.

use super::{Law, Violation};
use crate::component::id::ComponentId;
use crate::component::record::Record;
use crate::component::view::ProcessState;
use crate::kernel::time::Time;
use crate::measure::case::Case;
use crate::plan::client::{ClientPlan, ClientTarget};
use std::collections::BTreeMap;

/// Requests of one schedule that are accounted for, from the first to the last issued, one each `every`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Booked {
    first: Time,
    last: Time,
}

/// What is known of one schedule.
#[derive(Clone, Debug, Default)]
struct Ledger {
    booked: Vec<Booked>,
    /// Since when requests have been counted that nobody has booked yet.
    open: Option<Time>,
    wrong: Vec<(Time, String)>,
}

impl Ledger {
    fn note(&mut self, at: Time, record: &Record, plan: &ClientPlan) {
        match *record {
            Record::Request(request) => {
                self.booked.push(Booked { first: request.issued, last: request.issued });
                let took = request.ended.saturating_since(request.issued);
                if request.ended < request.issued || took > plan.timeout {
                    let took = took.human();
                    self.wrong.push((at, format!("a request ended {took} after its issue")));
                }
            }
            Record::Serving { first, .. } => self.open = Some(first),
            Record::Served { first, last, count, .. } => {
                self.open = None;
                if count > 0 {
                    self.booked.push(Booked { first, last });
                    let issued =
                        last.saturating_since(first).as_nanos() / plan.every.as_nanos() + 1;
                    if issued != count {
                        self.wrong.push((at, format!("counted {count} of {issued} requests")));
                    }
                }
            }
            _ => {}
        }
    }

    /// Requests of the schedule that are not accounted for exactly once.
    fn close(mut self, began: Time, until: Time, plan: &ClientPlan) -> Vec<(Time, String)> {
        let every = plan.every;
        if let Some(first) = self.open.filter(|first| *first <= until) {
            let last = first + every * (until.since(first).as_nanos() / every.as_nanos());
            self.booked.push(Booked { first, last });
        }
        self.booked.sort_unstable();
        let lost = |at: Time| (at, "a request was neither answered nor given up".to_owned());
        let overdue = |at: Time| at + plan.timeout < until;
        let begins = self.booked.first().map(|booked| booked.first);
        let mut next = begins.unwrap_or(began);
        if overdue(began + every) && begins.is_none_or(|first| first > began + every) {
            self.wrong.push(lost(began));
        }
        for booked in &self.booked {
            while next < booked.first {
                if overdue(next) {
                    self.wrong.push(lost(next));
                }
                next += every;
            }
            if booked.first < next {
                self.wrong.push((booked.first, "a request ended twice".to_owned()));
            }
            next = next.max(booked.last + every);
        }
        if begins.is_some() && overdue(next) {
            self.wrong.push(lost(next));
        }
        self.wrong
    }
}

/// Since when a client has been issuing requests; `None` if something happened to its process.
fn began(case: &Case, client: ComponentId) -> Option<Time> {
    let mut changes = case.history.processes().filter(|change| change.of == client);
    match (changes.next(), changes.next()) {
        (None, _) => Some(Time::START),
        (Some(start), None) if start.to == ProcessState::Running => Some(start.at),
        _ => None,
    }
}

fn schedules(plan: &ClientPlan) -> u16 {
    match &plan.target {
        ClientTarget::Endpoint => 1,
        ClientTarget::Servers(servers) => u16::try_from(servers.len()).unwrap_or(u16::MAX),
    }
}

/// Every request that is not conserved.
pub(super) fn conserved(case: &Case) -> Vec<Violation> {
    let mut ledgers = BTreeMap::new();
    let mut plans = BTreeMap::new();
    for (client, plan) in &case.plan.clients {
        if let Some(began) = began(case, *client) {
            plans.insert(*client, (plan, began));
            ledgers.extend((0..schedules(plan)).map(|at| ((*client, at), Ledger::default())));
        }
    }
    for recorded in case.history.records() {
        let Some(key) = schedule_of(&recorded.record) else { continue };
        if let (Some((plan, _)), Some(ledger)) = (plans.get(&key.0), ledgers.get_mut(&key)) {
            ledger.note(recorded.at, &recorded.record, plan);
        }
    }
    let closed = ledgers.into_iter().flat_map(|((client, _), ledger)| {
        let (plan, began) = plans[&client];
        let name = case.plan.map.name(client);
        let wrong = ledger.close(began, case.until, plan);
        wrong.into_iter().map(move |(at, what)| (at, format!("{name}: {what}")))
    });
    closed.map(|(at, what)| Violation { law: Law::RequestsAreConserved, at, what }).collect()
}

/// The schedule that a record is about.
fn schedule_of(record: &Record) -> Option<(ComponentId, u16)> {
    match *record {
        Record::Request(request) => Some((request.client, request.target)),
        Record::Serving { client, target, .. } | Record::Served { client, target, .. } => {
            Some((client, target))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::mail::Outcome;
    use crate::component::record::{RequestClass, RequestRecord};
    use crate::kernel::time::Duration;

    const EVERY: Duration = Duration::from_millis(100);
    const CLIENT: ComponentId = ComponentId(7);

    fn plan() -> ClientPlan {
        ClientPlan {
            name: "kubectl-get".to_owned(),
            class: RequestClass::Read,
            every: EVERY,
            timeout: Duration::from_secs(5),
            stalls: None,
            delay: None,
            target: ClientTarget::Endpoint,
        }
    }

    fn at(millis: u64) -> Time {
        Time::at(Duration::from_millis(millis))
    }

    fn single(issued: u64, ended: u64) -> Record {
        let (class, target, outcome) = (RequestClass::Read, 0, Outcome::Done);
        let (issued, ended) = (at(issued), at(ended));
        Record::Request(RequestRecord { client: CLIENT, class, target, issued, ended, outcome })
    }

    fn served(first: u64, last: u64, count: u64) -> Record {
        Record::Served {
            client: CLIENT,
            class: RequestClass::Read,
            target: 0,
            first: at(first),
            last: at(last),
            count,
            latency: Duration::from_millis(2),
            slow: 0,
            last_slow: None,
        }
    }

    fn serving(first: u64) -> Record {
        let (class, target, latency) = (RequestClass::Read, 0, Duration::from_millis(2));
        Record::Serving { client: CLIENT, class, target, first: at(first), every: EVERY, latency }
    }

    /// What is wrong with these records in a run of 20 s.
    fn wrong(records: &[Record]) -> Vec<String> {
        let mut ledger = Ledger::default();
        for record in records {
            ledger.note(at(0), record, &plan());
        }
        let wrong = ledger.close(Time::START, at(20_000), &plan());
        wrong.into_iter().map(|(_, what)| what).collect()
    }

    /// Law: a schedule of which every request is served, rejected, given up or pending is conserved.
    #[test]
    fn a_whole_schedule_is_conserved() {
        let whole = [serving(30), served(30, 9930, 100), single(10_030, 15_030), serving(10_130)];
        assert!(wrong(&whole).is_empty());
        // The last ones are pending: they are younger than their time-out.
        assert!(wrong(&[serving(30), served(30, 15_030, 151)]).is_empty());
    }

    /// Law: a request that vanishes, ends twice, outlives its time-out or is not counted is found.
    #[test]
    fn broken_schedules_are_found() {
        let lost = "a request was neither answered nor given up";
        let hole = [serving(30), served(30, 9930, 100), serving(10_130)];
        assert_eq!(wrong(&hole), [lost]);
        assert_eq!(wrong(&[serving(30), served(30, 9930, 100)]), [lost]);
        assert_eq!(wrong(&[]), [lost]);
        assert_eq!(wrong(&[serving(530)]), [lost]);
        let twice = [served(30, 9930, 100), single(9930, 9940), serving(10_030)];
        assert_eq!(wrong(&twice), ["a request ended twice"]);
        let late = [served(30, 9930, 100), single(10_030, 16_030), serving(10_130)];
        assert_eq!(wrong(&late), ["a request ended 6.0 s after its issue"]);
        let short = [served(30, 9930, 99), serving(10_030)];
        assert_eq!(wrong(&short), ["counted 99 of 100 requests"]);
    }
}

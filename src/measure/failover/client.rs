//! What the steady client at the endpoint sees.

use super::requests::Requests;
use super::{Metric, Value, count, first_since, span};
use crate::component::record::{Record, RequestRecord};
use crate::kernel::time::{Duration, Time};
use crate::measure::case::Case;
use crate::plan::client::ClientTarget;

pub(super) const METRICS: &[Metric] = &[
    count("client.failed_requests", "failed requests of the steady client", failed_requests),
    span(
        "client.last_affected_start",
        "fault to the start of the last request that failed or took over 100 ms",
        last_affected_start,
    ),
    span(
        "client.longest_request",
        "longest time that a request of the steady client took",
        longest_request,
    ),
    span(
        "client.recovery_spread",
        "first success after the repair of the first client to that of the last",
        recovery_spread,
    ),
    span("client.reconnected", "fault to the new connection of a long-lived client", reconnected),
];

/// A request that takes longer than this was affected.
const AFFECTED: Duration = Duration::from_millis(100);

/// The first client at the endpoint is the steady one.
fn steady<'a>(case: &'a Case<'a>) -> Option<Requests<'a>> {
    let mut clients = case.plan.clients.iter();
    let (_, first) = clients.find(|(_, plan)| plan.target == ClientTarget::Endpoint)?;
    Requests::of(case, |plan| plan.name == first.name)
}

fn failed_requests(case: &Case) -> Option<Value> {
    steady(case).map(|requests| Value::Count(requests.failures()))
}

fn affected(requests: &Requests, request: &RequestRecord) -> bool {
    let noted = requests.noted(request.client, request.ended);
    !request.succeeded() || noted.saturating_since(request.issued) > AFFECTED
}

fn last_affected_start(case: &Case) -> Option<Value> {
    let fault = case.fault_at()?;
    let until = case.repair_at().unwrap_or(case.until);
    let requests = steady(case)?;
    let counts = |r: &RequestRecord| r.ended >= fault && r.issued < until && affected(&requests, r);
    let stalled = requests.last_stalled(AFFECTED, fault, until);
    let last = requests.last_issue(counts, fault).max(stalled)?;
    Some(Value::Duration(last.saturating_since(fault)))
}

fn longest_request(case: &Case) -> Option<Value> {
    steady(case)?.longest().map(Value::Duration)
}

/// Every client at the endpoint counts, and each must have had a success.
fn recovery_spread(case: &Case) -> Option<Value> {
    let repair = case.repair_at()?;
    let clients = case.plan.clients.iter().map(|(_, plan)| plan);
    let back: Option<Vec<Time>> = clients
        .filter(|plan| plan.target == ClientTarget::Endpoint)
        .map(|plan| Requests::of(case, |of| of.name == plan.name)?.first_success(repair))
        .collect();
    let back = back?;
    Some(Value::Duration(back.iter().max()?.since(*back.iter().min()?)))
}

/// The first connection that stands after the fault is a new one: those before were announced before.
fn reconnected(case: &Case) -> Option<Value> {
    let fault = case.fault_at()?;
    let stands = case.history.records().find(|recorded| {
        let new = matches!(recorded.record, Record::Connection { server: Some(_), .. });
        new && recorded.at >= fault
    });
    first_since(Some(fault), stands.map(|recorded| recorded.at))
}

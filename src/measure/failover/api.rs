//! What steady GET and PATCH clients at the endpoint see of the API.

use super::requests::Requests;
use super::{Metric, Value, count, span};
use crate::component::record::RequestClass;
use crate::kernel::time::Time;
use crate::measure::case::Case;

pub(super) const METRICS: &[Metric] = &[
    span("api.read_outage", "longest gap between successful GETs", |case| {
        outage(case, RequestClass::Read)
    }),
    span("api.write_outage", "longest gap between successful PATCHes", |case| {
        outage(case, RequestClass::Write)
    }),
    count("api.read_failures", "failed GETs", |case| failures(case, RequestClass::Read)),
    count("api.write_failures", "failed PATCHes", |case| failures(case, RequestClass::Write)),
    span("api.read_last_failed_start", "fault to the start of the last failed GET", |case| {
        last_failed(case, RequestClass::Read)
    }),
    span("api.write_last_failed_start", "fault to the start of the last failed PATCH", |case| {
        last_failed(case, RequestClass::Write)
    }),
    span("api.recovery_read_outage", "longest gap between GETs after the repair", |case| {
        recovery(case, RequestClass::Read)
    }),
    span("api.recovery_write_outage", "longest gap between PATCHes after the repair", |case| {
        recovery(case, RequestClass::Write)
    }),
];

fn outage(case: &Case, class: RequestClass) -> Option<Value> {
    let until = case.repair_at().unwrap_or(case.until);
    let requests = Requests::at_endpoint(case, class)?;
    requests.longest_gap(Time::START, until).map(Value::Duration)
}

fn recovery(case: &Case, class: RequestClass) -> Option<Value> {
    let repair = case.repair_at()?;
    let requests = Requests::at_endpoint(case, class)?;
    requests.longest_gap(repair, case.until).map(Value::Duration)
}

fn failures(case: &Case, class: RequestClass) -> Option<Value> {
    Some(Value::Count(Requests::at_endpoint(case, class)?.failures()))
}

fn last_failed(case: &Case, class: RequestClass) -> Option<Value> {
    let fault = case.fault_at()?;
    let requests = Requests::at_endpoint(case, class)?;
    let last = requests.last_issue(|r| r.ended >= fault && !r.succeeded(), fault)?;
    Some(Value::Duration(last.saturating_since(fault)))
}

//! What a herd of informers does to the API servers, from the lines of its book.
//!
//! Lines come each second while something goes on, so that spans are whole seconds at the most too
//! long.

use super::{Metric, Value, count, span};
use crate::component::id::ComponentId;
use crate::component::record::{HerdRecord, Record};
use crate::kernel::time::Time;
use crate::measure::case::Case;
use std::collections::BTreeMap;

pub(super) const METRICS: &[Metric] = &[
    span("informers.watching_again", "fault until every informer watches again", watching_again),
    span(
        "informers.storm",
        "fault to the last second in which a tenth of the informers' requests were turned away or given up",
        storm,
    ),
    count("informers.relists", "LISTs of informers after the fault", relists),
    count(
        "informers.turned_away",
        "requests of informers that got 429 after the fault, each time",
        turned_away,
    ),
    count(
        "informers.failed_requests",
        "requests of informers after the fault that were refused for good or given up",
        failed,
    ),
    count(
        "informers.peak_rate",
        "requests of informers in the busiest second of an API server after the fault",
        peak_rate,
    ),
    count(
        "informers.peak_connections",
        "connections of informers to one API server after the fault, at the most",
        peak_connections,
    ),
];

/// The lines after the fault, each with the same entry's line before.
fn lines(case: &Case) -> Option<Vec<(Time, HerdRecord, HerdRecord)>> {
    if !case.plan.params.iter().any(|p| matches!(p, crate::components::Params::Informers(..))) {
        return None;
    }
    let fault = case.fault_at()?;
    let mut last: BTreeMap<ComponentId, HerdRecord> = BTreeMap::new();
    let mut found = Vec::new();
    for recorded in case.history.records() {
        let Record::Herd(line) = recorded.record else { continue };
        let before = last.insert(line.client, line).unwrap_or(line);
        if recorded.at >= fault {
            found.push((recorded.at, before, line));
        }
    }
    Some(found)
}

fn watching_again(case: &Case) -> Option<Value> {
    let lines = lines(case)?;
    let broken = lines.iter().rposition(|(_, _, line)| line.unwatched > 0)?;
    let (at, ..) = lines.get(broken + 1)?;
    Some(Value::Duration(at.since(case.fault_at()?)))
}

fn lost(line: &HerdRecord) -> u64 {
    line.rejected + line.timed_out
}

fn storm(case: &Case) -> Option<Value> {
    let lines = lines(case)?;
    let rough = |(_, before, line): &&(Time, HerdRecord, HerdRecord)| {
        let bad = line.turned_away - before.turned_away + lost(line) - lost(before);
        bad > 0 && bad * 10 >= line.sent - before.sent
    };
    let (at, ..) = lines.iter().rfind(rough)?;
    Some(Value::Duration(at.since(case.fault_at()?)))
}

fn sum(case: &Case, of: fn(&HerdRecord) -> u64) -> Option<Value> {
    let lines = lines(case)?;
    Some(Value::Count(lines.iter().map(|(_, before, line)| of(line) - of(before)).sum()))
}

fn relists(case: &Case) -> Option<Value> {
    sum(case, |line| line.lists)
}

fn turned_away(case: &Case) -> Option<Value> {
    sum(case, |line| line.turned_away)
}

fn failed(case: &Case) -> Option<Value> {
    sum(case, lost)
}

fn most(case: &Case, of: fn(&HerdRecord) -> u32) -> Option<Value> {
    let lines = lines(case)?;
    lines.iter().map(|(_, _, line)| Value::Count(u64::from(of(line)))).max()
}

fn peak_rate(case: &Case) -> Option<Value> {
    most(case, |line| line.most_sent)
}

fn peak_connections(case: &Case) -> Option<Value> {
    most(case, |line| line.most_connected)
}

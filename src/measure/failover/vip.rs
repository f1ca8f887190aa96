//! Who holds the virtual address, and what a steady client of it sees.

use super::requests::Requests;
use super::{Metric, Value, first_since, span};
use crate::component::fact::Fact;
use crate::component::id::ComponentId;
use crate::component::record::RequestClass;
use crate::kernel::time::{Duration, Time};
use crate::measure::case::Case;
use crate::plan::client::ClientTarget;
use std::collections::BTreeSet;

pub(super) const METRICS: &[Metric] = &[
    span("vip.takeover", "fault to another node's holding the address", takeover),
    span("vip.client_gap", "longest gap between replies of the address", client_gap),
    span("vip.dual_ownership", "time during which two nodes hold the address", dual_ownership),
    span("vip.preempt_back", "repair to the preferred node's holding it again", preempt_back),
];

fn holds(fact: &Fact) -> bool {
    fact.held().is_some()
}

fn holders_before(case: &Case, t: Time) -> BTreeSet<ComponentId> {
    let all = case.plan.map.address_holders();
    all.filter(|id| holds(case.fact_before(t, *id))).collect()
}

/// Instants at which the address was configured on a node (`true`) or removed from it.
fn moves<'a>(case: &Case<'a>) -> impl Iterator<Item = (Time, ComponentId, bool)> + use<'a> {
    let changes = case.history.facts();
    let moved = changes.filter(|change| holds(change.from) != holds(change.to));
    moved.map(|change| (change.at, change.of, holds(change.to)))
}

fn takeover(case: &Case) -> Option<Value> {
    let fault = case.fault_at()?;
    let old = holders_before(case, fault);
    let taken = moves(case).filter(|(_, id, gets)| *gets && !old.contains(id));
    first_since(Some(fault), taken.map(|(at, ..)| at))
}

fn preempt_back(case: &Case) -> Option<Value> {
    let old = holders_before(case, case.fault_at()?);
    let back = moves(case).filter(|(_, id, gets)| *gets && old.contains(id));
    first_since(case.repair_at(), back.map(|(at, ..)| at))
}

fn client_gap(case: &Case) -> Option<Value> {
    let connects = |class: RequestClass| class == RequestClass::Connect;
    let requests =
        Requests::of(case, |plan| plan.target == ClientTarget::Endpoint && connects(plan.class))?;
    requests.longest_gap(Time::START, case.until).map(Value::Duration)
}

fn dual_ownership(case: &Case) -> Option<Value> {
    let fault = case.fault_at()?;
    let until = case.repair_at().unwrap_or(case.until);
    if case.plan.map.address_holders().count() < 2 {
        return None;
    }
    Some(Value::Duration(time_with_two(holders_before(case, fault), moves(case), fault, until)))
}

/// For how long, from `from` to `until`, two nodes or more held the address.
fn time_with_two(
    mut holders: BTreeSet<ComponentId>,
    moves: impl Iterator<Item = (Time, ComponentId, bool)>,
    from: Time,
    until: Time,
) -> Duration {
    let (mut total, mut since) = (Duration::ZERO, from);
    for (at, id, gets) in moves.filter(|(at, ..)| *at >= from && *at < until) {
        if holders.len() > 1 {
            total += at.since(since);
        }
        since = at;
        if gets {
            holders.insert(id);
        } else {
            holders.remove(&id);
        }
    }
    if holders.len() > 1 { total + until.saturating_since(since) } else { total }
}

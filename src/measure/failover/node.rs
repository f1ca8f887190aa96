//! When the API says that a node is gone.

use super::{Metric, Value, count, first_since, span};
use crate::component::fact::{Condition, Fact, NodeFact};
use crate::component::id::{ComponentId, Kind};
use crate::kernel::time::{Duration, Time};
use crate::measure::case::Case;
use std::collections::BTreeMap;

pub(super) const METRICS: &[Metric] = &[
    span("node.not_ready", "fault to Ready=Unknown", not_ready).with_each(not_readies),
    span(
        "node.not_ready_after_last_renewal",
        "the node's last Lease renewal to Ready=Unknown",
        after_last_renewal,
    )
    .with_each(each_after_last_renewal),
    count(
        "node.others_not_ready",
        "nodes that were not hit and turned Unknown after the fault",
        others_not_ready,
    ),
    span(
        "node.others_longest_not_ready",
        "longest time for which a node that was not hit was Unknown",
        others_longest,
    ),
    span("node.no_execute", "fault to the first NoExecute taint", no_execute),
];

/// When nodes became unknown, and which.
fn unknowns<'a>(case: &Case<'a>) -> impl Iterator<Item = (Time, ComponentId)> + use<'a> {
    let unknown = |fact: &Fact| match fact {
        Fact::Node(NodeFact { ready, .. }) => *ready == Condition::Unknown,
        _ => false,
    };
    let changes = case.history.facts();
    let turned = changes.filter(move |change| !unknown(change.from) && unknown(change.to));
    turned.map(|change| (change.at, change.of))
}

fn no_execute(case: &Case) -> Option<Value> {
    let taint = |fact: &Fact| match fact {
        Fact::Node(fact) => fact.no_execute,
        _ => None,
    };
    let changes = case.history.facts();
    let tainted = changes.filter(|c| taint(c.from).is_none() && taint(c.to).is_some());
    first_since(case.fault_at(), tainted.map(|change| change.at))
}

/// For how long nodes whose own kubelets were not hit were unknown after the fault, by node.
fn others(case: &Case) -> Option<BTreeMap<ComponentId, Duration>> {
    let fault = case.fault_at()?;
    let hit = case.hit();
    let mut spans = BTreeMap::new();
    for (at, node) in unknowns(case).filter(|(at, _)| *at >= fault) {
        if kubelet_of(case, node).is_some_and(|kubelet| hit.contains(&kubelet)) {
            continue;
        }
        let known = |fact: &Fact| !matches!(fact, Fact::Node(f) if f.ready == Condition::Unknown);
        let mut changes = case.history.facts().filter(|change| change.of == node && change.at > at);
        let until = changes.find(|change| known(change.to)).map_or(case.until, |change| change.at);
        let longest: &mut Duration = spans.entry(node).or_default();
        *longest = (*longest).max(until.since(at));
    }
    Some(spans)
}

fn others_not_ready(case: &Case) -> Option<Value> {
    Some(Value::Count(u64::try_from(others(case)?.len()).unwrap_or(u64::MAX)))
}

fn others_longest(case: &Case) -> Option<Value> {
    others(case)?.into_values().max().map(Value::Duration)
}

fn kubelet_of(case: &Case, node: ComponentId) -> Option<ComponentId> {
    let map = &case.plan.map;
    let name = map.name(node).strip_prefix("node/")?;
    map.local(map.find_machine(name)?, Kind::Kubelet)
}

fn not_ready(case: &Case) -> Option<Value> {
    first_since(case.fault_at(), unknowns(case).map(|(at, _)| at))
}

/// Of each node that turns after the fault.
fn not_readies(case: &Case) -> Vec<Value> {
    let Some(fault) = case.fault_at() else { return Vec::new() };
    let turned = unknowns(case).filter(|(at, _)| *at >= fault);
    turned.map(|(at, _)| Value::Duration(at.since(fault))).collect()
}

fn after_last_renewal(case: &Case) -> Option<Value> {
    each_after_last_renewal(case).into_iter().next()
}

/// Of each node that turns after the fault, in order.
fn each_after_last_renewal(case: &Case) -> Vec<Value> {
    let Some(fault) = case.fault_at() else { return Vec::new() };
    let turned = unknowns(case).filter(|(at, _)| *at >= fault);
    turned.filter_map(|(at, node)| first_since(last_renewal(case, node, at), [at])).collect()
}

/// The last renewal of a node's Lease before an instant: the newest that its kubelet ever published,
/// since a kubelet that is gone publishes nothing.
fn last_renewal(case: &Case, node: ComponentId, t: Time) -> Option<Time> {
    let kubelet = kubelet_of(case, node)?;
    let of_fact = |fact: &Fact, until: Time| match fact {
        Fact::Kubelet(fact) => fact.renewals.last(until),
        _ => None,
    };
    let changes = case.history.facts().filter(|change| change.of == kubelet && change.at <= t);
    let past = changes.filter_map(|change| of_fact(change.from, change.at));
    past.chain(of_fact(case.fact_before(t, kubelet), t)).max()
}

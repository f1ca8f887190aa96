//! When the API says that a node is gone.

use super::{Metric, Value, first_since, span};
use crate::component::fact::{Condition, Fact, NodeFact};
use crate::component::id::{ComponentId, Kind};
use crate::kernel::time::Time;
use crate::measure::case::Case;

pub(super) const METRICS: &[Metric] = &[
    span("node.not_ready", "fault to Ready=Unknown", not_ready).with_each(not_readies),
    span(
        "node.not_ready_after_last_renewal",
        "the node's last Lease renewal to Ready=Unknown",
        after_last_renewal,
    )
    .with_each(each_after_last_renewal),
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
    let map = &case.plan.map;
    let name = map.name(node).strip_prefix("node/")?;
    let kubelet = map.local(map.find_machine(name)?, Kind::Kubelet)?;
    let of_fact = |fact: &Fact, until: Time| match fact {
        Fact::Kubelet(fact) => fact.renewals.last(until),
        _ => None,
    };
    let changes = case.history.facts().filter(|change| change.of == kubelet && change.at <= t);
    let past = changes.filter_map(|change| of_fact(change.from, change.at));
    past.chain(of_fact(case.fact_before(t, kubelet), t)).max()
}

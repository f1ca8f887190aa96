//! When the pods of a node that is gone are evicted, and replaced.

use super::{Metric, Value, first_since, span};
use crate::component::fact::Fact;
use crate::component::workload::{Pod, WorkloadFact};
use crate::kernel::time::Time;
use crate::measure::case::Case;

pub(super) const METRICS: &[Metric] = &[
    span("pod.evicted", "fault to the first deletion timestamp of a pod", evicted),
    span("pod.replaced", "fault until the first pod created since is ready", replaced),
];

/// The instants at which pods changed, each pod before (if it was there) and after.
fn changes(case: &Case, turned: impl Fn(Option<&Pod>, &Pod) -> bool) -> impl Iterator<Item = Time> {
    case.history.facts().filter_map(move |change| {
        let (Fact::Workload(from), Fact::Workload(to)) = (change.from, change.to) else {
            return None;
        };
        let before = |fact: &WorkloadFact, uid| fact.pods.iter().find(|p| p.uid == uid).copied();
        let any = to.pods.iter().any(|pod| turned(before(from, pod.uid).as_ref(), pod));
        any.then_some(change.at)
    })
}

fn evicted(case: &Case) -> Option<Value> {
    let deleted = |old: Option<&Pod>, new: &Pod| {
        new.deleted.is_some() && old.is_none_or(|old| old.deleted.is_none())
    };
    first_since(case.fault_at(), changes(case, deleted))
}

fn replaced(case: &Case) -> Option<Value> {
    let fault = case.fault_at()?;
    let ready = move |old: Option<&Pod>, new: &Pod| {
        new.created >= fault && new.ready && old.is_none_or(|old| !old.ready)
    };
    first_since(Some(fault), changes(case, ready))
}

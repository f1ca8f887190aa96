//! Several instances of a program that act at the same time: two leaders after a pause, or instances
//! that elect none.

use super::{Metric, Value, count, span};
use crate::component::fact::{CandidateFact, Fact};
use crate::component::id::{ComponentId, Kind};
use crate::component::record::Record;
use crate::component::view::ProcessState;
use crate::kernel::time::{Duration, Time};
use crate::measure::case::Case;
use crate::measure::history::Seen;
use crate::world::observer::Change;
use std::collections::BTreeSet;

pub(super) const METRICS: &[Metric] = &[
    span("scheduler.overlap", "time during which two instances or more act", |case| {
        overlap(case, Kind::Scheduler)
    }),
    span("controller_manager.overlap", "time during which two instances or more act", |case| {
        overlap(case, Kind::ControllerManager)
    }),
    count(
        "scheduler.acting_at_once",
        "most instances that act at once, if more than one",
        |case| most_at_once(case, Kind::Scheduler),
    ),
    count(
        "controller_manager.acting_at_once",
        "most instances that act at once, if more than one",
        |case| most_at_once(case, Kind::ControllerManager),
    ),
    count(
        "scheduler.binding_conflicts",
        "bindings refused because another instance had bound the pod",
        binding_conflicts,
    ),
];

/// The spans with several acting instances: for how long, and how many.
fn spans(case: &Case, kind: Kind) -> Vec<(Duration, usize)> {
    let acting = |fact: &Fact| matches!(fact, Fact::Candidate(CandidateFact { acting: true, .. }));
    let all: Vec<ComponentId> = case.plan.map.of_kind(kind).collect();
    let mut willing: BTreeSet<ComponentId> = all.iter().copied().collect();
    willing.retain(|id| acting(case.fact_before(Time::START, *id)));
    let mut still: BTreeSet<ComponentId> = BTreeSet::new();
    let (mut spans, mut since) = (Vec::new(), Time::START);
    let transitions = case.history.seen.iter().filter_map(|seen| match seen {
        Seen::Transition(transition) => Some(transition),
        _ => None,
    });
    for transition in transitions {
        let before = willing.difference(&still).count();
        let turned = match &transition.change {
            Change::Fact { of, to, .. } if all.contains(of) => put(&mut willing, *of, acting(to)),
            Change::Process { of, to, .. } if all.contains(of) => {
                put(&mut still, *of, *to == ProcessState::Paused)
            }
            _ => false,
        };
        if turned {
            spans.push((transition.at.since(since), before));
            since = transition.at;
        }
    }
    spans.push((case.until.saturating_since(since), willing.difference(&still).count()));
    spans.retain(|(span, count)| *count > 1 && !span.is_zero());
    spans
}

/// Puts somebody into a set or takes it out; whether that changed anything.
fn put(set: &mut BTreeSet<ComponentId>, id: ComponentId, is_in: bool) -> bool {
    if is_in { set.insert(id) } else { set.remove(&id) }
}

fn overlap(case: &Case, kind: Kind) -> Option<Value> {
    let total = spans(case, kind).into_iter().map(|(span, _)| span).reduce(|a, b| a + b)?;
    Some(Value::Duration(total))
}

fn most_at_once(case: &Case, kind: Kind) -> Option<Value> {
    let most = spans(case, kind).into_iter().map(|(_, count)| count).max()?;
    Some(Value::Count(most as u64))
}

fn binding_conflicts(case: &Case) -> Option<Value> {
    let refused = case.history.records().filter(|r| r.record == Record::BindingConflict).count();
    (refused > 0).then_some(Value::Count(refused as u64))
}

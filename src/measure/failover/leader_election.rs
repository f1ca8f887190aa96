//! How schedulers and controller-managers change over.

use super::moments::{ends, first_start, holder, holder_before, lease_changes};
use super::{Metric, Value, first_since, span};
use crate::component::id::{ComponentId, Kind};
use crate::component::lever::{Lever, Setting};
use crate::component::record::Record;
use crate::components::Params;
use crate::kernel::time::{Duration, Time};
use crate::measure::case::Case;
use crate::plan::service::Service;

const SCHEDULER: Kind = Kind::Scheduler;
const MANAGER: Kind = Kind::ControllerManager;

pub(super) const METRICS: &[Metric] = &[
    span("scheduler.failover", "fault to another instance's Lease update", |case| {
        failover(case, SCHEDULER)
    }),
    span("controller_manager.failover", "fault to another instance's Lease update", |case| {
        failover(case, MANAGER)
    }),
    span("scheduler.first_binding", "fault to a new pod's being bound", |case| {
        first_action(case, Kind::Scheduler, Service::Scheduling)
    }),
    span("controller_manager.first_action", "fault to a new ReplicaSet's first pod", |case| {
        first_action(case, Kind::ControllerManager, Service::Reconciliation)
    }),
    span("scheduler.old_leader_exit", "fault to the old leader's exit", |case| {
        old_leader_exit(case, SCHEDULER)
    }),
    span("controller_manager.old_leader_exit", "fault to the old leader's exit", |case| {
        old_leader_exit(case, MANAGER)
    }),
    span("scheduler.old_leader_exit_after_cont", "resume to the old leader's exit", |case| {
        exit_after_cont(case, SCHEDULER)
    }),
    span("controller_manager.old_leader_exit_after_cont", "resume to the leader's exit", |case| {
        exit_after_cont(case, MANAGER)
    }),
    span("scheduler.old_leader_first_write_after_cont", "resume to its first write", |case| {
        write_after_cont(case, SCHEDULER)
    }),
    span(
        "controller_manager.old_leader_first_write_after_cont",
        "resume to its first write",
        |case| write_after_cont(case, MANAGER),
    ),
    span("scheduler.start_to_candidacy", "start to the first attempt at the Lease", |case| {
        start_to_candidacy(case, SCHEDULER)
    }),
    span("controller_manager.start_to_candidacy", "start to the first attempt", |case| {
        start_to_candidacy(case, MANAGER)
    }),
];

fn failover(case: &Case, kind: Kind) -> Option<Value> {
    let fault = case.fault_at()?;
    let old = holder_before(case, kind, fault)?;
    let taken = lease_changes(case, kind)
        .filter(|change| holder(change.to).is_some_and(|new| new != old))
        .map(|change| change.at);
    first_since(Some(fault), taken)
}

/// Something created right after the fault is dealt with by an instance that acts, whose writes are
/// served, and that lives through its `reaction`; or as soon as there is another one, whose first work
/// its warm-up has.
fn first_action(case: &Case, kind: Kind, service: Service) -> Option<Value> {
    let fault = case.fault_at()?;
    let track = case.history.track(service)?;
    let acted = fault + reaction(case, kind, fault);
    let stopped = track.steps.iter().find(|step| step.at >= fault && step.share.is_none());
    if !track.at(fault).is_none() && stopped.is_none_or(|step| step.at > acted) {
        return first_since(Some(fault), [acted]);
    }
    let from = stopped.map_or(fault, |step| step.at);
    let served = track.steps.iter().filter(|step| !step.share.is_none() && step.at >= from);
    first_since(Some(fault), served.map(|step| step.at))
}

/// Purpose of the draw for a leader's reaction; components number theirs from 0.
const REACTION_DRAW: u32 = 1_001;

/// How long the leader before an instant takes to act on a new object.
fn reaction(case: &Case, kind: Kind, at: Time) -> Duration {
    let Some(holder) = holder_before(case, kind, at) else { return Duration::ZERO };
    let law = match &case.plan.params[holder.component.index()] {
        Params::Scheduler(params, _) => &params.reaction,
        Params::ControllerManager(params, _) => &params.reaction,
        _ => return Duration::ZERO,
    };
    let stream = case.plan.map.component(holder.component).stream;
    law.sample(&mut case.key.draw(stream, REACTION_DRAW, 0))
}

fn old_leader(case: &Case, kind: Kind) -> Option<ComponentId> {
    Some(holder_before(case, kind, case.fault_at()?)?.component)
}

fn exit_since(case: &Case, kind: Kind, zero: Option<Time>) -> Option<Value> {
    let old = old_leader(case, kind).filter(|id| !case.killed().contains(id))?;
    let exits = ends(case, kind).filter(|(_, of)| *of == old).map(|(at, _)| at);
    first_since(zero, exits)
}

fn old_leader_exit(case: &Case, kind: Kind) -> Option<Value> {
    exit_since(case, kind, case.fault_at())
}

/// When the fault was a pause of the old leader: the instant of its end.
fn resumed(case: &Case, kind: Kind) -> Option<Time> {
    let old = old_leader(case, kind)?;
    let repair = case.repair()?;
    let machine = case.end.map.machine_of(old);
    let resumes = |setting: &Setting| match *setting {
        Setting::Process(id, Lever::Resume) => id == old,
        Setting::Suspend(suspended, false) => Some(suspended) == machine,
        _ => false,
    };
    repair.applied.iter().any(|applied| resumes(&applied.setting)).then_some(repair.at)
}

fn exit_after_cont(case: &Case, kind: Kind) -> Option<Value> {
    exit_since(case, kind, Some(resumed(case, kind)?))
}

fn write_after_cont(case: &Case, kind: Kind) -> Option<Value> {
    let zero = resumed(case, kind)?;
    let old = old_leader(case, kind)?;
    let writes = case
        .history
        .records()
        .filter(|recorded| recorded.of == old && matches!(recorded.record, Record::Acted { .. }));
    first_since(Some(zero), writes.map(|recorded| recorded.at))
}

fn start_to_candidacy(case: &Case, kind: Kind) -> Option<Value> {
    let (start, instance) = first_start(case, kind)?;
    let attempts = case.history.records().filter(|recorded| {
        recorded.of == instance && matches!(recorded.record, Record::Attempt { .. })
    });
    first_since(Some(start), attempts.map(|recorded| recorded.at))
}

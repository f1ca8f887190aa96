//! What follows the loss of etcd's quorum, and its return with a restarted member.

use super::moments::{elections, ends, lease_changes, starts};
use super::requests::Requests;
use super::{Metric, Value, first_since, span};
use crate::component::fact::Fact;
use crate::component::id::{ComponentId, Kind};
use crate::component::record::RequestClass;
use crate::kernel::time::Time;
use crate::measure::case::Case;
use crate::plan::client::ClientTarget;
use crate::plan::service::Service;

pub(super) const METRICS: &[Metric] = &[
    span("quorum.leader_exit", "loss of quorum to an active leader's exit", leader_exit)
        .with_each(leader_exits),
    span("quorum.etcd_elected", "restart of a member to a leader", etcd_elected),
    span("quorum.survivor_write_back", "restart to a write at a survivor's API server", |case| {
        write_back(case, false)
    }),
    span("quorum.restarted_write_back", "restart to a write at the restarted member's", |case| {
        write_back(case, true)
    }),
    span("quorum.scheduler_lease_back", "restart to the scheduler's Lease", |case| {
        lease_back(case, Kind::Scheduler)
    }),
    span("quorum.controller_manager_lease_back", "restart to the manager's Lease", |case| {
        lease_back(case, Kind::ControllerManager)
    }),
];

/// When the faults had left fewer members than a majority: the processes' doing, not an election's.
fn loss(case: &Case) -> Option<Time> {
    let fault = case.fault_at()?;
    let members = &case.plan.services.members;
    let hit = case.hit();
    let left = members.iter().filter(|id| !hit.contains(id)).count();
    let lost = left <= members.len() / 2;
    let track = case.history.track(Service::EtcdQuorum)?;
    let out = track.steps.iter().find(|step| step.at >= fault && step.share.is_none())?;
    lost.then_some(out.at)
}

/// The first member that was started after the loss.
fn restart(case: &Case) -> Option<(Time, ComponentId)> {
    let loss = loss(case)?;
    starts(case, Kind::Etcd).find(|(at, _)| *at > loss)
}

fn leader_exit(case: &Case) -> Option<Value> {
    leader_exits(case).into_iter().min()
}

/// Of each active leader that exits.
fn leader_exits(case: &Case) -> Vec<Value> {
    let Some(loss) = loss(case) else { return Vec::new() };
    let killed = case.killed();
    let leads = |at: Time, id: ComponentId| matches!(case.fact_before(at, id), Fact::Candidate(fact) if fact.leading);
    let exits = [Kind::Scheduler, Kind::ControllerManager].into_iter().flat_map(|kind| {
        ends(case, kind).filter(|(at, of)| *at >= loss && !killed.contains(of) && leads(*at, *of))
    });
    exits.map(|(at, _)| Value::Duration(at.since(loss))).collect()
}

fn etcd_elected(case: &Case) -> Option<Value> {
    let (restart, _) = restart(case)?;
    first_since(Some(restart), elections(case).map(|(at, ..)| at))
}

/// Writes of clients that poll API servers one by one, at the machine of the restarted member or at
/// those of members that lived on.
fn write_back(case: &Case, restarted: bool) -> Option<Value> {
    let (at, member) = restart(case)?;
    let map = &case.plan.map;
    let hit = case.hit();
    let counts = |server: ComponentId| {
        let machine = map.machine_of(server);
        let beside = machine.and_then(|m| map.local(m, Kind::Etcd));
        match beside {
            Some(beside) if restarted => beside == member,
            Some(beside) => !hit.contains(&beside),
            None => !restarted,
        }
    };
    let servers = &case.plan.services.api_servers;
    let polls = |target: &ClientTarget| match target {
        ClientTarget::Servers(polled) => polled.iter().any(|id| servers.contains(id)),
        ClientTarget::Endpoint => false,
    };
    let requests =
        Requests::of(case, |plan| plan.class == RequestClass::Write && polls(&plan.target))?;
    first_since(Some(at), requests.except(|id| !counts(id)).first_success(at))
}

fn lease_back(case: &Case, kind: Kind) -> Option<Value> {
    let (restart, _) = restart(case)?;
    let renewed = lease_changes(case, kind).filter(|change| match change.to {
        Fact::Lease(lease) => lease.holder.is_some(),
        _ => false,
    });
    first_since(Some(restart), renewed.map(|change| change.at))
}

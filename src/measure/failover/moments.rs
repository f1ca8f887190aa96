//! The instants that metrics count from and to.

use crate::component::fact::{Fact, Holder, Role};
use crate::component::id::{ComponentId, Kind};
use crate::component::view::ProcessState;
use crate::kernel::time::Time;
use crate::measure::case::Case;
use crate::measure::history::FactChange;
use crate::plan::Start;

/// Instants at which processes of a kind were started, with the process.
pub(super) fn starts(case: &Case, kind: Kind) -> impl Iterator<Item = (Time, ComponentId)> {
    let map = &case.plan.map;
    case.history.processes().filter_map(move |change| {
        let started = change.to == ProcessState::Running && change.from == ProcessState::Dead;
        (started && map.component(change.of).kind == kind).then_some((change.at, change.of))
    })
}

/// Instants at which processes of a kind ended, with the process.
pub(super) fn ends(case: &Case, kind: Kind) -> impl Iterator<Item = (Time, ComponentId)> {
    let map = &case.plan.map;
    case.history.processes().filter_map(move |change| {
        let ended = change.to == ProcessState::Dead;
        (ended && map.component(change.of).kind == kind).then_some((change.at, change.of))
    })
}

/// The first start of a process of a kind after the fault, or from the start of a cold run.
pub(super) fn first_start(case: &Case, kind: Kind) -> Option<(Time, ComponentId)> {
    let from = case.fault_at().unwrap_or(Time::START);
    starts(case, kind).find(|(at, _)| *at >= from)
}

/// Whether the run began with everything starting.
pub(super) fn cold(case: &Case) -> bool {
    case.plan.start == Start::Cold
}

/// Instants at which a member of etcd became leader.
pub(super) fn elections(case: &Case) -> impl Iterator<Item = (Time, ComponentId, u64)> {
    case.history.facts().filter_map(|change| {
        let (from, to) = (etcd_role(change.from), etcd_role(change.to)?);
        let elected = to.0 == Role::Leader && from.is_none_or(|from| from != to);
        elected.then_some((change.at, change.of, to.1))
    })
}

fn etcd_role(fact: &Fact) -> Option<(Role, u64)> {
    match fact {
        Fact::Etcd(fact) => Some((fact.role, fact.term)),
        _ => None,
    }
}

/// Who leads etcd just before an instant.
pub(super) fn etcd_leader_before(case: &Case, t: Time) -> Option<ComponentId> {
    let leads = |id: &ComponentId| match etcd_role(case.fact_before(t, *id)) {
        Some((Role::Leader, term)) => Some((term, *id)),
        _ => None,
    };
    let members = case.plan.services.members.iter();
    members.filter_map(leads).max_by_key(|(term, _)| *term).map(|(_, id)| id)
}

/// Who holds the Lease of a kind just before an instant.
pub(super) fn holder_before(case: &Case, kind: Kind, t: Time) -> Option<Holder> {
    match case.fact_before(t, case.lease_of(kind)?) {
        Fact::Lease(lease) => lease.holder,
        _ => None,
    }
}

/// Changes of the Lease of a kind.
pub(super) fn lease_changes<'a>(
    case: &'a Case,
    kind: Kind,
) -> impl Iterator<Item = FactChange<'a>> {
    let lease = case.lease_of(kind);
    case.history.facts().filter(move |change| Some(change.of) == lease)
}

/// The holder after a change of a Lease.
pub(super) fn holder(fact: &Fact) -> Option<Holder> {
    match fact {
        Fact::Lease(lease) => lease.holder,
        _ => None,
    }
}

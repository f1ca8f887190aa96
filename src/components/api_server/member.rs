//! What an etcd member can do for its clients as things stand, read off the members' facts.
//!
//! Absent on purpose: what a request that waits will meet when things change; it is simulated.

use crate::component::fact::{Ability, Role};
use crate::component::{ComponentId, Kind, View};
use crate::kernel::time::Duration;

/// What a quorum read meets at this member.
pub fn read_ability(view: &View, member: ComponentId) -> Ability {
    ability(view, member)
}

/// What a write meets at this member.
pub fn write_ability(view: &View, member: ComponentId) -> Ability {
    ability(view, member)
}

/// From the arrival of a write at this member to its answer, when it works.
pub fn write_latency(view: &View, member: ComponentId) -> Duration {
    read_latency(view, member)
}

/// From the arrival of a quorum read at this member to its answer, when it works.
pub fn read_latency(view: &View, member: ComponentId) -> Duration {
    let Some(leader) = leader_of(view, member) else { return Duration::ZERO };
    let mut trips: Vec<Duration> =
        members(view).filter(|m| *m != leader).map(|m| view.round_trip(leader, m)).collect();
    trips.sort_unstable();
    let needed = trips.len().div_ceil(2);
    let quorum = needed.checked_sub(1).map_or(Duration::ZERO, |last| trips[last]);
    view.round_trip(member, leader) + quorum
}

fn members<'a>(view: &View<'a>) -> impl Iterator<Item = ComponentId> + use<'a> {
    view.map().of_kind(Kind::Etcd)
}

fn runs(view: &View, member: ComponentId) -> bool {
    view.executes(member) && view.etcd(member).is_some_and(|fact| !fact.stalled)
}

fn leader_of(view: &View, member: ComponentId) -> Option<ComponentId> {
    let leader = view.etcd(member)?.lead?;
    let fact = view.etcd(leader)?;
    (fact.role == Role::Leader && fact.settled).then_some(leader)
}

fn ability(view: &View, member: ComponentId) -> Ability {
    if !view.executes(member) || !view.etcd(member).is_some_and(|fact| fact.serving) {
        return Ability::Fails;
    }
    let Some(leader) = leader_of(view, member) else { return Ability::Hangs };
    let follows = |m: &ComponentId| *m == leader || view.connects(leader, *m);
    let voters = members(view).count();
    let heard = members(view).filter(|m| runs(view, *m) && follows(m)).count();
    let works = runs(view, member) && runs(view, leader) && follows(&member);
    if works && heard > voters / 2 { Ability::Works } else { Ability::Hangs }
}

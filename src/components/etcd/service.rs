//! What a client of etcd would meet, read from facts: who is served, and by whom.
//!
//! Absent on purpose: any member's private state.

use super::quorum::majority;
use arrayvec::ArrayVec;
use crate::component::members::Members;
use crate::component::fact::{Ability, Role};
use crate::component::id::{ComponentId, Kind};
use crate::component::view::{ProcessState, View};
use crate::kernel::time::Duration;

/// The most etcd processes of a scenario, with room to spare.
const MEMBERS_MAX: usize = 16;

/// Whether one of `members` leads, serves, and is followed by a majority of its cluster.
pub fn quorum(view: &View, members: &[ComponentId]) -> bool {
    members.iter().any(|leader| leads_majority(view, *leader))
}

/// The members that vote, by the configuration that `leader` goes by.
pub fn electorate<'a>(view: &View<'a>, leader: ComponentId) -> impl Iterator<Item = ComponentId> + 'a {
    let members = view.etcd(leader).and_then(|fact| fact.members);
    let all = view.map().of_kind(Kind::Etcd).enumerate();
    all.filter(move |(place, _)| members.is_none_or(|m| m.votes(*place))).map(|(_, id)| id)
}

/// Whether `member` receives the log without a vote: it answers serializable reads only.
fn learns(view: &View, member: ComponentId) -> bool {
    let members: Option<Members> = view.etcd(member).and_then(|fact| fact.members);
    members.is_some_and(|members| members.learns(view.map().rank(member)))
}

/// Whether a write sent to `member` commits as things stand.
///
/// A leader that is handing over refuses it; what others forward to it is lost.
pub fn write_ability(view: &View, member: ComponentId) -> Ability {
    abilities(view, member).1
}

/// Whether a linearizable read sent to `member` is answered, and whether a write commits.
pub fn abilities(view: &View, member: ComponentId) -> (Ability, Ability) {
    let ability = consensus_ability(view, member);
    let leader = view.etcd(member).and_then(|fact| fact.lead);
    let handing_over = leader.and_then(|id| view.etcd(id)).is_some_and(|fact| fact.transferring);
    let full = view.etcd(member).is_some_and(|fact| fact.full);
    let write = match ability {
        Ability::Works if full => Ability::Fails,
        Ability::Works if handing_over && leader == Some(member) => Ability::Fails,
        Ability::Works if handing_over => Ability::Hangs,
        ability => ability,
    };
    (ability, write)
}

/// Whether a linearizable read sent to `member` is answered as things stand.
pub fn read_ability(view: &View, member: ComponentId) -> Ability {
    consensus_ability(view, member)
}

/// Whether a serializable read sent to `member` is answered: from its own store, however stale.
pub fn serializable_ability(view: &View, member: ComponentId) -> Ability {
    match view.process(member).state {
        ProcessState::Paused => Ability::Hangs,
        ProcessState::Running if view.etcd(member).is_some_and(|fact| fact.serving) => {
            Ability::Works
        }
        _ => Ability::Fails,
    }
}

/// How long a write sent to `member` takes there when it works, syncs apart: to the leader, from it
/// to the quickest majority, and back.
pub fn write_travel(view: &View, member: ComponentId) -> Option<Duration> {
    let leader = view.etcd(member)?.lead?;
    let mut trips = ArrayVec::<Duration, MEMBERS_MAX>::new();
    let mut voters = 0;
    for peer in electorate(view, leader) {
        voters += 1;
        if peer != leader && follows(view, peer, leader) {
            trips.push(view.round_trip(leader, peer));
        }
    }
    trips.sort_unstable();
    let needed = majority(voters) - 1;
    let commit = if needed == 0 { Duration::ZERO } else { *trips.get(needed - 1)? };
    let hop = if member == leader { Duration::ZERO } else { view.round_trip(member, leader) };
    Some(commit + hop)
}

fn consensus_ability(view: &View, member: ComponentId) -> Ability {
    let serializable = serializable_ability(view, member);
    if serializable != Ability::Works {
        return serializable;
    }
    let Some(fact) = view.etcd(member) else { return Ability::Fails };
    if fact.members.is_some() && learns(view, member) {
        return Ability::Fails;
    }
    let served = fact.lead.is_some_and(|leader| {
        (leader == member || follows(view, member, leader)) && leads_majority(view, leader)
    });
    if served { Ability::Works } else { Ability::Hangs }
}

fn leads_majority(view: &View, leader: ComponentId) -> bool {
    let leads = |id| {
        view.executes(id)
            && view
                .etcd(id)
                .is_some_and(|fact| fact.role == Role::Leader && fact.settled && !fact.stalled)
    };
    if !leads(leader) {
        return false;
    }
    let (mut voters, mut follow) = (0, 0);
    for id in electorate(view, leader) {
        voters += 1;
        follow += usize::from(id == leader || follows(view, id, leader));
    }
    follow >= majority(voters)
}

/// Whether `member` follows `leader`, and both hear each other.
pub fn follows(view: &View, member: ComponentId, leader: ComponentId) -> bool {
    let (Some(own), Some(theirs)) = (view.etcd(member), view.etcd(leader)) else { return false };
    let streams = view.stream_ready(leader, member) <= view.now
        && view.stream_ready(member, leader) <= view.now;
    view.executes(member)
        && streams
        && own.lead == Some(leader)
        && own.term == theirs.term
        && !own.stalled
}

//! Laws that must hold in every run, whatever the faults: checked from outside, over the history.
//!
//! A law that is broken is a bug of the model, except [`Law::OneVipHolder`], which VRRP itself breaks
//! in a partition (see [`Law::VipHolderWithoutCause`]), and [`Law::DataLost`] and [`Law::VoteLost`],
//! which wiped disks bring: they are reported, and judged only where a scenario claims them.

mod address;
mod herds;
mod requests;
mod vrrp;
mod writes;

use super::case::Case;
use super::outage::Record as ServiceRecord;
use crate::component::fact::{Fact, LeaseFact, Role};
use crate::component::id::ComponentId;
use crate::component::lever::Setting;
use crate::kernel::time::{Duration, Time};
use crate::plan::expect::Invariant;
use std::collections::BTreeMap;

/// A law.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Law {
    /// At most one raft leader a term.
    OneLeaderPerTerm,
    /// As [`Law::OneLeaderPerTerm`], where members that lost their data with their votes may have given
    /// both leaders their majorities: raft promises nothing then.
    VoteLost,
    /// A leader of a later term has every acknowledged write in its log, unless data was wiped.
    NoAcknowledgedWriteLost,
    /// As [`Law::NoAcknowledgedWriteLost`], where members that lost their data gave the leader the
    /// majority that it lacked: raft promises nothing then.
    DataLost,
    /// The Lease record changes holder only when it is free or has not been renewed for its duration,
    /// and counts the transition.
    OneLeaseHolder,
    /// At most one node holds the virtual address.
    OneVipHolder,
    /// Where two hold it, one of them was disturbed, or what they tell each other; or they have yet to
    /// hear of each other.
    VipHolderWithoutCause,
    /// An instance holds the address as MASTER and in no other state, and becomes MASTER from BACKUP
    /// only, unless it owns the address.
    VrrpRules,
    /// Nothing is observed earlier than what was observed before it.
    TimeGoesForward,
    /// A StatefulSet has each ordinal at most once.
    OnePodPerOrdinal,
    /// Pods do not vanish, move or multiply.
    PodsAreConserved,
    /// What a client issued was served, rejected or given up, or is pending.
    RequestsAreConserved,
    /// Every outage is closed or open at the end, and they do not overlap.
    OutagesAreClosed,
}

impl Law {
    /// The law that a scenario's invariant stands for.
    pub fn of(invariant: Invariant) -> Self {
        match invariant {
            Invariant::OneLeaderPerTerm => Law::OneLeaderPerTerm,
            Invariant::NoAcknowledgedWriteLost => Law::NoAcknowledgedWriteLost,
            Invariant::OneLeaseHolder => Law::OneLeaseHolder,
            Invariant::OneVipHolder => Law::OneVipHolder,
            Invariant::OnePodPerOrdinal => Law::OnePodPerOrdinal,
        }
    }

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Law::OneLeaderPerTerm => "one leader a term",
            Law::VoteLost => "vote lost",
            Law::NoAcknowledgedWriteLost => "no acknowledged write lost",
            Law::DataLost => "data lost",
            Law::OneLeaseHolder => "one holder of a Lease",
            Law::OneVipHolder => "one holder of the virtual address",
            Law::VipHolderWithoutCause => "a cause of a second holder of the virtual address",
            Law::VrrpRules => "VRRP's states",
            Law::TimeGoesForward => "time goes forward",
            Law::OnePodPerOrdinal => "one pod an ordinal",
            Law::PodsAreConserved => "pods neither vanish nor multiply",
            Law::RequestsAreConserved => "requests are served, rejected, given up or pending",
            Law::OutagesAreClosed => "outages are closed or open at the end",
        }
    }

    /// Whether breaking it is a bug of the model and not of the modelled software or its operator.
    pub fn is_ours(self) -> bool {
        !matches!(self, Law::OneVipHolder | Law::DataLost | Law::VoteLost)
    }
}

/// A broken law.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub law: Law,
    /// When.
    pub at: Time,
    /// By what.
    pub what: String,
}

/// The losses of acknowledged writes that wiped disks brought.
pub fn data_lost(case: &Case) -> Vec<Violation> {
    let lost = |violation: &Violation| violation.law == Law::DataLost;
    writes::none_lost(case).into_iter().filter(lost).collect()
}

/// All broken laws of a run, law by law.
pub fn violations(case: &Case, services: &[ServiceRecord]) -> Vec<Violation> {
    let mut found = one_leader_per_term(case);
    found.extend(writes::none_lost(case));
    found.extend(one_lease_holder(case));
    found.extend(address::rules(case));
    found.extend(super::pod_laws::violations(case));
    found.extend(requests::conserved(case));
    found.extend(herds::conserved(case));
    found.extend(vrrp::rules(case));
    found.extend(time_goes_forward(case));
    found.extend(outages_are_closed(case, services));
    found
}

fn leads(fact: &Fact) -> Option<u64> {
    match fact {
        Fact::Etcd(fact) if fact.role == Role::Leader => Some(fact.term),
        _ => None,
    }
}

fn one_leader_per_term(case: &Case) -> Vec<Violation> {
    let map = &case.plan.map;
    let members = case.plan.services.members.iter();
    let begin = |id: &ComponentId| Some((leads(case.fact_before(Time::START, *id))?, *id));
    let mut leaders: BTreeMap<u64, ComponentId> = members.filter_map(begin).collect();
    let mut found = Vec::new();
    for change in case.history.facts() {
        for term in leads(change.from).into_iter().chain(leads(change.to)) {
            let first = *leaders.entry(term).or_insert(change.of);
            if first != change.of {
                let (a, b) = (map.name(first), map.name(change.of));
                let what = format!("{a} and {b} both lead term {term}");
                let (law, what) = if writes::votes_forgotten(case, change.at) {
                    (Law::VoteLost, what + ", as wiped disks forgot their votes")
                } else {
                    (Law::OneLeaderPerTerm, what)
                };
                found.push(Violation { law, at: change.at, what });
            }
        }
    }
    found
}

/// The fastest clock of a run, in parts per million: a taker with a fast clock sees a Lease expire
/// early in true time.
fn fastest_clock(case: &Case) -> u64 {
    let applied = case.history.faults().flat_map(|fired| &fired.applied);
    let rates = applied.filter_map(|a| match a.setting {
        Setting::ClockRate(_, ppm) => Some(u64::from(ppm)),
        _ => None,
    });
    rates.chain(case.end.machines.iter().map(|m| u64::from(m.clock_ppm))).max().unwrap_or(1_000_000)
}

fn one_lease_holder(case: &Case) -> Vec<Violation> {
    let fastest = fastest_clock(case).max(1_000_000);
    let mut found = Vec::new();
    for change in case.history.facts() {
        let (Fact::Lease(from), Fact::Lease(to)) = (change.from, change.to) else { continue };
        let acquired = to.holder.is_some() && from.holder != to.holder;
        // A record that is created, not taken over, begins at 0.
        let counted = from.transitions + u32::from(acquired && from.writes > 0);
        // An empty store has no Lease; a new one begins at 0.
        let kept = change.at > Time::START && *to != LeaseFact::default();
        if kept && to.transitions != counted {
            let name = case.plan.map.name(change.of);
            let counts = format!("{} to {}", from.transitions, to.transitions);
            let what = format!("{name} went from transition {counts}");
            found.push(Violation { law: Law::OneLeaseHolder, at: change.at, what });
        }
        let taken = acquired && from.holder.is_some();
        let Some(age) = taken.then(|| age(from, change.at)).flatten() else { continue };
        let duration = Duration::from_secs(u64::from(from.duration_seconds));
        let least = Duration::from_nanos(duration.as_nanos() / fastest * 1_000_000);
        if age < least {
            let name = case.plan.map.name(change.of);
            let what = format!("{name} was taken {} after its last renewal", age.human());
            found.push(Violation { law: Law::OneLeaseHolder, at: change.at, what });
        }
    }
    found
}

/// The time since the last renewal; a renewal at this very instant is the taker's own.
fn age(lease: &LeaseFact, now: Time) -> Option<Duration> {
    lease.renewals.last(now).map(|last| now.since(last))
}

fn time_goes_forward(case: &Case) -> Vec<Violation> {
    let mut found = Vec::new();
    for pair in case.history.seen.windows(2) {
        if pair[1].at() < pair[0].at() {
            let what = format!("observed after what happened at {}", pair[0].at());
            found.push(Violation { law: Law::TimeGoesForward, at: pair[1].at(), what });
        }
    }
    found
}

fn outages_are_closed(case: &Case, services: &[ServiceRecord]) -> Vec<Violation> {
    let mut found = Vec::new();
    for record in services {
        let mut covered = Time::START;
        for interval in &record.intervals {
            let end = interval.to.unwrap_or(case.until);
            let sums = interval.blame.as_ref().is_none_or(|blame| {
                u64::try_from(blame.total()).is_ok_and(|sum| sum == interval.length.as_nanos())
            });
            if interval.from < covered || end < interval.from || !sums {
                let what = format!("{} from {} to {end}", record.service.name(), interval.from);
                found.push(Violation { law: Law::OutagesAreClosed, at: interval.from, what });
            }
            covered = end;
        }
    }
    found
}

//! How long etcd takes to find a new leader, and what its own clients see of it.

use super::moments::{cold, elections, etcd_leader_before, first_start, starts};
use super::requests::Requests;
use super::{Metric, Value, count, first_since, span};
use crate::component::fact::{Fact, Role};
use crate::component::id::{ComponentId, Kind};
use crate::component::record::{Record, RequestClass};
use crate::kernel::time::Time;
use crate::measure::case::Case;
use crate::plan::client::ClientTarget;
use std::collections::BTreeSet;

pub(super) const METRICS: &[Metric] = &[
    span("etcd.first_campaign", "fault to a survivor's (pre-)candidacy", first_campaign),
    span("etcd.election", "fault to a survivor's becoming leader", election),
    count("etcd.campaign_rounds", "terms campaigned in, up to the winning one", campaign_rounds),
    span("etcd.write_outage", "longest gap between successful puts at the survivors", write_outage),
    span("etcd.old_leader_step_down", "fault to the cut-off leader's stepping down", step_down),
    span("etcd.heal_write_outage", "longest gap between puts after the repair", heal_write_outage),
    span("etcd.put_time_to_error", "wait of the first failing put", put_time_to_error),
    span("etcd.restart_to_leader", "restart of a member to a leader", restart_to_leader),
    span("etcd.restart_to_write", "restart of a member to a successful put", restart_to_write),
    span("etcd.cold_start_to_leader", "start of all members to a leader", cold_start_to_leader),
    span("etcd.start_to_known_leader", "start of a member to its knowing the leader", known_leader),
];

fn survivors<'a>(case: &Case<'a>) -> impl Fn(ComponentId) -> bool + use<'a> {
    let hit = case.hit();
    move |id| !hit.contains(&id)
}

fn first_campaign(case: &Case) -> Option<Value> {
    let survives = survivors(case);
    let campaigns = campaigns(case).filter(|(_, of, _)| survives(*of)).map(|(at, ..)| at);
    first_since(case.fault_at().or(cold(case).then_some(Time::START)), campaigns)
}

fn campaigns<'a>(case: &Case<'a>) -> impl Iterator<Item = (Time, ComponentId, u64)> + use<'a> {
    case.history.records().filter_map(|recorded| match recorded.record {
        Record::Campaign { term, .. } => Some((recorded.at, recorded.of, term)),
        _ => None,
    })
}

fn first_election(case: &Case, from: Time) -> Option<(Time, u64)> {
    let survives = survivors(case);
    let mut found = elections(case).filter(|(at, of, _)| *at >= from && survives(*of));
    found.next().map(|(at, _, term)| (at, term))
}

fn election(case: &Case) -> Option<Value> {
    let fault = case.fault_at()?;
    first_since(Some(fault), first_election(case, fault).map(|(at, _)| at))
}

fn campaign_rounds(case: &Case) -> Option<Value> {
    let from = case.fault_at().or(cold(case).then_some(Time::START))?;
    let (won, term) = first_election(case, from)?;
    let survives = survivors(case);
    let terms: BTreeSet<u64> = campaigns(case)
        .filter(|(at, of, asked)| *at >= from && *at <= won && survives(*of) && *asked <= term)
        .map(|(.., asked)| asked)
        .collect();
    Some(Value::Count(u64::try_from(terms.len()).unwrap_or(u64::MAX)))
}

fn puts<'a>(case: &'a Case<'a>) -> Option<Requests<'a>> {
    let members = &case.plan.services.members;
    let polls = |target: &ClientTarget| match target {
        ClientTarget::Servers(servers) => servers.iter().any(|id| members.contains(id)),
        ClientTarget::Endpoint => false,
    };
    Requests::of(case, |plan| plan.class == RequestClass::Write && polls(&plan.target))
}

fn write_outage(case: &Case) -> Option<Value> {
    case.fault_at()?;
    let survives = survivors(case);
    let until = case.repair_at().unwrap_or(case.until);
    let puts = puts(case)?.except(|id| !survives(id));
    puts.longest_gap(Time::START, until).map(Value::Duration)
}

fn heal_write_outage(case: &Case) -> Option<Value> {
    let survives = survivors(case);
    let puts = puts(case)?.except(|id| !survives(id));
    puts.longest_gap(case.repair_at()?, case.until).map(Value::Duration)
}

fn step_down(case: &Case) -> Option<Value> {
    let fault = case.fault_at()?;
    let leader = etcd_leader_before(case, fault).filter(|id| case.hit().contains(id))?;
    let steps = case.history.facts().filter(|change| {
        let leads = |fact: &Fact| matches!(fact, Fact::Etcd(f) if f.role == Role::Leader);
        let alive = matches!(change.to, Fact::Etcd(_));
        change.of == leader && alive && leads(change.from) && !leads(change.to)
    });
    first_since(Some(fault), steps.map(|change| change.at))
}

fn put_time_to_error(case: &Case) -> Option<Value> {
    let fault = case.fault_at()?;
    let survives = survivors(case);
    let puts = puts(case)?.except(|id| !survives(id));
    let failed = puts.single().filter(|put| !put.succeeded() && put.issued >= fault);
    let first = failed.min_by_key(|put| put.issued)?;
    Some(Value::Duration(puts.noted(first.client, first.ended).since(first.issued)))
}

fn restart(case: &Case) -> Option<Time> {
    case.fault_at()?;
    first_start(case, Kind::Etcd).map(|(at, _)| at)
}

fn restart_to_leader(case: &Case) -> Option<Value> {
    let restart = restart(case)?;
    first_since(Some(restart), elections(case).map(|(at, ..)| at))
}

fn restart_to_write(case: &Case) -> Option<Value> {
    let restart = restart(case)?;
    first_since(Some(restart), puts(case)?.first_success(restart))
}

fn cold_start_to_leader(case: &Case) -> Option<Value> {
    let first = cold(case).then(|| starts(case, Kind::Etcd).map(|(at, _)| at).min())?;
    first_since(first, elections(case).map(|(at, ..)| at))
}

fn known_leader(case: &Case) -> Option<Value> {
    case.fault_at()?;
    let (start, member) = first_start(case, Kind::Etcd)?;
    etcd_leader_before(case, start).filter(|leader| *leader != member)?;
    let knows = case.history.facts().filter(|change| {
        let lead = |fact: &Fact| matches!(fact, Fact::Etcd(f) if f.lead.is_some());
        change.of == member && lead(change.to) && !lead(change.from)
    });
    first_since(Some(start), knows.map(|change| change.at))
}

//! How a kube-apiserver comes up.

use super::balancer::{balancer_before, bits, marks};
use super::moments::first_start;
use super::{Metric, Value, first_since, span};
use crate::component::fact::{ApiServerFact, Fact};
use crate::component::id::Kind;
use crate::component::record::Record;
use crate::kernel::time::Time;
use crate::measure::case::Case;

pub(super) const METRICS: &[Metric] = &[
    span("apiserver.port_open", "start to the first accepted connection", |case| {
        reached(case, |fact| fact.listening)
    }),
    span("apiserver.first_http", "start to the first HTTP answer", |case| {
        reached(case, |fact| fact.http)
    }),
    span("apiserver.readyz", "start to the first 200 of /readyz", |case| {
        reached(case, |fact| fact.ready)
    }),
    span("apiserver.haproxy_up", "start to the balancer's UP mark", haproxy_up),
    span(
        "apiserver.probe_kill",
        "fault to a kubelet's killing an API server whose probe failed",
        probe_kill,
    ),
];

fn reached(case: &Case, stage: fn(&ApiServerFact) -> bool) -> Option<Value> {
    let (start, server) = first_start(case, Kind::ApiServer)?;
    let there = |fact: &Fact| matches!(fact, Fact::ApiServer(fact) if stage(fact));
    let changes = case.history.facts().filter(|change| change.of == server);
    let instants: Vec<Time> = changes
        .filter(|change| !there(change.from) && there(change.to))
        .map(|change| change.at)
        .collect();
    first_since(Some(start), instants)
}

fn haproxy_up(case: &Case) -> Option<Value> {
    let (start, server) = first_start(case, Kind::ApiServer)?;
    let balancer = balancer_before(case, start)?;
    first_since(Some(start), marks(case, balancer, bits(case, |id| id == server), true))
}

fn probe_kill(case: &Case) -> Option<Value> {
    let killed = case.history.records().filter(|recorded| match recorded.record {
        Record::ProbeKill { process } => case.plan.map.component(process).kind == Kind::ApiServer,
        _ => false,
    });
    first_since(case.fault_at(), killed.map(|recorded| recorded.at))
}

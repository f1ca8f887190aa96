//! etcd elections need time for round trips.

use super::all::scenario;
use super::{Problem, Rule};
use crate::components::etcd::idealised::ElectionTimer;
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::lower::Subject;

const CODE: Code = Code::new(216);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "an election-timeout too close to the round-trip time",
        explanation: "etcd's tuning guide asks for an election-timeout of at least ten round trips between members. With less, ordinary delays are taken for the loss of the leader.",
        bad: scenario!(r#""cluster": { "network": { "latency": "100ms" } }"#),
        good: scenario!(
            r#""cluster": { "network": { "latency": "100ms" }, "etcd": { "heartbeat-interval": "200ms", "election-timeout": "2s" } }"#
        ),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let cluster = &subject.scenario.cluster;
    let timer = &cluster.kinds.etcd.base.params.randomized_election_timeout;
    if cluster.members() < 2 || *timer != ElectionTimer::Ticks {
        return Vec::new();
    }
    let (near, far) = (&cluster.network, &cluster.between_zones);
    let within = near.params.latency.saturating_add(near.params.jitter);
    let apart = far.params.latency.unwrap_or(near.params.latency);
    let apart = apart.saturating_add(far.params.jitter.unwrap_or(near.params.jitter));
    let zones = cluster.zones.names.len() > 1;
    let trip = if zones { within.max(apart) } else { within }.saturating_mul(2);
    let etcd = &cluster.kinds.etcd.base;
    let timeout = etcd.params.election_timeout;
    if timeout >= trip.saturating_mul(ROUND_TRIPS) {
        return Vec::new();
    }
    let message =
        format!("a round trip between members takes up to {trip}, {timeout} is too short");
    let place = if etcd.gives("election-timeout") {
        etcd.place("election-timeout")
    } else if far.gives("latency") {
        far.place("latency")
    } else {
        near.place("latency")
    };
    let least = trip.saturating_mul(ROUND_TRIPS);
    let help = format!(
        "set `election-timeout` to {least} or more, and `heartbeat-interval` to a round trip"
    );
    vec![Problem::warning(CODE, place, message).help(help)]
}

/// How many round trips an election-timeout should hold (etcd, tuning guide).
const ROUND_TRIPS: u64 = 10;

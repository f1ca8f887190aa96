//! How many machines and members a cluster can have.

use super::all::scenario;
use super::{Problem, Rule};
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::document::Path;
use crate::scenario::lower::Subject;
use crate::scenario::lower::layout::{REPLICAS_MAX, WORKERS_MAX};

const CODE: Code = Code::new(201);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "a count that is not possible",
        explanation: "There are one to nine control-plane machines, etcd members and balancers: etcd advises against more than seven members, since every write waits for a majority. Of the members at least one, and no more than there are, belong to the cluster when it begins (`initialMembers`). There are at most 500 workers.",
        bad: scenario!(r#""cluster": { "controlPlane": { "replicas": 0 } }"#),
        good: scenario!(r#""cluster": { "controlPlane": { "replicas": 3 } }"#),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let cluster = &subject.scenario.cluster;
    let mut problems = Vec::new();
    let mut limit = |path: Path, count: Option<u32>, least: u32, most: u32, what: &str| {
        let Some(count) = count.filter(|count| !(least..=most).contains(count)) else { return };
        let message = format!("{count} {what} are not possible");
        problems.push(Problem::error(CODE, path, message).help(format!("from {least} to {most}")));
    };
    let control_plane = &cluster.control_plane;
    let replicas = Some(control_plane.params.replicas);
    limit(control_plane.place("replicas"), replicas, 1, REPLICAS_MAX, "control-plane machines");
    limit(cluster.etcd.place("members"), cluster.etcd.params.members, 1, REPLICAS_MAX, "members");
    let initial = cluster.etcd.params.initial_members;
    let place = cluster.etcd.place("initialMembers");
    limit(place, initial, 1, cluster.members(), "members to begin with");
    let balancers = cluster.balancers.params.replicas;
    limit(cluster.balancers.place("replicas"), balancers, 1, REPLICAS_MAX, "balancers");
    let workers = Some(cluster.workers.params.replicas);
    limit(cluster.workers.place("replicas"), workers, 0, WORKERS_MAX, "workers");
    problems
}

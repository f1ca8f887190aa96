//! Options of etcd that contradict where it stands.

use super::all::scenario;
use super::{Problem, Rule};
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::document::Path;
use crate::scenario::lower::Subject;
use crate::scenario::raw::cluster::Topology;

const CODE: Code = Code::new(202);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "etcd options that contradict the topology",
        explanation: "With stacked etcd every control-plane machine has one member, so that their number, zones and supervision follow from the control plane. With external etcd they are etcd's own.",
        bad: scenario!(
            r#""cluster": { "topology": "stacked", "controlPlane": { "replicas": 3 }, "etcd": { "members": 5 } }"#
        ),
        good: scenario!(
            r#""cluster": { "topology": "external", "controlPlane": { "replicas": 3 }, "etcd": { "members": 5 } }"#
        ),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let cluster = &subject.scenario.cluster;
    if cluster.options.params.topology == Topology::External {
        return Vec::new();
    }
    let mut problems = Vec::new();
    let replicas = cluster.control_plane.params.replicas;
    if let Some(members) = cluster.etcd.params.members.filter(|members| *members != replicas) {
        let message = format!("stacked etcd has {replicas} members, one a control-plane machine");
        let problem = Problem::error(CODE, cluster.etcd.place("members"), message)
            .label(format!("not {members}"))
            .also(cluster.control_plane.place("replicas"), format!("{replicas} machines"));
        problems.push(problem.help("leave `members` out, or set `topology` to `external`"));
    }
    let mut alone = |path: Path, name: &str| {
        let message = format!("`{name}` of etcd follows from the control plane when it is stacked");
        let problem = Problem::error(CODE, path, message);
        problems.push(problem.help("leave it out, or set `topology` to `external`"));
    };
    if cluster.etcd.gives("supervision") {
        alone(cluster.etcd.place("supervision"), "supervision");
    }
    if !cluster.etcd_zones.names.is_empty() {
        alone(cluster.etcd_zones.path.clone(), "zones");
    }
    problems
}

//! An even number of etcd members buys nothing.

use super::all::scenario;
use super::{Problem, Rule};
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::lower::Subject;
use crate::scenario::raw::cluster::Topology;

const CODE: Code = Code::new(215);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "an even number of etcd members",
        explanation: "A majority of four is three: four members tolerate one failure, as three do, and there is one more to fail. Two members are worse than one: either's failure stops all writes.",
        bad: scenario!(r#""cluster": { "controlPlane": { "replicas": 2 } }"#),
        good: scenario!(r#""cluster": { "controlPlane": { "replicas": 3 } }"#),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let cluster = &subject.scenario.cluster;
    let members = cluster.initial_members();
    if members == 0 || members % 2 == 1 {
        return Vec::new();
    }
    let place = match cluster.options.params.topology {
        Topology::Stacked => cluster.control_plane.place("replicas"),
        Topology::External => cluster.etcd.place("members"),
    };
    let tolerated = (members - 1) / 2;
    let message =
        format!("{members} etcd members tolerate as many failures as {}: {tolerated}", members - 1);
    vec![Problem::warning(CODE, place, message).help(format!(
        "use {} or {}",
        members - 1,
        members + 1
    ))]
}

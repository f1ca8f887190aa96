//! Workloads have nodes to run on.

use super::all::scenario;
use super::{Problem, Rule};
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::lower::Subject;

const CODE: Code = Code::new(261);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "workloads without a node to run on",
        explanation: "User pods run on workers. Control-plane machines have the taint node-role.kubernetes.io/control-plane:NoSchedule unless `cluster.controlPlane.schedulable` is true. Without either, every pod would stay Pending.",
        bad: scenario!(r#""workloads": [ { "name": "web" } ]"#),
        good: scenario!(
            r#""cluster": { "workers": { "replicas": 2 } }"#
            r#""workloads": [ { "name": "web" } ]"#
        ),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let Some(first) = subject.scenario.workloads.first() else { return Vec::new() };
    if !subject.open_machines().is_empty() {
        return Vec::new();
    }
    let message = "no node takes user pods";
    let help = "give `cluster.workers` some `replicas`, or set `cluster.controlPlane.schedulable`";
    vec![Problem::error(CODE, first.section.path.clone(), message).help(help)]
}

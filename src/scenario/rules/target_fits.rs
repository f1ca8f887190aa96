//! Verbs act on what they can act on.

use super::all::scenario;
use super::target_exists::target_problems;
use super::{Problem, Rule};
use crate::fault::target::TargetProblemSort;
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::lower::Subject;

const CODE: Code = Code::new(207);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "a target on which the verb does not act",
        explanation: "Process, machine, network, disk, clock and zone faults are different things: `stop` is SIGTERM to a process, `powerOff` takes a machine, `isolate` its network. `stop` of cp1, as guides have it, usually means two of its processes: cp1/kubelet and cp1/kube-apiserver.",
        bad: scenario!(r#""faults": [ { "at": "30s", "stop": "cp1" } ]"#),
        good: scenario!(
            r#""faults": [ { "at": "30s", "stop": ["cp1/kubelet", "cp1/kube-apiserver"] } ]"#
        ),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    target_problems(subject, CODE, &[TargetProblemSort::WrongKind])
}

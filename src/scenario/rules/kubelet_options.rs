//! Options of kubelets that contradict each other.

use super::all::scenario;
use super::{Problem, Rule};
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::lower::Subject;

const CODE: Code = Code::new(235);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "kubelet options that contradict each other",
        explanation: "Periods and thresholds are above zero; the first back-off of a crashing container is not longer than the longest.",
        bad: scenario!(
            r#""cluster": { "controlPlane": { "kubelet": { "nodeLeaseDurationSeconds": 0 } } }"#
        ),
        good: scenario!(
            r#""cluster": { "controlPlane": { "kubelet": { "nodeLeaseDurationSeconds": 20 } } }"#
        ),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let kinds = &subject.scenario.cluster.kinds;
    let sections = kinds.kubelet.sections().chain(kinds.worker_kubelet.sections());
    sections.flat_map(|section| section.problems(CODE, section.params.check())).collect()
}

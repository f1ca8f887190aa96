//! Options of kube-controller-manager that contradict each other.

use super::all::scenario;
use super::{Problem, Rule};
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::lower::Subject;

const CODE: Code = Code::new(234);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "kube-controller-manager options that contradict each other",
        explanation: "As for kube-scheduler, leaseDuration > renewDeadline > 1.2 × retryPeriod must hold. A node monitor whose grace period does not exceed its own period would mark healthy nodes.",
        bad: scenario!(
            r#""cluster": { "controlPlane": { "kubeControllerManager": { "node-monitor-period": "0s" } } }"#
        ),
        good: scenario!(
            r#""cluster": { "controlPlane": { "kubeControllerManager": { "node-monitor-period": "2s" } } }"#
        ),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let program = &subject.scenario.cluster.kinds.controller_manager;
    program.sections().flat_map(|section| section.problems(CODE, section.params.check())).collect()
}

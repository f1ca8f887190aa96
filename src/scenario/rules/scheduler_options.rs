//! Options of kube-scheduler that contradict each other.

use super::all::scenario;
use super::{Problem, Rule};
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::lower::Subject;

const CODE: Code = Code::new(233);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "leader-election values of kube-scheduler that contradict each other",
        explanation: "client-go refuses to start unless leaseDuration > renewDeadline > 1.2 × retryPeriod: a leader must give up before others may take over, and must be able to retry before it gives up. The defaults are 15s, 10s and 2s.",
        bad: scenario!(
            r#""cluster": { "controlPlane": { "kubeScheduler": { "leaderElection": { "renewDeadline": "20s" } } } }"#
        ),
        good: scenario!(
            r#""cluster": { "controlPlane": { "kubeScheduler": { "leaderElection": { "leaseDuration": "30s", "renewDeadline": "20s" } } } }"#
        ),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let program = &subject.scenario.cluster.kinds.scheduler;
    program.sections().flat_map(|section| section.problems(CODE, section.params.check())).collect()
}

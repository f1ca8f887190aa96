//! Options of kube-vip that contradict each other.

use super::all::scenario;
use super::{Problem, Rule};
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::lower::Subject;

const CODE: Code = Code::new(239);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "kube-vip options that contradict each other or run badly",
        explanation: "client-go refuses to start unless vip_leaseduration > vip_renewdeadline > 1.2 × vip_retryperiod; the defaults are 15s, 10s and 2s, before kube-vip 1.1 they were 5s, 3s and 1s. Announcements more often than every 500ms are taken to be misconfigured. Instances that use the virtual address itself cannot elect anybody once it is lost.",
        bad: scenario!(
            r#""cluster": { "endpoint": { "kind": "kube-vip", "kubeVip": { "vip_leaseduration": "5s" } } }"#
        ),
        good: scenario!(
            r#""cluster": { "endpoint": { "kind": "kube-vip", "kubeVip": { "vip_leaseduration": "5s", "vip_renewdeadline": "3s", "vip_retryperiod": "1s" } } }"#
        ),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let program = &subject.scenario.cluster.kinds.kube_vip;
    let mut problems: Vec<Problem> = Vec::new();
    for section in program.sections() {
        let found = section.problems(CODE, section.params.check());
        for problem in found {
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
    }
    problems
}

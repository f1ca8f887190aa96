//! Options of kube-apiserver that contradict each other.

use super::all::scenario;
use super::{Problem, Rule};
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::lower::Subject;

const CODE: Code = Code::new(232);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "kube-apiserver options that contradict each other",
        explanation: "kube-apiserver refuses time-outs of zero; the message says which option it is and what is possible.",
        bad: scenario!(
            r#""cluster": { "controlPlane": { "kubeApiserver": { "request-timeout": "0s" } } }"#
        ),
        good: scenario!(
            r#""cluster": { "controlPlane": { "kubeApiserver": { "request-timeout": "30s" } } }"#
        ),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let program = &subject.scenario.cluster.kinds.api_server;
    program.sections().flat_map(|section| section.problems(CODE, section.params.check())).collect()
}

//! Options of an etcd member that contradict each other.

use super::all::scenario;
use super::{Problem, Rule};
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::lower::Subject;

const CODE: Code = Code::new(231);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "etcd options that contradict each other",
        explanation: "etcd refuses to start if election-timeout is not at least five times heartbeat-interval, or above 50 s. The defaults are 1s and 100ms.",
        bad: scenario!(r#""cluster": { "etcd": { "election-timeout": "300ms" } }"#),
        good: scenario!(r#""cluster": { "etcd": { "election-timeout": "500ms" } }"#),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let program = &subject.scenario.cluster.kinds.etcd;
    program.sections().flat_map(|section| section.problems(CODE, section.params.check())).collect()
}

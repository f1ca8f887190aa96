//! Options of HAProxy that contradict each other.

use super::all::scenario;
use super::{Problem, Rule};
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::lower::Subject;

const CODE: Code = Code::new(236);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "HAProxy options that contradict each other or run badly",
        explanation: "rise and fall count checks and are at least 1. HAProxy runs with time-outs left out, but warns of it; a single check that may take longer than inter times fall defeats the purpose of fall.",
        bad: scenario!(
            r#""cluster": { "endpoint": { "loadBalancers": { "haproxy": { "rise": 0, "timeout connect": "5s", "timeout client": "35s", "timeout server": "35s" } } } }"#
        ),
        good: scenario!(
            r#""cluster": { "endpoint": { "loadBalancers": { "haproxy": { "rise": 1, "timeout connect": "5s", "timeout client": "35s", "timeout server": "35s" } } } }"#
        ),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let program = &subject.scenario.cluster.kinds.haproxy;
    program.sections().flat_map(|section| section.problems(CODE, section.params.check())).collect()
}

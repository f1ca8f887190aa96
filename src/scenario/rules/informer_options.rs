//! Options of informers that contradict each other.

use super::all::scenario;
use super::{Problem, Rule};
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::lower::Subject;

const CODE: Code = Code::new(270);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "informers that cannot be",
        explanation: "An entry of `informers` stands for 1 to 10000 processes, each with one connection and 1 to 100 informers (reflectors). What they give up after some time they must be able to begin.",
        bad: scenario!(r#""informers": [ { "name": "agents", "processes": 0 } ]"#),
        good: scenario!(r#""informers": [ { "name": "agents", "processes": 300 } ]"#),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let informers = subject.scenario.informers.iter();
    informers
        .flat_map(|informers| informers.section.problems(CODE, informers.section.params.check()))
        .collect()
}

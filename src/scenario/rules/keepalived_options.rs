//! Options of keepalived that contradict each other, in one instance or between several.

use super::all::scenario;
use super::{Problem, Rule};
use crate::components::keepalived::KeepalivedParams;
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::lower::Subject;

const CODE: Code = Code::new(237);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "keepalived options that contradict each other or run badly",
        explanation: "Priorities are 1 to 254, advert_int of version 2 is whole seconds and the same everywhere. With state MASTER keepalived ignores nopreempt. The weight of a failing script must take the priority below that of the next instance, or the address never moves.",
        bad: scenario!(
            r#""cluster": { "endpoint": { "loadBalancers": { "keepalived": { "priority": [101, 90], "track_process": { "weight": -5 } } } } }"#
        ),
        good: scenario!(
            r#""cluster": { "endpoint": { "loadBalancers": { "keepalived": { "priority": [101, 100], "track_process": { "weight": -5 } } } } }"#
        ),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let program = &subject.scenario.cluster.kinds.keepalived;
    let mut problems: Vec<Problem> = Vec::new();
    for section in program.sections() {
        // An instance with options of its own has the others in common with all.
        let found = section.problems(CODE, section.params.check());
        for problem in found {
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
    }
    let instances = subject.keepalived();
    for (at, (name, params)) in instances.iter().enumerate() {
        let others = instances.iter().enumerate().filter(|(other, _)| *other != at);
        let others: Vec<&KeepalivedParams> = others.map(|(_, (_, params))| params).collect();
        for problem in program.of(name).problems(CODE, params.check_beside(&others)) {
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
    }
    problems
}

//! Metrics count from a fault that exists.

use super::all::scenario;
use super::{Problem, Rule};
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::lower::Subject;

const CODE: Code = Code::new(217);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "a position at which there is no fault",
        explanation: "`run.measureFrom` is the position, from 0, of the fault that is the zero of metrics such as etcd.election. Its repair is the event that undoes it.",
        bad: scenario!(
            r#""faults": [ { "at": "30s", "kill": "cp1/etcd" } ], "run": { "measureFrom": 1 }"#
        ),
        good: scenario!(
            r#""faults": [ { "at": "30s", "kill": "cp1/etcd" } ], "run": { "measureFrom": 0 }"#
        ),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let run = &subject.scenario.run.section;
    let count = subject.scenario.faults.len();
    if run.params.measure_from == 0 || (run.params.measure_from as usize) < count {
        return Vec::new();
    }
    let message = format!("there is no fault {}", run.params.measure_from);
    let help = match count {
        0 => "there are no faults".to_owned(),
        count => format!("the faults are numbered from 0 to {}", count - 1),
    };
    vec![Problem::error(CODE, run.place("measureFrom"), message).help(help)]
}

//! Nothing repeats without a pause, and nothing lasts no time.

use super::all::scenario;
use super::{Problem, Rule};
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::document::Path;
use crate::scenario::lower::Subject;

const CODE: Code = Code::new(219);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "a span that must not be zero",
        explanation: "A client that sends every 0s or a fault that repeats every 0s would never let time pass, and a run of 0s shows nothing.",
        bad: scenario!(r#""clients": [ { "name": "dashboard", "every": "0s" } ]"#),
        good: scenario!(r#""clients": [ { "name": "dashboard", "every": "100ms" } ]"#),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let scenario = &subject.scenario;
    let mut problems = Vec::new();
    let mut positive = |zero: bool, path: Path, name: &str| {
        if zero {
            problems.push(Problem::error(CODE, path, format!("`{name}` must be above 0s")));
        }
    };
    let run = &scenario.run.section;
    positive(run.params.until.is_zero(), run.place("until"), "until");
    for client in &scenario.clients {
        let options = &client.section.params;
        positive(options.every.is_zero(), client.section.place("every"), "every");
        positive(options.timeout.is_zero(), client.section.place("timeout"), "timeout");
    }
    for fault in &scenario.faults {
        let every = fault.every.as_ref();
        let zero = every.is_some_and(|law| law.mean() <= LEAST_MEAN);
        positive(zero, fault.path.key("every"), "every");
    }
    problems
}

/// Least mean time between repetitions of a fault, in seconds: a nanosecond.
const LEAST_MEAN: f64 = 1e-9;

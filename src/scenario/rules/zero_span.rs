//! Nothing repeats without a pause, and nothing lasts no time.
//!
//! The least pauses are far below what anybody asks for, and keep a run's events within bounds.

use super::all::scenario;
use super::{Problem, Rule};
use crate::kernel::time::Duration;
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::document::Path;
use crate::scenario::lower::Subject;

const CODE: Code = Code::new(219);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "a span that is too short",
        explanation: "A client that sends every 0s or a fault that repeats every 0s would never let time pass, \
            and a run of 0s shows nothing. Clients send at most each 100us, faults repeat at most each 1ms.",
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
        positive(options.timeout.is_zero(), client.section.place("timeout"), "timeout");
    }
    let mut at_least = |short: bool, path: Path, least: &str| {
        if short {
            let message = format!("`every` must be at least {least}");
            problems.push(Problem::error(CODE, path, message));
        }
    };
    for client in &scenario.clients {
        let short = client.section.params.every < LEAST_BETWEEN_REQUESTS;
        at_least(short, client.section.place("every"), "100us");
    }
    for fault in &scenario.faults {
        let short = fault.every.as_ref().is_some_and(|law| law.mean() < LEAST_BETWEEN_FAULTS);
        at_least(short, fault.path.key("every"), "1ms");
    }
    problems
}

/// Least time between requests of a client: ten thousand a second.
const LEAST_BETWEEN_REQUESTS: Duration = Duration::from_micros(100);

/// Least mean time between repetitions of a fault, in seconds.
const LEAST_BETWEEN_FAULTS: f64 = 1e-3;

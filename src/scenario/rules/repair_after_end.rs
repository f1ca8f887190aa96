//! Faults that end after the run.

use super::all::scenario;
use super::fault_after_end::least;
use super::{Problem, Rule};
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::lower::Subject;

const CODE: Code = Code::new(209);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "a fault that ends after the run",
        explanation: "`for` says how long a fault lasts. If it ends after `run.until`, the run shows the fault without its repair; leave `for` out to say so, or let the run be longer.",
        bad: scenario!(
            r#""faults": [ { "at": "1m", "pause": "cp1/etcd", "for": "10m" } ], "run": { "until": "5m" }"#
        ),
        good: scenario!(
            r#""faults": [ { "at": "1m", "pause": "cp1/etcd", "for": "10s" } ], "run": { "until": "5m" }"#
        ),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let run = &subject.scenario.run.section;
    let until = run.params.until;
    let mut problems = Vec::new();
    for fault in &subject.scenario.faults {
        let Some(lasts) = &fault.lasts else { continue };
        let (at, lasts) = (least(&fault.at), least(lasts));
        if at < until && at.saturating_add(lasts) >= until {
            let message = format!("the run ends after {}, before this fault ends", until.human());
            let problem = Problem::warning(CODE, fault.path.key("for"), message)
                .also(run.place("until"), "the end of the run");
            problems.push(problem.help("leave `for` out, or let the run be longer"));
        }
    }
    problems
}

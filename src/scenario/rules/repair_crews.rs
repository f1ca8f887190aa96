//! Crews and windows that can do their work.

use super::all::scenario;
use super::{Problem, Rule};
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::lower::Subject;

const CODE: Code = Code::new(251);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "repairs or work that nobody can do",
        explanation: "A crew is at least one, and a class has one crew: with two it would be open who comes. Windows of planned work come round after more than no time.",
        bad: scenario!(
            r#""reliability": { "crews": [ { "count": 0, "for": ["machines.controlPlane"] } ] }"#
        ),
        good: scenario!(
            r#""reliability": { "crews": [ { "count": 1, "for": ["machines.controlPlane"] } ] }"#
        ),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let section = &subject.scenario.reliability;
    let mut problems = Vec::new();
    let mut taken: Vec<&str> = Vec::new();
    for crew in &section.crews {
        if crew.count == 0 {
            let problem = Problem::error(CODE, crew.path.key("count"), "a crew of nobody");
            problems.push(problem.help("leave the crew out where repairs need none"));
        }
        for (at, class) in crew.classes.iter().enumerate() {
            if taken.contains(&class.as_str()) {
                let place = crew.path.key("for").index(at);
                let message = format!("`{}` has a crew already", class.escape_debug());
                problems.push(Problem::error(CODE, place, message));
            }
            taken.push(class);
        }
    }
    for work in section.work.iter().filter(|work| work.every.is_zero()) {
        let message = "windows that come round at once";
        problems.push(Problem::error(CODE, work.path.key("every"), message));
    }
    problems
}

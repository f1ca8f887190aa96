//! Failures take time to come.

use super::all::scenario;
use super::{Problem, Rule};
use crate::kernel::law::Law;
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::document::Path;
use crate::scenario::lower::Subject;

const CODE: Code = Code::new(252);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "a failure that comes at once",
        explanation: "A law of failure with a mean of zero lets a thing fail again in the instant in which it is repaired, without end.",
        bad: scenario!(
            r#""reliability": { "machines": { "controlPlane": { "failure": "0s", "repair": "1h" } } }"#
        ),
        good: scenario!(
            r#""reliability": { "machines": { "controlPlane": { "failure": "1000h", "repair": "1h" } } }"#
        ),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let section = &subject.scenario.reliability;
    let classes = section.classes.iter().flat_map(|entry| &entry.modes);
    let own = section.overrides.iter().flat_map(|own| &own.modes);
    let modes = classes.chain(own).map(|mode| (&mode.failure, mode.path.key("failure")));
    let groups = section.zones.iter().chain(&section.racks);
    let groups = groups.map(|group| (&group.failure, group.path.key("failure")));
    let shocks = section.shocks.iter().map(|shock| (&shock.every, shock.path.key("every")));
    let all: Vec<(&Law, Path)> = modes.chain(groups).chain(shocks).collect();
    let at_once = all.into_iter().filter(|(law, _)| law.mean() <= 0.0);
    at_once
        .map(|(_, path)| {
            let problem = Problem::error(CODE, path, "this fails at once, again and again");
            problem.help("give a time above 0s")
        })
        .collect()
}

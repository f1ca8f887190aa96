//! Processes with options of their own exist.

use super::all::scenario;
use super::{Problem, Rule};
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::lower::Subject;
use crate::scenario::reader::nearest;

const CODE: Code = Code::new(221);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "options for a process that does not exist",
        explanation: "`cluster.overrides` gives single processes other options than the rest of their program, by the name of the process: cp1/etcd, lb2/keepalived.",
        bad: scenario!(
            r#""cluster": { "overrides": { "cp4/etcd": { "election-timeout": "2s" } } }"#
        ),
        good: scenario!(
            r#""cluster": { "overrides": { "cp3/etcd": { "election-timeout": "2s" } } }"#
        ),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let map = &subject.layout.map;
    let mut problems = Vec::new();
    for (name, path) in subject.scenario.cluster.kinds.overridden() {
        if map.find_component(name).is_some() {
            continue;
        }
        let message = format!("there is no process `{}`", name.escape_debug());
        let problem = Problem::error(CODE, path.clone(), message);
        let processes =
            map.components().filter(|(_, c)| c.kind.is_process()).map(|(_, c)| &*c.name);
        problems.push(match nearest(name, processes) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem,
        });
    }
    problems
}

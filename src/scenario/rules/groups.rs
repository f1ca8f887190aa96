//! Groups of machines name machines that exist.

use super::all::scenario;
use super::{Problem, Rule};
use crate::fault::nearest::nearest;
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::lower::Subject;
use crate::scenario::reader::listed;

const CODE: Code = Code::new(222);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "a group of machines that do not exist",
        explanation: "`cluster.groups` names machines that share a rack, a switch or a hypervisor, so that one fault may hit them all: `group rack-1`. A group has at least one machine, and each of them is one of the cluster's.",
        bad: scenario!(r#""cluster": { "groups": { "rack-1": ["cp1", "cp9"] } }"#),
        good: scenario!(r#""cluster": { "groups": { "rack-1": ["cp1", "lb1"] } }"#),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let map = &subject.layout.map;
    let mut problems = Vec::new();
    for group in &subject.scenario.cluster.groups {
        if group.machines.is_empty() {
            let message = format!("the group `{}` has no machines", group.name.escape_debug());
            problems.push(Problem::error(CODE, group.path.clone(), message));
        }
        let names = || map.machines().map(|(_, machine)| machine.name.as_str());
        for (at, name) in group.machines.iter().enumerate() {
            if map.find_machine(name).is_some() {
                continue;
            }
            let help = match nearest(name, names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the machines are {}", listed(names(), "and")),
            };
            let message = format!("there is no machine `{}`", name.escape_debug());
            problems.push(Problem::error(CODE, group.path.index(at), message).help(help));
        }
    }
    problems
}

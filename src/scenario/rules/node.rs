//! Nodes of claims exist.

use super::all::scenario;
use super::{Problem, Rule};
use crate::component::id::Kind;
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::lower::Subject;
use crate::scenario::raw::expect::Subject as Claimed;
use crate::scenario::reader::listed;

const CODE: Code = Code::new(214);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "a node that does not exist",
        explanation: "Machines with a kubelet are nodes: the control-plane machines and the workers. Balancers, etcd machines of their own and the place of the clients are not.",
        bad: scenario!(r#""expect": [ { "node": "lb1", "is": "NotReady" } ]"#),
        good: scenario!(r#""expect": [ { "node": "cp1", "is": "NotReady" } ]"#),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let map = &subject.layout.map;
    let nodes: Vec<&str> = map.of_kind(Kind::Kubelet).map(|id| map.place(id)).collect();
    let mut problems = Vec::new();
    for expect in &subject.scenario.expect {
        let Claimed::Node(name, _) = &expect.subject else { continue };
        if !nodes.contains(&name.as_str()) {
            let message = format!("there is no node `{}`", name.escape_debug());
            let problem = Problem::error(CODE, expect.path.key("node"), message);
            let few = nodes.iter().copied().take(NODES_LISTED);
            problems.push(problem.help(format!("nodes are for example {}", listed(few, "and"))));
        }
    }
    problems
}

/// How many nodes a message lists.
const NODES_LISTED: usize = 9;

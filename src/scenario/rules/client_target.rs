//! Clients ask servers that exist and can answer.

use super::all::scenario;
use super::{Problem, Rule};
use crate::component::id::{ComponentId, Kind};
use crate::component::param::sort;
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::lower::Subject;
use crate::scenario::raw::Placed;
use crate::scenario::reader::nearest;

const CODE: Code = Code::new(218);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "a client's target that does not exist",
        explanation: "A client asks the `endpoint`, each member of `etcd`, each `kube-apiserver`, or the processes that a list names. Only etcd members and API servers answer requests.",
        bad: scenario!(r#""clients": [ { "name": "dashboard", "target": "cp1/kubelet" } ]"#),
        good: scenario!(
            r#""clients": [ { "name": "dashboard", "target": "cp1/kube-apiserver" } ]"#
        ),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let mut problems = Vec::new();
    for client in &subject.scenario.clients {
        for target in &client.target {
            problems.extend(wrong(subject, target, client.target.len()));
        }
    }
    problems
}

fn wrong(subject: &Subject, target: &Placed, targets: usize) -> Option<Problem> {
    let map = &subject.layout.map;
    let Some(name) = target.value.as_str() else {
        let message = format!("expected a name, found {}", sort(&target.value));
        return Some(Problem::error(CODE, target.path.clone(), message));
    };
    if name == "endpoint" && targets == 1 {
        return None;
    }
    let servers = subject.layout.servers(name);
    let answers =
        |id: &ComponentId| matches!(map.component(*id).kind, Kind::Etcd | Kind::ApiServer);
    if !servers.is_empty() && servers.iter().all(answers) {
        return None;
    }
    let message = format!("`{}` answers no requests of clients", name.escape_debug());
    let help = match nearest(
        name,
        map.components().filter(|(id, _)| answers(id)).map(|(_, c)| &*c.name),
    ) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "write `endpoint`, `etcd`, `kube-apiserver`, or a list of processes".to_owned(),
    };
    Some(Problem::error(CODE, target.path.clone(), message).help(help))
}

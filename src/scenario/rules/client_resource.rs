//! A client that names a sort of object asks somebody who stores sorts apart.

use super::all::scenario;
use super::{Problem, Rule};
use crate::component::id::Kind;
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::lower::Subject;
use crate::scenario::raw::client::{ClassWord, Client, ResourceWord};

const CODE: Code = Code::new(242);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "a client's resource where none is meant",
        explanation: "An API server stores each sort of object over connections to etcd of its own; `resource` names the one that a client's quorum reads (`read`) or writes (`write`) go to. Whoever only connects, reads from the watch cache or asks etcd itself goes to none of them.",
        bad: scenario!(
            r#""clients": [ { "name": "leases", "class": "read-cached", "resource": "leases" } ]"#
        ),
        good: scenario!(
            r#""clients": [ { "name": "leases", "class": "read", "resource": "leases" } ]"#
        ),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let clients = subject.scenario.clients.iter();
    let given = clients.filter(|client| client.section.params.resource != ResourceWord::Objects);
    given
        .filter_map(|client| {
            let what = without_effect(subject, client)?;
            let message = format!("`resource` means nothing for a client that {what}");
            let problem = Problem::error(CODE, client.section.place("resource"), message);
            Some(problem.help("leave it out, or give it `\"class\": \"read\"` or `\"write\"`"))
        })
        .collect()
}

/// What makes the resource of a client mean nothing.
fn without_effect(subject: &Subject, client: &Client) -> Option<&'static str> {
    let layout = &subject.layout;
    let named = client.target.iter().filter_map(|target| target.value.as_str());
    let mut servers = named.flat_map(|name| layout.servers(name));
    match client.section.params.class {
        ClassWord::Connect => Some("only connects"),
        ClassWord::ReadCached => Some("reads from the watch cache"),
        ClassWord::Read | ClassWord::Write => servers
            .any(|id| layout.map.component(id).kind == Kind::Etcd)
            .then_some("asks etcd itself"),
    }
}

//! A client that keeps its connection has one place to connect to, and something to ask.

use super::all::scenario;
use super::{Problem, Rule};
use crate::component::id::{ComponentId, Kind};
use crate::components::client::{ConnectionOptions, ConnectionUse};
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::lower::Subject;
use crate::scenario::raw::client::{ClassWord, Client};
use crate::scenario::reader::listed;
use crate::scenario::section::Section;

const CODE: Code = Code::new(241);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "a long-lived connection that contradicts itself",
        explanation: "A client with `connection: long-lived` sends its reads or writes over one connection to the endpoint or to one API server. At a settled start it stands with the API server of a control-plane machine (`connectedTo`). The options of such a connection mean nothing for a client that opens one for each request.",
        bad: scenario!(
            r#""clients": [ { "name": "operator", "connection": "long-lived", "connectedTo": "lb1" } ]"#
        ),
        good: scenario!(
            r#""clients": [ { "name": "operator", "connection": "long-lived", "connectedTo": "cp1" } ]"#
        ),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let clients = subject.scenario.clients.iter();
    clients
        .flat_map(|client| match client.connection.params.connection {
            ConnectionUse::LongLived => contradictions(subject, client),
            ConnectionUse::PerRequest => meaningless(&client.connection),
        })
        .collect()
}

/// Options of a connection that is not kept.
fn meaningless(section: &Section<ConnectionOptions>) -> Vec<Problem> {
    let names = Section::<ConnectionOptions>::names().into_iter();
    let given = names.filter(|name| *name != "connection" && section.gives(name));
    let problem = |name: &str| {
        let message = format!("`{name}` is an option of a long-lived connection");
        Problem::error(CODE, section.place(name), message)
            .help("add `\"connection\": \"long-lived\"`, or leave it out")
    };
    given.map(problem).collect()
}

fn contradictions(subject: &Subject, client: &Client) -> Vec<Problem> {
    let section = &client.connection;
    let mut problems: Vec<Problem> = [wrong_target(subject, client), wrong_start(subject, section)]
        .into_iter()
        .flatten()
        .collect();
    let mut error = |name: &str, place, message: &str| {
        problems.push(Problem::error(CODE, place, format!("`{name}` {message}")));
    };
    if client.section.params.class == ClassWord::Connect {
        let place = client.section.place("class");
        error("connect", place, "opens a connection for each request, and keeps none");
    }
    if section.params.ping_timeout == 0 {
        let name = "HTTP2_PING_TIMEOUT_SECONDS";
        error(name, section.place(name), "must be at least 1; the default is 15");
    }
    if section.params.handshake_timeout.is_zero() {
        error("tlsHandshakeTimeout", section.place("tlsHandshakeTimeout"), "must be above 0s");
    }
    if client.section.params.dial_timeout.is_zero() {
        error("dialTimeout", client.section.place("dialTimeout"), "must be above 0s");
    }
    problems
}

/// The endpoint, or one API server.
fn wrong_target(subject: &Subject, client: &Client) -> Option<Problem> {
    let layout = &subject.layout;
    let named = client.target.iter().filter_map(|target| target.value.as_str());
    let servers: Vec<ComponentId> = named.flat_map(|name| layout.servers(name)).collect();
    let one = |id: &ComponentId| layout.map.component(*id).kind == Kind::ApiServer;
    if servers.len() <= 1 && servers.iter().all(one) {
        return None;
    }
    let place = client.target.first()?.path.clone();
    let message = "a long-lived connection leads to the endpoint or to one API server";
    Some(Problem::error(CODE, place, message).help("write for example `cp1/kube-apiserver`"))
}

fn wrong_start(subject: &Subject, section: &Section<ConnectionOptions>) -> Option<Problem> {
    let name = section.params.connected_to.as_ref()?;
    let map = &subject.layout.map;
    let machines: Vec<&str> = map.of_kind(Kind::ApiServer).map(|id| map.place(id)).collect();
    if machines.contains(&name.as_str()) {
        return None;
    }
    let message = format!("there is no API server on `{}`", name.escape_debug());
    let help = format!("API servers are on {}", listed(machines.into_iter(), "and"));
    Some(Problem::error(CODE, section.place("connectedTo"), message).help(help))
}

//! Machines that are said to lead can do so.

use super::all::scenario;
use super::{Problem, Rule};
use crate::component::id::Kind;
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::document::Path;
use crate::scenario::lower::Subject;
use crate::scenario::raw::cluster::EndpointKind;
use crate::scenario::raw::expect::Subject as Claimed;
use crate::scenario::raw::run::StartWord;
use crate::scenario::reader::listed;

const CODE: Code = Code::new(213);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "a leader on a machine that cannot lead",
        explanation: "`run.leaders` and claims name the machine on which the leader of etcd, the holder of a Lease or the holder of the address runs. That machine needs such a process. A cold start has no leaders to name.",
        bad: scenario!(r#""run": { "leaders": { "etcd": "lb1" } }"#),
        good: scenario!(r#""run": { "leaders": { "etcd": "cp2" } }"#),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let run = &subject.scenario.run;
    let mut problems = Vec::new();
    for leader in &run.leaders {
        problems.extend(cannot_lead(subject, &leader.what, &leader.machine, &leader.path));
    }
    if run.section.params.start == StartWord::Cold && !run.leaders.is_empty() {
        let message = "nobody leads before a cold start";
        let problem = Problem::error(CODE, run.section.path.key("leaders"), message)
            .also(run.section.place("start"), "a cold start");
        problems.push(problem.help("leave `leaders` out, or `start` with its default `settled`"));
    }
    for expect in &subject.scenario.expect {
        if let Claimed::Leader(what, Some(machine)) = &expect.subject {
            problems.extend(cannot_lead(subject, what, machine, &expect.path.key("is")));
        }
    }
    problems
}

fn cannot_lead(subject: &Subject, what: &str, machine: &str, path: &Path) -> Option<Problem> {
    let kind = match what {
        "vip" if subject.scenario.cluster.endpoint.params.kind == EndpointKind::KubeVip => {
            Kind::KubeVip
        }
        "vip" => Kind::Keepalived,
        name => Kind::ALL.into_iter().find(|kind| kind.name() == name)?,
    };
    let map = &subject.layout.map;
    if map.find_machine(machine).and_then(|machine| map.local(machine, kind)).is_some() {
        return None;
    }
    let places: Vec<&str> = map.of_kind(kind).map(|id| map.place(id)).collect();
    let message = format!("`{}` has no {}", machine.escape_debug(), kind.name());
    let help = match places.as_slice() {
        [] => format!("this cluster has no {}", kind.name()),
        places => format!("{} runs on {}", kind.name(), listed(places.iter().copied(), "and")),
    };
    Some(Problem::error(CODE, path.clone(), message).help(help))
}

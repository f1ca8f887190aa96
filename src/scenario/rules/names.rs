//! Names are given once.

use super::all::scenario;
use super::{Problem, Rule};
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::document::Path;
use crate::scenario::lower::Subject;
use crate::scenario::lower::layout::OUTSIDE;

const CODE: Code = Code::new(204);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "a name that is taken",
        explanation: "Zones and clients are named by the scenario; machines and their processes have names of their own (cp1, cp1/etcd). A name stands for one thing, so that faults, clients and results are never in doubt about it.",
        bad: scenario!(r#""clients": [ { "name": "cp1" } ]"#),
        good: scenario!(r#""clients": [ { "name": "dashboard" } ]"#),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let scenario = &subject.scenario;
    let mut problems = Vec::new();
    let zones = &scenario.cluster.zones;
    for (at, zone) in zones.names.iter().enumerate() {
        if zone.is_empty() || zones.names[..at].contains(zone) {
            let message = format!("the zone `{}` needs a name of its own", zone.escape_debug());
            problems.push(Problem::error(CODE, zones.path.index(at), message));
        }
    }
    let clients = scenario.clients.iter().map(|c| (&c.name, &c.section.path));
    let informers = scenario.informers.iter().map(|i| (&i.name, &i.section.path));
    let named: Vec<(&String, &Path)> = clients.chain(informers).collect();
    for (at, (name, path)) in named.iter().copied().enumerate() {
        let twice = named[..at].iter().any(|(other, _)| *other == name);
        let map = &subject.layout.map;
        let taken = map.find_machine(name).is_some_and(|_| name != OUTSIDE)
            || name.contains('/')
            || name.is_empty();
        if twice || taken {
            let message = format!("the client `{}` needs a name of its own", name.escape_debug());
            let problem = Problem::error(CODE, path.key("name"), message);
            problems.push(
                problem.help(
                    "machines, processes and other clients have theirs; `/` is for processes",
                ),
            );
        }
    }
    problems
}

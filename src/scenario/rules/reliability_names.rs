//! Things, classes and machines that `reliability` names exist.

use super::all::scenario;
use super::{Problem, Rule};
use crate::component::map::MachineRole;
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::document::Path;
use crate::scenario::lower::Subject;
use crate::scenario::lower::reliability::things;
use crate::scenario::raw::reliability::Class;
use crate::scenario::reader::nearest;

const CODE: Code = Code::new(250);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "a failure of something that does not exist",
        explanation: "`reliability.overrides` names single things: a machine (cp1), its disk or link (cp1/disk, cp1/link), a process (cp1/etcd), the `cluster`. `racks` name machines, `crews` classes such as machines.etcd, `zones` those of machines, `plannedWork` classes of machines or machines.",
        bad: scenario!(
            r#""reliability": { "overrides": { "cp4": { "perYear": 2, "repair": "1h" } } }"#
        ),
        good: scenario!(
            r#""reliability": { "overrides": { "cp3": { "perYear": 2, "repair": "1h" } } }"#
        ),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let section = &subject.scenario.reliability;
    let map = &subject.layout.map;
    let things = things(&subject.layout);
    let inside = || map.machines().filter(|(_, entry)| entry.role != MachineRole::Outside);
    let machines: Vec<&str> = inside().map(|(_, entry)| entry.name.as_str()).collect();
    let classes: Vec<&str> = Class::ALL.iter().map(|(_, name)| *name).collect();
    let of_machines = |name: &&str| name.starts_with("machines.");
    let workable: Vec<&str> =
        classes.iter().copied().filter(of_machines).chain(machines.iter().copied()).collect();
    let named: Vec<&str> = things.iter().map(|thing| thing.name.as_str()).collect();
    let mut problems = Vec::new();
    for own in &section.overrides {
        problems.extend(known(&own.name, &named, "thing that fails", own.path.clone()));
    }
    for rack in &section.racks {
        problems.extend(each(&rack.machines, &machines, "machine", &rack.path.key("machines")));
    }
    let hit = section.zones.as_ref().and_then(|zones| Some((zones.classes.as_ref()?, zones)));
    if let Some((names, zones)) = hit {
        let classes: Vec<&str> = classes.iter().copied().filter(of_machines).collect();
        problems.extend(each(names, &classes, "class of machines", &zones.path.key("for")));
    }
    for crew in &section.crews {
        problems.extend(each(&crew.classes, &classes, "class of things", &crew.path.key("for")));
    }
    for work in &section.work {
        let what = "machine or class of machines";
        problems.extend(each(&work.on, &workable, what, &work.path.key("on")));
    }
    problems
}

fn each<'a>(
    names: &'a [String],
    valid: &'a [&str],
    what: &'a str,
    path: &'a Path,
) -> impl Iterator<Item = Problem> + 'a {
    let names = names.iter().enumerate();
    names.filter_map(move |(at, name)| known(name, valid, what, path.index(at)))
}

fn known(name: &str, valid: &[&str], what: &str, path: Path) -> Option<Problem> {
    if valid.contains(&name) {
        return None;
    }
    let message = format!("there is no {what} `{}`", name.escape_debug());
    let problem = Problem::error(CODE, path, message);
    Some(match nearest(name, valid.iter().copied()) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem,
    })
}

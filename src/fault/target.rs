//! Whom a fault hits, as scenarios write it: names, roles at that moment, zones, random choices.

use super::Whom;
use super::nearest::nearest;
use crate::component::id::Kind;
use crate::component::map::{MachineRole, Map};
use crate::component::param::sort;
use crate::plan::schedule::Target;
use serde_json::Value;

/// What is wrong with a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetProblem {
    /// What sort of problem.
    pub sort: TargetProblemSort,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: String,
}

/// Sorts of problems with targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetProblemSort {
    /// No machine, process, role or zone is called so.
    Unknown,
    /// There is such a thing, but the verb does not act on it.
    WrongKind,
    /// Not written as a target is.
    Form,
}

/// What a target is, for the check against the verb.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Sort {
    /// A process by name.
    Process(Kind, String),
    /// A process by role, or one of several.
    Role(Kind),
    /// A machine, by name or role.
    Machine(String),
    /// Every machine of a zone.
    Zone(String),
    /// Every machine of a group that the scenario names.
    Group(String),
}

/// The words for groups from which `random` draws, with the machines they mean.
const GROUPS: [(&str, MachineRole); 4] = [
    ("controlPlane", MachineRole::ControlPlane),
    ("workers", MachineRole::Worker),
    ("loadBalancers", MachineRole::LoadBalancer),
    ("etcdMachines", MachineRole::Etcd),
];

/// Kinds that have a leader.
const LED: [Kind; 3] = [Kind::Etcd, Kind::Scheduler, Kind::ControllerManager];

/// Reads one target of a verb.
///
/// # Errors
/// What is wrong with it.
pub fn read(value: &Value, whom: Whom, map: &Map) -> Result<Target, TargetProblem> {
    let (target, sort) = match value {
        Value::String(text) if whom == Whom::Zones => zone(text, map)?,
        Value::String(text) => named(text, map)?,
        Value::Object(fields) if fields.len() == 1 && fields.contains_key("random") => {
            return random(&fields["random"], whom, map);
        }
        other => return Err(form(other)),
    };
    fits(&sort, whom, map)?;
    Ok(target)
}

fn form(value: &Value) -> TargetProblem {
    TargetProblem {
        sort: TargetProblemSort::Form,
        message: format!("expected a target, found {}", sort(value)),
        help: "a target is a name such as \"cp1\" or \"cp1/etcd\", a role such as \"leader of etcd\", \"zone a\", \"group rack-1\", or {\"random\": [\"cp1\", \"cp2\"]}".to_owned(),
    }
}

fn unknown(message: String, help: String) -> TargetProblem {
    TargetProblem { sort: TargetProblemSort::Unknown, message, help }
}

fn wrong(message: String, help: String) -> TargetProblem {
    TargetProblem { sort: TargetProblemSort::WrongKind, message, help }
}

type Read = Result<(Target, Sort), TargetProblem>;

fn named(text: &str, map: &Map) -> Read {
    if let Some((kind, place)) = text.split_once(" on ") {
        return on(kind, place, map);
    }
    if let Some(kind) = text.strip_prefix("leader of ") {
        let kind = led(kind)?;
        return Ok((Target::LeaderOf(kind), Sort::Role(kind)));
    }
    if let Some(kind) = text.strip_prefix("follower of ") {
        let kind = led(kind)?;
        return Ok((Target::FollowerOf(kind), Sort::Role(kind)));
    }
    if text == "holder of vip" {
        return holder(map).map(|kind| (Target::HolderOfVip, Sort::Role(kind)));
    }
    if let Some(role) = text.strip_prefix("machine of ") {
        let target = match named(role, map)?.0 {
            Target::LeaderOf(kind) => Target::MachineOfLeader(kind),
            Target::HolderOfVip => Target::MachineOfVip,
            other => other,
        };
        return Ok((target, Sort::Machine(text.to_owned())));
    }
    if let Some(name) = text.strip_prefix("zone ") {
        return zone(name, map);
    }
    if let Some(name) = text.strip_prefix("group ") {
        return group(name, map);
    }
    plain(text, map)
}

fn group(name: &str, map: &Map) -> Read {
    if let Some((_, machines)) = map.groups().find(|(known, _)| *known == name) {
        let machines = machines.iter().map(|machine| Target::Machine(*machine)).collect();
        return Ok((Target::Each(machines), Sort::Group(name.to_owned())));
    }
    let known: Vec<&str> = map.groups().map(|(name, _)| name).collect();
    let help = match (nearest(name, known.iter().copied()), known.is_empty()) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, true) => "name groups of machines in `cluster.groups`".to_owned(),
        (None, false) => format!("the groups are {}", known.join(", ")),
    };
    Err(unknown(format!("there is no group `{name}`"), help))
}

fn plain(name: &str, map: &Map) -> Read {
    if let Some(machine) = map.find_machine(name) {
        return Ok((Target::Machine(machine), Sort::Machine(name.to_owned())));
    }
    let Some(id) = map.find_component(name) else {
        return Err(nobody(name, map));
    };
    let kind = map.component(id).kind;
    if !kind.is_process() {
        return Err(wrong(
            format!("`{name}` is an object in the API, not a process or a machine"),
            "faults hit processes, machines, links, disks, clocks and zones".to_owned(),
        ));
    }
    Ok((Target::Process(id), Sort::Process(kind, name.to_owned())))
}

fn nobody(name: &str, map: &Map) -> TargetProblem {
    let machines = map.machines().map(|(_, machine)| machine.name.as_str());
    let processes = map.components().filter(|(_, c)| c.kind.is_process()).map(|(_, c)| &*c.name);
    let help = if let Some(near) = nearest(name, machines.chain(processes)) {
        format!("did you mean `{near}`?")
    } else {
        let machines: Vec<&str> = map.machines().map(|(_, m)| m.name.as_str()).collect();
        format!("the machines are {}", machines.join(", "))
    };
    unknown(format!("there is no machine or process `{name}`"), help)
}

fn on(kind: &str, place: &str, map: &Map) -> Read {
    let processes: Vec<Kind> = Kind::ALL.into_iter().filter(|k| k.is_process()).collect();
    let Some(kind) = processes.iter().copied().find(|k| k.name() == kind) else {
        let names = processes.iter().map(|k| k.name());
        let help = nearest(kind, names).map_or_else(
            || "write for example \"kube-apiserver on machine of leader of etcd\"".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        return Err(unknown(format!("there is no program `{kind}`"), help));
    };
    let place = named(place, map)?.0;
    Ok((Target::On(kind, Box::new(place)), Sort::Role(kind)))
}

fn led(name: &str) -> Result<Kind, TargetProblem> {
    LED.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
        let help = match nearest(name, LED.map(Kind::name)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "etcd, kube-scheduler and kube-controller-manager have leaders".to_owned(),
        };
        unknown(format!("`{name}` has no leader"), help)
    })
}

/// What holds the address.
fn holder(map: &Map) -> Result<Kind, TargetProblem> {
    if let Some(holder) = map.address_holders().next() {
        return Ok(map.component(holder).kind);
    }
    let help =
        "`cluster.endpoint.kind` is neither `vip` nor `kube-vip`, so that nobody holds an address";
    let help = help.to_owned();
    Err(unknown("there is no virtual address here".to_owned(), help))
}

fn zone(name: &str, map: &Map) -> Read {
    if let Some((id, _)) = map.zones().find(|(_, zone)| *zone == name) {
        return Ok((Target::Zone(id), Sort::Zone(name.to_owned())));
    }
    let zones: Vec<&str> = map.zones().map(|(_, zone)| zone).collect();
    let help = format!("the zones are {}", zones.join(", "));
    Err(unknown(format!("there is no zone `{name}`"), help))
}

fn random(among: &Value, whom: Whom, map: &Map) -> Result<Target, TargetProblem> {
    match among {
        Value::Array(items) if !items.is_empty() => {
            let targets: Result<Vec<Target>, _> =
                items.iter().map(|item| read(item, whom, map)).collect();
            targets.map(Target::AnyOf)
        }
        Value::String(group) => group_of(group, whom, map),
        other => Err(form(other)),
    }
}

fn group_of(group: &str, whom: Whom, map: &Map) -> Result<Target, TargetProblem> {
    if let Some((_, role)) = GROUPS.iter().find(|(word, _)| *word == group) {
        fits(&Sort::Machine(group.to_owned()), whom, map)?;
        let machines = map.machines().filter(|(_, machine)| machine.role == *role);
        let targets: Vec<Target> = machines.map(|(id, _)| Target::Machine(id)).collect();
        return some(targets, group);
    }
    if let Some(kind) = Kind::ALL.into_iter().find(|k| k.is_process() && k.name() == group) {
        fits(&Sort::Role(kind), whom, map)?;
        return some(map.of_kind(kind).map(Target::Process).collect(), group);
    }
    let words = GROUPS.iter().map(|(word, _)| *word);
    let programs = Kind::ALL.into_iter().filter(|k| k.is_process()).map(Kind::name);
    let help = match nearest(group, words.chain(programs)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "write a list, a group of machines such as \"controlPlane\", or a program such as \"etcd\"".to_owned(),
    };
    Err(unknown(format!("there is no group `{group}` to draw from"), help))
}

fn some(targets: Vec<Target>, group: &str) -> Result<Target, TargetProblem> {
    if targets.is_empty() {
        let help = "name what the cluster has".to_owned();
        return Err(unknown(format!("the cluster has no {group}"), help));
    }
    Ok(Target::AnyOf(targets))
}

/// Whether a verb acts on such a target.
fn fits(sort: &Sort, whom: Whom, map: &Map) -> Result<(), TargetProblem> {
    match (whom, sort) {
        (Whom::Member | Whom::Succession, sort) => fits(sort, Whom::Processes(&[Kind::Etcd]), map),
        (Whom::Zones, Sort::Zone(_))
        | (
            Whom::Machines | Whom::TwoSides | Whom::FromTo | Whom::Earlier,
            Sort::Machine(_) | Sort::Zone(_) | Sort::Group(_) | Sort::Role(_),
        ) => Ok(()),
        (Whom::Processes(kinds), Sort::Process(kind, _) | Sort::Role(kind)) => {
            if kinds.is_empty() || kinds.contains(kind) {
                return Ok(());
            }
            let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
            let message = format!("this acts on {}, not on {}", names.join(", "), kind.name());
            Err(wrong(message, format!("name a process such as `cp1/{}`", names[0])))
        }
        (Whom::Processes(_), Sort::Machine(name)) => {
            let here = map.find_machine(name).map(|machine| processes(machine, map));
            let which =
                here.map_or_else(String::new, |here| format!(", or name its processes: {here}"));
            Err(wrong(
                format!("`{name}` is a machine; this acts on processes"),
                format!("`powerOff` takes a machine down{which}"),
            ))
        }
        (Whom::Processes(_), Sort::Group(name)) => Err(wrong(
            format!("`group {name}` is a group of machines; this acts on processes"),
            format!("write for example \"kube-apiserver on group {name}\""),
        )),
        (Whom::Processes(_), Sort::Zone(name)) => Err(wrong(
            format!("`zone {name}` is a zone; this acts on processes"),
            "`zoneOutage` takes a zone away".to_owned(),
        )),
        (Whom::Zones, _) => Err(wrong(
            "this acts on zones".to_owned(),
            "name a zone by itself, such as `a`".to_owned(),
        )),
        (_, Sort::Process(_, name)) => {
            let machine = name.split('/').next().unwrap_or(name);
            Err(wrong(
                format!("`{name}` is a process; this acts on machines"),
                format!("write `{machine}`"),
            ))
        }
    }
}

fn processes(machine: crate::component::id::MachineId, map: &Map) -> String {
    let names: Vec<String> =
        map.on_machine(machine).map(|id| format!("`{}`", map.name(id))).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map() -> Map {
        let mut map = Map::default();
        let zone = map.add_zone("a");
        for name in ["cp1", "cp2"] {
            let machine = map.add_machine(name, MachineRole::ControlPlane, zone);
            map.add_process(Kind::Etcd, machine, &format!("{name}/etcd"));
            map.add_process(Kind::ApiServer, machine, &format!("{name}/kube-apiserver"));
        }
        map.add_object(Kind::Lease, "lease/kube-scheduler");
        map.add_group("rack-1", vec![map.find_machine("cp2").unwrap()]);
        map
    }

    const PROCESSES: Whom = Whom::Processes(&[]);

    /// Law: names, roles, places of roles, zones and choices are targets of the verbs they fit.
    #[test]
    fn targets_are_read() {
        let map = map();
        let (machine, etcd) = (map.find_machine("cp2").unwrap(), map.find_component("cp2/etcd"));
        let leader = Target::LeaderOf(Kind::Etcd);
        let place = Target::MachineOfLeader(Kind::Etcd);
        for (value, whom, target) in [
            (json!("cp2"), Whom::Machines, Target::Machine(machine)),
            (json!("cp2/etcd"), PROCESSES, Target::Process(etcd.unwrap())),
            (json!("leader of etcd"), PROCESSES, leader.clone()),
            (json!("leader of etcd"), Whom::Machines, leader),
            (json!("follower of etcd"), PROCESSES, Target::FollowerOf(Kind::Etcd)),
            (json!("machine of leader of etcd"), Whom::TwoSides, place.clone()),
            (
                json!("kube-apiserver on machine of leader of etcd"),
                PROCESSES,
                Target::On(Kind::ApiServer, Box::new(place)),
            ),
            (json!("zone a"), Whom::Machines, Target::Zone(crate::component::id::ZoneId(0))),
            (json!("group rack-1"), Whom::Machines, Target::Each(vec![Target::Machine(machine)])),
            (json!("a"), Whom::Zones, Target::Zone(crate::component::id::ZoneId(0))),
            (
                json!({"random": ["cp2"]}),
                Whom::Machines,
                Target::AnyOf(vec![Target::Machine(machine)]),
            ),
        ] {
            assert_eq!(read(&value, whom, &map), Ok(target), "{value}");
        }
    }

    /// Law: what is no target of a verb is told so, with what would be one.
    #[test]
    fn other_targets_are_refused() {
        use TargetProblemSort::{Form, Unknown, WrongKind};
        let etcd = Whom::Processes(&[Kind::Etcd]);
        for (value, whom, sort, help) in [
            (json!("cp1"), PROCESSES, WrongKind, "`powerOff` takes a machine down"),
            (json!("cp1/etcd"), Whom::Machines, WrongKind, "write `cp1`"),
            (json!("zone a"), PROCESSES, WrongKind, "`zoneOutage`"),
            (json!("cp1/kube-apiserver"), etcd, WrongKind, "`cp1/etcd`"),
            (json!("lease/kube-scheduler"), PROCESSES, WrongKind, "faults hit processes"),
            (json!("cp3"), Whom::Machines, Unknown, "did you mean `cp1`?"),
            (json!("leader of etdc"), PROCESSES, Unknown, "did you mean `etcd`?"),
            (json!("holder of vip"), PROCESSES, Unknown, "`cluster.endpoint.kind`"),
            (json!("group rack-1"), PROCESSES, WrongKind, "on group rack-1"),
            (json!("group rack-2"), Whom::Machines, Unknown, "did you mean `rack-1`?"),
            (json!("b"), Whom::Zones, Unknown, "the zones are a"),
            (json!({"random": "workers"}), Whom::Machines, Unknown, "name what"),
            (json!({"random": []}), Whom::Machines, Form, "a target is"),
            (json!(1), PROCESSES, Form, "a target is"),
        ] {
            let problem = read(&value, whom, &map()).expect_err("no target");
            assert_eq!(problem.sort, sort, "{value}");
            assert!(problem.help.contains(help), "{value}: {}", problem.help);
        }
    }
}

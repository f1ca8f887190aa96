//! Roles that nobody can ever have, so that a fault of whoever has them would hit nothing.

use crate::component::id::{ComponentId, Kind, MachineId};
use crate::fault::target::{TargetProblem, TargetProblemSort};
use crate::plan::schedule::Target;
use crate::scenario::lower::Subject;

/// What is wrong with a target that is read, if it means a role that cannot exist.
pub(super) fn missing(target: &Target, subject: &Subject) -> Option<TargetProblem> {
    match target {
        Target::LeaderOf(kind) | Target::MachineOfLeader(kind) => nobody_leads(*kind, subject),
        Target::FollowerOf(kind) => nobody_leads(*kind, subject).or_else(|| alone(*kind, subject)),
        Target::Each(targets) | Target::AnyOf(targets) => {
            targets.iter().find_map(|target| missing(target, subject))
        }
        Target::On(kind, place) => {
            missing(place, subject).or_else(|| nowhere(*kind, place, subject))
        }
        _ => None,
    }
}

fn problem(message: String, help: String) -> TargetProblem {
    TargetProblem { sort: TargetProblemSort::Unknown, message, help }
}

/// No instance of the program takes part in an election.
fn nobody_leads(kind: Kind, subject: &Subject) -> Option<TargetProblem> {
    let kinds = &subject.scenario.cluster.kinds;
    let name = |id: &ComponentId| subject.layout.map.name(*id).to_owned();
    let mut names = subject.layout.map.of_kind(kind).map(|id| name(&id));
    let elects = match kind {
        Kind::Scheduler => names.any(|name| kinds.scheduler.of(&name).params.leader_elect),
        Kind::ControllerManager => {
            names.any(|name| kinds.controller_manager.of(&name).params.leader_elect)
        }
        _ => true,
    };
    if elects {
        return None;
    }
    Some(problem(
        format!("nobody leads {}: its `leaderElect` is false", kind.name()),
        format!(
            "all instances act; name one, such as `cp1/{}`, or draw one: {{\"random\": \"{}\"}}",
            kind.name(),
            kind.name()
        ),
    ))
}

/// One instance alone has no followers.
fn alone(kind: Kind, subject: &Subject) -> Option<TargetProblem> {
    if subject.layout.map.of_kind(kind).count() > 1 {
        return None;
    }
    let message = format!("there is one {} alone, which nobody follows", kind.name());
    Some(problem(message, format!("write \"leader of {}\"", kind.name())))
}

/// No machine that the place can mean runs the program.
fn nowhere(kind: Kind, place: &Target, subject: &Subject) -> Option<TargetProblem> {
    let map = &subject.layout.map;
    if places(place, subject).into_iter().any(|machine| map.local(machine, kind).is_some()) {
        return None;
    }
    let machines: Vec<&str> = map.of_kind(kind).map(|id| map.place(id)).collect();
    let help = match machines.as_slice() {
        [] => format!("this cluster has no {}", kind.name()),
        machines => format!("{} runs on {}", kind.name(), machines.join(", ")),
    };
    Some(problem(format!("there is no {} on such a machine", kind.name()), help))
}

/// Every machine that a target can mean.
fn places(target: &Target, subject: &Subject) -> Vec<MachineId> {
    let map = &subject.layout.map;
    let of = |kind: Kind| map.of_kind(kind).filter_map(|id| map.machine_of(id)).collect();
    match target {
        Target::Process(id) => map.machine_of(*id).into_iter().collect(),
        Target::Machine(machine) => vec![*machine],
        Target::LeaderOf(kind)
        | Target::FollowerOf(kind)
        | Target::MachineOfLeader(kind)
        | Target::On(kind, _) => of(*kind),
        Target::HolderOfVip | Target::MachineOfVip => {
            map.address_holders().filter_map(|id| map.machine_of(id)).collect()
        }
        Target::Zone(zone) => {
            map.machines().filter(|(_, m)| m.zone == *zone).map(|(id, _)| id).collect()
        }
        Target::Each(targets) | Target::AnyOf(targets) => {
            targets.iter().flat_map(|target| places(target, subject)).collect()
        }
        Target::SameAs(_) | Target::OthersOf(_) => Vec::new(),
    }
}

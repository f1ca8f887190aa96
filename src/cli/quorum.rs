//! `hasim quorum`: quorum mathematics, of a number or of a scenario's etcd members.

use super::Outcome;
use super::arguments::{QuorumArguments, TableFormat};
use super::console::Console;
use super::{input, values};
use crate::analytic::members::{Availabilities, availabilities};
use crate::analytic::votes::MEMBERS_MAX;
use crate::component::id::{ComponentId, Kind};
use crate::plan::Plan;
use crate::report::quorum::{self, Lesson};
use std::path::Path;

/// The part of the time that a member is up where nothing says.
const MEMBER: f64 = 0.99;

/// The part of the time that a zone is up where nothing says.
const ZONE: f64 = 0.9995;

/// Prints the tables.
pub(super) fn quorum(typed: &QuorumArguments, console: &mut Console) -> Outcome {
    let Some(Subject { zones, laws }) = subject(typed, console) else { return Outcome::BadInput };
    let (of_member, of_zone) = (laws.map(|laws| laws.member), laws.and_then(|laws| laws.zone));
    let lesson = Lesson::of(&quorum::Question {
        subject: zones,
        up_to: typed.up_to,
        availability: typed.availability.or(of_member).unwrap_or(MEMBER),
        zone_availability: typed.zone_availability.or(of_zone).unwrap_or(ZONE),
        explain: typed.explain,
    });
    if typed.availability.is_none() && laws.is_some_and(|laws| laws.differ) {
        console.complain("note: members differ in what fails of them; the sums take their mean");
    }
    match typed.format {
        TableFormat::Text => console.print_lines(&lesson.text()),
        TableFormat::Csv => console.print(&lesson.csv()),
        TableFormat::Json => match serde_json::to_string_pretty(&lesson) {
            Ok(text) => console.print(&format!("{text}\n")),
            Err(error) => {
                console.complain(&format!("error: {error}"));
                return Outcome::BadInput;
            }
        },
    }
    Outcome::Done
}

/// What is asked about.
struct Subject {
    /// The voters in question, by zone; one zone where only their number was given.
    zones: Vec<usize>,
    /// What a scenario's laws make of them.
    laws: Option<Availabilities>,
}

impl Subject {
    fn plain(zones: Vec<usize>) -> Self {
        Self { zones, laws: None }
    }
}

/// What is asked about. Complains.
fn subject(typed: &QuorumArguments, console: &mut Console) -> Option<Subject> {
    let given: usize = typed.zones.iter().sum();
    if given > MEMBERS_MAX {
        console.complain(&format!("error: at most {MEMBERS_MAX} members over all zones"));
        return None;
    }
    let Some(subject) = &typed.subject else {
        return Some(Subject::plain(match given {
            0 => typed.up_to.into_iter().collect(),
            _ => typed.zones.clone(),
        }));
    };
    if subject.parse::<f64>().is_err() {
        if given > 0 {
            console.complain("error: `--zones` and a scenario: a scenario has zones of its own");
            return None;
        }
        return input::load(Path::new(subject), console).map(|input| of_plan(&input.plan));
    }
    let members = match values::members(subject) {
        Ok(members) => members,
        Err(right) => {
            console.complain(&format!("error: `{subject}` members: give {right}"));
            return None;
        }
    };
    if given > 0 && given != members {
        let message = format!("error: `--zones` place {given} members, not {members}");
        console.complain(&message);
        return None;
    }
    Some(Subject::plain(if given > 0 { typed.zones.clone() } else { vec![members] }))
}

/// How many of the members that the cluster begins with each zone has, zones without any left out,
/// and what the plan's laws make of them.
fn of_plan(plan: &Plan) -> Subject {
    let map = &plan.map;
    let joined = |id: &ComponentId| !plan.unjoined.contains(id);
    let members: Vec<ComponentId> = map.of_kind(Kind::Etcd).filter(joined).collect();
    let zone_of = |id: &ComponentId| map.machine_of(*id).map(|machine| map.machine(machine).zone);
    let places: Vec<_> = members.iter().filter_map(zone_of).collect();
    let count = |zone| places.iter().filter(|z| **z == zone).count();
    Subject {
        zones: map.zones().map(|(zone, _)| count(zone)).filter(|count| *count > 0).collect(),
        laws: availabilities(plan, &members),
    }
}

//! `hasim quorum`: quorum mathematics, of a number or of a scenario's etcd members.

use super::Outcome;
use super::arguments::{QuorumArguments, TableFormat};
use super::console::Console;
use super::{input, values};
use crate::analytic::votes::MEMBERS_MAX;
use crate::component::id::Kind;
use crate::plan::Plan;
use crate::report::quorum::{self, Lesson};
use std::path::Path;

/// Prints the tables.
pub(super) fn quorum(typed: &QuorumArguments, console: &mut Console) -> Outcome {
    let Some(zones) = spread(typed, console) else { return Outcome::BadInput };
    let lesson = Lesson::of(&quorum::Question {
        subject: zones,
        up_to: typed.up_to,
        availability: typed.availability,
        zone_availability: typed.zone_availability,
        explain: typed.explain,
    });
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

/// The voters in question, by zone; one zone where only their number was given. Complains.
fn spread(typed: &QuorumArguments, console: &mut Console) -> Option<Vec<usize>> {
    let given: usize = typed.zones.iter().sum();
    if given > MEMBERS_MAX {
        console.complain(&format!("error: at most {MEMBERS_MAX} members over all zones"));
        return None;
    }
    let Some(subject) = &typed.subject else {
        return Some(match given {
            0 => typed.up_to.into_iter().collect(),
            _ => typed.zones.clone(),
        });
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
    Some(if given > 0 { typed.zones.clone() } else { vec![members] })
}

/// How many etcd members each zone has, zones without any left out.
fn of_plan(plan: &Plan) -> Vec<usize> {
    let map = &plan.map;
    let zone_of = |id| map.machine_of(id).map(|machine| map.machine(machine).zone);
    let members: Vec<_> = map.of_kind(Kind::Etcd).filter_map(zone_of).collect();
    let count = |zone| members.iter().filter(|z| **z == zone).count();
    map.zones().map(|(zone, _)| count(zone)).filter(|count| *count > 0).collect()
}

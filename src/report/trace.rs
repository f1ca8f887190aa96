//! Every transition as JSON Lines: one object a line, in order, for tools that look for one thing.
//!
//! The first line names the run, its components and its machines; where a fact names another component
//! it does so by position in that list. `atNs` and every instant inside a fact count nanoseconds from
//! the start of the run; `event` and `parent` are positions in the log of events, so that causes can be
//! followed; `detail` is the change in full.

use crate::kernel::time::Time;
use crate::measure::case::Case;
use crate::measure::history::Seen;
use crate::world::event::EventLog;
use crate::world::observer::{Change, Transition};
use serde::Serialize;
use serde_json::{Value, json};

/// One line.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TraceLine {
    /// Nanoseconds from the start of the run.
    pub at_ns: i64,
    /// `fact`, `process`, `power`, `record` or `fault`.
    pub kind: &'static str,
    /// Whose change it is.
    pub of: String,
    /// The event it belongs to.
    pub event: u32,
    /// The event that led to that one.
    pub parent: u32,
    /// Before, for facts and processes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Value>,
    /// After, or what was told.
    pub detail: Value,
}

/// Every line of a run.
pub fn lines(case: &Case) -> Vec<TraceLine> {
    case.history.seen.iter().map(|seen| line(case, seen)).collect()
}

/// A change as data.
fn value(what: &impl Serialize) -> Value {
    serde_json::to_value(what).unwrap_or(Value::Null)
}

/// The first line: what the others refer to.
fn header(case: &Case, seed: u64) -> Value {
    let map = &case.plan.map;
    json!({
        "kind": "run",
        "scenario": case.plan.name,
        "seed": seed,
        "components": map.components().map(|(_, c)| c.name.as_str()).collect::<Vec<_>>(),
        "machines": map.machines().map(|(_, m)| m.name.as_str()).collect::<Vec<_>>(),
    })
}

/// The whole trace as text.
///
/// # Errors
/// None in practice: every value can be written.
pub fn render(case: &Case, seed: u64) -> Result<String, serde_json::Error> {
    let mut text = format!("{}\n", header(case, seed));
    let lines = lines(case);
    for line in &lines {
        text.push_str(&serde_json::to_string(line)?);
        text.push('\n');
    }
    Ok(text)
}

fn line(case: &Case, seen: &Seen) -> TraceLine {
    match seen {
        Seen::Transition(transition) => of_transition(case, transition),
        Seen::Record(recorded) => TraceLine {
            kind: "record",
            of: case.plan.map.name(recorded.of).to_owned(),
            detail: value(&recorded.record),
            ..bare(case.log, seen.at(), seen)
        },
        Seen::Fault(fired) => TraceLine {
            kind: "fault",
            of: fired.targets.join(", "),
            detail: super::blame::fault_words(fired.verb, &fired.targets, fired.undo).into(),
            ..bare(case.log, seen.at(), seen)
        },
    }
}

fn bare(log: &EventLog, at: Time, seen: &Seen) -> TraceLine {
    let because = seen.because();
    TraceLine {
        at_ns: at.since_start_nanos(),
        kind: "fact",
        of: String::new(),
        event: because.0,
        parent: log.get(because).parent.0,
        from: None,
        detail: Value::Null,
    }
}

fn of_transition(case: &Case, transition: &Transition) -> TraceLine {
    let map = &case.plan.map;
    let seen = Seen::Transition(transition.clone());
    let bare = bare(case.log, transition.at, &seen);
    match &transition.change {
        Change::Fact { of, from, to } => TraceLine {
            of: map.name(*of).to_owned(),
            from: Some(value(from)),
            detail: value(to),
            ..bare
        },
        Change::Process { of, from, to, incarnation } => TraceLine {
            kind: "process",
            of: map.name(*of).to_owned(),
            from: Some(value(from)),
            detail: json!({ "state": to, "start": incarnation }),
            ..bare
        },
        Change::Power { machine, on } => TraceLine {
            kind: "power",
            of: map.machine(*machine).name.clone(),
            detail: if *on { "on" } else { "off" }.into(),
            ..bare
        },
    }
}

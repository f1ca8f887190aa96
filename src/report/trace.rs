//! Every transition as JSON Lines: one object a line, in order, for tools that look for one thing.
//!
//! `atNs` counts from the start of the run; `event` and `parent` are positions in the log of events, so
//! that causes can be followed; `detail` is the change in full, for people who debug a model.

use crate::kernel::time::Time;
use crate::measure::case::Case;
use crate::measure::history::Seen;
use crate::world::event::EventLog;
use crate::world::observer::{Change, Transition};
use serde::Serialize;

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
    pub from: Option<String>,
    /// After, or what was told.
    pub detail: String,
}

/// Every line of a run.
pub fn lines(case: &Case) -> Vec<TraceLine> {
    case.history.seen.iter().map(|seen| line(case, seen)).collect()
}

/// The lines as text.
///
/// # Errors
/// None in practice: every value can be written.
pub fn render(lines: &[TraceLine]) -> Result<String, serde_json::Error> {
    let mut text = String::new();
    for line in lines {
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
            detail: format!("{:?}", recorded.record),
            ..bare(case.log, seen.at(), seen)
        },
        Seen::Fault(fired) => TraceLine {
            kind: "fault",
            of: fired.targets.join(", "),
            detail: super::blame::fault_words(fired.verb, &fired.targets, fired.undo),
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
        detail: String::new(),
    }
}

fn of_transition(case: &Case, transition: &Transition) -> TraceLine {
    let map = &case.plan.map;
    let seen = Seen::Transition(transition.clone());
    let bare = bare(case.log, transition.at, &seen);
    match &transition.change {
        Change::Fact { of, from, to } => TraceLine {
            of: map.name(*of).to_owned(),
            from: Some(format!("{from:?}")),
            detail: format!("{to:?}"),
            ..bare
        },
        Change::Process { of, from, to, incarnation } => TraceLine {
            kind: "process",
            of: map.name(*of).to_owned(),
            from: Some(format!("{from:?}")),
            detail: format!("{to:?}, start {incarnation}"),
            ..bare
        },
        Change::Power { machine, on } => TraceLine {
            kind: "power",
            of: map.machine(*machine).name.clone(),
            detail: if *on { "on" } else { "off" }.to_owned(),
            ..bare
        },
    }
}

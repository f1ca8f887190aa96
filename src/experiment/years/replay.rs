//! One trial of a study over years played again, incident by incident, with all that happened.
//!
//! Absent on purpose: text; plans whose protocols are replaced by laws, which have nothing to show
//! beside their sums.

use super::incident::{Incident, QUIET};
use super::ledger::{MEASURES, YearRow};
use super::protocols::{Incidents, add, is_settled};
use crate::experiment::single::Run;
use crate::kernel::stream::Key;
use crate::kernel::time::Duration;
use crate::plan::Plan;

/// An incident of a trial.
#[derive(Clone, Debug)]
pub struct Told {
    /// Which of the trial, from 1.
    pub number: usize,
    /// When it began, since the trial's beginning.
    pub start: Duration,
    /// How long it was observed.
    pub lasts: Duration,
    /// What failed, in order.
    pub failed: Vec<String>,
    /// Time down by measure.
    pub down: [Duration; MEASURES],
}

/// Plays a trial of so long again; `look` sees each incident with its run.
pub fn replay(
    plan: &Plan,
    seed: u64,
    trial: u64,
    span: Duration,
    mut look: impl FnMut(&Told, &Run),
) {
    let mut incidents = Incidents::new(plan, Key::new(seed, trial), span, QUIET);
    let (mut number, end) = (0, span.as_nanos());
    let mut act = |plan: &mut Plan, key: Key, incident: &Incident| {
        let run = Run::of_key(plan, key, (seed, trial));
        let settled = is_settled(plan, run.world(), run.history());
        if settled || incident.end >= end {
            number += 1;
            look(&told(number, incident, &run), &run);
            let leaders = run.case().leaders();
            plan.leaders.named = leaders;
        }
        settled
    };
    while incidents.next(&mut act).is_some() {}
}

fn told(number: usize, incident: &Incident, run: &Run) -> Told {
    let mut row = YearRow::default();
    add(&mut row, incident, run.history());
    let failed = run.history().faults().filter(|fired| !fired.undo);
    Told {
        number,
        start: Duration::from_nanos(incident.start),
        lasts: Duration::from_nanos(incident.end - incident.start),
        failed: failed
            .map(|fired| format!("{} {}", fired.verb, fired.targets.join(", ")))
            .collect(),
        down: row.measures.map(|spell| Duration::from_nanos(spell.down)),
    }
}

//! `hasim run --trial` of a scenario with a `reliability` section: the incidents of one trial of
//! years, or one of them in full.

use super::Outcome;
use super::arguments::{Format, RunArguments};
use super::console::Console;
use super::run;
use crate::experiment::years::replay::{self, Told};
use crate::experiment::years::{check, span_of};
use crate::plan::Plan;
use crate::report;

/// An option of a replay where nothing can be replayed.
pub(super) fn stray(typed: &RunArguments) -> Option<&'static str> {
    let years = typed.years.map(|_| "--years");
    years.or(typed.incident.map(|_| "--incident"))
}

/// Plays a trial again, and prints its incidents.
pub(super) fn replay(typed: &RunArguments, plan: &Plan, console: &mut Console) -> Outcome {
    let shown = possible(typed, plan).and_then(|()| match typed.incident {
        Some(number) => one(number, typed, plan, console),
        None => list(typed, plan, console),
    });
    match shown {
        Ok(()) => Outcome::Done,
        Err(message) => {
            console.complain(&format!("error: {message}"));
            Outcome::BadInput
        }
    }
}

fn possible(typed: &RunArguments, plan: &Plan) -> Result<(), String> {
    check(plan).map_err(|error| error.to_string())?;
    if !plan.timings.are_played() {
        return Err(
            "one number stands for each failover (`timings`): a trial is sums only, and has no \
                    timeline to show; leave `timings` out to see protocols at work"
                .to_owned(),
        );
    }
    if typed.until.is_some() || !typed.at.is_empty() {
        return Err("--until and --at do not go with --trial here: an incident has its own length"
            .to_owned());
    }
    if typed.incident.is_none() && !typed.trace.is_empty() {
        return Err("--trace needs --incident: which of the trial's incidents to write".to_owned());
    }
    Ok(())
}

/// The trial that is meant: seed, number, years.
fn meant(typed: &RunArguments, plan: &Plan) -> (u64, u64, u64) {
    (typed.seed.unwrap_or(plan.seed), typed.trial.unwrap_or(0), typed.years.unwrap_or(1))
}

fn list(typed: &RunArguments, plan: &Plan, console: &mut Console) -> Result<(), String> {
    let (seed, trial, years) = meant(typed, plan);
    let mut incidents: Vec<Told> = Vec::new();
    replay::replay(plan, seed, trial, span_of(years), |told, _| incidents.push(told.clone()));
    let which = report::replay::Which { scenario: &plan.name, seed, trial, years };
    match typed.format {
        Format::Text => console.print_lines(&report::replay::text(which, &incidents)),
        Format::Json => {
            let result = report::replay::result(which, &incidents);
            let text = serde_json::to_string_pretty(&result).map_err(|error| error.to_string())?;
            console.print(&format!("{text}\n"));
        }
    }
    Ok(())
}

fn one(
    number: usize,
    typed: &RunArguments,
    plan: &Plan,
    console: &mut Console,
) -> Result<(), String> {
    let (seed, trial, years) = meant(typed, plan);
    let (mut count, mut written) = (0, Ok(()));
    replay::replay(plan, seed, trial, span_of(years), |told, run| {
        count = told.number;
        if told.number != number {
            return;
        }
        let findings = run.findings();
        written = match typed.format {
            Format::Text => {
                run::print_text(run, &findings, console);
                Ok(())
            }
            Format::Json => run::print_json(run, &findings, console),
        };
        let mut paths = typed.trace.iter();
        let kept = paths.try_for_each(|path| run::write_trace(path, run, &findings));
        written = std::mem::replace(&mut written, Ok(())).and(kept);
    });
    if (1..=count).contains(&number) {
        return written;
    }
    Err(format!("trial {trial} has {count} incidents, and none with the number {number}"))
}

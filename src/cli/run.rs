//! `hasim run`: one run of one scenario.

use super::Outcome;
use super::arguments::{Format, RunArguments};
use super::console::Console;
use super::input;
use crate::experiment::single::Run;
use crate::kernel::time::{Duration, Time};
use crate::plan::Plan;
use crate::report;
use std::fs;
use std::path::Path;

/// Loads, runs, prints, and says whether the scenario's claims held.
pub(super) fn run(typed: &RunArguments, console: &mut Console) -> Outcome {
    let Some(loaded) = input::load(&typed.scenario, console) else { return Outcome::BadInput };
    if typed.show_effective {
        console.print(&loaded.effective);
        return Outcome::Done;
    }
    let mut plan = loaded.plan;
    plan.until = typed.until.unwrap_or(plan.until);
    if let Some(late) = typed.at.iter().find(|at| **at > plan.until) {
        console.complain(&format!(
            "error: --at {late} is after the end of the run ({}); lengthen it with --until",
            plan.until
        ));
        return Outcome::BadInput;
    }
    let seed = typed.seed.unwrap_or(plan.seed);
    let run = Run::of(&plan, seed, 0, &typed.at);
    let findings = run.findings();
    let case = run.case();
    match typed.format {
        Format::Text => console.print_lines(&report::text::whole(&run, &findings)),
        Format::Json => console.print(&report::json::whole(&run, &findings)),
    }
    for path in &typed.trace {
        if let Err(message) = write_trace(path, &report::trace::of(path_is_lines(path), &case)) {
            console.complain(&message);
            return Outcome::BadInput;
        }
    }
    if findings.passed() && findings.violations.is_empty() { Outcome::Done } else { Outcome::Failed }
}

fn path_is_lines(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "jsonl")
}

fn write_trace(path: &Path, bytes: &str) -> Result<(), String> {
    fs::write(path, bytes).map_err(|error| format!("error: cannot write {}: {error}", path.display()))
}

//! `hasim run`: one run of one scenario.

use super::Outcome;
use super::arguments::{Format, RunArguments};
use super::console::Console;
use super::{input, replay};
use crate::experiment::single::Run;
use crate::kernel::time::Time;
use crate::measure::{Case, Findings};
use crate::report;
use crate::scenario::effective;
use crate::scenario::load::Overrides;
use std::fs;
use std::path::Path;

/// Loads, runs, prints, and says whether the scenario's claims held.
pub(super) fn run(typed: &RunArguments, console: &mut Console) -> Outcome {
    let overrides = Overrides { until: typed.until, ..Overrides::default() };
    let Some(loaded) = input::load_with(&typed.scenario, overrides, console) else {
        return Outcome::BadInput;
    };
    if typed.show_effective {
        console.print(&effective::text(&loaded.subject));
        return Outcome::Done;
    }
    let plan = loaded.plan;
    if typed.trial.is_some() && !plan.reliability.is_empty() {
        return replay::replay(typed, &plan, console);
    }
    if let Some(option) = replay::stray(typed) {
        console.complain(&format!("error: {option} is for scenarios with a `reliability` section"));
        return Outcome::BadInput;
    }
    if let Some(late) = typed.at.iter().find(|at| **at > plan.until) {
        console.complain(&format!(
            "error: --at {late} is after the end of the run ({}); lengthen it with --until",
            plan.until
        ));
        return Outcome::BadInput;
    }
    let seed = typed.seed.unwrap_or(plan.seed);
    let run = Run::of(&plan, seed, typed.trial.unwrap_or(0), &typed.at);
    let findings = run.findings();
    for fired in run.case().history.faults().filter(|fired| fired.targets.is_empty() && !fired.undo)
    {
        let at = fired.at.since(Time::START).human();
        let verb = fired.verb;
        console
            .complain(&format!("warning: `{verb}` at {at} hit nobody: nobody fitted its target"));
    }
    let written = match typed.format {
        Format::Text => {
            print_text(&run, &findings, console);
            Ok(())
        }
        Format::Json => print_json(&run, &findings, console),
    };
    let traced = typed.trace.iter().try_for_each(|path| write_trace(path, &run, &findings));
    if let Err(message) = written.and(traced) {
        console.complain(&format!("error: {message}"));
        return Outcome::BadInput;
    }
    let broken = findings.violations.iter().any(|violation| violation.law.is_ours());
    if findings.passed() && !broken { Outcome::Done } else { Outcome::Failed }
}

pub(super) fn print_text(run: &Run, findings: &Findings, console: &mut Console) {
    console.print_lines(&report::text::report(&run.case(), findings, run.seed()));
    for snapshot in run.snapshots() {
        console.print_lines(&report::text::moment(&run.case_at(snapshot)));
    }
}

pub(super) fn print_json(
    run: &Run,
    findings: &Findings,
    console: &mut Console,
) -> Result<(), String> {
    let which = report::json::Which { seed: run.seed(), trial: run.trial() };
    let moments: Vec<Case> = run.snapshots().iter().map(|at| run.case_at(at)).collect();
    let result = report::json::result(&run.case(), findings, which, &moments);
    let text = report::json::render(&result).map_err(|error| error.to_string())?;
    console.print(&text);
    Ok(())
}

/// JSON Lines where the name says so, else the Chrome trace format.
pub(super) fn write_trace(path: &Path, run: &Run, findings: &Findings) -> Result<(), String> {
    let case = run.case();
    let bytes = if path.extension().is_some_and(|e| e == "jsonl") {
        report::trace::render(&case, run.seed())
    } else {
        serde_json::to_string(&report::chrome::trace(&case, findings))
    };
    let bytes = bytes.map_err(|error| error.to_string())?;
    fs::write(path, bytes).map_err(|error| format!("cannot write {}: {error}", path.display()))
}

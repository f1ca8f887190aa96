//! `hasim mc`: many trials of one scenario.

use super::Outcome;
use super::arguments::{McArguments, TableFormat};
use super::console::Console;
use super::input;
use crate::experiment::monte_carlo::Study;
use crate::experiment::trials::{Sampling, Unwatched};
use crate::plan::Plan;
use crate::report::monte_carlo;
use std::fs;

/// Loads, runs all trials, prints what they tell, and writes their samples.
pub(super) fn mc(typed: &McArguments, console: &mut Console) -> Outcome {
    let Some(loaded) = input::load(&typed.scenario, console) else { return Outcome::BadInput };
    let plan = loaded.plan;
    let sampling = Sampling {
        seed: typed.seed.unwrap_or(plan.seed),
        first: 0,
        trials: typed.trials,
        threads: typed.threads,
    };
    let study = match Study::of(&plan, sampling, &Unwatched) {
        Ok(study) => study,
        Err(error) => {
            console.complain(&format!("error: {error}"));
            return Outcome::BadInput;
        }
    };
    let printed = print(typed.format, &plan, &study, console);
    let written = typed.samples.as_ref().map_or(Ok(()), |path| {
        let cannot = |error| format!("cannot write {}: {error}", path.display());
        fs::write(path, monte_carlo::samples_csv(&study)).map_err(cannot)
    });
    if let Err(message) = printed.and(written) {
        console.complain(&format!("error: {message}"));
        return Outcome::BadInput;
    }
    if study.failures.is_empty() { Outcome::Done } else { Outcome::Failed }
}

fn print(
    format: TableFormat,
    plan: &Plan,
    study: &Study,
    console: &mut Console,
) -> Result<(), String> {
    match format {
        TableFormat::Text => console.print_lines(&monte_carlo::text(plan, study)),
        TableFormat::Csv => console.print(&monte_carlo::summary_csv(study)),
        TableFormat::Json => {
            let result = monte_carlo::result(plan, study);
            let text = serde_json::to_string_pretty(&result).map_err(|error| error.to_string())?;
            console.print(&format!("{text}\n"));
        }
    }
    Ok(())
}

//! `hasim mc --years … --rare auto`: rare outages.

use super::Outcome;
use super::arguments::{McArguments, TableFormat};
use super::console::Console;
use super::mc::TRIALS;
use super::progress::Progress;
use super::study;
use crate::experiment::rare::{self, RareStudy};
use crate::experiment::trials::Sampling;
use crate::plan::Plan;
use crate::report;

/// Runs the study, and prints what it tells.
pub(super) fn rare(typed: &McArguments, plan: &Plan, console: &mut Console) -> Outcome {
    let shown = rare::check(plan).map_err(|error| error.to_string()).and_then(|()| {
        let sampling = Sampling {
            seed: typed.seed.unwrap_or(plan.seed),
            first: typed.first,
            trials: typed.trials.unwrap_or(TRIALS),
            threads: typed.threads,
        };
        let progress = Progress::start(0, sampling.trials, typed.time_limit);
        let study = RareStudy::of(plan, sampling, typed.years.unwrap_or(1), &progress);
        let ended = progress.finish();
        let study = study.map_err(|error| error.to_string())?;
        study::tell_end(ended, study.totals.trials, sampling.trials, console);
        show(&study, typed.format, console)?;
        Ok(study)
    });
    match shown {
        Ok(study) if study.failures.is_empty() => Outcome::Done,
        Ok(_) => Outcome::Failed,
        Err(message) => {
            console.complain(&format!("error: {message}"));
            Outcome::BadInput
        }
    }
}

fn show(study: &RareStudy, format: TableFormat, console: &mut Console) -> Result<(), String> {
    match format {
        TableFormat::Text => console.print_lines(&report::rare::text(study)),
        TableFormat::Csv => console.print(&report::rare::csv(study)),
        TableFormat::Json => {
            let result = report::rare::result(study);
            let text = serde_json::to_string_pretty(&result).map_err(|error| error.to_string())?;
            console.print(&format!("{text}\n"));
        }
    }
    Ok(())
}

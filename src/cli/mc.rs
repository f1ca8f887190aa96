//! `hasim mc`: many trials of one scenario.

use super::Outcome;
use super::arguments::{McArguments, TableFormat};
use super::console::Console;
use super::input;
use super::progress::Progress;
use super::study::{self, Bounds};
use crate::experiment::monte_carlo::Study;
use crate::experiment::precision::Precision;
use crate::experiment::trials::Sampling;
use crate::experiment::years::{self, YearStudy};
use crate::measure::failover;
use crate::plan::Plan;
use crate::report::{self, monte_carlo};
use std::fs;
use std::path::Path;

/// Trials where nothing says how many.
pub(super) const TRIALS: u64 = 1_000;

/// Most trials where a precision ends them.
const TRIALS_MAX: u64 = 10_000_000;

/// Loads, runs the trials, prints what they tell, and writes their samples.
pub(super) fn mc(typed: &McArguments, console: &mut Console) -> Outcome {
    let Some(loaded) = input::load(&typed.scenario, console) else { return Outcome::BadInput };
    let plan = loaded.plan;
    if typed.rare.is_some() {
        return super::rare::rare(typed, &plan, console);
    }
    if typed.years.is_some() || !plan.reliability.is_empty() {
        return over_years(typed, &plan, console);
    }
    let studied = precision(typed).and_then(|precision| {
        let all = if precision.is_some() { TRIALS_MAX } else { TRIALS };
        let sampling = Sampling {
            seed: typed.seed.unwrap_or(plan.seed),
            first: typed.first,
            trials: typed.trials.unwrap_or(all),
            threads: typed.threads,
        };
        let time_limit = typed.time_limit;
        let checkpoint = typed.checkpoint.as_deref();
        study::run(&plan, Bounds { sampling, precision, time_limit, checkpoint }, console)
    });
    let shown = studied.and_then(|study| {
        show(&study, typed.format, typed.samples.as_deref(), console)?;
        Ok(study)
    });
    match shown {
        Ok(study) => outcome(&study),
        Err(message) => {
            console.complain(&format!("error: {message}"));
            Outcome::BadInput
        }
    }
}

/// Runs a study of failures over years.
fn over_years(typed: &McArguments, plan: &Plan, console: &mut Console) -> Outcome {
    let shown = years::check(plan).map_err(|error| error.to_string()).and_then(|()| {
        let sampling = Sampling {
            seed: typed.seed.unwrap_or(plan.seed),
            first: typed.first,
            trials: typed.trials.unwrap_or(TRIALS),
            threads: typed.threads,
        };
        let progress = Progress::start(0, sampling.trials, typed.time_limit);
        let study = YearStudy::of(plan, sampling, typed.years.unwrap_or(1), &progress);
        let ended = progress.finish();
        let study = study.map_err(|error| error.to_string())?;
        study::tell_end(ended, study.totals.trials, sampling.trials, console);
        show_years(&study, typed.format, console)?;
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

fn show_years(study: &YearStudy, format: TableFormat, console: &mut Console) -> Result<(), String> {
    match format {
        TableFormat::Text => console.print_lines(&report::years::text(study)),
        TableFormat::Csv => console.print(&report::years::csv(study)),
        TableFormat::Json => {
            let result = report::years::result(study);
            let text = serde_json::to_string_pretty(&result).map_err(|error| error.to_string())?;
            console.print(&format!("{text}\n"));
        }
    }
    Ok(())
}

/// Failed if a trial did.
pub(super) fn outcome(study: &Study) -> Outcome {
    if study.failures.is_empty() { Outcome::Done } else { Outcome::Failed }
}

/// The mean that ends the study, if one was asked for.
fn precision(typed: &McArguments) -> Result<Option<Precision>, String> {
    let (Some(error), Some(name)) = (typed.until_rel_err, &typed.of) else { return Ok(None) };
    let Some(metric) = failover::find(name) else {
        let nearest = failover::all().max_by(|a, b| {
            let near = |name: &str, of: &str| strsim::jaro_winkler(name, of);
            near(a.name, name).total_cmp(&near(b.name, name))
        });
        let nearest = nearest.map_or(String::new(), |m| format!("; the nearest is `{}`", m.name));
        return Err(format!("no metric is called `{name}`{nearest}"));
    };
    Ok(Some(Precision::new(metric, error)))
}

/// Prints a study and writes its samples.
pub(super) fn show(
    study: &Study,
    format: TableFormat,
    samples: Option<&Path>,
    console: &mut Console,
) -> Result<(), String> {
    // The samples first: whoever closes the pipe of the table early still has them.
    if let Some(path) = samples {
        fs::write(path, monte_carlo::samples_csv(study))
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    match format {
        TableFormat::Text => console.print_lines(&monte_carlo::text(study)),
        TableFormat::Csv => console.print(&monte_carlo::summary_csv(study)),
        TableFormat::Json => {
            let result = monte_carlo::result(study);
            let text = serde_json::to_string_pretty(&result).map_err(|error| error.to_string())?;
            console.print(&format!("{text}\n"));
        }
    }
    Ok(())
}

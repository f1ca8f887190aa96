//! `hasim mc`: many trials of one scenario.

use super::Outcome;
use super::arguments::McArguments;
use super::console::Console;
use super::input;
use super::progress::Progress;
use super::study::{self, Bounds};
use crate::experiment::monte_carlo::{self, Row, Study};
use crate::experiment::precision::{Precision, Rule};
use crate::experiment::rare::{self, Goal, RareStudy};
use crate::experiment::study::About;
use crate::experiment::trials::{Guide, Sampling};
use crate::experiment::years::{self, Totals, YearPrecision, YearStudy};
use crate::measure::failover;
use crate::plan::Plan;
use crate::reliability::ideal::Measure;
use crate::report::{self, year_samples};
use crate::scenario::load::Overrides;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::Path;

/// Trials where nothing says how many.
pub(super) const TRIALS: u64 = 1_000;

/// Most trials where a precision ends them.
const TRIALS_MAX: u64 = 10_000_000;

/// Loads, runs the trials, prints what they tell, and writes their samples.
pub(super) fn mc(typed: &McArguments, console: &mut Console) -> Outcome {
    if typed.topology.len() > 1 {
        return super::compare::of_mc(typed, console);
    }
    let topology = typed.topology.first().map(|word| word.topology());
    let overrides = Overrides { topology, ..Overrides::default() };
    let Some(loaded) = input::load_with(&typed.scenario, overrides, console) else {
        return Outcome::BadInput;
    };
    let plan = loaded.plan;
    let shown = if typed.rare.is_some() {
        rarely(typed, &plan, console)
    } else if typed.trials.years.is_some() || !plan.reliability.is_empty() {
        over_years(typed, &plan, console)
    } else {
        runs(typed, &plan, console)
    };
    study::conclude(shown, console)
}

/// Trials of a scenario's own faults.
fn runs(typed: &McArguments, plan: &Plan, console: &mut Console) -> Result<Outcome, String> {
    let bounds = bounds(typed, plan, precision(typed)?);
    let about = About::of(plan, bounds.sampling.seed);
    let trials = |sampling: &Sampling, guide: &dyn Guide, sink: study::Sink<Vec<Row>>| {
        monte_carlo::blocks(plan, sampling, guide, sink)
    };
    let study = study::run(about, bounds, trials, console)?;
    write_samples(&study, typed.samples.as_deref())?;
    study::show(&study, typed.trials.format, console)
}

/// Trials of years in which things fail by themselves.
fn over_years(typed: &McArguments, plan: &Plan, console: &mut Console) -> Result<Outcome, String> {
    years::check(plan).map_err(|error| error.to_string())?;
    if typed.samples.is_some() && typed.trials.checkpoint.is_some() {
        return Err(
            "--samples: the checkpoint of a study over years keeps sums and no single trials, so that \
                    a study that goes on would miss rows: leave --checkpoint out"
                .to_owned(),
        );
    }
    let study = year_study(typed, plan, console)?;
    study::show(&study, typed.trials.format, console)
}

fn year_study(
    typed: &McArguments,
    plan: &Plan,
    console: &mut Console,
) -> Result<YearStudy, String> {
    let bounds = bounds(typed, plan, year_precision(typed)?);
    let length = typed.trials.years.unwrap_or(1);
    let about = years::about(plan, bounds.sampling.seed, length);
    let Some(path) = typed.samples.as_deref() else {
        let trials = |sampling: &Sampling, guide: &dyn Guide, sink: study::Sink<Totals>| {
            years::blocks(plan, sampling, length, guide, sink)
        };
        return study::run(about, bounds, trials, console);
    };
    let cannot = |error: io::Error| cannot_write(path, &error);
    let mut file = BufWriter::new(File::create(path).map_err(cannot)?);
    file.write_all(year_samples::header().as_bytes()).map_err(cannot)?;
    let mut written = Ok(());
    let trials = |sampling: &Sampling, guide: &dyn Guide, sink: study::Sink<Totals>| {
        years::blocks_with_rows(plan, sampling, length, guide, |block, rows| {
            for (trial, row) in rows {
                written = file.write_all(year_samples::line(*trial, row).as_bytes());
                if written.is_err() {
                    return ControlFlow::Break(());
                }
            }
            sink(block)
        })
    };
    let study = study::run(about, bounds, trials, console)?;
    written.and_then(|()| file.flush()).map_err(cannot)?;
    Ok(study)
}

/// Rare outages.
fn rarely(typed: &McArguments, plan: &Plan, console: &mut Console) -> Result<Outcome, String> {
    rare::check(plan).map_err(|error| error.to_string())?;
    let goal = match (typed.until_rel_err, &typed.of) {
        (Some(relative_error), Some(name)) => {
            let measure = year_measure(name)?;
            if rare::is_never_down(plan, measure) {
                return Err(format!(
                    "--of {name}: it is never down in this scenario, whatever fails"
                ));
            }
            Some(Goal { measure, relative_error })
        }
        _ => None,
    };
    let sampling = sampling(typed, plan, goal.is_some());
    let progress = Progress::start(0, sampling.trials, typed.trials.time_limit);
    let years = typed.trials.years.unwrap_or(1);
    let study = RareStudy::until(plan, sampling, years, goal, &progress);
    let ended = progress.finish();
    let study = study.map_err(|error| error.to_string())?;
    if !study.aim.is_some_and(|aim| aim.reached) {
        study::tell_end(ended, study.count(), sampling.trials, console);
    }
    if let Some(aim) = study.aim.filter(|aim| !aim.reached && study.count() == sampling.trials) {
        study::tell_unreached(aim.relative_error, sampling.trials, console);
    }
    study::show(&study, typed.trials.format, console)
}

/// What was asked for, with what nothing says.
fn bounds<'a, A>(
    typed: &'a McArguments,
    plan: &Plan,
    precision: Option<Box<dyn Rule<A>>>,
) -> Bounds<'a, A> {
    let sampling = sampling(typed, plan, precision.is_some());
    let (time_limit, checkpoint) = (typed.trials.time_limit, typed.trials.checkpoint.as_deref());
    Bounds { sampling, precision, time_limit, checkpoint }
}

/// Which trials; where nothing says how many, more if a precision ends them.
fn sampling(typed: &McArguments, plan: &Plan, until_known: bool) -> Sampling {
    let all = if until_known { TRIALS_MAX } else { TRIALS };
    Sampling {
        seed: typed.trials.seed.unwrap_or(plan.seed),
        first: typed.trials.first,
        trials: typed.trials.trials.unwrap_or(all),
        threads: typed.trials.threads,
    }
}

/// The metric whose mean ends the study, if one was asked for.
fn precision(typed: &McArguments) -> Result<Option<Box<dyn Rule<Vec<Row>>>>, String> {
    let (Some(error), Some(name)) = (typed.until_rel_err, &typed.of) else { return Ok(None) };
    let metric = failover::find(name)
        .ok_or_else(|| unknown("metric", name, failover::all().map(|metric| metric.name)))?;
    Ok(Some(Box::new(Precision::new(metric, error))))
}

/// The measure whose share of time down ends the study, if one was asked for.
fn year_precision(typed: &McArguments) -> Result<Option<Box<dyn Rule<Totals>>>, String> {
    let (Some(error), Some(name)) = (typed.until_rel_err, &typed.of) else { return Ok(None) };
    Ok(Some(Box::new(YearPrecision::new(year_measure(name)?, error))))
}

fn year_measure(name: &str) -> Result<Measure, String> {
    let names = Measure::ALL.iter().map(|measure| measure.name());
    let measure = Measure::ALL.into_iter().find(|measure| measure.name() == name);
    measure.ok_or_else(|| unknown("service of a study over years", name, names))
}

fn unknown(what: &str, name: &str, names: impl Iterator<Item = &'static str>) -> String {
    let nearest = names.max_by(|a, b| {
        let near = |known: &str| strsim::jaro_winkler(known, name);
        near(a).total_cmp(&near(b))
    });
    let nearest = nearest.map_or(String::new(), |near| format!("; the nearest is `{near}`"));
    format!("no {what} is called `{name}`{nearest}")
}

/// Writes the samples. Before the table is printed: whoever closes its pipe early still has them.
pub(super) fn write_samples(study: &Study, path: Option<&Path>) -> Result<(), String> {
    let Some(path) = path else { return Ok(()) };
    fs::write(path, report::monte_carlo::samples_csv(study))
        .map_err(|error| cannot_write(path, &error))
}

fn cannot_write(path: &Path, error: &io::Error) -> String {
    format!("cannot write {}: {error}", path.display())
}

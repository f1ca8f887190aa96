//! The run of a study from the command line: its checkpoint, its progress, its end, its bytes.

use super::Outcome;
use super::arguments::TableFormat;
use super::checkpoint::Checkpoint;
use super::console::Console;
use super::progress::{Ended, Progress};
use crate::experiment::precision::Rule;
use crate::experiment::slice::Kept;
use crate::experiment::study::{About, Study};
use crate::experiment::trials::{Block, Guide, NoThreads, Sampling};
use crate::kernel::time::Duration;
use crate::report::style::Styled;
use serde::Serialize;
use std::ops::ControlFlow;
use std::path::Path;

/// What bounds a study.
pub(super) struct Bounds<'a, A> {
    /// Which trials at most.
    pub(super) sampling: Sampling,
    /// A mean that is known well enough ends it.
    pub(super) precision: Option<Box<dyn Rule<A>>>,
    /// So does the time that it may take.
    pub(super) time_limit: Option<Duration>,
    /// Where finished trials are kept, and taken from.
    pub(super) checkpoint: Option<&'a Path>,
}

/// What takes finished trials.
pub(super) type Sink<'s, A> = &'s mut (dyn FnMut(Block<A>) -> ControlFlow<()> + Send);

/// Runs a study, or the rest of one that a checkpoint has; says on standard error why it ended early.
pub(super) fn run<A: Kept + Clone>(
    about: About,
    bounds: Bounds<A>,
    trials: impl FnOnce(&Sampling, &dyn Guide, Sink<A>) -> Result<(), NoThreads>,
    console: &mut Console,
) -> Result<Study<A>, String> {
    let Bounds { sampling, mut precision, time_limit, checkpoint } = bounds;
    let mut kept = checkpoint.map(|path| Checkpoint::open(path, &about, &sampling)).transpose()?;
    let mut study = Study::empty(about, sampling.first);
    let taken = kept.as_mut().map(|kept| kept.take(sampling.range().end));
    let (found, beyond) = taken.unwrap_or_default();
    let mut enough = resume(&mut study, found, precision.as_deref_mut());
    if beyond {
        // The file has these trials and more, in one sum: they are run again, and not kept twice.
        kept = None;
    }
    let done = study.count();
    let rest = Sampling { first: study.trials.end, trials: sampling.trials - done, ..sampling };
    if enough || rest.trials == 0 {
        return Ok(study);
    }
    let progress = Progress::start(done, sampling.trials, time_limit);
    let mut unwritten = None;
    let ran = trials(&rest, &progress, &mut |block| {
        if let Some(error) = kept.as_mut().and_then(|kept| kept.keep(&block).err()) {
            unwritten = Some(error);
            return ControlFlow::Break(());
        }
        enough = precision.as_mut().is_some_and(|rule| rule.reached(&block));
        study.add(block);
        if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let ended = progress.finish();
    ran.map_err(|error| error.to_string())?;
    unwritten = unwritten.or(kept.as_mut().and_then(|kept| kept.flush().err()));
    if let Some(error) = unwritten {
        let path = checkpoint.unwrap_or(Path::new("")).display();
        return Err(format!("cannot write the checkpoint {path}: {error}"));
    }
    if !enough {
        tell_end(ended, study.count(), sampling.trials, console);
        tell_error(precision.as_deref(), study.count(), sampling.trials, console);
    }
    Ok(study)
}

/// Takes trials from a checkpoint; whether they are enough.
fn resume<A: Kept>(
    study: &mut Study<A>,
    found: Vec<Block<A>>,
    mut precision: Option<&mut (dyn Rule<A> + 'static)>,
) -> bool {
    for block in found {
        let enough = precision.as_mut().is_some_and(|rule| rule.reached(&block));
        study.add(block);
        if enough {
            return true;
        }
    }
    false
}

/// Says on standard error why not all trials were run.
pub(super) fn tell_end(ended: Ended, done: u64, asked: u64, console: &mut Console) {
    if done < asked {
        let interrupted = ended == Ended::Interrupted;
        let why = if interrupted { "interrupted" } else { "the time limit is reached" };
        console.complain(&format!("{why}: {done} of {asked} trials are done, and stand"));
    }
}

/// Says on standard error that a precision was not reached by the trials that were allowed.
fn tell_error<A>(rule: Option<&dyn Rule<A>>, done: u64, asked: u64, console: &mut Console) {
    let Some(rule) = rule.filter(|_| done == asked) else { return };
    tell_unreached(rule.relative_error_now(), asked, console);
}

/// The same, with the relative error that stands.
pub(super) fn tell_unreached(error: Option<f64>, asked: u64, console: &mut Console) {
    let now = error.map_or_else(
        || "it happened too seldom".to_owned(),
        |error| format!("{:.2} %", error * 100.0),
    );
    console.complain(&format!(
        "note: all {asked} trials are done before the relative error asked for is reached ({now}); raise \
         --trials"
    ));
}

/// What a study looks like in each format.
pub(super) trait Shown {
    /// For people.
    fn text(&self) -> Vec<Styled>;

    /// For spreadsheets.
    fn csv(&self) -> String;

    /// For programs.
    fn data(&self) -> impl Serialize;

    /// How many trials it has.
    fn trials(&self) -> u64;

    /// Whether a trial failed.
    fn failed(&self) -> bool;
}

/// Prints a study.
pub(super) fn show(
    study: &impl Shown,
    format: TableFormat,
    console: &mut Console,
) -> Result<Outcome, String> {
    if study.trials() == 0 {
        return Err("no trial is finished, so that there is nothing to tell".to_owned());
    }
    match format {
        TableFormat::Text => console.print_lines(&study.text()),
        TableFormat::Csv => console.print(&study.csv()),
        TableFormat::Json => {
            let text = serde_json::to_string_pretty(&study.data()).map_err(|e| e.to_string())?;
            console.print(&format!("{text}\n"));
        }
    }
    Ok(if study.failed() { Outcome::Failed } else { Outcome::Done })
}

/// The end of a command that may have been impossible.
pub(super) fn conclude(shown: Result<Outcome, String>, console: &mut Console) -> Outcome {
    shown.unwrap_or_else(|message| {
        console.complain(&format!("error: {message}"));
        Outcome::BadInput
    })
}

//! The run of a study from the command line: its checkpoint, its progress, its end.

use super::console::Console;
use super::progress::{Ended, Progress};
use crate::experiment::monte_carlo::{self, About, Study};
use crate::experiment::precision::Precision;
use crate::experiment::slice::{self, SliceError};
use crate::experiment::trials::Sampling;
use crate::kernel::time::Duration;
use crate::plan::Plan;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::Path;

/// What bounds a study.
pub(super) struct Bounds<'a> {
    /// Which trials at most.
    pub(super) sampling: Sampling,
    /// A mean that is known well enough ends it.
    pub(super) precision: Option<Precision>,
    /// So does the time that it may take.
    pub(super) time_limit: Option<Duration>,
    /// Where finished trials are kept, and taken from.
    pub(super) checkpoint: Option<&'a Path>,
}

/// Runs a study, or the rest of one that a checkpoint has; says on standard error why it ended early.
pub(super) fn run(plan: &Plan, bounds: Bounds, console: &mut Console) -> Result<Study, String> {
    let Bounds { sampling, mut precision, time_limit, checkpoint } = bounds;
    let mut kept = checkpoint.map(|path| Checkpoint::open(path, plan, &sampling)).transpose()?;
    let mut study = Study::empty(About::of(plan, sampling.seed), sampling.first);
    let mut enough = false;
    if let Some(found) = kept.as_mut().and_then(|kept| kept.found.take()) {
        enough = resume(&mut study, found, &sampling, precision.as_mut());
    }
    let done = study.trials.end - sampling.first;
    let rest = Sampling { first: study.trials.end, trials: sampling.trials - done, ..sampling };
    if enough || rest.trials == 0 {
        return Ok(study);
    }
    let progress = Progress::start(done, sampling.trials, time_limit);
    let mut unwritten = None;
    let ran = monte_carlo::blocks(plan, &rest, &progress, |block| {
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
    if let Some(error) = unwritten {
        let path = checkpoint.unwrap_or(Path::new("")).display();
        return Err(format!("cannot write the checkpoint {path}: {error}"));
    }
    let (done, asked) = (study.trials.end - sampling.first, sampling.trials);
    if !enough {
        tell_end(ended, done, asked, console);
    }
    if done == asked
        && let Some(rule) = &precision
        && !enough
    {
        let now = rule.relative_error_now().map_or_else(
            || "it never happened".to_owned(),
            |error| format!("{:.2} %", error * 100.0),
        );
        console.complain(&format!(
            "note: all {asked} trials are done before the relative error asked for is reached ({now}); \
             raise --trials"
        ));
    }
    Ok(study)
}

/// Says on standard error why not all trials were run.
pub(super) fn tell_end(ended: Ended, done: u64, asked: u64, console: &mut Console) {
    if done < asked {
        let interrupted = ended == Ended::Interrupted;
        let why = if interrupted { "interrupted" } else { "the time limit is reached" };
        console.complain(&format!("{why}: {done} of {asked} trials are done, and stand"));
    }
}

/// Takes trials from a checkpoint, as far as they are asked for; whether they are enough.
fn resume(
    study: &mut Study,
    found: Study,
    sampling: &Sampling,
    mut precision: Option<&mut Precision>,
) -> bool {
    for block in found.until(sampling.range().end).into_blocks() {
        let enough = precision.as_mut().is_some_and(|rule| rule.reached(&block));
        study.add(block);
        if enough {
            return true;
        }
    }
    false
}

/// A file that finished trials are added to.
struct Checkpoint {
    file: File,
    found: Option<Study>,
}

impl Checkpoint {
    /// Opens or makes it; what it has must be of this study, and a line cut short is cut off.
    fn open(path: &Path, plan: &Plan, sampling: &Sampling) -> Result<Self, String> {
        let cannot = |error: io::Error| format!("checkpoint {}: {error}", path.display());
        let about = About::of(plan, sampling.seed);
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(cannot(error)),
        };
        let mut file = OpenOptions::new().append(true).create(true).open(path).map_err(cannot)?;
        if text.is_empty() {
            let header = slice::header(&about, sampling.first).map_err(|e| e.to_string())?;
            file.write_all(header.as_bytes()).map_err(cannot)?;
            return Ok(Self { file, found: None });
        }
        let usable = |error: SliceError| {
            format!(
                "checkpoint {}: {error}; name another file, or move this one away",
                path.display()
            )
        };
        let (found, good) = slice::read(&text).map_err(usable)?;
        slice::belongs(&found.about, &about).map_err(usable)?;
        if found.trials.start != sampling.first {
            let (has, asked) = (found.trials.start, sampling.first);
            return Err(format!(
                "checkpoint {}: it begins with trial {has}, not {asked}; give `--first {has}`",
                path.display()
            ));
        }
        file.set_len(good as u64).map_err(cannot)?;
        Ok(Self { file, found: Some(found) })
    }

    fn keep(&mut self, block: &monte_carlo::TrialBlock) -> io::Result<()> {
        self.file.write_all(slice::block(block)?.as_bytes())
    }
}

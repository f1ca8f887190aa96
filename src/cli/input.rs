//! Scenario files from disk or standard input, with their problems on standard error.

use super::console::Console;
use super::terminal;
use crate::plan::Plan;
use crate::scenario::diagnostic::{Diagnostic, Diagnostics};
use crate::scenario::load::{self, Overrides};
use crate::scenario::lower::Subject;
use crate::scenario::source::Source;
use std::io::Read as _;
use std::path::Path;
use std::{fs, io};

/// A scenario without errors.
pub(super) struct Input {
    /// Its plan.
    pub(super) plan: Plan,
    /// What the plan was made from.
    pub(super) subject: Subject,
}

/// Loads a scenario; its problems go to standard error. `None` if it has errors.
pub(super) fn load(path: &Path, console: &mut Console) -> Option<Input> {
    load_with(path, Overrides::default(), console)
}

/// As [`load()`], with something else in place of what the scenario says.
pub(super) fn load_with(path: &Path, overrides: Overrides, console: &mut Console) -> Option<Input> {
    let source = match open(path) {
        Ok(source) => source,
        Err(unreadable) => {
            let (source, diagnostic) = *unreadable;
            let mut diagnostics = Diagnostics::new();
            diagnostics.push(diagnostic);
            console.complain(&terminal::render(&source, &diagnostics, console.look()));
            return None;
        }
    };
    let near = |name: &str| {
        let file = path.parent().unwrap_or_else(|| Path::new("")).join(name);
        read_bounded(&file).map_err(|error| format!("{}: {error}", file.display()))
    };
    let loaded = load::load_with(&source, &near, overrides);
    if !loaded.diagnostics.is_empty() {
        console.complain(&terminal::render(&source, &loaded.diagnostics, console.look()));
    }
    let (plan, subject) = loaded.plan.zip(loaded.subject)?;
    Some(Input { plan, subject })
}

fn open(path: &Path) -> Result<Source, Box<(Source, Diagnostic)>> {
    if path == Path::new("-") {
        return Source::read("standard input", io::stdin());
    }
    Source::open(path)
}

/// The largest file of samples, in bytes.
const SAMPLES_MAX: u64 = 64 << 20;

/// A text file of at most [`SAMPLES_MAX`]: what a scenario names may be a device without an end.
fn read_bounded(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let read = fs::File::open(path)?.take(SAMPLES_MAX + 1).read_to_string(&mut text)?;
    if read as u64 > SAMPLES_MAX {
        return Err(io::Error::other("larger than 64 MiB"));
    }
    Ok(text)
}

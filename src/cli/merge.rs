//! `hasim merge`: slices of one study, from any number of machines, joined into the whole.

use super::Outcome;
use super::arguments::MergeArguments;
use super::console::Console;
use super::mc;
use crate::experiment::monte_carlo::Study;
use crate::experiment::slice;
use std::fs;
use std::path::Path;

/// Reads the slices, joins them, and prints what the one big run would have printed.
pub(super) fn merge(typed: &MergeArguments, console: &mut Console) -> Outcome {
    let read: Result<Vec<_>, String> = typed.slices.iter().map(|path| read(path)).collect();
    let joined = read.and_then(|slices| slice::join(slices).map_err(|error| error.to_string()));
    let shown = joined.and_then(|study| {
        mc::show(&study, typed.format, typed.samples.as_deref(), console)?;
        Ok(study)
    });
    match shown {
        Ok(study) => mc::outcome(&study),
        Err(message) => {
            console.complain(&format!("error: {message}"));
            Outcome::BadInput
        }
    }
}

fn read(path: &Path) -> Result<(String, Study), String> {
    let name = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
    let (study, _) = slice::read(&text).map_err(|error| format!("{name}: {error}"))?;
    Ok((name, study))
}

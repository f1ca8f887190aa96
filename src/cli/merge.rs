//! `hasim merge`: slices of one study, from any number of machines, joined into the whole.

use super::Outcome;
use super::arguments::MergeArguments;
use super::console::Console;
use super::{mc, study};
use crate::experiment::slice::{self, Kept};
use crate::experiment::study::{Kind, Study};
use crate::experiment::{compare, monte_carlo, years};
use std::fs;
use std::path::Path;

/// Reads the slices, joins them, and prints what the one big run would have printed.
pub(super) fn merge(typed: &MergeArguments, console: &mut Console) -> Outcome {
    let merged = texts(&typed.slices).and_then(|slices| match kind(&slices)? {
        Kind::Runs => {
            let joined: monte_carlo::Study = joined(&slices, console)?;
            mc::write_samples(&joined, typed.samples.as_deref())?;
            study::show(&joined, typed.format, console)
        }
        kind if typed.samples.is_some() => Err(format!(
            "--samples: slices of {kind} keep sums, and no single trials{}",
            match kind {
                Kind::Years => {
                    "; give --samples to `hasim mc` for each slice, without --checkpoint, and join the files"
                }
                _ => "",
            }
        )),
        Kind::Years => {
            let joined: years::YearStudy = joined(&slices, console)?;
            study::show(&joined, typed.format, console)
        }
        Kind::ComparedYears => {
            let joined: compare::YearComparison = joined(&slices, console)?;
            study::show(&joined, typed.format, console)
        }
        Kind::ComparedRuns => {
            let joined: compare::RunComparison = joined(&slices, console)?;
            study::show(&joined, typed.format, console)
        }
    });
    study::conclude(merged, console)
}

/// The files with their texts.
fn texts(paths: &[impl AsRef<Path>]) -> Result<Vec<(String, String)>, String> {
    let read = |path: &Path| {
        let name = path.display().to_string();
        match fs::read_to_string(path) {
            Ok(text) => Ok((name, text)),
            Err(error) => Err(format!("{name}: {error}")),
        }
    };
    paths.iter().map(|path| read(path.as_ref())).collect()
}

/// What the trials of all of them are.
fn kind(slices: &[(String, String)]) -> Result<Kind, String> {
    let mut first: Option<(&str, Kind)> = None;
    for (name, text) in slices {
        let kind = slice::kind(text).map_err(|error| format!("{name}: {error}"))?;
        match first {
            Some((other, of)) if of != kind => {
                return Err(format!(
                    "{name} is of {kind}, and {other} of {of}: no one study has both"
                ));
            }
            _ => first = Some((name, kind)),
        }
    }
    first.map(|(_, kind)| kind).ok_or_else(|| slice::JoinError::Nothing.to_string())
}

fn joined<A: Kept>(slices: &[(String, String)], console: &mut Console) -> Result<Study<A>, String> {
    let mut read = |(name, text): &(String, String)| {
        let slice = slice::read(text).map_err(|error| format!("{name}: {error}"))?;
        if slice.good < text.len() {
            console.complain(&format!("note: {name}: its last line is cut short, and left out"));
        }
        Ok((name.clone(), slice.study()))
    };
    let slices: Result<Vec<_>, String> = slices.iter().map(&mut read).collect();
    slice::join(slices?).map_err(|error| error.to_string())
}

//! Slices of a study as lines of JSON: what a checkpoint keeps, and what several machines hand in.
//!
//! The first line says what is studied, every other line is a block of trials. Lines are only ever
//! added, so whatever was written stays good; a last line that was cut short is left out. Durations
//! are whole nanoseconds: nothing is rounded.
//!
//! Absent on purpose: files.

use super::study::{About, Kind, Study};
use super::trials::{Block, Failure, Folded, Join};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::ops::Range;

mod rows;

pub use rows::RowLine;

/// The value of `apiVersion`.
const API_VERSION: &str = "hasim/v1";

/// The value of `kind`.
const KIND: &str = "StudySlice";

/// Results that can be kept in a line and read again, without loss.
pub trait Kept: Join {
    /// As they stand in the line.
    type Line: Serialize + DeserializeOwned;

    /// Whether lines are joined before they are kept: sums take no more room for more trials.
    const SUMS: bool;

    /// The results as a line.
    fn line(&self) -> Self::Line;

    /// The results of a line, which are of these trials without those that failed.
    ///
    /// # Errors
    ///
    /// What is wrong with the line.
    fn of_line(line: Self::Line, trials: &Range<u64>, failures: &[Failure])
    -> Result<Self, String>;

    /// The part of a block before trial `end`; `None` where it cannot be parted.
    fn cut(block: Block<Self>, end: u64) -> Option<Block<Self>>;
}

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    api_version: String,
    kind: String,
    first: u64,
    about: About,
}

/// Every other line.
#[derive(Debug, Serialize, Deserialize)]
struct Line<L> {
    trials: (u64, u64),
    results: L,
    failures: Vec<Failure>,
}

/// A slice as it was kept.
#[derive(Clone, Debug)]
pub struct Slice<A> {
    /// What it is of.
    pub about: About,
    /// Its first trial.
    pub first: u64,
    /// Its lines.
    pub blocks: Vec<Block<A>>,
    /// How many bytes of it are good: a last line that was cut short is not.
    pub good: usize,
}

impl<A: Join> Slice<A> {
    /// All of it.
    pub fn study(self) -> Study<A> {
        let mut study = Study::empty(self.about, self.first);
        self.blocks.into_iter().for_each(|block| study.add(block));
        study
    }
}

/// Why slices cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SliceError {
    /// It does not begin as a slice does.
    #[error("this is no slice of a study: its first line is not `\"kind\": \"StudySlice\"`")]
    NoSlice,
    /// A line in the middle cannot be read.
    #[error("line {line} cannot be read ({reason}); the lines before it are good")]
    BadLine {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// It belongs to another study.
    #[error("it is of another study: its {field} is {found}, not {expected}")]
    Other {
        /// What differs.
        field: &'static str,
        /// Its value.
        found: String,
        /// What it would have to be.
        expected: String,
    },
}

/// The first line of a slice that begins with trial `first`, with its line feed.
///
/// # Errors
///
/// None in practice: the types are plain data.
pub fn header(about: &About, first: u64) -> Result<String, serde_json::Error> {
    let (api_version, kind) = (API_VERSION.to_owned(), KIND.to_owned());
    line(&Header { api_version, kind, first, about: about.clone() })
}

/// A block's line, with its line feed.
///
/// # Errors
///
/// None in practice: the types are plain data.
pub fn block<A: Kept>(block: &Block<A>) -> Result<String, serde_json::Error> {
    line(&Line {
        trials: (block.trials.start, block.trials.end),
        results: block.folded.total.line(),
        failures: block.folded.failures.clone(),
    })
}

fn line(value: &impl Serialize) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string(value)? + "\n")
}

/// What the trials of a slice are.
///
/// # Errors
///
/// If it is none.
pub fn kind(text: &str) -> Result<Kind, SliceError> {
    Ok(head(text)?.0.about.trials_are)
}

fn head(text: &str) -> Result<(Header, usize), SliceError> {
    let head = text.split_inclusive('\n').next().ok_or(SliceError::NoSlice)?;
    let header: Header = serde_json::from_str(head).map_err(|_| SliceError::NoSlice)?;
    if header.api_version != API_VERSION || header.kind != KIND {
        return Err(SliceError::NoSlice);
    }
    Ok((header, head.len()))
}

/// Reads a slice.
///
/// # Errors
///
/// What is wrong and where.
pub fn read<A: Kept>(text: &str) -> Result<Slice<A>, SliceError> {
    let (header, good) = head(text)?;
    let Header { about, first, .. } = header;
    let mut slice = Slice { about, first, blocks: Vec::new(), good };
    let mut next = first;
    for (at, line) in text.split_inclusive('\n').enumerate().skip(1) {
        if !line.ends_with('\n') {
            break;
        }
        let bad = |reason: String| SliceError::BadLine { line: at + 1, reason };
        let read: Line<A::Line> =
            serde_json::from_str(line).map_err(|error| bad(error.to_string()))?;
        let trials = read.trials.0..read.trials.1;
        if trials.start != next || trials.is_empty() {
            return Err(bad(format!("trial {next} should follow")));
        }
        next = trials.end;
        let total = A::of_line(read.results, &trials, &read.failures).map_err(bad)?;
        slice.blocks.push(Block { trials, folded: Folded { total, failures: read.failures } });
        slice.good += line.len();
    }
    Ok(slice)
}

/// Whether a slice is one of the study that is meant.
///
/// # Errors
///
/// What differs.
pub fn belongs(found: &About, expected: &About) -> Result<(), SliceError> {
    let pairs = [
        ("version of hasim", &found.hasim, &expected.hasim),
        ("kind of trials", &found.trials_are.to_string(), &expected.trials_are.to_string()),
        ("scenario", &found.scenario, &expected.scenario),
        ("scenario's fingerprint", &found.fingerprint, &expected.fingerprint),
        ("seed", &found.seed.to_string(), &expected.seed.to_string()),
        ("length of a trial", &found.until.to_string(), &expected.until.to_string()),
    ];
    match pairs.into_iter().find(|(_, found, expected)| found != expected) {
        Some((field, found, expected)) => {
            Err(SliceError::Other { field, found: found.clone(), expected: expected.clone() })
        }
        None => Ok(()),
    }
}

/// Slices of one study cannot be joined.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// There are none.
    #[error("no slices to join")]
    Nothing,
    /// One is of another study.
    #[error("{name}: {reason} (as in {of})")]
    Other {
        /// Its name.
        name: String,
        /// What differs.
        reason: SliceError,
        /// The slice that it was compared with.
        of: String,
    },
    /// Two have the same trials.
    #[error("trials {from} to {to} are both in {one} and in {other}; leave one of the files out")]
    Overlap {
        /// The first.
        from: u64,
        /// The last.
        to: u64,
        /// One file.
        one: String,
        /// The other.
        other: String,
    },
    /// Trials are missing between two.
    #[error(
        "trials {from} to {to} are missing between {one} and {other}; run them with `--first {from} \
         --trials {count}`"
    )]
    Gap {
        /// The first.
        from: u64,
        /// The last.
        to: u64,
        /// How many.
        count: u64,
        /// The file before.
        one: String,
        /// The file after.
        other: String,
    },
}

/// Joins slices, in any order, into the study that one run would have given.
///
/// # Errors
///
/// If they are of different studies, overlap, or leave a gap.
pub fn join<A: Join>(mut slices: Vec<(String, Study<A>)>) -> Result<Study<A>, JoinError> {
    slices.retain(|(_, study)| !study.trials.is_empty());
    slices.sort_by_key(|(_, study)| study.trials.start);
    let mut slices = slices.into_iter();
    let (mut last, mut whole) = slices.next().ok_or(JoinError::Nothing)?;
    for (name, study) in slices {
        belongs(&study.about, &whole.about).map_err(|reason| JoinError::Other {
            name: name.clone(),
            reason,
            of: last.clone(),
        })?;
        let (end, start) = (whole.trials.end, study.trials.start);
        if start < end {
            let to = end.min(study.trials.end) - 1;
            return Err(JoinError::Overlap { from: start, to, one: last, other: name });
        }
        if start > end {
            let (to, count) = (start - 1, start - end);
            return Err(JoinError::Gap { from: end, to, count, one: last, other: name });
        }
        let folded = Folded { total: study.results, failures: study.failures };
        whole.add(Block { trials: study.trials, folded });
        last = name;
    }
    Ok(whole)
}

#[cfg(test)]
mod tests;

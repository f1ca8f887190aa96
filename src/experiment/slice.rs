//! Slices of a study as lines of JSON: what a checkpoint keeps, and what several machines hand in.
//!
//! The first line says what is studied, every other line is a block of trials. Lines are only ever
//! added, so whatever was written stays good; a last line that was cut short is left out. Durations
//! are whole nanoseconds: nothing is rounded.
//!
//! Absent on purpose: files.

use super::monte_carlo::{About, Row, Study};
use super::trials::{Block, Failure, Folded};
use crate::kernel::time::Duration;
use crate::measure::failover::{self, Reading, Unit, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The value of `apiVersion`.
const API_VERSION: &str = "hasim/v1";

/// The value of `kind`.
const KIND: &str = "StudySlice";

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    api_version: String,
    kind: String,
    first: u64,
    #[serde(flatten)]
    about: About,
}

/// Every other line.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    trials: (u64, u64),
    rows: Vec<RowLine>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    failures: Vec<Failure>,
}

#[derive(Debug, Serialize, Deserialize)]
struct RowLine {
    trial: u64,
    values: BTreeMap<String, u64>,
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
pub fn block(block: &Block<Vec<Row>>) -> Result<String, serde_json::Error> {
    line(&Line {
        trials: (block.trials.start, block.trials.end),
        rows: block.folded.total.iter().map(RowLine::of).collect(),
        failures: block.folded.failures.clone(),
    })
}

fn line(value: &impl Serialize) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string(value)? + "\n")
}

/// Reads a slice, and how many of its bytes are good: a last line that was cut short is not.
///
/// # Errors
///
/// What is wrong and where.
pub fn read(text: &str) -> Result<(Study, usize), SliceError> {
    let mut lines = text.split_inclusive('\n').enumerate();
    let head = lines.next().map(|(_, line)| line).ok_or(SliceError::NoSlice)?;
    let header: Header = serde_json::from_str(head).map_err(|_| SliceError::NoSlice)?;
    if header.api_version != API_VERSION || header.kind != KIND {
        return Err(SliceError::NoSlice);
    }
    let mut study = Study::empty(header.about, header.first);
    let mut good = head.len();
    for (at, line) in lines {
        if !line.ends_with('\n') {
            break;
        }
        let bad = |reason: String| SliceError::BadLine { line: at + 1, reason };
        let read: Line = serde_json::from_str(line).map_err(|error| bad(error.to_string()))?;
        let block = read.block().map_err(bad)?;
        if block.trials.start != study.trials.end || block.trials.is_empty() {
            return Err(bad(format!("trial {} should follow", study.trials.end)));
        }
        study.add(block);
        good += line.len();
    }
    Ok((study, good))
}

/// Whether a slice is one of the study that is meant.
///
/// # Errors
///
/// What differs.
pub fn belongs(found: &About, expected: &About) -> Result<(), SliceError> {
    let pairs = [
        ("version of hasim", &found.hasim, &expected.hasim),
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

impl Line {
    fn block(self) -> Result<Block<Vec<Row>>, String> {
        let trials = self.trials.0..self.trials.1;
        let ended: Vec<u64> = self.rows.iter().map(|row| row.trial).collect();
        let inside = |trial: &u64| trials.contains(trial);
        let all = ended.len() + self.failures.len() == trials.clone().count();
        if !all || !ended.is_sorted() || !ended.iter().all(inside) {
            return Err(format!("not the trials {} to {}", self.trials.0, self.trials.1));
        }
        let rows: Result<Vec<Row>, String> = self.rows.into_iter().map(RowLine::row).collect();
        let folded = Folded { total: rows?, failures: self.failures };
        Ok(Block { trials, folded })
    }
}

impl RowLine {
    fn of(row: &Row) -> Self {
        let value = |reading: &Reading| match reading.value {
            Value::Duration(span) => span.as_nanos(),
            Value::Count(count) => count,
        };
        let pair = |reading: &Reading| (reading.metric.name.to_owned(), value(reading));
        Self { trial: row.trial, values: row.readings.iter().map(pair).collect() }
    }

    fn row(mut self) -> Result<Row, String> {
        let reading = |metric: &'static failover::Metric| {
            let value = self.values.remove(metric.name)?;
            let value = match metric.unit {
                Unit::Duration => Value::Duration(Duration::from_nanos(value)),
                Unit::Count => Value::Count(value),
            };
            Some(Reading { metric, value })
        };
        let readings = failover::all().filter_map(reading).collect();
        match self.values.keys().next() {
            Some(unknown) => Err(format!("no metric is called {unknown}")),
            None => Ok(Row { trial: self.trial, readings }),
        }
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
pub fn join(mut slices: Vec<(String, Study)>) -> Result<Study, JoinError> {
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
        let folded = Folded { total: study.rows, failures: study.failures };
        whole.add(Block { trials: study.trials, folded });
        last = name;
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about() -> About {
        About {
            hasim: "0.1.0".to_owned(),
            scenario: "test".to_owned(),
            fingerprint: "00ff".to_owned(),
            seed: 7,
            until: Duration::from_secs(60),
        }
    }

    fn rows(trials: std::ops::Range<u64>) -> Block<Vec<Row>> {
        let row = |trial| {
            let of = |name, value| Reading { metric: failover::find(name).unwrap(), value };
            let span = Value::Duration(Duration::from_nanos(1_000_000_007 * trial));
            let readings = vec![
                of("etcd.election", span),
                of("etcd.campaign_rounds", Value::Count(trial % 3 + 1)),
            ];
            Row { trial, readings }
        };
        let failed = |trial: &u64| trial % 5 == 4;
        let failure =
            |trial| Failure { trial, seed: 7, message: "an invariant \"broke\"".to_owned() };
        let folded = Folded {
            total: trials.clone().filter(|trial| !failed(trial)).map(row).collect(),
            failures: trials.clone().filter(failed).map(failure).collect(),
        };
        Block { trials, folded }
    }

    fn study(trials: std::ops::Range<u64>) -> Study {
        let mut study = Study::empty(about(), trials.start);
        study.add(rows(trials));
        study
    }

    fn text(first: u64, blocks: &[Block<Vec<Row>>]) -> String {
        let lines = blocks.iter().map(|b| block(b).unwrap());
        header(&about(), first).unwrap() + &lines.collect::<String>()
    }

    /// Law: what is written is read back to the nanosecond, and a last line that was cut short costs
    /// only itself.
    #[test]
    fn a_slice_survives_its_file() {
        let whole = text(16, &[rows(16..32), rows(32..40)]);
        let (read_back, good) = read(&whole).unwrap();
        assert_eq!((read_back.trials.clone(), good), (16..40, whole.len()));
        assert_eq!(format!("{:?}", read_back.rows), format!("{:?}", study(16..40).rows));
        assert_eq!(read_back.failures, study(16..40).failures);
        let border = text(16, &[rows(16..32)]).len();
        for cut in border..whole.len() {
            let (part, good) = read(&whole[..cut]).unwrap();
            assert_eq!((part.trials, good), (16..32, border), "cut at {cut}");
        }
    }

    /// Law: a file that is no slice, or that lost a line in its middle, is refused with its place.
    #[test]
    fn damage_is_told() {
        assert_eq!(read("").unwrap_err(), SliceError::NoSlice);
        assert_eq!(read("{\"kind\": \"Scenario\"}\n").unwrap_err(), SliceError::NoSlice);
        let skipped = text(0, &[rows(0..16), rows(32..48)]);
        let SliceError::BadLine { line: 3, reason } = read(&skipped).unwrap_err() else {
            panic!("a gap was accepted");
        };
        assert_eq!(reason, "trial 16 should follow");
        let renamed = text(0, &[rows(0..16)]).replace("etcd.election", "etcd.selection");
        assert!(read(&renamed).is_err());
    }

    /// Law: slices join in any order to the study of one run.
    #[test]
    fn slices_join_in_any_order() {
        let named = |range: std::ops::Range<u64>| (format!("{range:?}"), study(range));
        let whole = join(vec![named(30..41), named(0..16), named(16..30)]).unwrap();
        assert_eq!(format!("{:?}", whole.rows), format!("{:?}", study(0..41).rows));
        assert_eq!(whole.trials, 0..41);
    }

    /// Law: overlaps, gaps and strangers are named.
    #[test]
    fn slices_that_do_not_fit_are_refused() {
        let named = |range: std::ops::Range<u64>| (format!("{range:?}"), study(range));
        let say = |slices| join(slices).unwrap_err().to_string();
        insta::assert_snapshot!(say(vec![named(0..16), named(8..32)]),
            @"trials 8 to 15 are both in 0..16 and in 8..32; leave one of the files out");
        insta::assert_snapshot!(say(vec![named(0..16), named(20..32)]),
            @"trials 16 to 19 are missing between 0..16 and 20..32; run them with `--first 16 --trials 4`");
        let mut other = named(16..32);
        other.1.about.seed = 8;
        insta::assert_snapshot!(say(vec![named(0..16), other]),
            @"16..32: it is of another study: its seed is 8, not 7 (as in 0..16)");
        assert_eq!(join(vec![]).unwrap_err(), JoinError::Nothing);
    }
}

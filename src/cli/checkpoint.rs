//! A file that finished trials are added to, and taken from when the study goes on.

#![expect(clippy::disallowed_types, reason = "what may be lost is a matter of the user's own time")]

use crate::experiment::precision::Looks;
use crate::experiment::slice::{self, Kept, Slice, SliceError};
use crate::experiment::study::About;
use crate::experiment::trials::{Block, Sampling};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// How much work may be lost where lines are joined before they are written.
const AT_MOST: Duration = Duration::from_secs(1);

/// The file of a study.
pub(super) struct Checkpoint<A> {
    file: File,
    /// What it had.
    found: Option<Slice<A>>,
    /// Trials that are not written yet.
    waiting: Option<Block<A>>,
    since: Instant,
    count: u64,
    looks: Looks,
}

impl<A: Kept> Checkpoint<A> {
    /// Opens or makes it; what it has must be of this study, and a line cut short is cut off.
    pub(super) fn open(path: &Path, about: &About, sampling: &Sampling) -> Result<Self, String> {
        let cannot = |error: io::Error| format!("checkpoint {}: {error}", path.display());
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(cannot(error)),
        };
        let open = || OpenOptions::new().append(true).create(true).open(path).map_err(cannot);
        if text.is_empty() {
            let mut file = open()?;
            let header = slice::header(about, sampling.first).map_err(|e| e.to_string())?;
            file.write_all(header.as_bytes()).map_err(cannot)?;
            return Ok(Self::of(file, None));
        }
        let found = usable(&text, about).map_err(|error| {
            let path = path.display();
            format!("checkpoint {path}: {error}; name another file, or move this one away")
        })?;
        if found.first != sampling.first {
            let (has, asked) = (found.first, sampling.first);
            return Err(format!(
                "checkpoint {}: it begins with trial {has}, not {asked}; give `--first {has}`",
                path.display()
            ));
        }
        let file = open()?;
        file.set_len(found.good as u64).map_err(cannot)?;
        Ok(Self::of(file, Some(found)))
    }

    fn of(file: File, found: Option<Slice<A>>) -> Self {
        let (since, looks) = (Instant::now(), Looks::default());
        Self { file, found, waiting: None, since, count: 0, looks }
    }

    /// The trials that it had before number `end`, and whether it has others beyond them.
    pub(super) fn take(&mut self, end: u64) -> (Vec<Block<A>>, bool) {
        let mut blocks = Vec::new();
        for block in self.found.take().map(|found| found.blocks).unwrap_or_default() {
            let whole = block.trials.end <= end;
            let part = A::cut(block, end).filter(|part| !part.trials.is_empty());
            blocks.extend(part);
            if !whole {
                return (blocks, true);
            }
        }
        for block in &blocks {
            self.looked(block);
        }
        (blocks, false)
    }

    fn looked(&mut self, block: &Block<A>) -> bool {
        self.count += block.trials.end - block.trials.start;
        self.looks.due(self.count, block)
    }

    /// Adds trials.
    pub(super) fn keep(&mut self, block: &Block<A>) -> io::Result<()>
    where
        A: Clone,
    {
        let due = self.looked(block);
        match &mut self.waiting {
            Some(waiting) => waiting.extend(block.clone()),
            none => *none = Some(block.clone()),
        }
        if A::SUMS && !due && self.since.elapsed() < AT_MOST {
            return Ok(());
        }
        self.flush()
    }

    /// Writes what waits.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.since = Instant::now();
        let Some(block) = self.waiting.take() else { return Ok(()) };
        self.file.write_all(slice::block(&block)?.as_bytes())
    }
}

fn usable<A: Kept>(text: &str, about: &About) -> Result<Slice<A>, SliceError> {
    let kind = slice::kind(text)?;
    if kind != about.trials_are {
        return Err(SliceError::Other {
            field: "kind of trials",
            found: kind.to_string(),
            expected: about.trials_are.to_string(),
        });
    }
    let found = slice::read(text)?;
    slice::belongs(&found.about, about)?;
    Ok(found)
}

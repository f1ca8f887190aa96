//! Several plans through the same trials: what fails in one fails in the others at the same instant,
//! because a draw belongs to the name of what draws. So differences are those of the plans, with far
//! less noise than two studies of their own would have.
//!
//! Absent on purpose: text, files.

mod difference;
mod runs;
mod years;

pub use difference::{Difference, Of, Verdict};
pub use runs::{Paired, RunSide};
pub use years::{Gap, YearPairs};

use super::monte_carlo;
use super::study::{About, Kind, SideAbout, Study};
use super::trials::{self, Block, Guide, NoThreads, Sampling};
use super::years as one_by_one;
use crate::component::map::MachineRole;
use crate::kernel::stream::Key;
use crate::kernel::time::Duration;
use crate::plan::{Plan, fingerprint};
use std::ops::ControlFlow;

/// Confidence of all intervals of a comparison together.
pub const CONFIDENCE: f64 = monte_carlo::CONFIDENCE;

/// A comparison of years.
pub type YearComparison = Study<YearPairs>;

/// A comparison of runs.
pub type RunComparison = Study<Vec<Paired>>;

/// One of the plans, with the name that tells it from the others.
#[derive(Clone, Copy, Debug)]
pub struct Side<'p> {
    /// Its name.
    pub name: &'p str,
    /// Its plan.
    pub plan: &'p Plan,
}

/// Why plans cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPaired {
    /// There is nothing to compare with.
    #[error(
        "one scenario is not compared with anything: name two, or give --topology stacked,external"
    )]
    Alone,
    /// Some things fail by themselves in one, and none in another.
    #[error(
        "in `{by_itself}` things fail by themselves (`reliability`), in `{by_faults}` they do not: trials \
         of years and trials of one fault have nothing to pair"
    )]
    Kinds {
        /// The one with a `reliability` section.
        by_itself: String,
        /// The one without.
        by_faults: String,
    },
    /// Trials differ in length.
    #[error(
        "trials of `{one}` last {of_one}, those of `{other}` {of_other}: give both the same `run.until`"
    )]
    Lengths {
        /// A name.
        one: String,
        /// Its length.
        of_one: Duration,
        /// Another name.
        other: String,
        /// Its length.
        of_other: Duration,
    },
    /// Not a subject for years.
    #[error("`{name}`: {reason}")]
    NotOverYears {
        /// Which.
        name: String,
        /// Why.
        reason: one_by_one::NotOverYears,
    },
}

/// Whether the plans can be compared, and over what.
///
/// # Errors
///
/// What stands in the way.
pub fn check(sides: &[Side]) -> Result<Kind, NotPaired> {
    let [first, others @ ..] = sides else { return Err(NotPaired::Alone) };
    if others.is_empty() {
        return Err(NotPaired::Alone);
    }
    let fails = |side: &Side| !side.plan.reliability.is_empty();
    if let Some(other) = others.iter().find(|other| fails(other) != fails(first)) {
        let (by_itself, by_faults) = if fails(first) { (first, other) } else { (other, first) };
        let (by_itself, by_faults) = (by_itself.name.to_owned(), by_faults.name.to_owned());
        return Err(NotPaired::Kinds { by_itself, by_faults });
    }
    if fails(first) {
        for side in sides {
            let name = side.name.to_owned();
            one_by_one::check(side.plan)
                .map_err(|reason| NotPaired::NotOverYears { name, reason })?;
        }
        return Ok(Kind::ComparedYears);
    }
    match others.iter().find(|other| other.plan.until != first.plan.until) {
        Some(other) => Err(NotPaired::Lengths {
            one: first.name.to_owned(),
            of_one: first.plan.until,
            other: other.name.to_owned(),
            of_other: other.plan.until,
        }),
        None => Ok(Kind::ComparedRuns),
    }
}

/// What a comparison of these plans is of; `years` of each trial where things fail by themselves.
pub fn about(sides: &[Side], kind: Kind, seed: u64, years: u64) -> About {
    let joined = |parts: Vec<String>| parts.join("+");
    let until = match kind {
        Kind::ComparedYears => one_by_one::span_of(years),
        _ => sides.first().map_or(Duration::ZERO, |side| side.plan.until),
    };
    let inside = |plan: &Plan| {
        plan.map.machines().filter(|(_, machine)| machine.role != MachineRole::Outside).count()
    };
    let side =
        |side: &Side| SideAbout { name: side.name.to_owned(), machines: inside(side.plan) as u64 };
    About {
        hasim: env!("CARGO_PKG_VERSION").to_owned(),
        trials_are: kind,
        scenario: joined(sides.iter().map(|side| side.plan.name.clone()).collect()),
        fingerprint: joined(sides.iter().map(|side| fingerprint::of(side.plan)).collect()),
        seed,
        until,
        sides: sides.iter().map(side).collect(),
    }
}

/// Runs paired trials of so many years, block by block.
///
/// # Errors
///
/// If the threads cannot be started.
pub fn year_blocks(
    sides: &[Side],
    sampling: &Sampling,
    years: u64,
    guide: &dyn Guide,
    sink: impl FnMut(Block<YearPairs>) -> ControlFlow<()> + Send,
) -> Result<(), NoThreads> {
    let span = one_by_one::span_of(years);
    let all: Vec<_> = sides.iter().map(|side| one_by_one::Trials::of(side.plan, span)).collect();
    let run = |number| {
        let key = Key::new(sampling.seed, number);
        all.iter().map(|trials| trials.row(key)).collect::<Vec<_>>()
    };
    trials::blocks(sampling, run, guide, sink)
}

/// Runs paired trials of the plans' own faults, block by block.
///
/// # Errors
///
/// If the threads cannot be started.
pub fn run_blocks(
    sides: &[Side],
    sampling: &Sampling,
    guide: &dyn Guide,
    sink: impl FnMut(Block<Vec<Paired>>) -> ControlFlow<()> + Send,
) -> Result<(), NoThreads> {
    let run = |number| Paired {
        trial: number,
        sides: sides.iter().map(|side| RunSide::of(side.plan, sampling.seed, number)).collect(),
    };
    trials::blocks(sampling, run, guide, sink)
}

/// What a comparison tells: each of the other sides against the first, row by row.
pub trait Compared {
    /// The differences, in the order of sides and of what is measured.
    fn differences(&self) -> Vec<Difference>;
}

#[cfg(test)]
mod tests;

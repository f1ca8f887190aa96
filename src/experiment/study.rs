//! A study: trials without a gap, what they are of, and what they have collected.
//!
//! Absent on purpose: what a trial is, statistics, files.

use super::trials::{Block, Failure, Join};
use crate::kernel::time::Duration;
use crate::plan::{Plan, fingerprint};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Range;

/// What trials are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Runs of a scenario with its faults.
    Runs,
    /// Years in which things fail by themselves.
    Years,
    /// Runs of several scenarios side by side.
    ComparedRuns,
    /// Years of several scenarios side by side.
    ComparedYears,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Runs => "runs",
            Kind::Years => "years",
            Kind::ComparedRuns => "compared runs",
            Kind::ComparedYears => "compared years",
        })
    }
}

/// What is studied: studies of different subjects are never joined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct About {
    /// The version of hasim.
    pub hasim: String,
    /// What its trials are.
    pub trials_are: Kind,
    /// The scenario's name; of several, all names.
    pub scenario: String,
    /// What tells its plan from others; of several, all of them.
    pub fingerprint: String,
    /// The seed that all trials share.
    pub seed: u64,
    /// How long each trial is.
    pub until: Duration,
    /// What is compared; nothing where one scenario is studied.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sides: Vec<SideAbout>,
}

/// One of several scenarios that are compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SideAbout {
    /// What it is called.
    pub name: String,
    /// How many machines it takes, clients' apart.
    pub machines: u64,
}

impl About {
    /// A study of this plan with this seed, its trials as long as the plan says.
    pub fn of(plan: &Plan, seed: u64) -> Self {
        Self {
            hasim: env!("CARGO_PKG_VERSION").to_owned(),
            trials_are: Kind::Runs,
            scenario: plan.name.clone(),
            fingerprint: fingerprint::of(plan),
            seed,
            until: plan.until,
            sides: Vec::new(),
        }
    }
}

/// All trials of a scenario, or a slice of them.
#[derive(Clone, Debug)]
pub struct Study<A> {
    /// What is studied.
    pub about: About,
    /// The trials that were run: without gaps.
    pub trials: Range<u64>,
    /// What those that ended well have collected.
    pub results: A,
    /// The others.
    pub failures: Vec<Failure>,
}

impl<A: Join> Study<A> {
    /// No trials yet; the next one is `first`.
    pub fn empty(about: About, first: u64) -> Self {
        Self { about, trials: first..first, results: A::default(), failures: Vec::new() }
    }

    /// How many trials were run.
    pub fn count(&self) -> u64 {
        self.trials.end - self.trials.start
    }

    /// Adds the trials that follow.
    ///
    /// # Panics
    ///
    /// If they do not follow the ones that are there.
    pub fn add(&mut self, block: Block<A>) {
        assert_eq!(self.trials.end, block.trials.start, "blocks come in order, without gaps");
        self.trials.end = block.trials.end;
        self.results.absorb(block.folded.total);
        self.failures.extend(block.folded.failures);
    }
}

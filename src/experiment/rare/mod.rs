//! Availability over years where outages are rare: incidents instead of years, with failures that are
//! forced and weighted.
//!
//! A first look decides, for each measure, whether what happens after the first failure of an incident
//! is looked for by the clocks of the plan or on forced paths, and teaches those which failures lead
//! anywhere; the look is not part of the result, which so stays unbiased.
//!
//! Absent on purpose: plans whose protocols run by their own timers.

mod chain;
mod estimate;
mod field;
mod guide;
mod haste;
mod jumps;
mod look;
mod path;
mod precision;
mod seen;
mod trial;

#[cfg(test)]
mod tests;

pub use estimate::{Refusal, Share, Totals};
pub use trial::{Basis, Search};

use super::precision::Rule;
use super::trials::{self, Block, Failure, Folded, Guide, Join, NoThreads, Sampling};
use crate::kernel::law::Law;
use crate::kernel::stream::Key;
use crate::plan::Plan;
use crate::reliability::ideal::{Ideal, Measure};
use look::Look;
use precision::RarePrecision;
use std::ops::ControlFlow;
use trial::Course;

/// Why rare outages of a plan cannot be looked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRare {
    /// Nothing in it ever fails.
    #[error(
        "nothing in this scenario fails by itself: give it a `reliability` section, such as \
         `\"reliability\": {{\"preset\": \"textbook\"}}`"
    )]
    NothingFails,
    /// Worlds play the protocols.
    #[error(
        "--rare needs one number for each failover, and `timings` leaves the protocols to be played: add \
         `\"timings\": \"drawn\"` (from their own timers) or `\"timings\": \"ideal\"` (no time at all), or \
         leave --rare out"
    )]
    Protocols,
}

/// A study of rare outages.
#[derive(Clone, Debug)]
pub struct RareStudy {
    /// The scenario's name.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// The first trial.
    pub first: u64,
    /// What trials are made of.
    pub basis: Basis,
    /// How each measure's far layer was looked for.
    searches: Vec<Search>,
    /// What came.
    pub totals: Totals,
    /// Which measure stands for each.
    twins: [Option<Measure>; Measure::ALL.len()],
    rotation: bool,
    /// Trials that panicked.
    pub failures: Vec<Failure>,
    /// Where a relative error was asked for: the one that was reached, or that stands.
    pub aim: Option<Aim>,
}

/// A measure whose share of time down is wanted to a relative error: half of its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Goal {
    /// The measure.
    pub measure: Measure,
    /// The error.
    pub relative_error: f64,
}

/// How a goal stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Aim {
    /// Whether it ended the study.
    pub reached: bool,
    /// The relative error of all trials; `None`: there is no interval.
    pub relative_error: Option<f64>,
}

/// Whether rare outages of a plan can be looked for.
///
/// # Errors
///
/// What stands in the way.
pub fn check(plan: &Plan) -> Result<(), NotRare> {
    if plan.reliability.is_empty() {
        return Err(NotRare::NothingFails);
    }
    if plan.timings.are_played() { Err(NotRare::Protocols) } else { Ok(()) }
}

/// Whole cycles where every clock of failure is without memory and nothing comes by the calendar; else
/// so many years.
pub fn basis(plan: &Plan, years: u64) -> Basis {
    let laws = &plan.reliability;
    let parts = laws.parts.iter().flat_map(|part| &part.modes).map(|mode| &mode.failure);
    let outages = laws.outages.iter().map(|outage| &outage.failure);
    let shocks = laws.shocks.iter().map(|shock| &shock.every);
    let mut all = parts.chain(outages).chain(shocks);
    let forgets = all.all(|law| matches!(law, Law::Exponential { .. }));
    if forgets && laws.work.is_empty() { Basis::Cycles } else { Basis::Years(years) }
}

impl RareStudy {
    /// Looks for rare outages in so many trials.
    ///
    /// # Errors
    ///
    /// If the threads cannot be started.
    pub fn of(
        plan: &Plan,
        sampling: Sampling,
        years: u64,
        guide: &dyn Guide,
    ) -> Result<RareStudy, NoThreads> {
        Self::until(plan, sampling, years, None, guide)
    }

    /// The same until a goal is reached, after so many trials at most.
    ///
    /// # Errors
    ///
    /// If the threads cannot be started.
    pub fn until(
        plan: &Plan,
        sampling: Sampling,
        years: u64,
        goal: Option<Goal>,
        guide: &dyn Guide,
    ) -> Result<RareStudy, NoThreads> {
        Self::looked_for(plan, sampling, basis(plan, years), None, goal, guide)
    }

    /// The same where it may be known how to look.
    fn looked_for(
        plan: &Plan,
        sampling: Sampling,
        basis: Basis,
        look: Option<Look>,
        goal: Option<Goal>,
        guide: &dyn Guide,
    ) -> Result<RareStudy, NoThreads> {
        let ideal = Ideal::new(plan, Key::new(0, 0));
        let twins = ideal.twins();
        let focus = goal.and_then(|goal| twins[goal.measure as usize]).map(|twin| twin as usize);
        let mut course = Course::finding_out(plan, basis, focus);
        let look = look.unwrap_or_else(|| Look::at(&course, sampling.seed));
        let searches = look.searches;
        course.follow(look);
        let run = |number| course.trial(Key::new(sampling.seed, number));
        let mut rule = goal.and_then(|Goal { measure, relative_error }| {
            twins[measure as usize].map(|twin| RarePrecision::new(twin as usize, relative_error))
        });
        let mut reached = false;
        let mut folded = Folded { total: Totals::default(), failures: Vec::new() };
        trials::blocks(&sampling, run, guide, |block: Block<Totals>| {
            reached = rule.as_mut().is_some_and(|rule| rule.reached(&block));
            folded.total.absorb(block.folded.total);
            folded.failures.extend(block.folded.failures);
            if reached { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        let aim = rule.map(|rule| Aim { reached, relative_error: rule.relative_error_now() });
        Ok(RareStudy {
            scenario: plan.name.clone(),
            seed: sampling.seed,
            first: sampling.first,
            basis,
            searches: searches[..Measure::ALL.len()].to_vec(),
            twins,
            rotation: ideal.has_rotation(),
            totals: folded.total,
            failures: folded.failures,
            aim,
        })
    }
}

/// Whether a measure is never down in a plan, whatever fails.
pub fn is_never_down(plan: &Plan, measure: Measure) -> bool {
    Ideal::new(plan, Key::new(0, 0)).twins()[measure as usize].is_none()
}

impl RareStudy {
    /// How many trials it has.
    pub fn count(&self) -> u64 {
        self.totals.trials
    }

    /// What is known of a measure; `None` if it is never down, whatever fails.
    pub fn measure(&self, measure: Measure) -> Option<Share> {
        self.twins[measure as usize].map(|twin| self.totals.column(twin as usize))
    }

    /// How a measure was looked for after the first failure of an incident.
    pub fn search(&self, measure: Measure) -> Search {
        let twin = self.twins[measure as usize].unwrap_or(measure);
        self.searches[twin as usize]
    }

    /// What is known of requests that meet an unhealthy server in the rotation, or an empty rotation.
    /// `None` where balancers notice at once.
    pub fn requests(&self) -> Option<Share> {
        self.rotation.then(|| self.totals.column(seen::REQUESTS))
    }
}

//! Common causes: what fails together.

use crate::component::id::{ComponentId, MachineId};
use crate::kernel::law::Law;
use crate::kernel::time::Duration;
use crate::plan::share::Share;

/// An outage of a zone or a rack. It comes and goes by itself, whatever its machines do.
#[derive(Clone, Debug, PartialEq)]
pub struct CommonOutage {
    /// Its unique name: `zone a`, `rack r1`.
    pub name: String,
    /// The machines in it.
    pub machines: Vec<MachineId>,
    /// From the end of an outage (at first: from time 0) to the next.
    pub failure: Law,
    /// How long an outage lasts.
    pub repair: Law,
    /// What it does to the machines.
    pub effect: OutageEffect,
}

/// What a common outage does to its machines.
#[derive(Clone, Debug, PartialEq)]
pub enum OutageEffect {
    /// They cannot be used while it lasts. Nothing else happens to them: their own failures and
    /// repairs, and those of their processes, go on.
    Overlay,
    /// Those that are up or booting lose their power; repairs under way go on, and a machine whose
    /// repair ends meanwhile waits too. When power is back (of every outage that took it), each
    /// that waits boots for a time of its own; it cannot fail meanwhile, and is up and new after.
    Crash {
        /// How long booting takes.
        boot: Law,
    },
}

/// Shocks that stop every running process of a set at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Shock {
    /// What it is called in reports.
    pub cause: String,
    /// The processes that it stops; one that is down already, or whose machine is down, is not
    /// touched.
    pub processes: Vec<ComponentId>,
    /// Between shocks.
    pub every: Law,
    /// How long each of them takes to be up again, independently.
    pub repair: Law,
}

/// Failures of machines that come in bursts: a failure of a machine may take another one with it.
///
/// With probability [`Bursts::follow_probability`] a failure of a machine (by any mode) is followed,
/// at a time drawn evenly from the window, by that of one other machine: with probability
/// `same_zone` one of the same zone if there is one that is up, else any that is up, all alike. The
/// follower's repair is drawn from the law of the mode that struck first, and it takes no further
/// one with it. So that the rates stay what the modes say, the machines' own failures are thinned by
/// one over one plus that probability.
#[derive(Clone, Debug, PartialEq)]
pub struct Bursts {
    /// The share of all failures of machines that are part of a burst of two.
    pub share: Share,
    /// How long after the first failure the second comes at the latest.
    pub window: Duration,
    /// How often the second machine stands in the same zone as the first.
    pub same_zone: Share,
}

impl Bursts {
    /// The probability p that a failure is followed by another: of 1 + p failures 2 p are part of a
    /// burst, so that p = share / (2 − share).
    pub fn follow_probability(&self) -> f64 {
        let share = f64::from(self.share.0) / 1e6;
        share / (2.0 - share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law: with the follow probability, the stated share of failures lies in bursts.
    #[test]
    fn the_share_of_failures_in_bursts_is_the_stated_one() {
        for ppm in [0, 370_000, 1_000_000] {
            let (share, same_zone) = (Share(ppm), Share(800_000));
            let p =
                Bursts { share, window: Duration::from_secs(120), same_zone }.follow_probability();
            assert!((2.0 * p / (1.0 + p) - f64::from(ppm) / 1e6).abs() < 1e-15, "{p}");
        }
    }
}

//! Laws as stages: exponential, Erlang and hyperexponential laws, and gamma laws of whole shape, are
//! passages through stages that end at constant rates.
//!
//! Absent on purpose: approximations. A law that has no stages is refused, not fitted.

use crate::kernel::law::Law;
use crate::kernel::time::Duration;

/// A span as hours.
pub(super) fn hours(span: Duration) -> f64 {
    span.as_nanos() as f64 / 3.6e12
}

/// Most stages of one law; more would make chains without use.
const STAGES_MAX: u32 = 400;

/// A stage: how fast it ends, and which follows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stage {
    /// Per hour.
    pub(super) rate: f64,
    /// The next; `None`: the end.
    pub(super) next: Option<usize>,
}

/// A law as stages.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Phases {
    /// With which probability it begins in which stage.
    pub(super) start: Vec<(f64, usize)>,
    /// The stages.
    pub(super) stages: Vec<Stage>,
}

impl Phases {
    fn exponential(mean: Duration) -> Phases {
        let stage = Stage { rate: 1.0 / hours(mean), next: None };
        Phases { start: vec![(1.0, 0)], stages: vec![stage] }
    }

    fn erlang(count: usize, mean: Duration) -> Phases {
        let rate = count as f64 / hours(mean);
        let next = |at: usize| (at + 1 < count).then_some(at + 1);
        let stages = (0..count).map(|at| Stage { rate, next: next(at) }).collect();
        Phases { start: vec![(1.0, 0)], stages }
    }

    /// The law as stages, if it has any.
    pub(super) fn of(law: &Law) -> Option<Phases> {
        match law {
            Law::Exponential { mean } => Some(Phases::exponential(*mean)),
            Law::Erlang { stages, mean } if *stages <= STAGES_MAX => {
                Some(Phases::erlang(*stages as usize, *mean))
            }
            Law::Gamma { shape, mean }
                if shape.fract() <= 0.0 && *shape <= f64::from(STAGES_MAX) =>
            {
                #[allow(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "whole and at most a few hundred, as just checked"
                )]
                let count = *shape as usize;
                Some(Phases::erlang(count, *mean))
            }
            Law::Hyperexponential { branches } if branches.len() <= STAGES_MAX as usize => {
                let sum: f64 = branches.iter().map(|(share, _)| share).sum();
                let stage = |mean: Duration| Stage { rate: 1.0 / hours(mean), next: None };
                let start = branches.iter().enumerate();
                Some(Phases {
                    start: start.map(|(at, (share, _))| (share / sum, at)).collect(),
                    stages: branches.iter().map(|(_, mean)| stage(*mean)).collect(),
                })
            }
            _ => None,
        }
    }

    /// The mean, in hours.
    pub(super) fn mean(&self) -> f64 {
        let from = |start: usize| {
            let following = |at: &usize| self.stages[*at].next;
            let passed = std::iter::successors(Some(start), following);
            passed.map(|at| 1.0 / self.stages[at].rate).sum::<f64>()
        };
        self.start.iter().map(|(share, at)| share * from(*at)).sum()
    }

    /// How many stages.
    pub(super) fn len(&self) -> usize {
        self.stages.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law: stages keep the mean of their law.
    #[test]
    fn stages_keep_the_mean() {
        let mean = Duration::from_secs(7_200);
        let branches = vec![(0.8, Duration::from_secs(3_600)), (0.2, Duration::from_secs(18_000))];
        for (law, expected) in [
            (Law::Exponential { mean }, 2.0),
            (Law::Erlang { stages: 5, mean }, 2.0),
            (Law::Gamma { shape: 3.0, mean }, 2.0),
            (Law::Hyperexponential { branches }, 1.8),
        ] {
            let phases = Phases::of(&law).unwrap();
            let found = phases.mean();
            assert!((found - expected).abs() < 1e-12, "{law:?}: {found}");
        }
        assert_eq!(Phases::of(&Law::Weibull { shape: 2.0, scale: mean }), None);
    }
}

//! A chain that is none of hasim's, solved by its solver: the cluster of workstations of the PRISM
//! benchmark suite (Haverkort, Hermanns and Katoen 2000), whose answers were found by other programs.

use super::answer::Measured;
use super::chain::Chain;
use super::state::Levels;
use super::{eliminate, solve};
use std::collections::BTreeMap;

/// Two groups of workstations, each behind a switch, joined by a backbone. One repair unit: it
/// chooses among what is broken, and goes to it, at 10 an hour each.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Cluster {
    /// How many workstations work, left and right.
    working: [u16; 2],
    switches: [bool; 2],
    backbone: bool,
    /// What is under repair: 0 and 1 a workstation, 2 and 3 a switch, 4 the backbone.
    repaired: Option<usize>,
}

impl Cluster {
    /// Whether at least `count` workstations are joined.
    fn serves(&self, count: u16) -> bool {
        let side = |at: usize| self.working[at] >= count && self.switches[at];
        let joined = self.backbone && self.switches == [true, true];
        side(0) || side(1) || (joined && self.working[0] + self.working[1] >= count)
    }

    /// Every rate an hour, with what follows.
    fn moves(&self, all: u16) -> Vec<(f64, Cluster)> {
        let mut moves = Vec::new();
        for at in 0..2 {
            let mut fewer = *self;
            if fewer.working[at] > 0 {
                fewer.working[at] -= 1;
                moves.push((f64::from(self.working[at]) / 500.0, fewer));
            }
            if self.switches[at] {
                let mut cut = *self;
                cut.switches[at] = false;
                moves.push((1.0 / 4000.0, cut));
            }
        }
        if self.backbone {
            moves.push((1.0 / 5000.0, Cluster { backbone: false, ..*self }));
        }
        for what in 0..5 {
            let broken = match what {
                0 | 1 => self.working[what] < all,
                2 | 3 => !self.switches[what - 2],
                _ => !self.backbone,
            };
            if self.repaired == Some(what) {
                moves.push(self.mended(what));
            } else if self.repaired.is_none() && broken {
                moves.push((10.0, Cluster { repaired: Some(what), ..*self }));
            }
        }
        moves
    }

    fn mended(&self, what: usize) -> (f64, Cluster) {
        let mut mended = Cluster { repaired: None, ..*self };
        match what {
            0 | 1 => {
                mended.working[what] += 1;
                (2.0, mended)
            }
            2 | 3 => {
                mended.switches[what - 2] = true;
                (0.25, mended)
            }
            _ => (0.125, Cluster { backbone: true, ..mended }),
        }
    }
}

/// The chain of `all` workstations a side, and its states.
fn chain(all: u16) -> (Chain, Vec<Cluster>) {
    let start = Cluster { working: [all; 2], switches: [true; 2], backbone: true, repaired: None };
    let mut numbers = BTreeMap::from([(start, 0)]);
    let (mut states, mut rates) = (vec![start], Vec::new());
    while rates.len() < states.len() {
        let mut row: BTreeMap<usize, f64> = BTreeMap::new();
        for (rate, next) in states[rates.len()].moves(all) {
            let number = *numbers.entry(next).or_insert_with(|| {
                states.push(next);
                states.len() - 1
            });
            *row.entry(number).or_default() += rate;
        }
        rates.push(row.into_iter().collect());
    }
    let none = Levels { up: [true; Measured::ALL.len()], request_success: 1.0 };
    let levels = vec![none; states.len()];
    let places = vec![0; states.len()];
    let mut chain = Chain { rates, levels, starts: vec![(0, 1.0)], places };
    let entries = chain.entries().map(|(from, to, _)| (from, to));
    for (place, state) in eliminate::order(states.len(), entries).into_iter().enumerate() {
        chain.places[state] = place;
    }
    (chain, states)
}

fn near(what: &str, got: f64, published: f64) {
    assert!((got / published - 1.0).abs() < 2e-6, "{what}: {got:e}, published {published:e}");
}

/// Law: states, long-run shares, chances within 100 and 1000 hours and the mean time to the first
/// outage are those that Storm finds for the benchmark, to its precision of a millionth.
#[test]
fn the_benchmark_s_answers_are_those_of_a_model_checker() {
    for (all, count, premium, outage, soon, late, first) in [
        (2, 276, 0.999_961_284, 2.339_824e-6, 5.546_125e-5, 5.780_556e-4, 1_721_635.0),
        (4, 820, 0.999_920_991, 3.701_131e-6, 8.606_780e-5, 9.087_773e-4, 1_093_408.0),
        (8, 2772, 0.999_832_820, 2.427_607e-6, 5.640_842e-5, 5.922_212e-4, 1_679_150.0),
    ] {
        let (chain, states) = chain(all);
        assert_eq!(states.len(), count);
        let least = all * 3 / 4;
        let up = |at: usize| states[at].serves(least);
        let weights = solve::stationary(&chain).unwrap();
        let share = |which: &dyn Fn(usize) -> bool| -> f64 {
            (0..count).filter(|at| which(*at)).map(|at| weights[at]).sum()
        };
        near("premium", share(&|at| states[at].serves(all)), premium);
        near("outage", share(&|at| !up(at)), outage);
        near("first outage", solve::mean_time_to_first(&chain, &up).unwrap(), first);
        near("100 h", solve::reached_by(&chain, 100.0, &up), soon);
        near("1000 h", solve::reached_by(&chain, 1000.0, &up), late);
    }
}

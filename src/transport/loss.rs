//! Permanent, independent loss of packets as arithmetic: how late what is repeated comes, and when
//! the next run of losses that matters will have happened.
//!
//! Absent on purpose: what matters (the callers say), and queueing behind a lost segment.

use super::retransmission::{DATA_FIRST, Schedule, SynTimers};
use crate::kernel::stream::Draw;
use crate::kernel::time::{Duration, Time};

/// All waits of Linux TCP here are multiples of this.
const CELL: Duration = DATA_FIRST;

/// How much later than without loss something comes: the probability of each multiple of 0.2 s.
/// What is missing to one comes later than any limit that was asked for.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Lateness {
    /// By cell; empty stands for "never late".
    cells: Vec<f64>,
}

impl Lateness {
    /// Never late.
    pub fn none() -> Self {
        Self::default()
    }

    /// Whether nothing is ever late.
    pub fn is_none(&self) -> bool {
        self.cells.is_empty()
    }

    /// Connecting, where a SYN or its answer is lost with this probability: repeated after 1, 3, 7 … s,
    /// or as the kernel's timers say. Lateness above `limit` is not told apart.
    pub fn of_connecting(loss: f64, timers: impl Into<SynTimers>, limit: Duration) -> Self {
        Self::repeated(loss, Schedule::syn(Time::ZERO, timers), limit)
    }

    /// Data lost with this probability: repeated after 0.2, 0.6, 1.4 … s.
    pub fn of_data(loss: f64, limit: Duration) -> Self {
        Self::repeated(loss, Schedule::data(Time::ZERO), limit)
    }

    fn repeated(loss: f64, sent: Schedule, limit: Duration) -> Self {
        if loss <= 0.0 {
            return Self::none();
        }
        let mut cells = vec![0.0; index(limit) + 1];
        let mut reached = 1.0;
        for at in sent.transmissions() {
            let Some(cell) = cells.get_mut(index(at.since(Time::ZERO))) else { break };
            *cell += reached * (1.0 - loss);
            reached *= loss;
        }
        Self { cells }
    }

    /// One after the other: latenesses add up. Both know the same limit.
    #[must_use]
    pub fn then(self, next: Self) -> Self {
        if self.is_none() || next.is_none() {
            return if self.is_none() { next } else { self };
        }
        let length = self.cells.len().min(next.cells.len());
        let mut cells = vec![0.0; length];
        for (i, a) in self.cells.iter().enumerate().filter(|(_, a)| **a > 0.0) {
            for (sum, b) in cells.iter_mut().skip(i).zip(&next.cells) {
                *sum += a * b;
            }
        }
        Self { cells }
    }

    /// The one of several with which `needed` of them have come; nothing is late if none is needed.
    #[must_use]
    pub fn nth_earliest(needed: usize, several: &[Self]) -> Self {
        let length = several.iter().map(|one| one.cells.len()).max().unwrap_or(0);
        if needed == 0 || length == 0 {
            return Self::none();
        }
        let mut come = vec![0.0; several.len()];
        let mut before = 0.0;
        let cells = (0..length).map(|at| {
            for (come, one) in come.iter_mut().zip(several) {
                *come += one.cells.get(at).copied().unwrap_or(0.0);
                if one.is_none() {
                    *come = 1.0;
                }
            }
            let now = at_least(needed, &come);
            now - std::mem::replace(&mut before, now)
        });
        Self { cells: cells.collect() }
    }

    /// One of several, each as likely as another.
    #[must_use]
    pub fn one_of(several: &[Self]) -> Self {
        let length = several.iter().map(|one| one.cells.len()).max().unwrap_or(0);
        if length == 0 {
            return Self::none();
        }
        let mut cells = vec![0.0; length];
        for one in several {
            if one.is_none() {
                cells[0] += 1.0;
            }
            for (sum, part) in cells.iter_mut().zip(&one.cells) {
                *sum += part;
            }
        }
        let count = several.len() as f64;
        Self { cells: cells.into_iter().map(|sum| sum / count).collect() }
    }

    /// How likely it comes in time, with nothing lost or everything repeated within `limit`.
    pub fn within(&self, limit: Duration) -> f64 {
        if self.is_none() {
            return 1.0;
        }
        self.cells.iter().take(index(limit) + 1).sum::<f64>().min(1.0)
    }

    /// How likely it comes later than `limit`.
    pub fn beyond(&self, limit: Duration) -> f64 {
        if self.is_none() { 0.0 } else { (1.0 - self.within(limit)).max(0.0) }
    }

    /// How likely it is late at all.
    pub fn late(&self) -> f64 {
        self.beyond(Duration::ZERO)
    }
}

/// How likely at least `needed` of several independent things have happened.
fn at_least(needed: usize, happened: &[f64]) -> f64 {
    let mut exactly = vec![0.0; happened.len() + 1];
    exactly[0] = 1.0;
    for (count, p) in happened.iter().enumerate() {
        for k in (0..=count).rev() {
            exactly[k + 1] += exactly[k] * p;
            exactly[k] *= 1.0 - p;
        }
    }
    exactly.iter().skip(needed).sum()
}

fn index(span: Duration) -> usize {
    usize::try_from(span.as_nanos() / CELL.as_nanos()).unwrap_or(usize::MAX)
}

/// A share in parts per million as a probability.
pub fn probability(ppm: u32) -> f64 {
    f64::from(ppm) / 1e6
}

/// How likely at least one of two packets is lost.
pub fn either(a: f64, b: f64) -> f64 {
    a + b - a * b
}

/// How many tries come before the first that goes wrong, each with this probability; `None` if that
/// is later than any run.
pub fn tries_before(probability: f64, draw: &mut Draw) -> Option<u64> {
    Runs { probability, length: 1 }.tries(draw).map(|tries| tries - 1)
}

/// Tries that go wrong independently, of which so many in a row matter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Runs {
    /// How likely one goes wrong.
    pub probability: f64,
    /// How many in a row matter; at least 1.
    pub length: u32,
}

/// Steps of the exact recurrence before its ratio stands; for any probability in use it converges
/// long before.
const STEPS_MAX: usize = 4096;

/// Beyond so many tries a run never comes: 500 years of one try a microsecond.
const TRIES_MAX: f64 = 1.6e16;

impl Runs {
    /// How many tries there are up to and including the last of the first such run; `None` if that is
    /// later than any run of the simulator.
    ///
    /// By inversion of P(no run in n tries) = S(n): S(n) = S(n−1) − q pᵏ S(n−k−1), whose ratio soon
    /// stands still, so that the rest is geometric.
    pub fn tries(self, draw: &mut Draw) -> Option<u64> {
        let (p, k) = (self.probability, usize::try_from(self.length).unwrap_or(usize::MAX));
        let u = 1.0 - draw.uniform();
        if p <= 0.0 {
            return None;
        }
        if p >= 1.0 {
            return Some(u64::from(self.length));
        }
        let run = libm::pow(p, f64::from(self.length));
        let mut none = vec![1.0; k];
        none.push(1.0 - run);
        let mut hazard = 0.0;
        for n in k.. {
            if none[n] < u {
                return u64::try_from(n).ok();
            }
            let drop = (1.0 - p) * run * none[n - k];
            let next = drop / none[n];
            let still = n > 3 * k && (next - hazard).abs() <= 1e-13 * next;
            hazard = next;
            if still || n > STEPS_MAX {
                break;
            }
            none.push(none[n] - drop);
        }
        let n = none.len() - 1;
        let more = libm::floor(libm::log(u / none[n]) / libm::log1p(-hazard)) + 1.0;
        let tries = n as f64 + more;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "from 1 to 1.6e16"
        )]
        (tries < TRIES_MAX).then_some(tries as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::stream::{Key, StreamName};

    fn draw(n: u64) -> Draw {
        Key::new(3, 0).draw(StreamName::of("loss"), 0, n)
    }

    /// Tosses until a run of losses is complete.
    fn tossed(runs: Runs, n: u64) -> u64 {
        let mut draw = Key::new(4, 0).draw(StreamName::of("toss"), 0, n << 16);
        let (mut row, mut tries) = (0, 0);
        while row < runs.length {
            tries += 1;
            row = if draw.uniform() < runs.probability { row + 1 } else { 0 };
        }
        tries
    }

    /// Law: jumping to the next run of losses agrees with tossing for each packet (two-sample
    /// Kolmogorov-Smirnov at 10,000 each; one pair in a thousand would exceed the bound).
    #[test]
    fn jumping_agrees_with_tossing() {
        for (probability, length) in [(0.01, 1), (0.3, 3), (0.1, 2), (0.6, 4), (0.97, 2)] {
            let runs = Runs { probability, length };
            let count = 10_000_u64;
            let mut jumps: Vec<u64> =
                (0..count).map(|n| runs.tries(&mut draw(n)).unwrap()).collect();
            let mut tosses: Vec<u64> = (0..count).map(|n| tossed(runs, n)).collect();
            jumps.sort_unstable();
            tosses.sort_unstable();
            let below = |of: &[u64], x: u64| of.partition_point(|y| *y <= x) as f64;
            let worst = jumps
                .iter()
                .chain(&tosses)
                .map(|x| (below(&jumps, *x) - below(&tosses, *x)).abs() / count as f64)
                .fold(0.0, f64::max);
            let bound = 1.95 * (2.0 / count as f64).sqrt();
            assert!(worst < bound, "{runs:?}: {worst} against {bound}");
        }
    }

    /// Law: the mean wait for a run of k is (1 − pᵏ) / (q pᵏ) tries (Feller), also where it is rare.
    #[test]
    fn the_mean_wait_for_a_run_is_that_of_feller() {
        for (p, k) in [(0.01_f64, 3_u8), (0.001, 2), (0.2, 5)] {
            let count = 20_000_u64;
            let runs = Runs { probability: p, length: u32::from(k) };
            let sum: f64 = (0..count).map(|n| runs.tries(&mut draw(n)).unwrap() as f64).sum();
            let mean = (1.0 - p.powi(i32::from(k))) / ((1.0 - p) * p.powi(i32::from(k)));
            // The wait is all but exponential: its standard error is mean / sqrt(n); four of them.
            let bound = 4.0 * mean / (count as f64).sqrt();
            assert!((sum / count as f64 - mean).abs() < bound, "{p} {k}");
        }
    }

    /// Law: nothing is lost without loss, and with certain loss the first run matters.
    #[test]
    fn the_edges_are_certain() {
        assert_eq!(Runs { probability: 0.0, length: 3 }.tries(&mut draw(0)), None);
        assert_eq!(Runs { probability: 1.0, length: 3 }.tries(&mut draw(0)), Some(3));
        assert_eq!(tries_before(1.0, &mut draw(0)), Some(0));
        assert!(Lateness::of_data(0.0, Duration::from_secs(5)).is_none());
    }

    /// Law: a SYN lost j times comes 2ʲ − 1 s late; latenesses add up; the earlier of two is late
    /// only if both are; a mixture is the mean.
    #[test]
    fn latenesses_compose() {
        let limit = Duration::from_secs(5);
        let syn = Lateness::of_connecting(0.1, 0, limit);
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
        near(syn.beyond(limit), 0.001);
        near(syn.within(Duration::from_secs(1)), 0.99);
        near(syn.late(), 0.1);
        let data = Lateness::of_data(0.2, limit);
        near(data.beyond(limit), 0.2_f64.powi(5));
        let both = syn.clone().then(data.clone());
        near(both.within(Duration::ZERO), 0.72);
        near(both.within(Duration::from_secs(1)), 0.9 * 0.992 + 0.09 * 0.8);
        near(Lateness::nth_earliest(1, &[data.clone(), data.clone()]).late(), 0.04);
        near(Lateness::nth_earliest(2, &[data.clone(), data.clone()]).late(), 0.36);
        near(Lateness::one_of(&[Lateness::none(), data.clone()]).late(), 0.1);
        assert_eq!(Lateness::none().then(data.clone()), data);
        near(Lateness::nth_earliest(1, &[Lateness::none(), data]).late(), 0.0);
    }
}

//! How small a difference a sample of a given size can show at all.
//!
//! The smallest shift is the least δ such that, if reality were the simulated law moved by δ, the
//! Kolmogorov-Smirnov test at the given level would have found it in at least four of five
//! measurements of this size. It is found by repeating the measurement: samples drawn from the
//! simulated values, moved by δ, each held against the simulated values.

use super::Sample;
use super::kolmogorov_smirnov::critical_distance;
use super::share;
use crate::kernel::stream::{Key, StreamName};

/// The share of measurements that must show a shift.
pub const POWER: f64 = 0.8;

/// How often the measurement is repeated; its share has a standard error of 3 %.
const REPETITIONS: u64 = 200;

/// The seed of the repetitions: the same samples give the same answer.
const SEED: u64 = 1;

/// The smallest shift upwards of the simulated law that `n` values would have shown at a level, to
/// about 1 %. Whole numbers for counts (`whole`). `None` if so few values can show none at all.
pub fn smallest_shift(simulated: &Sample, n: usize, level: f64, whole: bool) -> Option<f64> {
    let critical = critical_distance(n, simulated.count(), level);
    if critical > 1.0 || n == 0 {
        return None;
    }
    let measurements: Vec<Sample> = (0..REPETITIONS).map(|r| redrawn(simulated, n, r)).collect();
    let shows = |shift: f64| {
        let far = measurements.iter().filter(|s| distance(s, simulated, shift) >= critical);
        far.count() as f64 >= POWER * REPETITIONS as f64
    };
    let spread = simulated.max() - simulated.min();
    let (mut low, mut high) =
        (0.0, if whole { spread.ceil() + 1.0 } else { spread.max(1e-6) * 1.01 });
    let fine =
        |low: f64, high: f64| if whole { high - low <= 1.0 } else { high - low <= high * 0.01 };
    while !fine(low, high) && high > 1e-9 {
        let middle = f64::midpoint(low, high);
        let middle = if whole { middle.floor() } else { middle };
        if shows(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(high)
}

/// `n` values drawn from a sample, with replacement.
fn redrawn(from: &Sample, n: usize, repetition: u64) -> Sample {
    let mut draw = Key::new(SEED, repetition).draw(StreamName::of("smallest shift"), 0, 0);
    let count = from.count() as u64;
    let index = |bits: u64| usize::try_from(bits).unwrap_or(0);
    let values = (0..n).map(|_| from.values()[index(draw.below(count))]).collect();
    Sample::new(values).unwrap_or_else(|| from.clone())
}

/// The Kolmogorov-Smirnov distance of a sample, moved by `shift`, from another one.
fn distance(moved: &Sample, other: &Sample, shift: f64) -> f64 {
    let (n, m) = (moved.count(), other.count());
    let mut greatest = 0.0_f64;
    for (at, value) in moved.values().iter().enumerate() {
        let x = value + shift;
        let above = share(at + 1, n) - share(other.count_up_to(x), m);
        let below = share(other.count_below(x), m) - share(at, n);
        greatest = greatest.max(above).max(below);
    }
    greatest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uniform(m: u64) -> Sample {
        Sample::new((0..m).map(|k| k as f64 / m as f64).collect()).unwrap()
    }

    /// Law: more values show smaller shifts, about as the root of their number.
    #[test]
    fn more_values_show_smaller_shifts() {
        let law = uniform(2_000);
        let few = smallest_shift(&law, 12, 0.05, false).unwrap();
        let many = smallest_shift(&law, 48, 0.05, false).unwrap();
        let ratio = few / many;
        assert!((1.5..3.0).contains(&ratio), "{ratio}");
    }

    /// Law: of a law that is a single value any shift shows; of too few values none does.
    #[test]
    fn edges_hold() {
        let point = Sample::new(vec![5.0; 100]).unwrap();
        assert!(smallest_shift(&point, 20, 0.05, false).unwrap() < 1e-6);
        assert_eq!(smallest_shift(&point, 20, 0.05, true), Some(1.0));
        assert_eq!(smallest_shift(&uniform(100), 1, 0.0005, false), None);
    }
}

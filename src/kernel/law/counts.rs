//! How many of many: the binomial law, and Poisson's, exactly, however many there are.
//!
//! Absent on purpose: its distribution function.

use super::sample::gamma;
use crate::kernel::stream::Draw;

/// So few are counted one by one.
const ONE_BY_ONE: u64 = 32;

/// How many of `count` independent cases occur, each with this probability.
///
/// The median of the cases' uniform numbers has a beta law; whether it lies below `probability`
/// settles half of the cases at once (Devroye 1986, *Non-uniform random variate generation*, X.4.4).
pub fn occurrences(count: u64, probability: f64, draw: &mut Draw) -> u64 {
    let (mut left, mut p, mut found) = (count, probability.clamp(0.0, 1.0), 0);
    while left > ONE_BY_ONE {
        let middle = left.div_ceil(2);
        let (below, above) = (gamma(middle as f64, draw), gamma((left - middle + 1) as f64, draw));
        let median = below / (below + above);
        if median <= p {
            found += middle;
            left -= middle;
            p = (p - median) / (1.0 - median);
        } else {
            left = middle - 1;
            p /= median;
        }
    }
    found + u64::try_from((0..left).filter(|_| draw.uniform() < p).count()).unwrap_or(0)
}

/// How many arrivals come where this many do on average, at random (Poisson's law).
///
/// The instant of an early one among them has a gamma law; whether it comes in time settles most of
/// the arrivals at once (Ahrens and Dieter 1974, *Computer methods for sampling*).
pub fn arrivals(mean: f64, draw: &mut Draw) -> u64 {
    let (mut left, mut found) = (mean, 0);
    while left > ONE_BY_ONE as f64 {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at least 28, and far below 2⁶⁴"
        )]
        let early = (left * 0.875) as u64;
        let at = gamma(early as f64, draw);
        if at > left {
            return found + occurrences(early - 1, left / at, draw);
        }
        found += early;
        left -= at;
    }
    let mut at = -libm::log1p(-draw.uniform());
    while at < left {
        found += 1;
        at -= libm::log1p(-draw.uniform());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::stream::{Key, StreamName};

    /// Law: mean and variance are those of the binomial law, for few and for many (bounds: four
    /// standard errors; the variance of a sample variance is at most 3 σ⁴ / n here).
    #[test]
    fn occurrences_follow_the_binomial_law() {
        const N: u64 = 20_000;
        for (count, p) in [(10_u64, 0.3), (100, 0.02), (5000, 0.05), (1_000_000, 0.5)] {
            let sample: Vec<f64> = (0..N)
                .map(|n| {
                    let mut draw = Key::new(7, count).draw(StreamName::of("binomial"), 0, n);
                    occurrences(count, p, &mut draw) as f64
                })
                .collect();
            let n = N as f64;
            let mean = sample.iter().sum::<f64>() / n;
            let variance = sample.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
            let expected = count as f64 * p * (1.0 - p);
            assert!((mean - count as f64 * p).abs() < 4.0 * (expected / n).sqrt(), "{count} {p}");
            assert!((variance / expected - 1.0).abs() < 4.0 * (3.0 / n).sqrt(), "{count} {p}");
        }
    }

    /// Law: mean and variance of arrivals are both their mean, for few and for many (bounds as above;
    /// the fourth moment of a Poisson law adds 1 / mean).
    #[test]
    fn arrivals_follow_poissons_law() {
        const N: u64 = 20_000;
        for mean in [0.3_f64, 7.0, 40.0, 1000.0, 3.0e6] {
            let sample: Vec<f64> = (0..N)
                .map(|n| {
                    let mut draw =
                        Key::new(8, mean.to_bits()).draw(StreamName::of("poisson"), 0, n);
                    arrivals(mean, &mut draw) as f64
                })
                .collect();
            let n = N as f64;
            let found = sample.iter().sum::<f64>() / n;
            let variance = sample.iter().map(|x| (x - found).powi(2)).sum::<f64>() / n;
            assert!((found - mean).abs() < 4.0 * (mean / n).sqrt(), "{found} for {mean}");
            let bound = 4.0 * ((2.0 + 1.0 / mean) / n).sqrt();
            assert!((variance / mean - 1.0).abs() < bound, "{variance} for {mean}");
        }
    }

    /// Law: nothing occurs without a chance, and everything with certainty.
    #[test]
    fn certain_cases_are_certain() {
        let mut draw = Key::new(7, 0).draw(StreamName::of("binomial"), 1, 0);
        assert_eq!(occurrences(1000, 0.0, &mut draw), 0);
        assert_eq!(occurrences(1000, 1.0, &mut draw), 1000);
        assert_eq!(occurrences(0, 0.5, &mut draw), 0);
    }
}

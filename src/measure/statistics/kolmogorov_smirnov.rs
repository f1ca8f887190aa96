//! The two-sample test of Kolmogorov and Smirnov: the greatest distance between two empirical
//! distribution functions, and how often chance alone makes it as great.
//!
//! The p-value is exact: of all orders in which the pooled values could have come, equally likely
//! under one law, the share whose distance is at least as great. Ties, as counts have them, are part
//! of that: functions are compared only where a group of equal values ends. Where the product of the
//! sizes makes that too long, Kolmogorov's limit stands in (conservative with ties).

use super::{Sample, share};

/// Steps of the exact count that are taken at most: about a tenth of a second.
const STEPS_MAX: usize = 20_000_000;

/// The distance of two samples and how surprising it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Test {
    /// The greatest distance of the two distribution functions, from [0, 1].
    pub statistic: f64,
    /// The probability of one at least as great if both samples come from one law.
    pub p_value: f64,
    /// Whether the p-value is exact, or Kolmogorov's limit.
    pub exact: bool,
}

/// Compares two samples.
pub fn test(one: &Sample, other: &Sample) -> Test {
    let (n, m) = (one.count(), other.count());
    let pooled = pool(one, other);
    let mut greatest = 0;
    let (mut i, mut j) = (0, 0);
    for group in &pooled {
        (i, j) = (i + group.0, j + group.1);
        greatest = greatest.max(distance(i, j, n, m));
    }
    let statistic = greatest as f64 / (n as f64 * m as f64);
    let exact = n.saturating_mul(m) <= STEPS_MAX;
    let p_value = if exact {
        exact_tail(n, m, greatest, &ends(&pooled, n + m))
    } else {
        limit_tail(n, m, statistic)
    };
    Test { statistic, p_value, exact }
}

/// Compares two samples, of which only so many values of `one` are independent of each other: its
/// distance is as surprising as if it had been found with that many.
pub fn test_of_dependent(one: &Sample, other: &Sample, independent: usize) -> Test {
    let plain = test(one, other);
    let (n, m) = (independent, other.count());
    if n == 0 || n >= one.count() {
        return plain;
    }
    let limit = libm::floor(plain.statistic * n as f64 * m as f64 * (1.0 - 1e-12));
    let exact = n.saturating_mul(m) <= STEPS_MAX;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most n m")]
    let p_value = if exact {
        exact_tail(n, m, limit as u128, &vec![true; n + m + 1])
    } else {
        limit_tail(n, m, plain.statistic)
    };
    Test { p_value, exact, ..plain }
}

/// The least distance of samples of these sizes, without ties, whose p-value is at most `level`; above
/// 1 if there is none.
pub fn critical_distance(n: usize, m: usize, level: f64) -> f64 {
    let exact = n.saturating_mul(m) <= STEPS_MAX;
    let untied = vec![true; n + m + 1];
    let tail = |distance: u128| {
        if exact {
            exact_tail(n, m, distance, &untied)
        } else {
            limit_tail(n, m, distance as f64 / (n as f64 * m as f64))
        }
    };
    let (mut low, mut high) = (0, n as u128 * m as u128 + 1);
    while low < high {
        let middle = u128::midpoint(low, high);
        if tail(middle) <= level { high = middle } else { low = middle + 1 }
    }
    high as f64 / (n as f64 * m as f64)
}

/// |i/n − j/m| times n·m, without rounding.
fn distance(i: usize, j: usize, n: usize, m: usize) -> u128 {
    (i as u128 * m as u128).abs_diff(j as u128 * n as u128)
}

/// How many values of each sample stand at each of the pooled values, in ascending order.
fn pool(one: &Sample, other: &Sample) -> Vec<(usize, usize)> {
    let (one, other) = (one.values(), other.values());
    let (mut i, mut j, mut groups) = (0, 0, Vec::with_capacity(one.len() + other.len()));
    while i < one.len() || j < other.len() {
        let least = match (one.get(i), other.get(j)) {
            (Some(a), Some(b)) => a.min(*b),
            (Some(a), None) => *a,
            (None, b) => b.copied().unwrap_or(f64::INFINITY),
        };
        let of_one = one[i..].partition_point(|value| *value <= least);
        let of_other = other[j..].partition_point(|value| *value <= least);
        groups.push((of_one, of_other));
        (i, j) = (i + of_one, j + of_other);
    }
    groups
}

/// For each number of pooled values, whether a group of equal ones ends there.
fn ends(groups: &[(usize, usize)], count: usize) -> Vec<bool> {
    let mut ends = vec![false; count + 1];
    let mut at = 0;
    for (one, other) in groups {
        at += one + other;
        ends[at] = true;
    }
    ends
}

/// The probability that the path of a random order of n and m values reaches a distance of at least
/// `limit` (times n·m) where a group ends.
///
/// A random path to (i, j) came from (i − 1, j) with probability i/(i + j), else from (i, j − 1); the
/// probability of having been too far is carried along (Schröer and Trenkler 1995; R's `psmirnov`).
fn exact_tail(n: usize, m: usize, limit: u128, ends: &[bool]) -> f64 {
    if limit == 0 {
        return 1.0;
    }
    let too_far = |i: usize, j: usize| ends[i + j] && distance(i, j, n, m) >= limit;
    let mut far = vec![0.0_f64; m + 1];
    for j in 1..=m {
        far[j] = if too_far(0, j) { 1.0 } else { far[j - 1] };
    }
    for i in 1..=n {
        if too_far(i, 0) {
            far[0] = 1.0;
        }
        for j in 1..=m {
            far[j] = if too_far(i, j) {
                1.0
            } else {
                let from_one = share(i, i + j);
                from_one * far[j] + (1.0 - from_one) * far[j - 1]
            };
        }
    }
    far[m].clamp(0.0, 1.0)
}

/// Kolmogorov's limit of the same probability.
fn limit_tail(n: usize, m: usize, statistic: f64) -> f64 {
    let (n, m) = (n as f64, m as f64);
    let scaled = statistic * (n * m / (n + m)).sqrt();
    if scaled < 0.2 {
        return 1.0;
    }
    let term = |k: u32| {
        let sign = if k % 2 == 1 { 2.0 } else { -2.0 };
        sign * libm::exp(-2.0 * f64::from(k * k) * scaled * scaled)
    };
    (1..=100).map(term).sum::<f64>().clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::stream::{Draw, Key, StreamName};

    fn sample(values: &[f64]) -> Sample {
        Sample::new(values.to_vec()).unwrap()
    }

    fn drawn(n: usize, of: impl FnMut(&mut Draw) -> f64, draw: &mut Draw) -> Sample {
        let mut of = of;
        Sample::new((0..n).map(|_| of(draw)).collect()).unwrap()
    }

    /// Law: completely separate samples are the rarest two of all orders: p = 2 / C(n + m, n).
    #[test]
    fn separate_samples_are_the_rarest_order() {
        let found = test(&sample(&[1.0, 2.0, 3.0]), &sample(&[4.0, 5.0, 6.0, 7.0]));
        assert!((found.statistic - 1.0).abs() < 1e-12);
        assert!((found.p_value - 2.0 / 35.0).abs() < 1e-12);
        assert!(found.exact);
    }

    /// Law: the tail is that of counting all orders, with and without ties (the second has a group
    /// of equal values across the samples).
    #[test]
    fn exact_tails_count_all_orders() {
        let cases: [(&[f64], &[f64]); 3] = [
            (&[1.0, 3.0, 7.0], &[2.0, 8.0, 9.0, 10.0]),
            (&[1.0, 1.0, 2.0, 3.0], &[1.0, 2.0, 2.0, 2.0, 5.0]),
            (&[0.0, 0.0, 1.0], &[0.0, 1.0, 1.0, 1.0, 2.0]),
        ];
        for (one, other) in cases {
            let found = test(&sample(one), &sample(other));
            let mut pooled: Vec<f64> = one.iter().chain(other).copied().collect();
            pooled.sort_by(f64::total_cmp);
            let (mut all, mut extreme) = (0_u32, 0_u32);
            for chosen in 0_u32..1 << pooled.len() {
                if chosen.count_ones() as usize != one.len() {
                    continue;
                }
                let part = |bit: u32| {
                    let of = |at: &usize| chosen >> at & 1 == bit;
                    (0..pooled.len()).filter(of).map(|at| pooled[at]).collect::<Vec<_>>()
                };
                let (a, b) = (sample(&part(1)), sample(&part(0)));
                let apart = pooled.iter().map(|x| (a.ecdf(*x) - b.ecdf(*x)).abs());
                all += 1;
                let far = apart.fold(0.0, f64::max) >= found.statistic - 1e-9;
                extreme += u32::from(far);
            }
            let counted = f64::from(extreme) / f64::from(all);
            assert!((found.p_value - counted).abs() < 1e-12, "{one:?} {other:?}");
        }
    }

    /// Law: the limit is Kolmogorov's table (1.358 at 5 %, 1.628 at 1 %), and the exact tail of large
    /// samples comes near it.
    #[test]
    fn the_limit_is_kolmogorovs() {
        let scale = (2.0 / 1e6_f64).sqrt();
        assert!((limit_tail(1_000_000, 1_000_000, 1.358 * scale) - 0.05).abs() < 1e-3);
        assert!((limit_tail(1_000_000, 1_000_000, 1.628 * scale) - 0.01).abs() < 1e-3);
        let (n, m) = (700, 1100);
        let critical = critical_distance(n, m, 0.05);
        assert!((limit_tail(n, m, critical) - 0.05).abs() < 0.005);
    }

    /// Law: at level 5 %, samples of one law differ in at most 5 % of 2,000 pairs (three standard
    /// errors allowed), be they spans or counts.
    #[test]
    fn one_law_is_seldom_told_apart() {
        const PAIRS: u64 = 2_000;
        let laws: [fn(&mut Draw) -> f64; 2] =
            [Draw::uniform, |draw| (draw.uniform() * 3.0).floor()];
        for law in laws {
            let apart = (0..PAIRS).filter(|pair| {
                let mut draw = Key::new(11, *pair).draw(StreamName::of("pairs"), 0, 0);
                let one = drawn(16, law, &mut draw);
                test(&one, &drawn(60, law, &mut draw)).p_value <= 0.05
            });
            let share = apart.count() as f64 / PAIRS as f64;
            assert!(share <= 0.05 + 3.0 * (0.05 * 0.95 / PAIRS as f64).sqrt(), "{share}");
        }
    }

    /// Law: equal samples have distance 0 and p-value 1; none of one value can be told from another.
    #[test]
    fn equal_samples_are_equal() {
        let found = test(&sample(&[2.0, 2.0]), &sample(&[2.0; 30]));
        assert_eq!((found.statistic, found.p_value), (0.0, 1.0));
        assert!(critical_distance(1, 5, 0.001) > 1.0);
    }
}

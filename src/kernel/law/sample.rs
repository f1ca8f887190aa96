//! Drawing spans: a fresh one, or what is left of one that is under way.

use super::special::{minus_ln, normal_quantile};
use super::{Duration, Law};
use crate::kernel::cadence::residual;
use crate::kernel::stream::Draw;

/// Up to so many exponential stages are drawn one by one; beyond, rejection is cheaper. The
/// product of as many uniform numbers of 53 bits does not underflow.
const STAGES_ONE_BY_ONE: u32 = 12;

impl Law {
    /// A span of this law; beyond 584 years it is [`Duration::MAX`], that is, never over.
    ///
    /// Fixed, uniform, exponential, Weibull, log-normal and empirical laws take one number and
    /// grow with it; a fixed span takes none.
    #[inline]
    pub fn sample(&self, draw: &mut Draw) -> Duration {
        match self {
            Law::Fixed(span) => *span,
            Law::Uniform { from, to } => draw.uniform_duration(*from, *to),
            _ => self.sample_curve(draw),
        }
    }

    /// A span that no sample exceeds. A law without an end has one here all the same, since a sample is made
    /// of 53 bits; [`Duration::MAX`] where it takes several numbers, as many as chance wants.
    pub fn longest(&self) -> Duration {
        let exponential = minus_ln(STEP);
        match self {
            Law::Fixed(span) | Law::Uniform { to: span, .. } => *span,
            Law::Exponential { mean } => scaled(*mean, exponential),
            Law::Weibull { shape, scale } => scaled(*scale, libm::pow(exponential, 1.0 / shape)),
            Law::LogNormal { median, sigma } => {
                scaled(*median, libm::exp(sigma * normal_quantile(1.0 - STEP)))
            }
            Law::Hyperexponential { branches } => {
                let longest = branches.iter().map(|(_, mean)| scaled(*mean, exponential));
                longest.max().unwrap_or_default()
            }
            Law::Empirical(samples) => samples.last().copied().unwrap_or_default(),
            Law::Gamma { .. } | Law::Erlang { .. } => Duration::MAX,
        }
    }

    /// The same of laws that take more than a product.
    fn sample_curve(&self, draw: &mut Draw) -> Duration {
        match self {
            Law::Fixed(_) | Law::Uniform { .. } => self.sample(draw),
            Law::Exponential { mean } => scaled(*mean, exponential(draw)),
            Law::Weibull { shape, scale } => {
                scaled(*scale, libm::pow(exponential(draw), 1.0 / shape))
            }
            Law::LogNormal { median, sigma } => scaled(*median, libm::exp(sigma * normal(draw))),
            Law::Gamma { shape, mean } => scaled(*mean, gamma(*shape, draw) / shape),
            Law::Erlang { stages, mean } => {
                scaled(*mean, erlang(*stages, draw) / f64::from(*stages))
            }
            Law::Hyperexponential { branches } => {
                let mean = choose(branches, |(share, _)| *share, draw).map(|(_, mean)| *mean);
                scaled(mean.unwrap_or_default(), exponential(draw))
            }
            Law::Empirical(samples) => samples[index_below(samples.len(), draw)],
        }
    }

    /// What is left of a span of this law that covers an arbitrary instant: the law of the time to
    /// the next renewal when spans have followed each other for long.
    ///
    /// A long span covers more instants than a short one, so the covering span is drawn with a
    /// probability proportional to its length, and the instant lies uniformly in it.
    pub fn sample_residual(&self, draw: &mut Draw) -> Duration {
        match self {
            Law::Uniform { from, to } => residual(*from, *to, draw.uniform()),
            // What is left of an exponential span is as long as a fresh one.
            Law::Exponential { .. } => self.sample(draw),
            Law::Hyperexponential { branches } => {
                scaled(by_length(branches, draw), exponential(draw))
            }
            _ => self.sample_covering(draw).mul_f64(draw.uniform()),
        }
    }

    /// A span drawn with a probability proportional to its length: the one that covers an arbitrary
    /// instant when spans have followed each other for long.
    pub fn sample_covering(&self, draw: &mut Draw) -> Duration {
        match self {
            Law::Fixed(span) => *span,
            // The square of the length is uniform.
            Law::Uniform { from, to } => {
                let (low, high) = (from.as_secs_f64(), to.as_secs_f64());
                let square = low * low + draw.uniform() * (high * high - low * low);
                Duration::from_secs_f64(square.sqrt()).unwrap_or(*to).clamp(*from, *to)
            }
            // What lies before the instant and what lies after it: two fresh spans.
            Law::Exponential { mean } => scaled(*mean, erlang(2, draw)),
            Law::Hyperexponential { branches } => {
                scaled(by_length(branches, draw), erlang(2, draw))
            }
            // Weighted by length, the shape-th power of a Weibull span becomes a gamma one.
            Law::Weibull { shape, scale } => {
                scaled(*scale, libm::pow(gamma(1.0 + 1.0 / shape, draw), 1.0 / shape))
            }
            // Weighted by length, the logarithm moves up by its variance.
            Law::LogNormal { median, sigma } => {
                scaled(*median, libm::exp(sigma * (sigma + normal(draw))))
            }
            // Weighted by length, a gamma law's shape grows by one.
            Law::Gamma { shape, mean } => scaled(*mean, gamma(shape + 1.0, draw) / shape),
            Law::Erlang { stages, mean } => {
                scaled(*mean, erlang(stages.saturating_add(1), draw) / f64::from(*stages))
            }
            Law::Empirical(samples) => {
                *choose(samples, |span| span.as_secs_f64(), draw).unwrap_or(&Duration::ZERO)
            }
        }
    }
}

/// The mean of one of these laws, chosen with a probability proportional to the time that it takes.
fn by_length(branches: &[(f64, Duration)], draw: &mut Draw) -> Duration {
    let weight = |(share, mean): &(f64, Duration)| share * mean.as_secs_f64();
    choose(branches, weight, draw).map(|(_, mean)| *mean).unwrap_or_default()
}

/// `factor` times `unit`, to the nearest nanosecond.
fn scaled(unit: Duration, factor: f64) -> Duration {
    Duration::from_nanos_f64(unit.as_nanos() as f64 * factor)
}

/// Exponential with mean 1, by inversion. Uniform numbers are multiples of 2⁻⁵³ below 1, so the
/// difference is exact and never zero; the maximum takes off what rounding may leave below 0.
#[inline]
fn exponential(draw: &mut Draw) -> f64 {
    minus_ln(1.0 - draw.uniform()).max(0.0)
}

/// From one uniform number to the next.
const STEP: f64 = 1.0 / (1_u64 << 53) as f64;

/// Standard normal, by inversion at the middle of the uniform number's cell, which is never 0; the
/// middle of the last cell has no number of its own and would be 1.
fn normal(draw: &mut Draw) -> f64 {
    normal_of(draw.uniform())
}

fn normal_of(uniform: f64) -> f64 {
    normal_quantile((uniform + STEP / 2.0).min(1.0 - STEP))
}

/// Gamma with this shape and scale 1 (Marsaglia and Tsang 2000, *A simple method for generating
/// gamma variables*): the cube of a normal number, and one try in twenty is rejected. Below shape 1
/// it is a number of the next shape, shrunk.
pub(super) fn gamma(shape: f64, draw: &mut Draw) -> f64 {
    if shape < 1.0 {
        let shrink = libm::exp(-exponential(draw) / shape);
        return gamma(shape + 1.0, draw) * shrink;
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = normal(draw);
        let root = 1.0 + c * x;
        if root <= 0.0 {
            continue;
        }
        let v = root * root * root;
        if -exponential(draw) < 0.5 * x * x + d * (1.0 - v + libm::log(v)) {
            return d * v;
        }
    }
}

/// The sum of `stages` exponential numbers of mean 1: the logarithm of a product.
fn erlang(stages: u32, draw: &mut Draw) -> f64 {
    if stages > STAGES_ONE_BY_ONE {
        return gamma(f64::from(stages), draw);
    }
    let product: f64 = (0..stages).map(|_| 1.0 - draw.uniform()).product();
    -libm::log(product)
}

/// One of `items`, each with a probability proportional to its weight; none if there are none.
fn choose<'a, T>(items: &'a [T], weight: impl Fn(&T) -> f64, draw: &mut Draw) -> Option<&'a T> {
    let total: f64 = items.iter().map(&weight).sum();
    let mut left = total * draw.uniform();
    for item in items {
        left -= weight(item);
        if left < 0.0 {
            return Some(item);
        }
    }
    // Rounding may leave a crumb; it belongs to the last that has any weight.
    items.iter().rev().find(|item| weight(item) > 0.0).or(items.last())
}

#[allow(clippy::cast_possible_truncation, reason = "below a length, which fits")]
fn index_below(length: usize, draw: &mut Draw) -> usize {
    draw.below(length as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::stream::{Key, StreamName};

    const SAMPLES: u16 = 10_000;

    /// Kolmogorov's bound for a deviation that one sample in a thousand exceeds: 1.95 / √n.
    fn bound() -> f64 {
        1.95 / f64::from(SAMPLES).sqrt()
    }

    fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    /// One of each kind, and both sides of every branch of the samplers.
    fn laws() -> Vec<Law> {
        vec![
            Law::Uniform { from: secs(30), to: secs(40) },
            Law::Exponential { mean: secs(14_400) },
            Law::Weibull { shape: 0.7, scale: secs(100) },
            Law::Weibull { shape: 3.0, scale: secs(100) },
            Law::LogNormal { median: secs(60), sigma: 0.6 },
            Law::Gamma { shape: 0.4, mean: secs(9) },
            Law::Gamma { shape: 2.5, mean: secs(9) },
            Law::Erlang { stages: 1, mean: secs(5) },
            Law::Erlang { stages: 3, mean: secs(5) },
            Law::Erlang { stages: 40, mean: secs(5) },
            Law::Hyperexponential { branches: vec![(0.7, secs(1)), (0.3, secs(10))] },
        ]
    }

    /// Sorted samples in seconds, and their mean with its standard error.
    fn sampled(law: &Law, sample: impl Fn(&Law, &mut Draw) -> Duration) -> (Vec<f64>, f64, f64) {
        let key = Key::new(7, 0);
        let name = StreamName::of(&format!("{law:?}"));
        let one = |n| sample(law, &mut key.draw(name, 1, u64::from(n))).as_secs_f64();
        let mut values: Vec<f64> = (0..SAMPLES).map(one).collect();
        values.sort_by(f64::total_cmp);
        let n = f64::from(SAMPLES);
        let mean = values.iter().sum::<f64>() / n;
        let spread = values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>();
        (values, mean, (spread / (n - 1.0) / n).sqrt())
    }

    /// The greatest distance between the samples' distribution function and `cdf`.
    fn distance(sorted: &[f64], cdf: impl Fn(f64) -> f64) -> f64 {
        let n = sorted.len() as f64;
        let at = |(i, x): (usize, &f64)| {
            let p = cdf(*x);
            (p - i as f64 / n).abs().max((p - (i + 1) as f64 / n).abs())
        };
        sorted.iter().enumerate().map(at).fold(0.0, f64::max)
    }

    /// Law: samples follow the distribution function that the law states (Kolmogorov-Smirnov).
    #[test]
    fn samples_follow_their_distribution_function() {
        for law in laws() {
            let (values, ..) = sampled(&law, Law::sample);
            let distance = distance(&values, |secs| law.cdf(secs));
            assert!(distance < bound(), "{law:?} is off by {distance}");
        }
    }

    /// Law: no sample exceeds the longest span, which is that of the greatest number where a sample is
    /// made of one, and never comes where it is made of any many.
    #[test]
    fn no_sample_is_longer_than_the_longest() {
        for law in laws() {
            let (values, ..) = sampled(&law, Law::sample);
            let longest = law.longest();
            let greatest = law.quantile(1.0 - STEP);
            assert!(longest.as_secs_f64() > values[values.len() - 1], "{law:?}");
            let by_one = !matches!(law, Law::Gamma { .. } | Law::Erlang { .. });
            assert_eq!(longest < Duration::MAX, by_one, "{law:?}");
            assert!(!by_one || longest.as_secs_f64() >= greatest * (1.0 - 1e-9), "{law:?}");
        }
        assert_eq!(Law::Fixed(secs(3)).longest(), secs(3));
        let seen: Law = Law::empirical(vec![secs(2), secs(9), secs(4)]).expect("samples");
        assert_eq!(seen.longest(), secs(9));
    }

    /// Law: a normal number is finite, at either end of the uniform numbers.
    #[test]
    fn normal_numbers_are_finite() {
        assert!(normal_of(0.0).is_finite() && normal_of(1.0 - STEP).is_finite());
    }

    /// Law: the mean of samples is the stated mean, to four standard errors.
    #[test]
    fn samples_have_the_stated_mean() {
        for law in laws() {
            let (_, mean, error) = sampled(&law, Law::sample);
            let stated = law.mean();
            assert!((mean - stated).abs() < 4.0 * error, "{law:?}: {mean} ± {error}, not {stated}");
        }
    }

    /// Law: quantile and distribution function are inverse.
    #[test]
    fn quantiles_invert_the_distribution_function() {
        for law in laws() {
            for percent in 1..100 {
                let p = f64::from(percent) / 100.0;
                let back = law.cdf(law.quantile(p));
                assert!((back - p).abs() < 1e-12, "{law:?}: {p} came back as {back}");
            }
            assert!(law.quantile(0.0) <= law.quantile(0.01));
        }
    }

    /// Law: what is left at an arbitrary instant has the density (1 − F) / mean, here integrated
    /// numerically from the distribution function alone.
    #[test]
    fn residuals_follow_the_equilibrium_law() {
        const STEPS: u32 = 20_000;
        for law in laws() {
            let (values, ..) = sampled(&law, Law::sample_residual);
            let step = values[values.len() - 1] / f64::from(STEPS);
            let mut reached = vec![0.0];
            for n in 0..STEPS {
                let middle = (f64::from(n) + 0.5) * step;
                reached.push(reached[reached.len() - 1] + (1.0 - law.cdf(middle)) * step);
            }
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
            let at = |secs: f64| {
                let place = secs / step;
                let low = (place as usize).min(reached.len() - 2);
                let between = reached[low + 1] - reached[low];
                (reached[low] + (place - low as f64) * between) / law.mean()
            };
            let distance = distance(&values, at);
            assert!(distance < bound(), "the residual of {law:?} is off by {distance}");
        }
    }

    /// Law: a span drawn by its length is as long, on average, as the squares of plain ones divided by
    /// their sum, and lies below their mean as often as its share of all their
    /// time says: four standard errors.
    #[test]
    fn covering_spans_go_by_their_length() {
        for law in laws() {
            let (values, ..) = sampled(&law, Law::sample);
            let (covering, ..) = sampled(&law, Law::sample_covering);
            let n = values.len() as f64;
            let mean = law.mean();
            let moments = |values: &[f64]| {
                let mean = values.iter().sum::<f64>() / n;
                let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
                (mean, (variance / n).sqrt())
            };
            let ratios: Vec<f64> = values.iter().map(|x| x * x / mean).collect();
            let (expected, error) = moments(&ratios);
            let (found, own) = moments(&covering);
            let off = (found - expected) / error.hypot(own);
            assert!(off.abs() < 4.0, "{law:?}: {found}, not {expected}");
            let low = |x: &&f64| **x < mean;
            let share = covering.iter().filter(low).count() as f64 / n;
            let parts: Vec<f64> =
                values.iter().map(|x| if low(&x) { x / mean } else { 0.0 }).collect();
            let (expected, error) = moments(&parts);
            assert!((share - expected).abs() < 4.0 * error.hypot(0.5 / n.sqrt()), "{law:?}");
        }
    }

    /// Law: spans that cannot vary do not, and their residual is uniform over them.
    #[test]
    fn fixed_spans_are_fixed() {
        let fixed = [
            Law::Fixed(secs(5)),
            Law::Uniform { from: secs(5), to: secs(5) },
            Law::LogNormal { median: secs(5), sigma: 0.0 },
            Law::empirical(vec![secs(5)]).unwrap(),
        ];
        for law in fixed {
            assert!(law.is_fixed());
            let (values, ..) = sampled(&law, Law::sample);
            assert!(values.iter().all(|secs| (secs - 5.0).abs() < 1e-12), "{law:?}");
            let (residuals, ..) = sampled(&law, Law::sample_residual);
            let distance = distance(&residuals, |secs| secs / 5.0);
            assert!(distance < bound(), "the residual of {law:?} is off by {distance}");
        }
        assert!(laws().iter().all(|law| !law.is_fixed()));
    }

    /// Law: samples given are samples drawn, each as often as it was given.
    #[test]
    fn empirical_laws_repeat_their_samples() {
        let law = Law::empirical(vec![secs(4), secs(1), secs(1), secs(2)]).unwrap();
        let (values, ..) = sampled(&law, Law::sample);
        for (value, share) in [(1.0, 0.5), (2.0, 0.25), (4.0, 0.25)] {
            let seen = values.iter().filter(|x| (**x - value).abs() < 1e-9).count() as f64;
            let expected = share * f64::from(SAMPLES);
            let error = (expected * (1.0 - share)).sqrt();
            assert!((seen - expected).abs() < 4.0 * error, "{value}: {seen} of {expected}");
        }
        assert!((law.mean() - 2.0).abs() < 1e-12);
        assert!((law.cdf(1.0) - 0.5).abs() < 1e-12 && law.cdf(0.999) <= 0.0);
        for (p, secs) in [(0.0, 1.0), (0.5, 1.0), (0.51, 2.0), (0.75, 2.0), (1.0, 4.0)] {
            assert!((law.quantile(p) - secs).abs() < 1e-12, "{p}");
        }
    }

    /// Law: a larger number gives a longer span where a law is sampled by inversion, so that
    /// studies with different parameters stay paired.
    #[test]
    fn inversion_keeps_the_order_of_the_numbers() {
        let key = Key::new(1, 1);
        let name = StreamName::of("pairing");
        let pairs = [
            (Law::Exponential { mean: secs(1) }, Law::Weibull { shape: 2.0, scale: secs(9) }),
            (
                Law::LogNormal { median: secs(1), sigma: 2.0 },
                Law::Uniform { from: secs(1), to: secs(2) },
            ),
        ];
        for (a, b) in pairs {
            let both = |n| {
                let draw = key.draw(name, 0, n);
                (a.sample(&mut draw.clone()), b.sample(&mut draw.clone()))
            };
            let mut spans: Vec<_> = (0..1000).map(both).collect();
            spans.sort_unstable();
            assert!(spans.is_sorted_by_key(|(_, b)| *b), "{a:?} beside {b:?}");
        }
    }

    /// Law: a span beyond what time can hold is never over, and does not wrap.
    #[test]
    fn endless_spans_saturate() {
        let law = Law::Exponential { mean: Duration::MAX };
        let mut draw = Key::new(3, 0).draw(StreamName::of("long"), 0, 0);
        let spans: Vec<Duration> = (0..100).map(|_| law.sample(&mut draw)).collect();
        let endless = spans.iter().filter(|span| **span == Duration::MAX).count();
        // A share of 1/e, 37 of a hundred, outlives the axis; four standard errors are 19.
        assert!((18..=56).contains(&endless), "{endless}");
    }

    /// Law: the bits of a sample belong to its address, on every platform and in every release.
    #[test]
    fn samples_are_pinned() {
        let key = Key::new(42, 7);
        let pinned: Vec<u64> = laws()
            .iter()
            .map(|law| law.sample(&mut key.draw(StreamName::of("pin"), 3, 9)).as_nanos())
            .collect();
        let expected = [
            31_872_593_465,
            2_985_742_365_081,
            10_564_346_232,
            59_187_493_154,
            35_216_684_349,
            48_962_282_318,
            3_977_123_835,
            1_036_716_099,
            5_645_191_880,
            4_291_550_877,
            2_848_590_423_u64,
        ];
        assert_eq!(pinned, expected);
    }
}

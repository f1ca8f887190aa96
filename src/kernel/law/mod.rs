//! Laws of random spans: how long something takes or lasts, as a sample, a mean, a distribution
//! function and its inverse.
//!
//! Samples are the same bits on every platform: integers where possible, `libm` for logarithms,
//! exponentials and powers. That rules out `rand_distr` here, whose ziggurats take their
//! functions from the platform whenever any crate of the build asks for it; the one here is for
//! the many numbers of failures. Most laws are sampled by inversion, which also keeps paired
//! studies paired: one number per sample, and a larger number gives a longer span.
//!
//! Absent on purpose: files. A law given by a file's samples is read by whoever may read files
//! and made with [`Law::empirical`].

pub mod counts;
mod sample;
mod special;
mod text;
mod ziggurat;
pub use ziggurat::exponentials;

use std::sync::Arc;

use super::time::Duration;
use special::{gamma_p, normal_cdf, normal_quantile};

/// The law of a random span.
///
/// Made from a file or field by field; only laws that pass [`Law::check`] are to be sampled.
#[derive(Clone, PartialEq, Debug)]
pub enum Law {
    /// Always the same span.
    Fixed(Duration),
    /// Every nanosecond of [`from`, `to`) alike; always `from` if the two are equal.
    Uniform {
        /// The shortest span.
        from: Duration,
        /// Longer than the longest span, by a nanosecond.
        to: Duration,
    },
    /// No memory: the rate of ending is always one over the mean.
    Exponential {
        /// The mean, above zero.
        mean: Duration,
    },
    /// The rate of ending grows (shape above 1, wear) or falls (below 1, early failures).
    Weibull {
        /// The exponent, above 0; 1 is the exponential law.
        shape: f64,
        /// The span that 63.2 % do not reach, above zero.
        scale: Duration,
    },
    /// The logarithm is normal: repairs, with their long tail.
    LogNormal {
        /// The span that half do not reach, above zero.
        median: Duration,
        /// The standard deviation of the natural logarithm; 0 is a fixed span.
        sigma: f64,
    },
    /// A generalised Erlang law; its squared coefficient of variation is one over the shape.
    Gamma {
        /// The exponent, above 0; 1 is the exponential law.
        shape: f64,
        /// The mean, above zero.
        mean: Duration,
    },
    /// Several exponential stages in a row, all alike.
    Erlang {
        /// How many stages, at least one.
        stages: u32,
        /// The mean of all stages together, above zero.
        mean: Duration,
    },
    /// One of several exponential laws, chosen at random.
    Hyperexponential {
        /// For each its probability and its mean; the probabilities sum to 1.
        branches: Vec<(f64, Duration)>,
    },
    /// One of the samples, all alike; made by [`Law::empirical`], which sorts them.
    Empirical(Arc<[Duration]>),
}

/// Why a law is none.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LawError {
    /// A uniform law from more to less.
    #[error("a uniform law from {from} to {to} runs backwards: write the shorter one first")]
    Backwards {
        /// The first bound.
        from: Duration,
        /// The second bound.
        to: Duration,
    },
    /// A span that must not be empty is.
    #[error("the {field} of the {law} law must be above 0s")]
    Empty {
        /// The law's name in a file.
        law: &'static str,
        /// The field's name in a file.
        field: &'static str,
    },
    /// A number lies outside its range.
    #[error("the {field} of the {law} law must be {range}, not {value}")]
    OutOfRange {
        /// The law's name in a file.
        law: &'static str,
        /// The field's name in a file.
        field: &'static str,
        /// What would be right.
        range: &'static str,
        /// What is there.
        value: f64,
    },
    /// The branches leave something out, or count something twice.
    #[error("the probabilities of the branches sum to {sum}, not to 1")]
    Probabilities {
        /// Their sum.
        sum: f64,
    },
    /// Nothing to choose from.
    #[error("the {law} law needs at least one {field}")]
    None {
        /// The law's name in a file.
        law: &'static str,
        /// What there are none of.
        field: &'static str,
    },
    /// A 95th percentile below the median.
    #[error("the p95 of the lognormal law, {p95}, must not be below its median, {median}")]
    Percentile {
        /// The median.
        median: Duration,
        /// The 95th percentile.
        p95: Duration,
    },
}

/// How far the sum of a hyperexponential law's probabilities may be from 1, for decimals that
/// have no exact binary form.
const PROBABILITY_SLACK: f64 = 1e-9;

impl Law {
    /// The law that gives each of `samples` with equal probability.
    ///
    /// # Errors
    ///
    /// If there are none.
    pub fn empirical(mut samples: Vec<Duration>) -> Result<Law, LawError> {
        samples.sort_unstable();
        let law = Law::Empirical(samples.into());
        law.check()?;
        Ok(law)
    }

    /// The log-normal law with this median and 95th percentile.
    ///
    /// # Errors
    ///
    /// If the median is empty or exceeds the percentile.
    pub fn lognormal_by_p95(median: Duration, p95: Duration) -> Result<Law, LawError> {
        Law::lognormal_by(median, 0.95, p95)
    }

    /// The log-normal law with this median, that a share `p` above one half keeps within `span`.
    ///
    /// # Errors
    ///
    /// If the median is empty or exceeds the span.
    pub fn lognormal_by(median: Duration, p: f64, span: Duration) -> Result<Law, LawError> {
        if span < median {
            return Err(LawError::Percentile { median, p95: span });
        }
        above_zero("lognormal", "median", median)?;
        let ratio = libm::log(span.as_nanos() as f64 / median.as_nanos() as f64);
        Ok(Law::LogNormal { median, sigma: ratio / normal_quantile(p) })
    }

    /// The Weibull law with this shape and mean.
    ///
    /// # Errors
    ///
    /// If the shape is not above 0 or the mean is empty.
    pub fn weibull_by_mean(shape: f64, mean: Duration) -> Result<Law, LawError> {
        positive("weibull", "shape", shape)?;
        above_zero("weibull", "mean", mean)?;
        let scale = mean.as_nanos() as f64 / libm::tgamma(1.0 + 1.0 / shape);
        let law = Law::Weibull { shape, scale: Duration::from_nanos_f64(scale) };
        law.check()?;
        Ok(law)
    }

    /// Whether the law can be sampled.
    ///
    /// # Errors
    ///
    /// For the first field that is out of its range.
    pub fn check(&self) -> Result<(), LawError> {
        match self {
            Law::Uniform { from, to } if from > to => {
                Err(LawError::Backwards { from: *from, to: *to })
            }
            Law::Exponential { mean } => above_zero("exponential", "mean", *mean),
            Law::Weibull { shape, scale } => {
                positive("weibull", "shape", *shape)?;
                above_zero("weibull", "scale", *scale)
            }
            Law::LogNormal { median, sigma } => {
                let (law, field, range) = ("lognormal", "sigma", "0 or above");
                if !(sigma.is_finite() && *sigma >= 0.0) {
                    return Err(LawError::OutOfRange { law, field, range, value: *sigma });
                }
                above_zero("lognormal", "median", *median)
            }
            Law::Gamma { shape, mean } => {
                positive("gamma", "shape", *shape)?;
                at_most_shape_max("gamma", "shape", *shape)?;
                above_zero("gamma", "mean", *mean)
            }
            Law::Erlang { stages: 0, .. } => Err(LawError::None { law: "erlang", field: "stage" }),
            Law::Erlang { stages, mean } => {
                at_most_shape_max("erlang", "stages", f64::from(*stages))?;
                above_zero("erlang", "mean", *mean)
            }
            Law::Hyperexponential { branches } => check_branches(branches),
            Law::Empirical(samples) if samples.is_empty() => {
                Err(LawError::None { law: "empirical", field: "sample" })
            }
            Law::Fixed(_) | Law::Uniform { .. } | Law::Empirical(_) => Ok(()),
        }
    }

    /// Whether every sample is the same span, so that drawing one tells nothing.
    pub fn is_fixed(&self) -> bool {
        match self {
            Law::Fixed(_) => true,
            Law::Uniform { from, to } => from == to,
            Law::LogNormal { sigma, .. } => *sigma <= 0.0,
            Law::Empirical(samples) => samples.first() == samples.last(),
            _ => false,
        }
    }

    /// The mean, in seconds.
    pub fn mean(&self) -> f64 {
        match self {
            Law::Fixed(span) => span.as_secs_f64(),
            Law::Uniform { from, to } => f64::midpoint(from.as_secs_f64(), to.as_secs_f64()),
            Law::Exponential { mean } | Law::Gamma { mean, .. } | Law::Erlang { mean, .. } => {
                mean.as_secs_f64()
            }
            Law::Weibull { shape, scale } => scale.as_secs_f64() * libm::tgamma(1.0 + 1.0 / shape),
            Law::LogNormal { median, sigma } => {
                median.as_secs_f64() * libm::exp(sigma * sigma / 2.0)
            }
            Law::Hyperexponential { branches } => {
                branches.iter().map(|(share, mean)| share * mean.as_secs_f64()).sum()
            }
            Law::Empirical(samples) => {
                samples.iter().map(|span| span.as_secs_f64()).sum::<f64>() / samples.len() as f64
            }
        }
    }

    /// The probability of a span of at most `secs` seconds.
    pub fn cdf(&self, secs: f64) -> f64 {
        if secs < 0.0 {
            return 0.0;
        }
        match self {
            Law::Fixed(span) => f64::from(secs >= span.as_secs_f64()),
            Law::Uniform { from, to } if from == to => f64::from(secs >= from.as_secs_f64()),
            Law::Uniform { from, to } => {
                let (from, to) = (from.as_secs_f64(), to.as_secs_f64());
                ((secs - from) / (to - from)).clamp(0.0, 1.0)
            }
            Law::Exponential { mean } => -libm::expm1(-secs / mean.as_secs_f64()),
            Law::Weibull { shape, scale } => {
                -libm::expm1(-libm::pow(secs / scale.as_secs_f64(), *shape))
            }
            Law::LogNormal { median, .. } if self.is_fixed() => {
                f64::from(secs >= median.as_secs_f64())
            }
            Law::LogNormal { median, sigma } => {
                normal_cdf(libm::log(secs / median.as_secs_f64()) / sigma)
            }
            Law::Gamma { shape, mean } => gamma_p(*shape, secs * shape / mean.as_secs_f64()),
            Law::Erlang { stages, mean } => {
                let shape = f64::from(*stages);
                gamma_p(shape, secs * shape / mean.as_secs_f64())
            }
            Law::Hyperexponential { branches } => {
                let done = |mean: Duration| -libm::expm1(-secs / mean.as_secs_f64());
                branches.iter().map(|(share, mean)| share * done(*mean)).sum()
            }
            Law::Empirical(samples) => {
                let reached = samples.partition_point(|span| span.as_secs_f64() <= secs);
                reached as f64 / samples.len() as f64
            }
        }
    }

    /// The span in seconds that is not exceeded with probability `p`: the inverse of [`Law::cdf`],
    /// to the last digits. Infinite at 1 where the law has no end.
    ///
    /// # Panics
    ///
    /// If `p` lies outside [0, 1].
    pub fn quantile(&self, p: f64) -> f64 {
        assert!((0.0..=1.0).contains(&p), "there is no quantile {p}");
        match self {
            Law::Fixed(span) => span.as_secs_f64(),
            Law::Uniform { from, to } => {
                let (from, to) = (from.as_secs_f64(), to.as_secs_f64());
                from + p * (to - from)
            }
            Law::Exponential { mean } => -libm::log1p(-p) * mean.as_secs_f64(),
            Law::Weibull { shape, scale } => {
                libm::pow(-libm::log1p(-p), 1.0 / shape) * scale.as_secs_f64()
            }
            Law::LogNormal { median, .. } if self.is_fixed() => median.as_secs_f64(),
            Law::LogNormal { median, sigma } => {
                libm::exp(sigma * normal_quantile(p)) * median.as_secs_f64()
            }
            Law::Empirical(samples) => samples[rank(samples.len(), p)].as_secs_f64(),
            Law::Gamma { .. } | Law::Erlang { .. } | Law::Hyperexponential { .. } => self.bisect(p),
        }
    }

    /// The inverse of the distribution function by halving, where it has no formula.
    fn bisect(&self, p: f64) -> f64 {
        if p >= 1.0 {
            return f64::INFINITY;
        }
        let mut high = self.mean();
        while self.cdf(high) < p {
            high *= 2.0;
        }
        let mut low = 0.0;
        // Doubling began at the mean, so 200 halvings go below any span there is; it ends earlier,
        // when no number lies between.
        for _ in 0..200 {
            let middle = f64::midpoint(low, high);
            if middle <= low || middle >= high {
                break;
            }
            if self.cdf(middle) < p { low = middle } else { high = middle }
        }
        high
    }
}

/// The place of the `p`-quantile among `count` sorted samples: the first that a share of at least
/// `p` does not exceed.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "lies between 0 and the count"
)]
fn rank(count: usize, p: f64) -> usize {
    ((p * count as f64).ceil() as usize).clamp(1, count) - 1
}

fn above_zero(law: &'static str, field: &'static str, span: Duration) -> Result<(), LawError> {
    if span.is_zero() { Err(LawError::Empty { law, field }) } else { Ok(()) }
}

fn positive(law: &'static str, field: &'static str, value: f64) -> Result<(), LawError> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(LawError::OutOfRange { law, field, range: "above 0", value })
}

/// The distribution function takes more terms the greater the shape, and a law this narrow is as
/// good as fixed: its standard deviation is a thousandth of its mean.
const SHAPE_MAX: f64 = 1e6;

fn at_most_shape_max(law: &'static str, field: &'static str, value: f64) -> Result<(), LawError> {
    if value <= SHAPE_MAX {
        return Ok(());
    }
    Err(LawError::OutOfRange { law, field, range: "at most a million", value })
}

fn check_branches(branches: &[(f64, Duration)]) -> Result<(), LawError> {
    let law = "hyperexponential";
    if branches.is_empty() {
        return Err(LawError::None { law, field: "branch" });
    }
    for (share, mean) in branches {
        if !(0.0..=1.0).contains(share) {
            let (field, range, value) = ("probability", "between 0 and 1", *share);
            return Err(LawError::OutOfRange { law, field, range, value });
        }
        above_zero(law, "mean", *mean)?;
    }
    let sum: f64 = branches.iter().map(|(share, _)| share).sum();
    if (sum - 1.0).abs() > PROBABILITY_SLACK {
        return Err(LawError::Probabilities { sum });
    }
    Ok(())
}

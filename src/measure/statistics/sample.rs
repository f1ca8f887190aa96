//! Samples in order: their distribution function, quantiles and extremes.

/// Numbers in ascending order, at least one.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    sorted: Vec<f64>,
}

impl Sample {
    /// A sample of finite numbers in any order; `None` if there are none, or one is not finite.
    pub fn new(mut values: Vec<f64>) -> Option<Sample> {
        if values.is_empty() || values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        values.sort_by(f64::total_cmp);
        Some(Sample { sorted: values })
    }

    /// The numbers in ascending order.
    pub fn values(&self) -> &[f64] {
        &self.sorted
    }

    /// How many there are, at least 1.
    pub fn count(&self) -> usize {
        self.sorted.len()
    }

    /// The least.
    pub fn min(&self) -> f64 {
        self.sorted[0]
    }

    /// The greatest.
    pub fn max(&self) -> f64 {
        self.sorted[self.sorted.len() - 1]
    }

    /// How many are at most `x`.
    pub fn count_up_to(&self, x: f64) -> usize {
        self.sorted.partition_point(|value| *value <= x)
    }

    /// How many are below `x`.
    pub fn count_below(&self, x: f64) -> usize {
        self.sorted.partition_point(|value| *value < x)
    }

    /// The share that is at most `x`: the empirical distribution function.
    pub fn ecdf(&self, x: f64) -> f64 {
        super::share(self.count_up_to(x), self.count())
    }

    /// The quantile of order `p` from [0, 1]: linear between order statistics, the k-th of n
    /// standing at (k − 1)/(n − 1) (type 7 of Hyndman and Fan 1996, the default of R and `NumPy`).
    ///
    /// # Panics
    ///
    /// If `p` is outside [0, 1].
    pub fn quantile(&self, p: f64) -> f64 {
        assert!((0.0..=1.0).contains(&p), "a quantile's order lies in [0, 1], not at {p}");
        let position = p * (self.count() - 1) as f64;
        let below = position.floor();
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "floor of a number from 0 to the length"
        )]
        let index = below as usize;
        let (low, next) = (self.sorted[index], self.sorted.get(index + 1));
        let high = next.copied().unwrap_or(low);
        low + (high - low) * (position - below)
    }

    /// The quantile of order one half.
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// The same numbers, each changed.
    pub fn map(&self, change: impl Fn(f64) -> f64) -> Sample {
        let mut sorted: Vec<f64> = self.sorted.iter().map(|value| change(*value)).collect();
        sorted.sort_by(f64::total_cmp);
        Sample { sorted }
    }
}

/// By how many percent of `measured` another median is above it; `None` where it is 0.
pub fn difference_percent(measured: f64, other: f64) -> Option<f64> {
    (measured.abs() > 0.0).then(|| (other - measured) / measured.abs() * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(values: &[f64]) -> Sample {
        Sample::new(values.to_vec()).unwrap()
    }

    fn close(one: f64, other: f64) -> bool {
        (one - other).abs() < 1e-12
    }

    /// Law: quantiles are those of R's `quantile(c(1, 2, 4, 8, 16), p)`.
    #[test]
    fn quantiles_are_those_of_r() {
        let powers = sample(&[8.0, 1.0, 16.0, 2.0, 4.0]);
        for (p, expected) in [(0.0, 1.0), (0.1, 1.4), (0.5, 4.0), (0.9, 12.8), (1.0, 16.0)] {
            assert!(close(powers.quantile(p), expected), "{p}: {}", powers.quantile(p));
        }
        assert!(close(sample(&[7.0]).quantile(0.3), 7.0));
    }

    /// Law: the distribution function steps by each value's share, at the value.
    #[test]
    fn ecdf_steps_at_values() {
        let tied = sample(&[1.0, 2.0, 2.0, 5.0]);
        for (x, expected) in [(0.9, 0.0), (1.0, 0.25), (2.0, 0.75), (4.9, 0.75), (5.0, 1.0)] {
            assert!(close(tied.ecdf(x), expected), "{x}");
        }
        assert_eq!((tied.count_below(2.0), tied.count_up_to(2.0)), (1, 3));
    }

    /// Law: nothing, or anything that is no number, is no sample.
    #[test]
    fn a_sample_has_numbers() {
        assert_eq!(Sample::new(vec![]), None);
        assert_eq!(Sample::new(vec![1.0, f64::NAN]), None);
        assert_eq!(Sample::new(vec![1.0, f64::INFINITY]), None);
    }

    /// Law: a difference in percent is of the measured value's size, so that its sign tells longer
    /// from shorter for negative values too.
    #[test]
    fn differences_are_of_the_measured() {
        assert_eq!(difference_percent(200.0, 210.0), Some(5.0));
        assert_eq!(difference_percent(-2.0, -1.0), Some(50.0));
        assert_eq!(difference_percent(0.0, 1.0), None);
    }
}

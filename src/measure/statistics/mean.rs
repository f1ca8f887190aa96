//! Means with their intervals, by Student's law.

use super::Sample;
use super::beta::student_beyond;
use super::order::Interval;

/// A sample's mean and spread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// The mean.
    pub mean: f64,
    /// The standard deviation, n − 1 in the denominator; 0 of a single value.
    pub deviation: f64,
    /// Between which the law's mean lies with the stated confidence, as far as the mean of this many
    /// values is normal; open where there is only one.
    pub interval: Interval,
}

/// Mean and spread, the mean's interval at this confidence from (0, 1).
pub fn moments(sample: &Sample, confidence: f64) -> Moments {
    let n = sample.count() as f64;
    // Sums of differences from one of the values: no digits are lost to a large common part.
    let origin = sample.median();
    let shifted = || sample.values().iter().map(|value| value - origin);
    let offset = shifted().sum::<f64>() / n;
    let mean = origin + offset;
    if sample.count() < 2 {
        return Moments { mean, deviation: 0.0, interval: Interval { low: None, high: None } };
    }
    let squares: f64 = shifted().map(|value| (value - offset) * (value - offset)).sum();
    let deviation = (squares / (n - 1.0)).sqrt();
    let reach = student_quantile(n - 1.0, confidence) * deviation / n.sqrt();
    let interval = Interval { low: Some(mean - reach), high: Some(mean + reach) };
    Moments { mean, deviation, interval }
}

/// The t for which this share of Student's law lies within ±t.
pub fn student_quantile(degrees: f64, within: f64) -> f64 {
    let beyond = 1.0 - within;
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    while student_beyond(high, degrees) > beyond {
        high *= 2.0;
    }
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        if student_beyond(middle, degrees) > beyond {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law: the interval is the textbook's: 1, 2, 3, 4, 5 has mean 3 ± 2.776 · √2.5 / √5.
    #[test]
    fn intervals_are_students() {
        let sample = Sample::new(vec![1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        let found = moments(&sample, 0.95);
        assert!((found.mean - 3.0).abs() < 1e-12);
        assert!((found.deviation - 2.5_f64.sqrt()).abs() < 1e-12);
        let reach = found.interval.high.unwrap() - found.mean;
        assert!((reach - 2.776_445 * 2.5_f64.sqrt() / 5.0_f64.sqrt()).abs() < 1e-5);
    }

    /// Law: one value has no interval, and a large common part costs no digits.
    #[test]
    fn edges_hold() {
        let one = moments(&Sample::new(vec![4.0]).unwrap(), 0.95);
        assert_eq!((one.interval.low, one.interval.high), (None, None));
        let far = Sample::new(vec![1e9 + 1.0, 1e9 + 2.0, 1e9 + 3.0]).unwrap();
        assert!((moments(&far, 0.9).deviation - 1.0).abs() < 1e-9);
    }
}

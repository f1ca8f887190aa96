//! A share of requests as an exact fraction, so that equal shares are equal and `2/3` prints as such.

use std::fmt;

/// A number between 0 and 1, in lowest terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    part: u32,
    whole: u32,
}

impl Share {
    /// Nothing is served.
    pub const NONE: Share = Share { part: 0, whole: 1 };

    /// Everything is served.
    pub const ALL: Share = Share { part: 1, whole: 1 };

    /// `part` of `whole` equally likely cases; nothing if there is no case at all.
    pub fn of(part: usize, whole: usize) -> Self {
        let (part, whole) = (u64::try_from(part).unwrap_or(0), u64::try_from(whole).unwrap_or(0));
        Self::reduced(part.min(whole), whole)
    }

    /// So many parts per million; what is a third or a fifth to the last part is taken as one.
    pub fn of_millionths(parts: u32) -> Self {
        let parts = u64::from(parts);
        let near = |whole: u64| {
            let part = (parts * whole + 500_000) / 1_000_000;
            (part * 1_000_000 / whole).abs_diff(parts) <= 1
        };
        let whole = (1..=9).find(|whole| near(*whole)).unwrap_or(1_000_000);
        Self::reduced((parts * whole + 500_000) / 1_000_000, whole)
    }

    /// All or nothing.
    pub fn when(served: bool) -> Self {
        if served { Self::ALL } else { Self::NONE }
    }

    fn reduced(part: u64, whole: u64) -> Self {
        if part == 0 || whole == 0 {
            return Self::NONE;
        }
        let divisor = greatest_common_divisor(part, whole);
        let small = |n: u64| u32::try_from(n / divisor).unwrap_or(u32::MAX);
        Self { part: small(part), whole: small(whole) }
    }

    /// The mean of equally likely shares; nothing if there is none.
    pub fn mean(shares: &[Share]) -> Self {
        let mut sum = (0_u64, 1_u64);
        for share in shares {
            let (part, whole) = (u64::from(share.part), u64::from(share.whole));
            let common = sum.1 / greatest_common_divisor(sum.1, whole) * whole;
            sum = (sum.0 * (common / sum.1) + part * (common / whole), common);
        }
        Self::reduced(sum.0, sum.1 * u64::try_from(shares.len()).unwrap_or(u64::MAX))
    }

    /// The share when both of two independent things must go well.
    #[must_use]
    pub fn and(self, other: Share) -> Share {
        let product = |a: u32, b: u32| u64::from(a) * u64::from(b);
        Self::reduced(product(self.part, other.part), product(self.whole, other.whole))
    }

    /// Whether nothing is served.
    pub fn is_none(self) -> bool {
        self.part == 0
    }

    /// Whether everything is served.
    pub fn is_all(self) -> bool {
        self.part == self.whole
    }

    /// As a number, for means over time.
    pub fn as_f64(self) -> f64 {
        f64::from(self.part) / f64::from(self.whole)
    }
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.whole == 1 {
            write!(f, "{}", self.part)
        } else if self.whole > 100 {
            write!(f, "{:.1} %", self.as_f64() * 100.0)
        } else {
            write!(f, "{}/{}", self.part, self.whole)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law: shares are in lowest terms, so that equal ones compare equal.
    #[test]
    fn equal_shares_are_equal() {
        assert_eq!(Share::of(2, 4), Share::of(1, 2));
        assert_eq!(Share::of(0, 3), Share::NONE);
        assert_eq!(Share::of(3, 3), Share::ALL);
        assert_eq!(Share::of(0, 0), Share::NONE);
        assert_eq!(Share::of(2, 3).and(Share::of(1, 2)), Share::of(1, 3));
        assert_eq!(Share::mean(&[Share::ALL, Share::NONE, Share::ALL]), Share::of(2, 3));
        assert_eq!(Share::mean(&[Share::of(2, 3), Share::of(1, 2)]), Share::of(7, 12));
        assert_eq!(Share::mean(&[]), Share::NONE);
        assert_eq!(Share::of_millionths(666_667), Share::of(2, 3));
        assert_eq!(Share::of_millionths(666_666), Share::of(2, 3));
        assert_eq!(Share::of_millionths(1_000_000), Share::ALL);
        assert_eq!(Share::of_millionths(123_457), Share::of(123_457, 1_000_000));
        assert_eq!(Share::of(2, 3).to_string(), "2/3");
        assert_eq!(Share::of(333_333, 1_000_000).to_string(), "33.3 %");
    }
}

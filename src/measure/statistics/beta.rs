//! The regularised incomplete beta function, from which the tails of the binomial and of Student's
//! law follow. `libm` throughout, so that bits agree on every platform.

/// Relative error at which the continued fraction stops.
const PRECISION: f64 = 1e-15;

/// More terms than it takes for parameters up to a million.
const TERMS_MAX: u32 = 20_000;

/// I(x; a, b) for positive `a` and `b` and `x` from [0, 1], by its continued fraction on the side
/// where that converges fast (Press et al., *Numerical Recipes*, 6.4).
pub(super) fn regularised(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let log_front = libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b)
        + a * libm::log(x)
        + b * libm::log1p(-x);
    let front = libm::exp(log_front);
    if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(x, a, b) / a
    } else {
        1.0 - front * fraction(1.0 - x, b, a) / b
    }
}

/// Lentz's evaluation of the continued fraction.
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    /// Stands in for a denominator of zero.
    const TINY: f64 = 1e-300;
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut over = 1.0;
    let mut under = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut product = under;
    for term in 1..TERMS_MAX {
        let m = f64::from(term);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for numerator in [even, odd] {
            under = 1.0 / away(1.0 + numerator * under);
            over = away(1.0 + numerator / over);
            change = over * under;
            product *= change;
        }
        if (change - 1.0).abs() < PRECISION {
            break;
        }
    }
    product
}

/// The probability that at least `k` of `n` independent trials succeed, each with probability `p`.
pub(super) fn binomial_at_least(k: usize, n: usize, p: f64) -> f64 {
    match k {
        0 => 1.0,
        _ if k > n => 0.0,
        _ => regularised(p, k as f64, (n - k + 1) as f64),
    }
}

/// The share of Student's law with these degrees of freedom that lies beyond ±`t`.
pub(super) fn student_beyond(t: f64, degrees: f64) -> f64 {
    regularised(degrees / (degrees + t * t), degrees / 2.0, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law: I(x; 1, b) = 1 − (1 − x)ᵇ, and I(x; a, b) = 1 − I(1 − x; b, a).
    #[test]
    fn agrees_with_closed_forms() {
        for x in [0.01, 0.3, 0.5, 0.77, 0.999] {
            for b in [0.5, 1.0, 3.0, 40.0] {
                let closed = 1.0 - libm::pow(1.0 - x, b);
                assert!((regularised(x, 1.0, b) - closed).abs() < 1e-12, "{x} {b}");
                let turned = 1.0 - regularised(1.0 - x, b, 2.5);
                assert!((regularised(x, 2.5, b) - turned).abs() < 1e-12, "{x} {b}");
            }
        }
    }

    /// Law: binomial tails are sums of binomial terms.
    #[test]
    fn binomial_tails_are_sums() {
        let (n, p) = (12_usize, 0.3_f64);
        let mut terms = vec![libm::pow(1.0 - p, 12.0)];
        for k in 1..=n {
            let last = terms[k - 1];
            terms.push(last * (n - k + 1) as f64 / k as f64 * p / (1.0 - p));
        }
        for k in 0..=n + 1 {
            let sum: f64 = terms.iter().skip(k).sum();
            assert!((binomial_at_least(k, n, p) - sum).abs() < 1e-12, "{k}");
        }
    }

    /// Law: Student's tails are those of the tables (t = 12.706, 2.228 and 1.984 at 1, 10 and 100).
    #[test]
    fn student_tails_are_those_of_tables() {
        for (degrees, t) in [(1.0, 12.706_205), (10.0, 2.228_139), (100.0, 1.983_972)] {
            assert!((student_beyond(t, degrees) - 0.05).abs() < 1e-6, "{degrees}");
        }
    }
}

//! The functions of mathematics that the laws need and `libm` lacks, or has only slower.
//!
//! Nothing but sums, products, quotients and roots, which every platform rounds alike.

/// −ln `v` for a positive, normal number, to 1e-15: half the time of `libm`'s logarithm, which is
/// good to the last digit near 1 too. Every exponential span is one of these.
///
/// With v = 2ᵏ·m and m from [1, 2), the table holds 1/c and ln c for the middle c of m's 128th, so
/// that ln v = k ln 2 + ln c + ln(1 + r) with r = m/c − 1. As |r| ≤ 1/256, six terms of the power
/// series leave an error below 3e-18.
#[inline]
pub(super) fn minus_ln(v: f64) -> f64 {
    let bits = v.to_bits();
    let exponent = (bits >> MANTISSA) as f64 - 1023.0;
    let (inverse, ln_c) = LOGARITHMS[(bits >> (MANTISSA - 7)) as usize % 128];
    let m = f64::from_bits(bits & ((1 << MANTISSA) - 1) | 1023 << MANTISSA);
    let r = m * inverse - 1.0;
    let square = r * r;
    let upper = (r * (1.0 / 5.0) - 1.0 / 4.0) - square * (1.0 / 6.0);
    let series = r + square * ((r * (1.0 / 3.0) - 1.0 / 2.0) + square * upper);
    (-exponent * std::f64::consts::LN_2 - ln_c) - series
}

/// Bits of the fraction of a binary64 number.
const MANTISSA: u32 = 52;

static LOGARITHMS: [(f64, f64); 128] = logarithms();

/// For each 128th of [1, 2) its middle's inverse and logarithm, the latter as
/// 2 (z + z³/3 + z⁵/5 + …) with z = (c − 1) / (c + 1), which is at most a third.
const fn logarithms() -> [(f64, f64); 128] {
    let mut table = [(0.0, 0.0); 128];
    let mut index = 0;
    while index < 128 {
        let c = 1.0 + (index as f64 + 0.5) / 128.0;
        let z = (c - 1.0) / (c + 1.0);
        let (mut power, mut sum, mut odd) = (z, 0.0, 1.0);
        while odd < 40.0 {
            sum += power / odd;
            power *= z * z;
            odd += 2.0;
        }
        table[index] = (1.0 / c, 2.0 * sum);
        index += 1;
    }
    table
}

/// Relative error at which the gamma function's expansions stop.
const PRECISION: f64 = 1e-16;

/// More terms than the expansions of [`gamma_p`] take for any shape up to a million.
const TERMS_MAX: usize = 20_000;

/// The share of the gamma law of this shape and scale 1 that lies below `x`: the regularised lower
/// incomplete gamma function P(shape, x).
///
/// By its power series below `shape + 1` and by its continued fraction (Lentz's evaluation) above,
/// where each converges fast (Press et al., *Numerical Recipes*, 6.2).
pub(super) fn gamma_p(shape: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x.is_infinite() {
        return 1.0;
    }
    let front = libm::exp(shape * libm::log(x) - x - libm::lgamma(shape));
    if x < shape + 1.0 { front * series(shape, x) } else { 1.0 - front * fraction(shape, x) }
}

fn series(shape: f64, x: f64) -> f64 {
    let mut term = 1.0 / shape;
    let mut sum = term;
    for n in 1..TERMS_MAX {
        term *= x / (shape + n as f64);
        sum += term;
        if term < sum * PRECISION {
            break;
        }
    }
    sum
}

fn fraction(shape: f64, x: f64) -> f64 {
    /// Stands in for a denominator of zero.
    const TINY: f64 = 1e-300;
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut denominator = x + 1.0 - shape;
    let mut over = 1.0 / TINY;
    let mut under = 1.0 / away(denominator);
    let mut product = under;
    for n in 1..TERMS_MAX {
        let n = n as f64;
        let numerator = n * (shape - n);
        denominator += 2.0;
        under = 1.0 / away(numerator * under + denominator);
        over = away(denominator + numerator / over);
        product *= under * over;
        if (under * over - 1.0).abs() < PRECISION {
            break;
        }
    }
    product
}

/// The share of the standard normal law below `z`.
pub(super) fn normal_cdf(z: f64) -> f64 {
    libm::erfc(-z / std::f64::consts::SQRT_2) / 2.0
}

/// The inverse of [`normal_cdf`], by Wichura's algorithm AS 241 (PPND16, Applied Statistics 37,
/// 1988): three quotients of polynomials, relative error about 1e-16.
pub(super) fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.425 * 0.425 - q * q;
        return q * polynomial(&CENTRE_OVER, r) / polynomial(&CENTRE_UNDER, r);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    if tail <= 0.0 {
        return if q < 0.0 { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    let r = (-libm::log(tail)).sqrt();
    let z = if r <= 5.0 {
        polynomial(&TAIL_OVER, r - 1.6) / polynomial(&TAIL_UNDER, r - 1.6)
    } else {
        polynomial(&FAR_OVER, r - 5.0) / polynomial(&FAR_UNDER, r - 5.0)
    };
    if q < 0.0 { -z } else { z }
}

/// By Horner's rule, lowest coefficient first.
fn polynomial(coefficients: &[f64; 8], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

const CENTRE_OVER: [f64; 8] = [
    3.387_132_872_796_366_5,
    1.331_416_678_917_843_8e2,
    1.971_590_950_306_551_3e3,
    1.373_169_376_550_946e4,
    4.592_195_393_154_987e4,
    6.726_577_092_700_87e4,
    3.343_057_558_358_813e4,
    2.509_080_928_730_122_7e3,
];
const CENTRE_UNDER: [f64; 8] = [
    1.0,
    4.231_333_070_160_091e1,
    6.871_870_074_920_579e2,
    5.394_196_021_424_751e3,
    2.121_379_430_158_66e4,
    3.930_789_580_009_271e4,
    2.872_908_573_572_194_3e4,
    5.226_495_278_852_854e3,
];
const TAIL_OVER: [f64; 8] = [
    1.423_437_110_749_683_5,
    4.630_337_846_156_546,
    5.769_497_221_460_691,
    3.647_848_324_763_204_5,
    1.270_458_252_452_368_4,
    2.417_807_251_774_506e-1,
    2.272_384_498_926_918_4e-2,
    7.745_450_142_783_414e-4,
];
const TAIL_UNDER: [f64; 8] = [
    1.0,
    2.053_191_626_637_759,
    1.676_384_830_183_803_8,
    6.897_673_349_851e-1,
    1.481_039_764_274_800_8e-1,
    1.519_866_656_361_645_7e-2,
    5.475_938_084_995_345e-4,
    1.050_750_071_644_416_9e-9,
];
const FAR_OVER: [f64; 8] = [
    6.657_904_643_501_103,
    5.463_784_911_164_114,
    1.784_826_539_917_291_3,
    2.965_605_718_285_048_7e-1,
    2.653_218_952_657_612_4e-2,
    1.242_660_947_388_078_4e-3,
    2.711_555_568_743_487_6e-5,
    2.010_334_399_292_288_1e-7,
];
const FAR_UNDER: [f64; 8] = [
    1.0,
    5.998_322_065_558_88e-1,
    1.369_298_809_227_358e-1,
    1.487_536_129_085_061_5e-2,
    7.868_691_311_456_133e-4,
    1.846_318_317_510_054_8e-5,
    1.421_511_758_316_446e-7,
    2.044_263_103_389_939_8e-15,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Law: quantile and distribution function are inverse, far into both tails.
    #[test]
    fn normal_quantile_inverts_the_normal_law() {
        for exponent in 1..300 {
            let p = libm::pow(10.0, f64::from(-exponent));
            let back = normal_cdf(normal_quantile(p));
            // The function itself is steep in the tail: an error of z by 1e-16 shows z² times.
            let z = normal_quantile(p);
            assert!((back / p - 1.0).abs() < 1e-15 * (1.0 + z * z), "{p:e} gave {back:e}");
        }
        for percent in 1..100 {
            let p = f64::from(percent) / 100.0;
            assert!((normal_cdf(normal_quantile(p)) - p).abs() < 1e-15, "{p}");
        }
        // Tabulated: the 95 % and 97.5 % points.
        assert!((normal_quantile(0.95) - 1.644_853_626_951_472_2).abs() < 1e-15);
        assert!((normal_quantile(0.975) - 1.959_963_984_540_054).abs() < 1e-15);
        assert!(normal_quantile(0.0).is_infinite() && normal_quantile(1.0).is_infinite());
    }

    /// Law: the fast logarithm is the logarithm, to 1e-15 near 1 and to the last digits far off.
    #[test]
    fn minus_ln_agrees_with_libm() {
        let step = 1.0 / (1_u64 << 53) as f64;
        let spread = (1..100_000_u64).map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11).max(1));
        let near_zero = 1..1000;
        let near_one = (1 << 53) - 1000..=1 << 53;
        for n in spread.chain(near_zero).chain(near_one) {
            let v = n as f64 * step;
            let expected = -libm::log(v);
            let error = (minus_ln(v) - expected).abs();
            assert!(error < 1e-15_f64.max(expected * 4e-16), "−ln {v:e} is off by {error:e}");
        }
    }

    /// Law: for whole shapes P is one minus the Poisson sum, for shape one half the error function.
    #[test]
    fn gamma_p_agrees_with_closed_forms() {
        for stages in [1_u32, 2, 3, 10, 50] {
            for x in [0.01, 0.5, 1.0, 2.9, 3.1, 10.0, 49.0, 55.0, 200.0] {
                let mut term = libm::exp(-x);
                let mut sum = 0.0;
                for k in 1..=stages {
                    sum += term;
                    term *= x / f64::from(k);
                }
                let got = gamma_p(f64::from(stages), x);
                assert!((got - (1.0 - sum)).abs() < 1e-13, "P({stages}, {x}) = {got}");
            }
        }
        // Around a large shape the law is nearly normal; Wilson and Hilferty's cube root is good
        // to a hundred-thousandth there.
        for z in [-3.0, -0.1, 0.0, 0.1, 3.0] {
            let ninth = 1.0 / 9e6;
            let x = 1e6 * libm::pow(1.0 - ninth + z * f64::sqrt(ninth), 3.0);
            assert!((gamma_p(1e6, x) - normal_cdf(z)).abs() < 1e-5, "{z}");
        }
        for x in [1e-6, 0.1, 1.0, 1.5, 4.0, 30.0] {
            assert!((gamma_p(0.5, x) - libm::erf(f64::sqrt(x))).abs() < 1e-14, "{x}");
        }
        assert!(gamma_p(2.0, 0.0) <= 0.0 && gamma_p(2.0, f64::INFINITY) >= 1.0);
    }
}

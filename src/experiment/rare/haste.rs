//! When a failure is forced within a span: the sooner, the more must follow.
//!
//! Absent on purpose: how many must follow, which lessons tell.

/// A law of a quantile from 0 to 1 that prefers the early ones: its density is proportional to
/// `min(1, (1 − x) / scale)` to a power. That is what is left of the time in which more failures must
/// follow, as far as it is not the length of the new repair that counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Haste {
    power: f64,
    scale: f64,
    whole: f64,
}

impl Haste {
    /// `scale`: the new repair over the time from 0 to 1.
    pub(super) fn new(power: f64, scale: f64) -> Self {
        let scale = scale.clamp(1e-9, 1.0);
        Self { power, scale, whole: 1.0 - scale + scale / (power + 1.0) }
    }

    /// The density at a quantile.
    pub(super) fn density(&self, x: f64) -> f64 {
        let left = (1.0 - x) / self.scale;
        if left >= 1.0 { 1.0 / self.whole } else { libm::pow(left, self.power) / self.whole }
    }

    /// The quantile that a uniform number stands for.
    pub(super) fn quantile(&self, uniform: f64) -> f64 {
        let even = uniform * self.whole;
        if even <= 1.0 - self.scale {
            return even;
        }
        let tail = (1.0 - uniform) * self.whole * (self.power + 1.0) / self.scale;
        1.0 - self.scale * libm::pow(tail.min(1.0), 1.0 / (self.power + 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAWS: [(f64, f64); 6] =
        [(0.0, 1.0), (1.0, 1.0), (2.0, 7.0), (1.6, 0.4), (8.0, 0.01), (0.0, 0.3)];

    /// Law: quantiles invert the integral of the density, which is 1 in the end. The midpoint rule with
    /// this many steps is off by less than a millionth of the steepest density's slope.
    #[test]
    fn quantiles_follow_the_density() {
        const STEPS: u32 = 100_000;
        for (power, scale) in LAWS {
            let haste = Haste::new(power, scale);
            let step = 1.0 / f64::from(STEPS);
            let mut below = 0.0;
            for n in 0..STEPS {
                let end = f64::from(n + 1) * step;
                below += step * haste.density(end - step / 2.0);
                if n % 1_000 == 999 && below < 1.0 - 1e-6 {
                    let back = haste.quantile(below);
                    let off = (back - end) * haste.density(end);
                    assert!(off.abs() < 1e-6, "{power} {scale}: {end} came back as {back}");
                }
            }
            assert!((below - 1.0).abs() < 1e-6, "{power} {scale}: {below}");
        }
    }
}

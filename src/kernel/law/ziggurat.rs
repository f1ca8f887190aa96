//! Exponential numbers by layers of equal area (Marsaglia and Tsang 2000, *The ziggurat method for
//! generating random variables*): 98.9 % of them take one multiplication and no logarithm.
//!
//! The layers are worked out once, by the same portable functions as everything else, so that
//! numbers are the same on every machine. Of a number's 64 bits the lowest eight choose the layer and
//! the highest 53 the place in it.
//!
//! Absent on purpose: single numbers that have to grow with a uniform one, which inversion gives.

use super::special::minus_ln;
use crate::kernel::stream::{Draw, uniform_of};
use std::sync::LazyLock;

/// Layers, the lowest of which holds the tail.
const LAYERS: usize = 256;

/// Where the tail begins, and the area of each layer: those of 256 layers.
const TAIL: f64 = 7.697_117_470_131_05;
const AREA: f64 = 0.003_949_659_822_581_557;

/// The right ends of the layers, from the widest, and the density there.
struct Layers {
    ends: [f64; LAYERS + 1],
    heights: [f64; LAYERS + 1],
}

static LAYERS_OF_EXP: LazyLock<Layers> = LazyLock::new(Layers::new);

impl Layers {
    fn new() -> Self {
        let mut ends = [0.0; LAYERS + 1];
        // The lowest layer is as wide as a box of its area; what lies beyond the tail's begin is it.
        ends[0] = AREA / libm::exp(-TAIL);
        ends[1] = TAIL;
        for layer in 2..LAYERS {
            let before = ends[layer - 1];
            ends[layer] = minus_ln(AREA / before + libm::exp(-before));
        }
        Self { ends, heights: ends.map(|end| libm::exp(-end)) }
    }

    /// The number that these bits stand for, where no second look is needed.
    #[inline]
    fn quick(&self, bits: u64) -> Option<f64> {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the lowest bits are what is asked for"
        )]
        let layer = usize::from(bits as u8);
        let x = uniform_of(bits) * self.ends[layer];
        (x < self.ends[layer + 1]).then_some(x)
    }

    /// The number that begins with these bits and takes more of the draw as it needs them.
    #[cold]
    fn slow(&self, mut bits: u64, draw: &mut Draw) -> f64 {
        loop {
            if let Some(x) = self.quick(bits) {
                return x;
            }
            #[expect(clippy::cast_possible_truncation, reason = "as above")]
            let layer = usize::from(bits as u8);
            if layer == 0 {
                // Beyond any instant an exponential law begins anew.
                return TAIL + minus_ln(1.0 - draw.uniform());
            }
            let x = uniform_of(bits) * self.ends[layer];
            let (low, high) = (self.heights[layer], self.heights[layer + 1]);
            if low + (high - low) * draw.uniform() < libm::exp(-x) {
                return x;
            }
            bits = draw.bits();
        }
    }
}

/// Four exponential numbers of mean 1 from a draw; faster than four alone, as none waits for another.
#[inline]
pub fn exponentials(draw: &mut Draw) -> [f64; 4] {
    let layers = &*LAYERS_OF_EXP;
    draw.four().map(|bits| match layers.quick(bits) {
        Some(x) => x,
        None => layers.slow(bits, draw),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::stream::{Key, StreamName};

    fn numbers(count: u64) -> Vec<f64> {
        let draw = |occurrence| Key::new(3, 4).draw(StreamName::of("ziggurat"), 5, occurrence);
        (0..count / 4).flat_map(|occurrence| exponentials(&mut draw(occurrence))).collect()
    }

    /// Law: layers have the same area each, and the last one ends where the density does.
    #[test]
    fn layers_have_equal_areas() {
        let Layers { ends, heights } = Layers::new();
        for layer in 1..LAYERS {
            let area = ends[layer] * (heights[layer + 1] - heights[layer]);
            assert!((area - AREA).abs() < 1e-12, "layer {layer}: {area}");
        }
        let lowest = TAIL * heights[1] + heights[1];
        assert!((lowest - AREA).abs() < 1e-12, "{lowest}");
    }

    /// Law: numbers are exponential: the largest distance from the law's distribution stays below
    /// Kolmogorov's bound at one in a million, for all numbers and in the tail.
    #[test]
    fn numbers_are_exponential() {
        const COUNT: u64 = 400_000;
        let distance = |mut numbers: Vec<f64>, from: f64| {
            numbers.sort_by(f64::total_cmp);
            let n = numbers.len() as f64;
            let off = |(at, x): (usize, &f64)| {
                let exact = 1.0 - libm::exp(-(x - from));
                (exact - at as f64 / n).abs().max((exact - (at + 1) as f64 / n).abs())
            };
            (numbers.iter().enumerate().map(off).fold(0.0, f64::max), n)
        };
        for from in [0.0, 3.0, TAIL] {
            let some = numbers(COUNT).into_iter().filter(|x| *x > from).collect();
            let (off, n) = distance(some, from);
            assert!(n > 100.0 && off < 2.69 / n.sqrt(), "from {from}: {off} of {n}");
        }
    }

    /// Law: numbers are the same on every machine and in every build.
    #[test]
    fn numbers_are_known() {
        let hash = numbers(4_000).iter().fold(0_u64, |hash, x| {
            (hash.rotate_left(7) ^ x.to_bits()).wrapping_mul(0x0000_0100_0000_01b3)
        });
        assert_eq!(hash, KNOWN);
    }

    /// Of the first 4,000 numbers, by the first build.
    const KNOWN: u64 = 10_187_821_006_649_875_094;
}

//! Complex numbers, as far as elimination needs them, and what it needs of any number.

use std::ops::{Add, Div, Mul};

/// A number that elimination can work with: it adds, multiplies and divides, and never subtracts.
pub(super) trait Scalar:
    Copy + Add<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    /// Nothing.
    const ZERO: Self;
    /// A real number.
    fn real(value: f64) -> Self;
    /// Whether it is nothing.
    fn is_zero(self) -> bool;
}

impl Scalar for f64 {
    const ZERO: f64 = 0.0;

    fn real(value: f64) -> f64 {
        value
    }

    #[allow(clippy::float_cmp, reason = "an entry that is not there is exactly zero")]
    fn is_zero(self) -> bool {
        self == 0.0
    }
}

/// A complex number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Complex {
    /// Real part.
    pub(super) re: f64,
    /// Imaginary part.
    pub(super) im: f64,
}

impl Add for Complex {
    type Output = Complex;

    fn add(self, other: Complex) -> Complex {
        Complex { re: self.re + other.re, im: self.im + other.im }
    }
}

impl Mul for Complex {
    type Output = Complex;

    fn mul(self, other: Complex) -> Complex {
        Complex {
            re: self.re * other.re - self.im * other.im,
            im: self.re * other.im + self.im * other.re,
        }
    }
}

impl Div for Complex {
    type Output = Complex;

    fn div(self, other: Complex) -> Complex {
        let (scale, size) = (other.re.abs().max(other.im.abs()), other);
        let (re, im) = (size.re / scale, size.im / scale);
        let norm = (re * re + im * im) * scale;
        Complex {
            re: (self.re * re + self.im * im) / norm,
            im: (self.im * re - self.re * im) / norm,
        }
    }
}

impl Scalar for Complex {
    const ZERO: Complex = Complex { re: 0.0, im: 0.0 };

    fn real(value: f64) -> Complex {
        Complex { re: value, im: 0.0 }
    }

    #[allow(clippy::float_cmp, reason = "an entry that is not there is exactly zero")]
    fn is_zero(self) -> bool {
        self.re == 0.0 && self.im == 0.0
    }
}

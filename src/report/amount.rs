//! Spans of time as statistics give them: one unit, as many digits as are known.

/// Units with their seconds, and from how many seconds on each is used.
const UNITS: [(&str, f64, f64); 5] = [
    ("d", 86_400.0, 100.0 * 3_600.0),
    ("h", 3_600.0, 6_000.0),
    ("min", 60.0, 100.0),
    ("s", 1.0, 1.0),
    ("ms", 1e-3, 0.0),
];

fn unit(seconds: f64) -> (&'static str, f64) {
    let fits = UNITS.iter().find(|(.., from)| seconds.abs() >= *from);
    fits.map_or(("s", 1.0), |(name, scale, _)| (*name, *scale))
}

/// A span with three digits: `1.27 min`.
pub fn amount(seconds: f64) -> String {
    if seconds == 0.0 {
        return "0 s".to_owned();
    }
    let (name, scale) = unit(seconds);
    let value = seconds / scale;
    let digits = decimals(value.abs(), 3);
    format!("{value:.digits$} {name}")
}

/// A span with its error, two digits of it: `2.38 ± 0.60 h`.
pub fn around(seconds: f64, reach: f64) -> String {
    let (name, scale) = unit(seconds.abs().max(reach));
    let (value, reach) = (seconds / scale, reach / scale);
    let digits = decimals(reach, 2);
    format!("{value:.digits$} ± {reach:.digits$} {name}")
}

/// Decimals that show so many digits of a number.
pub fn decimals(number: f64, digits: u8) -> usize {
    if number <= 0.0 {
        return 1;
    }
    let decimals = f64::from(digits) - 1.0 - libm::floor(libm::log10(number));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 9")]
    let decimals = decimals.clamp(0.0, 9.0) as usize;
    decimals
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law: the unit suits the span, the digits suit the error.
    #[test]
    fn spans_are_short() {
        let spans = [0.0, 0.0123, 4.5, 76.0, 158.0, 7_000.0, 4e5];
        let told = ["0 s", "12.3 ms", "4.50 s", "76.0 s", "2.63 min", "1.94 h", "4.63 d"];
        assert_eq!(spans.map(amount), told);
        assert_eq!(around(8_580.0, 2_165.0), "2.38 ± 0.60 h");
        assert_eq!(around(0.5, 0.0), "500.0 ± 0.0 ms");
        assert_eq!(around(187.4, 23.4), "3.12 ± 0.39 min");
    }
}

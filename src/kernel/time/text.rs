//! Spans as text: Go's syntax in and out, and a looser form for people.
//!
//! Reading follows `time.ParseDuration` of Go without the sign. Writing leaves out units that are
//! zero, as people write (`1h`, where Go itself prints `1h0m0s`); what is written reads back equal.

use std::fmt;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Duration;

/// Units by name, in nanoseconds. Both code points of `µ` are in use.
const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Why a text is no span, and where in it the trouble begins.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DurationError {
    offset: usize,
    message: String,
}

impl DurationError {
    fn new(offset: usize, message: impl Into<String>) -> DurationError {
        DurationError { offset, message: message.into() }
    }

    /// Bytes of the text before the trouble.
    pub fn offset(&self) -> usize {
        self.offset
    }
}

impl Duration {
    /// Reads Go's syntax: numbers, each with a unit, `1h30m` or `1.5s`; `0` needs no unit.
    ///
    /// # Errors
    ///
    /// For anything else, and for spans beyond 584 years; the message says what to write.
    pub fn parse(text: &str) -> Result<Duration, DurationError> {
        if text.is_empty() {
            return Err(DurationError::new(0, "empty duration: write for example `15s`"));
        }
        if text == "0" {
            return Ok(Duration::ZERO);
        }
        let (mut total, mut offset) = (0_u64, 0);
        while offset < text.len() {
            let (nanos, length) = term(text, offset)?;
            total = total.checked_add(nanos).ok_or_else(|| too_long(offset))?;
            offset += length;
        }
        Ok(Duration(total))
    }

    /// The span for people, to about three digits: `350 ms`, `16.8 s`, `4 min 12 s`, `2 h 5 min`,
    /// `3 d 4 h`. Not read back by anything.
    pub fn human(self) -> String {
        let nanos = self.as_nanos();
        let rounded = |unit: u64| nanos.saturating_add(unit / 2) / unit;
        let pair = |value: u64, per: u64, big: &str, small: &str| match value % per {
            0 => format!("{} {big}", value / per),
            rest => format!("{} {big} {rest} {small}", value / per),
        };
        if self == Duration::MAX {
            "forever".to_owned()
        } else if nanos == 0 {
            "0 s".to_owned()
        } else if nanos < 1_000 {
            format!("{nanos} ns")
        } else if rounded(1_000) < 1_000 {
            format!("{} µs", rounded(1_000))
        } else if rounded(100_000) < 100 {
            tenths(rounded(100_000), "ms")
        } else if rounded(1_000_000) < 1_000 {
            format!("{} ms", rounded(1_000_000))
        } else if rounded(100_000_000) < 600 {
            tenths(rounded(100_000_000), "s")
        } else if rounded(1_000_000_000) < 3_600 {
            pair(rounded(1_000_000_000), 60, "min", "s")
        } else if rounded(60_000_000_000) < 24 * 60 {
            pair(rounded(60_000_000_000), 60, "h", "min")
        } else {
            pair(rounded(3_600_000_000_000), 24, "d", "h")
        }
    }
}

/// `168` tenths of a second are `16.8 s`.
fn tenths(count: u64, unit: &str) -> String {
    format!("{}.{} {unit}", count / 10, count % 10)
}

/// One number with its unit at `offset`: its nanoseconds and its length in bytes.
fn term(text: &str, offset: usize) -> Result<(u64, usize), DurationError> {
    let rest = &text[offset..];
    let number =
        &rest[..rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len())];
    if number.is_empty() {
        return Err(no_number(rest, offset));
    }
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if let Some(dot) = fraction.find('.') {
        return Err(DurationError::new(offset + whole.len() + 1 + dot, "a second decimal point"));
    }
    if whole.is_empty() && fraction.is_empty() {
        return Err(DurationError::new(offset, "a decimal point without digits"));
    }
    let after = &rest[number.len()..];
    let unit =
        &after[..after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len())];
    let scale = scale_of(unit).ok_or_else(|| bad_unit(number, unit, offset + number.len()))?;
    let nanos = decimal(whole, fraction, scale).ok_or_else(|| too_long(offset))?;
    Ok((nanos, number.len() + unit.len()))
}

fn scale_of(unit: &str) -> Option<u64> {
    UNITS.iter().find(|(name, _)| *name == unit).map(|(_, nanos)| *nanos)
}

/// `whole.fraction` times `scale`, rounded down to a whole nanosecond as Go does.
fn decimal(whole: &str, fraction: &str, scale: u64) -> Option<u64> {
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    // Sixteen decimals of an hour lie below a nanosecond; further digits cannot matter.
    let kept = &fraction[..fraction.len().min(16)];
    let mut part = 0_u128;
    let mut divisor = 1_u128;
    for digit in kept.bytes() {
        part = part * 10 + u128::from(digit - b'0');
        divisor *= 10;
    }
    let part = u64::try_from(part * u128::from(scale) / divisor).ok()?;
    whole.checked_mul(scale)?.checked_add(part)
}

fn no_number(rest: &str, offset: usize) -> DurationError {
    let message = match rest.chars().next() {
        Some('-') => "a duration cannot be negative".to_owned(),
        Some(c) if c.is_whitespace() => "a duration has no spaces: write `1m30s`".to_owned(),
        Some(_) if scale_of(rest).is_some() => format!("a number is missing: write `15{rest}`"),
        _ => "a number with a unit is expected: write for example `15s`".to_owned(),
    };
    DurationError::new(offset, message)
}

fn bad_unit(number: &str, unit: &str, offset: usize) -> DurationError {
    const VALID: &str = "the units are ns, us, ms, s, m and h";
    let message = match unit.trim() {
        "" => format!("the unit is missing: write `{number}s`"),
        known if scale_of(known).is_some() => {
            format!("a duration has no spaces: write `{number}{known}`")
        }
        "d" | "day" | "days" => match number.parse::<u64>().ok().and_then(|n| n.checked_mul(24)) {
            Some(hours) => format!("there is no unit for days: write `{hours}h`; {VALID}"),
            None => format!("there is no unit for days; {VALID}"),
        },
        "min" | "mins" | "minutes" => format!("unknown unit: write `{number}m`; {VALID}"),
        "sec" | "secs" | "seconds" => format!("unknown unit: write `{number}s`; {VALID}"),
        other => format!("unknown unit `{}`; {VALID}", other.escape_debug()),
    };
    DurationError::new(offset, message)
}

fn too_long(offset: usize) -> DurationError {
    DurationError::new(offset, "longer than 584 years, the longest span that can be simulated")
}

/// `1m30s`, `1.5s`, `100ms`, `250µs`, `0s`: units that are zero are left out.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.as_nanos();
        let text = if nanos == 0 {
            "0s".to_owned()
        } else if nanos < 1_000 {
            format!("{nanos}ns")
        } else if nanos < 1_000_000 {
            fraction(nanos, 1_000, "µs")
        } else if nanos < 1_000_000_000 {
            fraction(nanos, 1_000_000, "ms")
        } else {
            clock(nanos)
        };
        f.pad(&text)
    }
}

/// Hours, minutes and seconds, of a second at least.
fn clock(nanos: u64) -> String {
    let (minutes, rest) = (nanos / 60_000_000_000, nanos % 60_000_000_000);
    let part = |count: u64, unit: &str| match count {
        0 => String::new(),
        count => format!("{count}{unit}"),
    };
    let seconds = if rest == 0 { String::new() } else { fraction(rest, 1_000_000_000, "s") };
    part(minutes / 60, "h") + &part(minutes % 60, "m") + &seconds
}

/// `nanos` in units of `unit`, with as many decimals as it takes to be exact.
fn fraction(nanos: u64, unit: u64, name: &str) -> String {
    let digits = unit.ilog10() as usize;
    let decimals = format!("{:0digits$}", nanos % unit);
    match decimals.trim_end_matches('0') {
        "" => format!("{}{name}", nanos / unit),
        decimals => format!("{}.{decimals}{name}", nanos / unit),
    }
}

impl fmt::Debug for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        deserializer.deserialize_any(SpanVisitor)
    }
}

struct SpanVisitor;

impl Visitor<'_> for SpanVisitor {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration such as \"15s\" or \"1m30s\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
        Duration::parse(text)
            .map_err(|error| E::custom(format!("`{}`: {error}", text.escape_debug())))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Duration, E> {
        Err(E::custom(format!("a duration is text with a unit: write \"{number}s\"")))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Duration, E> {
        Err(E::invalid_value(Unexpected::Signed(number), &self))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Duration, E> {
        if number < 0.0 {
            return Err(E::invalid_value(Unexpected::Float(number), &self));
        }
        Err(E::custom(format!("a duration is text with a unit: write \"{number}s\"")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Law: Go's syntax is read as Go reads it.
    #[test]
    fn go_syntax_is_read() {
        for (text, nanos) in [
            ("0", 0),
            ("0s", 0),
            ("1ns", 1),
            ("100ms", 100_000_000),
            ("250us", 250_000),
            ("250µs", 250_000),
            ("250μs", 250_000),
            ("1.5s", 1_500_000_000),
            (".5s", 500_000_000),
            ("5.s", 5_000_000_000),
            ("1m30s", 90_000_000_000),
            ("1h", 3_600_000_000_000),
            ("1h15m30.918273645s", 4_530_918_273_645),
            ("0.3333333333333333333h", 1_199_999_999_999),
            ("0.100000000000000000000h", 360_000_000_000),
            ("5124095h34m33.709551615s", u64::MAX),
        ] {
            assert_eq!(Duration::parse(text), Ok(Duration::from_nanos(nanos)), "{text}");
        }
    }

    /// Law: what cannot be read says where it went wrong and what to write instead.
    #[test]
    fn mistakes_are_located_and_explained() {
        for (text, offset, message) in [
            ("", 0, "empty duration: write for example `15s`"),
            ("15", 2, "the unit is missing: write `15s`"),
            ("1m30", 4, "the unit is missing: write `30s`"),
            ("-5s", 0, "a duration cannot be negative"),
            ("5 s", 1, "a duration has no spaces: write `5s`"),
            (" 5s", 0, "a duration has no spaces: write `1m30s`"),
            ("s", 0, "a number is missing: write `15s`"),
            ("soon", 0, "a number with a unit is expected: write for example `15s`"),
            (".s", 0, "a decimal point without digits"),
            ("1.2.3s", 3, "a second decimal point"),
            ("5min", 1, "unknown unit: write `5m`; the units are ns, us, ms, s, m and h"),
            (
                "7d",
                1,
                "there is no unit for days: write `168h`; the units are ns, us, ms, s, m and h",
            ),
            ("1h2x", 3, "unknown unit `x`; the units are ns, us, ms, s, m and h"),
            ("5124096h", 0, "longer than 584 years, the longest span that can be simulated"),
        ] {
            let error = Duration::parse(text).expect_err(text);
            assert_eq!((error.offset(), error.to_string().as_str()), (offset, message), "{text}");
        }
    }

    /// Law: spans print as people write them, without units that are zero.
    #[test]
    fn spans_print_as_go_writes_them() {
        for (nanos, text) in [
            (0, "0s"),
            (999, "999ns"),
            (250_000, "250µs"),
            (1_500_000, "1.5ms"),
            (100_000_000, "100ms"),
            (1_500_000_000, "1.5s"),
            (90_000_000_000, "1m30s"),
            (3_600_000_000_000, "1h"),
            (3_605_000_000_000, "1h5s"),
            (5_400_000_000_000, "1h30m"),
        ] {
            assert_eq!(Duration::from_nanos(nanos).to_string(), text);
        }
        assert_eq!(format!("{:>6}|", Duration::from_secs(2)), "    2s|");
    }

    /// Law: the form for people rounds, and rounding never shows 60 s or 1000 ms.
    #[test]
    fn people_see_about_three_digits() {
        for (text, human) in [
            ("0s", "0 s"),
            ("17ns", "17 ns"),
            ("250us", "250 µs"),
            ("1.25ms", "1.3 ms"),
            ("350ms", "350 ms"),
            ("999.6ms", "1.0 s"),
            ("16.84s", "16.8 s"),
            ("15s", "15.0 s"),
            ("59.96s", "1 min"),
            ("4m12s", "4 min 12 s"),
            ("59m59.9s", "1 h"),
            ("2h5m", "2 h 5 min"),
            ("76h", "3 d 4 h"),
        ] {
            assert_eq!(Duration::parse(text).unwrap().human(), human, "{text}");
        }
        assert_eq!(Duration::MAX.human(), "forever");
    }

    /// Law: in a file a span is text with a unit; a bare number is told how to become one.
    #[test]
    fn files_hold_spans_as_text() {
        let read = |text: &str| serde_json::from_str::<Duration>(text).map_err(|e| e.to_string());
        assert_eq!(read("\"1m30s\""), Ok(Duration::from_secs(90)));
        assert_eq!(serde_json::to_string(&Duration::from_secs(90)).unwrap(), "\"1m30s\"");
        assert!(
            read("15").unwrap_err().starts_with("a duration is text with a unit: write \"15s\"")
        );
        assert!(read("\"15\"").unwrap_err().starts_with("`15`: the unit is missing: write `15s`"));
        assert!(read("-3").unwrap_err().contains("expected a duration such as \"15s\""));
    }

    proptest! {
        /// Law: what is written reads back equal, for every span there is.
        #[test]
        fn written_spans_read_back(nanos in any::<u64>(), shift in 0_u32..64) {
            let span = Duration::from_nanos(nanos >> shift);
            prop_assert_eq!(Duration::parse(&span.to_string()), Ok(span));
        }

        /// Law: no text makes the reader panic, and the offset lies inside the text.
        #[test]
        fn any_text_is_read_or_refused(text in "[0-9.smhµ d-]{0,12}|\\PC{0,8}") {
            if let Err(error) = Duration::parse(&text) {
                prop_assert!(text.is_char_boundary(error.offset()));
            }
        }
    }
}

//! Instants and spans of simulated time, in whole nanoseconds.
//!
//! Integers, because two runs must agree to the bit and because `a + b - b` must be `a`. Sixty-four
//! bits hold 584 years; what would lie beyond saturates to [`Time::NEVER`] instead of wrapping.
//!
//! Absent on purpose: wall-clock time. Nothing here can ask what time it is.

mod text;

pub use text::DurationError;

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, Rem, Sub, SubAssign};

const NANOS_PER_SEC: u64 = 1_000_000_000;

/// An instant on a run's own axis.
///
/// The origin that people see is [`Time::START`]; a run that begins settled has ages and phases
/// before it, so the axis begins a day earlier, at [`Time::ZERO`]. Printed as signed seconds
/// relative to the start, with three decimals: `60.000`, `-0.700`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

impl Time {
    /// The earliest instant there is: one day before the start.
    pub const ZERO: Time = Time(0);

    /// Time 0 of a scenario: where measurement begins.
    pub const START: Time = Time(86_400 * NANOS_PER_SEC);

    /// After every instant that can be reached; an alarm set to it does not ring.
    pub const NEVER: Time = Time(u64::MAX);

    /// The instant `offset` after the start.
    pub const fn at(offset: Duration) -> Time {
        Time(Self::START.0.saturating_add(offset.0))
    }

    /// The instant `nanos` nanoseconds after [`Time::ZERO`]; `u64::MAX` is [`Time::NEVER`].
    pub const fn from_nanos(nanos: u64) -> Time {
        Time(nanos)
    }

    /// Nanoseconds since [`Time::ZERO`].
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Nanoseconds since the start, negative before it. Instants more than 292 years after the
    /// start, [`Time::NEVER`] among them, give `i64::MAX`.
    pub fn since_start_nanos(self) -> i64 {
        let nanos = i128::from(self.0) - i128::from(Self::START.0);
        i64::try_from(nanos).unwrap_or(i64::MAX)
    }

    /// Whether this is [`Time::NEVER`].
    pub const fn is_never(self) -> bool {
        self.0 == u64::MAX
    }

    /// The span from `earlier` to `self`.
    ///
    /// # Panics
    ///
    /// If `earlier` is later than `self`: the caller has mixed up cause and effect.
    #[track_caller]
    pub fn since(self, earlier: Time) -> Duration {
        assert!(earlier <= self, "{self} does not lie after {earlier}");
        Duration(self.0 - earlier.0)
    }

    /// The span from `earlier` to `self`, or none at all if `earlier` is later.
    pub const fn saturating_since(self, earlier: Time) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }
}

/// Later by a span; beyond the axis, and from [`Time::NEVER`] on, it stays [`Time::NEVER`].
impl Add<Duration> for Time {
    type Output = Time;

    fn add(self, span: Duration) -> Time {
        Time(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Duration> for Time {
    fn add_assign(&mut self, span: Duration) {
        *self = *self + span;
    }
}

/// Earlier by a span, at most back to [`Time::ZERO`]; [`Time::NEVER`] stays what it is.
impl Sub<Duration> for Time {
    type Output = Time;

    fn sub(self, span: Duration) -> Time {
        if self.is_never() { self } else { Time(self.0.saturating_sub(span.0)) }
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_never() {
            return f.pad("never");
        }
        let millis = (self.0.abs_diff(Self::START.0) + 500_000) / 1_000_000;
        let sign = if *self < Self::START && millis > 0 { "-" } else { "" };
        f.pad(&format!("{sign}{}.{:03}", millis / 1000, millis % 1000))
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A span of simulated time, never negative.
///
/// Written and read as Go and Kubernetes write it: `100ms`, `1m30s`, `1.5s`. Sums and products
/// beyond 584 years saturate to [`Duration::MAX`], which stands for "longer than any run".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Duration(u64);

impl Duration {
    /// No time at all.
    pub const ZERO: Duration = Duration(0);

    /// Longer than any run; added to an instant it gives [`Time::NEVER`].
    pub const MAX: Duration = Duration(u64::MAX);

    /// A span of `nanos` nanoseconds.
    pub const fn from_nanos(nanos: u64) -> Duration {
        Duration(nanos)
    }

    /// A span of `micros` microseconds.
    pub const fn from_micros(micros: u64) -> Duration {
        Duration(micros.saturating_mul(1_000))
    }

    /// A span of `millis` milliseconds.
    pub const fn from_millis(millis: u64) -> Duration {
        Duration(millis.saturating_mul(1_000_000))
    }

    /// A span of `secs` seconds.
    pub const fn from_secs(secs: u64) -> Duration {
        Duration(secs.saturating_mul(NANOS_PER_SEC))
    }

    /// A span of `minutes` minutes.
    pub const fn from_minutes(minutes: u64) -> Duration {
        Duration(minutes.saturating_mul(60 * NANOS_PER_SEC))
    }

    /// A span of `hours` hours.
    pub const fn from_hours(hours: u64) -> Duration {
        Duration(hours.saturating_mul(3_600 * NANOS_PER_SEC))
    }

    /// The span nearest to `secs` seconds, to the nanosecond; too large a number gives
    /// [`Duration::MAX`]. None for what is no span: a negative number or not a number.
    pub fn from_secs_f64(secs: f64) -> Option<Duration> {
        if secs.is_nan() || secs < 0.0 {
            return None;
        }
        Some(Self::from_nanos_f64(secs * 1e9))
    }

    /// The span nearest to `nanos` nanoseconds, empty below and [`Duration::MAX`] above the range.
    #[inline]
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast saturates at both ends, which is the documented edge"
    )]
    pub(in crate::kernel) fn from_nanos_f64(nanos: f64) -> Duration {
        // Not `round`: without SSE4.1 that is a call, and this is in every random draw.
        Duration((nanos + 0.5) as u64)
    }

    /// So many times this span, to the nearest nanosecond; [`Duration::MAX`] where that is too long.
    #[inline]
    pub fn times(self, factor: f64) -> Duration {
        Duration::from_nanos_f64(self.0 as f64 * factor)
    }

    /// The span in nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The span in seconds, for statistics; spans above 104 days lose their last nanoseconds.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The span in milliseconds, for statistics.
    pub fn as_millis_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// Whether the span is empty.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum, or none if it exceeds 584 years.
    pub const fn checked_add(self, other: Duration) -> Option<Duration> {
        match self.0.checked_add(other.0) {
            Some(nanos) => Some(Duration(nanos)),
            None => None,
        }
    }

    /// The difference, or none if `other` is longer.
    pub const fn checked_sub(self, other: Duration) -> Option<Duration> {
        match self.0.checked_sub(other.0) {
            Some(nanos) => Some(Duration(nanos)),
            None => None,
        }
    }

    /// The product, or none if it exceeds 584 years.
    pub const fn checked_mul(self, factor: u64) -> Option<Duration> {
        match self.0.checked_mul(factor) {
            Some(nanos) => Some(Duration(nanos)),
            None => None,
        }
    }

    /// The sum, at most [`Duration::MAX`].
    pub const fn saturating_add(self, other: Duration) -> Duration {
        Duration(self.0.saturating_add(other.0))
    }

    /// The difference, empty if `other` is longer.
    pub const fn saturating_sub(self, other: Duration) -> Duration {
        Duration(self.0.saturating_sub(other.0))
    }

    /// The product, at most [`Duration::MAX`].
    pub const fn saturating_mul(self, factor: u64) -> Duration {
        Duration(self.0.saturating_mul(factor))
    }

    /// The span times a factor, to the nearest nanosecond, at most [`Duration::MAX`].
    ///
    /// # Panics
    ///
    /// If `factor` is negative or not a number.
    #[track_caller]
    pub fn mul_f64(self, factor: f64) -> Duration {
        assert!(factor >= 0.0, "a span cannot be scaled by {factor}");
        Self::from_nanos_f64(self.0 as f64 * factor)
    }
}

/// The sum, at most [`Duration::MAX`].
impl Add for Duration {
    type Output = Duration;

    fn add(self, other: Duration) -> Duration {
        self.saturating_add(other)
    }
}

impl AddAssign for Duration {
    fn add_assign(&mut self, other: Duration) {
        *self = *self + other;
    }
}

/// The difference; panics with both spans if `other` is longer.
impl Sub for Duration {
    type Output = Duration;

    #[track_caller]
    fn sub(self, other: Duration) -> Duration {
        assert!(other <= self, "{self} is shorter than {other}");
        Duration(self.0 - other.0)
    }
}

impl SubAssign for Duration {
    #[track_caller]
    fn sub_assign(&mut self, other: Duration) {
        *self = *self - other;
    }
}

/// The product, at most [`Duration::MAX`].
impl Mul<u64> for Duration {
    type Output = Duration;

    fn mul(self, factor: u64) -> Duration {
        self.saturating_mul(factor)
    }
}

/// An equal part, rounded down; panics if there are to be no parts.
impl Div<u64> for Duration {
    type Output = Duration;

    fn div(self, parts: u64) -> Duration {
        Duration(self.0 / parts)
    }
}

/// How often `other` fits whole; panics if `other` is empty.
impl Div for Duration {
    type Output = u64;

    fn div(self, other: Duration) -> u64 {
        self.0 / other.0
    }
}

/// What is left after `other` has been taken away as often as it fits; panics if it is empty.
impl Rem for Duration {
    type Output = Duration;

    fn rem(self, other: Duration) -> Duration {
        Duration(self.0 % other.0)
    }
}

impl Sum for Duration {
    fn sum<I: Iterator<Item = Duration>>(spans: I) -> Duration {
        spans.fold(Duration::ZERO, Add::add)
    }
}

impl serde::Serialize for Time {
    /// Nanoseconds from the start of the run, negative before it; `null` for never.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_never() {
            serializer.serialize_none()
        } else {
            serializer.serialize_i64(self.since_start_nanos())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    /// Law: instants print as signed seconds since the start, to the nearest millisecond.
    #[test]
    fn instants_print_relative_to_the_start() {
        let at = |nanos: i64| Time::from_nanos(Time::START.as_nanos().wrapping_add_signed(nanos));
        for (nanos, text) in [
            (0, "0.000"),
            (60_000_000_000, "60.000"),
            (-700_000_000, "-0.700"),
            (-499_999, "0.000"),
            (-500_000, "-0.001"),
            (1_499_999, "0.001"),
            (1_500_000, "0.002"),
            (3_600_000_000_000, "3600.000"),
        ] {
            assert_eq!(at(nanos).to_string(), text);
            assert_eq!(at(nanos).since_start_nanos(), nanos);
        }
        assert_eq!(format!("{:?} {:>7}", Time::NEVER, Time::START), "never   0.000");
        assert_eq!(Time::ZERO.to_string(), "-86400.000");
    }

    /// Law: nothing comes after never, nothing lies before zero, and never does not come nearer.
    #[test]
    fn the_axis_saturates_at_both_ends() {
        assert_eq!(Time::START + Duration::MAX, Time::NEVER);
        assert_eq!(Time::at(Duration::MAX), Time::NEVER);
        assert_eq!(Time::NEVER + secs(1), Time::NEVER);
        assert_eq!(Time::NEVER - secs(1), Time::NEVER);
        assert_eq!(Time::START - Duration::MAX, Time::ZERO);
        assert_eq!(Time::at(secs(1)).saturating_since(Time::at(secs(2))), Duration::ZERO);
        assert_eq!(Time::NEVER.since_start_nanos(), i64::MAX);
    }

    /// Law: a span into the past is a bug, and the message says which two instants.
    #[test]
    #[should_panic(expected = "1.000 does not lie after 2.000")]
    fn since_refuses_the_past() {
        let _ = Time::at(secs(1)).since(Time::at(secs(2)));
    }

    /// Law: spans add, divide and compare as the integers they are, and saturate at the top.
    #[test]
    fn spans_are_integers() {
        assert_eq!(secs(3) - secs(1), secs(2));
        assert_eq!(secs(3) * 2 / 4, Duration::from_millis(1500));
        assert_eq!(secs(7) / secs(2), 3);
        assert_eq!(secs(7) % secs(2), secs(1));
        assert_eq!([secs(1), secs(2)].into_iter().sum::<Duration>(), secs(3));
        assert_eq!(Duration::from_hours(u64::MAX), Duration::MAX);
        assert_eq!(Duration::MAX + secs(1), Duration::MAX);
        assert_eq!(secs(1).checked_sub(secs(2)), None);
        assert_eq!(Duration::MAX.checked_add(secs(1)), None);
        assert_eq!(Duration::MAX.checked_mul(2), None);
        assert_eq!(secs(2).mul_f64(1.2), Duration::from_millis(2400));
    }

    /// Law: what is no span is refused, what is too long saturates.
    #[test]
    fn floats_become_spans_only_where_they_are_spans() {
        assert_eq!(Duration::from_secs_f64(1.5), Some(Duration::from_millis(1500)));
        assert_eq!(Duration::from_secs_f64(1e300), Some(Duration::MAX));
        assert_eq!(Duration::from_secs_f64(f64::INFINITY), Some(Duration::MAX));
        assert_eq!(Duration::from_secs_f64(f64::NAN), None);
        assert_eq!(Duration::from_secs_f64(-1e-9), None);
    }
}

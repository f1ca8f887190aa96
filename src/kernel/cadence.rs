//! Periodic instants as arithmetic: the first tick after some instant, the ticks between two, the
//! time of tick k, all without ticking.
//!
//! Three kinds. [`Cadence`] is strict. [`JitteredCadence`] shifts each tick by a draw of its own,
//! keyed by the tick's number, so that it can be asked for out of order. Where jitter accumulates
//! there is no such formula: such a schedule is a renewal process, and [`residual`] gives, at an
//! arbitrary instant, the time to its next tick.
//!
//! Absent on purpose: alarms. Callers set one when, and only when, a tick matters.

use super::stream::{Key, StreamName};
use super::time::{Duration, Time};

/// The instants `phase + k · period`, for every whole k, negative ones too, as far as the axis
/// of [`Time`] reaches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cadence {
    phase: Time,
    period: Duration,
}

impl Cadence {
    /// A cadence one of whose ticks falls on `phase`: tick 0.
    ///
    /// # Panics
    ///
    /// If the period is empty.
    pub fn new(phase: Time, period: Duration) -> Cadence {
        assert!(!period.is_zero(), "a cadence needs a period");
        Cadence { phase, period }
    }

    /// The time from tick to tick.
    pub fn period(&self) -> Duration {
        self.period
    }

    /// Tick 0, as given.
    pub fn phase(&self) -> Time {
        self.phase
    }

    /// How far `t` lies past the last tick at or before it.
    fn past(&self, t: Time) -> Duration {
        if t >= self.phase {
            return t.since(self.phase) % self.period;
        }
        let before = self.phase.since(t) % self.period;
        if before.is_zero() { Duration::ZERO } else { self.period - before }
    }

    /// The first tick that is not before `t`; [`Time::NEVER`] beyond the axis.
    pub fn first_at_or_after(&self, t: Time) -> Time {
        let past = self.past(t);
        if past.is_zero() { t } else { t + (self.period - past) }
    }

    /// The first tick later than `t`; [`Time::NEVER`] beyond the axis.
    pub fn first_after(&self, t: Time) -> Time {
        t + (self.period - self.past(t))
    }

    /// The last tick that is not after `t`; none if it would lie before [`Time::ZERO`].
    pub fn last_at_or_before(&self, t: Time) -> Option<Time> {
        let nanos = t.as_nanos().checked_sub(self.past(t).as_nanos())?;
        Some(Time::from_nanos(nanos))
    }

    /// The last tick earlier than `t`; none if it would lie before [`Time::ZERO`].
    pub fn last_before(&self, t: Time) -> Option<Time> {
        self.last_at_or_before(Time::from_nanos(t.as_nanos().checked_sub(1)?))
    }

    /// How many ticks fall into [`from`, `to`); none if `to` is not later.
    pub fn ticks_in(&self, from: Time, to: Time) -> u64 {
        let first = self.first_at_or_after(from);
        if first >= to {
            return 0;
        }
        (to.since(first).as_nanos() - 1) / self.period.as_nanos() + 1
    }

    /// The `n`-th tick later than `t`, counted from 1; [`Time::NEVER`] beyond the axis.
    ///
    /// # Panics
    ///
    /// If `n` is 0, which names no tick.
    pub fn nth_after(&self, t: Time, n: u64) -> Time {
        assert!(n > 0, "ticks after an instant are counted from 1");
        self.first_after(t) + self.period * (n - 1)
    }

    /// The number of the last tick at or before `t`, tick 0 being the phase.
    pub fn index(&self, t: Time) -> i64 {
        let offset = i128::from(t.as_nanos()) - i128::from(self.phase.as_nanos());
        let index = offset.div_euclid(i128::from(self.period.as_nanos()));
        i64::try_from(index).unwrap_or(if index < 0 { i64::MIN } else { i64::MAX })
    }

    /// The time of tick `index`: none before [`Time::ZERO`], [`Time::NEVER`] beyond the axis.
    pub fn tick(&self, index: i64) -> Option<Time> {
        let offset = i128::from(index) * i128::from(self.period.as_nanos());
        let nanos = i128::from(self.phase.as_nanos()) + offset;
        if nanos < 0 {
            None
        } else {
            Some(u64::try_from(nanos).map_or(Time::NEVER, Time::from_nanos))
        }
    }
}

/// A cadence whose tick k is late by a draw from [0, `jitter`), keyed by k: asked for in any order,
/// any number of times, it is the same.
///
/// The lateness of one tick does not move the next, so this is jitter that does not accumulate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct JitteredCadence {
    cadence: Cadence,
    jitter: Duration,
    key: Key,
    name: StreamName,
    purpose: u32,
}

impl JitteredCadence {
    /// Ticks of `cadence`, each late by less than `jitter`, drawn for `name` and `purpose`.
    ///
    /// # Panics
    ///
    /// If `jitter` exceeds the period: ticks would overtake each other.
    pub fn new(
        cadence: Cadence,
        jitter: Duration,
        key: Key,
        name: StreamName,
        purpose: u32,
    ) -> JitteredCadence {
        let period = cadence.period;
        assert!(jitter <= period, "jitter of {jitter} exceeds the period of {period}");
        JitteredCadence { cadence, jitter, key, name, purpose }
    }

    /// The cadence without its jitter.
    pub fn nominal(&self) -> Cadence {
        self.cadence
    }

    /// The time of tick `index`: none if it was nominally before [`Time::ZERO`].
    pub fn tick(&self, index: i64) -> Option<Time> {
        let nominal = self.cadence.tick(index)?;
        let mut draw = self.key.draw(self.name, self.purpose, index.cast_unsigned());
        Some(nominal + draw.uniform_duration(Duration::ZERO, self.jitter))
    }

    /// The first tick that is not before `t`; [`Time::NEVER`] beyond the axis.
    pub fn first_at_or_after(&self, t: Time) -> Time {
        self.seek(t, |tick| tick >= t)
    }

    /// The first tick later than `t`; [`Time::NEVER`] beyond the axis.
    pub fn first_after(&self, t: Time) -> Time {
        self.seek(t, |tick| tick > t)
    }

    /// The last tick that is not after `t`; none if it was nominally before [`Time::ZERO`].
    pub fn last_at_or_before(&self, t: Time) -> Option<Time> {
        let index = self.cadence.index(t);
        match self.tick(index) {
            Some(tick) if tick <= t => Some(tick),
            _ => self.tick(index - 1),
        }
    }

    /// The last tick earlier than `t`; none if it was nominally before [`Time::ZERO`].
    pub fn last_before(&self, t: Time) -> Option<Time> {
        self.last_at_or_before(Time::from_nanos(t.as_nanos().checked_sub(1)?))
    }

    /// The number of the last tick at or before `t`.
    pub fn index(&self, t: Time) -> i64 {
        let index = self.cadence.index(t);
        if self.tick(index).is_some_and(|tick| tick <= t) { index } else { index - 1 }
    }

    /// How many ticks fall into [`from`, `to`); none if `to` is not later.
    pub fn ticks_in(&self, from: Time, to: Time) -> u64 {
        // Ticks before `t` are those up to the last one before it.
        let before = |t: Time| match t.as_nanos().checked_sub(1) {
            Some(nanos) => self.index(Time::from_nanos(nanos)),
            None => self.cadence.index(Time::ZERO) - 1,
        };
        if from >= to { 0 } else { before(to).abs_diff(before(from)) }
    }

    /// A tick lies in its own period, so only the current one and the next can come first.
    fn seek(&self, t: Time, reached: impl Fn(Time) -> bool) -> Time {
        let index = self.cadence.index(t);
        match self.tick(index) {
            Some(tick) if reached(tick) => tick,
            _ => self.tick(index + 1).unwrap_or(Time::NEVER),
        }
    }
}

/// The time to the next tick of a renewal process that has run for long, seen at an arbitrary
/// instant: the gaps are uniform on [`from`, `to`], `u` is uniform on [0, 1).
///
/// The density of the residual x is (1 − F(x)) / μ, with F the law of a gap and μ its mean, so up
/// to `from` it is flat and then falls linearly to 0 at `to`; the value is its inverse
/// distribution function at `u`. By symmetry the age, the time since the last tick, has the same
/// law, but the two are not independent: for both, draw [`covering_gap`] and split it uniformly.
///
/// # Panics
///
/// If `from` exceeds `to`.
pub fn residual(from: Duration, to: Duration, u: f64) -> Duration {
    assert!(from <= to, "gaps from {from} to {to}");
    let (a, b) = (from.as_nanos() as f64, to.as_nanos() as f64);
    let area = u * f64::midpoint(a, b);
    if area <= a {
        return span(area).min(to);
    }
    // Beyond a the area is a + ((b−a)² − (b−x)²) / (2 (b−a)); solved for x.
    let left = (b - a) * (b - a) - 2.0 * (b - a) * (area - a);
    span(b - left.max(0.0).sqrt()).min(to)
}

/// The length of the gap in which an arbitrary instant falls, for gaps uniform on
/// [`from`, `to`] and `u` uniform on [0, 1). Long gaps are hit more often: the density is
/// proportional to the length.
///
/// # Panics
///
/// If `from` exceeds `to`.
pub fn covering_gap(from: Duration, to: Duration, u: f64) -> Duration {
    assert!(from <= to, "gaps from {from} to {to}");
    let (a, b) = (from.as_nanos() as f64, to.as_nanos() as f64);
    span((a * a + u * (b * b - a * a)).sqrt()).clamp(from, to)
}

fn span(nanos: f64) -> Duration {
    Duration::from_secs_f64(nanos / 1e9).unwrap_or(Duration::ZERO)
}

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
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
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
/// The instant must be arbitrary with respect to the process: gaps that hardly vary remember the
/// phase in which they began for about (mean / standard deviation)² ticks.
///
/// # Panics
///
/// If `from` exceeds `to`.
pub fn residual(from: Duration, to: Duration, u: f64) -> Duration {
    assert!(from <= to, "gaps from {from} to {to}");
    let (a, b) = (from.as_nanos() as f64, to.as_nanos() as f64);
    let area = u * f64::midpoint(a, b);
    if area <= a {
        return Duration::from_nanos_f64(area).min(to);
    }
    // Beyond a the area is a + ((b−a)² − (b−x)²) / (2 (b−a)); solved for x.
    let left = (b - a) * (b - a) - 2.0 * (b - a) * (area - a);
    Duration::from_nanos_f64(b - left.max(0.0).sqrt()).min(to)
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
    Duration::from_nanos_f64((a * a + u * (b * b - a * a)).sqrt()).clamp(from, to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(nanos: u64) -> Time {
        Time::from_nanos(nanos)
    }

    fn span(nanos: u64) -> Duration {
        Duration::from_nanos(nanos)
    }

    /// What a cadence computes, read off a list of all its ticks instead.
    struct Plain(Vec<Time>);

    impl Plain {
        fn first(&self, reached: impl Fn(Time) -> bool) -> Option<Time> {
            self.0.iter().copied().find(|tick| reached(*tick))
        }

        fn last(&self, reached: impl Fn(Time) -> bool) -> Option<Time> {
            self.0.iter().copied().rfind(|tick| reached(*tick))
        }
    }

    proptest! {
        /// Law: arithmetic gives what ticking through the whole axis would give.
        #[test]
        fn arithmetic_agrees_with_ticking(
            phase in 0_u64..300, period in 1_u64..40, t in 0_u64..300, u in 0_u64..300,
            n in 1_u64..5,
        ) {
            let cadence = Cadence::new(at(phase), span(period));
            let plain = Plain((phase % period..1000).step_by(usize::try_from(period).unwrap()).map(at).collect());
            let (t, u) = (at(t), at(u));
            prop_assert_eq!(Some(cadence.first_at_or_after(t)), plain.first(|tick| tick >= t));
            prop_assert_eq!(Some(cadence.first_after(t)), plain.first(|tick| tick > t));
            prop_assert_eq!(cadence.last_at_or_before(t), plain.last(|tick| tick <= t));
            prop_assert_eq!(cadence.last_before(t), plain.last(|tick| tick < t));
            let inside = plain.0.iter().filter(|tick| (t..u.max(t)).contains(tick)).count();
            prop_assert_eq!(cadence.ticks_in(t, u), inside as u64);
            let later = plain.0.iter().copied().filter(|tick| *tick > t);
            prop_assert_eq!(Some(cadence.nth_after(t, n)), later.clone().nth(usize::try_from(n).unwrap() - 1));
            prop_assert_eq!(cadence.tick(cadence.index(t)), plain.last(|tick| tick <= t));
        }

        /// Law: jitter moves ticks about but leaves the arithmetic exact, in any order of asking.
        #[test]
        fn jittered_arithmetic_agrees_with_ticking(
            seed in any::<u64>(), phase in 0_u64..100, period in 1_u64..40, share in 0_u64..=40,
            t in 60_u64..300, u in 60_u64..300,
        ) {
            let cadence = Cadence::new(at(phase), span(period));
            let key = Key::new(seed, 0);
            let jitter = span(share.min(period));
            let jittered = JitteredCadence::new(cadence, jitter, key, StreamName::of("t"), 0);
            let from = cadence.index(Time::ZERO);
            let plain = Plain((from..from + 1000).filter_map(|k| jittered.tick(k)).collect());
            prop_assert!(plain.0.is_sorted());
            let (t, u) = (at(t), at(u));
            prop_assert_eq!(Some(jittered.first_at_or_after(t)), plain.first(|tick| tick >= t));
            prop_assert_eq!(Some(jittered.first_after(t)), plain.first(|tick| tick > t));
            prop_assert_eq!(jittered.last_at_or_before(t), plain.last(|tick| tick <= t));
            prop_assert_eq!(jittered.last_before(t), plain.last(|tick| tick < t));
            prop_assert_eq!(jittered.tick(jittered.index(t)), plain.last(|tick| tick <= t));
            let inside = plain.0.iter().filter(|tick| (t..u.max(t)).contains(tick)).count();
            prop_assert_eq!(jittered.ticks_in(t, u), inside as u64);
        }
    }

    /// Law: at the ends of the axis a cadence says none or never, and does not wrap.
    #[test]
    fn the_ends_of_the_axis_are_safe() {
        let cadence = Cadence::new(at(5), span(10));
        assert_eq!(cadence.last_at_or_before(at(4)), None);
        assert_eq!(cadence.last_before(Time::ZERO), None);
        assert_eq!(cadence.first_after(at(u64::MAX - 2)), Time::NEVER);
        assert_eq!(cadence.first_at_or_after(Time::NEVER), Time::NEVER);
        assert_eq!(cadence.nth_after(at(0), u64::MAX), Time::NEVER);
        assert_eq!((cadence.index(at(4)), cadence.tick(-1)), (-1, None));
        assert_eq!(cadence.tick(i64::MAX), Some(Time::NEVER));
        assert_eq!(Cadence::new(at(0), span(1)).index(Time::NEVER), i64::MAX);
        assert_eq!(cadence.ticks_in(at(9), at(3)), 0);
    }

    /// Law: residual, age and covering gap are what is seen of a renewal process at an arbitrary
    /// instant (two samples of 10,000, Kolmogorov-Smirnov bound of one in a thousand:
    /// 1.95 · √(2/n)).
    #[test]
    fn residual_agrees_with_brute_force() {
        const N: u64 = 10_000;
        for (from, to) in [(2_000, 4_400), (0, 1_000), (900, 1_000)] {
            let key = Key::new(11, from);
            let (lo, hi) = (span(from * 1_000), span(to * 1_000));
            let brute = |n: u64| {
                // The process starts with a tick, and is seen somewhere among its first 200 gaps.
                let mut draw = key.draw(StreamName::of("brute"), 0, n);
                let seen = Time::ZERO + draw.uniform_duration(Duration::ZERO, hi * 200);
                let mut tick = Time::ZERO;
                let mut last = tick;
                while tick <= seen {
                    last = tick;
                    tick += draw.uniform_duration(lo, hi);
                }
                [tick.since(seen), seen.since(last), tick.since(last)]
            };
            let uniform = |name, n| key.draw(StreamName::of(name), 1, n).uniform();
            let seen: Vec<_> = (0..N).map(brute).collect();
            let formula: Vec<_> =
                (0..N).map(|n| residual(lo, hi, uniform("residual", n))).collect();
            let covering: Vec<_> =
                (0..N).map(|n| covering_gap(lo, hi, uniform("gap", n))).collect();
            for (what, computed) in [(0, &formula), (1, &formula), (2, &covering)] {
                let distance = distance(seen.iter().map(|spans| spans[what]).collect(), computed);
                assert!(
                    distance < 1.95 * (2.0 / N as f64).sqrt(),
                    "{from} {to} {what}: {distance}"
                );
            }
        }
    }

    /// The greatest distance between the distribution functions of two samples of one size.
    fn distance(mut a: Vec<Duration>, b: &[Duration]) -> f64 {
        a.sort_unstable();
        let mut b = b.to_vec();
        b.sort_unstable();
        let below = |sorted: &[Duration], x| sorted.partition_point(|y| *y <= x) as f64;
        let off = |x: &Duration| (below(&a, *x) - below(&b, *x)).abs() / a.len() as f64;
        a.iter().chain(&b).map(off).fold(0.0, f64::max)
    }

    /// Law: residual and covering gap keep their bounds, also where the gap cannot vary.
    #[test]
    fn residuals_keep_their_bounds() {
        let (a, b) = (span(2_000), span(4_400));
        assert_eq!((residual(a, b, 0.0), covering_gap(a, b, 0.0)), (Duration::ZERO, a));
        let almost = 1.0 - f64::EPSILON;
        assert!(residual(a, b, almost) <= b && covering_gap(a, b, almost) <= b);
        assert_eq!((residual(a, a, 0.5), covering_gap(a, a, 0.5)), (span(1_000), a));
        assert_eq!(residual(Duration::ZERO, Duration::ZERO, 0.5), Duration::ZERO);
    }

    /// Law: jitter that would let ticks overtake each other is refused.
    #[test]
    #[should_panic(expected = "jitter of 11ns exceeds the period of 10ns")]
    fn excessive_jitter_is_refused() {
        let cadence = Cadence::new(at(0), span(10));
        let _ = JitteredCadence::new(cadence, span(11), Key::new(0, 0), StreamName::of("t"), 0);
    }
}

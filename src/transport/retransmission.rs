//! Retransmission schedules of Linux TCP: of the first SYN, and of data in flight.

use crate::kernel::time::{Duration, Time};

/// First retransmission of a SYN after the first one; each later wait doubles.
///
/// Linux: initial RTO 1 s (RFC 6298), so SYNs leave 0, 1, 3, 7, 15, 31, 63 s after the first. From 6.5
/// on the first `tcp_syn_linear_timeouts` waits do not double: with its default of 4 they leave after
/// 0, 1, 2, 3, 4, 5, 7, 11 s and so on, and these retransmissions do not count as `tcp_syn_retries`.
pub const SYN_FIRST: Duration = Duration::from_secs(1);

/// How many SYNs are retransmitted before the kernel gives up. Linux: `tcp_syn_retries` 6.
pub const SYN_RETRIES: u32 = 6;

/// How a machine's kernel times the SYNs that it repeats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SynTimers {
    /// How many waits pass before they double (`tcp_syn_linear_timeouts`; 0 without).
    pub linear: u32,
    /// Ticks a second of the timer wheel (`CONFIG_HZ`); 0: timers are exact.
    pub hz: u32,
}

impl From<u32> for SynTimers {
    fn from(linear: u32) -> Self {
        Self { linear, hz: 0 }
    }
}

impl From<(u32, u32)> for SynTimers {
    fn from((linear, hz): (u32, u32)) -> Self {
        Self { linear, hz }
    }
}

/// Slots of the wheel's first level less one, and by how much each further level is coarser. Linux:
/// kernel/time/timer.c, `LVL_SIZE` 64 and `LVL_CLK_DIV` 8.
const WHEEL_TICKS: u64 = 63;
const WHEEL_COARSER: u64 = 8;

impl SynTimers {
    /// When a timer fires that is to fire at `at`, `wait` after it was set: never early, at the end of
    /// its slot, and the longer the wait the longer the slot (1 s at 250 Hz: a slot of 32 ms).
    fn fires(self, at: Time, wait: Duration) -> Time {
        let Some(tick) = 1_000_000_000_u64.checked_div(u64::from(self.hz)) else { return at };
        let ticks = wait.as_nanos() / tick;
        let (mut slot, mut reach) = (tick, WHEEL_TICKS);
        while ticks >= reach {
            (slot, reach) = (slot * WHEEL_COARSER, reach * WHEEL_COARSER);
        }
        Time::from_nanos((at.as_nanos() / slot + 1) * slot)
    }
}

/// First retransmission of unacknowledged data on a short path; each later wait doubles.
///
/// Linux: `TCP_RTO_MIN` 200 ms, above any round trip inside a site.
pub const DATA_FIRST: Duration = Duration::from_millis(200);

/// The longest wait between retransmissions. Linux: `TCP_RTO_MAX` 120 s.
pub const RTO_MAX: Duration = Duration::from_secs(120);

/// How often data are retransmitted before the kernel gives up. Linux: `tcp_retries2` 15, which is
/// 924.6 s or more with a first wait of 200 ms.
pub const DATA_RETRIES: u32 = 15;

/// A doubling schedule: transmissions at `first`, then `first + wait`, `+ 2·wait` …, capped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The first transmission.
    pub first: Time,
    /// The wait before the second one.
    pub wait: Duration,
    /// How many retransmissions follow the first transmission.
    pub retries: u32,
    /// How its timers fire, and how many waits pass before they double.
    pub timers: SynTimers,
}

impl Schedule {
    /// SYNs of a connection attempt that began at `first`.
    ///
    /// `timers` are the kernel's.
    pub fn syn(first: Time, timers: impl Into<SynTimers>) -> Self {
        let timers = timers.into();
        let retries = SYN_RETRIES.saturating_add(timers.linear);
        Self { first, wait: SYN_FIRST, retries, timers }
    }

    /// Data first sent at `first` and not acknowledged since.
    pub fn data(first: Time) -> Self {
        Self { first, wait: DATA_FIRST, retries: DATA_RETRIES, timers: SynTimers::default() }
    }

    /// All transmissions, the first included.
    pub fn transmissions(self) -> impl Iterator<Item = Time> {
        let mut wait = self.wait;
        let mut at = self.first;
        (0..=self.retries).map(move |n| {
            if n > 0 {
                at = self.timers.fires(at + wait, wait);
            }
            if n > self.timers.linear {
                wait = wait.saturating_add(wait).min(RTO_MAX);
            }
            at
        })
    }

    /// When the kernel gives up: the wait after the last transmission is over.
    pub fn gives_up(self) -> Time {
        let longer = Self { retries: self.retries + 1, ..self };
        longer.transmissions().last().unwrap_or(self.first)
    }

    /// The first transmission at or after `t`; `None` after the kernel has given up.
    pub fn at_or_after(self, t: Time) -> Option<Time> {
        self.transmissions().find(|at| *at >= t)
    }

    /// The first transmission after `t`; `None` after the kernel has given up.
    pub fn after(self, t: Time) -> Option<Time> {
        self.transmissions().find(|at| *at > t)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(schedule: Schedule) -> Vec<f64> {
        schedule.transmissions().map(|t| t.since(schedule.first).as_secs_f64()).collect()
    }

    /// Law: SYNs leave at 0, 1, 3, 7, 15, 31 and 63 s, as Linux does with `tcp_syn_retries` 6.
    #[test]
    fn syn_schedule_is_that_of_linux() {
        assert_eq!(seconds(Schedule::syn(Time::START, 0)), [0.0, 1.0, 3.0, 7.0, 15.0, 31.0, 63.0]);
    }

    /// Law: from Linux 6.5 on the first four waits are of 1 s.
    #[test]
    fn first_waits_may_be_linear() {
        let at = seconds(Schedule::syn(Time::START, 4));
        assert_eq!(at[..8], [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 11.0]);
    }

    /// Law: a wheel of 250 ticks a second lets a SYN wait 1 s and up to 32 ms, evenly over all phases, and
    /// one that waits 4 s up to 256 ms.
    #[test]
    fn a_timer_wheel_repeats_late() {
        let timers = SynTimers { linear: 0, hz: 250 };
        let late = |phase: u64| {
            let first = Time::START + Duration::from_micros(phase * 64);
            let at: Vec<Time> = Schedule::syn(first, timers).transmissions().take(4).collect();
            let over = |n: usize, wait| at[n].since(at[n - 1]).as_millis_f64() - wait;
            [over(1, 1000.0), over(3, 4000.0)]
        };
        let phases = 4_000;
        let all: Vec<[f64; 2]> = (0..phases).map(late).collect();
        for (n, slot) in [(0, 32.0), (1, 256.0)] {
            assert!(all.iter().all(|late| late[n] > 0.0 && late[n] <= slot));
        }
        // 256 ms of phases, which are eight whole slots.
        let mean = all.iter().map(|late| late[0]).sum::<f64>() / phases as f64;
        assert!((mean - 16.0).abs() < 0.1, "{mean}");
    }

    /// Law: data are given up after 15 retransmissions; the last one leaves 804.6 s after the first
    /// (924.6 s with the wait that follows it).
    #[test]
    fn data_schedule_doubles_up_to_two_minutes() {
        let at = seconds(Schedule::data(Time::START));
        assert_eq!(at[..5], [0.0, 0.2, 0.6, 1.4, 3.0]);
        assert_eq!(at.len(), 16);
        assert!((at[15] - 804.6).abs() < 1e-9, "{at:?}");
        let end = Schedule::data(Time::START).gives_up();
        assert_eq!(end, Time::at(Duration::from_millis(924_600)));
    }

    /// Law: a repair is used at the next transmission, not before.
    #[test]
    fn a_repair_waits_for_the_next_transmission() {
        let syn = Schedule::syn(Time::START, 0);
        let at = |s| Time::at(Duration::from_secs(s));
        assert_eq!(syn.at_or_after(at(4)), Some(at(7)));
        assert_eq!(syn.at_or_after(at(7)), Some(at(7)));
        assert_eq!(syn.after(at(7)), Some(at(15)));
        assert_eq!(syn.at_or_after(at(64)), None);
    }
}

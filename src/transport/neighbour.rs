//! Neighbour (ARP) entries: how long a host goes on sending to whoever held an address.
//!
//! An entry whose holder no longer answers is trusted until its reachable time is over; the next
//! packet then starts a delay, after which the old holder is asked directly; only when it stays
//! silent is the question broadcast. Without a packet nobody notices: an unused entry only goes stale.
//! A gratuitous ARP overwrites the entry at once, and leaves it stale.

use crate::kernel::stream::Draw;
use crate::kernel::time::{Duration, Time};

/// Centre of the time for which a confirmed entry is trusted. Linux: `base_reachable_time` 30 s,
/// of which each interface uses a part between one half and three halves, drawn at times.
pub const BASE_REACHABLE: Duration = Duration::from_secs(30);

/// From the first packet on a stale entry to the first probe. Linux: `delay_first_probe_time` 5 s.
pub const DELAY_FIRST_PROBE: Duration = Duration::from_secs(5);

/// Direct questions before the entry fails. Linux: `ucast_solicit` 3.
pub const UNICAST_PROBES: u64 = 3;

/// Between questions. Linux: `retrans_time_ms` 1 s.
pub const PROBE_INTERVAL: Duration = Duration::from_secs(1);

/// How long after the first packet for a machine that does not answer for its address the sender is
/// told that there is no route. Linux: `mcast_solicit` 3 questions, `retrans_time_ms` 1 s each.
/// A host that loses its link forgets its entries (`arp_evict_nocarrier`), so this is also how long
/// it takes to notice that: its routes stay (`ignore_routes_with_linkdown` 0).
pub const UNRESOLVED: Duration = Duration::from_secs(3);

/// How long after its last confirmation an entry is trusted: U(15 s, 45 s).
fn reachable_for(draw: &mut Draw) -> Duration {
    BASE_REACHABLE / 2 + draw.uniform_duration(Duration::ZERO, BASE_REACHABLE)
}

/// From the first packet on a stale entry until its silent holder is given up: 5 s + 3 s.
pub fn given_up_after() -> Duration {
    DELAY_FIRST_PROBE + PROBE_INTERVAL * UNICAST_PROBES
}

/// How long after the last confirmation a host in steady use of an address goes on sending to a
/// holder that no longer answers for it: U(15 s, 45 s) + 5 s + 3 s (measured: 23.3-45.8 s).
pub fn trusted_for(draw: &mut Draw) -> Duration {
    reachable_for(draw) + given_up_after()
}

/// From when on a packet finds an entry stale whose holder falls silent at `now`: it was last confirmed
/// at `confirmed`, if ever, and last overwritten at `announced`.
pub fn stale_at(
    now: Time,
    confirmed: Option<Time>,
    announced: Option<Time>,
    draw: &mut Draw,
) -> Time {
    let reachable = reachable_for(draw);
    let kept = confirmed.filter(|at| Some(*at) >= announced);
    kept.map_or(now, |at| now.max(at + reachable))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::stream::{Key, StreamName};

    /// Law: an entry is stale 15 to 45 s after its last confirmation, at once if it was confirmed longer
    /// ago, never, or not since it was overwritten.
    #[test]
    fn an_entry_goes_stale_after_its_last_confirmation() {
        let key = Key::new(1, 0);
        let at = |seconds| Time::at(Duration::from_secs(seconds));
        let stale = |now: u64, confirmed: Option<u64>, announced: Option<u64>, n: u64| {
            let mut draw = key.draw(StreamName::of("host"), 0, n);
            stale_at(at(now), confirmed.map(at), announced.map(at), &mut draw)
        };
        for n in 0..100 {
            let used = stale(100, Some(99), Some(60), n);
            assert!((at(114)..at(144)).contains(&used), "{used}");
            assert_eq!(stale(100, Some(55), None, n), at(100));
            assert_eq!(stale(100, None, None, n), at(100));
            assert_eq!(stale(100, Some(98), Some(99), n), at(100));
        }
    }

    /// Law: a silent holder is given up 23 to 53 s after it was last confirmed, 38 s on average.
    #[test]
    fn an_entry_outlives_its_holder_by_23_to_53_seconds() {
        let key = Key::new(1, 0);
        let draws = 4000;
        let spans: Vec<f64> = (0..draws)
            .map(|n| trusted_for(&mut key.draw(StreamName::of("host"), 0, n)).as_secs_f64())
            .collect();
        assert!(spans.iter().all(|s| (23.0..53.0).contains(s)));
        let mean = spans.iter().sum::<f64>() / draws as f64;
        // Standard error of the mean of U(0, 30): 30 / sqrt(12 n) = 0.137; four of them.
        assert!((mean - 38.0).abs() < 4.0 * 0.137, "{mean}");
    }
}

//! One direction of one established TCP connection: what leaves in order, what waits for a
//! retransmission, and when the kernel gives up.
//!
//! While a path is cut nothing arrives and nobody says so. Whatever is sent then waits behind the
//! oldest unacknowledged data, whose doubling schedule decides when a repair is noticed, and when the
//! sender's kernel ends the connection (924.6 s after it, unless something else does before).
//!
//! Absent on purpose: windows and congestion (a lane carries little), keepalive probes (they act
//! only on idle connections, later than the pings above them), and what the data mean.

use super::retransmission::Schedule;
use crate::kernel::time::Time;

/// A direction with what waits in it.
#[derive(Clone, Debug)]
pub struct Lane<T> {
    /// When the oldest data left that are not acknowledged; `None`: nothing waits.
    unacked: Option<Time>,
    held: Vec<T>,
    last_arrival: Time,
}

impl<T> Default for Lane<T> {
    fn default() -> Self {
        Self { unacked: None, held: Vec::new(), last_arrival: Time::ZERO }
    }
}

impl<T> Lane<T> {
    /// Whether data wait for a retransmission; later ones queue behind them.
    pub fn waits(&self) -> bool {
        self.unacked.is_some()
    }

    /// Keeps data that did not get through. Returns when the kernel gives up, if they are the oldest.
    pub fn hold(&mut self, sent: Time, data: T) -> Option<Time> {
        self.held.push(data);
        if self.unacked.is_some() {
            return None;
        }
        self.unacked = Some(sent);
        Some(Schedule::data(sent).gives_up())
    }

    /// Whether the oldest unacknowledged data left at `sent`.
    pub fn waits_since(&self, sent: Time) -> bool {
        self.unacked == Some(sent)
    }

    /// When what waits is transmitted next, at `now` or later; `None` if nothing waits or the kernel
    /// has given up.
    pub fn next_transmission(&self, now: Time) -> Option<Time> {
        Schedule::data(self.unacked?).at_or_after(now)
    }

    /// Hands over what waited, in order: it gets through now.
    pub fn release(&mut self) -> Vec<T> {
        self.unacked = None;
        std::mem::take(&mut self.held)
    }

    /// The arrival of data that would arrive at `at` by themselves: never before earlier ones.
    pub fn in_order(&mut self, at: Time) -> Time {
        self.last_arrival = self.last_arrival.max(at);
        self.last_arrival
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::time::Duration;

    fn at(ms: u64) -> Time {
        Time::at(Duration::from_millis(ms))
    }

    /// Law: whatever is sent into a cut waits for the schedule of the oldest of it, in order.
    #[test]
    fn later_data_wait_behind_the_oldest() {
        let mut lane = Lane::default();
        assert_eq!(lane.hold(at(50), 'a'), Some(at(50 + 924_600)));
        assert_eq!(lane.hold(at(900), 'b'), None);
        assert!(lane.waits_since(at(50)));
        // Transmissions at 50, 250, 650, 1450, 3050 ms.
        assert_eq!(lane.next_transmission(at(700)), Some(at(1450)));
        assert_eq!(lane.next_transmission(at(1450)), Some(at(1450)));
        assert_eq!(lane.release(), ['a', 'b']);
        assert!(!lane.waits() && lane.next_transmission(at(1450)).is_none());
    }

    /// Law: data do not overtake each other, whatever their delays.
    #[test]
    fn nothing_overtakes() {
        let mut lane = Lane::<()>::default();
        assert_eq!(lane.in_order(at(10)), at(10));
        assert_eq!(lane.in_order(at(7)), at(10));
        assert_eq!(lane.in_order(at(12)), at(12));
    }
}

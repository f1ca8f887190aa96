//! Long-lived streams between etcd peers, and when one works again after a cut.
//!
//! Each direction has its own connection, dialled by the reader. A cut shows in two ways: the
//! sender's data are retransmitted with doubling waits, and the reader, hearing nothing, drops the
//! connection after its time-out and dials anew. Whichever comes first after the repair wins; so a
//! link that returns is not used at once (measured: 0.35-1.1 s later).

use super::retransmission::{Schedule, SynTimers};
use crate::kernel::time::{Duration, Time};

/// Settings of the streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamLaw {
    /// The reader drops a silent connection. etcd: `ConnReadTimeout` 5 s (api/rafthttp).
    pub read_timeout: Duration,
    /// A dial is given up. etcd: 1 s + election-timeout.
    pub dial_timeout: Duration,
    /// Least time between dials. etcd: one per 100 ms (api/rafthttp `newStreamReader` limiter).
    pub dial_pause: Duration,
    /// How the kernel repeats SYNs.
    pub syn: SynTimers,
}

impl StreamLaw {
    /// The streams of etcd members with this election-timeout.
    pub fn etcd(election_timeout: Duration, syn: SynTimers) -> Self {
        Self {
            syn,
            read_timeout: Duration::from_secs(5),
            dial_timeout: Duration::from_secs(1).saturating_add(election_timeout),
            dial_pause: Duration::from_millis(100),
        }
    }
}

/// How a stream came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// The old connection: what was sent meanwhile arrives now.
    Retransmitted(Time),
    /// A new connection: what was sent meanwhile is lost.
    Redialled(Time),
}

impl Recovery {
    /// When messages pass again.
    pub fn at(self) -> Time {
        match self {
            Recovery::Retransmitted(at) | Recovery::Redialled(at) => at,
        }
    }
}

/// When a stream that was cut passes messages again.
///
/// `last_read` is when the reader last got something, `first_unacked` when the sender first sent
/// into the cut, `heal` when packets pass again.
pub fn recovery(law: StreamLaw, last_read: Time, first_unacked: Time, heal: Time) -> Recovery {
    let dropped = last_read + law.read_timeout;
    let retransmitted = Schedule::data(first_unacked).at_or_after(heal);
    if let Some(at) = retransmitted.filter(|at| *at <= dropped) {
        return Recovery::Retransmitted(at);
    }
    Recovery::Redialled(next_dial(law, dropped, heal))
}

/// The first SYN at or after `t` of a reader that has been dialling since `since`.
pub fn next_dial(law: StreamLaw, since: Time, t: Time) -> Time {
    if t <= since {
        return since;
    }
    let cycle = law.dial_timeout.saturating_add(law.dial_pause);
    let begun = t.since(since).as_nanos() / cycle.as_nanos().max(1);
    let dial = since + cycle * begun;
    let in_this =
        Schedule::syn(dial, law.syn).at_or_after(t).filter(|at| *at < dial + law.dial_timeout);
    in_this.unwrap_or(dial + cycle)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAW: StreamLaw = StreamLaw {
        syn: SynTimers { linear: 0, hz: 0 },
        read_timeout: Duration::from_secs(5),
        dial_timeout: Duration::from_secs(2),
        dial_pause: Duration::from_millis(100),
    };

    fn at(ms: u64) -> Time {
        Time::at(Duration::from_millis(ms))
    }

    /// Law: a cut shorter than the wait of the next retransmission is bridged by it.
    #[test]
    fn a_short_cut_ends_with_a_retransmission() {
        assert_eq!(recovery(LAW, at(0), at(50), at(500)), Recovery::Retransmitted(at(650)));
    }

    /// Law: after a cut of 4 s the reader's time-out comes first, one second after the repair.
    #[test]
    fn after_four_seconds_the_reader_redials_first() {
        assert_eq!(recovery(LAW, at(0), at(50), at(4000)), Recovery::Redialled(at(5000)));
    }

    /// Law: after a long cut the next SYN of the dialling reader finds the path, at most 1.1 s later.
    #[test]
    fn after_a_long_cut_a_syn_comes_within_the_dial_cycle() {
        for ms in (6000..40_000).step_by(37) {
            let found = recovery(LAW, at(0), at(50), at(ms)).at();
            assert!(found >= at(ms) && found.since(at(ms)) <= Duration::from_millis(1100), "{ms}");
        }
    }
}

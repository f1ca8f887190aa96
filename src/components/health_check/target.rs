//! What a check meets: the path, the port and the program behind it, as they are at one instant.

use crate::component::view::Probe;
use crate::kernel::time::Duration;

/// What a check that is sent now would meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The checker's own link is down: no answer, and no route once its kernel has asked for the
    /// neighbour in vain.
    Unreachable,
    /// RST after this round trip.
    Refused(Duration),
    /// No answer to a SYN, nor to data.
    Silent,
    /// The kernel accepts after this round trip, the program says nothing.
    Hung(Duration),
    /// It answers.
    Answers {
        /// From packet to answer.
        round_trip: Duration,
        /// How long the program thinks about a request before it answers. A connection does not wait
        /// for it.
        work: Duration,
        /// Whether the answer is the one expected (a 200).
        good: bool,
    },
}

impl Target {
    /// What a probe found, refined by whether the program behind the port `speaks` the protocol
    /// already and whether its answer would be `good`.
    pub fn of(probe: Probe, speaks: bool, good: bool) -> Self {
        match probe {
            Probe::Unreachable => Target::Unreachable,
            Probe::Blackholed => Target::Silent,
            Probe::Refused(round_trip) => Target::Refused(round_trip),
            Probe::Answers(round_trip) if speaks => {
                Target::Answers { round_trip, work: Duration::ZERO, good }
            }
            Probe::Hung(round_trip) | Probe::Answers(round_trip) => Target::Hung(round_trip),
        }
    }

    /// The same program if each request, those under way included, keeps it waiting for this long
    /// and then fails; zero changes nothing.
    pub fn waiting(self, wait: Duration) -> Self {
        match self {
            Target::Answers { round_trip, .. } if !wait.is_zero() => {
                Target::Answers { round_trip, work: wait, good: false }
            }
            target => target,
        }
    }
}

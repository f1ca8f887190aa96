//! What can be used now, and what follows from that: one review finds it, the next one begins with it.
//!
//! Absent on purpose: the rules by which it follows.

use super::scene::Bits;

/// What can be used now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Means {
    /// Who has a vote, and whether those are a majority.
    pub(super) votes: Bits,
    pub(super) majority: bool,
    /// Whether the majority follows a leader.
    pub(super) leads: bool,
    /// API servers that serve, those that pass the balancers' checks, and balancers that forward.
    pub(super) servers: Bits,
    pub(super) ready: Bits,
    pub(super) usable: Bits,
    /// API servers that may use one of the voters, and those that serve with etcd.
    pub(super) reaching: Bits,
    pub(super) served: Bits,
    /// Whether the address leads somewhere, and the API servers that clients get to.
    pub(super) endpoint: bool,
    pub(super) reached: Bits,
    /// Whether writes work, and for which candidates of each Lease.
    pub(super) write: bool,
    pub(super) able: [Bits; 2],
}

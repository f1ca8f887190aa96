//! The priority levels of API Priority and Fairness: their shares of a server's seats, and their queues.
//!
//! The table is the suggested configuration, which every server has unless somebody changes it.
//! Absent on purpose: levels of one's own, and seats that one level lends another (1.26 and later):
//! each level has its nominal seats.

use crate::component::ComponentId;
use crate::component::param::words;
use crate::component::versions::Version;

words! {
    /// A priority level.
    pub enum PriorityLevel {
        /// Never waits: `system:masters`, health endpoints, and the server itself.
        Exempt = "exempt",
        /// Kubelets, apart from what `node-high` has.
        System = "system",
        /// Heartbeats of nodes (1.22 and later; `system` before).
        NodeHigh = "node-high",
        /// The Leases of leader election.
        LeaderElection = "leader-election",
        /// Controllers in kube-system.
        WorkloadHigh = "workload-high",
        /// Service accounts.
        WorkloadLow = "workload-low",
        /// Everybody else.
        GlobalDefault = "global-default",
        /// What no flow schema takes.
        CatchAll = "catch-all",
    }
}

/// How a level treats what comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelLaw {
    /// Which.
    pub level: PriorityLevel,
    /// Its share of the seats, as a weight among all levels.
    pub shares: u32,
    /// How many queues it has; none: it turns away what finds no seat.
    pub queues: u32,
    /// How many requests each holds.
    pub queue_length: u32,
    /// Among how many of them a flow's requests are spread.
    pub hand_size: u32,
}

const fn law(
    level: PriorityLevel,
    shares: u32,
    queues: u32,
    queue_length: u32,
    hand_size: u32,
) -> LevelLaw {
    LevelLaw { level, shares, queues, queue_length, hand_size }
}

/// The levels with seats of their own. kube-apiserver: apis/flowcontrol/bootstrap/default.go.
const LEVELS: [LevelLaw; 7] = [
    law(PriorityLevel::System, 30, 64, 50, 6),
    law(PriorityLevel::NodeHigh, 40, 64, 50, 6),
    law(PriorityLevel::LeaderElection, 10, 16, 50, 4),
    law(PriorityLevel::WorkloadHigh, 40, 128, 50, 6),
    law(PriorityLevel::WorkloadLow, 100, 128, 50, 6),
    law(PriorityLevel::GlobalDefault, 20, 128, 50, 6),
    law(PriorityLevel::CatchAll, 5, 0, 0, 0),
];

/// The levels of a release. `node-high` came with 1.22 (kubernetes/kubernetes#101151).
pub fn levels(release: Version) -> Vec<LevelLaw> {
    let has = |law: &&LevelLaw| law.level != PriorityLevel::NodeHigh || release.at_least(1, 22);
    LEVELS.iter().filter(has).copied().collect()
}

/// The level that takes what is meant for `level` in a release.
pub fn taken_by(level: PriorityLevel, release: Version) -> PriorityLevel {
    match level {
        PriorityLevel::NodeHigh if !release.at_least(1, 22) => PriorityLevel::System,
        level => level,
    }
}

/// How many of a server's seats a weight of `shares` among `all` gets: `ceil(seats · shares / all)`.
pub fn seats(seats: u32, shares: u32, all: u32) -> u32 {
    let product = u64::from(seats) * u64::from(shares);
    u32::try_from(product.div_ceil(u64::from(all.max(1)))).unwrap_or(u32::MAX)
}

/// The seats of each level of a release, of a server with so many.
pub fn seats_of_levels(all: u32, release: Version) -> Vec<(LevelLaw, u32)> {
    let levels = levels(release);
    let sum = levels.iter().map(|law| law.shares).sum();
    levels.into_iter().map(|law| (law, seats(all, law.shares, sum))).collect()
}

/// The hash of a flow: of user number `user` of a caller. (`SplitMix64`'s finaliser, a bijection.)
pub fn flow(caller: ComponentId, user: u32) -> u64 {
    let mut bits = (u64::from(caller.0) << 32 | u64::from(user)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// The queues that a flow's requests may wait in, of `deck`: a hand dealt by the flow's hash.
/// apiserver: util/shufflesharding, `Dealer.Deal`.
pub fn hand(flow: u64, deck: u32, size: u32) -> Vec<usize> {
    let (deck, size) = (u64::from(deck), u64::from(size.min(deck)));
    let mut rest = flow;
    let mut remainders: Vec<u64> = Vec::new();
    for dealt in 0..size {
        let left = deck - dealt;
        remainders.push(rest % left);
        rest /= left;
    }
    let card = |at: usize| {
        let above = |card: u64, earlier: &u64| card + u64::from(card >= *earlier);
        remainders[..at].iter().rev().fold(remainders[at], above)
    };
    (0..remainders.len()).map(|at| usize::try_from(card(at)).unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(release: Version, level: PriorityLevel) -> Option<u32> {
        let levels = seats_of_levels(600, release);
        levels.into_iter().find(|(law, _)| law.level == level).map(|(_, seats)| seats)
    }

    /// Law: seats are the rounded-up share of 600; before 1.22 `node-high` does not exist and the
    /// others have more.
    #[test]
    fn seats_are_the_rounded_up_share() {
        let (old, new) = (Version::new(1, 20), Version::new(1, 34));
        let leader_election = PriorityLevel::LeaderElection;
        assert_eq!((of(old, leader_election), of(new, leader_election)), (Some(30), Some(25)));
        assert_eq!((of(old, PriorityLevel::NodeHigh), of(new, PriorityLevel::NodeHigh)), (None, Some(98)));
        let low = PriorityLevel::WorkloadLow;
        assert_eq!((of(old, low), of(new, low)), (Some(293), Some(245)));
        assert_eq!(of(new, PriorityLevel::CatchAll), Some(13));
        assert_eq!(taken_by(PriorityLevel::NodeHigh, old), PriorityLevel::System);
        assert_eq!(taken_by(PriorityLevel::NodeHigh, new), PriorityLevel::NodeHigh);
    }

    proptest! {
        /// Law: a hand is of different queues, all of them in the deck, and the same for a flow.
        #[test]
        fn a_hand_has_no_card_twice(flow: u64, deck in 1_u32..200, size in 1_u32..10) {
            let dealt = hand(flow, deck, size);
            let mut once = dealt.clone();
            once.sort_unstable();
            once.dedup();
            prop_assert_eq!(once.len(), size.min(deck) as usize);
            prop_assert!(dealt.iter().all(|card| *card < deck as usize));
        }
    }
}

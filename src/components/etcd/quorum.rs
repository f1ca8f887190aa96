//! Quorum arithmetic: pure functions of counts and indices.
//!
//! Absent on purpose: members, terms and time.

/// How many of `members` voters make a majority.
pub fn majority(members: usize) -> usize {
    members / 2 + 1
}

/// How many of `members` voters may fail while the others still make a majority.
///
/// An even count tolerates no more than the odd count below it.
pub fn tolerance(members: usize) -> usize {
    members.saturating_sub(majority(members))
}

/// The highest index that a majority has reached; `reached` holds one index for each voter.
///
/// # Panics
///
/// If there is no voter.
pub fn reached_by_majority(mut reached: Vec<u64>) -> u64 {
    assert!(!reached.is_empty(), "a cluster has at least one voter");
    reached.sort_unstable_by(|a, b| b.cmp(a));
    reached[majority(reached.len()) - 1]
}

/// How a vote among `members` stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tally {
    /// A majority has granted.
    Won,
    /// A majority has refused.
    Lost,
    /// Neither yet.
    Open,
}

/// Counts a vote: grants and rejections so far, the candidate's own grant included.
///
/// Only a majority of rejections loses: with two of three alive, one grant and one rejection leave
/// the vote open until the timer ends it.
pub fn tally(members: usize, granted: usize, rejected: usize) -> Tally {
    if granted >= majority(members) {
        Tally::Won
    } else if rejected >= majority(members) {
        Tally::Lost
    } else {
        Tally::Open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law: the table of the etcd FAQ for 1 to 9 members.
    #[test]
    fn majority_and_tolerance_are_those_of_the_etcd_faq() {
        let table = [
            (1, 1, 0),
            (2, 2, 0),
            (3, 2, 1),
            (4, 3, 1),
            (5, 3, 2),
            (6, 4, 2),
            (7, 4, 3),
            (8, 5, 3),
            (9, 5, 4),
        ];
        for (members, quorum, tolerates) in table {
            assert_eq!((majority(members), tolerance(members)), (quorum, tolerates), "{members}");
        }
    }

    /// Law: an index is reached by a majority if and only if a majority holds it.
    #[test]
    fn the_index_of_a_majority_is_held_by_one() {
        for reached in [vec![7], vec![3, 9], vec![1, 5, 9], vec![2, 2, 8, 8], vec![0, 1, 2, 3, 4]] {
            let index = reached_by_majority(reached.clone());
            let holders = |i: u64| reached.iter().filter(|r| **r >= i).count();
            assert!(holders(index) >= majority(reached.len()), "{reached:?}");
            assert!(holders(index + 1) < majority(reached.len()), "{reached:?}");
        }
    }

    /// Law: a vote ends at a majority of grants or of rejections, and not before.
    #[test]
    fn a_vote_is_open_until_a_majority_has_spoken() {
        assert_eq!(tally(3, 1, 1), Tally::Open);
        assert_eq!(tally(3, 2, 1), Tally::Won);
        assert_eq!(tally(3, 1, 2), Tally::Lost);
        assert_eq!(tally(4, 2, 2), Tally::Open);
        assert_eq!(tally(1, 1, 0), Tally::Won);
    }
}

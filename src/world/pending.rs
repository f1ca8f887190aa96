//! Who is still to be told of whose change, at one instant.
//!
//! Absent on purpose: what there is to tell.

use crate::component::id::ComponentId;

/// Pairs of a viewer and what changed, each at most once, taken in the order of viewers and then of
/// what changed. There are a few at a time, so that a sorted list is the quickest set.
#[derive(Clone, Debug, Default)]
pub(super) struct Pending {
    /// In falling order: the next one is the last.
    pairs: Vec<(ComponentId, ComponentId)>,
}

impl Pending {
    /// The viewer is to be told that something changed.
    pub(super) fn insert(&mut self, pair: (ComponentId, ComponentId)) {
        let place = self.pairs.partition_point(|other| *other > pair);
        if self.pairs.get(place) != Some(&pair) {
            self.pairs.insert(place, pair);
        }
    }

    /// The next pair.
    pub(super) fn pop(&mut self) -> Option<(ComponentId, ComponentId)> {
        self.pairs.pop()
    }

    /// The viewer need not be told more of what has changed so far.
    pub(super) fn forget(&mut self, viewer: ComponentId) {
        while self.pairs.last().is_some_and(|(next, _)| *next == viewer) {
            self.pairs.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law: each pair comes once, in order, whenever it was put in.
    #[test]
    fn pairs_come_once_and_in_order() {
        let pair = |a, b| (ComponentId(a), ComponentId(b));
        let mut pending = Pending::default();
        for put in [pair(2, 1), pair(1, 7), pair(2, 1), pair(1, 3)] {
            pending.insert(put);
        }
        assert_eq!(pending.pop(), Some(pair(1, 3)));
        pending.insert(pair(1, 9));
        pending.insert(pair(0, 4));
        let rest: Vec<_> = std::iter::from_fn(|| pending.pop()).collect();
        assert_eq!(rest, [pair(0, 4), pair(1, 7), pair(1, 9), pair(2, 1)]);
    }

    /// Law: whoever has seen all is told of nothing more, and others of everything.
    #[test]
    fn one_viewer_can_have_seen_enough() {
        let pair = |a, b| (ComponentId(a), ComponentId(b));
        let mut pending = Pending::default();
        for put in [pair(1, 2), pair(1, 7), pair(1, 9), pair(2, 1)] {
            pending.insert(put);
        }
        assert_eq!(pending.pop(), Some(pair(1, 2)));
        pending.forget(ComponentId(1));
        assert_eq!(pending.pop(), Some(pair(2, 1)));
    }
}

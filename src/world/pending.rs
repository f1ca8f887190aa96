//! Who is still to be told of whose change, at one instant.
//!
//! Absent on purpose: what there is to tell.

use crate::component::id::ComponentId;

/// Pairs of a viewer and what changed, each at most once, taken in the order of viewers and then of
/// what changed. A bit for each pair, as most are put in several times.
#[derive(Clone, Debug, Default)]
pub(super) struct Pending {
    /// How many words hold a bit for each component.
    words: usize,
    /// Who is to be told of anything.
    viewers: Vec<u64>,
    /// Of what, in as many words for each of them.
    changed: Vec<u64>,
}

/// The word of a component and its bit there.
fn place(id: ComponentId) -> (usize, u64) {
    (id.index() / 64, 1 << (id.index() % 64))
}

/// The lowest bit that is set in words, and its word.
fn lowest(words: &[u64]) -> Option<(usize, ComponentId)> {
    let word = words.iter().position(|word| *word != 0)?;
    let at = word * 64 + words[word].trailing_zeros() as usize;
    Some((word, ComponentId(u16::try_from(at).unwrap_or(u16::MAX))))
}

impl Pending {
    /// None yet, among so many components.
    pub(super) fn among(components: usize) -> Self {
        let words = components.div_ceil(64);
        Self { words, viewers: vec![0; words], changed: vec![0; words * components] }
    }

    /// The viewer is to be told that something changed.
    pub(super) fn insert(&mut self, (viewer, of): (ComponentId, ComponentId)) {
        let (word, bit) = place(of);
        self.changed[viewer.index() * self.words + word] |= bit;
        let (word, bit) = place(viewer);
        self.viewers[word] |= bit;
    }

    /// The next pair.
    pub(super) fn pop(&mut self) -> Option<(ComponentId, ComponentId)> {
        let (_, viewer) = lowest(&self.viewers)?;
        let row = viewer.index() * self.words;
        let row = &mut self.changed[row..row + self.words];
        let (word, of) = lowest(row)?;
        row[word] &= row[word] - 1;
        if row.iter().all(|word| *word == 0) {
            let (word, bit) = place(viewer);
            self.viewers[word] &= !bit;
        }
        Some((viewer, of))
    }

    /// The viewer need not be told more of what has changed so far.
    pub(super) fn forget(&mut self, viewer: ComponentId) {
        let row = viewer.index() * self.words;
        self.changed[row..row + self.words].fill(0);
        let (word, bit) = place(viewer);
        self.viewers[word] &= !bit;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law: each pair comes once, in order, whenever it was put in.
    #[test]
    fn pairs_come_once_and_in_order() {
        let pair = |a, b| (ComponentId(a), ComponentId(b));
        let mut pending = Pending::among(100);
        for put in [pair(70, 1), pair(1, 7), pair(70, 1), pair(1, 3)] {
            pending.insert(put);
        }
        assert_eq!(pending.pop(), Some(pair(1, 3)));
        pending.insert(pair(1, 99));
        pending.insert(pair(0, 4));
        let rest: Vec<_> = std::iter::from_fn(|| pending.pop()).collect();
        assert_eq!(rest, [pair(0, 4), pair(1, 7), pair(1, 99), pair(70, 1)]);
    }

    /// Law: whoever has seen all is told of nothing more, and others of everything.
    #[test]
    fn one_viewer_can_have_seen_enough() {
        let pair = |a, b| (ComponentId(a), ComponentId(b));
        let mut pending = Pending::among(100);
        for put in [pair(1, 2), pair(1, 7), pair(1, 99), pair(70, 1)] {
            pending.insert(put);
        }
        assert_eq!(pending.pop(), Some(pair(1, 2)));
        pending.forget(ComponentId(1));
        assert_eq!(pending.pop(), Some(pair(70, 1)));
    }
}

//! What happens next: one cell per alarm, and the earliest of them at hand.
//!
//! Setting a cell replaces what it held and clearing forgets it, so nothing is ever cancelled by a
//! tombstone, and equal instants are ordered by cell: the order is a function of identity and not
//! of history. The cells are the leaves of a winner tree; changing one replays its way to the
//! root. With the few dozen cells of a usual model that takes five comparisons without a branch
//! to mispredict, about half the time of a binary heap's pop and push.
//!
//! Absent on purpose: messages, of which there may be any number per pair ([`super::mail`]), and
//! what a cell means.

use super::time::Time;

/// The number of an alarm; the owner of the agenda decides which alarm has which.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Cell(pub u32);

/// When each of a fixed number of cells is due, and which is due first.
#[derive(Clone, Debug)]
pub struct Agenda {
    /// Node `i` holds the winner of nodes `2i` and `2i + 1`; the leaves begin at `leaves`.
    /// Instant and cell are one number, instant on top, so that one comparison orders both.
    nodes: Vec<u128>,
    leaves: usize,
    cells: usize,
}

/// The instant in the upper half, the cell in the lower.
const fn pack(at: Time, cell: u32) -> u128 {
    (at.as_nanos() as u128) << 64 | cell as u128
}

#[allow(clippy::cast_possible_truncation, reason = "takes apart what `pack` put together")]
const fn unpack(node: u128) -> (Time, Cell) {
    (Time::from_nanos((node >> 64) as u64), Cell(node as u32))
}

impl Agenda {
    /// An agenda of `cells` cells, none of them set.
    ///
    /// # Panics
    ///
    /// If `cells` does not fit the 32 bits of a [`Cell`].
    pub fn new(cells: usize) -> Agenda {
        assert!(u32::try_from(cells).is_ok(), "{cells} cells do not fit 32 bits");
        let leaves = cells.next_power_of_two().max(2);
        let mut agenda = Agenda { nodes: vec![0; 2 * leaves], leaves, cells };
        agenda.reset();
        agenda
    }

    /// Lets `cell` be due at `at` and at no other time; [`Time::NEVER`] clears it.
    ///
    /// # Panics
    ///
    /// If there is no such cell.
    #[inline]
    pub fn set(&mut self, cell: Cell, at: Time) {
        let index = cell.0 as usize;
        assert!(index < self.cells, "{cell:?} of {} cells", self.cells);
        let mut winner = pack(at, cell.0);
        let mut node = self.leaves + index;
        self.nodes[node] = winner;
        while node > 1 {
            let rival = self.nodes[node ^ 1];
            winner = if rival < winner { rival } else { winner };
            node >>= 1;
            self.nodes[node] = winner;
        }
    }

    /// Lets `cell` be due no more.
    #[inline]
    pub fn clear(&mut self, cell: Cell) {
        self.set(cell, Time::NEVER);
    }

    /// The earliest instant at which a cell is due, and the lowest cell due then; none if no cell
    /// is set. The cell stays set.
    #[inline]
    pub fn next(&self) -> Option<(Time, Cell)> {
        let (at, cell) = unpack(self.nodes[1]);
        if at.is_never() { None } else { Some((at, cell)) }
    }

    /// When `cell` is due, [`Time::NEVER`] if it is not set.
    ///
    /// # Panics
    ///
    /// If there is no such cell.
    #[inline]
    pub fn at(&self, cell: Cell) -> Time {
        let index = cell.0 as usize;
        assert!(index < self.cells, "{cell:?} of {} cells", self.cells);
        unpack(self.nodes[self.leaves + index]).0
    }

    /// How many cells there are, set or not.
    pub fn len(&self) -> usize {
        self.cells
    }

    /// Whether there are no cells at all.
    pub fn is_empty(&self) -> bool {
        self.cells == 0
    }

    /// Clears every cell and keeps the memory.
    pub fn reset(&mut self) {
        for (cell, leaf) in (0_u32..).zip(&mut self.nodes[self.leaves..]) {
            *leaf = pack(Time::NEVER, cell);
        }
        for node in (1..self.leaves).rev() {
            self.nodes[node] = self.nodes[2 * node].min(self.nodes[2 * node + 1]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(nanos: u64) -> Time {
        Time::from_nanos(nanos)
    }

    /// Law: the earliest cell comes first, and of equals the lowest, whatever the order of setting.
    #[test]
    fn ties_go_to_the_lower_cell() {
        for order in [[0_u32, 3, 4], [4, 3, 0], [3, 4, 0]] {
            let mut agenda = Agenda::new(5);
            for cell in order {
                agenda.set(Cell(cell), at(7));
            }
            assert_eq!(agenda.next(), Some((at(7), Cell(0))));
            agenda.set(Cell(0), at(8));
            assert_eq!(agenda.next(), Some((at(7), Cell(3))));
            agenda.clear(Cell(3));
            assert_eq!(agenda.next(), Some((at(7), Cell(4))));
        }
    }

    /// Law: an agenda on which nothing is set has nothing next, whatever its size.
    #[test]
    fn unset_cells_are_never_due() {
        for cells in [0, 1, 2, 3, 16, 17] {
            let mut agenda = Agenda::new(cells);
            assert_eq!((agenda.next(), agenda.len()), (None, cells));
            if cells > 0 {
                agenda.set(Cell(0), at(1));
                assert_eq!(agenda.next(), Some((at(1), Cell(0))));
                agenda.reset();
                assert_eq!((agenda.next(), agenda.at(Cell(0))), (None, Time::NEVER));
            }
        }
    }

    /// Law: a cell beyond the last is refused and not silently padded.
    #[test]
    #[should_panic(expected = "Cell(5) of 5 cells")]
    fn cells_beyond_the_last_are_refused() {
        Agenda::new(5).set(Cell(5), at(1));
    }

    proptest! {
        /// Law: after any history the agenda answers as a plain scan over the cells would.
        #[test]
        fn the_tree_agrees_with_a_scan(
            cells in 1_usize..40,
            history in prop::collection::vec((0_usize..40, 0_u64..12), 0..200),
        ) {
            let mut agenda = Agenda::new(cells);
            let mut plain = vec![Time::NEVER; cells];
            for (cell, when) in history {
                let cell = cell % cells;
                plain[cell] = if when == 0 { Time::NEVER } else { at(when) };
                agenda.set(Cell(u32::try_from(cell).unwrap()), plain[cell]);
                let scanned = (0_u32..).zip(&plain).map(|(c, t)| (*t, Cell(c))).min().unwrap();
                let expected = if scanned.0.is_never() { None } else { Some(scanned) };
                prop_assert_eq!(agenda.next(), expected);
                prop_assert_eq!(agenda.at(scanned.1), scanned.0);
            }
        }
    }
}

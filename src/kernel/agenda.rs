//! What happens next: one cell per alarm, and the earliest of them at hand.
//!
//! Setting a cell replaces what it held and clearing forgets it, so nothing is ever cancelled by a
//! tombstone, and equal instants are ordered by cell: the order is a function of identity and not
//! of history. The cells are the leaves of a winner tree; changing one replays its way to the
//! root, four matches for sixteen cells.
//!
//! Who wins a match is as good as random, so a branch would be mispredicted half of the time.
//! Measured beside a binary heap's pop and push (`benches/agenda.rs`), the tree takes less than
//! half of its time with [`select_unpredictable`], and about all of it without.
//!
//! Absent on purpose: messages, of which there may be any number per pair ([`super::mail`]), and
//! what a cell means.

use std::hint::select_unpredictable;

use super::time::Time;

/// The nodes below this number are at most three matches from the root.
const SHORT: usize = 16;

/// The number of an alarm; the owner of the agenda decides which alarm has which.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Cell(pub u32);

/// When each of a fixed number of cells is due, and which is due first.
#[derive(Clone, Debug)]
pub struct Agenda {
    /// When the winner of each node is due. Node `i` is the match of nodes `2i` and `2i + 1`, the
    /// root is node 1, and the cells themselves are the nodes from `leaves` on.
    due: Vec<Time>,
    /// Who won each node.
    winner: Vec<u32>,
    leaves: usize,
    cells: usize,
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
        let mut winner: Vec<u32> = vec![0; leaves];
        winner.extend((0_u32..).take(leaves));
        // Where nothing is due the left side wins, as it does every tie.
        for node in (1..leaves).rev() {
            winner[node] = winner[2 * node];
        }
        Agenda { due: vec![Time::NEVER; 2 * leaves], winner, leaves, cells }
    }

    /// Lets `cell` be due at `at` and at no other time; [`Time::NEVER`] clears it.
    ///
    /// # Panics
    ///
    /// If there is no such cell.
    #[inline]
    pub fn set(&mut self, cell: Cell, at: Time) {
        let mut node = self.leaf(cell);
        let due = &mut self.due[..];
        let winner = &mut self.winner[..due.len()];
        let (mut first, mut by) = (at, cell.0);
        due[node] = at;
        while node > 1 {
            let rival = node ^ 1;
            // Of two that are due together the left one wins, which holds the lower cells.
            #[allow(clippy::needless_bitwise_bool, reason = "a lazy operator is a branch")]
            let beaten = (due[rival] < first) | ((due[rival] == first) & (rival < node));
            first = select_unpredictable(beaten, due[rival], first);
            by = select_unpredictable(beaten, winner[rival], by);
            node >>= 1;
            // Nobody further up hears of a change that changed no winner here. On a short way it costs
            // more to ask, since the answer is as good as random, than to go on.
            if node >= SHORT && due[node] == first && winner[node] == by {
                return;
            }
            due[node] = first;
            winner[node] = by;
        }
    }

    /// Lets `cell` be due no more.
    ///
    /// # Panics
    ///
    /// If there is no such cell.
    #[inline]
    pub fn clear(&mut self, cell: Cell) {
        self.set(cell, Time::NEVER);
    }

    /// The earliest instant at which a cell is due, and the lowest cell due then; none if no cell
    /// is set. The cell stays set.
    #[inline]
    pub fn next(&self) -> Option<(Time, Cell)> {
        let first = self.due[1];
        if first.is_never() { None } else { Some((first, Cell(self.winner[1]))) }
    }

    /// The same instant alone; [`Time::NEVER`] if no cell is set.
    #[inline]
    pub fn soonest(&self) -> Time {
        self.due[1]
    }

    #[inline]
    fn leaf(&self, cell: Cell) -> usize {
        let index = cell.0 as usize;
        assert!(index < self.cells, "{cell:?} of {} cells", self.cells);
        self.leaves + index
    }

    /// When `cell` is due, [`Time::NEVER`] if it is not set.
    ///
    /// # Panics
    ///
    /// If there is no such cell.
    #[inline]
    pub fn at(&self, cell: Cell) -> Time {
        self.due[self.leaf(cell)]
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
        self.due.fill(Time::NEVER);
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
            history in prop::collection::vec((0_usize..40, 0_u64..12, 0_u8..50), 0..200),
        ) {
            let mut agenda = Agenda::new(cells);
            let mut plain = vec![Time::NEVER; cells];
            for (cell, when, what) in history {
                if what == 0 {
                    agenda.reset();
                    plain.fill(Time::NEVER);
                }
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

//! Who waits for a repair crew, in which order, and who is interrupted.
//!
//! Absent on purpose: time. A change says who begins and who stops.

use crate::plan::reliability::{Crew, Order};

/// The queue of one crew: as many from its head as there are crews are under repair.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    places: usize,
    order: Order,
    waiting: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    slot: usize,
    urgency: u32,
    under_repair: bool,
}

/// What a change of the queue means for one of its entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Its repair begins or goes on.
    Begins(usize),
    /// Its repair is interrupted.
    Stops(usize),
}

impl Queue {
    pub(super) fn new(crew: &Crew) -> Self {
        Self { places: crew.count as usize, order: crew.order, waiting: Vec::new() }
    }

    /// Nobody waits any more.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }

    /// One more failed.
    pub(super) fn join(&mut self, slot: usize, urgency: u32, turns: &mut Vec<Turn>) {
        let place = match self.order {
            Order::Fcfs => self.waiting.len(),
            Order::Preemptive => self.waiting.partition_point(|entry| entry.urgency <= urgency),
        };
        self.waiting.insert(place, Entry { slot, urgency, under_repair: false });
        self.share(turns);
    }

    /// One is repaired, or needs no repair any more.
    pub(super) fn leave(&mut self, slot: usize, turns: &mut Vec<Turn>) {
        self.waiting.retain(|entry| entry.slot != slot);
        self.share(turns);
    }

    /// Who is in it, in its order.
    pub(super) fn order(&self) -> impl Iterator<Item = usize> + '_ {
        self.waiting.iter().map(|entry| entry.slot)
    }

    fn share(&mut self, turns: &mut Vec<Turn>) {
        for (at, entry) in self.waiting.iter_mut().enumerate() {
            let served = at < self.places;
            if served != entry.under_repair {
                entry.under_repair = served;
                let turn = if served { Turn::Begins } else { Turn::Stops };
                turns.push(turn(entry.slot));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(count: u32, order: Order) -> Queue {
        Queue::new(&Crew { count, order })
    }

    fn joined(queue: &mut Queue, slot: usize, urgency: u32) -> Vec<Turn> {
        let mut turns = Vec::new();
        queue.join(slot, urgency, &mut turns);
        turns
    }

    /// Law: first come, first served, as many at once as there are crews.
    #[test]
    fn the_first_is_served_first() {
        let mut crew = queue(2, Order::Fcfs);
        assert_eq!(joined(&mut crew, 7, 1), [Turn::Begins(7)]);
        assert_eq!(joined(&mut crew, 8, 0), [Turn::Begins(8)]);
        assert_eq!(joined(&mut crew, 9, 0), []);
        let mut turns = Vec::new();
        crew.leave(7, &mut turns);
        assert_eq!(turns, [Turn::Begins(9)]);
    }

    /// Law: the more urgent interrupts the less urgent, never its like.
    #[test]
    fn the_urgent_interrupts() {
        let mut crew = queue(1, Order::Preemptive);
        assert_eq!(joined(&mut crew, 7, 1), [Turn::Begins(7)]);
        assert_eq!(joined(&mut crew, 8, 0), [Turn::Begins(8), Turn::Stops(7)]);
        assert_eq!(joined(&mut crew, 9, 0), []);
        let mut turns = Vec::new();
        crew.leave(8, &mut turns);
        assert_eq!(turns, [Turn::Begins(9)]);
    }
}

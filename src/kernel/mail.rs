//! Messages in flight, ordered by (arrival, target, source, the source's own count).
//!
//! The order names only who sent what to whom, never when it was put in, so a message of one pair
//! cannot change the order among others. Between the same two ends at the same instant, messages
//! arrive as they were sent.
//!
//! A heap of 32-byte entries over a slab: the messages themselves are moved once in and once out.
//! The heap is std's; a 4-ary one written here took twice its time (`benches/agenda.rs`).
//!
//! Absent on purpose: latency and loss (the caller knows the arrival), and meaning.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::time::Time;

/// A priority queue of messages of type `T`.
#[derive(Clone, Debug)]
pub struct MailQueue<T> {
    heap: BinaryHeap<Reverse<Entry>>,
    slab: Vec<Option<T>>,
    free: Vec<u32>,
    /// Messages sent so far, by source.
    counts: Vec<u64>,
}

/// Fields in the order in which they decide; the slot never gets to, as counts differ.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Entry {
    at: Time,
    target: u32,
    source: u32,
    number: u64,
    slot: u32,
}

impl<T> Default for MailQueue<T> {
    fn default() -> MailQueue<T> {
        MailQueue::new()
    }
}

impl<T> MailQueue<T> {
    /// A queue with nothing in flight.
    pub fn new() -> MailQueue<T> {
        MailQueue {
            heap: BinaryHeap::new(),
            slab: Vec::new(),
            free: Vec::new(),
            counts: Vec::new(),
        }
    }

    /// Puts a message in flight that reaches `target` at `at`; [`Time::NEVER`] loses it at once.
    /// `source` counts its messages in a table, so sources should be small numbers.
    pub fn push(&mut self, at: Time, target: u32, source: u32, item: T) {
        let number = self.count(source);
        if at.is_never() {
            return;
        }
        let slot = self.store(item);
        self.heap.push(Reverse(Entry { at, target, source, number, slot }));
    }

    /// When the next message arrives.
    pub fn next_time(&self) -> Option<Time> {
        self.heap.peek().map(|Reverse(entry)| entry.at)
    }

    /// Takes out the next message: its arrival, target, source and content.
    pub fn pop(&mut self) -> Option<(Time, u32, u32, T)> {
        let Reverse(first) = self.heap.pop()?;
        self.free.push(first.slot);
        let item = self.slab[first.slot as usize].take()?;
        Some((first.at, first.target, first.source, item))
    }

    /// Loses every message for which `lost(target, source, item)` holds; the others keep their
    /// order. Takes time proportional to the messages in flight.
    pub fn drop_where(&mut self, mut lost: impl FnMut(u32, u32, &T) -> bool) {
        let (slab, free) = (&mut self.slab, &mut self.free);
        self.heap.retain(|Reverse(entry)| {
            let item = &mut slab[entry.slot as usize];
            let gone = item.as_ref().is_none_or(|item| lost(entry.target, entry.source, item));
            if gone {
                *item = None;
                free.push(entry.slot);
            }
            !gone
        });
    }

    /// How many messages are in flight.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether nothing is in flight.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// Forgets everything, the counts of the sources too, and keeps the memory.
    pub fn reset(&mut self) {
        self.heap.clear();
        self.slab.clear();
        self.free.clear();
        self.counts.clear();
    }

    fn count(&mut self, source: u32) -> u64 {
        let source = source as usize;
        if source >= self.counts.len() {
            self.counts.resize(source + 1, 0);
        }
        self.counts[source] += 1;
        self.counts[source]
    }

    fn store(&mut self, item: T) -> u32 {
        if let Some(slot) = self.free.pop() {
            self.slab[slot as usize] = Some(item);
            return slot;
        }
        let slot = u32::try_from(self.slab.len()).unwrap_or_else(|_| {
            panic!("more than {} messages in flight: something sends without end", u32::MAX)
        });
        self.slab.push(Some(item));
        slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(nanos: u64) -> Time {
        Time::from_nanos(nanos)
    }

    fn drain<T>(queue: &mut MailQueue<T>) -> Vec<(Time, u32, u32, T)> {
        std::iter::from_fn(|| queue.pop()).collect()
    }

    /// Law: arrival decides, then target, then source, then the order of sending.
    #[test]
    fn order_is_arrival_target_source_count() {
        let mut queue = MailQueue::new();
        for (when, target, source, item) in
            [(9, 0, 0, "e"), (5, 1, 7, "c"), (5, 1, 7, "d"), (5, 1, 6, "b"), (5, 0, 9, "a")]
        {
            queue.push(at(when), target, source, item);
        }
        assert_eq!((queue.next_time(), queue.len()), (Some(at(5)), 5));
        let items: String = drain(&mut queue).into_iter().map(|mail| mail.3).collect();
        assert_eq!(items, "abcde");
    }

    /// Law: what arrives never is not in flight, yet counts for its source as any other.
    #[test]
    fn mail_that_never_arrives_is_dropped_at_once() {
        let mut queue = MailQueue::new();
        queue.push(Time::NEVER, 0, 0, ());
        assert!(queue.is_empty());
        assert_eq!((queue.next_time(), queue.pop()), (None, None));
    }

    /// Law: slots are reused, so memory follows the messages in flight and not those ever sent.
    #[test]
    fn memory_follows_the_messages_in_flight() {
        let mut queue = MailQueue::new();
        for round in 0..1000 {
            queue.push(at(round), 0, 0, round);
            queue.push(at(round), 0, 1, round);
            queue.drop_where(|_, source, _| source == 1);
            assert_eq!(queue.pop(), Some((at(round), 0, 0, round)));
        }
        assert_eq!(queue.slab.len(), 2);
    }

    proptest! {
        /// Law: after any history of pushing, popping and losing, the queue holds what a sorted
        /// list would hold, in the same order.
        #[test]
        fn the_heap_agrees_with_a_sorted_list(
            history in prop::collection::vec((0_u8..8, 0_u64..6, 0_u32..4, 0_u32..4), 0..200),
        ) {
            let mut queue = MailQueue::new();
            let mut plain: Vec<(Time, u32, u32, usize)> = Vec::new();
            for (step, (what, when, target, source)) in history.into_iter().enumerate() {
                match what {
                    0 => {
                        queue.drop_where(|t, s, _| t == target && s == source);
                        plain.retain(|mail| (mail.1, mail.2) != (target, source));
                    }
                    1 | 2 => {
                        let first = plain.iter().min().copied();
                        plain.retain(|mail| Some(*mail) != first);
                        prop_assert_eq!(queue.pop(), first);
                    }
                    _ => {
                        queue.push(at(when), target, source, step);
                        plain.push((at(when), target, source, step));
                    }
                }
                prop_assert_eq!(queue.len(), plain.len());
            }
            plain.sort_unstable();
            prop_assert_eq!(drain(&mut queue), plain);
        }
    }
}

//! One priority level: its seats, and the queues of those that wait for them.
//!
//! A flow's requests wait in the shortest queue of its hand, first come first served; queues take
//! turns by the seats that they have been given (start-time fair queuing). A request whose seats are
//! not free holds up those behind it, as in the real server.
//!
//! Absent on purpose: who the requests are.

use super::levels::{LevelLaw, hand};
use crate::kernel::time::Time;
use std::collections::{BTreeSet, VecDeque};

/// What comes to a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Its number, never used twice.
    pub ticket: u64,
    /// Hash of whose flow it belongs to.
    pub flow: u64,
    /// How many seats it needs.
    pub seats: u32,
    /// Until when it waits for them.
    pub patience: Time,
}

/// What becomes of it at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// It has its seats.
    Seated,
    /// It waits.
    Queued,
    /// 429.
    TurnedAway,
}

#[derive(Clone, Debug, Default)]
struct Queue {
    waiting: VecDeque<Arrival>,
    /// The seats that it had been given when its turn came, on the level's virtual clock.
    start: u64,
}

/// A level of one server.
#[derive(Clone, Debug)]
pub struct Level {
    law: LevelLaw,
    seats: u32,
    taken: u32,
    queues: Vec<Queue>,
    waiting: usize,
    patience: BTreeSet<(Time, u64)>,
    /// The start of the queue that was served last.
    clock: u64,
}

impl Level {
    /// A level without requests.
    pub fn new(law: LevelLaw, seats: u32) -> Self {
        let queues = vec![Queue::default(); law.queues as usize];
        let patience = BTreeSet::new();
        Self { law, seats, taken: 0, queues, waiting: 0, patience, clock: 0 }
    }

    /// Which level.
    pub fn law(&self) -> LevelLaw {
        self.law
    }

    /// The seats that a request really gets: never more than there are.
    pub fn width(&self, seats: u32) -> u32 {
        seats.clamp(1, self.seats.max(1))
    }

    /// The share of the seats that is taken, or more than 1 where somebody waits.
    pub fn load(&self) -> f64 {
        let waits = if self.waiting > 0 { 1.0 } else { 0.0 };
        f64::from(self.taken) / f64::from(self.seats.max(1)) + waits
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    fn fits(&self, seats: u32) -> bool {
        self.taken + self.width(seats) <= self.seats.max(1)
    }

    /// A request comes.
    pub fn enter(&mut self, arrival: Arrival) -> Entry {
        if self.waiting == 0 && self.fits(arrival.seats) {
            self.taken += self.width(arrival.seats);
            return Entry::Seated;
        }
        let queues = &self.queues;
        let dealt = hand(arrival.flow, self.law.queues, self.law.hand_size);
        let shortest = dealt.into_iter().min_by_key(|at| queues[*at].waiting.len());
        let room = self.law.queue_length as usize;
        let Some(at) = shortest.filter(|at| queues[*at].waiting.len() < room) else {
            return Entry::TurnedAway;
        };
        let queue = &mut self.queues[at];
        if queue.waiting.is_empty() {
            queue.start = queue.start.max(self.clock);
        }
        queue.waiting.push_back(arrival);
        self.waiting += 1;
        self.patience.insert((arrival.patience, arrival.ticket));
        Entry::Queued
    }

    /// Seats become free.
    pub fn leave(&mut self, seats: u32) {
        self.taken = self.taken.saturating_sub(self.width(seats));
    }

    /// The next of those that wait whose seats are free: it has them from now on.
    pub fn seat_next(&mut self) -> Option<Arrival> {
        if self.waiting == 0 {
            return None;
        }
        let busy = self.queues.iter().enumerate().filter(|(_, queue)| !queue.waiting.is_empty());
        let (at, _) = busy.min_by_key(|(at, queue)| (queue.start, *at))?;
        let head = *self.queues[at].waiting.front()?;
        if !self.fits(head.seats) {
            return None;
        }
        let width = self.width(head.seats);
        let queue = &mut self.queues[at];
        queue.waiting.pop_front();
        self.clock = queue.start;
        queue.start += u64::from(width);
        self.waiting -= 1;
        self.patience.remove(&(head.patience, head.ticket));
        self.taken += width;
        Some(head)
    }

    /// When somebody loses patience next.
    pub fn first_patience(&self) -> Option<Time> {
        self.patience.first().map(|(at, _)| *at)
    }

    /// One whose patience is over, if any.
    pub fn impatient(&self, now: Time) -> Option<u64> {
        self.patience.first().filter(|(at, _)| *at <= now).map(|(_, ticket)| *ticket)
    }

    /// One that waits goes away; whether it was there.
    pub fn withdraw(&mut self, ticket: u64) -> bool {
        for queue in &mut self.queues {
            let at = queue.waiting.iter().position(|arrival| arrival.ticket == ticket);
            if let Some(gone) = at.and_then(|at| queue.waiting.remove(at)) {
                self.waiting -= 1;
                self.patience.remove(&(gone.patience, gone.ticket));
                return true;
            }
        }
        false
    }
}

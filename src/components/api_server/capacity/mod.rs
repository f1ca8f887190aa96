//! How many requests a server works on at a time, and what becomes of those that are too many.
//!
//! Either two limits, one for requests that change something and one for the others, above which a
//! request gets 429; or API Priority and Fairness, which adds the two up, divides the seats among
//! priority levels and lets requests wait in queues. A request keeps its seats until it is answered.
//!
//! Pure: it knows neither time-outs nor what a request is for. Absent on purpose: requests that run
//! long (watches), which neither counts.

mod levels;
mod loss;
mod queues;
#[cfg(test)]
mod tests;

pub use levels::{LevelLaw, PriorityLevel, flow, hand, levels, seats, seats_of_levels, taken_by};
pub use loss::erlang_b;
pub use queues::{Arrival, Entry, Level};

use crate::component::versions::Version;
use crate::kernel::time::{Duration, Time};
use std::collections::BTreeMap;

/// How a server limits what it works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `--max-requests-inflight`; 0: no limit, as in the real server.
    pub reading: u32,
    /// `--max-mutating-requests-inflight`; 0: no limit.
    pub mutating: u32,
    /// `--enable-priority-and-fairness`.
    pub fairness: bool,
    /// Of kube-apiserver: it decides which levels there are.
    pub release: Version,
    /// How long a request waits in a queue before it is turned away: a quarter of `request-timeout`.
    pub patience: Duration,
}

impl Limits {
    /// The seats of a pool that requests of this sort share.
    pub fn seats(&self, level: PriorityLevel, mutating: bool) -> u32 {
        if !self.fairness {
            let limit = if mutating { self.mutating } else { self.reading };
            return if limit == 0 { u32::MAX } else { limit };
        }
        let level = taken_by(level, self.release);
        let all = seats_of_levels(self.reading.saturating_add(self.mutating), self.release);
        all.into_iter().find(|(law, _)| law.level == level).map_or(u32::MAX, |(_, seats)| seats)
    }
}

/// What a request is to the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Its level.
    pub level: PriorityLevel,
    /// It changes something.
    pub mutating: bool,
    /// Hash of whose flow it belongs to.
    pub flow: u64,
    /// How many seats it takes, with fairness; without, every request counts once.
    pub seats: u32,
}

/// Where a request that has its seats keeps them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    Exempt,
    Reading,
    Mutating,
    Level { at: usize, seats: u32 },
}

/// The door of one server.
#[derive(Clone, Debug)]
pub struct Gate {
    limits: Limits,
    reading: u32,
    mutating: u32,
    levels: Vec<Level>,
    seated: BTreeMap<u64, Held>,
    queued: BTreeMap<u64, usize>,
    next: u64,
    busy_until: Time,
}

/// A server is said to be busy from this share of any limit on, and for so long after it.
const BUSY_FROM: f64 = 0.75;
const BUSY_FOR: Duration = Duration::from_secs(30);

impl Gate {
    /// The door of a server that has nothing to do.
    pub fn new(limits: Limits) -> Self {
        let all = limits.reading.saturating_add(limits.mutating);
        let laws = if limits.fairness { seats_of_levels(all, limits.release) } else { Vec::new() };
        Self {
            limits,
            reading: 0,
            mutating: 0,
            levels: laws.into_iter().map(|(law, seats)| Level::new(law, seats)).collect(),
            seated: BTreeMap::new(),
            queued: BTreeMap::new(),
            next: 0,
            busy_until: Time::ZERO,
        }
    }

    /// Forgets all requests: the process is gone.
    pub fn reset(&mut self) {
        *self = Self { next: self.next, ..Self::new(self.limits) };
    }

    /// A request comes at `now`. The number names it from now on, unless it is turned away.
    pub fn enter(&mut self, claim: Claim, now: Time) -> (u64, Entry) {
        let ticket = self.next;
        self.next += 1;
        let entry = if self.limits.fairness {
            self.enter_level(ticket, claim, now)
        } else {
            self.enter_limit(ticket, claim.mutating)
        };
        (ticket, entry)
    }

    fn enter_limit(&mut self, ticket: u64, mutating: bool) -> Entry {
        let seats = self.limits.seats(PriorityLevel::CatchAll, mutating);
        let taken = if mutating { &mut self.mutating } else { &mut self.reading };
        if *taken >= seats {
            return Entry::TurnedAway;
        }
        *taken += 1;
        let held = if mutating { Held::Mutating } else { Held::Reading };
        self.seated.insert(ticket, held);
        Entry::Seated
    }

    fn enter_level(&mut self, ticket: u64, claim: Claim, now: Time) -> Entry {
        let level = taken_by(claim.level, self.limits.release);
        let Some(at) = self.levels.iter().position(|l| l.law().level == level) else {
            self.seated.insert(ticket, Held::Exempt);
            return Entry::Seated;
        };
        let patience = now + self.limits.patience;
        let Claim { flow, seats, .. } = claim;
        let entry = self.levels[at].enter(Arrival { ticket, flow, seats, patience });
        match entry {
            Entry::Seated => {
                self.seated.insert(ticket, Held::Level { at, seats });
            }
            Entry::Queued => {
                self.queued.insert(ticket, at);
            }
            Entry::TurnedAway => {}
        }
        entry
    }

    /// A request is answered, or nobody waits for it any more.
    pub fn leave(&mut self, ticket: u64) {
        match self.seated.remove(&ticket) {
            Some(Held::Exempt) => {}
            Some(Held::Reading) => self.reading -= 1,
            Some(Held::Mutating) => self.mutating -= 1,
            Some(Held::Level { at, seats }) => self.levels[at].leave(seats),
            None => {
                if let Some(at) = self.queued.remove(&ticket) {
                    self.levels[at].withdraw(ticket);
                }
            }
        }
    }

    /// The next request that comes to its seats after waiting, if any can.
    pub fn seat_next(&mut self) -> Option<u64> {
        for (at, level) in self.levels.iter_mut().enumerate() {
            if let Some(Arrival { ticket, seats, .. }) = level.seat_next() {
                self.queued.remove(&ticket);
                self.seated.insert(ticket, Held::Level { at, seats });
                return Some(ticket);
            }
        }
        None
    }

    /// When the next request has waited for too long.
    pub fn first_patience(&self) -> Option<Time> {
        self.levels.iter().filter_map(Level::first_patience).min()
    }

    /// A request that has waited for too long: it is turned away.
    pub fn turn_away(&mut self, now: Time) -> Option<u64> {
        let ticket = self.levels.iter().find_map(|level| level.impatient(now))?;
        self.leave(ticket);
        Some(ticket)
    }

    /// How many requests have seats, and how many wait.
    pub fn counts(&self) -> (usize, usize) {
        (self.seated.len(), self.queued.len())
    }

    /// Whether so much goes on, or has until a moment ago, that what a request meets has to be found out
    /// by making it.
    pub fn is_busy(&mut self, now: Time) -> bool {
        let share = |taken: u32, limit: u32| {
            if limit == 0 { 0.0 } else { f64::from(taken) / f64::from(limit) }
        };
        let load = if self.limits.fairness {
            self.levels.iter().map(Level::load).fold(0.0, f64::max)
        } else {
            share(self.reading, self.limits.reading)
                .max(share(self.mutating, self.limits.mutating))
        };
        if load >= BUSY_FROM {
            self.busy_until = now + BUSY_FOR;
        }
        now < self.busy_until
    }
}

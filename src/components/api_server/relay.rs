//! Requests that an API server has taken and not answered yet: where each waits, and until when.
//!
//! A request waits for the server to come up, for the watch cache, for a channel to etcd, for its
//! next try, or for etcd's answer. It ends with an answer or at its deadline.

use super::etcd_client::EtcdClient;
use super::storage::Storage;
use crate::component::fact::Resource;
use crate::component::ComponentId;
use crate::component::mail::{Call, Op};
use crate::kernel::time::{Duration, Time};
use std::collections::{BTreeMap, BTreeSet};

/// For whom a request to etcd is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// A caller, with its own key.
    Caller(ComponentId, u64),
    /// The watch cache, which lists anew.
    Cache,
}

/// Where a request waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// For the HTTP server to start.
    Server,
    /// For the watch cache to be filled.
    Cache,
    /// For a channel of this storage to etcd.
    Channel(Storage),
    /// For the instant of its next try.
    Retry(Time),
    /// In a queue for seats (see [`capacity`](super::capacity)).
    Gate,
    /// For the server's own work on it to be done.
    Work(Time),
    /// For etcd's answer on this channel.
    Etcd(usize),
}

/// One request in the server's hands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Relay {
    pub(super) origin: Origin,
    pub(super) op: Op,
    pub(super) deadline: Time,
    /// Which time-out the deadline is.
    pub(super) limit: &'static str,
    pub(super) place: Place,
    /// How much of the server's own work was done when the request began to be simulated.
    pub(super) spent: Duration,
    /// How often etcd's client has tried again.
    pub(super) retries: u32,
    /// Its number at the server's door, where that counts it.
    pub(super) ticket: Option<u64>,
}

impl Relay {
    pub(super) fn of(
        caller: ComponentId,
        call: &Call,
        deadline: Time,
        limit: &'static str,
    ) -> Self {
        Self {
            limit: if call.deadline < deadline { "client timeout" } else { limit },
            origin: Origin::Caller(caller, call.id),
            op: call.op,
            deadline: call.deadline.min(deadline),
            place: Place::Channel(Storage::of(call.op)),
            spent: Duration::ZERO,
            retries: 0,
            ticket: None,
        }
    }

    /// Whether it changes nothing, so that it may be sent twice.
    pub(super) fn is_read(&self) -> bool {
        !self.op.writes()
    }

    /// What etcd is asked.
    pub(super) fn asks(&self) -> Op {
        match self.op {
            Op::Health(_)
            | Op::ReadCached
            | Op::List
            | Op::Watch(_)
            | Op::Connect
            | Op::Open => Op::Read(Resource::Objects),
            op => op,
        }
    }

    fn wakes(&self) -> Time {
        match self.place {
            Place::Retry(at) | Place::Work(at) => self.deadline.min(at),
            _ => self.deadline,
        }
    }
}

/// All requests in the server's hands, by the key of the call to etcd.
#[derive(Clone, Debug, Default)]
pub(super) struct Relays {
    open: BTreeMap<u64, Relay>,
    wakes: BTreeSet<(Time, u64)>,
    next: u64,
}

impl Relays {
    /// Forgets all requests; keys are not used again.
    pub(super) fn reset(&mut self) {
        self.open.clear();
        self.wakes.clear();
    }

    /// Whether no caller waits for an answer.
    pub(super) fn is_idle(&self) -> bool {
        self.open.values().all(|relay| relay.origin == Origin::Cache)
    }

    /// Takes a request in (again) and returns its new key.
    pub(super) fn insert(&mut self, relay: Relay) -> u64 {
        let key = self.next;
        self.next += 1;
        self.wakes.insert((relay.wakes(), key));
        self.open.insert(key, relay);
        key
    }

    pub(super) fn remove(&mut self, key: u64) -> Option<Relay> {
        let relay = self.open.remove(&key)?;
        self.wakes.remove(&(relay.wakes(), key));
        Some(relay)
    }

    /// When the first request wants attention, and what made it wait until then.
    pub(super) fn first_wake(&self) -> Option<(Time, &'static str)> {
        let (at, key) = self.wakes.first().filter(|(at, _)| !at.is_never())?;
        let relay = self.open.get(key)?;
        let name = match relay.place {
            Place::Retry(retry) if retry == *at => "etcd client retry",
            Place::Work(done) if done == *at => "processing",
            _ => relay.limit,
        };
        Some((*at, name))
    }

    /// A request that wants attention by now.
    pub(super) fn awake(&self, now: Time) -> Option<u64> {
        self.wakes.first().filter(|(at, _)| *at <= now).map(|(_, key)| *key)
    }

    /// The keys of all requests at a place, oldest first.
    pub(super) fn at(&self, place: impl Fn(Place) -> bool) -> Vec<u64> {
        self.open.iter().filter(|(_, r)| place(r.place)).map(|(key, _)| *key).collect()
    }
}

/// etcd's client tries a failed read (or an unsent write) this often.
const ATTEMPTS: u64 = 100;

/// Between tries, where it waits at all. etcd client: `backoffWaitBetween` 25 ms.
pub(super) const RETRY_WAIT: Duration =
    Duration::from_millis(25);

impl EtcdClient {
    /// How long a request tries while no member can be reached: the client waits before every
    /// try whose number is a multiple of a quorum of the endpoints (2.5 s with one, 1.25 s with three).
    pub(super) fn patience(endpoints: usize) -> Duration {
        let quorum = endpoints as u64 / 2 + 1;
        RETRY_WAIT * (ATTEMPTS / quorum)
    }
}

/// Whether a request has been tried often enough.
pub(super) fn exhausted(relay: &Relay) -> bool {
    u64::from(relay.retries) >= ATTEMPTS
}

//! Connections of clients, each passed on to one server, with their time-outs in order.
//!
//! A transport reports a refusal, a reset and an answer; it does not report that a connection stands.
//! Whether it does is computed here as the kernel would have it: from the schedule of SYNs and what
//! the server's address looked like when each left.

use crate::component::view::View;
use crate::component::id::ComponentId;
use crate::component::mail::Call;
use crate::kernel::time::{Duration, Time};
use crate::transport::retransmission::Schedule;
use std::collections::{BTreeMap, BTreeSet};

/// One client's connection and the one to a server that serves it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Session {
    /// Who called.
    pub(super) client: ComponentId,
    /// What it asked.
    pub(super) call: Call,
    /// Which server, by position in the list.
    pub(super) server: usize,
    /// Attempts to connect that may still follow.
    pub(super) retries: u32,
    /// When the first SYN to this server left.
    pub(super) first: Time,
    /// When that connection stands, as things are; never while SYNs are swallowed or refused.
    pub(super) stands: Time,
    /// The server refused, and is tried again at the deadline.
    pub(super) turning: bool,
    /// When the present wait ends.
    pub(super) deadline: Time,
    /// Which option sets that end.
    pub(super) reason: &'static str,
}

impl Session {
    /// The same session, ending when its client stops waiting if that is earlier.
    pub(super) fn until_client_leaves(self) -> Self {
        if self.deadline < self.call.deadline {
            return self;
        }
        Self { deadline: self.call.deadline, reason: "the client's time-out", ..self }
    }
}

/// All sessions, by the key of the present call to the server, with their deadlines in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Sessions {
    open: BTreeMap<u64, Session>,
    deadlines: BTreeSet<(Time, u64)>,
    last: u64,
}

impl Sessions {
    /// Forgets all sessions; keys are not used again.
    pub(super) fn clear(&mut self) {
        self.open.clear();
        self.deadlines.clear();
    }

    /// Takes a session up under a new key.
    pub(super) fn open(&mut self, session: Session) -> u64 {
        self.last += 1;
        self.reopen(self.last, session);
        self.last
    }

    /// Takes a session up again under the key that it had.
    pub(super) fn reopen(&mut self, key: u64, session: Session) {
        self.deadlines.insert((session.deadline, key));
        self.open.insert(key, session);
    }

    /// Ends a session and hands it over.
    pub(super) fn close(&mut self, key: u64) -> Option<Session> {
        let session = self.open.remove(&key)?;
        self.deadlines.remove(&(session.deadline, key));
        Some(session)
    }

    /// The keys of the sessions with one server.
    pub(super) fn of_server(&self, server: usize) -> Vec<u64> {
        self.open.iter().filter(|(_, s)| s.server == server).map(|(key, _)| *key).collect()
    }

    /// The earliest deadline: when, whose, and by which option.
    pub(super) fn next_deadline(&self) -> Option<(Time, u64, &'static str)> {
        let (at, key) = self.deadlines.first().copied().filter(|(at, _)| !at.is_never())?;
        Some((at, key, self.open[&key].reason))
    }
}

/// When a connection whose first SYN left at `first` stands, if packets pass from now on.
pub(super) fn stands(first: Time, view: &View, round_trip: Duration) -> Time {
    let now = view.now;
    Schedule::syn(first, view.all.reach.syn()).at_or_after(now).map_or(Time::NEVER, |syn| syn + round_trip)
}

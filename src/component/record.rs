//! What components tell observers beyond facts: the raw material of client and protocol metrics.
//!
//! Records change nothing in the world. They are dropped where nobody observes.

use super::id::ComponentId;
use super::mail::Outcome;
use crate::kernel::time::{Duration, Time};
use serde::Serialize;

/// One thing that happened.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Record {
    /// An etcd member campaigns (or pre-campaigns) in a term.
    Campaign {
        /// The term it asks for.
        term: u64,
        /// Asks whether it could win, without raising its term.
        pre: bool,
    },
    /// The member has become able to commit after an election.
    CommittedFirst {
        /// The leader's term.
        term: u64,
    },
    /// A write was acknowledged to whoever asked: it must never be lost. Index in the raft log.
    Acknowledged {
        /// Term of the entry.
        term: u64,
        /// Index of the entry.
        index: u64,
    },
    /// A member has become leader of a term with this in its log: one record for each run of entries
    /// of one term, in order. What comes before the first is compacted.
    ElectedWith {
        /// The term that it leads from now on.
        leads: u64,
        /// The term of the entries.
        term: u64,
        /// Index of the first of them.
        first: u64,
        /// Index of the last of them.
        last: u64,
    },
    /// A client request ended.
    Request(RequestRecord),
    /// Requests of a client that a settled path served, counted instead of simulated: all those
    /// issued at the schedule's instants from `first` up to and including `last`.
    Served {
        /// Whose.
        client: ComponentId,
        /// Of which sort.
        class: RequestClass,
        /// Which of the client's targets.
        target: u16,
        /// When the first was issued.
        first: Time,
        /// When the last was issued.
        last: Time,
        /// How many.
        count: u64,
        /// From issue to answer, each that was not slow.
        latency: Duration,
        /// How many of them were slow: a packet was lost and repeated, 0.2 s later or more.
        #[serde(skip_serializing_if = "is_zero")]
        slow: u64,
        /// When the last slow one was issued.
        #[serde(skip_serializing_if = "Option::is_none")]
        last_slow: Option<Time>,
    },
    /// From `first` on, a settled path serves one request of a client each `every`, counted instead
    /// of simulated. The next [`Record::Served`] of the same client, class and target tells where
    /// that ended; without one, it goes on to the end of the run.
    Serving {
        /// Whose.
        client: ComponentId,
        /// Of which sort.
        class: RequestClass,
        /// Which of the client's targets.
        target: u16,
        /// When the first is issued.
        first: Time,
        /// From issue to issue.
        every: Duration,
        /// From issue to answer, each.
        latency: Duration,
    },
    /// A line of the book of many informers: each second while something goes on with them.
    Herd(HerdRecord),
    /// A long-lived connection of a client stands (anew), or its client has found it broken.
    Connection {
        /// Whose.
        client: ComponentId,
        /// Who answers on it; `None`: it is gone.
        server: Option<ComponentId>,
    },
    /// A process ended by its own doing, in words.
    Exit {
        /// Why.
        reason: &'static str,
    },
    /// A kubelet kills a container whose liveness or start-up probe has failed too often.
    ProbeKill {
        /// The container's process.
        process: ComponentId,
    },
    /// A leader-elected instance begins an attempt at the Lease: at least the first one after its
    /// process started; later ones only where they are not computed.
    Attempt {
        /// Which Lease.
        lease: ComponentId,
    },
    /// A leader-elected instance acted on the world (a binding, a created pod).
    Acted {
        /// Another instance already holds the Lease.
        surplus: bool,
    },
    /// An etcd member's directory was restored from a snapshot.
    Restored {
        /// When the snapshot was taken.
        taken: Time,
        /// How many entries the member had beyond it.
        lost: u64,
    },
    /// The API refused a binding: another instance had bound the pod while this one thought about it.
    BindingConflict,
    /// A line for the timeline that no fact shows.
    Note(&'static str),
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// What many informers have done since the start, and how they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HerdRecord {
    /// Whose.
    pub client: ComponentId,
    /// Requests: LISTs, starts of watches, and others.
    pub issued: u64,
    /// Of these, answered.
    pub served: u64,
    /// Of these, refused for good.
    pub rejected: u64,
    /// Of these, given up, or lost with their connection.
    pub timed_out: u64,
    /// Of these, not over yet.
    pub pending: u32,
    /// How often requests were sent, repetitions included.
    pub sent: u64,
    /// How often one was turned away (429).
    pub turned_away: u64,
    /// LISTs that were answered.
    pub lists: u64,
    /// Informers that do not watch at present.
    pub unwatched: u32,
    /// Requests sent since the last line to the API server to which most were.
    pub most_sent: u32,
    /// Connections of the API server that has most.
    pub most_connected: u32,
}

/// What sort of request a client issues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum RequestClass {
    /// Opens a connection.
    Connect,
    /// GET/LIST with resourceVersion=0.
    ReadCached,
    /// Quorum GET.
    Read,
    /// A write.
    Write,
}

/// One request of a client.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestRecord {
    /// Whose.
    pub client: ComponentId,
    /// Of which sort.
    pub class: RequestClass,
    /// Which of the client's targets (for clients that poll several servers).
    pub target: u16,
    /// When it was issued.
    pub issued: Time,
    /// When it ended for the client.
    pub ended: Time,
    /// How; a client's own time-out is [`Outcome::TimedOut`].
    pub outcome: Outcome,
}

impl RequestRecord {
    /// Whether the client got what it asked for.
    pub fn succeeded(&self) -> bool {
        matches!(self.outcome, Outcome::Done | Outcome::Lease(_))
    }
}

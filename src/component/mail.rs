//! What travels between components: raft messages, adverts, requests and their answers.
//!
//! Only what unlocks something is ever sent; what merely repeats (heartbeats in a settled cluster,
//! renewals, checks) is computed from facts. Absent on purpose: routes and delays, which are the
//! world's business.

use super::blame::EventId;
use super::fact::{LeaseFact, Resource};
use super::id::ComponentId;
use super::members::Members;
use crate::kernel::time::Time;

/// A message, as its receiver finds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Mail {
    /// Who sent it.
    pub from: ComponentId,
    /// What it says.
    pub body: Body,
}

/// The content of a message. The variant decides the transport: raft messages travel on the peers'
/// long-lived streams, adverts as single datagrams, calls on connections of their own, asks on one that
/// stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// Between etcd members.
    Raft(RaftMessage),
    /// A VRRP advertisement.
    Advert(Advert),
    /// A request.
    Call(Call),
    /// A request that was under way already when it began to be simulated.
    Begun(Begun),
    /// The answer to a request, or what the transport reports instead of one.
    Reply(Reply),
    /// A request on a connection that stands, as its holder sends it.
    Ask(Ask),
    /// The same as it reaches the server.
    Asked(Call),
    /// The transport reports that a standing connection has ended, by the holder's key.
    Broken(u64),
    /// The server takes no further requests on a standing connection (HTTP/2 GOAWAY), by the holder's
    /// key; those that it has are answered.
    GoAway(u64),
}

/// A raft message. `term` is the sender's (for pre-votes: the term asked for).
#[derive(Clone, Debug, PartialEq)]
pub struct RaftMessage {
    /// The sender's term.
    pub term: u64,
    /// What it asks or says.
    pub kind: RaftKind,
}

/// The kinds of raft messages that are ever sent one by one.
#[derive(Clone, Debug, PartialEq)]
pub enum RaftKind {
    /// Asks for a vote.
    Vote {
        /// Asks only whether one would be given.
        pre: bool,
        /// Asked for by the leader's transfer: ignores the lease rule.
        transfer: bool,
        /// Term of the candidate's last entry.
        last_term: u64,
        /// Index of the candidate's last entry.
        last_index: u64,
    },
    /// Answers a vote request.
    VoteReply {
        /// Answers a pre-vote.
        pre: bool,
        /// Yes or no.
        granted: bool,
    },
    /// A heartbeat, sent only where it changes something.
    Heartbeat {
        /// The leader's commit index, as far as the receiver has the entries.
        commit: u64,
        /// Its number; reads wait for the answers to one of them.
        round: u64,
    },
    /// Answers a heartbeat.
    HeartbeatReply {
        /// The number of the heartbeat.
        round: u64,
    },
    /// Entries after the previous one.
    Append {
        /// Term of the entry before.
        previous_term: u64,
        /// Index of the entry before.
        previous_index: u64,
        /// The entries, as runs of one term.
        entries: Vec<Run>,
        /// What those of the entries say that are simulated one by one.
        proposals: Vec<Proposal>,
        /// The configurations that entries among them make, in order.
        members: Vec<Members>,
        /// The leader's commit index.
        commit: u64,
        /// The alarm NOSPACE is armed at that index.
        full: bool,
    },
    /// Answers an append.
    AppendReply {
        /// The index up to which the logs agree, or where to look for it.
        index: u64,
        /// The index of the previous entry, if the logs do not agree there.
        rejected: Option<u64>,
    },
    /// A whole snapshot, for a member that lags behind the retained log.
    Snapshot {
        /// Term of the last entry in it.
        last_term: u64,
        /// Index of the last entry in it.
        last_index: u64,
        /// The alarm NOSPACE is armed in it.
        full: bool,
        /// The configuration at that entry.
        members: Members,
    },
    /// Answers a member that has been removed: it learns of the configuration of this index (rafthttp:
    /// 410 Gone).
    Gone {
        /// Of the configuration without it.
        index: u64,
    },
    /// The leader hands over: campaign at once.
    TimeoutNow,
    /// A client's proposal, forwarded by a follower; perhaps again by one that no longer leads.
    Propose {
        /// The member whose client asked.
        origin: ComponentId,
        /// Finds it again at that member.
        tag: u64,
        /// What is proposed.
        op: Op,
    },
    /// A read index asked of the leader by a follower.
    ReadIndex {
        /// Finds the read again at the follower.
        tag: u64,
    },
    /// The leader has confirmed its leadership for that read.
    ReadIndexReply {
        /// The read.
        tag: u64,
        /// What the member must have applied before it answers.
        upto: EntryName,
    },
    /// Tells a forwarder what became of its proposal; it takes note once it has applied the entry too.
    Applied {
        /// The proposal.
        tag: u64,
        /// The proposal's entry.
        entry: EntryName,
        /// What became of it.
        outcome: Outcome,
    },
}

/// Term and index, which by raft's log matching name an entry and everything before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryName {
    /// Its term.
    pub term: u64,
    /// Its index.
    pub index: u64,
}

/// A run of log entries of one term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Their term.
    pub term: u64,
    /// How many.
    pub count: u64,
}

/// A log entry that somebody waits for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Proposal {
    /// Its place in the log.
    pub index: u64,
    /// The member whose client asked.
    pub origin: ComponentId,
    /// Finds the request again there.
    pub tag: u64,
    /// What is proposed.
    pub op: Op,
    /// The event with which a leader entered it into its log.
    pub asked: EventId,
    /// When that was.
    pub entered: Time,
}

/// A VRRP advertisement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advert {
    /// The sender's effective priority; 0 says that it leaves.
    pub priority: u8,
    /// The sender's `advert_int` in nanoseconds.
    pub interval: u64,
    /// The version of VRRP that it is written in.
    pub version: u32,
}

/// A request on a connection of its own. `id` is the caller's key for the answer and stays unique
/// for its lifetime.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Call {
    /// The caller's key.
    pub id: u64,
    /// What is asked.
    pub op: Op,
    /// When the caller stops waiting.
    pub deadline: Time,
}

/// A request on a connection of its own that has been under way for a while: it was only counted,
/// until its path changed. What it has reached by now it keeps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Begun {
    /// The request.
    pub call: Call,
    /// Sent: when its SYN left, and with it for whose port. Received: when its data arrived.
    pub at: Time,
    /// Who answered the SYN.
    pub server: ComponentId,
    /// When the caller would have had the answer, had nothing changed.
    pub answered: Time,
}

/// A request on a standing connection. Asking nothing ([`Op::Connect`]) is an HTTP/2 PING.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ask {
    /// The connection, by the key of the call that opened it.
    pub connection: u64,
    /// The request.
    pub call: Call,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Op {
    /// Only opens a connection.
    Connect,
    /// Opens a connection that stays: its key is then that of the connection.
    Open,
    /// GET/LIST with resourceVersion=0, or an etcd serializable read.
    ReadCached,
    /// An informer's LIST with resourceVersion=0: as [`Op::ReadCached`], of all objects of a sort.
    List,
    /// An informer's WATCH of what changes after that instant. It runs for long; what is asked, and
    /// answered, is that it begins.
    Watch(Time),
    /// A quorum (linearizable) read.
    Read(Resource),
    /// A write that commits.
    Write(Resource),
    /// Quorum read of a Lease.
    GetLease(ComponentId),
    /// Conditional update of a Lease.
    PutLease {
        /// Which.
        lease: ComponentId,
        /// The revision that was read before.
        expected: (u64, Option<Time>),
        /// The new record.
        record: LeaseFact,
    },
    /// A kubelet's renewal of its node's Lease.
    RenewNodeLease,
    /// A kubelet's write of its node's status.
    PostNodeStatus,
    /// etcd's alarm NOSPACE: armed (`true`) or disarmed.
    Alarm(bool),
    /// `GET /readyz`, `/livez`, `/healthz`.
    Health(Endpoint),
    /// etcd's own: makes this the cluster's configuration.
    Reconfigure(Members),
}

impl Op {
    /// Whether it changes something, so that it must not be sent twice.
    pub fn writes(self) -> bool {
        match self {
            Op::Write(_)
            | Op::PutLease { .. }
            | Op::RenewNodeLease
            | Op::PostNodeStatus
            | Op::Alarm(_)
            | Op::Reconfigure(_) => true,
            Op::Connect
            | Op::Open
            | Op::ReadCached
            | Op::List
            | Op::Watch(_)
            | Op::Read(_)
            | Op::GetLease(_)
            | Op::Health(_) => false,
        }
    }
}

/// A health endpoint of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `/readyz`.
    Readyz,
    /// `/livez`.
    Livez,
    /// `/healthz`.
    Healthz,
}

/// The answer to a call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reply {
    /// The call's key.
    pub id: u64,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a request. A write has three endings: acknowledged, rejected, and unknown.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// Served or committed.
    Done,
    /// A connection stands; requests on it are answered by this server.
    Opened(ComponentId),
    /// The Lease that was read; `None`: there is no such object.
    Lease(Option<LeaseFact>),
    /// Certainly not applied: the compare-and-swap failed.
    Conflict,
    /// Certainly not applied: an error answer at once (no leader, not ready, no server).
    Rejected,
    /// Certainly not applied: 429, with `Retry-After: 1`. The server has too much to do.
    TooMany,
    /// 410: the server knows nothing of what changed after that instant any more, or not yet.
    Gone,
    /// The server gave up waiting; a write may or may not be applied.
    TimedOut,
    /// The connection was refused: nobody listens.
    Refused,
    /// The connection broke after the request was sent; a write may or may not be applied.
    Reset,
    /// No route: the local link is down, and the kernel has asked for the neighbour in vain.
    Unreachable,
}

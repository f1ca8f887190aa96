//! How the streams of raft messages between etcd members stand, at hand by the places of both.
//!
//! Absent on purpose: when they break and recover.

use crate::kernel::time::Time;

/// How the stream of raft messages between two etcd members stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerStream {
    /// From when on a message arrives without waiting for a broken stream; `Time::NEVER` while the
    /// path is cut.
    pub ready: Time,
    /// When its present connection was made, or will be; a connection that outlives a cut keeps it.
    pub since: Time,
}

impl PeerStream {
    /// A connection older than the run.
    pub const OLD: Self = Self { ready: Time::ZERO, since: Time::ZERO };

    /// A connection made at `at`.
    pub fn new(at: Time) -> Self {
        Self { ready: at, since: at }
    }
}

/// All of them; members are counted by their places among the map's etcd processes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerStreams {
    members: usize,
    streams: Vec<PeerStream>,
}

impl PeerStreams {
    /// Streams between so many members, all as old as can be.
    pub fn new(members: usize) -> Self {
        Self { members, streams: vec![PeerStream::OLD; members * members] }
    }

    /// The stream from one member to another; an old one where either is not among them.
    #[inline]
    pub fn get(&self, from: usize, to: usize) -> PeerStream {
        if from >= self.members || to >= self.members {
            return PeerStream::OLD;
        }
        self.streams[from * self.members + to]
    }

    /// Replaces the stream from one member to another.
    ///
    /// # Panics
    ///
    /// If either is not among them.
    #[inline]
    pub fn set(&mut self, from: usize, to: usize, stream: PeerStream) {
        assert!(to < self.members, "no member {to} of {}", self.members);
        self.streams[from * self.members + to] = stream;
    }
}

//! What a leader knows of its peers, and the confirmations that it is collecting.
//!
//! Absent on purpose: messages (`replication`) and time (`election`).

use crate::component::id::ComponentId;
use crate::kernel::time::{Duration, Time};

/// A leader's knowledge of one peer.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) id: ComponentId,
    /// Whether its answers count: it is no learner.
    pub(super) voter: bool,
    /// Up to where its log is known to agree.
    pub(super) acked: u64,
    /// The last entry sent to it that is simulated and thus answered.
    pub(super) flight: u64,
    /// The next entry to send.
    pub(super) next: u64,
    /// Entries are sent as they come (raft: Replicate), not one probe at a time.
    pub(super) replicate: bool,
    /// An append that has to be answered before the next is sent (raft: `ProbeSent`).
    pub(super) probed: bool,
    /// A snapshot is on its way.
    pub(super) snapshot: bool,
    /// Steady contact, with both delays: it hears every heartbeat and answers it.
    pub(super) steady: Option<(Duration, Duration)>,
    /// When its last answer arrived.
    pub(super) last_active: Time,
    /// Answers wait in the inbox of this paused leader.
    pub(super) held: bool,
    /// Heartbeats up to this number left while things stood otherwise: their answers do not show that
    /// the peer hears the ones that follow.
    pub(super) regime: u64,
    /// It has answered a heartbeat of the present regime.
    pub(super) fresh: bool,
    /// When its stream was or will be ready, its delay and its start, as last seen.
    pub(super) path: Option<(Time, Duration, u32)>,
    /// It cannot answer: cut off, paused or stalled.
    pub(super) silent: bool,
    /// When it was sent a heartbeat since it fell silent: more would add nothing, unless that one was lost.
    pub(super) told: Option<Time>,
}

impl Peer {
    fn new((id, voter): (ComponentId, bool), last: u64) -> Self {
        Self {
            id,
            voter,
            acked: 0,
            flight: 0,
            next: last + 1,
            replicate: false,
            probed: false,
            snapshot: false,
            steady: None,
            last_active: Time::ZERO,
            held: false,
            regime: 0,
            fresh: false,
            path: None,
            silent: false,
            told: None,
        }
    }

    /// Things stand otherwise from now on; heartbeats up to `sent` do not count for them.
    pub(super) fn begin_regime(&mut self, sent: u64) {
        self.regime = sent;
        self.fresh = false;
        self.told = None;
    }

    /// Whether it has answered since `window`.
    pub(super) fn active_since(&self, window: Time) -> bool {
        self.steady.is_some() || self.last_active > window
    }
}

/// A confirmation of leadership for reads, under way.
#[derive(Clone, Debug)]
pub(super) struct Round {
    pub(super) number: u64,
    pub(super) origin: ComponentId,
    pub(super) tag: u64,
    pub(super) acks: Vec<ComponentId>,
}

/// A leader's volatile state.
#[derive(Clone, Debug)]
pub(super) struct Leading {
    pub(super) peers: Vec<Peer>,
    /// An entry of its own term has committed.
    pub(super) settled: bool,
    /// The last entry that was simulated singly and has to be acknowledged by messages.
    pub(super) single: u64,
    /// Up to where its own disk holds the log.
    pub(super) synced: u64,
    /// To whom it is handing over.
    pub(super) transfer: Option<ComponentId>,
    pub(super) rounds: Vec<Round>,
    /// Reads that wait for the first commit of the term.
    pub(super) early_reads: Vec<(ComponentId, u64)>,
    pub(super) last_round: u64,
}

impl Leading {
    /// A leader just elected, whose log ends at `last`.
    pub(super) fn new(peers: &[(ComponentId, bool)], last: u64) -> Self {
        Self {
            peers: peers.iter().map(|peer| Peer::new(*peer, last)).collect(),
            settled: false,
            single: 0,
            synced: last,
            transfer: None,
            rounds: Vec::new(),
            early_reads: Vec::new(),
            last_round: 0,
        }
    }

    /// Takes up long-standing leadership: everybody is in contact and has everything.
    pub(super) fn settle(
        &mut self,
        last: u64,
        steady: bool,
        now: Time,
        delays: impl Fn(ComponentId) -> (Duration, Duration),
    ) {
        self.settled = true;
        for peer in &mut self.peers {
            peer.acked = last;
            peer.replicate = true;
            peer.next = last + 1;
            peer.last_active = now;
            peer.steady = steady.then(|| delays(peer.id));
        }
    }

    /// Peers come and go with the configuration; who is new is known by nothing but its place.
    pub(super) fn follow_members(&mut self, electorate: &[(ComponentId, bool)], last: u64) {
        self.peers.retain(|peer| electorate.iter().any(|(id, _)| *id == peer.id));
        for (id, voter) in electorate {
            match self.peer(*id) {
                Some(peer) => peer.voter = *voter,
                None => self.peers.push(Peer::new((*id, *voter), last)),
            }
        }
    }

    /// A peer lacks the last `entries`, which are under way.
    pub(super) fn lacks(&mut self, at: usize, entries: u64) {
        let peer = &mut self.peers[at];
        if entries > 0 {
            peer.acked -= entries;
            peer.next = peer.acked + 1;
            peer.replicate = false;
        }
    }

    /// Whether fewer than a majority are in steady contact, or a hand-over may have to be given up.
    pub(super) fn needs_check(&self, majority: usize) -> bool {
        let steady = |peer: &&Peer| peer.voter && peer.steady.is_some();
        let steady = 1 + self.peers.iter().filter(steady).count();
        steady < majority || self.transfer.is_some()
    }

    /// Whether writes enter the log: not before the first commit of the term, nor during a hand-over.
    pub(super) fn takes_writes(&self) -> bool {
        self.settled && self.transfer.is_none()
    }

    /// Steady writes grew the log: peers in steady contact that had everything have it still.
    pub(super) fn writes_entered(&mut self, before: u64, last: u64) {
        if self.synced == before {
            self.synced = last;
        }
        for peer in &mut self.peers {
            if peer.steady.is_some() && peer.acked == before {
                peer.acked = last;
            }
            if peer.acked == last && peer.next == before + 1 {
                peer.next = last + 1;
            }
        }
    }

    /// A number for a heartbeat.
    pub(super) fn next_round(&mut self) -> u64 {
        self.last_round += 1;
        self.last_round
    }

    /// Whether a peer has acknowledged all there is to acknowledge.
    pub(super) fn has_everything(&self, id: ComponentId) -> bool {
        self.peers.iter().any(|peer| peer.id == id && peer.acked >= self.single)
    }

    pub(super) fn peer(&mut self, id: ComponentId) -> Option<&mut Peer> {
        self.peers.iter_mut().find(|peer| peer.id == id)
    }
}

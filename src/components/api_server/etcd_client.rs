//! The etcd client inside an API server: one gRPC channel to each of `etcd-servers`, when a broken
//! one is noticed, and when it is dialled again.
//!
//! A member that dies on a running machine resets its channel at once. A member whose machine or
//! path vanishes is noticed `TCP_USER_TIMEOUT` after data have gone unacknowledged; an API server
//! always has data on their way (leases, watch progress), so that clock starts with the cut. A
//! member that accepts but is silent is noticed by keepalive pings. A lost channel is dialled at
//! once and then with gRPC's growing back-off, so that a recovered member can go unnoticed for up to
//! two minutes. A server has one such client for each resource, each with a back-off of its own.
//!
//! Absent on purpose: requests, which wait elsewhere for a channel.

use crate::component::certificate::Certificates;
use super::Alarm;
use super::storage::Storage;
use crate::component::view::{Probe, ProcessState};
use crate::component::{Blame, ComponentId, Effects, View};
use crate::kernel::time::{Duration, Time};
use crate::transport::neighbour::UNRESOLVED;
use crate::transport::retransmission::Schedule;

/// Data unacknowledged for this long end a connection. grpc-go sets `TCP_USER_TIMEOUT` to the
/// keepalive time-out, which is 10 s for the API server's client.
pub const USER_TIMEOUT: Duration = Duration::from_secs(10);

/// A silent connection is pinged after this long; the answer is awaited for [`USER_TIMEOUT`].
const KEEPALIVE_TIME: Duration = Duration::from_secs(30);

/// First wait before a channel is dialled again. gRPC: `BaseDelay`.
const BACKOFF_BASE: Duration = Duration::from_secs(1);

/// Growth of that wait. gRPC: `Multiplier`.
const BACKOFF_FACTOR: f64 = 1.6;

/// Each wait but the first is up to this share longer or shorter. gRPC: `Jitter`.
const BACKOFF_JITTER: f64 = 0.2;

/// The longest of these waits, before jitter. gRPC: `MaxDelay`.
const BACKOFF_MAX: Duration = Duration::from_secs(120);

/// A dial is given up after this long, or after the wait that follows it if that is longer. gRPC:
/// `MinConnectTimeout`.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// The wait before dial number `attempt` after a failed one; `u` is uniform on [0, 1).
pub(super) fn backoff(attempt: u32, u: f64) -> Duration {
    let mut wait = BACKOFF_BASE;
    for _ in 0..attempt {
        wait = wait.mul_f64(BACKOFF_FACTOR).min(BACKOFF_MAX);
        if wait == BACKOFF_MAX {
            break;
        }
    }
    if attempt == 0 { wait } else { wait.mul_f64(1.0 + BACKOFF_JITTER * (2.0 * u - 1.0)) }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Never dialled.
    Idle,
    /// In use, to this incarnation of the member.
    Ready { incarnation: u32, broken: Option<Breach> },
    /// Waits for its next dial.
    Waiting,
    /// The SYN is on its way, or the answer to it.
    Dialing { first: Time, wait: Duration },
}

/// Why a channel that is still in use will be given up, unless that passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Breach {
    /// The reset is on its way.
    Reset,
    /// Nothing gets through, since then.
    Cut(Time),
    /// The member accepts and says nothing.
    Silent,
}

#[derive(Clone, Copy, Debug)]
struct Channel {
    member: ComponentId,
    state: State,
    attempt: u32,
}

/// What became of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// Nothing that matters to requests.
    None,
    /// Requests that waited for a channel of this storage may go.
    Ready(Storage),
    /// Requests on it are lost.
    Lost(usize),
}

/// All channels.
#[derive(Clone, Debug)]
pub(super) struct EtcdClient {
    channels: Vec<Channel>,
    turn: usize,
    /// The number of its first channel among those of all clients of the server.
    base: usize,
    /// What it stores.
    storage: Storage,
}

impl EtcdClient {
    pub(super) fn new(members: &[ComponentId], base: usize, storage: Storage) -> Self {
        let channel = |member: &ComponentId| Channel {
            member: *member,
            state: State::Idle,
            attempt: 0,
        };
        Self { channels: members.iter().map(channel).collect(), turn: 0, base, storage }
    }

    /// The process is gone, or begins.
    pub(super) fn reset(&mut self) {
        for channel in &mut self.channels {
            channel.state = State::Idle;
            channel.attempt = 0;
        }
        self.turn = 0;
    }

    /// Every channel has long been open.
    pub(super) fn settle(&mut self, view: &View) {
        for channel in &mut self.channels {
            let incarnation = view.process(channel.member).incarnation;
            channel.state = State::Ready { incarnation, broken: None };
        }
    }

    /// The members at the other end of channels in use.
    pub(super) fn ready(&self) -> impl Iterator<Item = ComponentId> + '_ {
        let ready = |c: &&Channel| matches!(c.state, State::Ready { .. });
        self.channels.iter().filter(ready).map(|c| c.member)
    }

    /// The channel for the next request (round robin), with its member.
    pub(super) fn pick(&mut self) -> Option<(usize, ComponentId)> {
        let count = self.channels.len();
        let next = (0..count).map(|step| (self.turn + step) % count).find(|at| {
            matches!(self.channels[*at].state, State::Ready { .. })
        })?;
        self.turn = next + 1;
        Some((self.base + next, self.channels[next].member))
    }

    /// Dials every channel that is not open.
    pub(super) fn open(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        for at in 0..self.channels.len() {
            if self.channels[at].state == State::Idle {
                self.dial(at, view, fx);
            }
        }
    }

    fn dial(&mut self, at: usize, view: &View, fx: &mut Effects<Alarm>) {
        let attempt = self.channels[at].attempt;
        let wait = backoff(attempt, fx.draw(self.storage.purpose()).uniform());
        self.channels[at].attempt = attempt.saturating_add(1);
        self.channels[at].state = State::Dialing { first: view.now, wait };
        self.await_answer(at, view, fx);
    }

    /// Plans when the dial under way is answered, or given up.
    fn await_answer(&mut self, at: usize, view: &View, fx: &mut Effects<Alarm>) {
        let State::Dialing { first, wait } = self.channels[at].state else { return };
        let end = first + wait.max(CONNECT_TIMEOUT);
        let due = match view.probe(self.channels[at].member) {
            Probe::Refused(trip) | Probe::Answers(trip) => {
                let syn = Schedule::syn(first, view.all.reach.syn()).at_or_after(view.now);
                syn.map_or(end, |syn| (syn + trip).min(end))
            }
            Probe::Unreachable => {
                let syn = Schedule::syn(first, view.all.reach.syn()).at_or_after(view.now);
                syn.map_or(end, |syn| (syn + UNRESOLVED).min(end))
            }
            Probe::Blackholed | Probe::Hung(_) => end,
        };
        // A process that was paused finds the end of its dial in the past.
        let due = due.max(view.now);
        let blame = Blame::of("etcd client dial", due.since(view.now));
        fx.set(Alarm::Channel(self.base + at), due, blame);
    }

    /// Something about a member or the path to it changed.
    pub(super) fn saw(&mut self, member: ComponentId, view: &View, fx: &mut Effects<Alarm>) {
        for at in 0..self.channels.len() {
            if self.channels[at].member != member {
                continue;
            }
            match self.channels[at].state {
                State::Ready { incarnation, broken } => {
                    self.examine(at, incarnation, broken, view, fx);
                }
                State::Dialing { .. } => self.await_answer(at, view, fx),
                State::Idle | State::Waiting => {}
            }
        }
    }

    /// Plans when a channel in use will be found broken, if it is.
    fn examine(
        &mut self,
        at: usize,
        incarnation: u32,
        before: Option<Breach>,
        view: &View,
        fx: &mut Effects<Alarm>,
    ) {
        let member = self.channels[at].member;
        let process = view.process(member);
        let broken = if !view.connects(view.me, member) {
            let since = match before {
                Some(Breach::Cut(since)) => since,
                _ => view.now,
            };
            Some(Breach::Cut(since))
        } else if process.state == ProcessState::Dead || process.incarnation != incarnation {
            Some(Breach::Reset)
        } else if process.state == ProcessState::Paused {
            Some(Breach::Silent)
        } else {
            None
        };
        if broken == before {
            return;
        }
        self.channels[at].state = State::Ready { incarnation, broken };
        let cell = Alarm::Channel(self.base + at);
        match broken {
            None => fx.clear(cell),
            Some(Breach::Cut(_)) => fx.set_after(cell, USER_TIMEOUT, "TCP_USER_TIMEOUT"),
            Some(Breach::Silent) => {
                let blame = Blame::of("grpc keepalive time", KEEPALIVE_TIME)
                    .and("grpc keepalive timeout", USER_TIMEOUT);
                fx.set(cell, view.now + blame.total(), blame);
            }
            Some(Breach::Reset) => {
                // A channel that was cut learns of the reset when it next retransmits.
                let sent = match before {
                    Some(Breach::Cut(since)) => Schedule::data(since).at_or_after(view.now),
                    _ => None,
                };
                let trip = view.delay(member, view.me);
                let due = sent.unwrap_or(view.now) + trip;
                let blame = Blame::of("retransmission", due.since(view.now));
                fx.set(cell, due, blame);
            }
        }
    }

    /// The alarm of a channel.
    pub(super) fn due(&mut self, channel: usize, view: &View, fx: &mut Effects<Alarm>) -> News {
        let at = channel - self.base;
        match self.channels[at].state {
            State::Ready { .. } => {
                self.lose(channel, view, fx);
                News::Lost(channel)
            }
            State::Dialing { wait, .. } => self.dialled(at, wait, view, fx),
            State::Waiting => {
                self.dial(at, view, fx);
                News::None
            }
            State::Idle => News::None,
        }
    }

    /// A dial has ended. The wait for the next one begins with its failure.
    /// grpc-go: `addrConn.resetTransport`, `time.NewTimer(backoffFor)`.
    fn dialled(&mut self, at: usize, wait: Duration, view: &View, fx: &mut Effects<Alarm>) -> News {
        let member = self.channels[at].member;
        if matches!(view.probe(member), Probe::Answers(_)) && trust_each_other(member, view) {
            let incarnation = view.process(member).incarnation;
            self.channels[at] = Channel {
                member,
                state: State::Ready { incarnation, broken: None },
                attempt: 0,
            };
            return News::Ready(self.storage);
        }
        self.channels[at].state = State::Waiting;
        fx.set_after(Alarm::Channel(self.base + at), wait, "grpc back-off");
        News::None
    }

    /// A channel broke (or a request on it was refused): it is dialled at once.
    pub(super) fn lose(&mut self, channel: usize, view: &View, fx: &mut Effects<Alarm>) {
        let at = channel - self.base;
        if matches!(self.channels[at].state, State::Ready { .. }) {
            self.channels[at].attempt = 0;
            self.dial(at, view, fx);
        }
    }
}

/// Whether a new connection to a member gets through its handshake: the member's certificate and the own
/// are valid.
fn trust_each_other(member: ComponentId, view: &View) -> bool {
    let expired = |id: ComponentId, which| view.process(id).expired.shown.intersects(which);
    !expired(member, Certificates::ETCD_SERVING) && !expired(view.me, Certificates::ETCD_CLIENT)
}

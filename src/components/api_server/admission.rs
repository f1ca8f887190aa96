//! What a request meets at the server's door: seats, a queue, or 429; and how long it keeps its seats.
//!
//! A request is classified by who asks for what, as the suggested flow schemas do. One that has its
//! seats is worked on for a while, asks etcd if it has to, and gives them back with its answer.
//!
//! Absent on purpose: flow schemas of one's own, and the seats that a beginning watch takes for an
//! instant (1.23 and later).

use super::capacity::{Claim, Entry, PriorityLevel, flow};
use super::relay::{Origin, Place, Relay};
use super::{Alarm, ApiServer, Crowd, PROCESS_BITS, WORK_DRAW};
use crate::component::mail::{Op, Outcome};
use crate::component::{ComponentId, Effects, Kind, View};
use crate::kernel::time::Duration;

impl ApiServer {
    fn crowd(&self, caller: ComponentId) -> Option<Crowd> {
        self.wiring.crowds.iter().find(|crowd| crowd.id == caller).copied()
    }

    /// What a request is to the limits; `None`: nothing limits it.
    fn claim(&self, relay: &Relay, view: &View) -> Option<Claim> {
        let Origin::Caller(caller, id) = relay.origin else { return None };
        let (op, mutating) = (relay.op, relay.op.writes());
        if matches!(op, Op::Health(_) | Op::Connect | Op::Open | Op::Watch(_)) {
            return None;
        }
        let seats = if op == Op::List { self.params.list_seats } else { 1 };
        let claim = |level, user| Claim { level, mutating, flow: flow(caller, user), seats };
        if let Some(Crowd { level, shared, .. }) = self.crowd(caller) {
            let process = u32::try_from(id & ((1 << PROCESS_BITS) - 1)).unwrap_or(0);
            return Some(claim(level, if shared { 0 } else { process }));
        }
        Some(claim(level(view.map().component(caller).kind, op), 0))
    }

    /// A request comes in.
    pub(super) fn admit(&mut self, relay: Relay, view: &View, fx: &mut Effects<Alarm>) {
        let claim = self.claim(&relay, view);
        let Some((gate, claim)) = self.gate.as_mut().zip(claim) else {
            self.start(relay, view, fx);
            return;
        };
        let (ticket, entry) = gate.enter(claim, view.now);
        let relay = Relay { ticket: Some(ticket), ..relay };
        match entry {
            Entry::Seated => self.begin(relay, view, fx),
            Entry::Queued => {
                let key = self.relays.insert(Relay { place: Place::Gate, ..relay });
                self.queued.insert(ticket, key);
            }
            Entry::TurnedAway => self.finish(relay, Outcome::TooMany, view, fx),
        }
    }

    /// A request that has its seats is worked on.
    pub(super) fn begin(&mut self, relay: Relay, view: &View, fx: &mut Effects<Alarm>) {
        let cached = matches!(relay.op, Op::ReadCached | Op::List);
        if cached && !self.cache.ready {
            self.start(relay, view, fx);
            return;
        }
        let work = self.work(&relay, fx).saturating_sub(relay.spent);
        self.hold(Relay { place: Place::Work(view.now + work), ..relay });
        self.set_request_alarm(view, fx);
    }

    fn work(&self, relay: &Relay, fx: &mut Effects<Alarm>) -> Duration {
        let Origin::Caller(caller, _) = relay.origin else { return self.params.processing };
        match (relay.op, self.crowd(caller)) {
            (_, None) => self.params.processing,
            (Op::List, _) => self.params.list_time.sample(&mut fx.draw(WORK_DRAW)),
            _ => self.params.request_time.sample(&mut fx.draw(WORK_DRAW)),
        }
    }

    /// A request that was kept for a while goes on: worked on, it is answered or asks etcd.
    pub(super) fn go_on(&mut self, relay: Relay, view: &View, fx: &mut Effects<Alarm>) {
        match (relay.place, relay.op) {
            (Place::Work(_), Op::ReadCached | Op::List) => {
                self.finish(relay, Outcome::Done, view, fx);
            }
            (Place::Work(_), _) => {
                self.submit(Relay { spent: self.params.processing, ..relay }, view, fx);
            }
            _ => self.submit(relay, view, fx),
        }
    }

    /// A watch begins, or its position is one that the cache does not reach back to.
    pub(super) fn begin_watch(&mut self, relay: Relay, view: &View, fx: &mut Effects<Alarm>) {
        let Op::Watch(since) = relay.op else { return };
        let known = self.cache.filled.is_none_or(|filled| since >= filled);
        let outcome = if known { Outcome::Done } else { Outcome::Gone };
        self.finish(relay, outcome, view, fx);
    }

    /// A request is answered: its seats are free.
    pub(super) fn leave_seats(&mut self, relay: &Relay) {
        if let Some((gate, ticket)) = self.gate.as_mut().zip(relay.ticket) {
            gate.leave(ticket);
            self.queued.remove(&ticket);
        }
    }

    /// Those that waited for seats take what has become free.
    pub(super) fn seat_waiting(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        while let Some(ticket) = self.gate.as_mut().and_then(super::Gate::seat_next) {
            let key = self.queued.remove(&ticket);
            if let Some(relay) = key.and_then(|key| self.relays.remove(key)) {
                self.begin(relay, view, fx);
            }
        }
    }

    /// Those that have waited for too long get 429.
    pub(super) fn turn_away(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        while let Some(ticket) = self.gate.as_mut().and_then(|gate| gate.turn_away(view.now)) {
            let key = self.queued.remove(&ticket);
            if let Some(relay) = key.and_then(|key| self.relays.remove(key)) {
                self.finish(relay, Outcome::TooMany, view, fx);
            }
        }
    }

    /// Whoever waited for an answer gets none.
    pub(super) fn forget_requests(&mut self) {
        self.relays.reset();
        self.queued.clear();
        if let Some(gate) = &mut self.gate {
            gate.reset();
        }
    }
}

/// The level of whoever is no informer. kube-apiserver: bootstrap/default.go, suggested flow schemas.
fn level(kind: Kind, op: Op) -> PriorityLevel {
    match (kind, op) {
        (Kind::Kubelet, Op::RenewNodeLease | Op::PostNodeStatus) => PriorityLevel::NodeHigh,
        (Kind::Kubelet, _) => PriorityLevel::System,
        (_, Op::GetLease(_) | Op::PutLease { .. }) => PriorityLevel::LeaderElection,
        (Kind::Scheduler | Kind::ControllerManager | Kind::KubeVip, _) => {
            PriorityLevel::WorkloadHigh
        }
        _ => PriorityLevel::GlobalDefault,
    }
}

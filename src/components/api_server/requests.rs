//! Requests: taken, carried to etcd, answered or given up.

use crate::component::certificate::Certificates;
use super::etcd_client::{EtcdClient, News};
use super::storage::Storage;
use super::capacity::Gate;
use super::relay::{Origin, Place, RETRY_WAIT, Relay, exhausted};
use super::{Alarm, ApiServer};
use crate::component::mail::{Body, Call, Op, Outcome, Reply};
use crate::component::{Blame, ComponentId, Effects, Kind, View};
use crate::kernel::time::{Duration, Time};

/// Mutating requests are cut off after this long, whatever `request-timeout` says.
/// kube-apiserver: handlers, `requestTimeoutUpperBound` 34 s.
const MUTATING_TIMEOUT: Duration = Duration::from_secs(34);

impl ApiServer {
    /// A request arrived at `came`, now or a moment ago; on a connection that `stands`, or on a new one.
    pub(super) fn take(
        &mut self,
        from: ComponentId,
        call: Call,
        (came, stands): (Time, bool),
        view: &View,
        fx: &mut Effects<Alarm>,
    ) {
        if call.op == Op::Connect {
            answer(from, call.id, Outcome::Done, fx);
            return;
        }
        if refuses(from, call.op, stands, view) && !matches!(call.op, Op::Health(_)) {
            answer(from, call.id, Outcome::Rejected, fx);
            return;
        }
        let (wait, limit) = match call.op {
            Op::Health(_) => (self.params.etcd_healthcheck_timeout, "etcd-healthcheck-timeout"),
            op if op.writes() && self.params.request_timeout > MUTATING_TIMEOUT => {
                (MUTATING_TIMEOUT, "requestTimeoutUpperBound")
            }
            _ => (self.params.request_timeout, "request-timeout"),
        };
        let spent = view.now.saturating_since(came);
        let relay = Relay { spent, ..Relay::of(from, &call, came + wait, limit) };
        if self.life.http {
            self.admit(relay, view, fx);
        } else {
            self.hold(Relay { place: Place::Server, ..relay });
        }
        self.set_request_alarm(view, fx);
    }

    /// The HTTP server is up: what came before is taken now.
    pub(super) fn release_held(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        for key in self.relays.at(|place| place == Place::Server) {
            if let Some(relay) = self.relays.remove(key) {
                self.admit(relay, view, fx);
            }
        }
        self.set_request_alarm(view, fx);
    }

    pub(super) fn start(&mut self, relay: Relay, view: &View, fx: &mut Effects<Alarm>) {
        match relay.op {
            Op::Open => self.finish(relay, Outcome::Opened(view.me), view, fx),
            Op::Watch(_) if self.cache.ready => self.begin_watch(relay, view, fx),
            Op::ReadCached | Op::List if self.cache.ready => self.serve_cached(relay, fx),
            Op::Watch(_) | Op::List if self.params.resilient_watchcache => {
                self.finish(relay, Outcome::TooMany, view, fx);
            }
            Op::ReadCached if self.params.resilient_watchcache => {
                self.finish(relay, Outcome::Rejected, view, fx);
            }
            Op::ReadCached | Op::List | Op::Watch(_) => self.hold(Relay { place: Place::Cache, ..relay }),
            Op::Health(_) if self.unready(relay.op) => {
                self.finish(relay, Outcome::Rejected, view, fx);
            }
            _ => self.submit(relay, view, fx),
        }
    }

    /// Whether a health endpoint fails without asking etcd.
    fn unready(&self, op: Op) -> bool {
        use crate::component::mail::Endpoint;
        match op {
            Op::Health(Endpoint::Readyz) => !self.life.hooked || self.life.stopping,
            Op::Health(_) => !self.life.hooked && !self.life.grace,
            _ => false,
        }
    }

    fn serve_cached(&mut self, relay: Relay, fx: &mut Effects<Alarm>) {
        if let Origin::Caller(caller, id) = relay.origin {
            let body = Body::Reply(Reply { id, outcome: Outcome::Done });
            let free = if self.params.one_at_a_time { self.life.busy } else { Time::START };
            let work = self.params.processing.saturating_sub(relay.spent);
            let wait = free.saturating_since(fx.now()) + work;
            self.life.busy = fx.now() + wait;
            fx.send_after(wait, "processing", caller, body);
        }
    }

    /// The watch cache is filled again: reads that waited for it are served.
    pub(super) fn release_cached(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        for key in self.relays.at(|place| place == Place::Cache) {
            match self.relays.remove(key) {
                None => {}
                Some(relay) if relay.ticket.is_some() => self.begin(relay, view, fx),
                Some(relay) => self.start(relay, view, fx),
            }
        }
    }

    pub(super) fn hold(&mut self, relay: Relay) {
        self.relays.insert(relay);
    }

    /// Sends a request to etcd, or lets it wait for a channel.
    pub(super) fn submit(&mut self, mut relay: Relay, view: &View, fx: &mut Effects<Alarm>) {
        let storage = Storage::of(relay.op);
        let Some((channel, member)) = self.storages.client(storage).pick() else {
            let waits = Place::Channel(storage);
            if relay.place != waits || relay.retries == 0 {
                self.limit_patience(&mut relay, view);
            }
            relay.place = waits;
            self.hold(relay);
            self.set_request_alarm(view, fx);
            return;
        };
        let first = relay.retries == 0;
        relay.place = Place::Etcd(channel);
        let key = self.relays.insert(relay);
        let body = Body::Call(Call { id: key, op: relay.asks(), deadline: relay.deadline });
        let work = self.params.processing.saturating_sub(relay.spent);
        let work = if first { work } else { Duration::ZERO };
        fx.send_after(work, "processing", member, body);
        self.set_request_alarm(view, fx);
    }

    /// Newer clients try an unreachable etcd only so often.
    fn limit_patience(&self, relay: &mut Relay, view: &View) {
        if self.params.etcd_read_retry {
            let patience = EtcdClient::patience(self.wiring.etcd_servers.len());
            if view.now + patience < relay.deadline {
                relay.deadline = view.now + patience;
                relay.limit = "etcd client retries";
            }
        }
    }

    /// etcd's answer, or what the transport says instead.
    pub(super) fn hear(&mut self, reply: &Reply, view: &View, fx: &mut Effects<Alarm>) {
        let Some(relay) = self.relays.remove(reply.id) else { return };
        match reply.outcome {
            Outcome::Rejected if self.params.etcd_read_retry && relay.is_read() => {
                self.retry_later(relay, view, fx);
            }
            Outcome::Refused | Outcome::Unreachable => {
                self.channel_failed(relay.place, view, fx);
                self.submit(relay, view, fx);
            }
            Outcome::Reset => {
                self.channel_failed(relay.place, view, fx);
                self.broken_off(relay, view, fx);
            }
            outcome => self.finish(relay, outcome, view, fx),
        }
        self.set_request_alarm(view, fx);
    }

    fn channel_failed(&mut self, place: Place, view: &View, fx: &mut Effects<Alarm>) {
        if let Place::Etcd(channel) = place {
            self.storages.owner(channel).lose(channel, view, fx);
            self.channel_news(News::Lost(channel), view, fx);
        }
    }

    fn retry_later(&mut self, mut relay: Relay, view: &View, fx: &mut Effects<Alarm>) {
        if exhausted(&relay) {
            self.finish(relay, Outcome::Rejected, view, fx);
            return;
        }
        relay.retries += 1;
        relay.place = Place::Retry(view.now + RETRY_WAIT);
        self.hold(relay);
    }

    /// The connection broke with the request on it: a write may have been applied.
    fn broken_off(&mut self, relay: Relay, view: &View, fx: &mut Effects<Alarm>) {
        if !relay.is_read() {
            self.finish(relay, Outcome::TimedOut, view, fx);
        } else if self.params.etcd_read_retry {
            self.retry_later(relay, view, fx);
        } else {
            self.finish(relay, Outcome::Rejected, view, fx);
        }
    }

    /// A channel opened or broke.
    pub(super) fn channel_news(&mut self, news: News, view: &View, fx: &mut Effects<Alarm>) {
        match news {
            News::None => {}
            News::Ready(storage) => {
                for key in self.relays.at(|place| place == Place::Channel(storage)) {
                    if let Some(relay) = self.relays.remove(key) {
                        self.submit(relay, view, fx);
                    }
                }
            }
            News::Lost(channel) => {
                for key in self.relays.at(|place| place == Place::Etcd(channel)) {
                    fx.close(key);
                    if let Some(relay) = self.relays.remove(key) {
                        self.broken_off(relay, view, fx);
                    }
                }
            }
        }
        self.watch_leaders(view, fx);
        self.set_request_alarm(view, fx);
    }

    /// Requests whose deadline or next try has come, or that are worked on no longer.
    pub(super) fn attend(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        self.turn_away(view, fx);
        while let Some(key) = self.relays.awake(view.now) {
            let Some(relay) = self.relays.remove(key) else { break };
            if relay.deadline > view.now {
                self.go_on(relay, view, fx);
                continue;
            }
            if matches!(relay.place, Place::Etcd(_)) {
                fx.close(key);
            }
            let unsent = matches!(relay.place, Place::Channel(_)) && self.params.etcd_read_retry;
            let failed = unsent || matches!(relay.op, Op::Health(_));
            let outcome = if failed { Outcome::Rejected } else { Outcome::TimedOut };
            self.finish(relay, outcome, view, fx);
        }
        self.set_request_alarm(view, fx);
    }

    pub(super) fn finish(
        &mut self,
        relay: Relay,
        outcome: Outcome,
        view: &View,
        fx: &mut Effects<Alarm>,
    ) {
        self.leave_seats(&relay);
        match relay.origin {
            Origin::Cache => self.listed(outcome == Outcome::Done, view, fx),
            Origin::Caller(caller, id) => {
                let outcome = match (relay.op, outcome) {
                    (Op::Health(_), Outcome::Done) => Outcome::Done,
                    (Op::Health(_), _) => Outcome::Rejected,
                    (_, outcome) => outcome,
                };
                answer(caller, id, outcome, fx);
            }
        }
    }

    pub(super) fn set_request_alarm(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        let patience = self.gate.as_ref().and_then(Gate::first_patience);
        let patience = patience.map(|at| (at, "queue wait limit"));
        match self.relays.first_wake().into_iter().chain(patience).min() {
            None => fx.clear(Alarm::Request),
            Some((at, limit)) => {
                let at = at.max(view.now);
                fx.set(Alarm::Request, at, Blame::of(limit, at.since(view.now)));
            }
        }
    }
}

fn answer(caller: ComponentId, id: u64, outcome: Outcome, fx: &mut Effects<Alarm>) {
    fx.send(caller, Body::Reply(Reply { id, outcome }));
}

/// Whether certificates are in the way: the caller's, which is looked at with each request, or the own,
/// with each new connection. Those of instances that elect stand, as far as they know themselves; who
/// checks health verifies nothing.
fn refuses(from: ComponentId, op: Op, stands: bool, view: &View) -> bool {
    let elects = matches!(
        view.map().component(from).kind,
        Kind::Scheduler | Kind::ControllerManager | Kind::KubeVip
    );
    let made = !stands && (op == Op::Open || !elects);
    let expired = |id: ComponentId, which| view.process(id).expired.shown.intersects(which);
    expired(from, Certificates::CLIENT) || made && expired(view.me, Certificates::API_SERVING)
}

//! The kubelet's one connection to the API: where it leads, whether it is half-dead, and how long a
//! half-dead one is kept.
//!
//! Older kubelets close all connections at the second heartbeat in a row that failed. Since 1.24 they
//! leave that to HTTP/2: a PING after some silence, and the end of the connection when no answer
//! comes. Without pings the kernel ends it, when it has retransmitted for long enough.
//!
//! Absent on purpose: the kubelet's watches, whose frames would put off the PING a little.

use super::Kubelet;
use crate::component::fact::Resource;
use crate::component::record::RequestClass;
use crate::component::view::ProcessState;
use crate::component::{ComponentId, View};
use crate::component::certificate::Certificates;
use crate::components::path;
use crate::kernel::time::{Duration, Time};
use crate::transport::retransmission::Schedule;

/// A connection as the kubelet holds it: over a balancer or not, to one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Connection {
    pub(super) balancer: Option<ComponentId>,
    pub(super) server: ComponentId,
    /// When it was made.
    pub(super) made: Time,
}

impl Connection {
    /// How long a renewal takes over it, if it works.
    pub(super) fn latency(self, view: &View) -> Option<Duration> {
        let refused = view.process(view.me).expired.shown.intersects(Certificates::CLIENT);
        let spared = view.process(self.server).expired.spares(Certificates::API_SERVING, self.made);
        if refused || !spared {
            return None;
        }
        path::write_latency_over(view, view.me, self.balancer, self.server, Resource::Leases)
    }

    /// How likely losses keep a renewal from being answered within `patience`.
    pub(super) fn fails(self, view: &View, patience: Duration) -> f64 {
        let (balancer, server) = (self.balancer, self.server);
        let class = RequestClass::Write;
        path::lateness_over(view, view.me, balancer, server, class, patience).beyond(patience)
    }
}

impl Kubelet {
    /// Where a new connection leads: a name's addresses take turns, one for each attempt that fails.
    pub(super) fn server(&self) -> ComponentId {
        let among = self.wiring.servers.len().max(1);
        self.wiring.servers[self.heartbeat.address % among]
    }

    /// Whether data on the connection vanish, or are accepted and never answered.
    pub(super) fn is_stuck(&self, view: &View) -> bool {
        let Some(Connection { balancer, server, .. }) = self.heartbeat.connection else { return false };
        let near = balancer.unwrap_or(view.me);
        let silent = |id| view.process(id).state == ProcessState::Paused;
        let moved = balancer.is_some_and(|b| view.resolve(self.server()) != Some(b));
        let lost = balancer.is_some_and(|b| !view.connects(view.me, b) || silent(b))
            || !view.connects(near, server)
            || silent(server);
        lost && !(moved && view.resolve(self.server()).is_some())
    }

    /// Whether the balancer has ended the connection, as it does with those to a server that it takes
    /// out (`on-marked-down shutdown-sessions`), and could say so.
    fn was_cut(&self, view: &View) -> bool {
        let Some(Connection { balancer: Some(balancer), server, .. }) = self.heartbeat.connection else {
            return false;
        };
        let Some(fact) = view.load_balancer(balancer).filter(|fact| fact.cuts_sessions) else {
            return false;
        };
        let at = self.wiring.api_servers.iter().position(|id| *id == server);
        let out = at.is_some_and(|bit| fact.rotation >> bit & 1 == 0);
        out && view.executes(balancer) && view.connects(view.me, balancer)
    }

    /// Something on the path may have changed: takes note of the last PING that was answered, and
    /// drops a connection that was cut. Returns whether it was.
    pub(super) fn review_connection(&mut self, view: &View) -> bool {
        let stuck = self.is_stuck(view);
        let stuck_before = std::mem::replace(&mut self.heartbeat.was_stuck, stuck);
        if !stuck_before && !self.heartbeat.is_steady() {
            let idle = self.read_idle().as_nanos();
            if let Some(heard) = self.heartbeat.heard.filter(|_| idle > 0) {
                let pongs = view.now.saturating_since(heard).as_nanos() / idle;
                self.heartbeat.heard = Some(heard + self.read_idle() * pongs);
            }
        }
        let cut = self.was_cut(view);
        if cut {
            self.heartbeat.connection = None;
        }
        cut
    }

    fn read_idle(&self) -> Duration {
        Duration::from_secs(u64::from(self.params.read_idle))
    }

    /// When a half-dead connection on which data first left at `since` is given up by itself, and by
    /// which rule.
    pub(super) fn gives_up(&self, since: Time) -> (Time, &'static str) {
        let kernel = Schedule::data(since).gives_up();
        let pings = !self.read_idle().is_zero();
        let Some(heard) = self.heartbeat.heard.filter(|_| pings) else {
            return (kernel, "tcp_retries2");
        };
        let answer = Duration::from_secs(u64::from(self.params.ping_timeout));
        (heard + self.read_idle() + answer, "HTTP/2 read idle and ping timeouts")
    }

    /// A heartbeat failed: whether the connection is closed with it.
    pub(super) fn review_failure(&mut self, view: &View) {
        if self.params.closes_on_failure && self.heartbeat.failures >= FAILURES_TO_REDIAL {
            self.heartbeat.connection = None;
        }
        self.drop_given_up(view);
    }

    /// A half-dead connection whose time is over is gone.
    pub(super) fn drop_given_up(&mut self, view: &View) {
        let dead = self.heartbeat.dead_since.filter(|_| self.is_stuck(view));
        if dead.is_some_and(|since| self.gives_up(since).0 <= view.now) {
            self.heartbeat.connection = None;
        }
    }
}

/// From this failure in a row on, older kubelets close all connections, so that the next attempt
/// dials. kubelet: lease controller, `onRepeatedHeartbeatFailure`.
const FAILURES_TO_REDIAL: u32 = 2;

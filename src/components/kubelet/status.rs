//! The node's status: computed at regular instants, posted when it differs from what the API says.
//!
//! In a settled cluster it never differs, so nothing happens. After the node monitor has marked the
//! node Unknown, the next computation posts Ready again, if the API can be reached. The unchanged
//! status that is posted every `nodeStatusReportFrequency` changes nothing and is left out.

use super::{Alarm, Kubelet, PHASE_DRAW};
use crate::component::fact::{Condition, Fact, NodeFact};
use crate::component::mail::{Body, Call, Op, Outcome};
use crate::component::{Blame, Effects, View};
use crate::kernel::cadence::Cadence;
use crate::kernel::time::Duration;

/// Posts in a row before the next computation. kubelet: `nodeStatusUpdateRetry` 5.
const TRIES: u32 = 5;

/// State of the status loop.
#[derive(Clone, Debug, Default)]
pub(super) struct Status {
    /// When the status is computed.
    ticks: Option<Cadence>,
    /// A computation that will post is planned or a post is under way.
    busy: bool,
    /// The process has started and has not told of its node since: it registers it if need be.
    registering: bool,
    call: Option<u64>,
    tries: u32,
}

impl Status {
    pub(super) fn awaits(&self, id: u64) -> bool {
        self.call == Some(id)
    }
}

impl Kubelet {
    /// Begins the loop: now, or where it has been running for long at a phase of its own.
    pub(super) fn begin_status(&mut self, running: bool, view: &View, fx: &mut Effects<Alarm>) {
        let period = self.params.status_update_frequency;
        let end = if running { period } else { Duration::ZERO };
        let phase = fx.draw(PHASE_DRAW).uniform_duration(Duration::ZERO, end);
        let ticks = Some(Cadence::new(view.now + phase, period));
        self.status = Status { ticks, registering: !running, ..Status::default() };
    }

    fn node_is_ready(&self, view: &View) -> bool {
        view.node(self.wiring.node).is_some_and(|node| node.ready == Condition::True)
    }

    /// Whether there is no Node object to tell the status of. Only a process that has just started makes
    /// one (kubelet: `registrationCompleted`).
    fn is_unregistered(&self, view: &View) -> bool {
        !self.status.registering && view.node(self.wiring.node).is_some_and(|node| node.gone)
    }

    /// The Node object changed: plans the computation that will notice.
    pub(super) fn review_status(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        let Some(ticks) = self.status.ticks else { return };
        if self.is_unregistered(view) {
            return;
        }
        if !self.status.busy && !self.node_is_ready(view) {
            self.status.busy = true;
            let at = ticks.first_after(view.now);
            fx.set(Alarm::Status, at, Blame::of("nodeStatusUpdateFrequency", at.since(view.now)));
        }
    }

    /// The status is computed, and posted if the API says something else.
    pub(super) fn post_status(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        self.status.busy = false;
        self.status.tries = 0;
        if !self.node_is_ready(view) && !self.is_unregistered(view) {
            self.try_post(view, fx);
        }
    }

    fn try_post(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        let timeout = self.params.status_update_frequency;
        self.status.busy = true;
        self.status.tries += 1;
        // On the half-dead connection of the heartbeats it meets their fate.
        if !self.is_stuck(view) {
            let id = self.new_call();
            self.status.call = Some(id);
            let call = Call { id, op: Op::PostNodeStatus, deadline: view.now + timeout };
            fx.send(self.server(), Body::Call(call));
        }
        fx.set_after(Alarm::StatusTimeout, timeout, "heartbeat timeout");
    }

    pub(super) fn status_silent(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        if let Some(call) = self.status.call {
            fx.close(call);
        }
        self.post_failed(view, fx);
    }

    pub(super) fn status_answered(
        &mut self,
        outcome: Outcome,
        view: &View,
        fx: &mut Effects<Alarm>,
    ) {
        fx.clear(Alarm::StatusTimeout);
        if outcome == Outcome::TooMany {
            // client-go sends it again, as the server asks.
            self.status.call = None;
            fx.set_after(Alarm::Status, Duration::from_secs(1), "Retry-After");
            return;
        }
        if outcome != Outcome::Done {
            self.post_failed(view, fx);
            return;
        }
        self.status.call = None;
        self.status.busy = false;
        if self.is_unregistered(view) {
            return;
        }
        self.status.registering = false;
        let known = view.node(self.wiring.node).copied().unwrap_or_default();
        let ready = NodeFact { ready: Condition::True, since: Some(view.now), gone: false, ..known };
        fx.commit(self.wiring.node, Fact::Node(ready));
    }

    fn post_failed(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        self.status.call = None;
        if self.status.tries < TRIES {
            self.try_post(view, fx);
        } else {
            self.status.busy = false;
            self.review_status(view, fx);
        }
    }
}

//! Which server a request goes to, where a client knows several that stand for one service.
//!
//! Such a client stays with one server. A connection that is refused, or that its machine cannot
//! even begin, is tried at the next server at once; one that does not come about within
//! `dialTimeout` then; a request that was given up is not repeated, but the next one goes elsewhere.
//!
//! Absent on purpose: repeating what was sent (it may have been done), and going back to a server
//! that has recovered while another one serves.

use super::{Alarm, Client, Pending};
use crate::component::mail::{Body, Call, Outcome};
use crate::component::view::Probe;
use crate::component::{ComponentId, Effects, View};
use crate::kernel::time::Time;

impl Client {
    /// Whom a request of a schedule is sent to first.
    pub(super) fn chosen(&self, lane: usize) -> usize {
        if self.wiring.any { self.preferred } else { lane }
    }

    /// The server after `server`; the client stays there if it was at `server`.
    fn move_on(&mut self, server: usize) -> usize {
        let next = (server + 1) % self.wiring.targets.len();
        if self.preferred == server {
            self.preferred = next;
        }
        next
    }

    /// Sends a request to its server. The next one is tried when the connection has not come about
    /// within `dialTimeout`, unless there is none.
    pub(super) fn dial(&mut self, pending: Pending, view: &View, fx: &mut Effects<Alarm>) {
        let id = self.next_call;
        self.next_call += 1;
        let deadline = pending.issued + self.params.timeout;
        let to: ComponentId = self.wiring.targets[pending.server];
        let dial_ends = view.now + self.params.dial_timeout;
        let last = pending.tried + 1 >= self.choices();
        let until = if last || connects(view, to) { deadline } else { deadline.min(dial_ends) };
        self.pending.insert(id, Pending { until, ..pending });
        self.deadlines.insert((until, id));
        let op = super::op(self.wiring.class, self.wiring.resource);
        fx.send(to, Body::Call(Call { id, op, deadline }));
        self.set_deadline(view, fx);
    }

    /// How many servers a request may try.
    fn choices(&self) -> usize {
        if self.wiring.any { self.wiring.targets.len() } else { 1 }
    }

    /// Tries the next server with a request that ended so; `false` if it has ended for good.
    pub(super) fn elsewhere(
        &mut self,
        id: u64,
        outcome: Outcome,
        view: &View,
        fx: &mut Effects<Alarm>,
    ) -> bool {
        let Some(pending) = self.pending.get(&id).copied().filter(|_| self.wiring.any) else {
            return false;
        };
        let moves = matches!(outcome, Outcome::Refused | Outcome::Unreachable | Outcome::TimedOut);
        if !moves {
            return false;
        }
        let server = self.move_on(pending.server);
        let over = pending.issued + self.params.timeout <= view.now;
        if over || pending.tried + 1 >= self.choices() {
            return false;
        }
        self.pending.remove(&id);
        self.deadlines.remove(&(pending.until, id));
        self.dial(Pending { server, tried: pending.tried + 1, ..pending }, view, fx);
        true
    }

    /// Waits for the answer of a connection that has come about after all; `false` if it has not.
    pub(super) fn connected_late(&mut self, id: u64, view: &View) -> bool {
        let Some(pending) = self.pending.get_mut(&id) else { return false };
        let deadline: Time = pending.issued + self.params.timeout;
        if pending.until >= deadline || !connects(view, self.wiring.targets[pending.server]) {
            return false;
        }
        self.deadlines.remove(&(pending.until, id));
        pending.until = deadline;
        self.deadlines.insert((deadline, id));
        true
    }
}

/// Whether a handshake would be completed now.
fn connects(view: &View, to: ComponentId) -> bool {
    to == ComponentId::VIP || matches!(view.probe(to), Probe::Answers(_) | Probe::Hung(_))
}

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
use crate::kernel::time::{Duration, Time};

/// Purpose of the draw for the first address of a name.
const ADDRESS_DRAW: u32 = 4;

/// The least that Go gives each address. Go `net/dial.go`: `saneMinimum`.
const DIAL_LEAST: Duration = Duration::from_secs(2);

impl Client {
    /// Whom a request of a schedule is sent to first.
    pub(super) fn chosen(&self, lane: usize) -> usize {
        if self.wiring.any { self.preferred } else { lane }
    }

    /// The addresses in a name's answer, by position: all of them if it should have none.
    pub(super) fn listed(&self, view: &View) -> Vec<usize> {
        let targets = self.wiring.targets.iter().enumerate();
        let unlisted = |id: ComponentId| {
            let machine = view.map().machine_of(id);
            machine.is_some_and(|machine| view.all.machines[machine.index()].unlisted)
        };
        let listed: Vec<usize> =
            targets.filter(|(_, id)| !unlisted(**id)).map(|(at, _)| at).collect();
        if listed.is_empty() { (0..self.wiring.targets.len()).collect() } else { listed }
    }

    /// Whom a request is sent to first: at a name, any of its addresses.
    pub(super) fn first(&mut self, lane: usize, view: &View, fx: &mut Effects<Alarm>) -> usize {
        if !self.wiring.dns {
            return self.chosen(lane);
        }
        let listed = self.listed(view);
        let at = fx.draw(ADDRESS_DRAW).below(listed.len() as u64);
        listed[usize::try_from(at).unwrap_or(0)]
    }

    /// How long a dial may take: Go divides what is left of the dial time-out among the addresses that
    /// are left, with at least two seconds for each (`net.partialDeadline`).
    fn dial_ends(&self, pending: &Pending, last: bool, view: &View) -> Option<Time> {
        if !self.wiring.dns {
            return (!last).then(|| view.now + self.params.dial_timeout);
        }
        let end = pending.issued + self.params.dial_timeout;
        let left = end.saturating_since(view.now);
        let addresses = self.choices(view).saturating_sub(pending.tried).max(1);
        let share = left / u64::try_from(addresses).unwrap_or(1);
        Some(view.now + share.max(DIAL_LEAST.min(left)))
    }

    /// The server after `server`; the client stays there if it was at `server`.
    fn move_on(&mut self, server: usize, view: &View) -> usize {
        let after = (server + 1) % self.wiring.targets.len();
        let next = if self.wiring.dns {
            let listed = self.listed(view);
            listed.iter().copied().find(|at| *at >= after).unwrap_or(listed[0])
        } else {
            after
        };
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
        let last = pending.tried + 1 >= self.choices(view);
        let dial_ends = self.dial_ends(&pending, last, view).filter(|_| !connects(view, to));
        let until = dial_ends.map_or(deadline, |ends| deadline.min(ends));
        self.pending.insert(id, Pending { until, ..pending });
        self.deadlines.insert((until, id));
        let op = super::op(self.wiring.class, self.wiring.resource);
        fx.send(to, Body::Call(Call { id, op, deadline }));
        self.set_deadline(view, fx);
    }

    /// How many servers a request may try.
    fn choices(&self, view: &View) -> usize {
        if self.wiring.dns {
            return self.listed(view).len();
        }
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
        let server = self.move_on(pending.server, view);
        let over = pending.issued + self.params.timeout <= view.now;
        if over || pending.tried + 1 >= self.choices(view) {
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

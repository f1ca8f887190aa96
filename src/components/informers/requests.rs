//! Requests of processes with informers: issued, sent, repeated as client-go does, and ended.
//!
//! What was turned away (429) is sent again after a second, up to ten times, and so is a read whose
//! connection broke. Every request is served, rejected or given up in the end; until then it is pending.

use super::process::{Place, Request, What};
use super::{Alarm, Informers};
use crate::component::mail::{Call, Op, Outcome};
use crate::component::{Effects, View};
use crate::components::api_server::PROCESS_BITS;
use crate::components::connection::Rung;
use crate::kernel::time::{Duration, Time};

/// client-go: `rest/with_retry.go`, `maxRetries` 10 and `Retry-After` 1.
const TRIES_MAX: u32 = 10;
const RETRY_PAUSE: Duration = Duration::from_secs(1);

impl Informers {
    pub(super) fn new_call(&mut self, process: usize) -> u64 {
        self.serial += 1;
        self.serial << PROCESS_BITS | process as u64
    }

    /// A process has something to ask.
    pub(super) fn issue(&mut self, process: usize, what: What, view: &View) {
        let id = self.new_call(process);
        let deadline = view.now + self.params.timeout;
        self.ledger.issued += 1;
        let request = Request { id, what, deadline, place: Place::Waiting, tries: 0 };
        self.processes[process].requests.push(request);
    }

    fn op(&self, what: What) -> Op {
        match what {
            What::List(_) => Op::List,
            What::Watch(_, since) => Op::Watch(since),
            What::Other => self.op,
        }
    }

    /// Sends what waits, or dials for it.
    pub(super) fn send_waiting(&mut self, at: usize, view: &View, fx: &mut Effects<Alarm>) {
        let waits = |request: &Request| request.place == Place::Waiting;
        let Some(first) = self.processes[at].requests.iter().position(waits) else { return };
        let Some(ends) = self.processes[at].connection.standing() else {
            if self.processes[at].connection.is_closed() {
                let id = self.new_call(at);
                let targets = &self.wiring.targets;
                let target = targets[self.processes[at].target % targets.len()];
                self.processes[at].connection.dial(id, target, view, fx);
            }
            return;
        };
        for number in first..self.processes[at].requests.len() {
            let request = self.processes[at].requests[number];
            if !waits(&request) {
                continue;
            }
            let Request { id, deadline, what, .. } = request;
            self.processes[at].requests[number].place = Place::Riding(ends.id);
            self.count_sent(ends.server);
            let call = Call { id, op: self.op(what), deadline };
            self.processes[at].connection.ask(call, view, fx);
        }
    }

    /// Whatever is due at a process happens.
    pub(super) fn ring(&mut self, at: usize, view: &View, fx: &mut Effects<Alarm>) {
        self.processes[at].planned = None;
        for number in (0..self.processes[at].requests.len()).rev() {
            let request = self.processes[at].requests[number];
            if request.wakes().0 > view.now {
                continue;
            }
            if request.deadline <= view.now {
                if let Place::Riding(_) = request.place {
                    fx.close(request.id);
                }
                self.end(at, number, Outcome::TimedOut, view, fx);
            } else {
                self.processes[at].requests[number].place = Place::Waiting;
            }
        }
        self.restart_watches(at, view, fx);
        self.ring_connection(at, view, fx);
        self.settle_up(at, view, fx);
    }

    fn ring_connection(&mut self, at: usize, view: &View, fx: &mut Effects<Alarm>) {
        let watched = self.needs_care(at);
        let id = self.new_call(at);
        let connection = &mut self.processes[at].connection;
        let lost = connection.standing();
        if !watched {
            return;
        }
        match (connection.ring(id, view, fx), lost) {
            (Rung::DialFailed, _) => self.dial_failed(at, Outcome::TimedOut, view, fx),
            (Rung::Lost, Some(ends)) => self.connection_lost(at, ends.id, view, fx),
            _ => {}
        }
    }

    /// Nobody could be connected to: what waits for the connection has failed.
    pub(super) fn dial_failed(
        &mut self,
        at: usize,
        outcome: Outcome,
        view: &View,
        fx: &mut Effects<Alarm>,
    ) {
        self.processes[at].target += 1;
        for number in (0..self.processes[at].requests.len()).rev() {
            if self.processes[at].requests[number].place == Place::Waiting {
                self.end(at, number, outcome, view, fx);
            }
        }
    }

    /// What rode on a connection that is gone is sent again after a pause, or has failed.
    pub(super) fn requests_lost(
        &mut self,
        at: usize,
        connection: u64,
        view: &View,
        fx: &mut Effects<Alarm>,
    ) {
        for number in (0..self.processes[at].requests.len()).rev() {
            let request = self.processes[at].requests[number];
            if request.place != Place::Riding(connection) {
                continue;
            }
            let again = !self.op(request.what).writes() && !matches!(request.what, What::Watch(..));
            if !(again && self.send_later(at, number, view)) {
                self.end(at, number, Outcome::Reset, view, fx);
            }
        }
    }

    /// Repeats a request in a while, unless that has been done often enough.
    fn send_later(&mut self, at: usize, number: usize, view: &View) -> bool {
        let request = &mut self.processes[at].requests[number];
        if request.tries >= TRIES_MAX {
            return false;
        }
        request.tries += 1;
        request.place = Place::Pausing(view.now + RETRY_PAUSE);
        true
    }

    /// An answer came.
    pub(super) fn answered(
        &mut self,
        at: usize,
        id: u64,
        outcome: Outcome,
        view: &View,
        fx: &mut Effects<Alarm>,
    ) {
        let found = self.processes[at].requests.iter().position(|request| request.id == id);
        let Some(number) = found else { return };
        let what = self.processes[at].requests[number].what;
        if outcome == Outcome::TooMany {
            self.ledger.turned_away += 1;
            // A WATCH is left to the reflector's own back-off.
            if !matches!(what, What::Watch(..)) && self.send_later(at, number, view) {
                return;
            }
        }
        self.end(at, number, outcome, view, fx);
    }

    fn end(
        &mut self,
        at: usize,
        number: usize,
        outcome: Outcome,
        view: &View,
        fx: &mut Effects<Alarm>,
    ) {
        let request = self.processes[at].requests.swap_remove(number);
        match outcome {
            Outcome::Done | Outcome::Gone | Outcome::Lease(_) => self.ledger.served += 1,
            // Whether a write that was lost on its way has been done, nobody knows.
            Outcome::TimedOut | Outcome::Reset => self.ledger.timed_out += 1,
            _ => self.ledger.rejected += 1,
        }
        self.watch_answered(at, request.what, outcome, view, fx);
    }

    /// The time at which a process is to be looked at again.
    pub(super) fn plan(&mut self, at: usize, view: &View, fx: &mut Effects<Alarm>) {
        let connection = if self.needs_care(at) {
            self.processes[at].connection.due(view)
        } else {
            None
        };
        let process = &mut self.processes[at];
        let due = process.due().into_iter().chain(connection).min();
        let planned = due.map(|(due, _)| due);
        if std::mem::replace(&mut process.planned, planned) == planned {
            return;
        }
        match due {
            None => fx.clear(Alarm::Process(at)),
            Some((due, name)) => {
                let due: Time = due.max(view.now);
                let wait = due.since(view.now);
                fx.set(Alarm::Process(at), due, crate::component::Blame::of(name, wait));
            }
        }
    }

    /// Whether what is due of its connection matters: while frames come, nothing is.
    fn needs_care(&self, at: usize) -> bool {
        let process = &self.processes[at];
        process.stuck.is_some() || process.connection.standing().is_none()
    }
}

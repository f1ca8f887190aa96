//! Reflectors: what becomes of their watches when a connection breaks, a cache is lost or a server
//! takes nothing more.
//!
//! A watch that ended begins again where it was, after a back-off; only a server that does not reach
//! back so far (410) makes a reflector list anew. Where the answer can be foreseen, no message is sent. Absent on purpose: the end of a watch after 5 to 10
//! minutes, at which it begins anew in its place without a seat or a list, and watch bookmarks.

use super::process::{Place, Watch, What};
use super::{Alarm, Informers};
use crate::component::effects::Standing;
use crate::component::fact::{Ability, Resource};
use crate::component::mail::{Outcome, Reply};
use crate::component::record::{Record, RequestClass};
use crate::component::view::ProcessState;
use crate::component::{ComponentId, Effects, View};
use crate::components::connection::News;
use crate::components::path;
use crate::kernel::time::Time;

/// Purpose of the draws for the reflectors' back-off.
const BACKOFF_DRAW: u32 = 3;

impl Informers {
    fn pause_reflector(
        &mut self,
        at: usize,
        reflector: usize,
        view: &View,
        fx: &mut Effects<Alarm>,
    ) {
        let reflector = &mut self.processes[at].reflectors[reflector];
        let wait = reflector.backoff.next(view.now, &mut fx.draw(BACKOFF_DRAW));
        reflector.watch = Watch::Pausing(view.now + wait);
    }

    /// Reflectors whose pause is over ask again.
    pub(super) fn restart_watches(&mut self, at: usize, view: &View, fx: &mut Effects<Alarm>) {
        for number in 0..self.processes[at].reflectors.len() {
            let watch = self.processes[at].reflectors[number].watch;
            let over = matches!(watch, Watch::Pausing(until) if until <= view.now);
            if over && !self.watch_at_once(at, number, view, fx) {
                self.ask_for_watch(at, number, view);
            }
        }
    }

    /// A reflector goes on where it was, or lists.
    pub(super) fn ask_for_watch(&mut self, at: usize, number: usize, view: &View) {
        let reflector = &mut self.processes[at].reflectors[number];
        reflector.watch = Watch::Asking;
        let what = match reflector.known {
            Some(since) => What::Watch(number, since),
            None => What::List(number),
        };
        self.issue(at, what, view);
    }

    /// What a WATCH would be answered that is asked for now, over a connection that stands: nothing
    /// limits it, so that it only takes a server that works and reaches back so far.
    fn foresee_watch(&self, at: usize, since: Time, view: &View) -> Option<(Standing, Outcome)> {
        let process = &self.processes[at];
        let ends = process.connection.standing().filter(|_| process.stuck.is_none())?;
        let fact = view.api_server(ends.server).filter(|fact| fact.http)?;
        let connects = (RequestClass::Connect, Resource::Objects);
        let way = path::latency_on(view, view.me, (ends.near, ends.server), connects);
        let works = fact.read_cached == Ability::Works && view.flows(ends.id) && way.is_some();
        let known = fact.cached_since.is_none_or(|filled| since >= filled);
        let outcome = if known { Outcome::Done } else { Outcome::Gone };
        (works && !self.wiring.eager).then_some((ends, outcome))
    }

    /// Asks for a WATCH whose answer can be foreseen, without an event; `false` if it cannot be.
    fn watch_at_once(
        &mut self,
        at: usize,
        number: usize,
        view: &View,
        fx: &mut Effects<Alarm>,
    ) -> bool {
        let known = self.processes[at].reflectors[number].known;
        let foreseen = known.and_then(|since| Some((since, self.foresee_watch(at, since, view)?)));
        let Some((since, (ends, outcome))) = foreseen else { return false };
        self.ledger.issued += 1;
        self.ledger.served += 1;
        self.count_sent(ends.server);
        self.watch_answered(at, What::Watch(number, since), outcome, view, fx);
        true
    }

    /// What a reflector asked for has ended.
    pub(super) fn watch_answered(
        &mut self,
        at: usize,
        what: What,
        outcome: Outcome,
        view: &View,
        fx: &mut Effects<Alarm>,
    ) {
        let (number, known) = match (what, outcome) {
            (What::Other, _) => return,
            (What::List(number), Outcome::Done) => {
                self.ledger.lists += 1;
                self.processes[at].reflectors[number].known = Some(view.now);
                self.ask_for_watch(at, number, view);
                return;
            }
            (What::Watch(number, _), Outcome::Done) => {
                let connection = self.processes[at].connection.standing();
                if let Some(ends) = connection {
                    self.processes[at].reflectors[number].watch = Watch::On(ends.id);
                    return;
                }
                (number, Some(view.now))
            }
            (What::Watch(number, _), Outcome::Gone) | (What::List(number), _) => (number, None),
            (What::Watch(number, since), _) => (number, Some(since)),
        };
        self.processes[at].reflectors[number].known = known;
        self.pause_reflector(at, number, view, fx);
    }

    /// Watches of a process end that satisfy a condition; they know what changed until `known`.
    fn end_watches(
        &mut self,
        at: usize,
        ends: impl Fn(u64) -> bool,
        known: Time,
        view: &View,
        fx: &mut Effects<Alarm>,
    ) {
        for number in 0..self.processes[at].reflectors.len() {
            let reflector = &mut self.processes[at].reflectors[number];
            if matches!(reflector.watch, Watch::On(connection) if ends(connection)) {
                reflector.known = Some(known);
                if !std::mem::replace(&mut self.lost, true) {
                    fx.record(Record::Note("informers lose their watches"));
                }
                self.pause_reflector(at, number, view, fx);
            }
        }
    }

    /// A connection is gone, with all that it carried.
    pub(super) fn connection_lost(
        &mut self,
        at: usize,
        id: u64,
        view: &View,
        fx: &mut Effects<Alarm>,
    ) {
        self.wake(view, fx);
        self.turn = (fx.event(), view.now);
        let process = &mut self.processes[at];
        let retired = process.retiring == Some(id);
        let known = if retired { None } else { process.stuck.take() };
        if retired {
            process.retiring = None;
            for request in &mut process.requests {
                if request.place == Place::Riding(id) {
                    request.place = Place::Waiting;
                }
            }
        }
        self.requests_lost(at, id, view, fx);
        self.end_watches(at, |on| on == id, known.unwrap_or(view.now), view, fx);
    }

    /// An answer came, of the transport or of a server.
    pub(super) fn hear(
        &mut self,
        from: ComponentId,
        reply: &Reply,
        view: &View,
        fx: &mut Effects<Alarm>,
    ) {
        let at = Self::process_of(reply.id);
        let Some(process) = self.processes.get_mut(at) else { return };
        match process.connection.hear(reply, from, view) {
            News::Opened => self.review_one(at, view, fx),
            News::Failed(outcome) => self.dial_failed(at, outcome, view, fx),
            News::Pong => {}
            News::NotMine => self.answered(at, reply.id, reply.outcome, view, fx),
        }
        self.settle_up(at, view, fx);
    }

    /// The transport reports the end of a connection.
    pub(super) fn broken(&mut self, id: u64, view: &View, fx: &mut Effects<Alarm>) {
        let at = Self::process_of(id);
        let Some(process) = self.processes.get_mut(at) else { return };
        if process.connection.broken(id) || process.retiring == Some(id) {
            self.connection_lost(at, id, view, fx);
            self.settle_up(at, view, fx);
        }
    }

    /// A server takes nothing more on a connection; what it has, it answers.
    pub(super) fn going_away(&mut self, id: u64, view: &View, fx: &mut Effects<Alarm>) {
        let at = Self::process_of(id);
        let Some(process) = self.processes.get_mut(at) else { return };
        if process.connection.standing().is_some_and(|ends| ends.id == id) {
            self.wake(view, fx);
            let process = &mut self.processes[at];
            process.connection.forget();
            process.retiring = Some(id);
            process.stuck = None;
            self.settle_up(at, view, fx);
        }
    }

    /// Something on the paths changed.
    pub(super) fn review(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        if self.quiet.is_some() && self.is_contended(view) {
            self.wake(view, fx);
        }
        for at in 0..self.processes.len() {
            self.review_one(at, view, fx);
        }
    }

    /// Takes note of whether frames come over the connection, and of a watch cache that is lost.
    fn review_one(&mut self, at: usize, view: &View, fx: &mut Effects<Alarm>) {
        let process = &mut self.processes[at];
        let Some(ends) = process.connection.standing() else { return };
        let silent = |id| view.process(id).state == ProcessState::Paused;
        let stuck = view.stands(ends.id)
            && (!view.flows(ends.id) || silent(ends.near) || silent(ends.server));
        let lost = |server: ComponentId| {
            let fact = view.api_server(server).filter(|fact| fact.http);
            fact.is_some_and(|fact| fact.read_cached == Ability::Hangs)
        };
        let ended = !stuck && process.unwatched() == 0 && lost(ends.server);
        if stuck == process.stuck.is_some() && !ended {
            return;
        }
        if stuck != process.stuck.is_some() {
            process.connection.carried_on(view.now, view);
            process.stuck = stuck.then_some(view.now);
        }
        self.wake(view, fx);
        if ended {
            self.end_watches(at, |_| true, view.now, view, fx);
        }
        self.settle_up(at, view, fx);
    }
}

//! A client that sends everything over one connection that stays.
//!
//! A request waits for the connection if there is none, and rides on it; when it breaks, all that
//! ride on it fail: a read is sent again a second later, a write is not, since it may have been done.
//! What a server that takes leave (GOAWAY) has not answered is sent again at once. Nothing limits how
//! often it dials but its requests: client-go has no back-off of its own there.
//!
//! Each request is waiting, riding, pausing before it is sent again, or over.

use super::params::Held;
use super::{Alarm, Client, PHASE_DRAW};
use crate::component::mail::{Call, Outcome, Reply};
use crate::component::record::{Record, RequestClass, RequestRecord};
use crate::component::{Blame, ComponentId, Effects, View};
use crate::components::connection::{Connection, News, Rung};
use crate::kernel::time::{Duration, Time};
use std::collections::BTreeMap;

/// The pause before a read is sent again. client-go `rest/with_retry.go`: `Retry-After` 1.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Purpose of the draw for the server at the start.
const SERVER_DRAW: u32 = PHASE_DRAW + 1;

/// Where a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// It waits for a connection.
    Waiting,
    /// It was sent on this one.
    Riding(u64),
    /// It is sent again then.
    Pausing(Time),
}

#[derive(Clone, Copy, Debug)]
struct Request {
    issued: Time,
    deadline: Time,
    place: Place,
    retries: u32,
}

impl Request {
    fn wakes(&self) -> (Time, &'static str) {
        match self.place {
            Place::Pausing(at) if at < self.deadline => (at, "Retry-After"),
            _ => (self.deadline, "client timeout"),
        }
    }
}

/// The one connection of a client, and what is under way.
#[derive(Debug)]
pub(super) struct LongLived {
    pub(super) held: Held,
    pub(super) connection: Connection,
    requests: BTreeMap<u64, Request>,
    /// The connection on which the server takes nothing more.
    retiring: Option<u64>,
    /// Servers tried in vain since the last connection, where several are known.
    tried: usize,
    /// A settled run begins: the connection has been standing for long.
    settling: bool,
}

impl LongLived {
    pub(super) fn new(held: Held) -> Self {
        Self {
            held,
            connection: Connection::new(held.settings),
            requests: BTreeMap::new(),
            retiring: None,
            tried: 0,
            settling: false,
        }
    }

    /// Begins anew; `settled`: in the midst of a long life.
    pub(super) fn begin(&mut self, settled: bool) {
        *self = Self { settling: settled, ..Self::new(self.held) };
    }

    /// Whether requests are under way.
    pub(super) fn is_busy(&self) -> bool {
        !self.requests.is_empty()
    }
}

impl Client {
    fn new_call(&mut self) -> u64 {
        self.next_call += 1;
        self.next_call - 1
    }

    /// How long a request takes on the connection, if it stands and everything works.
    pub(super) fn ride_latency(&mut self, view: &View, fx: &mut Effects<Alarm>) -> Option<Duration> {
        if self.long.as_ref().is_some_and(|long| long.settling) {
            self.adopt(view, fx);
        }
        let long = self.long.as_ref()?;
        let what = (self.wiring.class, self.wiring.resource);
        long.connection.latency(what, self.params.every, view)
    }

    /// All facts are out: the connection of a settled start is taken up.
    fn adopt(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        let id = self.new_call();
        let target = self.wiring.targets[self.chosen(0)];
        let servers = self.wiring.api_servers.clone();
        let mut draw = fx.draw(SERVER_DRAW);
        let Some(long) = &mut self.long else { return };
        long.settling = false;
        let named = long.held.connected_to;
        if self.wiring.any {
            let at = self.wiring.targets.iter().position(|id| Some(*id) == named);
            self.preferred = match at {
                Some(at) => at,
                None if self.wiring.dns => {
                    usize::try_from(draw.below(self.wiring.targets.len() as u64)).unwrap_or(0)
                }
                None => self.preferred,
            };
        }
        let target = if self.wiring.any { self.wiring.targets[self.preferred] } else { target };
        long.connection.adopt(id, target, (&servers, named), &mut draw, view, fx);
        self.attend(view, fx);
    }

    /// A request is issued, now or a moment ago.
    pub(super) fn issue_ride(&mut self, issued: Time, view: &View, fx: &mut Effects<Alarm>) {
        let id = self.new_call();
        let deadline = issued + self.params.timeout;
        let request = Request { issued, deadline, place: Place::Waiting, retries: 0 };
        if let Some(long) = &mut self.long {
            long.requests.insert(id, request);
        }
        self.send_waiting(view, fx);
        self.attend(view, fx);
    }

    /// Sends what waits, or sees to it that there is a connection.
    fn send_waiting(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        let op = super::op(self.wiring.class, self.wiring.resource);
        let Some(long) = &mut self.long else { return };
        let waiting = long.requests.iter_mut().filter(|(_, r)| r.place == Place::Waiting);
        if let Some(ends) = long.connection.standing() {
            for (id, request) in waiting {
                request.place = Place::Riding(ends.id);
                let call = Call { id: *id, op, deadline: request.deadline };
                long.connection.ask(call, view, fx);
            }
        } else if waiting.count() > 0 && long.connection.is_closed() {
            let id = self.new_call();
            // A name is resolved with each first dial; the addresses after it are tried in turn.
            if self.wiring.dns && self.long.as_ref().is_some_and(|long| long.tried == 0) {
                self.preferred = self.first(0, view, fx);
            }
            let target = self.wiring.targets[self.chosen(0)];
            if let Some(long) = &mut self.long {
                long.connection.dial(id, target, view, fx);
            }
        }
    }

    /// One alarm for whatever comes first.
    fn attend(&self, view: &View, fx: &mut Effects<Alarm>) {
        let Some(long) = &self.long else { return };
        let quiet = self.lanes.iter().any(|lane| lane.answers().is_some());
        let connection = if quiet { None } else { long.connection.due(view) };
        let requests = long.requests.values().map(Request::wakes);
        match requests.chain(connection).min() {
            None => fx.clear(Alarm::Deadline),
            Some((at, name)) => {
                let at = at.max(view.now);
                fx.set(Alarm::Deadline, at, Blame::of(name, at.since(view.now)));
            }
        }
    }

    /// The alarm of requests and of the connection.
    pub(super) fn ring_rides(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        let Some(long) = &mut self.long else { return };
        let due: Vec<u64> = long
            .requests
            .iter()
            .filter(|(_, request)| request.wakes().0 <= view.now)
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            self.ring_ride(id, view, fx);
        }
        self.ring_connection(view, fx);
        self.send_waiting(view, fx);
        self.attend(view, fx);
    }

    fn ring_ride(&mut self, id: u64, view: &View, fx: &mut Effects<Alarm>) {
        let Some(request) = self.long.as_mut().and_then(|l| l.requests.get_mut(&id)) else { return };
        if request.deadline <= view.now {
            if matches!(request.place, Place::Riding(_)) {
                fx.close(id);
            }
            self.end_ride(id, Outcome::TimedOut, view, fx);
        } else {
            request.place = Place::Waiting;
        }
    }

    fn ring_connection(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        let id = self.new_call();
        let Some(long) = &mut self.long else { return };
        let lost = long.connection.standing();
        match long.connection.ring(id, view, fx) {
            Rung::Nothing => {}
            Rung::DialFailed => self.dial_failed(Outcome::TimedOut, view, fx),
            Rung::Lost => {
                if let Some(ends) = lost {
                    self.connection_lost(ends.id, view, fx);
                }
            }
        }
    }

    /// Nobody could be connected to: the next server, or the end of all that waits for it.
    fn dial_failed(&mut self, outcome: Outcome, view: &View, fx: &mut Effects<Alarm>) {
        let Some(long) = &mut self.long else { return };
        long.tried += 1;
        if self.wiring.any {
            self.preferred = (self.preferred + 1) % self.wiring.targets.len();
            if long.tried < self.wiring.targets.len() {
                return;
            }
        }
        long.tried = 0;
        let waiting: Vec<u64> = long
            .requests
            .iter()
            .filter(|(_, request)| request.place == Place::Waiting)
            .map(|(id, _)| *id)
            .collect();
        for id in waiting {
            self.fail_ride(id, outcome, view, fx);
        }
    }

    /// A connection is gone, with all that rode on it.
    fn connection_lost(&mut self, connection: u64, view: &View, fx: &mut Effects<Alarm>) {
        let Some(long) = &mut self.long else { return };
        let retired = long.retiring == Some(connection);
        if retired {
            long.retiring = None;
        } else {
            fx.record(Record::Connection { client: self.me, server: None });
        }
        let riding: Vec<u64> = long
            .requests
            .iter()
            .filter(|(_, request)| request.place == Place::Riding(connection))
            .map(|(id, _)| *id)
            .collect();
        for id in riding {
            match self.long.as_mut().and_then(|l| l.requests.get_mut(&id)) {
                Some(request) if retired => request.place = Place::Waiting,
                _ => self.fail_ride(id, Outcome::Reset, view, fx),
            }
        }
    }

    /// A request failed: a read whose connection broke is sent again after a pause.
    fn fail_ride(&mut self, id: u64, outcome: Outcome, view: &View, fx: &mut Effects<Alarm>) {
        let read = self.wiring.class != RequestClass::Write;
        let Some(long) = &mut self.long else { return };
        let limit = long.held.max_retries;
        let Some(request) = long.requests.get_mut(&id) else { return };
        if read && outcome == Outcome::Reset && request.retries < limit {
            request.retries += 1;
            request.place = Place::Pausing(view.now + RETRY_PAUSE);
            return;
        }
        self.end_ride(id, outcome, view, fx);
    }

    /// The server has too much to do (429): the request is sent again after a pause, also a write.
    fn turned_away(&mut self, id: u64, view: &View) -> bool {
        let Some(long) = &mut self.long else { return false };
        let limit = long.held.max_retries;
        let Some(request) = long.requests.get_mut(&id).filter(|r| r.retries < limit) else {
            return false;
        };
        request.retries += 1;
        request.place = Place::Pausing(view.now + RETRY_PAUSE);
        true
    }

    fn end_ride(&mut self, id: u64, outcome: Outcome, view: &View, fx: &mut Effects<Alarm>) {
        let Some(request) = self.long.as_mut().and_then(|l| l.requests.remove(&id)) else { return };
        let record = RequestRecord {
            client: self.me,
            class: self.wiring.class,
            target: 0,
            issued: request.issued,
            ended: view.now,
            outcome,
        };
        if record.succeeded() {
            self.last_answer = self.last_answer.max(Some(view.now));
        }
        fx.record(Record::Request(record));
    }

    /// An answer came over a connection, or to an attempt at one.
    pub(super) fn hear_ride(
        &mut self,
        from: ComponentId,
        reply: &Reply,
        view: &View,
        fx: &mut Effects<Alarm>,
    ) {
        let Some(long) = &mut self.long else { return };
        match long.connection.hear(reply, from, view) {
            News::Opened => {
                long.tried = 0;
                let server = long.connection.standing().map(|ends| ends.server);
                fx.record(Record::Connection { client: self.me, server });
            }
            News::Failed(outcome) => self.dial_failed(outcome, view, fx),
            News::Pong => {}
            News::NotMine if reply.outcome == Outcome::TooMany && self.turned_away(reply.id, view) => {}
            News::NotMine => self.end_ride(reply.id, reply.outcome, view, fx),
        }
        self.send_waiting(view, fx);
        self.attend(view, fx);
    }

    /// The transport reports the end of a connection.
    pub(super) fn ride_broken(&mut self, id: u64, view: &View, fx: &mut Effects<Alarm>) {
        self.leave_counting(view, fx);
        let Some(long) = &mut self.long else { return };
        long.connection.broken(id);
        self.connection_lost(id, view, fx);
        self.send_waiting(view, fx);
        self.attend(view, fx);
    }

    /// The server takes nothing more on a connection: the next request dials.
    pub(super) fn ride_goaway(&mut self, id: u64, view: &View, fx: &mut Effects<Alarm>) {
        self.leave_counting(view, fx);
        let Some(long) = &mut self.long else { return };
        if long.connection.standing().is_some_and(|ends| ends.id == id) {
            long.connection.forget();
            long.retiring = Some(id);
            fx.record(Record::Connection { client: self.me, server: None });
        }
        self.send_waiting(view, fx);
        self.attend(view, fx);
    }

    /// What was counted is booked: the connection goes on from there.
    fn leave_counting(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        for at in 0..self.lanes.len() {
            self.stop_counting(at, view, fx);
            self.plan_issue(at, view, fx);
        }
        self.publish(view, fx);
    }

    /// Requests were counted up to the answer at `last`.
    pub(super) fn ride_counted(&mut self, last: Time, view: &View, fx: &mut Effects<Alarm>) {
        if let Some(long) = &mut self.long {
            long.connection.carried_on(last, view);
        }
        self.attend(view, fx);
    }

    /// Requests are counted from now on: nothing of the connection needs an alarm.
    pub(super) fn rides_counted_from_now(&self, view: &View, fx: &mut Effects<Alarm>) {
        self.attend(view, fx);
    }
}

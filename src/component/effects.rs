//! How a component acts: alarms, messages, facts and draws, collected and applied by the world.

use super::Alarm;
use super::blame::{Blame, EventId};
use super::fact::Fact;
use super::id::ComponentId;
use super::mail::Body;
use super::record::Record;
use crate::kernel::agenda::Cell;
use crate::kernel::stream::{Draw, Key, StreamName};
use crate::kernel::time::{Duration, Time};
use std::marker::PhantomData;

/// The most purposes for which one component draws.
pub const PURPOSES_MAX: usize = 16;

/// A message with its departure.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    /// To whom.
    pub to: ComponentId,
    /// What.
    pub body: Body,
    /// When it leaves the process; dropped if the process is gone by then.
    pub departs: Time,
    /// What the wait until the departure was for.
    pub blame: Blame,
    /// The event that it answers, where that is not the event that set it off.
    pub answers: Option<EventId>,
}

/// A standing connection of the component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its key.
    pub id: u64,
    /// Whom the component dials: may be the virtual address.
    pub target: ComponentId,
    /// Whose port accepted it: the server, or a balancer before it.
    pub near: ComponentId,
    /// Who answers requests on it.
    pub server: ComponentId,
}

/// What a process does to standing connections of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HangUp {
    /// A balancer cuts those that it passes on to this server.
    Cut(ComponentId),
    /// A server asks for no further requests on any of its own (HTTP/2 GOAWAY).
    GoAway,
}

/// How a process ended by its own doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// Status 0, after SIGTERM.
    Clean,
    /// A fatal error, with its reason in words.
    Fatal(&'static str),
}

/// What one handler call wants done. Reused between calls.
#[derive(Debug, Default)]
pub struct Outbox {
    /// Alarms to set (`Time::NEVER` clears).
    pub alarms: Vec<(Cell, Time, Blame)>,
    /// Messages to send.
    pub mail: Vec<Outgoing>,
    /// The component's own new fact.
    pub fact: Option<Fact>,
    /// New facts of API objects: a write that has committed, with the event that asked for it where
    /// that is not the event that completed it.
    pub objects: Vec<(ComponentId, Fact, Option<EventId>)>,
    /// Processes to start on the own machine.
    pub starts: Vec<(ComponentId, Time, Blame)>,
    /// Processes to kill on the own machine, after their grace period.
    pub kills: Vec<ComponentId>,
    /// Calls, and standing connections, that the caller closes.
    pub closed: Vec<u64>,
    /// Connections that have been standing since before a settled run began.
    pub adopted: Vec<Standing>,
    /// What becomes of standing connections that go through this process.
    pub hang_ups: Vec<HangUp>,
    /// For observers only.
    pub records: Vec<Record>,
    /// The process ends.
    pub exit: Option<ExitStatus>,
}

impl Outbox {
    /// Whether anything is wanted beside records, alarms and the component's own fact.
    pub fn does_more(&self) -> bool {
        !(self.mail.is_empty()
            && self.objects.is_empty()
            && self.closed.is_empty()
            && self.starts.is_empty()
            && self.kills.is_empty()
            && self.adopted.is_empty()
            && self.hang_ups.is_empty()
            && self.exit.is_none())
    }
}

/// How many draws a component has made for each purpose.
pub type DrawCounts = [u32; PURPOSES_MAX];

/// The only way in which a component acts on the world.
#[derive(Debug)]
pub struct Effects<'a, A> {
    now: Time,
    base: u32,
    out: &'a mut Outbox,
    key: &'a Key,
    name: StreamName,
    counts: &'a mut DrawCounts,
    event: EventId,
    alarm: PhantomData<A>,
}

impl<'a, A: Alarm> Effects<'a, A> {
    /// Effects at `now` for the component whose alarms begin at cell `base`.
    pub fn new(
        now: Time,
        base: u32,
        out: &'a mut Outbox,
        key: &'a Key,
        name: StreamName,
        counts: &'a mut DrawCounts,
    ) -> Self {
        let event = EventId::START;
        Self { now, base, out, key, name, counts, event, alarm: PhantomData }
    }

    /// The same effects, as part of an event.
    #[must_use]
    pub fn in_event(mut self, event: EventId) -> Self {
        self.event = event;
        self
    }

    /// The present instant.
    pub fn now(&self) -> Time {
        self.now
    }

    /// The event that is being handled, to be named by a wait that is planned again later
    /// ([`Blame::since`]).
    pub fn event(&self) -> EventId {
        self.event
    }

    fn cell(&self, alarm: A) -> Cell {
        Cell(self.base + u32::try_from(alarm.index()).unwrap_or(u32::MAX))
    }

    /// Sets (or moves) an alarm. `blame` covers the wait that ends at `at`.
    pub fn set(&mut self, alarm: A, at: Time, blame: Blame) {
        assert!(
            at >= self.now,
            "an alarm {} was set at {at}, in the past of {}",
            alarm.index(),
            self.now
        );
        let cell = self.cell(alarm);
        self.out.alarms.push((cell, at, blame));
    }

    /// Sets an alarm a while from now, with that while as its only blame.
    pub fn set_after(&mut self, alarm: A, wait: Duration, parameter: &'static str) {
        self.set(alarm, self.now + wait, Blame::of(parameter, wait));
    }

    /// Forgets an alarm; nothing happens if it is not set.
    pub fn clear(&mut self, alarm: A) {
        let cell = self.cell(alarm);
        self.out.alarms.push((cell, Time::NEVER, Blame::default()));
    }

    fn post(&mut self, outgoing: Outgoing) {
        self.out.mail.push(outgoing);
    }

    /// Sends now. The network decides when it arrives, or whether.
    pub fn send(&mut self, to: ComponentId, body: Body) {
        self.post(Outgoing { to, body, departs: self.now, blame: Blame::default(), answers: None });
    }

    /// Sends after some work of the process; lost if the process dies before.
    pub fn send_after(
        &mut self,
        work: Duration,
        parameter: &'static str,
        to: ComponentId,
        body: Body,
    ) {
        let blame = Blame::of(parameter, work);
        self.post(Outgoing { to, body, departs: self.now + work, blame, answers: None });
    }

    /// Sends, after some work, what an earlier event asked for. Its cause is that event, not whatever
    /// completed the work (an acknowledgement that many requests shared).
    pub fn send_for_after(
        &mut self,
        asked: EventId,
        work: Duration,
        parameter: &'static str,
        to: ComponentId,
        body: Body,
    ) {
        let blame = Blame::of(parameter, work);
        let answers = Some(asked);
        self.post(Outgoing { to, body, departs: self.now + work, blame, answers });
    }

    /// Closes the connection of a call, or a standing one: no answer will be delivered, and nothing is
    /// sent any more. A request on a standing connection is cancelled.
    pub fn close(&mut self, call: u64) {
        self.out.closed.push(call);
    }

    /// At a settled start: a connection that has been standing for long.
    pub fn adopt(&mut self, standing: Standing) {
        self.out.adopted.push(standing);
    }

    /// Ends, or announces the end of, standing connections of others.
    pub fn hang_up(&mut self, how: HangUp) {
        self.out.hang_ups.push(how);
    }

    /// Publishes what others can now observe.
    pub fn publish(&mut self, fact: Fact) {
        self.out.fact = Some(fact);
    }

    /// Applies a committed write to an API object. Only the member that leads etcd does this (and a
    /// settled start, which begins with objects in place).
    pub fn commit(&mut self, object: ComponentId, fact: Fact) {
        self.out.objects.push((object, fact, None));
    }

    /// As [`Effects::commit`], for a write that an earlier event asked for.
    pub fn commit_for(&mut self, asked: EventId, object: ComponentId, fact: Fact) {
        self.out.objects.push((object, fact, Some(asked)));
    }

    /// Starts a process of the own machine (kubelet and service managers do this).
    pub fn start(&mut self, process: ComponentId, wait: Duration, blame: Blame) {
        self.out.starts.push((process, self.now + wait, blame));
    }

    /// Terminates a process of the own machine.
    pub fn kill(&mut self, process: ComponentId) {
        self.out.kills.push(process);
    }

    /// Ends the own process.
    pub fn exit(&mut self, status: ExitStatus) {
        self.out.exit = Some(status);
    }

    /// Tells observers something that is no fact.
    pub fn record(&mut self, record: Record) {
        self.out.records.push(record);
    }

    /// The next draw for a purpose (below [`PURPOSES_MAX`]) of this component.
    pub fn draw(&mut self, purpose: u32) -> Draw {
        let count = &mut self.counts[purpose as usize];
        let occurrence = u64::from(*count);
        *count += 1;
        self.key.draw(self.name, purpose, occurrence)
    }

    /// A draw keyed by an occurrence of the caller's choosing, so that it can be asked for out of
    /// order (the jitter of tick k).
    pub fn draw_keyed(&self, purpose: u32, occurrence: u64) -> Draw {
        self.key.draw(self.name, purpose | 1 << 16, occurrence)
    }
}

//! One step of the world: pop, deliver, apply effects, settle.

use super::event::{Event, EventKind};
use super::observer::{Change, Observer, Transition};
use super::{Letter, Origin, World};
use crate::component::Cause;
use crate::component::blame::{Blame, EventId};
use crate::component::effects::Outbox;
use crate::component::fact::Fact;
use crate::component::id::ComponentId;
use crate::component::view::{ProcessState, View};
use crate::components::Lent;
use crate::kernel::agenda::Cell;
use crate::kernel::time::Time;

/// How many rounds of "a fact changed, its watchers react" one instant may take.
const SETTLE_ROUNDS_MAX: u32 = 10_000;

/// What comes next, in order of rank: settings before letters before alarms.
enum Next {
    Setting,
    Letter,
    Alarm(Cell),
}

impl World<'_> {
    /// Runs until `until`, everything due at that instant included.
    pub fn run_until(&mut self, until: Time, observer: &mut impl Observer) {
        while self.step(until, observer) {}
        self.now = self.now.max(until);
    }

    /// Handles the next setting, letter or alarm, if it is due by `until`; returns whether it was.
    pub fn step(&mut self, until: Time, observer: &mut impl Observer) -> bool {
        let Some((at, next)) = self.next().filter(|(at, _)| *at <= until) else { return false };
        assert!(at >= self.now, "time went backwards: from {} to {at}", self.now);
        self.now = at;
        self.steps += 1;
        match next {
            Next::Setting => {
                self.digest.add(at.as_nanos(), u64::MAX);
                self.fire_setting(observer);
            }
            Next::Letter => self.open_letter(observer),
            Next::Alarm(cell) => {
                self.digest.add(at.as_nanos(), u64::from(cell.0));
                self.ring(cell, observer);
            }
        }
        self.settle(observer);
        if !self.operator.running.is_empty() {
            self.look_around(observer);
        }
        true
    }

    fn next(&self) -> Option<(Time, Next)> {
        // Of two at one instant the one that comes first here wins.
        let mut next = self.settings.first_key_value().map(|((at, _), _)| (*at, Next::Setting));
        let mut offer = |at: Time, what: Next| {
            if next.as_ref().is_none_or(|(first, _)| at < *first) {
                next = Some((at, what));
            }
        };
        if let Some(at) = self.post.next_time() {
            offer(at, Next::Letter);
        }
        if let Some((at, cell)) = self.agenda.next() {
            offer(at, Next::Alarm(cell));
        }
        next
    }

    /// An alarm is due: a paused process finds it when it resumes.
    fn ring(&mut self, cell: Cell, observer: &mut impl Observer) {
        let owner = self.layout.owners[cell.0 as usize];
        self.agenda.clear(cell);
        if self.all.processes[owner.index()].state == ProcessState::Paused {
            self.inboxes[owner.index()].alarms.push(cell);
            return;
        }
        let index = (cell.0 - self.layout.bases[owner.index()]) as usize;
        let wait = std::mem::take(&mut self.waits[cell.0 as usize]);
        self.begin(Some(owner), wait, EventKind::Alarm(index));
        self.deliver(owner, Cause::Alarm(index), observer);
    }

    fn open_letter(&mut self, observer: &mut impl Observer) {
        let Some((_, target, _, letter)) = self.post.pop() else { return };
        self.digest.add(self.now.as_nanos(), u64::from(target) << 32);
        let target = ComponentId(u16::try_from(target).unwrap_or(u16::MAX));
        match letter {
            Letter::Arrive(mail, origin) => self.arrive(target, mail, origin, observer),
            Letter::Depart(outgoing, origin) => {
                self.begin(Some(target), origin, EventKind::Mail { from: target });
                self.route(target, outgoing);
            }
            Letter::Syn(key) => self.connect(key),
            Letter::Request(key) => self.request_arrives(key, observer),
            Letter::Answer(key, reply) => self.answer(key, reply),
            Letter::Ride(ride) => self.ride_arrives(ride, observer),
            Letter::Retransmit(key, leg, change) => self.retransmit(key, leg, change),
            Letter::GiveUp(key, leg, since) => self.give_up_lane(key, leg, since),
            Letter::Start(id, origin) => {
                if self.all.processes[id.index()].state == ProcessState::Dead {
                    self.begin(Some(id), origin, EventKind::ProcessStart);
                    self.start_process(id, observer);
                }
            }
            Letter::Neighbour(machine, generation) => {
                self.begin(None, Origin::default(), EventKind::NeighbourExpired);
                self.expire_neighbour(machine, generation);
            }
            Letter::Signal(id, incarnation, origin) => {
                self.begin(Some(id), origin, EventKind::Signal);
                self.signalled(id, incarnation, observer);
            }
            Letter::Grace(id, incarnation, origin) => {
                let process = self.all.processes[id.index()];
                if process.state != ProcessState::Dead && process.incarnation == incarnation {
                    self.begin(Some(id), origin, EventKind::GraceOver);
                    self.kill_process(id, true, observer);
                }
            }
        }
    }

    /// Opens a new event; what follows at this instant belongs to it.
    pub(super) fn begin(&mut self, owner: Option<ComponentId>, origin: Origin, kind: EventKind) {
        let parent = origin.parent.unwrap_or(self.event);
        self.event =
            self.log.push(Event { at: self.now, owner, parent, blame: origin.blame, kind });
    }

    /// What follows answers an earlier event, where one is named.
    fn begin_answer(&mut self, from: ComponentId, asked: Option<EventId>) {
        let Some(asked) = asked.filter(|asked| *asked != self.event) else { return };
        let waited = self.now.saturating_since(self.log.get(asked).at);
        let origin = Origin { parent: Some(asked), blame: Blame::of("commit", waited) };
        self.begin(Some(from), origin, EventKind::Answer);
    }

    /// Calls a component and applies what it wants done.
    pub(super) fn deliver(
        &mut self,
        to: ComponentId,
        cause: Cause<usize>,
        observer: &mut impl Observer,
    ) {
        let mut outbox = self.outboxes.pop().unwrap_or_default();
        let view = View { now: self.now, me: to, all: &self.all };
        let lent = Lent {
            base: self.layout.bases[to.index()],
            out: &mut outbox,
            key: &self.key,
            name: self.all.map.component(to).stream,
            counts: &mut self.counts[to.index()],
            event: self.event,
        };
        self.machines[to.index()].on(cause, &view, lent);
        self.apply(to, &mut outbox, observer);
        self.outboxes.push(outbox);
    }

    fn apply(&mut self, from: ComponentId, out: &mut Outbox, observer: &mut impl Observer) {
        // Most calls want nothing, and most others set alarms or publish.
        for record in out.records.drain(..) {
            observer.record(self.now, from, &record, self.event);
        }
        if !out.alarms.is_empty() {
            self.set_alarms(from, out);
        }
        if let Some(fact) = out.fact.take() {
            self.change_fact(from, fact, observer);
        }
        if out.does_more() {
            self.apply_rest(from, out, observer);
        }
    }

    fn set_alarms(&mut self, from: ComponentId, out: &mut Outbox) {
        let alive = self.all.processes[from.index()].state != ProcessState::Dead;
        for (cell, at, blame) in out.alarms.drain(..) {
            if at.is_never() || !alive {
                self.agenda.clear(cell);
                self.inboxes[from.index()].alarms.retain(|held| *held != cell);
            } else {
                self.waits[cell.0 as usize] = Origin::new(self.event, blame);
                self.agenda.set(cell, at);
            }
        }
    }

    fn apply_rest(&mut self, from: ComponentId, out: &mut Outbox, observer: &mut impl Observer) {
        for (object, fact, asked) in out.objects.drain(..) {
            let completed = self.event;
            self.begin_answer(from, asked);
            self.change_fact(object, fact, observer);
            self.event = completed;
        }
        for call in out.closed.drain(..) {
            self.calls.remove(&(from, call));
            self.remove_connection((from, call));
        }
        for standing in out.adopted.drain(..) {
            self.add_connection(from, standing);
        }
        for how in out.hang_ups.drain(..) {
            self.hang_up(from, how);
        }
        for outgoing in out.mail.drain(..) {
            let completed = self.event;
            self.begin_answer(from, outgoing.answers);
            self.dispatch(from, outgoing);
            self.event = completed;
        }
        for (process, at, blame) in out.starts.drain(..) {
            let origin = Origin::new(self.event, blame);
            let target = u32::from(process.0);
            self.post.push(at, target, u32::from(from.0), Letter::Start(process, origin));
        }
        let kills = std::mem::take(&mut out.kills);
        for process in kills {
            self.terminate(process, observer);
        }
        if let Some(status) = out.exit.take() {
            self.exit_process(from, status, observer);
        }
    }

    pub(super) fn change_fact(
        &mut self,
        of: ComponentId,
        fact: Fact,
        observer: &mut impl Observer,
    ) {
        let old = &mut self.all.facts[of.index()];
        if *old == fact {
            return;
        }
        let to = observer.sees_changes().then(|| Box::new(fact.clone()));
        let address = fact.is_of_address().then(|| fact.clone());
        let from = std::mem::replace(old, fact);
        if let Some(fact) = address {
            self.hear_announcement(of, &from, &fact);
            self.review_neighbours();
            self.connections_follow_paths();
        }
        self.changed = true;
        if let Some(to) = to {
            self.tell(Change::Fact { of, from: Box::new(from), to }, observer);
        }
        self.wake_watchers(of);
    }

    /// Tells observers of a change.
    pub(super) fn tell(&mut self, change: Change, observer: &mut impl Observer) {
        self.changed = true;
        let transition = Transition { at: self.now, change, because: self.event };
        observer.transition(&transition, &self.all);
    }

    /// Whoever watches a component will be told that it changed, once this step is over.
    pub(super) fn wake_watchers(&mut self, of: ComponentId) {
        for viewer in &self.layout.watchers[of.index()] {
            self.saw.insert((*viewer, of));
        }
    }

    /// Tells watchers what changed, in id order, until nothing changes any more.
    pub(super) fn settle(&mut self, observer: &mut impl Observer) {
        let mut rounds = 0;
        while let Some((viewer, of)) = self.saw.pop() {
            if self.layout.looks_at_all[viewer.index()] && !self.tells_each {
                self.saw.forget(viewer);
            }
            rounds += 1;
            assert!(
                rounds < SETTLE_ROUNDS_MAX,
                "at {} the facts of {} and {} chase each other",
                self.now,
                self.all.map.name(viewer),
                self.all.map.name(of)
            );
            if self.all.processes[viewer.index()].state == ProcessState::Running {
                self.deliver(viewer, Cause::Saw(of), observer);
            }
        }
        if std::mem::take(&mut self.changed) {
            observer.settled(self.now, &self.all, self.event);
        }
    }
}

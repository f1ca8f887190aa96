//! Leader election as client-go does it: instances compete for one Lease, whose holder renews it and
//! whose contenders wait until they have not seen it change for a whole `leaseDuration`.
//!
//! Planned lazily. While the API answers, a holder's renewals are a cadence in the Lease's fact and a
//! contender's attempts a sequence that nobody follows: neither has an alarm. When something changes,
//! history is booked up to that instant, and what is then in flight is really sent. A contender sets
//! one alarm, for its first attempt that may take the Lease; the holder of a broken path makes its
//! attempts one by one until it has renewed or its `renewDeadline` has passed.
//!
//! Absent on purpose: what a leader does. The Lease fences nothing: who believes that it leads acts.

mod attempt;
mod holder;
mod link;
mod losses;
mod path;
mod poll;
mod settings;
mod standby;
#[cfg(test)]
pub(crate) mod tests;

pub use path::{Kubeconfig, Path, Reading, Response};
pub use settings::{ClientGo, Election, JITTER_FACTOR};

use crate::component::fact::{Holder, LeaseFact, Renewals};
use crate::component::view::Clock;
use crate::component::{Alarm, Blame, ComponentId, Effects, EventId, Fact, View};
use crate::kernel::time::{Duration, Time};
use attempt::Attempt;
use holder::Renewal;
use link::Link;
use poll::Poll;

/// Purposes of draws; the component that elects uses others.
const WAIT_DRAW: u32 = 0;
const EQUILIBRIUM_DRAW: u32 = 1;
const PHASE_DRAW: u32 = 2;
const SERVER_DRAW: u32 = 14;
const LOSS_DRAW: u32 = 15;

/// The first purpose of a draw that is free for the component that elects.
pub const FREE_DRAW: u32 = 3;

/// What an elector has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing new.
    Nothing,
    /// It leads from now on; the attempt that won began then.
    Won(Time),
    /// It could not renew in time: the process must end.
    Lost,
    /// The Lease is given back, or could not be: the process may end.
    Released,
}

/// What the elector is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The process does not run.
    Idle,
    /// Does not hold the Lease and tries to.
    Waiting,
    /// Leads, and renews.
    Leading,
    /// Gives the Lease back.
    Releasing,
}

/// The record as a candidate last saw it change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Observed {
    /// Which state of the record.
    revision: Revision,
    /// Who held it.
    holder: Option<Holder>,
    /// When the candidate saw it first.
    at: Time,
    /// When it will have expired for the candidate, if it does not change.
    expires: Time,
}

/// What tells two states of the record apart.
type Revision = (u64, Option<Time>);

/// Leader election of one process. Its component hands every cause over that concerns it.
#[derive(Clone, Debug)]
pub struct Elector<A> {
    me: ComponentId,
    lease: ComponentId,
    election: Election,
    path: Path,
    alarm: A,
    /// The alarm of the connection that is kept.
    link_alarm: A,
    /// The connection, if one is kept.
    link: Option<Link>,
    phase: Phase,
    /// The path and the record when they were last looked at.
    reading: Reading,
    seen: LeaseFact,
    /// When reads last began to work, and when reads or writes did.
    readable: Time,
    usable: Time,
    /// What kept it from the API before that.
    silence: &'static str,
    /// The event at which the record last changed.
    turned: EventId,
    /// When it was last written other than by a regular renewal, as a standby saw it happen.
    written: Time,
    /// The event with which the holder's present cycle began.
    cycle_event: EventId,
    observed: Option<Observed>,
    attempt: Option<Attempt>,
    poll: Poll,
    renewal: Renewal,
    /// The key of the next call; never used twice, whatever becomes of the process.
    calls: u64,
    planned: Option<Time>,
    /// The machine's clock as alarms were last planned by it, and how long it has stood still.
    clock: Clock,
    slept: Duration,
    /// When a settled start began: until the record is there, it has not been read.
    settled: Time,
    /// Makes every attempt, whether it can change anything or not.
    eager: bool,
    /// The request of the present attempt has been lost so often that it will not be answered.
    doomed: bool,
    /// The process stood still while a request was under way: what it knows of that renewal is late.
    late: bool,
}

impl<A: Alarm> Elector<A> {
    /// An elector for `lease` whose alarm is `alarm`; that of the connection it keeps is `link_alarm`.
    pub fn new(
        me: ComponentId,
        lease: ComponentId,
        election: Election,
        path: Path,
        (alarm, link_alarm): (A, A),
    ) -> Self {
        Self {
            me,
            lease,
            election,
            path,
            alarm,
            link_alarm,
            link: None,
            phase: Phase::Idle,
            reading: Reading::IDEAL,
            seen: LeaseFact::default(),
            readable: Time::ZERO,
            usable: Time::ZERO,
            silence: standby::WITHOUT_API,
            turned: EventId::START,
            written: Time::START,
            cycle_event: EventId::START,
            observed: None,
            attempt: None,
            poll: Poll::unknown(),
            renewal: Renewal::Asleep { since: Time::ZERO },
            calls: 0,
            planned: None,
            clock: Clock::default(),
            slept: Duration::ZERO,
            settled: Time::ZERO,
            eager: false,
            doomed: false,
            late: false,
        }
    }

    /// The same; `eager`: one that makes every attempt, as a proof of laziness runs beside it.
    #[must_use]
    pub fn eager(self, eager: bool) -> Self {
        Self { eager, ..self }
    }

    /// Whether it believes that it leads.
    pub fn leads(&self) -> bool {
        self.phase == Phase::Leading
    }

    /// The way of the process's requests, over the connection that it keeps.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Begins in the midst of a long life: as the holder, or as one of those that wait. Until the API
    /// server has told its state, it is taken to work.
    pub fn settle(&mut self, view: &View, fx: &mut Effects<A>) {
        self.settled = view.now;
        self.clock = view.clock();
        let reading = self.path.look(view);
        self.reading = if reading.is_steady() { reading } else { Reading::IDEAL };
        self.seen = self.record(view);
        if view.all.settlement.holder_of(self.lease) == Some(self.me) {
            self.settle_as_holder(view, fx);
        } else {
            self.phase = Phase::Waiting;
            self.poll = Poll::unknown();
        }
        self.begin_link(view);
        self.adopt_link(view, fx);
    }

    /// The process has started; its first attempt comes at `first`.
    pub fn boot(&mut self, first: Time, view: &View, fx: &mut Effects<A>) {
        self.phase = Phase::Waiting;
        self.clock = view.clock();
        self.slept = view.slept();
        self.begin_link(view);
        self.reading = self.path.look(view);
        self.seen = self.record(view);
        self.poll = Poll::starting(view.now, first);
        self.plan(view, fx);
    }

    /// The process is gone; what it had renewed without saying so is booked.
    pub fn end(&mut self, view: &View, fx: &mut Effects<A>) {
        if self.phase == Phase::Leading {
            self.book_renewals(view, fx);
        }
        self.phase = Phase::Idle;
        self.observed = None;
        self.attempt = None;
        self.late = false;
        self.planned = None;
        self.link = None;
        self.path.over = None;
    }

    /// Something on the path, or the record, has changed.
    pub fn look(&mut self, view: &View, fx: &mut Effects<A>) {
        match self.phase {
            Phase::Idle | Phase::Releasing => {}
            Phase::Waiting => self.look_waiting(view, fx),
            Phase::Leading => self.look_leading(view, fx),
        }
    }

    /// Its alarm is due.
    pub fn ring(&mut self, view: &View, fx: &mut Effects<A>) -> Verdict {
        self.planned = None;
        match (self.phase, self.attempt) {
            (Phase::Idle, _) => Verdict::Nothing,
            (Phase::Leading, _) => self.ring_leading(view, fx),
            (_, Some(attempt)) if view.now >= attempt.deadline => {
                self.give_up_call(attempt.call, fx);
                self.failed(attempt, view, fx)
            }
            (_, Some(_)) if self.ask_again(view, fx) => Verdict::Nothing,
            (Phase::Waiting, None) => {
                self.try_now(view, fx);
                Verdict::Nothing
            }
            _ => Verdict::Nothing,
        }
    }

    /// No code runs from now on. What is in flight stays there.
    pub fn pause(&mut self, view: &View, fx: &mut Effects<A>) {
        match self.phase {
            Phase::Waiting => self.catch_up(view, fx),
            Phase::Leading => {
                self.book_renewals(view, fx);
                self.leave_cadence(view, fx);
            }
            Phase::Idle | Phase::Releasing => {}
        }
    }

    /// Code runs again: what was due meanwhile comes now.
    pub fn resume(&mut self, view: &View, fx: &mut Effects<A>) {
        self.sleep_off(view);
        self.late |= self.attempt.is_some();
        if self.phase == Phase::Waiting && self.attempt.is_none() {
            self.poll.next = self.poll.next.max(view.now);
        }
        self.look(view, fx);
    }

    /// What it had planned and observed keeps its distance on a clock that stood still.
    fn sleep_off(&mut self, view: &View) {
        let by = view.slept().saturating_sub(std::mem::replace(&mut self.slept, view.slept()));
        if by.is_zero() {
            return;
        }
        let planned = self.planned.iter_mut();
        let attempt = self.attempt.iter_mut().flat_map(|a| {
            let own = [&mut a.started, &mut a.deadline];
            own.into_iter().chain(a.again.as_mut())
        });
        let observed = self.observed.iter_mut().flat_map(|o| [&mut o.at, &mut o.expires]);
        let own = planned.chain(attempt).chain(observed);
        for at in own.chain(self.poll.instants()).chain(self.renewal.instants()) {
            *at += by;
        }
        self.link_slept(by);
    }

    /// The machine's clock runs at another rate: waits under way stretch or shrink.
    pub fn clock_changed(&mut self, view: &View, fx: &mut Effects<A>) {
        if self.phase == Phase::Waiting {
            self.catch_up(view, fx);
        }
        let before = std::mem::replace(&mut self.clock, view.clock());
        let clock = self.clock;
        let rescaled = |at: Time| {
            let left = at.saturating_since(view.now);
            if left.is_zero() { at } else { view.now + clock.carries_on(left, before) }
        };
        self.poll.next = rescaled(self.poll.next);
        if let Some(observed) = &mut self.observed {
            observed.expires = rescaled(observed.expires);
        }
        if self.phase == Phase::Leading {
            self.book_renewals(view, fx);
            self.leave_cadence(view, fx);
        }
        self.look(view, fx);
    }

    /// The record as a linearizable read would return it.
    fn record(&self, view: &View) -> LeaseFact {
        view.lease(self.lease).copied().unwrap_or_default()
    }

    fn identity(&self, view: &View) -> Holder {
        let start = view.process(self.me).incarnation;
        Holder { component: self.me, incarnation: if self.election.by_node { 0 } else { start } }
    }

    /// Takes note of the record as it was at `read`, known to the candidate at `known`.
    fn observe(&mut self, record: &LeaseFact, read: Time, known: Time) {
        if matches!(record.renewals, Renewals::Once(at) if at > read) {
            return;
        }
        let revision = record.revision(read);
        if self.observed.is_some_and(|o| o.revision == revision) {
            return;
        }
        let expires = known + self.clock.lasts(self.lease_duration(record));
        self.observed = Some(Observed { revision, holder: record.holder, at: known, expires });
    }

    /// How long a record is honoured by this candidate.
    fn lease_duration(&self, record: &LeaseFact) -> Duration {
        if self.election.client_go.expiry_by_record() {
            Duration::from_secs(u64::from(record.duration_seconds))
        } else {
            self.election.lease_duration
        }
    }

    /// Sets the alarm, unless it is set for that instant already: its blame then stays as it is.
    fn set(&mut self, at: Time, blame: impl FnOnce() -> Blame, fx: &mut Effects<A>) {
        if self.planned != Some(at) {
            self.planned = Some(at);
            fx.set(self.alarm, at, blame());
        }
    }

    fn unset(&mut self, fx: &mut Effects<A>) {
        if self.planned.take().is_some() {
            fx.clear(self.alarm);
        }
    }

    /// Replaces what the record says of its renewals, as its holder.
    fn commit_renewals(&self, record: LeaseFact, renewals: Renewals, fx: &mut Effects<A>) {
        fx.commit(self.lease, Fact::Lease(LeaseFact { renewals, ..record }));
    }
}

//! One attempt at the Lease (`tryAcquireOrRenew`): read, decide, write; each request with
//! its own time-out.

use super::{Elector, Observed, Phase, Revision, Verdict};
use crate::component::fact::{LeaseFact, Renewals};
use crate::component::mail::{Call, Op, Outcome, Reply};
use crate::component::record::Record;
use crate::component::{Alarm, Blame, ComponentId, Effects, View};
use crate::kernel::time::{Duration, Time};

/// How far an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Writes without having read: if that fails, it reads.
    Fast(Revision),
    /// Reads.
    Get,
    /// Writes what replaces the state that was read.
    Put(Revision),
}

/// An attempt under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    /// When it began: the clock that expiry is compared with.
    pub(super) started: Time,
    pub(super) stage: Stage,
    /// The key of its request.
    pub(super) call: u64,
    /// When its request is given up.
    pub(super) deadline: Time,
    /// When a request that was turned away (429) is sent again.
    pub(super) again: Option<Time>,
    /// How often that has been done.
    pub(super) tries: u32,
}

/// client-go repeats what was answered with `Retry-After` so often, and the server names 1 s.
/// client-go: `rest/with_retry.go`, `maxRetries` 10; apiserver: filters/maxinflight.go.
const TRIES_MAX: u32 = 10;
const RETRY_AFTER: Duration = Duration::from_secs(1);

impl<A: Alarm> Elector<A> {
    /// Sends a request of the attempt that began at `started`. The request's time-out counts from
    /// `from`.
    pub(super) fn ask(
        &mut self,
        stage: Stage,
        started: Time,
        from: Time,
        view: &View,
        fx: &mut Effects<A>,
    ) {
        if started == view.now {
            fx.record(Record::Attempt { lease: self.lease });
        }
        let deadline = (from + self.clock.lasts(self.election.client_timeout)).max(view.now);
        let attempt = Attempt { started, stage, call: self.calls, deadline, again: None, tries: 0 };
        self.calls += 1;
        self.request(attempt, view, fx);
    }

    /// Sends the attempt's present request.
    fn request(&mut self, attempt: Attempt, view: &View, fx: &mut Effects<A>) {
        let Attempt { stage, deadline, .. } = attempt;
        self.attempt = Some(attempt);
        let op = match stage {
            Stage::Get => Op::GetLease(self.lease),
            Stage::Fast(expected) | Stage::Put(expected) => Op::PutLease {
                lease: self.lease,
                expected,
                record: self.new_record(expected, view),
            },
        };
        if !std::mem::take(&mut self.doomed) {
            self.send(Call { id: attempt.call, op, deadline }, view, fx);
        }
        self.set_deadline(view, fx);
    }

    /// The alarm for the end of the request, or of the cycle that it belongs to.
    fn set_deadline(&mut self, view: &View, fx: &mut Effects<A>) {
        let Some(attempt) = self.attempt else { return };
        let cycle = self.cycle_ends().unwrap_or(Time::NEVER);
        if let Some(again) = attempt.again.filter(|at| *at < attempt.deadline.min(cycle)) {
            let wait = again.saturating_since(view.now);
            self.set(again.max(view.now), || Blame::of("Retry-After", wait), fx);
        } else if cycle <= attempt.deadline && !cycle.is_never() {
            self.await_end_of_cycle(cycle.max(view.now), fx);
        } else {
            let (at, now) = (attempt.deadline, view.now);
            self.set(
                at,
                || Blame::of("request time-out of the election client", at.since(now)),
                fx,
            );
        }
    }

    /// The record that this instance writes over the state it knows.
    fn new_record(&self, expected: Revision, view: &View) -> LeaseFact {
        let old = self.record(view);
        let me = Some(self.identity(view));
        let written =
            LeaseFact { renewals: Renewals::Once(view.now), writes: expected.0 + 1, ..old };
        if self.phase == Phase::Releasing {
            return LeaseFact { holder: None, duration_seconds: 1, ..written };
        }
        let duration_seconds = self.election.duration_seconds();
        if self.observed.is_some_and(|o| o.holder == me) {
            return LeaseFact { holder: me, duration_seconds, ..written };
        }
        LeaseFact {
            holder: me,
            duration_seconds,
            transitions: old.transitions + u32::from(expected.0 > 0),
            acquired: Some(view.now),
            ..written
        }
    }

    /// An answer has arrived, or what the transport reports instead.
    pub fn reply(
        &mut self,
        reply: &Reply,
        from: ComponentId,
        view: &View,
        fx: &mut Effects<A>,
    ) -> Verdict {
        if let Some(verdict) = self.hear_link(reply, from, view, fx) {
            return verdict;
        }
        let Some(attempt) = self.attempt.filter(|a| a.call == reply.id) else {
            return Verdict::Nothing;
        };
        if self.path.is_refused(view) {
            return self.failed(attempt, view, fx);
        }
        match (attempt.stage, reply.outcome) {
            (Stage::Get, Outcome::Lease(record)) => {
                self.decide(attempt, record.unwrap_or_default(), view, fx)
            }
            (Stage::Fast(expected) | Stage::Put(expected), Outcome::Done) => {
                self.attempt = None;
                self.observe_own(expected, view);
                self.succeeded(attempt, view, fx)
            }
            (_, Outcome::TooMany) if attempt.tries < TRIES_MAX => {
                let again = Some(view.now + self.clock.lasts(RETRY_AFTER));
                self.attempt = Some(Attempt { again, ..attempt });
                self.set_deadline(view, fx);
                Verdict::Nothing
            }
            _ => self.failed(attempt, view, fx),
        }
    }

    /// Sends a request again that was turned away, if its time has come.
    pub(super) fn ask_again(&mut self, view: &View, fx: &mut Effects<A>) -> bool {
        let due = |attempt: &Attempt| attempt.again.is_some_and(|at| at <= view.now);
        let Some(attempt) = self.attempt.filter(due) else { return false };
        let (call, tries) = (self.calls, attempt.tries + 1);
        self.calls += 1;
        self.request(Attempt { call, again: None, tries, ..attempt }, view, fx);
        true
    }

    /// What a read means: hands off, or write.
    fn decide(
        &mut self,
        attempt: Attempt,
        record: LeaseFact,
        view: &View,
        fx: &mut Effects<A>,
    ) -> Verdict {
        self.observe(&record, view.now, view.now);
        let me = self.identity(view);
        let held_by_other = record.holder.is_some_and(|holder| holder != me);
        let expires = self.observed.map_or(Time::ZERO, |o| o.expires);
        let hands_off = match self.phase {
            Phase::Releasing => record.holder != Some(me),
            _ => held_by_other && expires > attempt.started,
        };
        if hands_off {
            self.attempt = None;
            return self.gave_way(view, fx);
        }
        let expected = record.revision(view.now);
        self.ask(Stage::Put(expected), attempt.started, view.now, view, fx);
        Verdict::Nothing
    }

    /// The own write is the newest state that this instance knows.
    fn observe_own(&mut self, expected: Revision, view: &View) {
        let record = self.record(view);
        let me = Some(self.identity(view));
        let revision =
            if record.holder == me { record.revision(view.now) } else { (expected.0 + 1, None) };
        let whole = Duration::from_secs(u64::from(self.election.duration_seconds()));
        let lasts = if self.election.client_go.expiry_by_record() {
            whole
        } else {
            self.election.lease_duration
        };
        let expires = view.now + self.clock.lasts(lasts);
        self.observed = Some(Observed { revision, holder: me, at: view.now, expires });
    }

    fn succeeded(&mut self, attempt: Attempt, view: &View, fx: &mut Effects<A>) -> Verdict {
        match self.phase {
            Phase::Waiting => {
                self.phase = Phase::Leading;
                self.renewed(view, fx);
                Verdict::Won(attempt.started)
            }
            Phase::Leading => {
                self.renewed(view, fx);
                Verdict::Nothing
            }
            Phase::Releasing | Phase::Idle => self.done_releasing(fx),
        }
    }

    /// A request failed or timed out.
    pub(super) fn failed(&mut self, attempt: Attempt, view: &View, fx: &mut Effects<A>) -> Verdict {
        self.attempt = None;
        if let Stage::Fast(_) = attempt.stage {
            self.ask(Stage::Get, attempt.started, view.now, view, fx);
            return Verdict::Nothing;
        }
        self.gave_way(view, fx)
    }

    /// The attempt as a whole came to nothing.
    fn gave_way(&mut self, view: &View, fx: &mut Effects<A>) -> Verdict {
        match self.phase {
            Phase::Waiting => self.wait_again(view, fx),
            Phase::Leading => self.await_tick(view, fx),
            Phase::Releasing | Phase::Idle => return self.done_releasing(fx),
        }
        Verdict::Nothing
    }

    fn done_releasing(&mut self, fx: &mut Effects<A>) -> Verdict {
        self.unset(fx);
        self.phase = Phase::Idle;
        Verdict::Released
    }

    /// SIGTERM: gives the Lease back if that is configured. [`Verdict::Released`] may come later.
    pub fn stop(&mut self, view: &View, fx: &mut Effects<A>) -> Verdict {
        if self.phase != Phase::Leading || !self.election.release_on_cancel {
            return Verdict::Released;
        }
        self.book_renewals(view, fx);
        self.leave_cadence(view, fx);
        if let Some(attempt) = self.attempt.take() {
            self.give_up_call(attempt.call, fx);
        }
        let me = self.identity(view);
        let Some(observed) = self.observed.filter(|o| o.holder == Some(me)) else {
            return Verdict::Released;
        };
        self.phase = Phase::Releasing;
        let stage = if self.election.client_go.release_reads() {
            Stage::Get
        } else {
            Stage::Put(observed.revision)
        };
        self.ask(stage, view.now, view.now, view, fx);
        Verdict::Nothing
    }
}

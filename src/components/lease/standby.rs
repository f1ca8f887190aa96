//! One who does not hold the Lease: follows its own sequence of attempts by arithmetic, and sets an
//! alarm for the first one that may take the Lease.

use super::attempt::Stage;
use super::{EQUILIBRIUM_DRAW, Elector, JITTER_FACTOR, Reading, Response, WAIT_DRAW};
use crate::component::fact::Renewals;
use crate::component::{Alarm, Blame, Effects, View};
use crate::kernel::time::{Duration, Time};

/// Terms of a takeover's blame.
pub(super) const WITHOUT_API: &str = "time without the API";
const UNTIL_READ: &str = "retryPeriod × jitter until the last renewal was read";
const LEASE_DURATION: &str = "leaseDuration";
const NEXT_TRY: &str = "retryPeriod × jitter until the next try";
const FIRST_TRY: &str = "process start to first attempt";

impl<A: Alarm> Elector<A> {
    /// Brings the sequence of attempts up to now, under the path and the record as they were.
    pub(super) fn catch_up(&mut self, view: &View, fx: &mut Effects<A>) {
        if self.attempt.is_some() || self.has_nothing_to_read(view) {
            return;
        }
        self.find_if_lost(view, fx);
        loop {
            self.note_read(view);
            if self.poll.first || self.poll.next >= view.now {
                return;
            }
            let took = self.attempt_takes(self.poll.next);
            let wait = self.wait(fx);
            self.poll.step(took, wait);
        }
    }

    /// At a settled start the record is there a moment later.
    fn has_nothing_to_read(&self, view: &View) -> bool {
        view.now <= self.settled && self.seen.holder.is_none()
    }

    /// Where the sequence was lost track of, its place is drawn; but its first attempt since then is
    /// looked at, for it may have been the first to read the present record.
    fn find_if_lost(&mut self, view: &View, fx: &mut Effects<A>) {
        let took = self.attempt_takes(view.now);
        let shortest = self.clock.lasts(self.election.retry_period).saturating_add(took);
        let longest = self.clock.lasts(self.election.longest_wait()).saturating_add(took);
        if self.poll.is_lost(view.now, longest) {
            if self.poll.next > Time::ZERO {
                let wait = self.wait(fx);
                self.poll.step(took, wait);
                self.note_read(view);
            }
            self.poll.find(view.now, shortest, longest, took, fx.draw(EQUILIBRIUM_DRAW));
        }
    }

    /// The answer of the last computed attempt, once it is there.
    fn note_read(&mut self, view: &View) {
        if !self.poll.unread || self.poll.ends > view.now {
            return;
        }
        self.poll.unread = false;
        if self.reading.read != Response::Hangs {
            self.poll.heard = self.poll.ends;
        }
        if self.reading.read.works() {
            let (read, known) = (self.poll.ends - self.reading.back, self.poll.ends);
            let record = self.seen;
            self.observe(&record, read, known);
        }
    }

    /// How long an attempt takes that begins at `start` and changes nothing.
    fn attempt_takes(&self, start: Time) -> Duration {
        let timeout = self.clock.lasts(self.election.client_timeout);
        let read = self.reading.read.took(timeout);
        let expired = self.seen.holder.is_none()
            || self
                .observed
                .is_some_and(|o| o.expires <= start && o.revision == self.seen.revision(start));
        if self.reading.read.works() && expired && !self.reading.write.works() {
            return read.saturating_add(self.reading.write.took(timeout));
        }
        read
    }

    /// The next wait between two attempts, in true time.
    fn wait(&mut self, fx: &mut Effects<A>) -> Duration {
        let ahead = self.poll.take_ahead();
        self.clock.lasts(ahead.unwrap_or_else(|| jittered(self.election.retry_period, fx)))
    }

    /// The path or the record has changed.
    pub(super) fn look_waiting(&mut self, view: &View, fx: &mut Effects<A>) {
        let begins = self.has_nothing_to_read(view);
        self.catch_up(view, fx);
        self.review_link(view, fx);
        let (reading, record) = (self.path.look(view), self.record(view));
        let breaks = reading.read.differs(self.reading.read);
        if record != self.seen {
            self.turned = fx.event();
        }
        if record.writes != self.seen.writes {
            self.written = view.now;
        }
        self.take_reading(reading, view);
        self.seen = record;
        if begins {
            self.catch_up(view, fx);
        }
        let in_flight = self.attempt.is_none()
            && self.poll.unread
            && self.poll.began <= view.now
            && view.now < self.poll.ends;
        if breaks && in_flight {
            self.poll.unread = false;
            let began = self.poll.began;
            self.ask(Stage::Get, began, began, view, fx);
        } else {
            self.plan(view, fx);
        }
    }

    /// What the path offers from now on; when it began to work counts where a wait is explained.
    fn take_reading(&mut self, reading: Reading, view: &View) {
        let begins = |before: Response, after: Response| after.works() && !before.works();
        if begins(self.reading.read, reading.read) {
            self.readable = view.now;
        }
        if begins(self.reading.read, reading.read) || begins(self.reading.write, reading.write) {
            self.usable = view.now;
        }
        if begins(reading.read, self.reading.read) {
            self.silence = WITHOUT_API;
        }
        self.reading = reading;
    }

    /// Sets the one alarm for the next attempt that has to be made, if there is one.
    pub(super) fn plan(&mut self, view: &View, fx: &mut Effects<A>) {
        if self.attempt.is_some() {
            return;
        }
        match self.next_try(view, fx) {
            Some((at, blame)) => self.set(at, || blame, fx),
            None => self.unset(fx),
        }
    }

    fn next_try(&mut self, view: &View, fx: &mut Effects<A>) -> Option<(Time, Blame)> {
        let now = view.now;
        if self.poll.first {
            let at = self.poll.next.max(now);
            return Some((at, Blame::of(FIRST_TRY, at.since(now))));
        }
        if self.eager || self.link_awaits_attempt() {
            self.find_if_lost(view, fx);
            let at = self.poll.next.max(now);
            return Some((at, self.blame_of_reconnecting(at, now)));
        }
        let renewed_for_long = matches!(self.seen.renewals, Renewals::Every(_));
        if !(self.reading.read.works() && self.reading.write.works()) || renewed_for_long {
            return None;
        }
        self.find_if_lost(view, fx);
        let held = self.seen.holder.is_some_and(|holder| holder != self.identity(view));
        if !held {
            let at = self.poll.next.max(now);
            return Some((at, Blame::of(NEXT_TRY, at.since(now))));
        }
        let (known, expires) = self.expiry(view);
        let at = self.first_from(expires, fx).max(now);
        let renewed = self.seen.renewals.last(now).unwrap_or(now);
        // However often this is planned again, the wait began with the record's last renewal; with one
        // that lay in a log without a quorum, when that was committed at last.
        let began = renewed.max(self.written).min(now);
        // Nobody waits for jitter while there is no API: neither for the first read, nor for the try.
        let silent = if self.readable <= known { self.readable } else { began };
        let terms = [
            (self.silence, silent),
            (UNTIL_READ, known),
            (LEASE_DURATION, expires),
            (self.silence, self.usable.min(at)),
            (NEXT_TRY, at),
        ];
        Some((at, Blame::stretches(began, &terms).since(self.turned)))
    }

    /// What an attempt waited for that dials, or that goes out on a half-dead connection.
    fn blame_of_reconnecting(&self, at: Time, now: Time) -> Blame {
        let Some(renewed) = self.seen.renewals.last(now).filter(|_| self.seen.holder.is_some())
        else {
            return Blame::of(NEXT_TRY, at.since(now));
        };
        let silent = if self.reading.read.works() { self.usable.min(now) } else { now };
        let terms = [(self.silence, silent), (NEXT_TRY, at)];
        Blame::stretches(renewed.max(self.written).min(now), &terms).since(self.turned)
    }

    /// When this instance knows the present record, and when that will have expired for it.
    fn expiry(&self, view: &View) -> (Time, Time) {
        let current = self.seen.revision(view.now);
        if let Some(observed) = self.observed.filter(|o| o.revision == current) {
            return (observed.at, observed.expires);
        }
        let took = self.attempt_takes(self.poll.next);
        let pending = self.poll.unread
            && current.1.is_none_or(|renewed| self.poll.ends - self.reading.back >= renewed);
        let known = if pending { self.poll.ends } else { self.poll.next + took };
        (known, known + self.clock.lasts(self.lease_duration(&self.seen)))
    }

    /// The first attempt that begins at or after `expires`.
    fn first_from(&mut self, expires: Time, fx: &mut Effects<A>) -> Time {
        let took = self.reading.read.took(self.clock.lasts(self.election.client_timeout));
        let retry = self.election.retry_period;
        let mut at = self.poll.next;
        let mut n = 0;
        while at < expires {
            at = at + took + self.clock.lasts(self.poll.ahead(n, || jittered(retry, fx)));
            n += 1;
        }
        at
    }

    /// Makes an attempt.
    pub(super) fn try_now(&mut self, view: &View, fx: &mut Effects<A>) {
        self.note_read(view);
        while self.poll.next < view.now {
            let took = self.attempt_takes(self.poll.next);
            let wait = self.wait(fx);
            self.poll.step(took, wait);
            self.note_read(view);
        }
        self.poll.first = false;
        self.poll.began = view.now;
        self.poll.unread = false;
        self.ask(Stage::Get, view.now, view.now, view, fx);
    }

    /// A real attempt came to nothing: the next one follows after a jittered wait.
    pub(super) fn wait_again(&mut self, view: &View, fx: &mut Effects<A>) {
        let wait = self.wait(fx);
        self.poll.ended(view.now, wait);
        let reading = self.path.look(view);
        self.take_reading(reading, view);
        self.seen = self.record(view);
        self.plan(view, fx);
    }
}

/// One wait between two attempts: `JitterUntil` with factor 1.2, on the candidate's own clock.
pub(super) fn jittered<A: Alarm>(retry_period: Duration, fx: &mut Effects<A>) -> Duration {
    let most = retry_period.mul_f64(JITTER_FACTOR);
    retry_period.saturating_add(fx.draw(WAIT_DRAW).uniform_duration(Duration::ZERO, most))
}

//! The holder: renews every `retryPeriod`, as a cadence while its path is steady and attempt by
//! attempt while it is not; gives up when one cycle has failed for `renewDeadline`.

use super::attempt::Stage;
use super::{Elector, Observed, PHASE_DRAW, Phase, Verdict};
use crate::component::fact::{LeaseFact, Renewals};
use crate::component::{Alarm, Blame, Effects, View};
use crate::kernel::cadence::Cadence;
use crate::kernel::time::{Duration, Time};

const RETRY_PERIOD: &str = "retryPeriod";
const RENEW_DEADLINE: &str = "renewDeadline";

/// How the holder renews at present.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Renewal {
    /// At every tick a renewal commits.
    Regular(Cadence),
    /// Between two cycles; the last one succeeded then.
    Asleep { since: Time },
    /// In a cycle that began at `start`. `ticks` is where its ticks count from, once that is known.
    Cycle { start: Time, ticks: Option<Time> },
}

impl Renewal {
    /// The instants from which renewals that are made one by one count.
    pub(super) fn instants(&mut self) -> impl Iterator<Item = &mut Time> {
        let (first, second) = match self {
            Renewal::Regular(_) => (None, None),
            Renewal::Asleep { since } => (Some(since), None),
            Renewal::Cycle { start, ticks } => (Some(start), ticks.as_mut()),
        };
        first.into_iter().chain(second)
    }
}

impl<A: Alarm> Elector<A> {
    /// A holder that has renewed for long, in a phase that is drawn.
    pub(super) fn settle_as_holder(&mut self, view: &View, fx: &mut Effects<A>) {
        let period = self.cycle_takes() + self.clock.lasts(self.election.retry_period);
        let age = fx.draw(PHASE_DRAW).uniform_duration(Duration::ZERO, period);
        let cadence = Cadence::new(view.now - age, period);
        self.phase = Phase::Leading;
        self.renewal = Renewal::Regular(cadence);
        self.seen = LeaseFact {
            holder: Some(self.identity(view)),
            duration_seconds: self.election.duration_seconds(),
            renewals: Renewals::Every(cadence),
            writes: self.seen.writes + 1,
            ..self.seen
        };
        let record = self.seen;
        self.commit_renewals(record, record.renewals, fx);
        self.await_failure(view, fx);
    }

    /// How long a successful renewal takes on this path.
    pub(super) fn cycle_takes(&self) -> Duration {
        let timeout = self.clock.lasts(self.election.client_timeout);
        let write = self.reading.write.took(timeout);
        if self.election.client_go.fast_path() {
            write
        } else {
            write.saturating_add(self.reading.read.took(timeout))
        }
    }

    /// The path or the record has changed.
    pub(super) fn look_leading(&mut self, view: &View, fx: &mut Effects<A>) {
        let reading = self.path.look(view);
        let record = self.record(view);
        if let Renewal::Regular(_) = self.renewal {
            let same = reading == self.reading;
            let mine = record.holder == self.seen.holder && record.writes == self.seen.writes;
            if same && mine {
                return;
            }
            self.book_renewals(view, fx);
            self.leave_cadence(view, fx);
        }
        self.review_link(view, fx);
        self.reading = reading;
        self.seen = record;
        self.rest(view, fx);
    }

    /// Books the last renewal that has committed as the record's last one.
    pub(super) fn book_renewals(&mut self, view: &View, fx: &mut Effects<A>) {
        let Renewal::Regular(cadence) = self.renewal else { return };
        let record = self.record(view);
        if record.holder == self.seen.holder
            && record.renewals == Renewals::Every(cadence)
            && let Some(last) = cadence.last_at_or_before(view.now)
        {
            self.commit_renewals(record, Renewals::Once(last), fx);
        }
    }

    /// From now on renewals are made one by one; one that is in flight is sent.
    pub(super) fn leave_cadence(&mut self, view: &View, fx: &mut Effects<A>) {
        let Renewal::Regular(cadence) = self.renewal else { return };
        let committed = cadence.last_at_or_before(view.now).unwrap_or(view.now);
        let since = committed + self.reading.back;
        self.renewal = Renewal::Asleep { since };
        self.link_heard(since, view);
        let lasts = self.clock.lasts(self.lease_duration(&self.seen));
        self.observed = Some(Observed {
            revision: (self.seen.writes, Some(committed)),
            holder: self.seen.holder,
            at: since,
            expires: since + lasts,
        });
        let start = since + self.clock.lasts(self.election.retry_period);
        if start <= view.now {
            self.go_on_with_cycle(start, view, fx);
        } else {
            self.await_cycle(start, since, view, fx);
        }
    }

    /// Between two cycles: either renewals can be computed, or the next cycle gets an alarm.
    fn rest(&mut self, view: &View, fx: &mut Effects<A>) {
        let Renewal::Asleep { since } = self.renewal else { return };
        let start = since + self.clock.lasts(self.election.retry_period);
        if start <= view.now {
            self.set(view.now, Blame::default, fx);
            return;
        }
        let known = self.observed.is_some_and(|o| o.revision == self.seen.revision(view.now));
        let mine = self.seen.holder == Some(self.identity(view));
        let computable = self.reading.is_steady() && self.is_joined() && !self.eager && !self.late;
        if !(known && mine && computable && self.fits(since, view)) {
            self.await_cycle(start, since, view, fx);
            return;
        }
        let takes = self.cycle_takes();
        let commits = start + (takes.saturating_sub(self.reading.back));
        let period = takes + self.clock.lasts(self.election.retry_period);
        let cadence = Cadence::new(commits, period);
        self.renewal = Renewal::Regular(cadence);
        self.seen.renewals = Renewals::Every(cadence);
        self.commit_renewals(self.seen, self.seen.renewals, fx);
        self.await_failure(view, fx);
    }

    /// Whether a cadence through the last success would tell the last renewal as it was. Not so if the
    /// answer was found long after the write, by a process that had slept.
    fn fits(&self, since: Time, view: &View) -> bool {
        let told = since - self.reading.back;
        let renewed = self.seen.renewals.last(view.now);
        let slack = self.election.retry_period / 2;
        renewed.is_some_and(|renewed| told.saturating_since(renewed) < slack)
    }

    fn await_cycle(&mut self, start: Time, since: Time, view: &View, fx: &mut Effects<A>) {
        let wait = start.since(since.min(view.now));
        self.set(start, || Blame::of(RETRY_PERIOD, wait), fx);
    }

    /// A renewal, or the first acquisition, has succeeded.
    pub(super) fn renewed(&mut self, view: &View, fx: &mut Effects<A>) {
        self.renewal = Renewal::Asleep { since: view.now };
        self.reading = self.path.look(view);
        self.seen = self.record(view);
        self.rest(view, fx);
    }

    fn begin_cycle(&mut self, start: Time, view: &View, fx: &mut Effects<A>) {
        self.late = false;
        let ticks = self.election.client_go.ticks_from_start().then_some(start);
        self.renewal = Renewal::Cycle { start, ticks };
        self.cycle_event = fx.event();
        self.attempt_renewal(start, view, fx);
    }

    /// A computed cycle becomes a real one with its first attempt in flight: its present request is
    /// sent.
    fn go_on_with_cycle(&mut self, start: Time, view: &View, fx: &mut Effects<A>) {
        let read = start + self.reading.read.took(self.clock.lasts(self.election.client_timeout));
        let known = self.observed.map(|o| o.revision);
        match known {
            Some(revision) if !self.election.client_go.fast_path() && read <= view.now => {
                let ticks = self.election.client_go.ticks_from_start().then_some(start);
                self.renewal = Renewal::Cycle { start, ticks };
                self.cycle_event = fx.event();
                self.ask(Stage::Put(revision), start, read, view, fx);
            }
            _ => self.begin_cycle(start, view, fx),
        }
    }

    /// One attempt of a cycle.
    fn attempt_renewal(&mut self, started: Time, view: &View, fx: &mut Effects<A>) {
        let me = Some(self.identity(view));
        let own = self.observed.filter(|o| o.holder == me && o.expires > started);
        let stage = match own {
            Some(own) if self.election.client_go.fast_path() => Stage::Fast(own.revision),
            _ => Stage::Get,
        };
        self.ask(stage, started, started, view, fx);
    }

    /// When the present cycle is given up.
    pub(super) fn cycle_ends(&self) -> Option<Time> {
        match (self.phase, self.renewal) {
            (Phase::Leading, Renewal::Cycle { start, .. }) => {
                Some(start + self.clock.lasts(self.election.renew_deadline))
            }
            _ => None,
        }
    }

    /// An attempt failed: the next one comes at the cycle's next tick, if there is time.
    pub(super) fn await_tick(&mut self, view: &View, fx: &mut Effects<A>) {
        let Renewal::Cycle { start, ticks } = self.renewal else { return };
        let now = view.now;
        let ticks = ticks.unwrap_or(now);
        self.renewal = Renewal::Cycle { start, ticks: Some(ticks) };
        let period = self.clock.lasts(self.election.retry_period).max(Duration::from_nanos(1));
        let tick = Cadence::new(ticks, period).first_after(now);
        let end = start + self.clock.lasts(self.election.renew_deadline);
        if tick < end {
            self.set(tick, || Blame::of(RETRY_PERIOD, tick.since(now)), fx);
        } else {
            self.await_end_of_cycle(end.max(now), fx);
        }
    }

    /// Gives up at `at`, which is `renewDeadline` after the cycle began, however often it tried.
    pub(super) fn await_end_of_cycle(&mut self, at: Time, fx: &mut Effects<A>) {
        let Renewal::Cycle { start, .. } = self.renewal else { return };
        let began = self.cycle_event;
        self.set(at, || Blame::of(RENEW_DEADLINE, at.since(start)).since(began), fx);
    }

    /// The alarm of a holder is due.
    pub(super) fn ring_leading(&mut self, view: &View, fx: &mut Effects<A>) -> Verdict {
        match self.renewal {
            Renewal::Regular(_) => self.doom(view, fx),
            Renewal::Asleep { .. } => self.begin_cycle(view.now, view, fx),
            Renewal::Cycle { .. } => return self.ring_in_cycle(view, fx),
        }
        Verdict::Nothing
    }

    fn ring_in_cycle(&mut self, view: &View, fx: &mut Effects<A>) -> Verdict {
        let over = self.cycle_ends().is_some_and(|end| view.now >= end);
        match self.attempt {
            _ if over => {
                if let Some(attempt) = self.attempt.take() {
                    self.give_up_call(attempt.call, fx);
                }
                Verdict::Lost
            }
            Some(attempt) if view.now >= attempt.deadline => {
                self.give_up_call(attempt.call, fx);
                self.failed(attempt, view, fx)
            }
            Some(_) => {
                self.ask_again(view, fx);
                Verdict::Nothing
            }
            None => {
                self.attempt_renewal(view.now, view, fx);
                Verdict::Nothing
            }
        }
    }
}

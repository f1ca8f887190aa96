//! The timer of a backup, which every accepted advert restarts.
//!
//! While a master's adverts arrive in time nothing is planned at all. When they cease, the last one
//! that arrived is computed from the master's cadence, and the timer runs from there.

use crate::component::id::ComponentId;
use crate::kernel::cadence::Cadence;
use crate::kernel::time::{Duration, Time};

/// A master whose adverts arrive and are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// Who.
    pub(super) peer: ComponentId,
    /// When its adverts leave.
    pub(super) adverts: Cadence,
    /// How long they travel.
    pub(super) delay: Duration,
    /// The priority in them.
    pub(super) priority: u8,
}

impl Source {
    fn arrival_after(&self, since: Time) -> Time {
        self.adverts.first_at_or_after(since) + self.delay
    }

    /// The last advert that left at or after `since` and before `until`.
    fn last_arrival(&self, since: Time, until: Time) -> Option<Time> {
        self.adverts.last_before(until).filter(|sent| *sent >= since).map(|sent| sent + self.delay)
    }
}

/// The master-down timer, and the masters that keep restarting it.
#[derive(Clone, Debug, Default)]
pub(super) struct Listening {
    /// When it ends, if no source restarts it.
    timer: Option<Time>,
    /// When it was restarted last, as far as that is booked.
    restarted: Option<Time>,
    /// Sources, with the instant from which each has been heard.
    sources: Vec<(Source, Time)>,
    /// A source restarts the timer in time.
    renewed: bool,
    /// All masters that are heard, accepted or not.
    heard: Vec<Source>,
}

impl Listening {
    /// Nobody was heard before `now`; the timer ends at `timer`.
    pub(super) fn start(&mut self, now: Time, timer: Time) {
        self.restart(now, timer);
        self.sources.clear();
        self.renewed = false;
    }

    /// An advert restarts the timer `now`; it ends at `timer`.
    pub(super) fn restart(&mut self, now: Time, timer: Time) {
        (self.timer, self.restarted) = (Some(timer), Some(now));
    }

    /// The timer's length changes while it runs.
    pub(super) fn shift(&mut self, from: Duration, to: Duration) {
        self.timer = self.timer.map(|timer| timer + to - from.min(timer.since(Time::ZERO)));
    }

    /// Whether somebody keeps restarting the timer.
    pub(super) fn hears_a_master(&self) -> bool {
        self.renewed
    }

    /// When the timer will end as things are: `None` while a source restarts it in time.
    pub(super) fn end(&self) -> Option<Time> {
        if self.renewed { None } else { self.timer }
    }

    /// These masters are heard, whether it matters at present or not.
    pub(super) fn note(&mut self, heard: Vec<Source>) {
        self.heard = heard;
    }

    /// From `now` on these masters are heard, and those that `accepts` restart the timer, whose full
    /// length is `wait`.
    pub(super) fn follow(
        &mut self,
        heard: Vec<Source>,
        accepts: impl Fn(&Source) -> bool,
        now: Time,
        wait: Duration,
    ) {
        if self.renewed {
            // What a master sent before it changed still arrives; a change of one's own mind counts
            // from the next arrival.
            let until = |s: &Source| if heard.contains(s) && !accepts(s) { now - s.delay } else { now };
            let last = self.sources.iter().filter_map(|(s, from)| s.last_arrival(*from, until(s)));
            if let Some(last) = last.max().filter(|last| Some(*last) > self.restarted) {
                self.restart(last, last + wait);
            }
        }
        let since = |s: &Source| match self.sources.iter().find(|(known, _)| known == s) {
            Some((_, from)) => *from,
            None if self.heard.contains(s) => now - s.delay,
            None => now,
        };
        let sources: Vec<(Source, Time)> =
            heard.iter().filter(|s| accepts(s)).map(|s| (*s, since(s))).collect();
        let timer = self.timer.unwrap_or(Time::NEVER);
        let renews = |(s, from): &(Source, Time)| {
            let next = s.arrival_after((now - s.delay).max(*from));
            next <= timer
        };
        self.renewed = sources.iter().any(renews);
        self.sources = sources;
        self.heard = heard;
    }

    /// The system has been at rest for long: what is heard now was heard before.
    pub(super) fn backdate(&mut self) {
        self.restarted = None;
        for (_, from) in &mut self.sources {
            *from = Time::ZERO;
        }
    }
}

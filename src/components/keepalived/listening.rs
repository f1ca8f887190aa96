//! The timer of a backup, which every accepted advert restarts.
//!
//! While a master's adverts arrive in time nothing is planned at all. When they cease, the last one
//! that arrived is computed from the master's cadence, and the timer runs from there. Where adverts
//! get lost for good, the next run of losses is drawn that is long enough to let the timer end.

use crate::component::id::ComponentId;
use crate::kernel::cadence::Cadence;
use crate::kernel::stream::Draw;
use crate::kernel::time::{Duration, Time};
use crate::transport::loss::{Runs, tries_before};

/// A master whose adverts arrive and are accepted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Source {
    /// Who.
    pub(super) peer: ComponentId,
    /// When its adverts leave.
    pub(super) adverts: Cadence,
    /// How long they travel.
    pub(super) delay: Duration,
    /// The priority in them.
    pub(super) priority: u8,
    /// How likely one is lost on the way.
    pub(super) loss: f64,
}

impl Source {
    fn period(&self) -> Duration {
        self.adverts.period()
    }

    /// How many adverts in a row have to be lost to let a timer of this length end.
    fn run(&self, wait: Duration) -> u32 {
        let fitting = wait.as_nanos() / self.period().as_nanos();
        u32::try_from(fitting).unwrap_or(u32::MAX).max(1)
    }

    /// How many of the last adverts were lost, too few to let a timer of this length end.
    fn missed(&self, wait: Duration, draw: &mut dyn FnMut() -> Draw) -> u64 {
        if self.loss <= 0.0 {
            return 0;
        }
        let lost = tries_before(1.0 - self.loss, &mut draw()).unwrap_or(u64::MAX);
        lost.min(u64::from(self.run(wait)) - 1)
    }

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
    /// When losses let a timer of this length end that this source restarts.
    deaf: Option<(Source, Duration, Time)>,
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
        draw: &mut dyn FnMut() -> Draw,
    ) {
        if self.renewed {
            // What a master sent before it changed still arrives; a change of one's own mind counts
            // from the next arrival.
            let until = |s: &Source| if heard.contains(s) && !accepts(s) { now - s.delay } else { now };
            let last = self.sources.iter().filter_map(|(s, from)| {
                let missed = s.period() * s.missed(wait, draw);
                s.last_arrival(*from, until(s)).map(|last| last - missed)
            });
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

    /// When losses alone let the timer end, whose full length is `wait`, if nothing changes. With two
    /// masters the one that is heard better counts.
    pub(super) fn deaf(&mut self, now: Time, wait: Duration, draw: &mut dyn FnMut() -> Draw) -> Option<Time> {
        let by_loss = |a: &&Source, b: &&Source| a.loss.total_cmp(&b.loss);
        let source = self.sources.iter().map(|(source, _)| source).min_by(by_loss).copied();
        let source = source.filter(|source| self.renewed && source.loss > 0.0)?;
        if let Some((of, length, end)) = self.deaf
            && (of, length) == (source, wait)
            && end >= now
        {
            return Some(end);
        }
        let runs = Runs { probability: source.loss, length: source.run(wait) };
        let tries = runs.tries(&mut draw())?;
        let next = source.arrival_after(now - source.delay);
        let last = next + source.period() * tries - source.period() * u64::from(runs.length + 1);
        let end = (last + wait).max(now);
        self.deaf = Some((source, wait, end));
        Some(end)
    }

    /// The system has been at rest for long: what is heard now was heard before.
    pub(super) fn backdate(&mut self) {
        self.restarted = None;
        for (_, from) in &mut self.sources {
            *from = Time::ZERO;
        }
    }
}

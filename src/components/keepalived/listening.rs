//! The timer of a backup, which every accepted advert restarts.
//!
//! While a master's adverts arrive in time nothing is planned at all. When they cease, the last one
//! that arrives is computed from the master's cadence, and the timer runs from there. An advert that
//! has left arrives, whatever becomes of its sender or of the path, and counts for what its receiver is
//! by then. Where adverts get lost for good, the next run of losses is drawn that is long enough to let
//! the timer end.

use crate::component::id::ComponentId;
use crate::kernel::cadence::Cadence;
use crate::kernel::stream::Draw;
use crate::kernel::time::{Duration, Time};
use crate::transport::loss::{Runs, tries_before};

/// A master whose adverts arrive, accepted or not.
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

    /// How long ago the last advert left that was not lost, too short to let a timer of this length end.
    fn missed(&self, wait: Duration, draw: &mut dyn FnMut() -> Draw) -> Duration {
        if self.loss <= 0.0 {
            return Duration::ZERO;
        }
        let lost = tries_before(1.0 - self.loss, &mut draw()).unwrap_or(u64::MAX);
        self.period() * lost.min(u64::from(self.run(wait)) - 1)
    }
}

/// What a backup makes of adverts while its priority stays as it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stance {
    /// Its own priority.
    pub(super) priority: u8,
    /// It accepts lower masters for ever.
    pub(super) keeps_lower: bool,
    /// It accepts them for so long after the first advert of one.
    pub(super) preempt_delay: Duration,
    /// The full length of its timer.
    pub(super) wait: Duration,
}

/// The adverts of a master that leave from one instant on and before another.
#[derive(Clone, Copy, Debug)]
struct Heard {
    source: Source,
    from: Time,
    /// Never: it is heard at present.
    until: Time,
    /// Its adverts restart the timer at present.
    accepted: bool,
    /// Its adverts of so long a time were the last to get lost.
    missed: Duration,
}

impl Heard {
    /// A master that is heard from `from` on.
    fn beginning(source: Source, from: Time) -> Self {
        Self { source, from, until: Time::NEVER, accepted: false, missed: Duration::ZERO }
    }

    fn is_live(&self) -> bool {
        self.until.is_never()
    }

    /// Whether something of it may still be under way.
    fn is_under_way(&self, now: Time) -> bool {
        self.until + self.source.delay > now
    }

    /// The same master as heard until `now`, unless it still is.
    fn ending(&self, masters: &[Source], now: Time) -> Option<Self> {
        match self.is_live() {
            true if masters.contains(&self.source) => None,
            true => Some(Self { until: now - self.missed, ..*self }),
            false => Some(*self),
        }
    }

    /// The first arrival at or after `since`.
    fn first_arrival(&self, since: Time) -> Option<Time> {
        let since = self.from.max(since - self.source.delay);
        let left = self.source.adverts.first_at_or_after(since);
        (left < self.until).then(|| left + self.source.delay)
    }

    /// The last arrival before `before`.
    fn last_arrival(&self, before: Time) -> Option<Time> {
        let before = self.until.min(before - self.source.delay);
        let left = self.source.adverts.last_before(before).filter(|left| *left >= self.from);
        left.map(|left| left + self.source.delay)
    }
}

/// The master-down timer, and the masters that keep restarting it.
#[derive(Clone, Debug, Default)]
pub(super) struct Listening {
    /// When it ends, if no advert restarts it.
    timer: Option<Time>,
    /// When it was restarted last, as far as that is booked.
    restarted: Option<Time>,
    /// When the first advert of a lower master arrived, until one that is not lower does.
    lower_since: Option<Time>,
    /// Arrivals before this instant are booked.
    booked: Option<Time>,
    /// First the masters that were heard, as long as something of theirs is under way.
    heard: Vec<Heard>,
    outlook: Outlook,
    /// When losses let a timer of this length end that this source restarts.
    deaf: Option<(Source, Duration, Time)>,
}

/// What comes if nothing changes.
#[derive(Clone, Copy, Debug, Default)]
struct Outlook {
    /// A master restarts the timer in time, again and again.
    renewed: bool,
    /// When the timer ends where none does.
    end: Option<Time>,
    /// When the first advert of a lower master arrived or will arrive.
    lower_since: Option<Time>,
}

impl Listening {
    /// Nobody was heard before `now`; the timer ends at `timer`.
    pub(super) fn start(&mut self, now: Time, timer: Time) {
        self.restart(now, timer);
        self.booked = Some(now);
        self.outlook = Outlook { end: Some(timer), ..Outlook::default() };
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
        self.outlook.renewed
    }

    /// When the timer will end as things are: `None` while a source restarts it in time.
    pub(super) fn end(&self) -> Option<Time> {
        self.outlook.end
    }

    /// When the first advert of a lower master arrived, or will as things are.
    pub(super) fn lower_since(&self) -> Option<Time> {
        self.outlook.lower_since
    }

    /// No lower master has been heard.
    pub(super) fn forget_lower(&mut self) {
        self.lower_since = None;
    }

    /// From one master to the next: of those that are heard and accepted, the first one's period.
    pub(super) fn adopted(&self) -> Option<Duration> {
        let accepted = self.heard.iter().find(|heard| heard.is_live() && heard.accepted);
        accepted.map(|heard| heard.source.period())
    }

    /// Until when an advert of this priority restarts the timer.
    fn accepted_until(&self, priority: u8, stance: &Stance) -> Time {
        if priority >= stance.priority || stance.keeps_lower {
            Time::NEVER
        } else if stance.preempt_delay.is_zero() {
            Time::ZERO
        } else {
            self.lower_since.map_or(Time::NEVER, |since| since + stance.preempt_delay)
        }
    }

    /// Whether an advert of this priority restarts the timer.
    pub(super) fn accepts(&self, priority: u8, now: Time, stance: &Stance) -> bool {
        now < self.accepted_until(priority, stance)
    }

    /// An advert of this priority arrives: `preempt_delay` counts from the first of a lower master, until
    /// one that is not lower.
    pub(super) fn weigh(&mut self, priority: u8, at: Time, stance: &Stance) {
        let lower = priority < stance.priority;
        self.lower_since = if lower { self.lower_since.or(Some(at)) } else { None };
    }

    /// These masters are heard from `now` on, whether it matters at present or not.
    pub(super) fn note(&mut self, masters: &[Source], now: Time) {
        let before = std::mem::take(&mut self.heard);
        let ended = before.iter().filter(|heard| heard.is_under_way(now));
        self.heard.extend(ended.filter_map(|heard| heard.ending(masters, now)));
        self.heard.extend(masters.iter().map(|source| {
            let known = before.iter().find(|heard| heard.is_live() && heard.source == *source);
            known.copied().unwrap_or_else(|| Heard::beginning(*source, now))
        }));
    }

    /// Books what arrived before `now`. From then on these masters are heard, and those that are
    /// accepted restart the timer.
    pub(super) fn follow(
        &mut self,
        masters: &[Source],
        stance: &Stance,
        now: Time,
        draw: &mut dyn FnMut() -> Draw,
    ) {
        let renewed = self.outlook.renewed;
        for i in 0..self.heard.len() {
            let heard = &mut self.heard[i];
            if heard.is_live() {
                let counts = renewed && heard.accepted;
                heard.missed =
                    if counts { heard.source.missed(stance.wait, draw) } else { Duration::ZERO };
            }
            self.book(i, now, stance);
        }
        self.booked = Some(now);
        self.note(masters, now);
        for i in 0..self.heard.len() {
            let accepted = self.accepts(self.heard[i].source.priority, now, stance);
            let heard = &mut self.heard[i];
            (heard.accepted, heard.missed) = (accepted, Duration::ZERO);
            if !accepted {
                // A change of one's own mind counts from the next arrival.
                heard.from = heard.from.max(now - heard.source.delay);
            }
        }
        self.outlook = self.outlook(now, stance);
    }

    /// Books what arrived of one master before `before`.
    fn book(&mut self, i: usize, before: Time, stance: &Stance) {
        let heard = self.heard[i];
        let priority = heard.source.priority;
        if let Some(first) = heard.first_arrival(self.booked.unwrap_or(Time::ZERO)).filter(|first| *first < before) {
            self.weigh(priority, first, stance);
        }
        if heard.is_live() && !self.outlook.renewed {
            return;
        }
        let before = before.min(self.accepted_until(priority, stance));
        let missed = if heard.is_live() { heard.missed } else { Duration::ZERO };
        let last = heard.last_arrival(before).map(|last| last - missed);
        if let Some(last) = last.filter(|last| Some(*last) > self.restarted) {
            self.restart(last, last + stance.wait);
        }
    }

    /// What is under way is read first, and then what masters go on sending.
    fn outlook(&self, now: Time, stance: &Stance) -> Outlook {
        let ended = self.heard.iter().take_while(|heard| !heard.is_live()).count();
        if ended == 0 {
            return self.prospect(now, stance);
        }
        let mut ahead = self.clone();
        for i in 0..ended {
            let since = ahead.restarted.unwrap_or(Time::ZERO);
            let first = ahead.heard[i].first_arrival(since);
            if first.is_some_and(|first| ahead.timer.is_none_or(|timer| first <= timer)) {
                ahead.book(i, Time::NEVER, stance);
            }
        }
        ahead.prospect(now, stance)
    }

    fn prospect(&self, now: Time, stance: &Stance) -> Outlook {
        let live = self.heard.iter().filter(|heard| heard.is_live());
        let timer = self.timer.unwrap_or(Time::NEVER);
        let renews = |heard: &Heard| {
            let accepted = self.accepts(heard.source.priority, now, stance);
            accepted && heard.first_arrival(now).is_some_and(|next| next <= timer)
        };
        let renewed = live.clone().any(renews);
        let lower = live.filter(|heard| heard.source.priority < stance.priority);
        let first = lower.filter_map(|heard| heard.first_arrival(now)).min();
        let end = self.timer.filter(|_| !renewed);
        Outlook { renewed, end, lower_since: self.lower_since.or(first) }
    }

    /// Of each master the next advert that arrives after `read`, of those that left by `left`.
    pub(super) fn under_way(&self, read: Time, left: Time) -> impl Iterator<Item = (Time, Source)> {
        let moment = Duration::from_nanos(1);
        self.heard.iter().filter_map(move |heard| {
            let old = Heard { until: heard.until.min(left + moment), ..*heard };
            old.first_arrival(read + moment).map(|at| (at, heard.source))
        })
    }

    /// When losses alone let the timer end, whose full length is `wait`, if nothing changes. With two
    /// masters the one that is heard better counts.
    pub(super) fn deaf(&mut self, now: Time, wait: Duration, draw: &mut dyn FnMut() -> Draw) -> Option<Time> {
        let by_loss = |a: &&Source, b: &&Source| a.loss.total_cmp(&b.loss);
        let accepted = self.heard.iter().filter(|heard| heard.is_live() && heard.accepted);
        let source = accepted.map(|heard| &heard.source).min_by(by_loss).copied();
        let source = source.filter(|source| self.outlook.renewed && source.loss > 0.0)?;
        if let Some((of, length, end)) = self.deaf
            && (of, length) == (source, wait)
            && end >= now
        {
            return Some(end);
        }
        let runs = Runs { probability: source.loss, length: source.run(wait) };
        let tries = runs.tries(&mut draw())?;
        let next = source.adverts.first_at_or_after(now - source.delay) + source.delay;
        let last = next + source.period() * tries - source.period() * u64::from(runs.length + 1);
        let end = (last + wait).max(now);
        self.deaf = Some((source, wait, end));
        Some(end)
    }

    /// The system has been at rest for long: what is heard now was heard before.
    pub(super) fn backdate(&mut self) {
        self.restarted = None;
        for heard in &mut self.heard {
            heard.from = Time::ZERO;
        }
    }
}

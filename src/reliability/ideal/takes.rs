//! What decides how long each protocol takes: a law from the scenario, or the protocol's own timers.
//!
//! Absent on purpose: what those timers are ([`crate::reliability::timers`]).

use crate::kernel::law::Law;
use crate::kernel::stream::{Draw, Key};
use crate::kernel::time::{Duration, Time};
use crate::plan::Plan;
use crate::plan::timings::{Timing, Timings};
use crate::reliability::clocks::{Clock, Purpose};
use crate::reliability::timers::Timers;

/// What decides about one timing.
#[derive(Clone, Copy, Debug)]
enum Taking<'p> {
    /// It takes no time.
    AtOnce,
    Law(&'p Law),
    /// A draw of the protocol's timers.
    Timers,
}

/// What decides about each.
#[derive(Clone, Debug)]
pub(super) struct Takes<'p> {
    by: [Taking<'p>; Timing::ALL.len()],
    /// A bit for each timing that takes no time, and for each that the timers decide.
    at_once: u16,
    drawn: u16,
    timers: Option<Box<Timers>>,
}

impl<'p> Takes<'p> {
    /// What a plan says. Where worlds play the protocols, nothing takes time here.
    pub(super) fn of(plan: &'p Plan) -> Self {
        let timers = (!plan.timings.are_played() && !plan.timings.is_whole())
            .then(|| Box::new(Timers::of(plan)));
        let checks = timers.as_ref().is_some_and(|timers| timers.check());
        let by = Timing::ALL.map(|(timing, ..)| match plan.timings.law(timing) {
            Some(law) if !Timings::is_instantaneous(law) => Taking::Law(law),
            None if matches!(timing, Timing::LbFall | Timing::LbRise) && !checks => Taking::AtOnce,
            None if timers.is_some() => Taking::Timers,
            _ => Taking::AtOnce,
        });
        let bits = |holds: fn(&Taking) -> bool| {
            by.iter().enumerate().fold(0, |all, (at, one)| all | u16::from(holds(one)) << at)
        };
        let at_once = bits(|one| matches!(one, Taking::AtOnce));
        let drawn = bits(|one| matches!(one, Taking::Timers));
        Self { by, at_once, drawn, timers }
    }

    /// Whether it takes no time.
    pub(super) fn at_once(&self, timing: Timing) -> bool {
        self.at_once >> timing as u16 & 1 == 1
    }

    /// Whether the protocol's timers decide.
    pub(super) fn is_drawn(&self, timing: Timing) -> bool {
        self.drawn >> timing as u16 & 1 == 1
    }

    /// The protocol's timers, where they decide.
    pub(super) fn drawn(&self, timing: Timing) -> Option<&Timers> {
        self.timers.as_deref().filter(|_| self.is_drawn(timing))
    }

    /// The timers, where they decide about anything: then starts take their time too.
    pub(super) fn timers(&self) -> Option<&Timers> {
        self.timers.as_deref()
    }

    /// A time that no return exceeds, from the end of a repair until all that it mends votes, serves and is
    /// in the rotation; [`Duration::MAX`] where a law has no end.
    pub(super) fn longest_return(&self) -> Duration {
        let longest = |timing: Timing, drawn: fn(&Timers) -> Duration| match (
            self.by[timing as usize],
            &self.timers,
        ) {
            (Taking::Law(law), _) => law.longest(),
            (Taking::Timers, Some(timers)) => drawn(timers),
            _ => Duration::ZERO,
        };
        let starts = self.timers.as_ref().map_or(Duration::ZERO, |timers| timers.longest_start());
        longest(Timing::EtcdRejoin, Timers::longest_member_start)
            .saturating_add(longest(Timing::LbRise, Timers::longest_rise))
            .saturating_add(starts)
    }

    /// When what begins now is over, `draw` from the timers where they decide; `None`: at once.
    #[inline]
    pub(super) fn end(
        &self,
        timing: Timing,
        clock: &mut Clock,
        (key, now): (Key, Time),
        draw: impl FnOnce(&Timers, &mut Draw) -> Duration,
    ) -> Option<Time> {
        match (self.by[timing as usize], &self.timers) {
            (Taking::Law(law), _) => Some(clock.end(key, Purpose::Timer, law, now)),
            (Taking::Timers, Some(timers)) => Some(now + draw(timers, &mut clock.timers(key))),
            _ => None,
        }
    }
}

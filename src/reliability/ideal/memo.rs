//! Where no timing takes time, what is up follows from what has not failed and from who holds the
//! Leases: it is worked out once for each combination that comes, and looked up after that.
//!
//! Absent on purpose: anything that draws, or that remembers more than the holders.

use super::{Ideal, Measure, Reason, Timings};
use crate::kernel::time::Time;
use crate::plan::timings::Timing;

/// How many combinations are kept; one that falls on another's place takes it.
const PLACES: usize = 512;

/// What is up depends on this alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Asked {
    down: u128,
    scheduler: Option<usize>,
    manager: Option<usize>,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Outlook {
    /// Bit by bit in the order of the measures.
    pub(super) levels: u8,
    pub(super) share_served: f64,
    /// What is lacking for each measure, bit by bit; known where combinations are remembered.
    pub(super) lacks: u8,
    scheduler: Option<usize>,
    manager: Option<usize>,
}

/// The combinations seen.
#[derive(Clone, Debug)]
pub(super) struct Memo {
    places: Vec<Option<(Asked, Outlook)>>,
}

impl Memo {
    /// For a plan with these timings; nothing is kept where one of them takes time.
    pub(super) fn of(timings: &Timings) -> Self {
        let timeless = |(timing, ..): &(Timing, &str, &str)| {
            timings.law(*timing).is_none_or(Timings::is_instantaneous)
        };
        let all = Timing::ALL.iter().all(timeless);
        Self { places: if all { vec![None; PLACES] } else { Vec::new() } }
    }

    /// Keeps nothing.
    pub(super) fn nothing() -> Self {
        Self { places: Vec::new() }
    }

    /// Whether no timing takes time.
    pub(super) fn is_used(&self) -> bool {
        !self.places.is_empty()
    }

    fn place(&self, asked: Asked) -> Option<usize> {
        let holder = |seat: Option<usize>| seat.map_or(0, |at| at as u64 + 1);
        let [low, high] = [asked.down & u128::from(u64::MAX), asked.down >> 64]
            .map(|half| u64::try_from(half).unwrap_or(0));
        let holders = holder(asked.scheduler) << 8 | holder(asked.manager);
        let mixed = (low ^ high.rotate_left(17) ^ holders.rotate_left(40))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        usize::try_from(mixed >> 32).ok()?.checked_rem(self.places.len())
    }
}

impl Ideal<'_> {
    /// Lets everything follow from what is up now.
    pub(super) fn follow(&mut self) {
        if !self.memo.is_used() {
            return self.work_out();
        }
        let Some(down) = self.process.signature() else { return self.work_out() };
        let asked = Asked { down, scheduler: self.scheduler.holder, manager: self.manager.holder };
        let Some(place) = self.memo.place(asked) else { return self.work_out() };
        match self.memo.places[place] {
            Some((known, outlook)) if known == asked => {
                self.outlook = outlook;
                self.scheduler.holder = outlook.scheduler;
                self.manager.holder = outlook.manager;
            }
            _ => {
                self.work_out();
                self.memo.places[place] = Some((asked, self.outlook));
            }
        }
    }

    /// Whether [`Ideal::lack`] would tell anything.
    pub fn lacks(&self, measure: Measure) -> bool {
        if self.memo.is_used() {
            return self.outlook.lacks >> measure as u8 & 1 == 1;
        }
        self.lack(measure).is_some()
    }

    fn lacks_now(&self) -> u8 {
        let bit = |measure: &Measure| u8::from(self.lack(*measure).is_some()) << *measure as u8;
        Measure::ALL.iter().map(bit).sum()
    }

    fn work_out(&mut self) {
        self.review();
        self.look();
    }

    /// Sees what is up, once all has followed.
    pub(super) fn look(&mut self) {
        self.outlook = Outlook {
            levels: self.levels_now(),
            share_served: self.share_served_now(),
            lacks: if self.memo.is_used() { self.lacks_now() } else { 0 },
            scheduler: self.scheduler.holder,
            manager: self.manager.holder,
        };
    }
}

/// What a combination of failures means for the services.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::reliability) struct Verdict {
    /// Bit by bit in the order of the measures.
    pub(in crate::reliability) levels: u8,
    pub(in crate::reliability) share_served: f64,
    /// Why each measure that is down is down.
    pub(in crate::reliability) reasons: [Reason; Measure::ALL.len()],
}

impl Ideal<'_> {
    /// What follows if these machines, by their numbers, are down and all else is up; only where no
    /// timing takes time. Leaves the services as they are in that case.
    pub(in crate::reliability) fn verdict(&mut self, down: impl Fn(usize) -> bool) -> Verdict {
        self.process.stand(down);
        for seat in [&mut self.vip, &mut self.leader, &mut self.scheduler, &mut self.manager] {
            (seat.holder, seat.due) = (None, Time::NEVER);
        }
        self.work_out();
        let reasons = Measure::ALL.map(|measure| self.reason(measure));
        let Outlook { levels, share_served, .. } = self.outlook;
        Verdict { levels, share_served, reasons }
    }

    /// Whether what is up follows from what has not failed and from nothing else.
    pub(in crate::reliability) fn is_timeless(&self) -> bool {
        self.memo.is_used()
    }
}

impl Outlook {
    /// Before anything was looked at.
    pub(super) const NONE: Self =
        Self { levels: 0, share_served: 1.0, lacks: 0, scheduler: None, manager: None };
}

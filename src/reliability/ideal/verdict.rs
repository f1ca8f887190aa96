//! What a combination of failures means for the services, where no timing takes time.

use super::{Ideal, Measure, Reason};
use crate::kernel::time::Time;

/// What follows from one combination.
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
            seat.give(None);
            seat.due = Time::NEVER;
        }
        self.follow_anew();
        let reasons = Measure::ALL.map(|measure| self.reason(measure));
        Verdict { levels: self.levels(), share_served: self.share_served(), reasons }
    }

    /// Whether what is up follows from what has not failed and from nothing else.
    pub(in crate::reliability) fn is_timeless(&self) -> bool {
        self.rules.timeless
    }
}

//! Where nothing takes time, what follows from a combination of failures depends on who held what before
//! and on nothing else: it is found once, and looked up after that.
//!
//! Absent on purpose: plans in which anything takes time.

use super::Ideal;
use super::means::Means;
use super::review::Outlook;
use super::scene::Bits;
use super::seat::Seat;

/// Who holds the address, leads, and has each Lease.
pub(super) type Holders = [Bits; 4];

/// What followed from a combination of failures.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settled {
    before: Holders,
    holders: Holders,
    inside: Bits,
    means: Means,
    outlook: Outlook,
}

impl Ideal<'_> {
    /// Who holds what.
    pub(super) fn holders(&self) -> Holders {
        [&self.vip, &self.leader, &self.scheduler, &self.manager].map(Seat::held)
    }

    /// Lets everything stand as it did when the same had failed and the same held before; whether that is
    /// known.
    pub(super) fn recall(&mut self) -> bool {
        let Some(settled) = self.scenes.settled() else { return false };
        if settled.before != self.holders() {
            return false;
        }
        let Settled { holders, inside, means, outlook, .. } = *settled;
        let seats = [&mut self.vip, &mut self.leader, &mut self.scheduler, &mut self.manager];
        for (seat, held) in seats.into_iter().zip(holders) {
            seat.sit(held);
        }
        self.rotation.stand(inside);
        (self.means, self.outlook) = (means, outlook);
        true
    }

    /// Keeps in mind what has followed now, where these held before.
    pub(super) fn remember(&mut self, before: Holders) {
        let holders = self.holders();
        let (inside, means) = (self.rotation.inside(), self.means);
        self.scenes.settle(Settled { before, holders, inside, means, outlook: self.outlook });
    }
}

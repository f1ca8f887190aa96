//! A night in which balancers send nobody to any server: what becomes of the servers changes nothing that
//! is measured, so that it is gone through in one stride until something else happens.
//!
//! Absent on purpose: clusters without balancers that check, whose clients meet servers that are killed.

use super::super::Ideal;

impl Ideal<'_> {
    /// Whether no server is in the rotation, and none gets there before something else happens.
    pub(in super::super) fn nobody_is_reached(&self) -> bool {
        let checked = self.rules.by_rotation && self.rules.by_readiness && self.elected.is_none();
        checked && !self.means.leads && self.rotation.is_still() && self.rotation.inside() == 0
    }

    /// Goes on with such a night until something else happens.
    pub(in super::super) fn go_through_night(&mut self) {
        let others = self.leases_due().min(self.others_due());
        loop {
            self.review_nights(self.means.votes, self.leader.holder());
            let next = self.nights_due();
            self.soonest = others.min(next);
            if next >= others.min(self.process.soonest()) {
                return;
            }
            self.now = next;
        }
    }
}

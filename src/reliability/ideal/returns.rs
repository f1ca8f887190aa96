//! What comes back while everything works: nobody notices, so that it is seen to at once where nothing
//! else happens before all of it is back.
//!
//! Which instant that is, nothing depends on, so that it is not drawn. Draws are counted as if it were:
//! later ones are the same either way. A server that starts before its only member is the exception: by
//! steps it draws more, and its kubelet may remember a restart.
//!
//! Absent on purpose: rules of its own. What follows is reviewed once, at the end.

use super::Ideal;
use super::scene::Bits;
use crate::plan::timings::Timing;

/// Most balancers of which the one that has the address at the end does not depend on who comes first.
const ANY_ORDER: usize = 2;

impl Ideal<'_> {
    /// Sees all returns through, if that changes nothing that is measured.
    pub(super) fn see_home(&mut self) {
        let starts = self.balancer_starts.waiting();
        if !self.only_returns() || !self.is_left_alone(starts) {
            return;
        }
        let serving = self.scenes.now().servers.serving;
        let ready = if self.rules.by_readiness { self.fed() } else { serving };
        let comes = self.rotation.misses(ready);
        self.skip_rises(comes);
        for starts in [&mut self.rejoins, &mut self.server_starts, &mut self.balancer_starts] {
            starts.finish();
        }
        self.rotation.admit(comes);
        self.review(true, false);
        self.look();
    }

    /// Whether nothing happens before all that comes back is back, these balancers among it.
    pub(super) fn is_left_alone(&self, balancers: Bits) -> bool {
        let few = self.balancers.len() <= ANY_ORDER || balancers & balancers.wrapping_sub(1) == 0;
        few && self.now + self.rules.longest_return < self.process.soonest()
    }

    /// Counts the draws of these servers' ways into the rotation.
    pub(super) fn skip_rises(&mut self, comes: Bits) {
        if !self.takes.at_once(Timing::LbRise) {
            self.rotation.skip_draws(comes);
        }
    }

    /// Whether all is well and stays so, and some things are on their way back.
    fn only_returns(&self) -> bool {
        let returns = self.starts_due().min(self.rotation.soonest());
        let stay = self.leases_due().min(self.tenures_due());
        let (servers, balancers) = (self.scenes.now().servers, self.scenes.now().balancers);
        let night_falls = self.nights.is_some() && servers.running & !self.fed() != 0;
        let addressed = !self.rules.seated || self.elected.is_some();
        !returns.is_never()
            && stay.is_never()
            && self.rotation.only_fills()
            && !night_falls
            && (addressed || self.vip.is_held_by(balancers.serving))
            && self.is_well()
    }

    /// Servers that have etcd once all members that can vote do.
    fn fed(&self) -> Bits {
        let scene = self.scenes.now();
        scene.servers.serving & self.wiring.reaching(scene.members.serving)
    }

    /// Whether everything that is measured is up, and nobody about to lose what he has.
    pub(super) fn is_well(&self) -> bool {
        let outlook = self.outlook;
        outlook.levels == u8::MAX
            && outlook.share_served >= 1.0
            && self.nights.as_ref().is_none_or(|nights| nights.are_over())
    }

    /// Whether besides nothing is on its way.
    pub(super) fn is_calm(&self) -> bool {
        let starts = [&self.rejoins, &self.server_starts, &self.balancer_starts];
        self.soonest.is_never()
            && self.rotation.is_still()
            && self.is_well()
            && starts.iter().all(|starts| starts.waiting() == 0)
    }
}

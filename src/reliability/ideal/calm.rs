//! Calm: everything that is measured is up, and nothing is on its way. What can be used then follows
//! from what has failed and from nothing else, so that it is found once for each combination, and a
//! failure that takes neither leader nor address, or a return, needs no review.
//!
//! Absent on purpose: addresses that are held by a Lease, where it follows from the holder too.

use super::Ideal;
use super::means::Means;
use super::scene::{Bits, Group};
use crate::plan::timings::Timing;
use crate::reliability::process::Signature;

/// What a calm combination of failures means.
#[derive(Clone, Copy, Debug)]
pub(super) struct Calm {
    /// Who was seen to have the address, and to lead, in calm.
    keeps: [Bits; 2],
    means: Means,
    inside: Bits,
}

impl Ideal<'_> {
    /// Keeps in mind what can be used now, if all is calm; whether it is.
    pub(super) fn know_calm(&mut self) -> bool {
        if !self.is_calm() || self.elected.is_some() {
            return false;
        }
        let holders = [self.vip.held(), self.leader.held()];
        let (means, inside) = (self.means, self.rotation.inside());
        let Some(place) = self.scenes.calm_place() else { return true };
        let calm = place.get_or_insert(Calm { keeps: [0; 2], means, inside });
        for (keeps, holds) in calm.keeps.iter_mut().zip(holders) {
            *keeps |= holds;
        }
        true
    }

    /// Lets everything follow from failures that came in calm while these stood, if that needs no
    /// review; whether it did.
    pub(super) fn follow_calm(&mut self, before: Option<Signature>) -> bool {
        let known = (before, self.process.signature(), self.scenes.calm());
        let (Some(before), Some(after), Some(calm)) = known else { return false };
        let [vip, leader] = calm.keeps;
        let (calm, keeps) = (*calm, self.vip.is_held_by(vip) && self.leader.is_held_by(leader));
        let adds = |from: Signature, to: Signature| to[0] & !from[0] | to[1] & !from[1] != 0;
        match (keeps, adds(before, after), adds(after, before)) {
            (true, true, false) => self.lose_calmly(calm),
            (true, false, true) => self.return_calmly(calm),
            _ => false,
        }
    }

    /// Nobody loses the address or leads no more.
    fn lose_calmly(&mut self, calm: Calm) -> bool {
        self.stand_starts();
        let ready = self.means.ready;
        self.means = calm.means;
        self.quiet_nights(0);
        if self.means.ready != ready {
            self.review_rotation();
        }
        self.review_leases();
        self.look();
        true
    }

    /// Nobody notices.
    fn return_calmly(&mut self, calm: Calm) -> bool {
        let scene = self.scenes.now();
        if !self.is_left_alone(self.balancer_starts.coming(scene.balancers.running)) {
            return false;
        }
        let members = self.stand_starts();
        self.skip_rises(calm.inside & !self.rotation.inside());
        self.rotation.stand(calm.inside);
        self.means = calm.means;
        self.quiet_nights(members);
        self.calm = true;
        true
    }

    /// Takes all that runs for started; which members have come.
    fn stand_starts(&mut self) -> Bits {
        let (scene, takes) = (self.scenes.now(), &self.takes);
        let by_process = takes.is_drawn(Timing::EtcdRejoin);
        let stands = |group: Group| (group.running, group.machines);
        let (servers, balancers) = (stands(scene.servers), stands(scene.balancers));
        let members = scene.members.rejoining(by_process);
        let came = if takes.at_once(Timing::EtcdRejoin) { 0 } else { self.rejoins.stand(members) };
        if takes.timers().is_some() {
            self.server_starts.stand(servers);
            self.balancer_starts.stand(balancers);
        }
        came
    }
}

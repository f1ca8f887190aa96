//! An instance as master: its adverts and announcements, and other masters.

use super::listening::Source;
use super::{Fx, Keepalived, KeepalivedAlarm, LOSS_DRAW, WAKE_UP_DRAW};
use crate::component::blame::Blame;
use crate::component::fact::VrrpState;
use crate::component::id::ComponentId;
use crate::component::mail::{Advert, Body};
use crate::component::view::View;
use crate::components::address::is_disputed;
use crate::kernel::cadence::Cadence;
use crate::kernel::time::Time;

impl Keepalived {
    /// Advert first, then the address, then announcements (`vrrp_state_become_master`).
    pub(super) fn become_master(&mut self, view: &View, fx: Fx) {
        fx.clear(KeepalivedAlarm::MasterDown);
        fx.clear(KeepalivedAlarm::Preempt);
        self.listening.forget_lower();
        (self.master_since, self.read, self.advert_due) = (view.now, view.now, None);
        self.fact.state = VrrpState::Master;
        self.fact.adverts = Some(Cadence::new(view.now, view.local(self.params.advert_int)));
        self.refreshes = self.refreshing(view.now, view);
        self.advertise(self.fact.priority, fx);
        self.configure(view, fx);
        self.publish(fx);
        self.contend(view, fx);
    }

    /// Adds the address if this is the master, else removes it, as soon as the machine has carried it
    /// out. The advert that unlocks both is on its way by then: whether the old holder or the new one is
    /// quicker decides whether nobody or both hold the address for that moment.
    pub(super) fn configure(&mut self, view: &View, fx: Fx) {
        let work = self.params.wake_up.sample(&mut fx.draw(WAKE_UP_DRAW));
        if work.is_zero() {
            self.configured(view, fx);
        } else {
            fx.set_after(KeepalivedAlarm::Configure, work, "wakeUp");
        }
    }

    /// The address is added or removed.
    pub(super) fn configured(&mut self, view: &View, fx: Fx) {
        fx.clear(KeepalivedAlarm::Configure);
        self.fact.holds = self.fact.state == VrrpState::Master;
        if self.fact.holds && self.params.garp_master_repeat > 0 {
            self.fact.announced = Some(view.now);
            let delay = view.local(self.params.garp_master_delay);
            if !delay.is_zero() {
                fx.set_after(KeepalivedAlarm::Announce, delay, "garp_master_delay");
            }
        }
        self.publish(fx);
    }

    pub(super) fn announce(&mut self, view: &View, fx: Fx) {
        self.fact.announced = Some(view.now);
        self.publish(fx);
    }

    /// `garp_master_refresh`, looked at whenever an advert leaves (`vrrp_state_master_tx`).
    pub(super) fn refreshing(&self, from: Time, view: &View) -> Option<Cadence> {
        let (refresh, advert) = (self.params.garp_master_refresh, self.params.advert_int);
        let adverts = refresh.as_nanos().div_ceil(advert.as_nanos());
        (adverts > 0).then(|| Cadence::new(from, view.local(advert * adverts)))
    }

    /// The next renewal that somebody takes note of: one who sends to another holder, or may come to
    /// because there is one. To all others it says what they know.
    pub(super) fn plan_refresh(&self, view: &View, fx: Fx) {
        let Some(refreshes) = self.refreshes else { return };
        if is_disputed(&self.wiring.peers, view) {
            let at = refreshes.first_after(view.now);
            let blame = Blame::of("garp_master_refresh", at.since(view.now));
            fx.set(KeepalivedAlarm::Refresh, at, blame);
        } else {
            fx.clear(KeepalivedAlarm::Refresh);
        }
    }

    pub(super) fn advertise(&self, priority: u8, fx: Fx) {
        for peer in &self.wiring.peers {
            self.advertise_to(*peer, priority, fx);
        }
    }

    pub(super) fn advertise_to(&self, peer: ComponentId, priority: u8, fx: Fx) {
        let (interval, version) = (self.params.advert_int.as_nanos(), self.params.vrrp_version);
        fx.send(peer, Body::Advert(Advert { priority, interval, version }));
    }

    /// A master's plans: its adverts matter, one by one, to whoever else is master.
    pub(super) fn contend(&mut self, view: &View, fx: Fx) {
        self.plan_refresh(view, fx);
        self.await_arrival(view, fx);
        let Some(adverts) = self.fact.adverts else { return };
        // An advert that is due now, and has not left yet, leaves whatever else happens now.
        let due_now = self.advert_due.is_some_and(|due| due == view.now);
        self.advert_due = None;
        if self.rivals(view).is_empty() {
            fx.clear(KeepalivedAlarm::Advert);
        } else {
            let at = if due_now { view.now } else { adverts.first_after(view.now) };
            self.advert_due = Some(at);
            let blame = Blame::of("advert_int", at.since(view.now));
            fx.set(KeepalivedAlarm::Advert, at, blame);
        }
    }

    /// The others did not know it as master when these adverts left: it reads them one by one.
    fn await_arrival(&mut self, view: &View, fx: Fx) {
        let arrivals = self.listening.under_way(self.read, self.master_since);
        match arrivals.map(|(at, _)| at.max(view.now)).min() {
            Some(at) => {
                let blame = Blame::of("network", at.since(view.now));
                fx.set(KeepalivedAlarm::Arrival, at, blame);
            }
            None => fx.clear(KeepalivedAlarm::Arrival),
        }
    }

    /// The next of them have arrived. Once one has made it a backup, it reads the others as such.
    pub(super) fn arrived(&mut self, view: &View, fx: Fx) {
        let arrivals = self.listening.under_way(self.read, self.master_since);
        let arrived = arrivals.filter(|(at, _)| *at <= view.now).map(|(_, source)| source);
        let arrived: Vec<Source> = arrived.collect();
        self.read = view.now;
        self.await_arrival(view, fx);
        for Source { peer, adverts, priority, loss, .. } in arrived {
            let lost = loss > 0.0 && fx.draw(LOSS_DRAW).uniform() < loss;
            if self.fact.state == VrrpState::Master && !lost {
                let (interval, version) = (adverts.period().as_nanos(), self.params.vrrp_version);
                let advert = Advert { priority, interval, version };
                self.receive_as_master(peer, advert, view, fx);
            }
        }
    }

    /// The other masters that would hear an advert sent now.
    pub(super) fn rivals(&self, view: &View) -> Vec<ComponentId> {
        let master =
            |peer: &ComponentId| view.vrrp(*peer).is_some_and(|f| f.state == VrrpState::Master);
        let heard = |peer: &&ComponentId| {
            master(peer) && view.executes(**peer) && view.passes(view.me, **peer)
        };
        self.wiring.peers.iter().filter(heard).copied().collect()
    }

    /// `vrrp_state_master_rx`: a lower master is answered, a higher one obeyed.
    pub(super) fn receive_as_master(&mut self, from: ComponentId, advert: Advert, view: &View, fx: Fx) {
        let rival = (advert.priority, from);
        if advert.priority == 0 {
            self.advertise_to(from, self.fact.priority, fx);
        } else if rival < (self.fact.priority, self.me) {
            self.advertise_to(from, self.fact.priority, fx);
            if self.params.garp_lower_prio_repeat.unwrap_or(self.params.garp_master_repeat) > 0 {
                self.announce(view, fx);
            }
        } else {
            self.become_backup(view, fx);
        }
    }

    /// A tick at which an advert leaves, while there is another master.
    pub(super) fn advertise_to_rivals(&mut self, view: &View, fx: Fx) {
        self.advert_due = None;
        for rival in self.rivals(view) {
            self.advertise_to(rival, self.fact.priority, fx);
        }
        self.contend(view, fx);
    }
}

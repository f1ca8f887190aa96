//! An instance as backup: whose adverts it accepts, and when it has waited long enough.

use super::listening::{Source, Stance};
use super::{Fx, Keepalived, KeepalivedAlarm, LOSS_DRAW, NOTICE_DRAW};
use crate::component::blame::Blame;
use crate::component::fact::VrrpState;
use crate::component::id::ComponentId;
use crate::component::mail::Advert;
use crate::component::view::View;
use crate::kernel::cadence::Cadence;
use crate::kernel::time::Duration;

impl Keepalived {
    /// How long a backup waits after an advert.
    pub(super) fn master_down(&self, view: &View) -> Duration {
        view.local(self.params.master_down(self.fact.priority, self.master_advert_int))
    }

    fn skew(&self, view: &View) -> Duration {
        view.local(self.params.skew(self.fact.priority, self.master_advert_int))
    }

    pub(super) fn become_backup(&mut self, view: &View, fx: Fx) {
        fx.clear(KeepalivedAlarm::Announce);
        fx.clear(KeepalivedAlarm::Advert);
        fx.clear(KeepalivedAlarm::Refresh);
        fx.clear(KeepalivedAlarm::Arrival);
        self.fact.state = VrrpState::Backup;
        self.fact.adverts = None;
        self.listening.forget_lower();
        if self.fact.holds {
            self.configure(view, fx);
        } else {
            fx.clear(KeepalivedAlarm::Configure);
        }
        self.listening.start(view.now, view.now + self.master_down(view));
        self.publish(fx);
        self.listen(view, fx);
    }

    /// A fault is over; the process gets to know.
    pub(super) fn notice(&mut self, view: &View, fx: Fx) {
        let delay = self.params.signal_delay.sample(&mut fx.draw(NOTICE_DRAW));
        if delay.is_zero() {
            self.become_backup(view, fx);
        } else if !std::mem::replace(&mut self.noticing, true) {
            fx.set_after(KeepalivedAlarm::Notice, delay, "signal-delay");
        }
    }

    /// It has got to know, unless there is a fault again.
    pub(super) fn noticed(&mut self, view: &View, fx: Fx) {
        self.noticing = false;
        if !self.faulty(view) {
            self.become_backup(view, fx);
        }
    }

    /// Whether adverts of this version and interval are understood: those of another version are
    /// dropped, and version 2 drops those of any interval but its own.
    pub(super) fn understands(&self, version: u32, interval: Duration, own: Duration) -> bool {
        // Clocks that drift apart by a percent do not make another configuration.
        let apart = interval.as_nanos().abs_diff(own.as_nanos());
        let same = self.params.vrrp_version != 2 || apart < own.as_nanos() / 100;
        version == self.params.vrrp_version && same
    }

    /// What it makes of adverts at present.
    fn stance(&self, view: &View) -> Stance {
        Stance {
            priority: self.fact.priority,
            keeps_lower: self.params.keeps_lower(),
            preempt_delay: self.params.delay_before_preempting(),
            wait: self.master_down(view),
        }
    }

    /// The masters whose adverts reach this machine.
    pub(super) fn masters(&self, view: &View) -> Vec<Source> {
        let own = view.local(self.params.advert_int);
        let heard = |peer: &ComponentId| {
            let fact = view.vrrp(*peer).filter(|_| view.executes(*peer))?;
            let understood = |a: &Cadence| self.understands(fact.version, a.period(), own);
            let adverts = fact.adverts.filter(understood)?;
            let delay = view.delay(*peer, view.me);
            let (priority, loss) = (fact.priority, view.loss(*peer, view.me));
            let source = Source { peer: *peer, adverts, delay, priority, loss };
            view.passes(*peer, view.me).then_some(source)
        };
        self.wiring.peers.iter().filter_map(heard).collect()
    }

    /// Books what was heard until now, and follows the masters that are heard from now on.
    pub(super) fn hear(&mut self, view: &View, fx: Fx) {
        let (masters, stance) = (self.masters(view), self.stance(view));
        self.listening.follow(&masters, &stance, view.now, &mut || fx.draw(LOSS_DRAW));
        if self.settling {
            self.listening.backdate();
        }
        if self.params.vrrp_version == 3
            && let Some(interval) = self.listening.adopted()
        {
            self.master_advert_int = interval;
        }
    }

    /// A backup's plans: the end of its timer, unless a master is heard in time.
    pub(super) fn listen(&mut self, view: &View, fx: Fx) {
        self.hear(view, fx);
        let delay = self.params.delay_before_preempting();
        match self.listening.lower_since().map(|since| since + delay).filter(|at| *at > view.now) {
            Some(at) => {
                let blame = Blame::of("preempt_delay", at.since(view.now));
                fx.set(KeepalivedAlarm::Preempt, at, blame);
            }
            None => fx.clear(KeepalivedAlarm::Preempt),
        }
        let wait = self.master_down(view);
        let deaf = self.listening.deaf(view.now, wait, &mut || fx.draw(LOSS_DRAW));
        match self.listening.end().or(deaf) {
            Some(end) => {
                let end = end.max(view.now);
                let left = end.since(view.now);
                let skew = self.skew(view).min(left);
                let blame = Blame::of("advert_int * down_timer_adverts", left - skew)
                    .and("priority (skew time)", skew);
                fx.set(KeepalivedAlarm::MasterDown, end, blame);
            }
            None => fx.clear(KeepalivedAlarm::MasterDown),
        }
    }

    /// `vrrp_state_backup`: a lower advert does not restart the timer, so preemption is an expiry.
    pub(super) fn receive_as_backup(&mut self, advert: Advert, view: &View, fx: Fx) {
        self.hear(view, fx);
        let stance = self.stance(view);
        if advert.priority == 0 {
            self.listening.restart(view.now, view.now + self.skew(view));
            return self.listen(view, fx);
        }
        let accepted = self.listening.accepts(advert.priority, view.now, &stance);
        self.listening.weigh(advert.priority, view.now, &stance);
        if accepted {
            if self.params.vrrp_version == 3 {
                self.master_advert_int = Duration::from_nanos(advert.interval);
            }
            self.listening.restart(view.now, view.now + self.master_down(view));
        }
        self.listen(view, fx);
    }
}

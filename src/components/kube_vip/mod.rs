//! kube-vip in ARP mode: an instance on every control-plane machine, elected by a Lease, holds the
//! virtual address, which leads straight to the API server beside it.
//!
//! The election is client-go's, through the API: whoever cannot reach it for a renewDeadline gives the
//! address up, whether or not clients were served. Nobody checks the API server behind the address.
//!
//! Absent on purpose: BGP and routing tables, load balancing by IPVS, addresses of Services,
//! `vip_preserve_on_leadership_loss`, the watch on the network interface (off by default).

mod params;
#[cfg(test)]
mod tests;

pub use params::KubeVipParams;

use super::address::is_disputed;
use super::lease::{Elector, FREE_DRAW, Kubeconfig, Path, Verdict};
use crate::component::effects::ExitStatus;
use crate::component::fact::AddressFact;
use crate::component::mail::Mail;
use crate::component::{
    Alarm, Blame, Body, Cause, Component, ComponentId, Effects, Fact, Lever, Map, View,
};
use crate::kernel::cadence::Cadence;
use crate::kernel::time::{Duration, Time};

/// Purposes of draws beside the elector's.
const STARTUP_DRAW: u32 = FREE_DRAW;
const PHASE_DRAW: u32 = FREE_DRAW + 1;

/// Whom an instance deals with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wiring {
    /// The Lease that it competes for.
    pub lease: ComponentId,
    /// The API server on its own machine.
    pub server: ComponentId,
    /// All API servers.
    pub servers: Vec<ComponentId>,
    /// The other instances.
    pub peers: Vec<ComponentId>,
    /// Makes every attempt at the Lease and every announcement: the twin that shows that laziness is
    /// unobservable.
    pub eager: bool,
}

/// The alarms of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KubeVipAlarm {
    /// The elector's.
    Election,
    /// Something is due on the elector's connection.
    Connection,
    /// The process has started.
    Started,
    /// The holder announces the address.
    Announce,
}

impl Alarm for KubeVipAlarm {
    fn index(self) -> usize {
        self as usize
    }

    fn at_index(index: usize) -> Self {
        [Self::Election, Self::Connection, Self::Started, Self::Announce][index]
    }
}

type Fx<'a, 'b> = &'a mut Effects<'b, KubeVipAlarm>;

/// One kube-vip.
#[derive(Clone, Debug)]
pub struct KubeVip {
    params: KubeVipParams,
    wiring: Wiring,
    elector: Elector<KubeVipAlarm>,
    fact: AddressFact,
    /// When the process would announce whatever it holds.
    announces: Cadence,
    /// It has announced the address since it took it.
    announced: bool,
    running: bool,
    stopping: bool,
}

impl KubeVip {
    /// An instance before its first start.
    pub fn new(me: ComponentId, params: &KubeVipParams, wiring: &Wiring) -> Self {
        let target = match params.kubeconfig {
            Kubeconfig::Local => wiring.server,
            Kubeconfig::Endpoint => ComponentId::VIP,
        };
        let path = Path { target, servers: wiring.servers.clone(), over: None };
        let alarms = (KubeVipAlarm::Election, KubeVipAlarm::Connection);
        let elector = Elector::new(me, wiring.lease, params.election(), path, alarms);
        Self {
            params: params.clone(),
            wiring: wiring.clone(),
            elector: elector.eager(wiring.eager),
            fact: AddressFact::default(),
            announces: Cadence::new(Time::ZERO, params.announces_every()),
            announced: false,
            running: false,
            stopping: false,
        }
    }

    /// Takes up the place in a system that has been at rest for long.
    fn settle(&mut self, view: &View, fx: Fx) {
        self.running = true;
        self.elector.settle(view, fx);
        let every = view.local(self.params.announces_every());
        let phase = fx.draw(PHASE_DRAW).uniform_duration(Duration::ZERO, every);
        self.announces = Cadence::new(view.now + phase, every);
        if self.elector.leads() {
            self.fact = AddressFact { leads: true, holds: true, announced: Some(Time::ZERO) };
            self.announced = true;
        }
    }

    /// A process starts; what an earlier one left on the machine is still there.
    fn boot(&mut self, fx: Fx) {
        self.running = true;
        let startup = self.params.startup.sample(&mut fx.draw(STARTUP_DRAW));
        fx.set_after(KubeVipAlarm::Started, startup, "start of the process");
    }

    /// The process removes an address that an earlier one left, and stands for election.
    fn started(&mut self, view: &View, fx: Fx) {
        self.fact = AddressFact::default();
        let every = view.local(self.params.announces_every());
        self.announces = Cadence::new(view.now + every, every);
        self.elector.boot(view.now, view, fx);
    }

    fn heed(&mut self, verdict: Verdict, view: &View, fx: Fx) {
        match verdict {
            Verdict::Nothing => {}
            Verdict::Won(_) => self.take(view),
            Verdict::Lost => {
                self.drop_address();
                fx.exit(ExitStatus::Fatal("lost leadership, restarting kube-vip"));
            }
            Verdict::Released => {
                self.drop_address();
                fx.exit(ExitStatus::Clean);
            }
        }
    }

    /// Adds the address.
    fn take(&mut self, view: &View) {
        self.fact.leads = true;
        self.fact.holds = true;
        self.announced = self.params.announces_at_once;
        if self.announced {
            self.fact.announced = Some(view.now);
        }
    }

    fn drop_address(&mut self) {
        self.fact.leads = false;
        self.fact.holds = false;
        self.announced = false;
    }

    fn announce(&mut self, view: &View) {
        self.announced = true;
        self.fact.announced = Some(view.now);
    }

    /// The next announcement, if it tells anybody something.
    fn plan_announcement(&self, view: &View, fx: Fx) {
        let holds = self.running && self.fact.holds && self.fact.leads;
        let news = !self.announced || is_disputed(&self.wiring.peers, view);
        if holds && (news || self.wiring.eager) {
            let at = self.announces.first_after(view.now);
            fx.set(KubeVipAlarm::Announce, at, Blame::of("vip_arpRate", at.since(view.now)));
        } else {
            fx.clear(KubeVipAlarm::Announce);
        }
    }

    fn ring(&mut self, alarm: KubeVipAlarm, view: &View, fx: Fx) {
        match alarm {
            KubeVipAlarm::Started => self.started(view, fx),
            KubeVipAlarm::Announce => self.announce(view),
            KubeVipAlarm::Election => {
                let verdict = self.elector.ring(view, fx);
                self.heed(verdict, view, fx);
            }
            KubeVipAlarm::Connection => {
                let verdict = self.elector.ring_link(view, fx);
                self.heed(verdict, view, fx);
            }
        }
    }

    fn hear(&mut self, mail: &Mail, view: &View, fx: Fx) {
        let verdict = match &mail.body {
            Body::Reply(reply) => self.elector.reply(reply, mail.from, view, fx),
            Body::Broken(id) => self.elector.broken(*id, view, fx),
            Body::GoAway(id) => {
                self.elector.going_away(*id, view, fx);
                Verdict::Nothing
            }
            _ => return,
        };
        self.heed(verdict, view, fx);
    }

    /// The process is gone without a word: the address stays on the machine as long as that has power.
    fn die(&mut self, power: bool, view: &View, fx: Fx) {
        self.elector.end(view, fx);
        self.running = false;
        self.stopping = false;
        self.fact.leads = false;
        self.fact.holds &= power;
    }

    /// SIGTERM: the address is removed at once, while the Lease is being given back.
    fn stop(&mut self, view: &View, fx: Fx) {
        self.stopping = true;
        self.drop_address();
        let verdict = self.elector.stop(view, fx);
        self.heed(verdict, view, fx);
    }

    fn pull(&mut self, lever: Lever, view: &View, fx: Fx) {
        match lever {
            Lever::Kill => self.die(true, view, fx),
            Lever::PowerLoss => self.die(false, view, fx),
            Lever::Stop => self.stop(view, fx),
            Lever::Pause => self.elector.pause(view, fx),
            Lever::Resume => self.elector.resume(view, fx),
            Lever::Expire => self.elector.look(view, fx),
            Lever::ClockRate(_) => {
                let every = view.local(self.params.announces_every());
                let from = self.announces.last_at_or_before(view.now).unwrap_or(view.now);
                self.announces = Cadence::new(from, every);
                self.elector.clock_changed(view, fx);
            }
            Lever::StallDisk
            | Lever::FreeDisk
            | Lever::SlowDisk(_)
            | Lever::Space(_)
            | Lever::WipeData
            | Lever::Carrier(_)
            | Lever::KillChild
            | Lever::Membership(..)
            | Lever::Restore(_)
            | Lever::ForceNewCluster => {}
        }
    }

    fn publish(&self, fx: Fx) {
        let there = self.running || self.fact.holds;
        fx.publish(if there { Fact::KubeVip(self.fact) } else { Fact::Absent });
    }
}

impl Component for KubeVip {
    type Alarm = KubeVipAlarm;

    const LOOKS_AT_ALL: bool = true;

    fn alarms(&self) -> usize {
        KubeVipAlarm::Announce.index() + 1
    }

    fn watches(&self, map: &Map) -> Vec<ComponentId> {
        let mut watched = self.elector.path().watches(map);
        watched.push(self.wiring.lease);
        watched.extend(&self.wiring.peers);
        watched
    }

    fn on(&mut self, cause: Cause<KubeVipAlarm>, view: &View, fx: Fx) {
        match cause {
            Cause::Settle => self.settle(view, fx),
            Cause::Boot => self.boot(fx),
            Cause::Alarm(alarm) => self.ring(alarm, view, fx),
            Cause::Saw(_) => self.elector.look(view, fx),
            Cause::Mail(mail) => self.hear(&mail, view, fx),
            Cause::Lever(lever) => self.pull(lever, view, fx),
        }
        self.plan_announcement(view, fx);
        self.publish(fx);
    }
}

//! keepalived: one VRRP instance that holds the virtual address or waits to take it over.
//!
//! Adverts are not sent one by one: a master publishes the instants at which they leave, and a backup
//! computes the last one it heard (`listening.rs`), as a new master does of what left before. Real datagrams are only the first advert of
//! a new master, the farewell with priority 0, and those that two masters send each other.
//!
//! Absent on purpose: which machine a neighbour sends to (the world keeps ARP entries; here only the
//! instants of announcements), sync groups, authentication.

mod alarm;
mod backup;
mod child;
mod listening;
mod master;
mod params;
#[cfg(test)]
mod tests;
mod tracking;

pub use alarm::KeepalivedAlarm;
pub use params::{InitialState, KeepalivedParams, ScriptKind, TrackProcess, VrrpScript};

use crate::component::blame::Blame;
use crate::component::effects::{Effects, ExitStatus};
use crate::component::fact::{Fact, VrrpFact, VrrpState};
use crate::component::id::ComponentId;
use crate::component::lever::Lever;
use crate::component::mail::{Advert, Body, Mail};
use crate::component::map::Map;
use crate::component::view::View;
use crate::component::{Alarm, Cause, Component};
use crate::kernel::cadence::Cadence;
use crate::kernel::time::{Duration, Time};
use child::Child;
use listening::Listening;
use params::PRIORITY_OWNER;
use tracking::Tracking;

/// Purposes of draws.
const ADVERT_DRAW: u32 = 0;
const SCRIPT_DRAW: u32 = 1;
const WAKE_UP_DRAW: u32 = 2;
const LOSS_DRAW: u32 = 3;
const NOTICE_DRAW: u32 = 5;

/// The neighbourhood of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wiring {
    /// The other instances of the same address. The order of ids is that of addresses.
    pub peers: Vec<ComponentId>,
    /// The balancer on the same machine, which scripts and process tracking look at.
    pub balancer: Option<ComponentId>,
    /// The API servers behind it, in the order of the backend's list.
    pub servers: Vec<ComponentId>,
}

type Fx<'a, 'b> = &'a mut Effects<'b, KeepalivedAlarm>;

/// One keepalived process with one VRRP instance.
#[derive(Debug)]
pub struct Keepalived {
    me: ComponentId,
    params: KeepalivedParams,
    wiring: Wiring,
    fact: VrrpFact,
    tracking: Tracking,
    listening: Listening,
    /// `Master_Adver_Interval`: the own interval until a version 3 master tells another.
    master_advert_int: Duration,
    /// When a master with `garp_master_refresh` would announce itself again.
    refreshes: Option<Cadence>,
    /// When it became master: what left by then reaches it without being mail.
    master_since: Time,
    /// Until when it has read of that.
    read: Time,
    /// When the next advert to other masters leaves.
    advert_due: Option<Time>,
    /// The part of the process that speaks VRRP, as its parent knows it.
    child: Child,
    /// A fault is over, and the process is about to get to know.
    noticing: bool,
    /// Adverts count from before the start of the run: the system has been at rest for long.
    settling: bool,
}

impl Keepalived {
    /// An instance before its first start.
    pub fn new(me: ComponentId, params: &KeepalivedParams, wiring: &Wiring) -> Self {
        Self {
            me,
            params: params.clone(),
            wiring: wiring.clone(),
            fact: blank(params),
            tracking: Tracking::default(),
            listening: Listening::default(),
            master_advert_int: params.advert_int,
            refreshes: None,
            master_since: Time::ZERO,
            read: Time::ZERO,
            advert_due: None,
            child: Child::first(Time::ZERO),
            noticing: false,
            settling: false,
        }
    }

    fn publish(&self, fx: Fx) {
        fx.publish(Fact::Vrrp(self.fact));
    }

    /// Takes up the place in a system that has been at rest for long.
    fn settle(&mut self, view: &View, fx: Fx) {
        self.forget();
        self.settling = true;
        self.tracking = Tracking::settled(&self.params, &self.wiring, view, fx);
        self.fact.priority = self.priority();
        if view.all.settlement.vip_holder == Some(self.me) {
            let interval = view.local(self.params.advert_int);
            let phase = fx.draw(ADVERT_DRAW).uniform_duration(Duration::ZERO, interval);
            self.fact.state = VrrpState::Master;
            self.fact.holds = true;
            self.fact.adverts = Some(Cadence::new(view.now + phase, interval));
            self.fact.announced = Some(Time::ZERO);
            self.refreshes = self.refreshing(view.now + phase, view);
            self.publish(fx);
        } else {
            self.become_backup(view, fx);
        }
        fx.set(KeepalivedAlarm::Look, view.now, Blame::default());
    }

    /// A process starts: an address left behind by the last one is removed, and whatever `state` says,
    /// only the owner of the address begins as master (`vrrp_init_state`).
    fn boot(&mut self, view: &View, fx: Fx) {
        self.forget();
        self.tracking = Tracking::starting(&self.params, &self.wiring, view);
        self.fact.priority = self.priority();
        self.listening.note(&self.masters(view), view.now);
        if self.faulty(view) {
            self.fact.state = VrrpState::Fault;
            self.publish(fx);
        } else if self.fact.priority == PRIORITY_OWNER {
            self.become_master(view, fx);
        } else {
            self.become_backup(view, fx);
        }
        self.tracking.plan(view, fx);
    }

    /// The volatile state of a process is gone; an address on the machine is not part of it.
    fn forget(&mut self) {
        self.fact = blank(&self.params);
        self.tracking = Tracking::default();
        self.listening = Listening::default();
        self.master_advert_int = self.params.advert_int;
        self.refreshes = None;
        self.advert_due = None;
        self.noticing = false;
        self.settling = false;
    }

    fn priority(&self) -> u8 {
        self.params.priority_with(self.tracking.script(), self.tracking.process())
    }

    /// Interface down, or a tracked object of weight 0 failed or without a result yet.
    fn faulty(&self, view: &View) -> bool {
        let carrier = view.machine().is_none_or(|machine| view.all.reach.carrier(machine));
        !carrier || self.tracking.faulty(&self.params)
    }

    /// Everything that may have changed from outside is looked at again.
    fn review(&mut self, view: &View, fx: Fx) {
        let priority = self.priority();
        if priority != self.fact.priority {
            self.change_priority(priority, view, fx);
        }
        match (self.fact.state, self.faulty(view)) {
            (VrrpState::Init, _) | (VrrpState::Fault, true) => {}
            (_, true) => self.become_faulty(fx),
            (VrrpState::Fault, false) => self.notice(view, fx),
            (VrrpState::Backup, false) => self.listen(view, fx),
            (VrrpState::Master, false) => self.contend(view, fx),
        }
        if self.fact.state != VrrpState::Backup {
            self.listening.note(&self.masters(view), view.now);
        }
    }

    fn change_priority(&mut self, priority: u8, view: &View, fx: Fx) {
        let before = self.master_down(view);
        if self.fact.state == VrrpState::Backup {
            self.hear(view, fx);
        }
        self.fact.priority = priority;
        self.listening.shift(before, self.master_down(view));
        self.publish(fx);
    }

    /// Out of the election: a master says farewell and drops the address.
    fn become_faulty(&mut self, fx: Fx) {
        if self.fact.state == VrrpState::Master {
            self.advertise(0, fx);
        }
        Self::clear_election(fx);
        self.noticing = false;
        self.fact.state = VrrpState::Fault;
        self.fact.holds = false;
        self.fact.adverts = None;
        self.publish(fx);
    }

    fn clear_election(fx: Fx) {
        for alarm in [
            KeepalivedAlarm::MasterDown,
            KeepalivedAlarm::Announce,
            KeepalivedAlarm::Advert,
            KeepalivedAlarm::Preempt,
            KeepalivedAlarm::Refresh,
            KeepalivedAlarm::Configure,
            KeepalivedAlarm::Notice,
            KeepalivedAlarm::Arrival,
        ] {
            fx.clear(alarm);
        }
    }

    fn receive(&mut self, from: ComponentId, advert: Advert, view: &View, fx: Fx) {
        let interval = Duration::from_nanos(advert.interval);
        // A start takes longer than a packet: what left before it finds no socket.
        let early = view.now - view.delay(from, self.me) < self.child.started;
        if early || !self.understands(advert.version, interval, self.params.advert_int) {
            return;
        }
        match self.fact.state {
            VrrpState::Backup => self.receive_as_backup(advert, view, fx),
            VrrpState::Master => self.receive_as_master(from, advert, view, fx),
            VrrpState::Init | VrrpState::Fault => {}
        }
    }

    /// The process executes again after a pause.
    fn resume(&mut self, view: &View, fx: Fx) {
        self.tracking.wake(view);
        if self.fact.state == VrrpState::Master {
            self.fact.adverts = Some(Cadence::new(view.now, view.local(self.params.advert_int)));
            self.refreshes = self.refreshing(view.now, view);
            self.advertise(self.fact.priority, fx);
            self.publish(fx);
        } else if self.listening.hears_a_master() {
            // Adverts that came meanwhile wait in the socket's buffer and are read now.
            self.listening.start(view.now, view.now + self.master_down(view));
        }
        self.review(view, fx);
        self.tracking.plan(view, fx);
    }

    /// SIGTERM: a master says farewell, and the address is removed, unless there is no child to do it.
    fn stop(&mut self, fx: Fx) {
        if self.fact.state == VrrpState::Master {
            self.advertise(0, fx);
        }
        self.fact.holds &= self.child.absent;
        fx.exit(ExitStatus::Clean);
    }

    /// The process is gone without a word: the address stays on the machine as long as that has power.
    fn die(&mut self, power: bool, fx: Fx) {
        let (holds, announced) = (self.fact.holds && power, self.fact.announced);
        self.forget();
        self.fact.holds = holds;
        if holds {
            self.fact.announced = announced;
            self.publish(fx);
        } else {
            fx.publish(Fact::Absent);
        }
    }

    fn ring(&mut self, alarm: KeepalivedAlarm, view: &View, fx: Fx) {
        match alarm {
            KeepalivedAlarm::Look => {
                self.tracking.look(&self.params, view, fx);
                self.review(view, fx);
                self.settling = false;
            }
            KeepalivedAlarm::MasterDown => self.become_master(view, fx),
            KeepalivedAlarm::Announce => self.announce(view, fx),
            KeepalivedAlarm::Configure => self.configured(view, fx),
            KeepalivedAlarm::Notice => self.noticed(view, fx),
            KeepalivedAlarm::Advert => self.advertise_to_rivals(view, fx),
            KeepalivedAlarm::Script => {
                self.tracking.decide(view, fx);
                self.review(view, fx);
            }
            KeepalivedAlarm::Arrival => self.arrived(view, fx),
            KeepalivedAlarm::Preempt => self.review(view, fx),
            KeepalivedAlarm::Respawn => self.respawn(view, fx),
            KeepalivedAlarm::Refresh => {
                self.announce(view, fx);
                self.plan_refresh(view, fx);
            }
        }
    }

    fn pull(&mut self, lever: Lever, view: &View, fx: Fx) {
        match lever {
            Lever::Stop => self.stop(fx),
            Lever::Kill => self.die(true, fx),
            Lever::PowerLoss => self.die(false, fx),
            Lever::KillChild => self.lose_child(view, fx),
            _ if self.child.absent => {}
            Lever::Pause => {
                self.fact.adverts = None;
                self.publish(fx);
            }
            Lever::Resume => self.resume(view, fx),
            Lever::Carrier(_) => self.review(view, fx),
            Lever::ClockRate(_) => {
                let interval = view.local(self.params.advert_int);
                let phase = |adverts: Cadence| adverts.last_at_or_before(view.now);
                if let Some(last) = self.fact.adverts.and_then(phase) {
                    self.fact.adverts = Some(Cadence::new(last, interval));
                    self.refreshes = self.refreshing(last, view);
                    self.publish(fx);
                }
                self.tracking.clock_changed(&self.params, view, fx);
                self.review(view, fx);
            }
            Lever::StallDisk
            | Lever::FreeDisk
            | Lever::SlowDisk(_)
            | Lever::Space(_)
            | Lever::WipeData
            | Lever::Membership(..)
            | Lever::Restore(_)
            | Lever::Expire
            | Lever::ForceNewCluster => {}
        }
    }
}

/// What an instance says of itself before it has begun.
fn blank(params: &KeepalivedParams) -> VrrpFact {
    let (priority, version) = (params.base_priority(), params.vrrp_version);
    VrrpFact { priority, version, ..VrrpFact::default() }
}

impl Component for Keepalived {
    type Alarm = KeepalivedAlarm;

    fn alarms(&self) -> usize {
        KeepalivedAlarm::Arrival.index() + 1
    }

    fn watches(&self, _map: &Map) -> Vec<ComponentId> {
        // Only a script that asks for their health takes an interest in the servers.
        let asks = |script: &VrrpScript| script.script == ScriptKind::CheckApiserver;
        let asked = self.params.vrrp_script.as_ref().is_some_and(asks);
        let servers = if asked { self.wiring.servers.as_slice() } else { &[] };
        let near = self.wiring.peers.iter().chain(&self.wiring.balancer);
        near.chain(servers).copied().collect()
    }

    fn on(&mut self, cause: Cause<KeepalivedAlarm>, view: &View, fx: Fx) {
        match cause {
            Cause::Settle => self.settle(view, fx),
            Cause::Boot => self.start(view, fx),
            Cause::Alarm(alarm) => self.ring(alarm, view, fx),
            Cause::Saw(_) | Cause::Mail(_) if self.child.absent => {}
            Cause::Saw(of) => {
                if Some(of) == self.wiring.balancer || self.wiring.servers.contains(&of) {
                    self.tracking.saw(view, fx);
                }
                self.review(view, fx);
            }
            Cause::Mail(Mail { from, body: Body::Advert(advert) }) => {
                self.receive(from, advert, view, fx);
            }
            Cause::Mail(_) => {}
            Cause::Lever(lever) => self.pull(lever, view, fx),
        }
    }
}

//! Lets everything follow from what is up: whose time has come, who lost a seat, which time begins.

use super::elected::Elected;
use super::lease::Standing;
use super::means::Means;
use super::scene::{Bits, Group, all_if, is_majority};
use super::seat::{Losing, one_of};
use super::{Ideal, Measure, Rules};
use crate::kernel::time::{Duration, Time};
use crate::plan::timings::Timing;
use crate::reliability::clocks::Clock;
use crate::reliability::timers::{Lost, Timers};

/// What is up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Outlook {
    /// Bit by bit in the order of the measures.
    pub(super) levels: u8,
    pub(super) share_served: f64,
}

impl Outlook {
    /// Before anything was looked at.
    pub(super) const NONE: Self = Self { levels: 0, share_served: 1.0 };
}

impl Ideal<'_> {
    /// Lets everything follow from what happens in the failure process now, and from what has
    /// `changed` in it already.
    pub(super) fn follow(&mut self, mut changed: bool) {
        self.calm = false;
        changed |= self.see_failures();
        if changed {
            self.survey();
        }
        if !changed || !self.is_timeless() {
            self.review(changed, false);
            self.look();
        } else if !self.recall() {
            let before = self.holders();
            self.review(true, false);
            self.look();
            self.remember(before);
        }
    }

    /// Lets happen what fails or is repaired now; whether anything does.
    pub(super) fn see_failures(&mut self) -> bool {
        let mut any = false;
        while self.process.soonest() == self.now && !self.now.is_never() {
            self.process.step();
            any = true;
        }
        any
    }

    /// The same whatever was known before.
    pub(super) fn follow_anew(&mut self) {
        self.calm = false;
        self.survey();
        self.review(true, true);
        self.look();
    }

    /// Reviews what may be otherwise than before: since failures have `changed`, since what it rests on
    /// has, or because its time has come.
    pub(super) fn review(&mut self, changed: bool, all: bool) {
        let (now, before) = (self.now, self.means);
        let leader = self.leader.holder();
        let started = changed || self.starts_due() <= now;
        if started {
            self.review_starts();
        }
        let recount = all || self.means.votes != before.votes;
        if recount || self.leader.due <= now {
            if recount {
                self.count_votes();
            }
            self.review_leader();
            self.means.leads = self.leads_now();
        }
        if started || all || self.means.leads != before.leads || self.nights_due() <= now {
            self.review_nights(before.votes, leader);
        }
        self.means.served = self.served_now();
        let ready = if self.rules.by_readiness { self.means.served } else { self.means.servers };
        self.means.ready = ready;
        if all || ready != before.ready || self.rotation.soonest() <= now {
            self.review_rotation();
        }
        if self.elected.is_some() {
            self.review_elected();
        } else if all || self.means.usable != before.usable || self.vip.due <= now {
            self.review_address();
        }
        self.see_ways();
        let moved = (self.means.write, self.means.served) != (before.write, before.served);
        let moved = all || moved;
        if moved {
            self.means.able = self.able_now();
        }
        if changed || moved || self.leases_due() <= now {
            self.review_leases();
        }
    }

    /// Who votes, serves and forwards: all that can, but those that still start.
    fn review_starts(&mut self) {
        let (scene, now, takes) = (self.scenes.now(), self.now, &self.takes);
        let at = (self.key, now);
        self.means.votes = scene.members.serving;
        if !takes.at_once(Timing::EtcdRejoin) {
            let stand = scene.members.rejoining(takes.is_drawn(Timing::EtcdRejoin));
            self.means.votes &= !self.rejoins.review(now, stand, |booted, clock| {
                let end = takes.end(Timing::EtcdRejoin, clock, at, |timers, draw| {
                    timers.member_start(draw, booted)
                });
                end.unwrap_or(now)
            });
        }
        (self.means.servers, self.means.usable) = (scene.servers.serving, scene.balancers.serving);
        let Some(timers) = takes.timers() else { return };
        let Group { machines, running, .. } = scene.servers;
        let start =
            |booted, clock: &mut Clock| now + timers.server_start(&mut clock.timers(at.0), booted);
        self.means.servers &= !self.server_starts.review(now, (running, machines), start);
        let Group { machines, running, .. } = scene.balancers;
        let start = |booted, clock: &mut Clock| {
            now + timers.balancer_start(&mut clock.timers(at.0), booted)
        };
        self.means.usable &= !self.balancer_starts.review(now, (running, machines), start);
    }

    fn review_leader(&mut self) {
        let (voters, majority) = (self.means.votes, self.means.majority);
        let (key, now, holder) = (self.key, self.now, self.leader.holder());
        let may_return = self.takes.is_drawn(Timing::EtcdElection)
            && holder.is_some_and(|at| self.scenes.now().leader_lives(at));
        if holder.is_some() {
            self.leader.stays = (may_return && !majority).then(|| self.steps_down());
        }
        let (scene, takes) = (self.scenes.now(), &self.takes);
        let lost = holder.map_or(Lost::Nobody, |at| scene.lost_leader(at));
        let able = if majority { voters } else { 0 };
        let losing = Losing { keeps: able, may_return };
        let end = |clock: &mut Clock| {
            takes.end(Timing::EtcdElection, clock, (key, now), |timers, draw| {
                timers.election(draw, lost, voters.count_ones())
            })
        };
        // Where electing takes no time, who is elected changes nothing that is measured.
        let at_once = takes.at_once(Timing::EtcdElection);
        self.leader.review(now, able, losing, end, |seat| {
            if at_once { one_of(voters, 0) } else { seat.any_of(voters, key) }
        });
    }

    /// When a leader that lives, and has no majority from now on, knows: one that stands still never does.
    fn steps_down(&mut self) -> Time {
        let stalled = self.scenes.now().stalled;
        let timers = self.takes.drawn(Timing::EtcdElection);
        let Some(timers) = timers.filter(|_| !self.leader.is_held_by(stalled)) else {
            return Time::NEVER;
        };
        let reached = (self.means.votes | stalled).count_ones() as usize;
        let draw = &mut self.leader.clock.timers(self.key);
        let by_disks = reached > self.rejoins.count() / 2;
        let noticed = if by_disks { timers.next_write(draw) } else { Duration::ZERO };
        self.now + noticed.saturating_add(timers.step_down(draw))
    }

    fn review_address(&mut self) {
        let usable = self.means.usable;
        let (scene, takes, now) = (self.scenes.now(), &self.takes, self.now);
        let (at, timers) = ((self.key, now), takes.drawn(Timing::VipTakeover));
        let first = match timers {
            Some(timers) => timers.taker(usable),
            None => (usable != 0).then(|| usable.trailing_zeros() as usize),
        };
        // Adverts of a higher priority end a lower one's mastership: nobody misses the address.
        if let (Some(timers), Some(taker), Some(holder)) = (timers, first, self.vip.holder())
            && timers.preempts(taker, holder)
            && self.vip.is_held_by(usable)
        {
            self.vip.give(first);
        }
        let lost = self.vip.holder().map_or(Lost::Nobody, |at| scene.lost_holder(at));
        let end = |clock: &mut Clock| {
            takes.end(Timing::VipTakeover, clock, at, |timers, draw| {
                timers.takeover(draw, lost, first.unwrap_or(0))
            })
        };
        if timers.is_some() && self.vip.is_held_by(scene.orphaned() & !usable) {
            return self.vip.pass_on(now, first, end);
        }
        let may_return = timers.is_some() && lost != Lost::Exited;
        let losing = Losing { keeps: usable, may_return };
        self.vip.review(now, usable, losing, end, |_| first);
    }

    pub(super) fn review_leases(&mut self) {
        let now = self.now;
        let [schedulers, managers] = self.scenes.now().candidates;
        let [by_scheduler, by_manager] = self.means.able;
        if !self.leases[0].is_kept(&self.scheduler, schedulers.running & by_scheduler) {
            self.review_lease(0, now);
        }
        if !self.leases[1].is_kept(&self.manager, managers.running & by_manager) {
            self.review_lease(1, now);
        }
    }

    fn review_lease(&mut self, which: usize, now: Time) {
        let (key, takes, able) = (self.key, &self.takes, self.means.able[which]);
        let group = self.scenes.now().candidates[which];
        let lease = &mut self.leases[which];
        let seat = if which == 0 { &mut self.scheduler } else { &mut self.manager };
        if let Some(timers) = takes.drawn(seat.timing) {
            return lease.review(seat, timers, Standing { now, key, group, able });
        }
        // Where taking it takes no time, who has it changes nothing that is measured.
        let at_once = takes.at_once(seat.timing);
        let timing = seat.timing;
        let end = |clock: &mut Clock| takes.end(timing, clock, (key, now), |_, _| Duration::ZERO);
        let losing = Losing { keeps: group.running, may_return: false };
        let candidates = group.serving & able;
        seat.review(now, candidates, losing, end, |seat| {
            if at_once { one_of(candidates, 0) } else { seat.any_of(candidates, key) }
        });
    }

    /// Which candidates for each Lease can write: by a law all of them or none; by its own timers those
    /// whose way to the API works, which is the server beside them or the address of all.
    pub(super) fn able_now(&self) -> [Bits; 2] {
        let timings = [Timing::SchedulerTakeover, Timing::ControllerManagerTakeover];
        [0, 1].map(|which| {
            if self.takes.is_drawn(timings[which]) {
                self.ways[which].able(self.means.served, self.means.write)
            } else if self.means.write {
                Bits::MAX
            } else {
                0
            }
        })
    }

    /// Sees what follows from who votes.
    pub(super) fn count_votes(&mut self) {
        self.means.reaching = self.wiring.reaching(self.means.votes);
        self.means.majority = is_majority(self.means.votes, self.rejoins.count());
    }

    /// Whether a majority follows a leader.
    pub(super) fn leads_now(&self) -> bool {
        self.means.majority && self.leader.is_held()
    }

    /// API servers that serve and have etcd.
    #[inline]
    pub(super) fn served_now(&self) -> Bits {
        let Means { leads, servers, reaching, .. } = self.means;
        all_if(leads && self.scenes.now().cluster) & servers & reaching
    }

    /// Sees where clients get to. By their own timers balancers lead to servers in the rotation only.
    #[inline]
    pub(super) fn see_ways(&mut self) {
        let Rules { seated, by_rotation, .. } = self.rules;
        let Means { servers, reaching, leads, .. } = self.means;
        let scene = self.scenes.now();
        let (cluster, address) = (scene.cluster, scene.address);
        let mut endpoint = if seated { self.vip.is_held() } else { address };
        let mut open = self.rotation.reached(servers) | all_if(!by_rotation) & servers;
        if self.elected.is_some() {
            let front = self.front();
            endpoint = front != 0;
            open = servers & front;
        } else if !seated {
            endpoint = address && self.listens();
        }
        let reached = all_if(cluster) & self.wiring.known(open);
        (self.means.endpoint, self.means.reached) = (endpoint, reached);
        self.means.write = endpoint && leads && reached & reaching != 0;
    }

    pub(super) fn review_rotation(&mut self) {
        let (scene, takes, at) = (self.scenes.now(), &self.takes, (self.key, self.now));
        let ready = self.means.ready;
        self.rotation.review(self.now, ready, |server, clock| {
            if ready >> server & 1 == 1 {
                return takes.end(Timing::LbRise, clock, at, Timers::rise);
            }
            let lost = scene.servers.lost(server);
            takes.end(Timing::LbFall, clock, at, |timers, draw| timers.fall(draw, lost))
        });
    }

    /// Sees what is up, once all has followed.
    pub(super) fn look(&mut self) {
        let share_served = self.rotation.share(self.means.servers);
        self.outlook = Outlook { levels: self.levels_now(), share_served };
        self.soonest = self.leases_due().min(self.others_due()).min(self.nights_due());
    }

    /// When the next Lease is taken, or given up.
    #[inline]
    pub(super) fn leases_due(&self) -> Time {
        let seats = self.scheduler.due.min(self.manager.due);
        seats.min(self.leases[0].patience).min(self.leases[1].patience)
    }

    /// When something else happens by itself to services, but in the rotation and in a night.
    #[inline]
    pub(super) fn others_due(&self) -> Time {
        self.tenures_due().min(self.starts_due())
    }

    /// When the address or the leadership is taken.
    #[inline]
    pub(super) fn tenures_due(&self) -> Time {
        let elected = self.elected.as_ref().map_or(Time::NEVER, Elected::patience);
        self.vip.due.min(self.leader.due).min(elected)
    }

    /// When the next of what starts is of use.
    pub(super) fn starts_due(&self) -> Time {
        let servers = self.server_starts.soonest().min(self.balancer_starts.soonest());
        servers.min(self.rejoins.soonest())
    }

    /// When something happens by itself to a server that has no etcd.
    pub(super) fn nights_due(&self) -> Time {
        self.nights.as_ref().map_or(Time::NEVER, |nights| nights.soonest)
    }

    fn levels_now(&self) -> u8 {
        let works = self.means.write;
        let bit = |measure: Measure, up: bool| u8::from(up) << measure as u8;
        bit(Measure::Endpoint, self.means.endpoint)
            | bit(
                Measure::ApiReadCached,
                self.means.endpoint && self.cached(self.means.reached) != 0,
            )
            | bit(Measure::ApiRead, works)
            | bit(Measure::ApiWrite, works)
            | bit(Measure::EtcdQuorum, self.means.leads)
            | bit(Measure::EtcdMajority, self.could_lead())
            | bit(Measure::Scheduling, works && self.scheduler.is_held_by(self.means.able[0]))
            | bit(Measure::Reconciliation, works && self.manager.is_held_by(self.means.able[1]))
    }

    /// Whether one of these API servers serves; with a voter that it may use, where etcd is needed.
    pub(super) fn any_server(&self, servers: Bits, etcd: bool) -> bool {
        let known = if self.scenes.now().cluster { self.wiring.known(servers) } else { 0 };
        let reaching = if etcd { self.means.reaching } else { known };
        known & reaching != 0
    }

    /// Whether a majority could vote, whoever is elected. Members that start by their own timers could:
    /// that is part of a failover.
    pub(super) fn could_lead(&self) -> bool {
        if self.rules.starts_vote { self.scenes.now().majority } else { self.means.majority }
    }
}

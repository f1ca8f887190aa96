//! Lets everything follow from what is up: whose time has come, who lost a seat, which time begins.

use super::elected::Elected;
use super::lease::Standing;
use super::scene::{Bits, Group, bits};
use super::seat::{Losing, one_of};
use super::{Ideal, Measure};
use crate::kernel::time::{Duration, Time};
use crate::plan::service::Endpoint;
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
        while self.process.next() == Some(self.now) {
            self.process.step();
            changed = true;
        }
        if changed {
            self.survey();
        }
        self.review(changed, false);
        self.look();
    }

    /// The same whatever was known before.
    pub(super) fn follow_anew(&mut self) {
        self.survey();
        self.review(true, true);
        self.look();
    }

    /// Reviews what may be otherwise than before: since failures have `changed`, since what it rests on
    /// has, or because its time has come.
    fn review(&mut self, changed: bool, all: bool) {
        let now = self.now;
        let before = (self.votes, self.usable, self.ready, self.write, self.served);
        let leader = self.leader.holder;
        let starts = [&self.rejoins, &self.server_starts, &self.balancer_starts];
        if changed || starts.iter().any(|starts| starts.soonest() <= now) {
            self.review_starts();
        }
        if all || self.votes != before.0 {
            self.reaching = self.wiring.reaching(self.votes);
        }
        if all || self.votes != before.0 || self.leader.due <= now {
            self.review_leader();
        }
        self.review_nights(before.0, leader);
        self.served = self.served_now();
        self.ready = self.ready_now();
        if all || self.ready != before.2 || self.rotation.soonest() <= now {
            self.review_rotation();
        }
        if self.elected.is_some() {
            self.review_elected();
        } else if all || self.usable != before.1 || self.vip.due <= now {
            self.review_address();
        }
        self.write = self.writes();
        let moved = all || (self.write, self.served) != (before.3, before.4);
        if moved {
            self.able = self.able_now();
        }
        let seats = self.scheduler.due.min(self.manager.due);
        let patience = self.leases[0].patience.min(self.leases[1].patience);
        if changed || moved || seats.min(patience) <= now {
            self.review_leases();
        }
    }

    /// Who votes, serves and forwards: all that can, but those that still start.
    fn review_starts(&mut self) {
        let (scene, now, takes) = (self.scenes.now(), self.now, &self.takes);
        let at = (self.key, now);
        self.votes = scene.members.serving;
        if !takes.at_once(Timing::EtcdRejoin) {
            let Group { machines, running, .. } = scene.members;
            // A law is of machines; by its own timers a process alone takes its time too.
            let up = if takes.drawn(Timing::EtcdRejoin).is_some() { running } else { machines };
            self.votes &= !self.rejoins.review(now, (up, machines), |booted, clock| {
                let end = takes.end(Timing::EtcdRejoin, clock, at, |timers, draw| {
                    timers.member_start(draw, booted)
                });
                end.unwrap_or(now)
            });
        }
        (self.servers, self.usable) = (scene.servers.serving, scene.balancers.serving);
        let Some(timers) = takes.timers() else { return };
        let Group { machines, running, .. } = scene.servers;
        let start =
            |booted, clock: &mut Clock| now + timers.server_start(&mut clock.timers(at.0), booted);
        self.servers &= !self.server_starts.review(now, (running, machines), start);
        let Group { machines, running, .. } = scene.balancers;
        let start = |booted, clock: &mut Clock| {
            now + timers.balancer_start(&mut clock.timers(at.0), booted)
        };
        self.usable &= !self.balancer_starts.review(now, (running, machines), start);
    }

    fn review_leader(&mut self) {
        let (voters, majority) = (self.votes, self.has_majority());
        let (scene, takes, key, now) = (self.scenes.now(), &self.takes, self.key, self.now);
        let holder = self.leader.holder;
        let lost = holder.map_or(Lost::Nobody, |at| scene.lost_leader(at));
        let able = if majority { voters } else { 0 };
        let may_return = takes.drawn(Timing::EtcdElection).is_some()
            && holder.is_some_and(|at| scene.leader_lives(at));
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

    fn review_address(&mut self) {
        let usable = self.usable;
        let (scene, takes, now) = (self.scenes.now(), &self.takes, self.now);
        let (at, timers) = ((self.key, now), takes.drawn(Timing::VipTakeover));
        let first = match timers {
            Some(timers) => timers.taker(usable),
            None => (usable != 0).then(|| usable.trailing_zeros() as usize),
        };
        // Adverts of a higher priority end a lower one's mastership: nobody misses the address.
        if let (Some(timers), Some(taker), Some(holder)) = (timers, first, self.vip.holder)
            && timers.preempts(taker, holder)
            && self.vip.is_held_by(usable)
        {
            self.vip.holder = first;
        }
        let lost = self.vip.holder.map_or(Lost::Nobody, |at| scene.lost_holder(at));
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

    fn review_leases(&mut self) {
        let (key, now, takes) = (self.key, self.now, &self.takes);
        let seats = [&mut self.scheduler, &mut self.manager];
        let groups = self.scenes.now().candidates.into_iter().zip(self.able);
        for ((seat, lease), (group, able)) in seats.into_iter().zip(&mut self.leases).zip(groups) {
            if let Some(timers) = takes.drawn(seat.timing) {
                lease.review(seat, timers, Standing { now, key, group, able });
                continue;
            }
            // Where taking it takes no time, who has it changes nothing that is measured.
            let at_once = takes.at_once(seat.timing);
            let timing = seat.timing;
            let end =
                |clock: &mut Clock| takes.end(timing, clock, (key, now), |_, _| Duration::ZERO);
            let losing = Losing { keeps: group.running, may_return: false };
            let candidates = group.serving & able;
            seat.review(now, candidates, losing, end, |seat| {
                if at_once { one_of(candidates, 0) } else { seat.any_of(candidates, key) }
            });
        }
    }

    /// Which candidates for each Lease can write: by a law all of them or none; by its own timers those
    /// whose way to the API works, which is the server beside them or the address of all.
    pub(super) fn able_now(&self) -> [Bits; 2] {
        let with_etcd = self.served;
        [0, 1].map(|which| {
            let timing = [Timing::SchedulerTakeover, Timing::ControllerManagerTakeover][which];
            let all = if self.write { Bits::MAX } else { 0 };
            if self.takes.drawn(timing).is_none() {
                return all;
            }
            let own = |at: usize| match self.own_servers[which][at] {
                Some(server) => with_etcd >> server & 1 == 1,
                None => self.write,
            };
            bits(self.own_servers[which].len(), own)
        })
    }

    /// API servers that serve and have etcd.
    pub(super) fn served_now(&self) -> Bits {
        if self.leads() && self.scenes.now().cluster { self.servers & self.reaching } else { 0 }
    }

    /// A server belongs into the rotation if it serves; by its own timers, if it is ready: it has etcd.
    fn ready_now(&self) -> Bits {
        if self.takes.drawn(Timing::LbFall).is_none() { self.servers } else { self.served }
    }

    fn review_rotation(&mut self) {
        let (scene, takes, at) = (self.scenes.now(), &self.takes, (self.key, self.now));
        let ready = self.ready;
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
        let share_served = self.rotation.share(self.servers);
        self.outlook = Outlook { levels: self.levels_now(), share_served };
        let seats = [&self.vip, &self.leader, &self.scheduler, &self.manager];
        let seats = seats.into_iter().fold(Time::NEVER, |first, seat| first.min(seat.due));
        let patience = self.leases[0].patience.min(self.leases[1].patience);
        let starts = [&self.rejoins, &self.server_starts, &self.balancer_starts];
        let starts = starts.into_iter().fold(Time::NEVER, |first, it| first.min(it.soonest()));
        let nights = self.nights.as_ref().map_or(Time::NEVER, |nights| nights.soonest);
        let address = self.elected.as_ref().map_or(Time::NEVER, Elected::patience);
        let nights = nights.min(address);
        self.soonest = seats.min(self.rotation.soonest()).min(patience).min(starts).min(nights);
    }

    fn levels_now(&self) -> u8 {
        let (endpoint, leads) = (self.endpoint(), self.leads());
        let works = self.write;
        let bit = |measure: Measure, up: bool| u8::from(up) << measure as u8;
        bit(Measure::Endpoint, endpoint)
            | bit(
                Measure::ApiReadCached,
                endpoint && self.any_server(self.cached(self.reached()), false),
            )
            | bit(Measure::ApiRead, works)
            | bit(Measure::ApiWrite, works)
            | bit(Measure::EtcdQuorum, leads)
            | bit(Measure::EtcdMajority, self.could_lead())
            | bit(Measure::Scheduling, works && self.scheduler.is_held_by(self.able[0]))
            | bit(Measure::Reconciliation, works && self.manager.is_held_by(self.able[1]))
    }

    pub(super) fn writes(&self) -> bool {
        self.endpoint() && self.any_server(self.reached(), true) && self.leads()
    }

    pub(super) fn leads(&self) -> bool {
        self.has_majority() && self.leader.holder.is_some()
    }

    fn endpoint(&self) -> bool {
        match &self.plan.services.endpoint {
            Endpoint::Vip { .. } if self.elected.is_some() => self.front() != 0,
            Endpoint::Balancer(_) | Endpoint::Vip { .. } => self.vip.holder.is_some(),
            _ => self.scenes.now().address && self.listens(),
        }
    }

    /// Whether one of these API servers serves; with a voter that it may use, where etcd is needed.
    pub(super) fn any_server(&self, servers: Bits, etcd: bool) -> bool {
        let known = if self.scenes.now().cluster { self.wiring.known(servers) } else { 0 };
        let reaching = if etcd { self.reaching } else { known };
        known & reaching != 0
    }

    /// API servers that clients get to. By their own timers balancers lead to those in the rotation only.
    fn reached(&self) -> Bits {
        if self.elected.is_some() {
            self.servers & self.front()
        } else if self.takes.drawn(Timing::LbRise).is_some() && !self.balancers.is_empty() {
            self.rotation.reached(self.servers)
        } else {
            self.servers
        }
    }

    fn has_majority(&self) -> bool {
        self.is_majority(self.votes)
    }

    fn is_majority(&self, voters: Bits) -> bool {
        voters.count_ones() as usize > self.rejoins.count() / 2
    }

    /// Whether a majority could vote, whoever is elected. Members that start by their own timers could:
    /// that is part of a failover.
    pub(super) fn could_lead(&self) -> bool {
        if self.takes.drawn(Timing::EtcdRejoin).is_some() {
            self.is_majority(self.scenes.now().members.serving)
        } else {
            self.has_majority()
        }
    }
}

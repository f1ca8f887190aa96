//! Services over the failure process, with one number in place of every protocol's course.
//!
//! What is up is a structure function of what has not failed; the laws of [`Timing`], or draws of the
//! protocols' own timers, add the time that a protocol takes: to move the address, to elect a leader, to
//! let a member vote again, to take a server out of the rotation and back, to take a Lease over. The
//! conventions are written at each timing; the exact solution keeps the same ones.
//!
//! Absent on purpose: protocols, statistics over trials.

mod calm;
mod elected;
mod incident;
mod jumps;
mod lack;
mod lease;
mod means;
mod measure;
mod nights;
mod recall;
mod returns;
mod review;
mod rotation;
mod scene;
mod seat;
mod starts;
mod takes;
mod verdict;
mod ways;

pub use incident::Kinds;
pub use jumps::{Ending, forgets};
pub use measure::{Measure, Reason};
pub(super) use verdict::Verdict;

use super::process::Process;
use crate::component::id::{ComponentId, Kind};
use crate::kernel::stream::Key;
use crate::kernel::time::{Duration, Time};
use crate::plan::Plan;
use crate::plan::service::Endpoint;
use crate::plan::timings::Timing;
use elected::Elected;
use lease::Lease;
use means::Means;
use nights::Nights;
use review::Outlook;
use rotation::Rotation;
use scene::{Scenes, Wiring};
use seat::Seat;
use starts::Starts;
use takes::Takes;
use ways::Ways;

/// By which rules services follow: what a plan decides once and for all.
#[derive(Clone, Copy, Debug)]
struct Rules {
    /// Whether the address is something that is held.
    seated: bool,
    /// Whether clients get to servers in the rotation only.
    by_rotation: bool,
    /// Whether a server belongs into the rotation if it is ready (it has etcd), and not if it serves.
    by_readiness: bool,
    /// Whether what is up follows from what has not failed, and who held what, and from nothing else.
    timeless: bool,
    /// Whether members that start count among those that could vote.
    starts_vote: bool,
    /// A time in which all that a repair mends is of use again.
    longest_return: Duration,
}

impl Rules {
    fn of(plan: &Plan, takes: &Takes, balancers: &[ComponentId]) -> Self {
        let seated = matches!(plan.services.endpoint, Endpoint::Balancer(_) | Endpoint::Vip { .. });
        Self {
            seated,
            by_rotation: takes.is_drawn(Timing::LbRise) && !balancers.is_empty(),
            by_readiness: takes.is_drawn(Timing::LbFall),
            timeless: Timing::ALL.iter().all(|(timing, ..)| takes.at_once(*timing))
                && takes.timers().is_none(),
            starts_vote: takes.is_drawn(Timing::EtcdRejoin),
            longest_return: takes.longest_return(),
        }
    }
}

/// The services of a plan, as the failure process and the time of each protocol make them.
#[derive(Clone, Debug)]
pub struct Ideal<'p> {
    plan: &'p Plan,
    key: Key,
    process: Process<'p>,
    now: Time,
    balancers: Vec<ComponentId>,
    /// What announces the address of each, where something does.
    daemons: Vec<ComponentId>,
    schedulers: Vec<ComponentId>,
    managers: Vec<ComponentId>,
    vip: Seat,
    leader: Seat,
    scheduler: Seat,
    manager: Seat,
    rotation: Rotation,
    leases: [Lease; 2],
    /// Members on their way to their vote; API servers and balancers that start.
    rejoins: Starts,
    server_starts: Starts,
    balancer_starts: Starts,
    /// Servers that are killed for want of etcd, where they are.
    nights: Option<Box<Nights>>,
    /// The Lease by which the address is held, where it is.
    elected: Option<Elected>,
    rules: Rules,
    takes: Takes<'p>,
    wiring: Wiring,
    scenes: Scenes,
    means: Means,
    /// How the candidates for each Lease reach the cluster.
    ways: [Ways; 2],
    /// Whether all is calm, and what that means is known.
    calm: bool,
    /// The earliest time that runs, beside those of the failure process and of the rotation.
    soonest: Time,
    outlook: Outlook,
}

impl<'p> Ideal<'p> {
    /// Everything up, led and held at time 0.
    pub fn new(plan: &'p Plan, key: Key) -> Self {
        let named =
            |timing: Timing, id: &ComponentId| format!("{} {}", timing.name(), plan.map.name(*id));
        let (servers, members) = (&plan.services.api_servers, &plan.services.members);
        let starting = |id: &ComponentId| format!("start {}", plan.map.name(*id));
        let (balancers, daemons) = match &plan.services.endpoint {
            Endpoint::Vip { holders, fronts } => (fronts.clone(), holders.clone()),
            Endpoint::Balancer(id) => (vec![*id], Vec::new()),
            Endpoint::Dns { addresses, .. } => {
                let balances =
                    |id: &&ComponentId| plan.map.component(**id).kind == Kind::LoadBalancer;
                (addresses.iter().filter(balances).copied().collect(), Vec::new())
            }
            Endpoint::OneServer(_) | Endpoint::AllServers => (Vec::new(), Vec::new()),
        };
        let takes = Takes::of(plan);
        let seat = |timing| Seat::new(timing, takes.is_drawn(timing));
        let mut ideal = Self {
            plan,
            key,
            process: Process::new(&plan.map, &plan.reliability, key),
            now: Time::START,
            daemons,
            schedulers: plan.map.of_kind(Kind::Scheduler).collect(),
            managers: plan.map.of_kind(Kind::ControllerManager).collect(),
            vip: seat(Timing::VipTakeover),
            leader: seat(Timing::EtcdElection),
            scheduler: seat(Timing::SchedulerTakeover),
            manager: seat(Timing::ControllerManagerTakeover),
            rotation: Rotation::of(servers.iter().map(|id| named(Timing::LbFall, id))),
            rejoins: Starts::of(members.iter().map(|id| named(Timing::EtcdRejoin, id))),
            leases: [Lease::new(); 2],
            server_starts: Starts::of(servers.iter().map(starting)),
            balancer_starts: Starts::of(balancers.iter().map(starting)),
            rules: Rules::of(plan, &takes, &balancers),
            balancers,
            nights: Nights::of(plan, takes.timers()),
            elected: Elected::of(plan, takes.drawn(Timing::VipTakeover)),
            takes,
            wiring: Wiring::of(plan),
            scenes: Scenes::new(),
            means: Means::default(),
            ways: [Kind::Scheduler, Kind::ControllerManager].map(|kind| Ways::of(plan, kind)),
            calm: false,
            soonest: Time::NEVER,
            outlook: Outlook::NONE,
        };
        ideal.begin();
        ideal
    }

    /// Begins anew with other randomness.
    pub fn reset(&mut self, key: Key) {
        self.key = key;
        self.now = Time::START;
        self.calm = false;
        self.process.reset(key);
        for seat in [&mut self.vip, &mut self.leader, &mut self.scheduler, &mut self.manager] {
            seat.reset();
        }
        self.reset_timers();
        self.begin();
    }

    /// Nothing starts, is on its way or waits.
    fn reset_timers(&mut self) {
        self.rotation.reset();
        for starts in [&mut self.rejoins, &mut self.server_starts, &mut self.balancer_starts] {
            starts.reset();
        }
        self.leases = [Lease::new(); 2];
        self.nights.iter_mut().for_each(|nights| nights.reset());
        self.elected.iter_mut().for_each(Elected::reset);
    }

    /// Sees everything up.
    fn begin(&mut self) {
        self.survey();
        self.means.votes = self.scenes.now().members.serving;
        self.means.servers = self.scenes.now().servers.serving;
        self.means.usable = self.scenes.now().balancers.serving;
        if let Some(timers) = self.takes.drawn(Timing::VipTakeover) {
            self.vip.give(timers.taker(self.means.usable).or(self.vip.holder()));
        }
        self.means.ready = self.means.servers;
        self.count_votes();
        self.means.leads = self.leads_now();
        self.review_nights(self.means.votes, None);
        self.means.served = self.served_now();
        self.see_ways();
        self.means.able = self.able_now();
        self.look();
    }

    /// What has failed.
    pub fn process(&self) -> &Process<'p> {
        &self.process
    }

    /// When something may change next.
    pub fn next(&self) -> Time {
        self.process.soonest().min(self.soonest).min(self.rotation.soonest())
    }

    /// The same but for changes of the share of requests that are served and of nothing else.
    pub(in crate::reliability) fn next_loud(&self) -> Time {
        self.process.soonest().min(self.soonest).min(self.rotation.next_loud(self.means.servers))
    }

    /// Goes on to the next instant at which something may change.
    pub fn step(&mut self) {
        self.now = self.next();
        self.follow(false);
    }

    /// Goes on to that instant, or to a later one if nothing that is measured changes until then.
    pub(in crate::reliability) fn stride(&mut self) {
        self.now = self.next_loud();
        if self.is_timeless() {
            return self.follow(false);
        }
        let calm = std::mem::take(&mut self.calm) || self.know_calm();
        let before = self.process.signature();
        let changed = self.see_failures();
        if changed {
            self.survey();
        }
        if calm && changed && self.follow_calm(before) {
            return;
        }
        let (now, others) = (self.now, self.others_due().min(self.rotation.soonest()));
        let alone = !changed && others > now && self.elected.is_none();
        match (alone, self.leases_due() <= now, self.nights_due() <= now) {
            (true, _, false) => {
                self.review_leases();
                self.look();
            }
            (true, false, true) if self.nobody_is_reached() => self.go_through_night(),
            _ => {
                self.review(changed, false);
                self.look();
                self.see_home();
            }
        }
    }

    /// Goes on to the next instant before that one at which a server leaves the rotation that serves
    /// nobody; [`None`]: none does.
    pub(in crate::reliability) fn drift(&mut self, before: Time) -> Option<Time> {
        let at = self.rotation.soonest();
        if at >= before || !self.rotation.is_quiet(self.means.servers) {
            return None;
        }
        self.now = at;
        self.rotation.release(at);
        self.outlook.share_served = self.rotation.share(self.means.servers);
        Some(at)
    }

    /// What is up now; bit by bit in the order of [`Measure::ALL`].
    pub fn levels(&self) -> u8 {
        self.outlook.levels
    }

    /// The share of fresh requests that reach an API server that serves: of those in the rotation,
    /// all alike; 0 when it is empty. Counts servers and rotation only, not what is before or
    /// behind them.
    pub fn share_served(&self) -> f64 {
        self.outlook.share_served
    }
}

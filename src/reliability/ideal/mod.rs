//! Services over the failure process, with one number in place of every protocol's course.
//!
//! What is up is a structure function of what has not failed; the laws of [`Timing`], or draws of the
//! protocols' own timers, add the time that a protocol takes: to move the address, to elect a leader, to let a member vote again, to take a
//! server out of the rotation and back, to take a Lease over. The conventions are written at each
//! timing; the exact solution keeps the same ones.
//!
//! Absent on purpose: protocols, statistics over trials.

mod elected;
mod incident;
mod jumps;
mod lease;
mod measure;
mod nights;
mod review;
mod rotation;
mod scene;
mod seat;
mod starts;
mod takes;
mod verdict;

pub use incident::Kinds;
pub use jumps::{Ending, forgets};
pub use measure::{Measure, Reason};
pub(super) use verdict::Verdict;

use super::process::Process;
use crate::component::id::{ComponentId, Kind};
use crate::components::Params;
use crate::components::lease::Kubeconfig;
use crate::kernel::stream::Key;
use crate::kernel::time::Time;
use crate::plan::Plan;
use crate::plan::service::Endpoint;
use crate::plan::timings::Timing;
use elected::Elected;
use lease::Lease;
use nights::Nights;
use review::Outlook;
use rotation::Rotation;
use scene::{Scenes, Wiring};
use seat::Seat;
use starts::Starts;
use takes::Takes;

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
    takes: Takes<'p>,
    wiring: Wiring,
    scenes: Scenes,
    /// Who has a vote now.
    votes: scene::Bits,
    /// API servers that serve now, those that pass the balancers' checks, and balancers that forward.
    servers: scene::Bits,
    ready: scene::Bits,
    usable: scene::Bits,
    /// API servers that may use one of the voters, and those that serve with etcd.
    reaching: scene::Bits,
    served: scene::Bits,
    /// Whether writes work, and for which candidates of each Lease.
    write: bool,
    able: [scene::Bits; 2],
    /// The API server that each candidate uses, where it is not the address of all.
    own_servers: [Vec<Option<usize>>; 2],
    /// The earliest time that runs, beside those of the failure process.
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
        let mut ideal = Self {
            plan,
            key,
            process: Process::new(&plan.map, &plan.reliability, key),
            now: Time::START,
            daemons,
            schedulers: plan.map.of_kind(Kind::Scheduler).collect(),
            managers: plan.map.of_kind(Kind::ControllerManager).collect(),
            vip: Seat::new(Timing::VipTakeover),
            leader: Seat::new(Timing::EtcdElection),
            scheduler: Seat::new(Timing::SchedulerTakeover),
            manager: Seat::new(Timing::ControllerManagerTakeover),
            rotation: Rotation::of(servers.iter().map(|id| named(Timing::LbFall, id))),
            rejoins: Starts::of(members.iter().map(|id| named(Timing::EtcdRejoin, id))),
            leases: [Lease::new(); 2],
            server_starts: Starts::of(servers.iter().map(starting)),
            balancer_starts: Starts::of(balancers.iter().map(starting)),
            balancers,
            nights: Nights::of(plan, takes.timers()),
            elected: Elected::of(plan, takes.drawn(Timing::VipTakeover)),
            takes,
            wiring: Wiring::of(plan),
            scenes: Scenes::new(),
            votes: 0,
            servers: 0,
            ready: 0,
            usable: 0,
            reaching: 0,
            served: 0,
            write: false,
            able: [0; 2],
            own_servers: [Kind::Scheduler, Kind::ControllerManager]
                .map(|kind| plan.map.of_kind(kind).map(|id| own_server(plan, id)).collect()),
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
        self.votes = self.scenes.now().members.serving;
        self.servers = self.scenes.now().servers.serving;
        self.usable = self.scenes.now().balancers.serving;
        self.ready = self.servers;
        self.reaching = self.wiring.reaching(self.votes);
        self.review_nights(self.votes, None);
        self.served = self.served_now();
        self.write = self.writes();
        self.able = self.able_now();
        self.look();
    }

    /// What has failed.
    pub fn process(&self) -> &Process<'p> {
        &self.process
    }

    /// When something may change next.
    pub fn next(&self) -> Time {
        self.process.next().unwrap_or(Time::NEVER).min(self.soonest)
    }

    /// Goes on to the next instant at which something may change.
    pub fn step(&mut self) {
        self.now = self.next();
        self.follow(false);
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

    /// Why a measure that is down is down.
    pub fn reason(&self, measure: Measure) -> Reason {
        match self.lack(measure) {
            Some(Reason::Cluster) => Reason::Cluster,
            _ if self.process.is_worked_on() => Reason::PlannedWork,
            lack => lack.unwrap_or(Reason::Failover),
        }
    }

    /// Whether [`Ideal::lack`] would tell anything.
    pub fn lacks(&self, measure: Measure) -> bool {
        self.lack(measure).is_some()
    }

    /// What a measure needs and has not, whatever takes over; `None`: it is up, or a failover goes
    /// on.
    pub fn lack(&self, measure: Measure) -> Option<Reason> {
        let path = matches!(
            measure,
            Measure::Endpoint
                | Measure::ApiReadCached
                | Measure::ApiRead
                | Measure::ApiWrite
                | Measure::Scheduling
                | Measure::Reconciliation
        );
        // By their own checks balancers send nobody to servers without etcd, so that cached reads end.
        let is_checked =
            self.takes.drawn(Timing::LbFall).is_some() && self.levels() >> measure as u8 & 1 == 0;
        let etcd = match measure {
            Measure::Endpoint => self.is_night(measure) || self.lacks_api(),
            Measure::ApiReadCached => is_checked || self.is_night(measure) || self.lacks_api(),
            _ => true,
        };
        let scene = self.scenes.now();
        if !scene.cluster {
            Some(Reason::Cluster)
        } else if etcd && !self.could_lead() {
            Some(Reason::Quorum)
        } else if path && !self.balancers.is_empty() && scene.balancers.serving == 0 {
            Some(Reason::Balancer)
        } else if path
            && measure != Measure::Endpoint
            && !self.any_server(scene.servers.serving, etcd)
        {
            Some(Reason::ApiServer)
        } else {
            None
        }
    }
}

/// The API server whose name stands in a candidate's kubeconfig; `None`: the address that clients use.
fn own_server(plan: &Plan, id: ComponentId) -> Option<usize> {
    let (kubeconfig, wiring) = match plan.params_of(id) {
        Params::Scheduler(params, wiring) => (params.kubeconfig, wiring),
        Params::ControllerManager(params, wiring) => (params.kubeconfig, wiring),
        _ => return None,
    };
    let own = kubeconfig == Kubeconfig::Local;
    let place = || plan.services.api_servers.iter().position(|server| *server == wiring.server);
    own.then(place).flatten()
}

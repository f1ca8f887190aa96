//! Services over the failure process, with a law in place of every protocol.
//!
//! What is up is a structure function of what has not failed; the laws of [`Timing`] add the time that
//! a protocol takes: to move the address, to elect a leader, to let a member vote again, to take a
//! server out of the rotation and back, to take a Lease over. The conventions are written at each
//! timing; the exact solution keeps the same ones.
//!
//! Absent on purpose: protocols, statistics over trials.

mod incident;
mod jumps;
mod measure;
mod memo;
mod seat;

pub use incident::Kinds;
pub use jumps::{Ending, forgets};
pub use measure::{Measure, Reason};
pub(super) use memo::Verdict;

use super::clocks::{Clock, Purpose};
use super::process::Process;
use crate::component::id::{ComponentId, Kind};
use crate::kernel::stream::Key;
use crate::kernel::time::Time;
use crate::plan::Plan;
use crate::plan::service::Endpoint;
use crate::plan::timings::{Timing, Timings};
use memo::{Memo, Outlook};
use seat::{Seat, one_of};

/// An API server in the balancers' rotation, or on its way in or out.
#[derive(Clone, Debug)]
struct Backend {
    inside: bool,
    due: Time,
    clock: Clock,
}

/// A member that catches up after its machine's repair.
#[derive(Clone, Debug)]
struct Rejoin {
    was_up: bool,
    due: Time,
    clock: Clock,
}

/// The services of a plan whose timings are all laws.
#[derive(Clone, Debug)]
pub struct Ideal<'p> {
    plan: &'p Plan,
    key: Key,
    process: Process<'p>,
    now: Time,
    balancers: Vec<(ComponentId, Option<ComponentId>)>,
    schedulers: Vec<ComponentId>,
    managers: Vec<ComponentId>,
    vip: Seat,
    leader: Seat,
    scheduler: Seat,
    manager: Seat,
    backends: Vec<Backend>,
    rejoins: Vec<Rejoin>,
    outlook: Outlook,
    memo: Memo,
}

impl<'p> Ideal<'p> {
    /// Everything up, led and held at time 0.
    pub fn new(plan: &'p Plan, key: Key) -> Self {
        let seat = |timing: Timing| Seat {
            timing,
            holder: Some(0),
            due: Time::NEVER,
            appointed: None,
            clock: Clock::of(timing.name()),
        };
        let named = |timing: Timing, id: &ComponentId| {
            Clock::of(&format!("{} {}", timing.name(), plan.map.name(*id)))
        };
        let backend = |id: &ComponentId| Backend {
            inside: true,
            due: Time::NEVER,
            clock: named(Timing::LbFall, id),
        };
        let rejoin = |id: &ComponentId| Rejoin {
            was_up: true,
            due: Time::NEVER,
            clock: named(Timing::EtcdRejoin, id),
        };
        let mut ideal = Self {
            plan,
            key,
            process: Process::new(&plan.map, &plan.reliability, key),
            now: Time::START,
            balancers: match &plan.services.endpoint {
                Endpoint::Vip { holders, fronts } => {
                    let daemons = holders.iter().map(|daemon| Some(*daemon));
                    fronts.iter().copied().zip(daemons).collect()
                }
                Endpoint::Balancer(id) => vec![(*id, None)],
                Endpoint::Dns { addresses, .. } => {
                    let balancers = addresses
                        .iter()
                        .filter(|id| plan.map.component(**id).kind == Kind::LoadBalancer);
                    balancers.map(|id| (*id, None)).collect()
                }
                Endpoint::OneServer(_) | Endpoint::AllServers => Vec::new(),
            },
            schedulers: plan.map.of_kind(Kind::Scheduler).collect(),
            managers: plan.map.of_kind(Kind::ControllerManager).collect(),
            vip: seat(Timing::VipTakeover),
            leader: seat(Timing::EtcdElection),
            scheduler: seat(Timing::SchedulerTakeover),
            manager: seat(Timing::ControllerManagerTakeover),
            backends: plan.services.api_servers.iter().map(backend).collect(),
            rejoins: plan.services.members.iter().map(rejoin).collect(),
            outlook: Outlook::NONE,
            memo: Memo::of(&plan.timings),
        };
        ideal.look();
        ideal
    }

    /// Begins anew with other randomness.
    pub fn reset(&mut self, key: Key) {
        self.key = key;
        self.now = Time::START;
        self.process.reset(key);
        for seat in [&mut self.vip, &mut self.leader, &mut self.scheduler, &mut self.manager] {
            (seat.holder, seat.due) = (Some(0), Time::NEVER);
            seat.clock.rewind();
        }
        for backend in &mut self.backends {
            (backend.inside, backend.due) = (true, Time::NEVER);
            backend.clock.rewind();
        }
        for rejoin in &mut self.rejoins {
            (rejoin.was_up, rejoin.due) = (true, Time::NEVER);
            rejoin.clock.rewind();
        }
        self.look();
    }

    /// What has failed.
    pub fn process(&self) -> &Process<'p> {
        &self.process
    }

    /// When something may change next.
    pub fn next(&self) -> Time {
        let process = self.process.next().unwrap_or(Time::NEVER);
        if self.memo.is_used() {
            return process;
        }
        let seats = [&self.vip, &self.leader, &self.scheduler, &self.manager];
        let seats = seats.into_iter().map(|seat| seat.due);
        let backends = self.backends.iter().map(|backend| backend.due);
        let rejoins = self.rejoins.iter().map(|rejoin| rejoin.due);
        seats.chain(backends).chain(rejoins).fold(process, Time::min)
    }

    /// Goes on to the next instant at which something may change.
    pub fn step(&mut self) {
        self.now = self.next();
        while self.process.next() == Some(self.now) {
            self.process.step();
        }
        self.follow();
    }

    /// What is up now; bit by bit in the order of [`Measure::ALL`].
    pub fn levels(&self) -> u8 {
        self.outlook.levels
    }

    fn levels_now(&self) -> u8 {
        let up = |measure: &Measure| u8::from(self.is_up(*measure)) << *measure as u8;
        Measure::ALL.iter().map(up).sum()
    }

    /// The share of fresh requests that reach an API server that serves: of those in the rotation,
    /// all alike; 0 when it is empty. Counts servers and rotation only, not what is before or
    /// behind them.
    pub fn share_served(&self) -> f64 {
        self.outlook.share_served
    }

    fn share_served_now(&self) -> f64 {
        let servers = self.plan.services.api_servers.iter().zip(&self.backends);
        let (mut inside, mut healthy) = (0_u32, 0_u32);
        for (id, _) in servers.filter(|(_, backend)| backend.inside) {
            inside += 1;
            healthy += u32::from(self.process.serves(*id));
        }
        if inside == 0 { 0.0 } else { f64::from(healthy) / f64::from(inside) }
    }

    /// Why a measure that is down is down.
    pub fn reason(&self, measure: Measure) -> Reason {
        match self.lack(measure) {
            Some(Reason::Cluster) => Reason::Cluster,
            _ if self.process.is_worked_on() => Reason::PlannedWork,
            lack => lack.unwrap_or(Reason::Failover),
        }
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
        let etcd = !matches!(measure, Measure::Endpoint | Measure::ApiReadCached);
        if !self.process.cluster_works() {
            Some(Reason::Cluster)
        } else if etcd && !self.has_majority() {
            Some(Reason::Quorum)
        } else if path && !self.balancers.is_empty() && !self.any_balancer() {
            Some(Reason::Balancer)
        } else if path && measure != Measure::Endpoint && !self.any_server(etcd) {
            Some(Reason::ApiServer)
        } else {
            None
        }
    }

    fn is_up(&self, measure: Measure) -> bool {
        let works = || self.endpoint() && self.any_server(true) && self.leads();
        match measure {
            Measure::Endpoint => self.endpoint(),
            Measure::ApiReadCached => self.endpoint() && self.any_server(false),
            Measure::ApiRead | Measure::ApiWrite => works(),
            Measure::EtcdQuorum => self.leads(),
            Measure::EtcdMajority => self.has_majority(),
            Measure::Scheduling => works() && self.scheduler.holder.is_some(),
            Measure::Reconciliation => works() && self.manager.holder.is_some(),
        }
    }

    fn leads(&self) -> bool {
        self.has_majority() && self.leader.holder.is_some()
    }

    fn endpoint(&self) -> bool {
        match &self.plan.services.endpoint {
            Endpoint::OneServer(id) => self.serves(*id),
            Endpoint::AllServers => true,
            Endpoint::Dns { addresses, .. } => addresses.iter().any(|id| self.serves(*id)),
            Endpoint::Balancer(_) | Endpoint::Vip { .. } => self.vip.holder.is_some(),
        }
    }

    fn serves(&self, id: ComponentId) -> bool {
        self.process.serves(id) && self.process.cluster_works()
    }

    fn usable_balancer(&self, at: usize) -> bool {
        let (balancer, daemon) = self.balancers[at];
        self.process.serves(balancer) && daemon.is_none_or(|id| self.process.serves(id))
    }

    fn any_balancer(&self) -> bool {
        (0..self.balancers.len()).any(|at| self.usable_balancer(at))
    }

    /// Whether an API server serves; with a voter that it may use, where etcd is needed.
    fn any_server(&self, etcd: bool) -> bool {
        let members = &self.plan.services.members;
        let votes = |member: &ComponentId| {
            members.iter().position(|id| id == member).is_some_and(|at| self.votes(at))
        };
        let can = |id: &ComponentId| {
            self.serves(*id) && (!etcd || self.plan.etcd_servers_of(*id).iter().any(votes))
        };
        match &self.plan.services.endpoint {
            Endpoint::OneServer(id) => can(id),
            _ => self.plan.services.api_servers.iter().any(can),
        }
    }

    fn votes(&self, at: usize) -> bool {
        let member = self.plan.services.members[at];
        self.process.serves(member)
            && self.process.disk_works(member)
            && self.rejoins[at].due.is_never()
    }

    fn has_majority(&self) -> bool {
        let members = self.rejoins.len();
        (0..members).filter(|at| self.votes(*at)).count() > members / 2
    }

    fn law(&self, timing: Timing) -> &'p crate::kernel::law::Law {
        self.plan.timings.law(timing).unwrap_or(&Timings::INSTANTANEOUS)
    }

    /// Lets everything follow from what is up now: whose time has come, who lost his seat, which
    /// time begins.
    fn review(&mut self) {
        self.review_rejoins();
        self.review_backends();
        let voters = bits(self.rejoins.len(), |at| self.votes(at));
        let majority = voters.count_ones() as usize > self.rejoins.len() / 2;
        let elected = |seat: &mut Seat, key| seat.any_of(voters, key);
        let keeps = |holder: usize| majority && voters >> holder & 1 == 1;
        let law = self.law(Timing::EtcdElection);
        self.leader.review(self.now, self.key, law, keeps, majority, elected);
        let usable = bits(self.balancers.len(), |at| self.usable_balancer(at));
        let first = (usable != 0).then(|| usable.trailing_zeros() as usize);
        let law = self.law(Timing::VipTakeover);
        let keeps = |holder: usize| usable >> holder & 1 == 1;
        self.vip.review(self.now, self.key, law, keeps, first.is_some(), |_, _| first);
        let write = self.is_up(Measure::ApiWrite);
        self.review_lease(true, write);
        self.review_lease(false, write);
    }

    fn review_lease(&mut self, scheduler: bool, write: bool) {
        let candidates = if scheduler { &self.schedulers } else { &self.managers };
        let process = &self.process;
        let keeps = |holder: usize| candidates.get(holder).is_some_and(|id| process.runs(*id));
        let usable = bits(candidates.len(), |at| process.serves(candidates[at]));
        let seat = if scheduler { &mut self.scheduler } else { &mut self.manager };
        let law = self.plan.timings.law(seat.timing).unwrap_or(&Timings::INSTANTANEOUS);
        // Where taking it takes no time, who has it changes nothing that is measured.
        let timeless = Timings::is_instantaneous(law);
        let taker = |seat: &mut Seat, key| {
            if timeless { one_of(usable, 0) } else { seat.any_of(usable, key) }
        };
        seat.review(self.now, self.key, law, keeps, write && usable != 0, taker);
    }

    fn review_rejoins(&mut self) {
        let law = self.law(Timing::EtcdRejoin);
        for (at, member) in self.plan.services.members.iter().enumerate() {
            let up = self.process.machine_is_up(*member);
            let rejoin = &mut self.rejoins[at];
            if !up || rejoin.due <= self.now {
                rejoin.due = Time::NEVER;
            }
            if up && !rejoin.was_up && !Timings::is_instantaneous(law) {
                rejoin.due = rejoin.clock.end(self.key, Purpose::Timer, law, self.now);
            }
            rejoin.was_up = up;
        }
    }

    fn review_backends(&mut self) {
        for (at, id) in self.plan.services.api_servers.iter().enumerate() {
            let healthy = self.process.serves(*id);
            let timing = if healthy { Timing::LbRise } else { Timing::LbFall };
            let law = self.law(timing);
            let backend = &mut self.backends[at];
            if backend.inside == healthy {
                backend.due = Time::NEVER;
            } else if Timings::is_instantaneous(law) || backend.due <= self.now {
                (backend.inside, backend.due) = (healthy, Time::NEVER);
            } else if backend.due.is_never() {
                backend.due = backend.clock.end(self.key, Purpose::Timer, law, self.now);
            }
        }
    }
}

/// A bit for each number below `count` that it holds of; counts of members and balancers are small.
fn bits(count: usize, holds: impl Fn(usize) -> bool) -> u64 {
    (0..count.min(64)).fold(0, |all, at| all | u64::from(holds(at)) << at)
}

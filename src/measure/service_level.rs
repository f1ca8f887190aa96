//! The level of each service at one instant: which share of fresh requests the path as it stands
//! would serve.
//!
//! A pure function of facts, processes and the network. What needs waiting (an election, a mark-down,
//! a retry after a time-out) is not counted as served; a retry that follows at once on another server
//! is. Absent on purpose: history, and what a particular client saw.

use super::share::Share;
use crate::component::fact::{Ability, ApiServerFact, Fact};
use crate::component::id::{ComponentId, Kind, MachineId};
use crate::component::view::{Probe, ProcessState, Surroundings, View};
use crate::component::workload::Pod;
use crate::components::Params;
use crate::components::etcd::service::quorum;
use crate::components::lease::Kubeconfig;
use crate::components::workload::Shared;
use crate::kernel::time::{Duration, Time};
use crate::plan::Plan;
use crate::plan::service::{Endpoint, Service, Services};
use arrayvec::ArrayVec;

/// The level of every service, in the order of [`Service::ALL`].
pub type Levels = [Share; Service::ALL.len()];

/// What a balancer does with a refused connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Whether another server is tried at once. `HAProxy`: `option redispatch` with a round-robin
    /// algorithm and more than one server in rotation (`back_handle_st_cer`).
    pub redispatch: bool,
    /// How often. `HAProxy`: `retries`.
    pub retries: u32,
}

/// What the levels are computed over: the plan's services and what their path needs beside facts.
#[derive(Clone, Debug)]
pub struct Path {
    /// The services.
    pub services: Services,
    /// The balancers' way with refused connections.
    pub retry: Retry,
    /// Schedulers and controller-managers with the address of their API server.
    pub candidates: Vec<Candidate>,
    /// What runs on the nodes.
    pub workloads: Shared,
}

/// A leader-elected instance, as far as its being able to act depends on others.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// The instance.
    pub id: ComponentId,
    /// Its kind.
    pub kind: Kind,
    /// Its API server; [`ComponentId::VIP`] for the address that clients use; `None` if unknown.
    pub server: Option<ComponentId>,
    /// Its Lease; `None` without leader election.
    pub lease: Option<ComponentId>,
}

impl Path {
    /// The path of a plan.
    pub fn of(plan: &Plan) -> Self {
        let candidates = [Kind::Scheduler, Kind::ControllerManager]
            .into_iter()
            .flat_map(|kind| plan.map.of_kind(kind).map(move |id| (kind, id)))
            .map(|(kind, id)| candidate(plan, kind, id))
            .collect();
        let (services, workloads) = (plan.services.clone(), plan.workloads.clone());
        Self { services, retry: retry(plan), candidates, workloads }
    }

    /// The level of every service at `now`.
    pub fn levels(&self, now: Time, all: &Surroundings) -> Levels {
        let look = Look { path: self, now, all };
        let [cached, read, write] = look.api(self.services.outside);
        Service::ALL.map(|service| match service {
            Service::Endpoint => look.endpoint(),
            Service::ApiReadCached => cached,
            Service::ApiRead => read,
            Service::ApiWrite => write,
            Service::EtcdQuorum => Share::when(look.etcd_quorum()),
            Service::Scheduling => write.and(Share::when(look.acts(Kind::Scheduler))),
            Service::Reconciliation => write.and(Share::when(look.acts(Kind::ControllerManager))),
            Service::Workload => look.workload(),
        })
    }
}

/// Whom an instance talks to, and through which Lease it is elected.
fn candidate(plan: &Plan, kind: Kind, id: ComponentId) -> Candidate {
    let (elects, kubeconfig, wiring) = match plan.params_of(id) {
        Params::Scheduler(p, wiring) => (p.leader_elect, p.kubeconfig, wiring),
        Params::ControllerManager(p, wiring) => (p.leader_elect, p.kubeconfig, wiring),
        _ => return Candidate { id, kind, server: None, lease: None },
    };
    let server = match kubeconfig {
        Kubeconfig::Local => wiring.server,
        Kubeconfig::Endpoint => wiring.endpoint,
    };
    Candidate { id, kind, server: Some(server), lease: elects.then_some(wiring.lease) }
}

/// What the balancers' configuration says; all of a plan have the same.
fn retry(plan: &Plan) -> Retry {
    let configured = plan.params.iter().find_map(|params| match params {
        Params::LoadBalancer(p, _) => Some(Retry { redispatch: p.redispatch, retries: p.retries }),
        _ => None,
    });
    configured.unwrap_or(Retry { redispatch: false, retries: 0 })
}

/// One attempt at each server: a rotation has a bit for each.
type Attempts = ArrayVec<Attempt, 64>;

/// What one attempt at a server comes to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Attempt {
    /// It is sent, and this share is answered as asked; the rest meets errors or silence.
    Sent(Share),
    /// An error at once before anything was sent: another server may be tried.
    Refused,
}

impl Attempt {
    /// Sent into silence, or answered with an error.
    const LOST: Attempt = Attempt::Sent(Share::NONE);

    /// The share served without another attempt.
    fn share(self) -> Share {
        match self {
            Attempt::Sent(share) => share,
            Attempt::Refused => Share::NONE,
        }
    }
}

/// Which requests: what an API server says of them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    ReadCached,
    Read,
    Write,
}

/// Something of each class: they go the same way, so that it is looked at once for all.
type Each<T> = [T; Class::ALL.len()];

impl Class {
    const ALL: [Class; 3] = [Class::ReadCached, Class::Read, Class::Write];

    /// The share that a server answers as asked.
    fn answered(self, fact: &ApiServerFact) -> Share {
        let ability = match self {
            Class::ReadCached => fact.read_cached,
            Class::Read => fact.read,
            Class::Write => fact.write,
        };
        match (ability, self) {
            (Ability::Works, Class::ReadCached) => Share::ALL,
            (Ability::Works, _) => Share::of_millionths(fact.answered),
            _ => Share::NONE,
        }
    }
}

/// The path at one instant.
struct Look<'a> {
    path: &'a Path,
    now: Time,
    all: &'a Surroundings,
}

impl<'a> Look<'a> {
    fn view(&self, me: ComponentId) -> View<'a> {
        View { now: self.now, me, all: self.all }
    }

    /// What a connection attempt from a machine finds.
    fn contact(&self, from: MachineId, to: ComponentId) -> Probe {
        let view = self.view(to);
        let reach = &self.all.reach;
        let Some(there) = view.machine() else { return Probe::Blackholed };
        if from != there && !reach.carrier(from) {
            return Probe::Unreachable;
        }
        let powered = |m: MachineId| self.all.machines[m.index()].powered;
        if !(powered(from) && powered(there) && reach.both_ways(from, there)) {
            return Probe::Blackholed;
        }
        match view.process(to).state {
            ProcessState::Paused => Probe::Hung(Duration::ZERO),
            ProcessState::Running if view.listens(to) => Probe::Answers(Duration::ZERO),
            _ => Probe::Refused(Duration::ZERO),
        }
    }

    /// The balancer, or with kube-vip the API server, that a new connection from `from` to the address
    /// reaches, by the machine's neighbour entry.
    fn front(&self, from: MachineId) -> Option<ComponentId> {
        match &self.path.services.endpoint {
            Endpoint::Vip { .. } => self.all.balancer_for(from),
            Endpoint::Balancer(balancer) => Some(*balancer),
            Endpoint::OneServer(_) | Endpoint::AllServers | Endpoint::Dns { .. } => None,
        }
    }

    /// Whether a connection to the address is accepted (by the kernel at least).
    fn endpoint(&self) -> Share {
        let outside = self.path.services.outside;
        let accepts = |id: ComponentId| {
            matches!(self.contact(outside, id), Probe::Answers(_) | Probe::Hung(_))
        };
        let attempt = |id: &ComponentId| {
            if accepts(*id) { Attempt::Sent(Share::ALL) } else { self.refusal(outside, *id) }
        };
        let accepted = |among: &[ComponentId]| {
            served(&among.iter().map(attempt).collect::<Attempts>(), u32::MAX)
        };
        match &self.path.services.endpoint {
            Endpoint::Vip { .. } | Endpoint::Balancer(_) => {
                Share::when(self.front(outside).is_some_and(accepts))
            }
            Endpoint::OneServer(server) => Share::when(accepts(*server)),
            Endpoint::AllServers => accepted(&self.path.services.api_servers),
            Endpoint::Dns { addresses, .. } => accepted(&self.listed(addresses)),
        }
    }

    fn refusal(&self, from: MachineId, to: ComponentId) -> Attempt {
        refused(self.contact(from, to))
    }

    /// One request of each class, sent to one API server from one machine.
    fn attempt(&self, from: MachineId, server: ComponentId) -> Each<Attempt> {
        match self.contact(from, server) {
            Probe::Answers(_) => {
                let fact = self.view(server).api_server(server).filter(|fact| !fact.distrusted);
                let answered = |class: Class| fact.map_or(Share::NONE, |fact| class.answered(fact));
                Class::ALL.map(|class| Attempt::Sent(answered(class)))
            }
            found => [refused(found); Class::ALL.len()],
        }
    }

    /// The share of fresh requests of each class, issued on `from` to the address, that are served.
    fn api(&self, from: MachineId) -> Each<Share> {
        let services = &self.path.services;
        match &services.endpoint {
            Endpoint::Vip { .. } | Endpoint::Balancer(_) => {
                self.front(from).map_or([Share::NONE; Class::ALL.len()], |id| {
                    self.at_address(from, id).map(Attempt::share)
                })
            }
            Endpoint::OneServer(server) => self.attempt(from, *server).map(Attempt::share),
            Endpoint::Dns { addresses, .. } => {
                let addresses = self.listed(addresses);
                each_served(addresses.iter().map(|id| self.at_address(from, *id)), u32::MAX)
            }
            Endpoint::AllServers => {
                let servers = services.api_servers.iter();
                each_served(servers.map(|id| self.attempt(from, *id)), u32::MAX)
            }
        }
    }

    /// The addresses that the clients' resolver answers with: all of them if it should have none.
    fn listed(&self, addresses: &[ComponentId]) -> Vec<ComponentId> {
        let map = &self.all.map;
        let listed = |id: &ComponentId| {
            map.machine_of(*id).is_none_or(|m| !self.all.machines[m.index()].unlisted)
        };
        let some: Vec<ComponentId> = addresses.iter().copied().filter(listed).collect();
        if some.is_empty() { addresses.to_vec() } else { some }
    }

    /// One request of each class at an address of a name: a balancer's or an API server's.
    fn at_address(&self, from: MachineId, id: ComponentId) -> Each<Attempt> {
        if self.all.map.component(id).kind != Kind::LoadBalancer {
            return self.attempt(from, id);
        }
        match self.contact(from, id) {
            Probe::Answers(_) => self.balanced(id).map(Attempt::Sent),
            found => [refused(found); Class::ALL.len()],
        }
    }

    /// The share that a balancer's choice among the servers in rotation serves.
    fn balanced(&self, balancer: ComponentId) -> Each<Share> {
        let view = self.view(balancer);
        let (Some(fact), Some(machine)) = (view.load_balancer(balancer), view.machine()) else {
            return [Share::NONE; Class::ALL.len()];
        };
        let servers = self.path.services.api_servers.iter().enumerate();
        let chosen = servers.filter(|(bit, _)| fact.rotation >> bit & 1 == 1);
        let retry = self.path.retry;
        let retries = if retry.redispatch { retry.retries } else { 0 };
        each_served(chosen.map(|(_, id)| self.attempt(machine, *id)), retries)
    }

    /// Whether a leader exists that a majority follows and reaches.
    fn etcd_quorum(&self) -> bool {
        let members = &self.path.services.members;
        members.first().is_some_and(|first| quorum(&self.view(*first), members))
    }

    /// The ready share of the desired pods; surplus pods do not make up for those of others.
    fn workload(&self) -> Share {
        let (mut serving, mut desired) = (0, 0);
        for workload in &self.path.workloads.all {
            let replicas = usize::try_from(workload.replicas).unwrap_or(usize::MAX);
            let pods = self.view(workload.object).workload(workload.object);
            let ready = pods.map_or(0, |fact| fact.active().filter(|pod| self.serves(pod)).count());
            serving += ready.min(replicas);
            desired += replicas;
        }
        Share::of(serving, desired)
    }

    /// Whether a pod answers what clients send it.
    fn serves(&self, pod: &Pod) -> bool {
        let reached = |node| self.all.reach.both_ways(self.path.services.outside, node);
        pod.ready && pod.runs(self.all) && pod.node.is_some_and(reached)
    }

    /// Whether an instance of a kind holds its Lease and can act.
    fn acts(&self, kind: Kind) -> bool {
        let mut of_kind = self.path.candidates.iter().filter(|c| c.kind == kind);
        of_kind.any(|candidate| self.acting(candidate) && self.served_from(candidate))
    }

    fn acting(&self, candidate: &Candidate) -> bool {
        let view = self.view(candidate.id);
        let acts = matches!(view.fact(candidate.id), Fact::Candidate(fact) if fact.acting);
        let incarnation = view.process(candidate.id).incarnation;
        let holds = candidate.lease.and_then(|lease| view.lease(lease)).is_none_or(|lease| {
            lease
                .holder
                .is_some_and(|h| h.component == candidate.id && h.incarnation == incarnation)
        });
        acts && holds && view.executes(candidate.id)
    }

    /// Whether the instance's own writes are served, for some choice of the balancer at least.
    fn served_from(&self, candidate: &Candidate) -> bool {
        let machine = self.view(candidate.id).machine();
        match (candidate.server, machine) {
            (Some(ComponentId::VIP), Some(from)) => {
                !self.api(from)[Class::Write as usize].is_none()
            }
            (Some(server), Some(from)) => {
                !self.attempt(from, server)[Class::Write as usize].share().is_none()
            }
            _ => true,
        }
    }
}

/// What a connection attempt that was not answered comes to.
fn refused(found: Probe) -> Attempt {
    match found {
        Probe::Refused(_) | Probe::Unreachable => Attempt::Refused,
        _ => Attempt::LOST,
    }
}

/// As [`served`], of each class.
fn each_served(offers: impl Iterator<Item = Each<Attempt>>, retries: u32) -> Each<Share> {
    let mut attempts: Each<Attempts> = Default::default();
    for offer in offers {
        for (attempts, attempt) in attempts.iter_mut().zip(offer) {
            attempts.push(attempt);
        }
    }
    Class::ALL.map(|class| served(&attempts[class as usize], retries))
}

/// The share of requests served when the first server is any of these, evenly, and a refused attempt
/// moves on to the next one up to `retries` times.
fn served(attempts: &[Attempt], retries: u32) -> Share {
    if let [first, rest @ ..] = attempts
        && rest.iter().all(|other| other == first)
    {
        return first.share();
    }
    let tries = usize::try_from(retries).unwrap_or(usize::MAX).saturating_add(1);
    let reached = |first: usize| {
        let round = attempts.iter().cycle().skip(first).take(attempts.len().min(tries));
        round.copied().find(|attempt| *attempt != Attempt::Refused)
    };
    let share = |first: usize| reached(first).map_or(Share::NONE, Attempt::share);
    Share::mean(&(0..attempts.len()).map(share).collect::<Vec<_>>())
}

//! The way of a request to the API, or to an etcd member, as it stands: whether whoever it reaches
//! answers, and how long that takes.
//!
//! Clients and kubelets count what a healthy path serves instead of simulating it, so the answer
//! here has to be exact for constant delays: a connection costs a round trip, the request one way,
//! the answer the other. With jitter the mean is meant. What permanent loss adds is a law of its own
//! ([`lateness`]); waits behind another request's lost segment are not part of it.
//!
//! Absent on purpose: retries and time-outs.

use crate::component::certificate::Certificates;
use crate::component::fact::{Ability, Resource};
use crate::component::record::RequestClass;
use crate::component::view::Probe;
use crate::component::{ComponentId, Kind, View};
use crate::components::etcd::quorum::majority;
use crate::components::etcd::service;
use crate::kernel::time::Duration;
use crate::transport::loss::{Lateness, either};

/// How long a request of a class about a resource from `from` takes until it is answered, if whichever server it
/// reaches at `target` answers it, nothing being lost; `None` where some do not.
///
/// `servers` are the API servers in the order of the balancers' backend.
pub fn latency(
    view: &View,
    from: ComponentId,
    target: ComponentId,
    servers: &[ComponentId],
    (class, resource): (RequestClass, Resource),
) -> Option<Duration> {
    let at = view.resolve(target)?;
    if view.map().component(at).kind != Kind::LoadBalancer {
        let work = trusted(view, at, class)?;
        return Some(hop(view, from, at)? + work + answer(view, at, class, resource)?);
    }
    let first = hop(view, from, at)?;
    let rotation = view.load_balancer(at)?.rotation;
    let chosen = servers.iter().enumerate().filter(|(bit, _)| rotation >> bit & 1 == 1);
    let (mut sum, mut count) = (Duration::ZERO, 0);
    for (_, server) in chosen {
        let work = trusted(view, *server, class)?;
        sum += hop(view, at, *server)? + work + answer(view, *server, class, resource)?;
        count += 1;
    }
    (count > 0).then(|| first + sum / count)
}

/// Whether a new connection to a server, or an etcd member, is kept by who looks at its certificate;
/// that takes no time.
fn trusted(view: &View, server: ComponentId, class: RequestClass) -> Option<Duration> {
    let serving = Certificates::API_SERVING.union(Certificates::ETCD_SERVING);
    let expired = view.process(server).expired.shown.intersects(serving);
    (class == RequestClass::Connect || !expired).then_some(Duration::ZERO)
}

/// The same of a write of `resource` over a connection that goes through `balancer` (if any) to one
/// particular server.
pub fn write_latency_over(
    view: &View,
    from: ComponentId,
    balancer: Option<ComponentId>,
    server: ComponentId,
    resource: Resource,
) -> Option<Duration> {
    let (near, first) = match balancer {
        Some(balancer) => (balancer, hop(view, from, balancer)?),
        None => (from, Duration::ZERO),
    };
    let work = answer(view, server, RequestClass::Write, resource)?;
    Some(first + hop(view, near, server)? + work)
}

/// How long a request about `resource` takes on a connection that stands, from a holder through `near` (the server
/// itself, or a balancer) to `server`.
pub fn latency_on(
    view: &View,
    holder: ComponentId,
    (near, server): (ComponentId, ComponentId),
    (class, resource): (RequestClass, Resource),
) -> Option<Duration> {
    let first = ask(view, holder, near)?;
    let second = if near == server { Duration::ZERO } else { ask(view, near, server)? };
    Some(first + second + answer(view, server, class, resource)?)
}

/// Asking and hearing the answer on a connection that stands and on which nothing is lost.
fn ask(view: &View, from: ComponentId, to: ComponentId) -> Option<Duration> {
    if view.loss(from, to) + view.loss(to, from) > 0.0 {
        return None;
    }
    let established = hop(view, from, to)?;
    Some(established.saturating_sub(view.round_trip(from, to)))
}

/// Connecting, asking and hearing the answer, without the work at the other end.
fn hop(view: &View, from: ComponentId, to: ComponentId) -> Option<Duration> {
    let Probe::Answers(round_trip) = view.probe_from(from, to) else { return None };
    let (Some(a), Some(b)) = (view.map().machine_of(from), view.map().machine_of(to)) else {
        return Some(round_trip);
    };
    if a == b {
        return Some(Duration::ZERO);
    }
    let reach = &view.all.reach;
    let jitter = reach.direction(a, b).jitter + reach.direction(b, a).jitter;
    Some(round_trip * 2 + jitter / 2)
}

/// How much later than [`latency`] says a request is answered because packets are lost, of which all
/// are repeated until they get through. Lateness above `limit` is not told apart.
///
/// A time-out of a balancer on the way is not part of it: two SYNs have to be lost before one counts.
pub fn lateness(
    view: &View,
    from: ComponentId,
    target: ComponentId,
    servers: &[ComponentId],
    class: RequestClass,
    limit: Duration,
) -> Lateness {
    let law = Losses { view, limit };
    if !view.all.reach.is_lossy() {
        return Lateness::none();
    }
    let Some(at) = view.resolve(target) else { return Lateness::none() };
    if view.map().component(at).kind != Kind::LoadBalancer {
        return law.request(from, at).then(law.work(at, class));
    }
    let rotation = view.load_balancer(at).map_or(0, |fact| fact.rotation);
    let chosen = servers.iter().enumerate().filter(|(bit, _)| rotation >> bit & 1 == 1);
    let behind: Vec<Lateness> =
        chosen.map(|(_, server)| law.request(at, *server).then(law.work(*server, class))).collect();
    law.request(from, at).then(Lateness::one_of(&behind))
}

/// The same over a connection that stands already and goes through `balancer` (if any) to a server.
pub fn lateness_over(
    view: &View,
    from: ComponentId,
    balancer: Option<ComponentId>,
    server: ComponentId,
    class: RequestClass,
    limit: Duration,
) -> Lateness {
    if !view.all.reach.is_lossy() {
        return Lateness::none();
    }
    let law = Losses { view, limit };
    let near = balancer.unwrap_or(from);
    law.exchange(from, near).then(law.exchange(near, server)).then(law.work(server, class))
}

/// The latenesses that the network as it stands makes.
#[derive(Clone, Copy)]
struct Losses<'a> {
    view: &'a View<'a>,
    limit: Duration,
}

impl Losses<'_> {
    /// A connection, a request and its answer.
    fn request(&self, from: ComponentId, to: ComponentId) -> Lateness {
        let loss = either(self.view.loss(from, to), self.view.loss(to, from));
        Lateness::of_connecting(loss, self.view.all.reach.syn(), self.limit)
            .then(self.exchange(from, to))
    }

    /// A request and its answer on a connection that stands.
    fn exchange(&self, from: ComponentId, to: ComponentId) -> Lateness {
        let data = |from, to| Lateness::of_data(self.view.loss(from, to), self.limit);
        data(from, to).then(data(to, from))
    }

    /// What a server does with a request: an API server asks its etcd member over a channel that
    /// stands, a member the leader, and the leader waits for the quickest majority.
    fn work(&self, server: ComponentId, class: RequestClass) -> Lateness {
        if matches!(class, RequestClass::Connect | RequestClass::ReadCached) {
            return Lateness::none();
        }
        let Some(fact) = self.view.api_server(server) else { return self.consensus(server) };
        fact.etcd.map_or_else(Lateness::none, |member| {
            self.exchange(server, member).then(self.consensus(member))
        })
    }

    fn consensus(&self, member: ComponentId) -> Lateness {
        let Some(leader) = self.view.etcd(member).and_then(|fact| fact.lead) else {
            return Lateness::none();
        };
        let followers: Vec<Lateness> = service::electorate(self.view, leader)
            .filter(|peer| *peer != leader && service::follows(self.view, *peer, leader))
            .map(|peer| self.exchange(leader, peer))
            .collect();
        let needed = majority(service::electorate(self.view, leader).count()) - 1;
        self.exchange(member, leader).then(Lateness::nth_earliest(needed, &followers))
    }
}

/// The work at the server, if it answers requests of this class at present.
fn answer(
    view: &View,
    server: ComponentId,
    class: RequestClass,
    resource: Resource,
) -> Option<Duration> {
    if class == RequestClass::Connect {
        return Some(Duration::ZERO);
    }
    if let Some(fact) = view.api_server(server) {
        if fact.contended {
            return None;
        }
        let storage = fact.storage(resource);
        let every = storage.answered == ALL;
        let (ability, work) = match class {
            RequestClass::ReadCached => (fact.read_cached, fact.cached_latency),
            RequestClass::Read if every => (storage.read, storage.read_latency),
            RequestClass::Write if every => (storage.write, storage.latency),
            _ => return None,
        };
        return (fact.http && ability == Ability::Works).then_some(work);
    }
    let (ability, work) = match class {
        RequestClass::Read => (service::read_ability(view, server), read_latency(view, server)),
        RequestClass::Write => (service::write_ability(view, server), write_latency(view, server)),
        _ => (service::serializable_ability(view, server), Some(Duration::ZERO)),
    };
    work.filter(|_| ability == Ability::Works)
}

/// How long a quorum read takes at this etcd member from its arrival to its answer, if it works: the
/// leader confirms that it leads by a round of heartbeats.
pub fn read_latency(view: &View, member: ComponentId) -> Option<Duration> {
    service::write_travel(view, member)
}

/// The same of a write: the quickest majority makes it durable, each after a sync.
pub fn write_latency(view: &View, member: ComponentId) -> Option<Duration> {
    Some(service::write_travel(view, member)? + view.etcd(member)?.sync)
}

/// All of them, in parts per million.
pub const ALL: u32 = 1_000_000;

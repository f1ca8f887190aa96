//! The way of a request to the API, or to an etcd member, as it stands: whether whoever it reaches
//! answers, and how long that takes.
//!
//! Clients and kubelets count what a healthy path serves instead of simulating it, so the answer
//! here has to be exact for constant delays: a connection costs a round trip, the request one way,
//! the answer the other. With jitter the mean is meant; on a lossy path nothing is promised, and
//! requests are simulated one by one.
//!
//! Absent on purpose: retries and time-outs.

use crate::component::fact::{Ability, Resource};
use crate::component::record::RequestClass;
use crate::component::view::Probe;
use crate::component::{ComponentId, Kind, View};
use crate::components::etcd::service;
use crate::kernel::time::Duration;

/// How long a request of `class` from `from` takes until it is answered, if whichever server it
/// reaches at `target` answers it; `None` where some do not, or where chance decides.
///
/// `servers` are the API servers in the order of the balancers' backend.
pub fn latency(
    view: &View,
    from: ComponentId,
    target: ComponentId,
    servers: &[ComponentId],
    class: RequestClass,
) -> Option<Duration> {
    let at = view.resolve(target)?;
    if view.map().component(at).kind != Kind::LoadBalancer {
        return Some(hop(view, from, at)? + answer(view, at, class, Resource::Objects)?);
    }
    let first = hop(view, from, at)?;
    let rotation = view.load_balancer(at)?.rotation;
    let chosen = servers.iter().enumerate().filter(|(bit, _)| rotation >> bit & 1 == 1);
    let (mut sum, mut count) = (Duration::ZERO, 0);
    for (_, server) in chosen {
        sum += hop(view, at, *server)? + answer(view, *server, class, Resource::Objects)?;
        count += 1;
    }
    (count > 0).then(|| first + sum / count)
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

/// Asking and hearing the answer on a connection that stands.
fn ask(view: &View, from: ComponentId, to: ComponentId) -> Option<Duration> {
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
    if reach.loss(a, b) > 0 || reach.loss(b, a) > 0 {
        return None;
    }
    let jitter = reach.direction(a, b).jitter + reach.direction(b, a).jitter;
    Some(round_trip * 2 + jitter / 2)
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

//! The way from an instance to the API server that it uses, as things stand: whether requests are
//! answered there, and how long they take.
//!
//! Only a path that answers every request alike is *steady*: what runs over it may be computed
//! instead of sent. With jitter the mean is meant. Permanent loss leaves a path steady: it lets some
//! attempts fail, by a law.

use crate::component::certificate::Certificates;
use crate::component::effects::Standing;
use crate::component::fact::{Ability, Resource};
use crate::component::param::words;
use crate::component::record::RequestClass;
use crate::component::view::Probe;
use crate::component::{ComponentId, Kind, Map, View};
use crate::components::path;
use crate::kernel::time::Duration;
use crate::transport::loss::Lateness;
use crate::transport::neighbour::UNRESOLVED;
use arrayvec::ArrayVec;

words! {
    /// Which API server the kubeconfig of an instance names.
    pub enum Kubeconfig {
        /// The one on its own machine (kubeadm since 1.20 or so; the default there).
        Local = "local",
        /// The address that clients use.
        Endpoint = "endpoint",
    }
}

/// What becomes of a request that is sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response {
    /// It is answered after this long, connecting included.
    Works(Duration),
    /// An error comes back after this long.
    Fails(Duration),
    /// Nothing comes back.
    Hangs,
}

impl Response {
    /// Whether it is answered.
    pub fn works(self) -> bool {
        matches!(self, Response::Works(_))
    }

    /// How long a request with this time-out takes.
    pub fn took(self, timeout: Duration) -> Duration {
        match self {
            Response::Works(took) | Response::Fails(took) => took.min(timeout),
            Response::Hangs => timeout,
        }
    }

    /// Whether the two differ in more than how long they take.
    pub fn differs(self, other: Response) -> bool {
        std::mem::discriminant(&self) != std::mem::discriminant(&other)
    }
}

/// What a path offers now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// Quorum reads.
    pub read: Response,
    /// Writes.
    pub write: Response,
    /// The way back of an answer.
    pub back: Duration,
    /// Whether each request meets the same.
    pub steady: bool,
    /// How likely a write is slowed down by a lost packet.
    pub losses: f64,
}

impl Reading {
    /// A path on which nothing takes any time.
    pub const IDEAL: Reading = Reading {
        read: Response::Works(Duration::ZERO),
        write: Response::Works(Duration::ZERO),
        back: Duration::ZERO,
        steady: true,
        losses: 0.0,
    };

    const SILENT: Reading = Reading::all(Response::Hangs);

    const fn all(response: Response) -> Reading {
        let (read, write) = (response, response);
        Reading { read, write, back: Duration::ZERO, steady: true, losses: 0.0 }
    }

    /// Whether reads and writes work, each request alike.
    pub fn is_steady(&self) -> bool {
        self.steady && self.read.works() && self.write.works()
    }
}

/// The way of an instance's requests: each on a connection of its own, or all over one that stands.
#[derive(Clone, Debug)]
pub struct Path {
    /// The API server, a balancer, or the virtual address.
    pub target: ComponentId,
    /// The API servers in the order of the balancers' backend.
    pub servers: Vec<ComponentId>,
    /// The connection that stands.
    pub over: Option<Standing>,
}

impl Path {
    /// The components whose change may change what the path offers.
    pub fn watches(&self, map: &Map) -> Vec<ComponentId> {
        let direct = self.target != ComponentId::VIP
            && map.component(self.target).kind != Kind::LoadBalancer;
        if direct {
            return vec![self.target];
        }
        let balancers = map.of_kind(Kind::LoadBalancer);
        balancers.chain(map.address_holders()).chain(self.servers.iter().copied()).collect()
    }

    /// What a request of this component meets now.
    pub fn look(&self, view: &View) -> Reading {
        let law = self.lateness(view, RequestClass::Write, Duration::ZERO);
        Reading { losses: law.late(), ..self.look_lossless(view) }
    }

    /// How much later than without loss a request is answered.
    pub fn lateness(&self, view: &View, class: RequestClass, limit: Duration) -> Lateness {
        match self.over {
            Some(Standing { near, server, .. }) => {
                let balancer = (near != server).then_some(near);
                path::lateness_over(view, view.me, balancer, server, class, limit)
            }
            None => path::lateness(view, view.me, self.target, &self.servers, class, limit),
        }
    }

    fn look_lossless(&self, view: &View) -> Reading {
        if view.process(view.me).expired.shown.intersects(Certificates::CLIENT) {
            let at = view.resolve(self.target).unwrap_or(view.me);
            return Reading::all(Response::Fails(view.round_trip(view.me, at) * 2));
        }
        // What is about to be reset is as good as gone.
        if let Some(ends) = self.over.filter(|ends| view.stands(ends.id)) {
            return standing(view, ends);
        }
        let Some(at) = view.resolve(self.target) else { return Reading::SILENT };
        if view.map().component(at).kind != Kind::LoadBalancer {
            return server(view, view.me, at);
        }
        match hop(view, view.me, at) {
            Ok(near) => self.behind(view, at, near),
            Err(response) => Reading::all(response),
        }
    }

    /// Whether the server that the instance connects to, for each request or once, is one that it does not
    /// trust.
    pub(super) fn is_refused(&self, view: &View) -> bool {
        let at = view.resolve(self.target).filter(|_| self.over.is_none());
        let direct = |id: &ComponentId| view.map().component(*id).kind != Kind::LoadBalancer;
        at.filter(direct).is_some_and(|at| !trusts(view, view.me, at))
    }

    /// What the servers in a balancer's rotation offer together: the worst of them, unless they
    /// all work.
    fn behind(&self, view: &View, balancer: ComponentId, near: Hop) -> Reading {
        let rotation = view.load_balancer(balancer).map_or(0, |fact| fact.rotation);
        let chosen = self.servers.iter().enumerate().filter(|(bit, _)| rotation >> bit & 1 == 1);
        let offers: ArrayVec<Reading, 64> =
            chosen.map(|(_, id)| server(view, balancer, *id)).collect();
        let Some(first) = offers.first() else {
            return Reading::all(Response::Fails(near.there_and_back));
        };
        let alike = offers
            .iter()
            .all(|o| o.steady && !o.read.differs(first.read) && !o.write.differs(first.write));
        let mean = |pick: fn(&Reading) -> Response| {
            let (mut sum, mut count) = (Duration::ZERO, 0);
            for offer in &offers {
                if let Response::Works(took) = pick(offer) {
                    sum = sum.saturating_add(took);
                    count += 1;
                }
            }
            if count == 0 {
                pick(first)
            } else {
                Response::Works(sum / count + near.there_and_back)
            }
        };
        Reading {
            read: mean(|o| o.read),
            write: mean(|o| o.write),
            back: first.back + near.back,
            steady: alike,
            losses: 0.0,
        }
    }
}

/// A connection between two machines.
#[derive(Clone, Copy, Debug)]
struct Hop {
    /// Connecting, asking and hearing the answer.
    there_and_back: Duration,
    back: Duration,
}

fn hop(view: &View, from: ComponentId, to: ComponentId) -> Result<Hop, Response> {
    match view.probe_from(from, to) {
        Probe::Unreachable => Err(Response::Fails(UNRESOLVED)),
        Probe::Refused(round_trip) => Err(Response::Fails(round_trip)),
        Probe::Blackholed | Probe::Hung(_) => Err(Response::Hangs),
        Probe::Answers(round_trip) => {
            let (Some(a), Some(b)) = (view.map().machine_of(from), view.map().machine_of(to))
            else {
                return Ok(Hop { there_and_back: round_trip * 2, back: Duration::ZERO });
            };
            let reach = &view.all.reach;
            let jitter = |from, to| {
                if from == to { Duration::ZERO } else { reach.direction(from, to).jitter / 2 }
            };
            let back = view.delay(to, from) + jitter(b, a);
            let there_and_back = round_trip * 2 + jitter(a, b) + jitter(b, a);
            Ok(Hop { there_and_back, back })
        }
    }
}

/// What becomes of requests on a connection that stands: one that is half-dead is not left for
/// another.
fn standing(view: &View, Standing { id, near, server, .. }: Standing) -> Reading {
    let first = established(view, view.me, near);
    let second = if near == server {
        Some(Hop { there_and_back: Duration::ZERO, back: Duration::ZERO })
    } else {
        established(view, near, server)
    };
    let (Some(first), Some(second), true) = (first, second, view.flows(id)) else {
        return Reading::SILENT;
    };
    let there_and_back = first.there_and_back + second.there_and_back;
    offer(view, server, Hop { there_and_back, back: first.back + second.back })
}

/// Asking and hearing the answer where a connection stands already.
fn established(view: &View, from: ComponentId, to: ComponentId) -> Option<Hop> {
    let Hop { there_and_back, back } = hop(view, from, to).ok()?;
    let there_and_back = there_and_back.saturating_sub(view.round_trip(from, to));
    Some(Hop { there_and_back, back })
}

fn offer(view: &View, server: ComponentId, hop: Hop) -> Reading {
    let Some(fact) = view.api_server(server) else { return Reading::SILENT };
    if !fact.http {
        return Reading::SILENT;
    }
    let offer = |ability, work: Duration| match ability {
        Ability::Works => Response::Works(hop.there_and_back + work),
        Ability::Fails => Response::Fails(hop.there_and_back),
        Ability::Hangs => Response::Hangs,
    };
    let leases = fact.storage(Resource::Leases);
    Reading {
        read: offer(leases.read, leases.read_latency),
        write: offer(leases.write, leases.latency),
        back: hop.back,
        steady: !fact.contended && (leases.answered == 0 || leases.answered == 1_000_000),
        losses: 0.0,
    }
}

/// What one server offers to a request from `from` on a connection of its own.
fn server(view: &View, from: ComponentId, server: ComponentId) -> Reading {
    match hop(view, from, server) {
        Ok(hop) if trusts(view, from, server) => offer(view, server, hop),
        Ok(hop) => Reading::all(Response::Fails(hop.there_and_back)),
        Err(response) => Reading::all(response),
    }
}

/// Whether the instance gets along with a server's certificate, reached from `from`. It looks at it when
/// it connects: to the server of its own machine once, when it starts.
fn trusts(view: &View, from: ComponentId, server: ComponentId) -> bool {
    let local = from == view.me && view.map().machine_of(server) == view.machine();
    let made = if local { view.process(view.me).since } else { view.now };
    view.process(server).expired.spares(Certificates::API_SERVING, made)
}

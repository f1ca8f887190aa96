//! The informers: whom they dial, who they are to the API servers, and how much of a server is theirs.

use super::layout::Layout;
use crate::component::id::ComponentId;
use crate::components::Params;
use crate::components::api_server::{ApiServerParams, Crowd};
use crate::components::informers::{Asked, InformerParams, Offer, Users, Wiring};
use crate::plan::service::{Endpoint, Services};
use crate::scenario::raw::Scenario;

/// What a quorum read or a write takes beside the server's own work, at the most, in seconds.
const AT_ETCD: f64 = 0.05;

/// The informers of a scenario.
pub(super) struct Load<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) layout: &'a Layout,
    pub(super) services: &'a Services,
}

impl Load<'_> {
    fn all(&self) -> impl Iterator<Item = (ComponentId, &InformerParams)> {
        let entries = self.scenario.informers.iter().map(|informers| &informers.section.params);
        self.layout.informers.iter().copied().zip(entries)
    }

    /// Who they are to a server.
    pub(super) fn crowds(&self) -> Vec<Crowd> {
        let crowd = |(id, params): (ComponentId, &InformerParams)| Crowd {
            id,
            level: params.level,
            shared: params.users == Users::Shared,
        };
        self.all().map(crowd).collect()
    }

    fn server(&self, id: ComponentId) -> &ApiServerParams {
        &self.scenario.cluster.kinds.api_server.of(self.layout.map.name(id)).params
    }

    fn work(&self, server: ComponentId, of: &InformerParams) -> f64 {
        let etcd = if of.class == Asked::ReadCached { 0.0 } else { AT_ETCD };
        self.server(server).request_time.mean() + etcd
    }

    fn offer(&self, id: ComponentId, to: &InformerParams) -> Offer {
        let limits = self.server(id).limits(self.scenario.versions.kubernetes);
        let seats = limits.seats(to.level, to.class == Asked::Write);
        Offer { id, seats, work: self.work(id, to) }
    }

    /// Whether two take the same seats of a server.
    fn share_seats(&self, server: ComponentId, a: &InformerParams, b: &InformerParams) -> bool {
        let writes = |of: &InformerParams| of.class == Asked::Write;
        let fair = self.server(server).priority_and_fairness;
        if fair { a.level == b.level } else { writes(a) == writes(b) }
    }

    /// The component that stands for an entry.
    pub(super) fn params(&self, id: ComponentId) -> Params {
        let own = self.all().find(|(other, _)| *other == id).map(|(_, params)| params);
        let own = own.unwrap_or_else(|| unreachable!("{id:?} has no informers"));
        let servers = &self.services.api_servers;
        let beside = |server: ComponentId| {
            let others = self.all().filter(|(other, _)| *other != id);
            let same = others.filter(|(_, of)| self.share_seats(server, own, of));
            same.map(|(_, of)| of.rate() * self.work(server, of)).sum()
        };
        let wiring = Wiring {
            targets: self.targets(),
            servers: servers.iter().map(|server| self.offer(*server, own)).collect(),
            beside: servers.iter().map(|server| beside(*server)).fold(0.0, f64::max),
            eager: false,
        };
        Params::Informers(Box::new(own.clone()), wiring)
    }

    fn targets(&self) -> Vec<ComponentId> {
        match &self.services.endpoint {
            Endpoint::Vip { .. } => vec![ComponentId::VIP],
            Endpoint::Balancer(id) | Endpoint::OneServer(id) => vec![*id],
            Endpoint::AllServers => self.services.api_servers.clone(),
            Endpoint::Dns { addresses, .. } => addresses.clone(),
        }
    }
}

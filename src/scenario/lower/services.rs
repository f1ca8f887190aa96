//! The path of the measured services.

use super::layout::Layout;
use crate::component::id::{Kind, MachineId};
use crate::plan::service::{Endpoint, Services};
use crate::scenario::raw::Scenario;
use crate::scenario::raw::cluster::{Addresses, EndpointKind};

/// The path that a fresh request takes.
pub(super) fn services(scenario: &Scenario, layout: &Layout) -> Services {
    let api_servers = layout.processes(&layout.control_plane, Kind::ApiServer);
    let balancers = layout.processes(&layout.balancers, Kind::LoadBalancer);
    let options = &scenario.cluster.endpoint.params;
    let server = || {
        let machine = layout.map.find_machine(&options.server);
        machine.and_then(|machine| layout.map.local(machine, Kind::ApiServer))
    };
    let endpoint = match options.kind {
        EndpointKind::Vip => Endpoint::Vip {
            holders: layout.processes(&layout.balancers, Kind::Keepalived),
            fronts: balancers,
        },
        EndpointKind::KubeVip => Endpoint::Vip {
            holders: layout.processes(&layout.control_plane, Kind::KubeVip),
            fronts: api_servers.clone(),
        },
        EndpointKind::OneBalancer => Endpoint::Balancer(balancers[0]),
        EndpointKind::OneServer => Endpoint::OneServer(server().unwrap_or(api_servers[0])),
        EndpointKind::Dns => {
            let balanced = options.addresses == Addresses::Balancers;
            let addresses = if balanced { balancers } else { api_servers.clone() };
            Endpoint::Dns { addresses, ttl: options.ttl }
        }
        EndpointKind::AllServers | EndpointKind::LocalBalancers => Endpoint::AllServers,
    };
    Services {
        endpoint,
        api_servers,
        members: layout.processes(&layout.etcd, Kind::Etcd),
        outside: layout.outside.unwrap_or(MachineId(0)),
    }
}

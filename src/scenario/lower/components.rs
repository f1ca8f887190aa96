//! The parameters and the wiring of every component.

use super::layout::Layout;
use super::load::Load;
use super::supervision::{restart, static_pod};
use crate::component::fact::Fact;
use crate::component::id::{ComponentId, Kind, MachineId};
use crate::component::map::ComponentEntry;
use crate::component::record::RequestClass;
use crate::components::client::{ClientParams, Held};
use crate::components::keepalived::{InitialState, KeepalivedParams};
use crate::components::load_balancer::{Habit, NginxParams};
use crate::components::workload::Shared;
use crate::components::{
    Params, api_server, candidate, client, etcd, keepalived, kube_vip, kubelet, load_balancer,
};
use crate::plan::Restart;
use crate::plan::service::{Endpoint, Services};
use crate::scenario::raw::Scenario;
use crate::scenario::raw::cluster::BalancerProgram;
use crate::scenario::raw::cluster::{EtcdServers, Topology};

/// The priority of the first keepalived instance; each further one has one less.
const FIRST_PRIORITY: u32 = 101;

/// What a plan has of each component, in the map's order.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) params: Vec<Params>,
    pub(super) static_pod: Vec<bool>,
    pub(super) restart: Vec<Restart>,
}

impl Parts {
    pub(super) fn new(
        scenario: &Scenario,
        layout: &Layout,
        services: &Services,
        workloads: &Shared,
    ) -> Parts {
        let load = Load { scenario, layout, services };
        let wiring = Wirings { scenario, layout, services, workloads, load };
        let mut parts = Parts::default();
        for (id, entry) in layout.map.components() {
            parts.params.push(wiring.params(id, entry));
            parts.static_pod.push(static_pod(entry, scenario, layout));
            parts.restart.push(restart(entry, scenario, layout));
        }
        for (id, fact) in layout.workloads.iter().zip(super::workloads::objects(workloads)) {
            parts.params[id.index()] = Params::Object(fact);
        }
        parts
    }
}

/// Who deals with whom.
struct Wirings<'a> {
    scenario: &'a Scenario,
    layout: &'a Layout,
    services: &'a Services,
    workloads: &'a Shared,
    load: Load<'a>,
}

impl Wirings<'_> {
    fn params(&self, id: ComponentId, entry: &ComponentEntry) -> Params {
        let kinds = &self.scenario.cluster.kinds;
        let Some(machine) = entry.machine else { return Params::Object(object(entry.kind)) };
        let name = entry.name.as_str();
        match entry.kind {
            Kind::Etcd => Params::Etcd(Box::new(kinds.etcd.of(name).params.clone()), self.etcd()),
            Kind::ApiServer => Params::ApiServer(
                Box::new(kinds.api_server.of(name).params.clone()),
                self.api_server(machine),
            ),
            Kind::Scheduler => Params::Scheduler(
                Box::new(kinds.scheduler.of(name).params.clone()),
                self.candidate(machine, Kind::Scheduler),
            ),
            Kind::ControllerManager => Params::ControllerManager(
                Box::new(kinds.controller_manager.of(name).params.clone()),
                self.candidate(machine, Kind::ControllerManager),
            ),
            Kind::Kubelet => {
                let worker = self.layout.workers.contains(&machine);
                let program = if worker { &kinds.worker_kubelet } else { &kinds.kubelet };
                let params = Box::new(program.of(name).params.clone());
                Params::Kubelet(params, self.kubelet(machine))
            }
            Kind::LoadBalancer => self.balancer(name),
            Kind::Keepalived => Params::Keepalived(
                Box::new(keepalived_params(self.scenario, self.layout, id)),
                self.keepalived(id, machine),
            ),
            Kind::Client if self.layout.informers.contains(&id) => self.load.params(id),
            Kind::KubeVip => Params::KubeVip(
                Box::new(kinds.kube_vip.of(name).params.clone()),
                self.kube_vip(id, machine),
            ),
            Kind::Client => self.client(id),
            Kind::Lease | Kind::Node | Kind::Workload => {
                unreachable!("{name} has a machine, but is an object")
            }
        }
    }

    fn balancer(&self, name: &str) -> Params {
        let kinds = &self.scenario.cluster.kinds;
        let versions = &self.scenario.versions;
        let servers = self.services.api_servers.clone();
        let (params, habit) = match self.scenario.cluster.balancers.params.program {
            BalancerProgram::Haproxy => (kinds.haproxy.of(name).params.clone(), Habit::Checks),
            BalancerProgram::Nginx => {
                let nginx = &kinds.nginx.of(name).params;
                let NginxParams { max_fails, fail_timeout, .. } = *nginx;
                let habit = Habit::Passive { max_fails, fail_timeout };
                (nginx.as_haproxy(servers.len(), versions), habit)
            }
            BalancerProgram::Cloud => {
                let cloud = &kinds.cloud.of(name).params;
                (cloud.as_haproxy(versions), Habit::Cloud(cloud.clone()))
            }
        };
        Params::LoadBalancer(Box::new(params), load_balancer::Wiring { servers, habit })
    }

    fn etcd(&self) -> etcd::Wiring {
        let map = &self.layout.map;
        let write = |id: &ComponentId| {
            let at = self.layout.clients.iter().position(|client| client == id);
            let client = at.and_then(|at| self.scenario.clients.get(at));
            client.is_some_and(|c| c.section.params.class.class() == RequestClass::Write)
        };
        let clients = self.layout.clients.iter().copied().filter(write);
        etcd::Wiring {
            members: self.services.members.clone(),
            initial: self.scenario.cluster.initial_members() as usize,
            writers: map
                .of_kind(Kind::Lease)
                .chain(map.of_kind(Kind::Kubelet))
                .chain(clients)
                .collect(),
            release: self.scenario.versions.etcd,
            eager: false,
        }
    }

    /// kubeadm's stacked API servers know the member beside them alone.
    fn api_server(&self, machine: MachineId) -> api_server::Wiring {
        let local = self.layout.map.local(machine, Kind::Etcd);
        let cluster = &self.scenario.cluster;
        let known = cluster.control_plane.params.etcd_servers;
        let etcd_servers = match (cluster.options.params.topology, local) {
            (Topology::Stacked, Some(member)) if known == EtcdServers::Local => vec![member],
            // The flag names the members that the cluster began with.
            _ => {
                let first = cluster.initial_members() as usize;
                self.services.members.iter().take(first).copied().collect()
            }
        };
        let release = self.scenario.versions.kubernetes;
        api_server::Wiring { etcd_servers, release, crowds: self.load.crowds() }
    }

    fn candidate(&self, machine: MachineId, kind: Kind) -> candidate::Wiring {
        let map = &self.layout.map;
        let nodes = match kind {
            Kind::ControllerManager => map
                .of_kind(Kind::Kubelet)
                .filter_map(|kubelet| Some((kubelet, self.node(map.machine_of(kubelet)?)?)))
                .collect(),
            _ => Vec::new(),
        };
        candidate::Wiring {
            lease: self.lease(kind),
            server: self.local_server(machine),
            endpoint: self.endpoint(machine),
            servers: self.services.api_servers.clone(),
            nodes,
            workloads: self.workloads.clone(),
            eager: false,
        }
    }

    fn lease(&self, kind: Kind) -> ComponentId {
        let lease = self.layout.map.lease_of(kind);
        lease.unwrap_or_else(|| panic!("{} has no Lease", kind.name()))
    }

    fn node(&self, machine: MachineId) -> Option<ComponentId> {
        let map = &self.layout.map;
        map.find_component(&format!("node/{}", map.machine(machine).name))
    }

    fn local_server(&self, machine: MachineId) -> ComponentId {
        let local = self.layout.map.local(machine, Kind::ApiServer);
        local.unwrap_or(self.services.api_servers[0])
    }

    /// The address that clients use, as a machine of the cluster knows it. Where clients know every
    /// server, a machine's own is its first choice, and machines without spread over all.
    fn endpoint(&self, machine: MachineId) -> ComponentId {
        match &self.services.endpoint {
            Endpoint::Vip { .. } => ComponentId::VIP,
            Endpoint::Balancer(id) | Endpoint::OneServer(id) => *id,
            Endpoint::AllServers => {
                let servers = &self.services.api_servers;
                let spread = servers[machine.index() % servers.len()];
                let local = |kind| self.layout.map.local(machine, kind);
                local(Kind::ApiServer).or(local(Kind::LoadBalancer)).unwrap_or(spread)
            }
            Endpoint::Dns { addresses, .. } => {
                let spread = addresses[machine.index() % addresses.len()];
                self.layout.map.local(machine, Kind::ApiServer).unwrap_or(spread)
            }
        }
    }

    /// The same with all addresses of a name, from the machine's own on.
    fn addresses(&self, machine: MachineId) -> Vec<ComponentId> {
        let first = self.endpoint(machine);
        let Endpoint::Dns { addresses, .. } = &self.services.endpoint else { return vec![first] };
        let mut turned = addresses.clone();
        match addresses.iter().position(|id| *id == first) {
            Some(at) => turned.rotate_left(at),
            None => turned = vec![first],
        }
        turned
    }

    fn workloads_of(&self, machine: MachineId) -> Shared {
        let open = self.workloads.nodes.iter().any(|(node, _)| *node == machine);
        if open { self.workloads.clone() } else { Shared::default() }
    }

    fn kubelet(&self, machine: MachineId) -> kubelet::Wiring {
        let map = &self.layout.map;
        let pods = map
            .on_machine(machine)
            .filter(|id| static_pod(map.component(*id), self.scenario, self.layout));
        kubelet::Wiring {
            pods: pods.collect(),
            servers: self.addresses(machine),
            api_servers: self.services.api_servers.clone(),
            node: self.node(machine).unwrap_or_else(|| panic!("{machine:?} is no node")),
            workloads: self.workloads_of(machine),
        }
    }

    fn keepalived(&self, id: ComponentId, machine: MachineId) -> keepalived::Wiring {
        let instances = self.layout.processes(&self.layout.balancers, Kind::Keepalived);
        keepalived::Wiring {
            peers: instances.into_iter().filter(|peer| *peer != id).collect(),
            balancer: self.layout.map.local(machine, Kind::LoadBalancer),
            servers: self.services.api_servers.clone(),
        }
    }

    fn kube_vip(&self, id: ComponentId, machine: MachineId) -> kube_vip::Wiring {
        let instances = self.layout.processes(&self.layout.control_plane, Kind::KubeVip);
        kube_vip::Wiring {
            lease: self.lease(Kind::KubeVip),
            server: self.local_server(machine),
            servers: self.services.api_servers.clone(),
            peers: instances.into_iter().filter(|peer| *peer != id).collect(),
            eager: false,
        }
    }

    fn client(&self, id: ComponentId) -> Params {
        let at = self.layout.clients.iter().position(|client| *client == id);
        let client = &self.scenario.clients[at.unwrap_or(0)];
        let options = &client.section.params;
        let named = client.target.iter().filter_map(|target| target.value.as_str());
        let mut targets: Vec<ComponentId> =
            named.flat_map(|name| self.layout.servers(name)).collect();
        let at_endpoint = targets.is_empty();
        let endpoint = &self.services.endpoint;
        let dns = at_endpoint && matches!(endpoint, Endpoint::Dns { .. });
        let any = dns || at_endpoint && *endpoint == Endpoint::AllServers;
        if at_endpoint {
            targets = match &self.services.endpoint {
                Endpoint::AllServers => self.services.api_servers.clone(),
                Endpoint::Dns { addresses, .. } => addresses.clone(),
                _ => vec![self.endpoint(self.services.outside)],
            };
        }
        let wiring = client::Wiring {
            class: options.class.class(),
            resource: options.resource.resource(),
            targets,
            any,
            dns,
            held: self.held(client),
            eager: false,
            api_servers: self.services.api_servers.clone(),
        };
        let (every, timeout) = (options.every, options.timeout);
        let params = ClientParams { every, timeout, dial_timeout: options.dial_timeout };
        Params::Client(Box::new(params), wiring)
    }
}

impl Wirings<'_> {
    /// How a client holds its one connection, if it does.
    fn held(&self, client: &crate::scenario::raw::client::Client) -> Option<Held> {
        let map = &self.layout.map;
        let options = &client.connection.params;
        let machine = options.connected_to.as_ref().and_then(|name| map.find_machine(name));
        let server = machine.and_then(|machine| map.local(machine, Kind::ApiServer));
        options.held(client.section.params.dial_timeout, server)
    }
}

/// What an API object begins with, before anything has settled.
fn object(kind: Kind) -> Fact {
    match kind {
        Kind::Lease => Fact::Lease(crate::component::fact::LeaseFact::default()),
        Kind::Node => Fact::Node(crate::component::fact::NodeFact::default()),
        _ => Fact::Absent,
    }
}

/// An instance's options. Where no priority is given, the first instance has the highest.
pub(super) fn keepalived_params(
    scenario: &Scenario,
    layout: &Layout,
    id: ComponentId,
) -> KeepalivedParams {
    let section = scenario.cluster.kinds.keepalived.of(layout.map.name(id));
    let mut params = section.params.clone();
    if params.priority.is_none() && params.state == InitialState::Backup {
        let instances = layout.processes(&layout.balancers, Kind::Keepalived);
        let position = instances.iter().position(|instance| *instance == id).unwrap_or(0);
        params.priority = u32::try_from(position).ok().map(|below| FIRST_PRIORITY - below);
    }
    params
}

/// The keepalived instance to which preemption leaves the address: the one with the highest
/// priority, of equals the one with the highest address.
pub(super) fn highest_priority(scenario: &Scenario, layout: &Layout) -> Option<ComponentId> {
    let instances = layout.processes(&layout.balancers, Kind::Keepalived);
    instances
        .into_iter()
        .max_by_key(|id| (keepalived_params(scenario, layout, *id).base_priority(), *id))
}

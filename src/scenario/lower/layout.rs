//! Which machines and processes a scenario has, how they are called, and where they stand.
//!
//! The order of declaration decides ties and is fixed here: control-plane machines, etcd machines,
//! balancers, workers, the place of the clients; on each machine etcd first, kubelet last; then the
//! API objects.

use crate::component::id::{ComponentId, Kind, MachineId, ZoneId};
use crate::component::map::{MachineRole, Map};
use crate::scenario::raw::Scenario;
use crate::scenario::raw::cluster::{Cluster, EndpointKind, Placement, Topology};
use crate::scenario::raw::zones::Zones;

/// Most replicas of control plane, etcd or balancers; etcd advises against more than seven.
pub const REPLICAS_MAX: u32 = 9;
/// Most workers. The network is a matrix of machines.
pub const WORKERS_MAX: u32 = 500;

/// The machine on which clients stand, outside of the cluster and of its zones.
pub const OUTSIDE: &str = "client";

/// Machines and processes by what they are for.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// All of them.
    pub map: Map,
    /// `cp1` and so on.
    pub control_plane: Vec<MachineId>,
    /// The machines of etcd members: the control plane's if stacked.
    pub etcd: Vec<MachineId>,
    /// The machines of balancers: the control plane's if placed there.
    pub balancers: Vec<MachineId>,
    /// `worker1` and so on.
    pub workers: Vec<MachineId>,
    /// The clients, in the order of the file.
    pub clients: Vec<ComponentId>,
    /// The processes with informers, in the order of the file; each entry is one component.
    pub informers: Vec<ComponentId>,
    /// The objects of workloads, in the order of the file.
    pub workloads: Vec<ComponentId>,
    /// Where clients stand.
    pub outside: Option<MachineId>,
}

impl Layout {
    /// The layout of a scenario.
    pub fn new(scenario: &Scenario) -> Layout {
        let cluster = &scenario.cluster;
        let mut layout = Layout::default();
        let zones: Vec<ZoneId> =
            cluster.zones.names.iter().map(|zone| layout.map.add_zone(zone)).collect();
        let outside = layout.map.add_zone("");
        layout.add_machines(cluster, &zones);
        layout.outside = Some(layout.map.add_machine(OUTSIDE, MachineRole::Outside, outside));
        layout.add_groups(cluster);
        layout.add_processes(cluster);
        layout.add_clients(scenario);
        layout.add_objects();
        for workload in &scenario.workloads {
            let object = layout.map.add_object(Kind::Workload, &workload.object());
            layout.workloads.push(object);
        }
        layout
    }

    fn add_machines(&mut self, cluster: &Cluster, zones: &[ZoneId]) {
        let count = cluster.control_plane.params.replicas.clamp(1, REPLICAS_MAX);
        let own = &cluster.control_plane_zones;
        self.control_plane = self.group("cp", MachineRole::ControlPlane, count, own, zones);
        self.etcd = match cluster.options.params.topology {
            Topology::Stacked => self.control_plane.clone(),
            Topology::External => {
                let count = cluster.members().clamp(1, REPLICAS_MAX);
                self.group("etcd", MachineRole::Etcd, count, &cluster.etcd_zones, zones)
            }
        };
        let count = cluster.balancer_count().min(REPLICAS_MAX);
        self.balancers = match cluster.balancers.params.placement {
            Placement::Own => {
                let own = &cluster.balancer_zones;
                self.group("lb", MachineRole::LoadBalancer, count, own, zones)
            }
            Placement::ControlPlane => {
                self.control_plane.iter().copied().take(count as usize).collect()
            }
        };
        let count = cluster.workers.params.replicas.min(WORKERS_MAX);
        let own = &cluster.worker_zones;
        self.workers = self.group("worker", MachineRole::Worker, count, own, zones);
        if cluster.endpoint.params.kind == EndpointKind::LocalBalancers {
            self.balancers = self.workers.clone();
        }
    }

    /// Machines of one sort, in their own zones in turn, else in the cluster's.
    fn group(
        &mut self,
        prefix: &str,
        role: MachineRole,
        count: u32,
        own: &Zones,
        zones: &[ZoneId],
    ) -> Vec<MachineId> {
        let known: Vec<(ZoneId, String)> =
            self.map.zones().map(|(id, name)| (id, name.to_owned())).collect();
        let named = own.names.iter().filter_map(|name| known.iter().find(|(_, z)| z == name));
        let named: Vec<ZoneId> = named.map(|(id, _)| *id).collect();
        let among = if named.is_empty() { zones } else { &named };
        (0..count)
            .map(|at| {
                let zone = among[at as usize % among.len()];
                self.map.add_machine(&format!("{prefix}{}", at + 1), role, zone)
            })
            .collect()
    }

    fn add_groups(&mut self, cluster: &Cluster) {
        for group in &cluster.groups {
            let machines = group.machines.iter().filter_map(|name| self.map.find_machine(name));
            let machines = machines.collect();
            self.map.add_group(&group.name, machines);
        }
    }

    fn add_processes(&mut self, cluster: &Cluster) {
        let machines: Vec<MachineId> = self.map.machines().map(|(id, _)| id).collect();
        for machine in machines {
            let controls = self.control_plane.contains(&machine);
            let balances = self.balancers.contains(&machine);
            let vip = cluster.endpoint.params.kind == EndpointKind::Vip;
            let kube_vip = cluster.endpoint.params.kind == EndpointKind::KubeVip;
            for (kind, present) in [
                (Kind::Etcd, self.etcd.contains(&machine)),
                (Kind::ApiServer, controls),
                (Kind::Scheduler, controls),
                (Kind::ControllerManager, controls),
                (Kind::LoadBalancer, balances),
                (Kind::Keepalived, balances && vip),
                (Kind::KubeVip, controls && kube_vip),
                (Kind::Kubelet, controls || self.workers.contains(&machine)),
            ] {
                if present {
                    let program = match kind {
                        Kind::LoadBalancer => cluster.balancers.params.program.name(),
                        _ => kind.name(),
                    };
                    let name = format!("{}/{program}", self.map.machine(machine).name);
                    self.map.add_process(kind, machine, &name);
                }
            }
        }
    }

    fn add_clients(&mut self, scenario: &Scenario) {
        let Some(outside) = self.outside else { return };
        for client in &scenario.clients {
            self.clients.push(self.map.add_process(Kind::Client, outside, &client.name));
        }
        for informers in &scenario.informers {
            self.informers.push(self.map.add_process(Kind::Client, outside, &informers.name));
        }
    }

    fn add_objects(&mut self) {
        for kind in [Kind::Scheduler, Kind::ControllerManager] {
            self.map.add_object(Kind::Lease, &format!("lease/{}", kind.name()));
        }
        let elected = self.map.of_kind(Kind::KubeVip).next().and(Kind::KubeVip.lock());
        if let Some(lock) = elected {
            self.map.add_object(Kind::Lease, &format!("lease/{lock}"));
        }
        let nodes: Vec<String> = self
            .control_plane
            .iter()
            .chain(&self.workers)
            .map(|machine| format!("node/{}", self.map.machine(*machine).name))
            .collect();
        for node in nodes {
            self.map.add_object(Kind::Node, &node);
        }
    }

    /// The processes of one kind on a group of machines, in their order.
    pub fn processes(&self, machines: &[MachineId], kind: Kind) -> Vec<ComponentId> {
        machines.iter().filter_map(|machine| self.map.local(*machine, kind)).collect()
    }

    /// The servers that a client's target names: all of a program, or one process; none for the
    /// endpoint or an unknown name.
    pub fn servers(&self, target: &str) -> Vec<ComponentId> {
        match target {
            "etcd" => self.processes(&self.etcd, Kind::Etcd),
            "kube-apiserver" => self.processes(&self.control_plane, Kind::ApiServer),
            name => self.map.find_component(name).into_iter().collect(),
        }
    }
}

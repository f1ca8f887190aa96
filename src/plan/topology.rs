//! The cluster as a graph: zones that hold machines, machines that run processes, and who asks whom
//! on the way of a request. It is built from a plan, cut, checked and drawn.
//!
//! Absent on purpose: the network at an instant of a run (`component::reach`, which is dense and
//! never walks a graph).

use super::Plan;
use super::service::Endpoint;
use crate::component::id::{ComponentId, Kind, MachineId, ZoneId};
use crate::component::map::{MachineRole, Map};
use crate::components::Params;
use petgraph::algo::has_path_connecting;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::NodeFiltered;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Something that can fail by itself, and takes along what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// A zone holds machines.
    Zone(ZoneId),
    /// A machine holds processes.
    Machine(MachineId),
    /// A process.
    Process(ComponentId),
}

/// Why one part has an edge to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// It falls with it.
    Holds,
    /// It sends requests to it.
    Asks,
}

/// The graph of a plan.
#[derive(Clone, Debug)]
pub struct Topology {
    graph: DiGraph<Part, Link>,
    parts: BTreeMap<Part, NodeIndex>,
    outside: NodeIndex,
    members: Vec<ComponentId>,
}

impl Topology {
    /// The graph of a plan. Clients stand for their place, the machine outside of all zones.
    pub fn of(plan: &Plan) -> Topology {
        let map = &plan.map;
        let mut graph = DiGraph::new();
        let outside = graph.add_node(Part::Machine(plan.services.outside));
        let parts = BTreeMap::from([(Part::Machine(plan.services.outside), outside)]);
        let members = plan.services.members.clone();
        let mut topology = Topology { graph, parts, outside, members };
        topology.add_holders(map);
        for (from, to) in requests(plan) {
            topology.link(from, Part::Process(to), Link::Asks);
        }
        topology
    }

    fn add_holders(&mut self, map: &Map) {
        for (id, machine) in map.machines() {
            if machine.role != MachineRole::Outside {
                self.link(Part::Zone(machine.zone), Part::Machine(id), Link::Holds);
            }
        }
        for (id, component) in map.components() {
            let Some(machine) = component.machine else { continue };
            if component.kind != Kind::Client {
                self.link(Part::Machine(machine), Part::Process(id), Link::Holds);
            }
        }
    }

    fn link(&mut self, from: Part, to: Part, link: Link) {
        let (from, to) = (self.node(from), self.node(to));
        self.graph.add_edge(from, to, link);
    }

    fn node(&mut self, part: Part) -> NodeIndex {
        let graph = &mut self.graph;
        *self.parts.entry(part).or_insert_with(|| graph.add_node(part))
    }

    /// Every part.
    pub fn parts(&self) -> impl Iterator<Item = Part> + '_ {
        self.parts.keys().copied()
    }

    /// What is left when some parts fail: a flag for each node of the graph.
    fn left(&self, failed: &[Part]) -> Vec<bool> {
        let mut left = vec![true; self.graph.node_count()];
        let mut falling: Vec<NodeIndex> =
            failed.iter().filter_map(|part| self.parts.get(part).copied()).collect();
        while let Some(node) = falling.pop() {
            if std::mem::replace(&mut left[node.index()], false) {
                let held = self.graph.edges(node).filter(|edge| *edge.weight() == Link::Holds);
                falling.extend(held.map(|edge| petgraph::visit::EdgeRef::target(&edge)));
            }
        }
        left
    }

    /// Whether a write can be served once everything has reacted to the loss of some parts: a way
    /// from the clients to a member, and a majority of members.
    pub fn serves_writes_without(&self, failed: &[Part]) -> bool {
        let left = self.left(failed);
        let alive = |member: &&ComponentId| {
            self.parts.get(&Part::Process(**member)).is_some_and(|node| left[node.index()])
        };
        let members: Vec<&ComponentId> = self.members.iter().filter(alive).collect();
        let rest = NodeFiltered::from_fn(&self.graph, |node| left[node.index()]);
        let reached = |member: &&ComponentId| {
            let node = self.parts[&Part::Process(**member)];
            has_path_connecting(&rest, self.outside, node, None)
        };
        2 * members.len() > self.members.len() && members.iter().any(reached)
    }

    /// The zones, machines and processes whose loss alone ends the service of writes.
    pub fn single_points_of_failure(&self) -> Vec<Part> {
        let outside = self.graph[self.outside];
        let alone = self.parts().filter(|part| *part != outside);
        alone.filter(|part| !self.serves_writes_without(&[*part])).collect()
    }

    /// The graph in Graphviz' language: zones and machines as boxes around what they hold.
    pub fn dot(&self, map: &Map) -> String {
        let mut out = String::from("digraph cluster {\n  rankdir=LR;\n  node [shape=box];\n");
        for (zone, name) in
            map.zones().filter(|(zone, _)| self.parts.contains_key(&Part::Zone(*zone)))
        {
            let (id, label) = (format!("cluster_zone_{name}"), format!("zone {name}"));
            let _ = writeln!(out, "  subgraph {id:?} {{ label={label:?};");
            for (machine, entry) in map.machines().filter(|(_, entry)| entry.zone == zone) {
                out.push_str(&machine_box(map, machine, &entry.name));
            }
            out.push_str("  }\n");
        }
        let asks = self.graph.edge_indices().filter(|edge| self.graph[*edge] == Link::Asks);
        for (from, to) in asks.filter_map(|edge| self.graph.edge_endpoints(edge)) {
            let name = |node| match self.graph[node] {
                Part::Process(id) => map.name(id).to_owned(),
                Part::Machine(id) => map.machine(id).name.clone(),
                Part::Zone(id) => map.zone(id).to_owned(),
            };
            let _ = writeln!(out, "  \"{}\" -> \"{}\";", name(from), name(to));
        }
        out.push_str("}\n");
        out
    }
}

fn machine_box(map: &Map, machine: MachineId, name: &str) -> String {
    let processes = map.on_machine(machine).map(|id| {
        format!("      \"{}\" [label=\"{}\"];\n", map.name(id), map.component(id).kind.name())
    });
    let processes: String = processes.collect();
    format!("    subgraph \"cluster_{name}\" {{ label=\"{name}\";\n{processes}    }}\n")
}

/// Who asks whom on the way of a client's request.
fn requests(plan: &Plan) -> Vec<(Part, ComponentId)> {
    let services = &plan.services;
    let outside = Part::Machine(services.outside);
    let mut asks: Vec<(Part, ComponentId)> = match &services.endpoint {
        Endpoint::Vip { fronts, .. } => fronts.iter().map(|id| (outside, *id)).collect(),
        Endpoint::Balancer(id) | Endpoint::OneServer(id) => vec![(outside, *id)],
        Endpoint::Dns { addresses, .. } => addresses.iter().map(|id| (outside, *id)).collect(),
        Endpoint::AllServers => services.api_servers.iter().map(|id| (outside, *id)).collect(),
    };
    for (id, _) in plan.map.components() {
        let asked = match plan.params_of(id) {
            Params::LoadBalancer(_, wiring) => &wiring.servers,
            Params::ApiServer(_, wiring) => &wiring.etcd_servers,
            _ => continue,
        };
        asks.extend(asked.iter().map(|to| (Part::Process(id), *to)));
    }
    asks
}

//! The static map of a run: which components exist, on which machine, in which zone.
//!
//! Absent on purpose: everything that changes. The map is built once per plan and shared by all
//! runs of a study.

use super::id::{ComponentId, Kind, MachineId, ZoneId};
use crate::kernel::stream::StreamName;

/// What a machine is for; decides how it is printed and which presets apply to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MachineRole {
    /// Runs kube-apiserver, scheduler and controller-manager (stacked: etcd too).
    ControlPlane,
    /// Runs an etcd member only (external topology).
    Etcd,
    /// Runs HAProxy and keepalived only.
    LoadBalancer,
    /// Runs a kubelet and user pods.
    Worker,
    /// Where clients run: outside the cluster.
    Outside,
}

/// One machine of the map.
#[derive(Clone, Debug)]
pub struct MachineEntry {
    /// Unique name, for example `cp1`.
    pub name: String,
    /// What it is for.
    pub role: MachineRole,
    /// The zone it stands in.
    pub zone: ZoneId,
    /// Names the machine's own random streams.
    pub stream: StreamName,
}

/// One component of the map.
#[derive(Clone, Debug)]
pub struct ComponentEntry {
    /// Unique name: `cp1/etcd` for a process, `lease/kube-scheduler` for an object.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Where it runs; `None` for API objects.
    pub machine: Option<MachineId>,
    /// Names the component's random streams, so that its draws belong to its name alone.
    pub stream: StreamName,
}

/// All machines and components of a plan, with the look-ups that components and reports need.
#[derive(Clone, Debug, Default)]
pub struct Map {
    zones: Vec<String>,
    machines: Vec<MachineEntry>,
    components: Vec<ComponentEntry>,
    /// The components of each kind, and each component's place among those of its kind.
    kinds: [Vec<ComponentId>; Kind::ALL.len()],
    ranks: Vec<u16>,
    /// The components on each machine.
    residents: Vec<Vec<ComponentId>>,
    groups: Vec<(String, Vec<MachineId>)>,
}

impl Map {
    /// Adds a zone and returns its id.
    pub fn add_zone(&mut self, name: &str) -> ZoneId {
        self.zones.push(name.to_owned());
        ZoneId(dense(self.zones.len()))
    }

    /// Adds a machine and returns its id.
    pub fn add_machine(&mut self, name: &str, role: MachineRole, zone: ZoneId) -> MachineId {
        let stream = StreamName::of(name);
        self.machines.push(MachineEntry { name: name.to_owned(), role, zone, stream });
        self.residents.push(Vec::new());
        MachineId(dense(self.machines.len()))
    }

    /// Adds a process on `machine`, named `machine/kind` (or `name` alone for a client).
    pub fn add_process(&mut self, kind: Kind, machine: MachineId, name: &str) -> ComponentId {
        let id = self.add(kind, Some(machine), name);
        self.residents[machine.index()].push(id);
        id
    }

    /// Adds an API object such as `lease/kube-scheduler`.
    pub fn add_object(&mut self, kind: Kind, name: &str) -> ComponentId {
        self.add(kind, None, name)
    }

    fn add(&mut self, kind: Kind, machine: Option<MachineId>, name: &str) -> ComponentId {
        let stream = StreamName::of(name);
        self.components.push(ComponentEntry { name: name.to_owned(), kind, machine, stream });
        let id = ComponentId(dense(self.components.len()));
        let peers = &mut self.kinds[kind as usize];
        peers.push(id);
        self.ranks.push(dense(peers.len()));
        id
    }

    /// Names machines that share something: a rack, a switch, a hypervisor.
    pub fn add_group(&mut self, name: &str, machines: Vec<MachineId>) {
        self.groups.push((name.to_owned(), machines));
    }

    /// All groups in declaration order.
    pub fn groups(&self) -> impl Iterator<Item = (&str, &[MachineId])> {
        self.groups.iter().map(|(name, machines)| (name.as_str(), machines.as_slice()))
    }

    /// The component's entry.
    pub fn component(&self, id: ComponentId) -> &ComponentEntry {
        &self.components[id.index()]
    }

    /// The machine's entry.
    pub fn machine(&self, id: MachineId) -> &MachineEntry {
        &self.machines[id.index()]
    }

    /// The zone's name.
    pub fn zone(&self, id: ZoneId) -> &str {
        &self.zones[usize::from(id.0)]
    }

    /// All zones in declaration order.
    pub fn zones(&self) -> impl Iterator<Item = (ZoneId, &str)> {
        self.zones.iter().enumerate().map(|(i, z)| (ZoneId(dense(i + 1)), z.as_str()))
    }

    /// The processes that may hold a virtual address, in declaration order.
    pub fn address_holders(&self) -> impl Iterator<Item = ComponentId> + '_ {
        self.of_kind(Kind::Keepalived).chain(self.of_kind(Kind::KubeVip))
    }

    /// The Lease by which instances of a kind elect one among them.
    pub fn lease_of(&self, kind: Kind) -> Option<ComponentId> {
        self.find_component(&format!("lease/{}", kind.lock()?))
    }

    /// All components in declaration order.
    pub fn components(&self) -> impl Iterator<Item = (ComponentId, &ComponentEntry)> {
        self.components.iter().enumerate().map(|(i, c)| (ComponentId(dense(i + 1)), c))
    }

    /// All machines in declaration order.
    pub fn machines(&self) -> impl Iterator<Item = (MachineId, &MachineEntry)> {
        self.machines.iter().enumerate().map(|(i, m)| (MachineId(dense(i + 1)), m))
    }

    /// How many components there are.
    pub fn component_count(&self) -> usize {
        self.components.len()
    }

    /// How many machines there are.
    pub fn machine_count(&self) -> usize {
        self.machines.len()
    }

    /// The components of one kind, in declaration order.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = ComponentId> + '_ {
        self.kinds[kind as usize].iter().copied()
    }

    /// The component's place among those of its kind, in declaration order.
    pub fn rank(&self, id: ComponentId) -> usize {
        usize::from(self.ranks[id.index()])
    }

    /// The components on one machine, in declaration order.
    pub fn on_machine(&self, machine: MachineId) -> impl Iterator<Item = ComponentId> + '_ {
        self.residents[machine.index()].iter().copied()
    }

    /// The process of `kind` on `machine`, if there is one.
    pub fn local(&self, machine: MachineId, kind: Kind) -> Option<ComponentId> {
        self.on_machine(machine).find(|id| self.component(*id).kind == kind)
    }

    /// The machine of a process; `None` for API objects.
    pub fn machine_of(&self, id: ComponentId) -> Option<MachineId> {
        self.component(id).machine
    }

    /// Looks a component up by its name.
    pub fn find_component(&self, name: &str) -> Option<ComponentId> {
        self.components().find(|(_, c)| c.name == name).map(|(id, _)| id)
    }

    /// Looks a machine up by its name.
    pub fn find_machine(&self, name: &str) -> Option<MachineId> {
        self.machines().find(|(_, m)| m.name == name).map(|(id, _)| id)
    }

    /// The component's name.
    pub fn name(&self, id: ComponentId) -> &str {
        &self.component(id).name
    }

    /// The name of the machine a component runs on, or the component's own name for objects.
    pub fn place(&self, id: ComponentId) -> &str {
        self.machine_of(id).map_or_else(|| self.name(id), |m| &self.machine(m).name)
    }
}

/// The id that belongs to the last of `count` entries.
fn dense(count: usize) -> u16 {
    u16::try_from(count - 1)
        .unwrap_or_else(|_| panic!("a plan has at most 65,536 entries of a sort"))
}

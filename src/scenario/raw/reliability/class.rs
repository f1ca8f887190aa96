//! Classes of things that fail alike, by the names that a file has for them.

use crate::component::id::Kind;
use crate::component::map::MachineRole;

/// A class of things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Machines of one role.
    Machine(MachineRole),
    /// Processes of one program.
    Process(Kind),
    /// The disks of machines with an etcd member.
    Disk,
    /// The connections of machines to the network.
    Link,
    /// The cluster as one.
    Cluster,
}

impl Class {
    /// Every class with its name.
    pub const ALL: [(Class, &'static str); 15] = [
        (Class::Machine(MachineRole::ControlPlane), "machines.controlPlane"),
        (Class::Machine(MachineRole::Etcd), "machines.etcd"),
        (Class::Machine(MachineRole::LoadBalancer), "machines.loadBalancer"),
        (Class::Machine(MachineRole::Worker), "machines.worker"),
        (Class::Process(Kind::Etcd), "processes.etcd"),
        (Class::Process(Kind::ApiServer), "processes.kube-apiserver"),
        (Class::Process(Kind::Scheduler), "processes.kube-scheduler"),
        (Class::Process(Kind::ControllerManager), "processes.kube-controller-manager"),
        (Class::Process(Kind::LoadBalancer), "processes.haproxy"),
        (Class::Process(Kind::Keepalived), "processes.keepalived"),
        (Class::Process(Kind::KubeVip), "processes.kube-vip"),
        (Class::Process(Kind::Kubelet), "processes.kubelet"),
        (Class::Disk, "disks"),
        (Class::Link, "links"),
        (Class::Cluster, "cluster"),
    ];

    /// The name in files.
    pub fn name(self) -> &'static str {
        let found = Class::ALL.iter().find(|(class, _)| *class == self);
        found.map_or("", |(_, name)| *name)
    }

    /// The class of that name.
    pub fn named(name: &str) -> Option<Class> {
        Class::ALL.iter().find(|(_, known)| *known == name).map(|(class, _)| *class)
    }

    /// The names within a group: of `machines` and `processes`.
    pub fn members(group: &str) -> Vec<&'static str> {
        let within = |name: &'static str| name.strip_prefix(group)?.strip_prefix('.');
        Class::ALL.iter().filter_map(|(_, name)| within(name)).collect()
    }
}

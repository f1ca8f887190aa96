//! How many machines of a sort a cluster has, and whether it has balancers at all.

use super::cluster::{Addresses, BalancerProgram, Cluster, EndpointKind, Placement, Topology};

impl Cluster {
    /// How many etcd members there are.
    pub fn members(&self) -> u32 {
        match self.options.params.topology {
            Topology::Stacked => self.control_plane.params.replicas,
            Topology::External => self.etcd.params.members.unwrap_or(3),
        }
    }

    /// How many etcd members the cluster has when the run begins.
    pub fn initial_members(&self) -> u32 {
        self.etcd.params.initial_members.unwrap_or(u32::MAX).min(self.members())
    }

    /// Whether balancers stand before the API servers.
    pub fn has_balancers(&self) -> bool {
        let options = &self.endpoint.params;
        match options.kind {
            EndpointKind::Vip | EndpointKind::OneBalancer | EndpointKind::LocalBalancers => true,
            EndpointKind::Dns => options.addresses == Addresses::Balancers,
            EndpointKind::OneServer | EndpointKind::AllServers | EndpointKind::KubeVip => false,
        }
    }

    /// How many balancers there are beside those of workers.
    pub fn balancer_count(&self) -> u32 {
        let options = &self.balancers.params;
        let usual = match (self.endpoint.params.kind, options.placement) {
            _ if !self.has_balancers() => return 0,
            (EndpointKind::LocalBalancers, _) => return 0,
            (EndpointKind::OneBalancer, _) => 1,
            (_, Placement::Own) => 2,
            (_, Placement::ControlPlane) => self.control_plane.params.replicas,
        };
        options.replicas.unwrap_or(usual)
    }
}

impl BalancerProgram {
    /// What its processes are called: `lb1/nginx`.
    pub fn name(self) -> &'static str {
        match self {
            BalancerProgram::Haproxy => "haproxy",
            BalancerProgram::Nginx => "nginx",
            BalancerProgram::Cloud => "cloud",
        }
    }
}

//! The `cluster` of a scenario: its machines, the programs on them, and the network.

use super::kinds::Kinds;
use super::zones::{Zones, zones};
use crate::component::param::{params, words};
use crate::component::versions::Versions;
use crate::kernel::law::Law;
use crate::kernel::time::Duration;
use crate::plan::share::Share;
use crate::scenario::document::{Entry, Path};
use crate::scenario::reader::{Fields, Reader};
use crate::scenario::section::Section;

words! {
    /// Where etcd stands.
    pub enum Topology {
        /// Each control-plane machine has an etcd member, which its API server uses.
        Stacked = "stacked",
        /// etcd has machines of its own, and every API server knows all members.
        External = "external",
    }
}

words! {
    /// Who starts the processes of a control-plane machine again when they end.
    pub enum PodSupervision {
        /// The kubelet: they are static pods, as kubeadm makes them.
        Kubelet = "kubelet",
        /// Nobody.
        None = "none",
    }
}

words! {
    /// Who starts processes that are no pods again when they end.
    pub enum UnitSupervision {
        /// systemd, as the programs' own units say.
        Systemd = "systemd",
        /// Nobody.
        None = "none",
    }
}

words! {
    /// Which etcd members an API server knows.
    pub enum EtcdServers {
        /// Stacked: the one beside it alone.
        Local = "local",
        /// All of them.
        All = "all",
    }
}

words! {
    /// How clients reach the API.
    pub enum EndpointKind {
        /// A virtual address that keepalived moves between balancers.
        Vip = "vip",
        /// The address of one balancer.
        OneBalancer = "one-balancer",
        /// The address of one API server.
        OneServer = "one-server",
        /// Clients know every API server and try another at once.
        AllServers = "all-servers",
        /// A DNS name with the addresses of all API servers, or of all balancers.
        Dns = "dns",
        /// A virtual address that kube-vip moves between the API servers themselves.
        KubeVip = "kube-vip",
        /// As `all-servers`, with a balancer on each worker for what runs there.
        LocalBalancers = "local-balancers",
    }
}

words! {
    /// Whose addresses the DNS name has.
    pub enum Addresses {
        /// Every API server's.
        Servers = "servers",
        /// Every balancer's; none of them has a virtual address.
        Balancers = "balancers",
    }
}

words! {
    /// What the balancers are.
    pub enum BalancerProgram {
        /// `HAProxy`, with the options of `haproxy`.
        Haproxy = "haproxy",
        /// NGINX, with the options of `nginx`.
        Nginx = "nginx",
        /// A balancer of a cloud, with the options of `cloud`.
        Cloud = "cloud",
    }
}

words! {
    /// Where balancers stand.
    pub enum Placement {
        /// On machines of their own.
        Own = "own",
        /// On the control-plane machines.
        ControlPlane = "controlPlane",
    }
}

params! {
    /// The cluster as a whole.
    pub struct ClusterOptions {
        /// Where etcd stands: `stacked` on the control-plane machines or `external`.
        topology: Topology = "topology", |_v| Topology::Stacked, "kubeadm: stacked etcd";
    }
}

params! {
    /// The control-plane machines, `cp1` and so on.
    pub struct ControlPlaneOptions {
        /// How many there are, 1 to 9.
        replicas: u32 = "replicas", |_v| 3, "kubeadm, highly available topology: three machines";
        /// Who starts their processes again: `kubelet` or `none`.
        supervision: PodSupervision = "supervision", |_v| PodSupervision::Kubelet,
            "kubeadm: static pods";
        /// Stacked only: whether an API server knows the etcd member beside it alone (`local`) or
        /// `all` of them. External, it knows all.
        etcd_servers: EtcdServers = "etcdServers", |_v| EtcdServers::Local,
            "kubeadm: --etcd-servers=https://127.0.0.1:2379";
        /// Whether user pods may run on them: without the taint `control-plane:NoSchedule`.
        schedulable: bool = "schedulable", |_v| false,
            "kubeadm: taint node-role.kubernetes.io/control-plane:NoSchedule";
    }
}

params! {
    /// Where etcd's members stand; its own options stand beside.
    pub struct EtcdOptions {
        /// How many members, 1 to 9; stacked: as many as control-plane machines. External: 3.
        members: Option<u32> = "members", |_v| None, "etcd FAQ: three or five members";
        /// How many of the members the cluster has when the run begins, the first by name. The others
        /// wait for `growth` or `replaceMember`; stacked, nothing of the control plane runs on their
        /// machines until then.
        initial_members: Option<u32> = "initialMembers", |_v| None, "hasim: all of them";
        /// External only: who starts a member again that ended: `systemd` or `none`.
        supervision: UnitSupervision = "supervision", |_v| UnitSupervision::Systemd,
            "etcd, contrib/systemd: Restart=on-failure";
    }
}

params! {
    /// How clients reach the API.
    pub struct EndpointOptions {
        /// What the address that clients use is.
        kind: EndpointKind = "kind", |_v| EndpointKind::Vip, "kubeadm: keepalived and HAProxy";
        /// Kind `one-server` only: the machine whose API server clients use.
        server: String = "server", |_v| "cp1".to_owned(), "hasim: the first machine";
        /// Kind `dns` only: whose addresses the name has.
        addresses: Addresses = "addresses", |_v| Addresses::Servers, "hasim: DNS round robin over the control plane";
        /// Kind `dns` only: how long resolvers keep an answer.
        ttl: Duration = "ttl", |_v| Duration::from_secs(300), "assumed: five minutes, a usual default of zones";
    }
}

params! {
    /// The balancers, `lb1` and so on where they have machines of their own.
    pub struct BalancerOptions {
        /// How many; placement `controlPlane`: one on each machine. Otherwise 2.
        replicas: Option<u32> = "replicas", |_v| None, "kubeadm: two balancers";
        /// What they are; the section of that name has their options.
        program: BalancerProgram = "program", |_v| BalancerProgram::Haproxy, "kubeadm: HAProxy";
        /// Where they stand: machines of their `own`, or the `controlPlane` machines.
        placement: Placement = "placement", |_v| Placement::Own, "kubeadm: hosts of their own";
        /// Who starts HAProxy again that ended: `systemd` or `none`. (keepalived's unit does not.)
        supervision: UnitSupervision = "supervision", |_v| UnitSupervision::Systemd,
            "HAProxy, admin/systemd/haproxy.service.in: Restart=always";
    }
}

params! {
    /// The workers, `worker1` and so on.
    pub struct WorkerOptions {
        /// How many there are, up to 5,000.
        replicas: u32 = "replicas", |_v| 0, "hasim: the control-plane machines are nodes already";
        /// Who starts their kubelets again that ended: `systemd` or `none`.
        supervision: UnitSupervision = "supervision", |_v| UnitSupervision::Systemd,
            "kubeadm, kubelet.service: Restart=always";
    }
}

params! {
    /// The network between machines, and how they boot.
    pub struct NetworkOptions {
        /// One-way delay between machines.
        latency: Duration = "latency", |_v| Duration::from_micros(250),
            "assumed: half of a round trip of 0.5 ms within a data centre";
        /// Each message takes up to this much longer, evenly drawn.
        jitter: Duration = "jitter", |_v| Duration::ZERO, "hasim: off";
        /// Share of packets lost.
        loss: Share = "loss", |_v| Share(0), "hasim: none";
        /// How often a machine's kernel repeats a SYN before the waits in between double; Linux has
        /// this from 6.5 on, with a default of 4.
        syn_linear: u32 = "tcp_syn_linear_timeouts", |_v| 0, "Linux up to 6.4: none";
        /// Ticks a second of the kernel's timer wheel, which lets repeated SYNs wait for the end of a slot:
        /// up to 32 ms after 1 s at 250 ticks, 64 ms at 1000.
        hz: u32 = "CONFIG_HZ", |_v| 0, "hasim: timers are exact";
        /// From power to the start of a machine's services.
        machine_boot: Law = "machineBoot", |_v| Law::Fixed(Duration::from_minutes(1)),
            "assumed: between a virtual machine (20 s) and a server (minutes)";
    }
}

params! {
    /// The network between machines of different zones.
    pub struct ZoneLinkOptions {
        /// One-way delay; left out: as within a zone.
        latency: Option<Duration> = "latency", |_v| None, "hasim: as within a zone";
        /// Each message takes up to this much longer; left out: as within a zone.
        jitter: Option<Duration> = "jitter", |_v| None, "hasim: as within a zone";
        /// Share of packets lost; left out: as within a zone.
        loss: Option<Share> = "loss", |_v| None, "hasim: as within a zone";
    }
}

/// Machines that share something: a rack, a switch, a hypervisor.
#[derive(Clone, Debug)]
pub struct MachineGroup {
    /// What faults call it, after `group`.
    pub name: String,
    /// The names of its machines.
    pub machines: Vec<String>,
    /// Where it stands.
    pub path: Path,
}

fn groups(fields: &Fields, path: &Path, reader: &Reader) -> Vec<MachineGroup> {
    let Some(entry) = fields.get("groups") else { return Vec::new() };
    let entries = reader.entries(&entry.node).unwrap_or_default().iter();
    let group = |entry: &Entry| {
        let machines = reader.read(&entry.node)?;
        let (name, path) = (entry.key.clone(), path.key("groups").key(&*entry.key));
        Some(MachineGroup { name, machines, path })
    };
    entries.filter_map(group).collect()
}

/// The cluster.
#[derive(Debug)]
pub struct Cluster {
    /// Its own options.
    pub options: Section<ClusterOptions>,
    /// The names of its zones, at least one.
    pub zones: Zones,
    /// Machines that share something.
    pub groups: Vec<MachineGroup>,
    /// The control-plane machines.
    pub control_plane: Section<ControlPlaneOptions>,
    /// Their zones.
    pub control_plane_zones: Zones,
    /// Where etcd's members stand.
    pub etcd: Section<EtcdOptions>,
    /// Their zones, external only.
    pub etcd_zones: Zones,
    /// How clients reach the API.
    pub endpoint: Section<EndpointOptions>,
    /// The balancers.
    pub balancers: Section<BalancerOptions>,
    /// Their zones, placement `own` only.
    pub balancer_zones: Zones,
    /// The workers.
    pub workers: Section<WorkerOptions>,
    /// Their zones.
    pub worker_zones: Zones,
    /// The network.
    pub network: Section<NetworkOptions>,
    /// The network between zones.
    pub between_zones: Section<ZoneLinkOptions>,
    /// The programs' options.
    pub kinds: Kinds,
}

/// The fields of a section: its options and what else stands in it.
fn known<P: crate::component::param::Params>(others: &[&'static str]) -> Vec<&'static str> {
    Section::<P>::names().into_iter().chain(others.iter().copied()).collect()
}

impl Cluster {
    /// A cluster of which the file says nothing.
    fn defaults(versions: &Versions) -> Cluster {
        let path = Path::root().key("cluster");
        let (endpoint, network) = (path.key("endpoint"), path.key("network"));
        Cluster {
            zones: Zones::default(),
            groups: Vec::new(),
            control_plane: Section::defaults(versions, path.key("controlPlane")),
            control_plane_zones: Zones::default(),
            etcd: Section::defaults(versions, path.key("etcd")),
            etcd_zones: Zones::default(),
            balancers: Section::defaults(versions, endpoint.key("loadBalancers")),
            balancer_zones: Zones::default(),
            endpoint: Section::defaults(versions, endpoint),
            workers: Section::defaults(versions, path.key("workers")),
            worker_zones: Zones::default(),
            between_zones: Section::defaults(versions, network.key("betweenZones")),
            network: Section::defaults(versions, network),
            kinds: Kinds::defaults(versions, &path),
            options: Section::defaults(versions, path),
        }
    }

    pub(super) fn read(entry: Option<&Entry>, reader: &Reader, versions: &Versions) -> Cluster {
        let mut cluster = Cluster::defaults(versions);
        let others = [
            "zones",
            "groups",
            "controlPlane",
            "etcd",
            "endpoint",
            "workers",
            "network",
            "overrides",
        ];
        let known = known::<ClusterOptions>(&others);
        if let Some(fields) = entry.and_then(|e| reader.fields(&e.node, "`cluster`", &known)) {
            cluster.options.take(&fields, reader);
            cluster.zones = zones(&fields, &cluster.options.path);
            cluster.groups = groups(&fields, &cluster.options.path, reader);
            cluster.read_control_plane(&fields, reader);
            cluster.read_etcd(&fields, reader);
            cluster.read_endpoint(&fields, reader);
            cluster.read_workers(&fields, reader);
            cluster.read_network(&fields, reader);
            cluster.kinds.read_overrides(&fields, reader);
        }
        if cluster.zones.names.is_empty() {
            cluster.zones.names = vec!["a".to_owned()];
        }
        cluster
    }

    fn read_control_plane(&mut self, cluster: &Fields, reader: &Reader) {
        let others =
            ["zones", "kubeApiserver", "kubeScheduler", "kubeControllerManager", "kubelet"];
        let known = known::<ControlPlaneOptions>(&others);
        let Some(fields) = cluster.section("controlPlane", "`controlPlane`", &known) else {
            return;
        };
        self.control_plane.take(&fields, reader);
        self.control_plane_zones = zones(&fields, &self.control_plane.path);
        self.kinds.read_control_plane(&fields, reader);
    }

    fn read_etcd(&mut self, cluster: &Fields, reader: &Reader) {
        let known: Vec<&str> =
            known::<EtcdOptions>(&["zones"]).into_iter().chain(Kinds::etcd_names()).collect();
        let Some(fields) = cluster.section("etcd", "`etcd`", &known) else { return };
        self.etcd.take(&fields, reader);
        self.etcd_zones = zones(&fields, &self.etcd.path);
        self.kinds.read_etcd(&fields, reader);
    }

    fn read_endpoint(&mut self, cluster: &Fields, reader: &Reader) {
        let known_endpoint = known::<EndpointOptions>(&["loadBalancers", "kubeVip"]);
        let Some(fields) = cluster.section("endpoint", "`endpoint`", &known_endpoint) else {
            return;
        };
        self.endpoint.take(&fields, reader);
        self.kinds.read_endpoint(&fields, reader);
        let known = known::<BalancerOptions>(&["zones", "haproxy", "nginx", "cloud", "keepalived"]);
        let what = "`loadBalancers`";
        let Some(fields) = fields.section("loadBalancers", what, &known) else { return };
        self.balancers.take(&fields, reader);
        self.balancer_zones = zones(&fields, &self.balancers.path);
        let placement = self.balancers.params.placement;
        self.kinds.read_balancers(&fields, placement, reader);
    }

    fn read_workers(&mut self, cluster: &Fields, reader: &Reader) {
        let known = known::<WorkerOptions>(&["zones", "kubelet"]);
        let Some(fields) = cluster.section("workers", "`workers`", &known) else { return };
        self.workers.take(&fields, reader);
        self.worker_zones = zones(&fields, &self.workers.path);
        self.kinds.read_workers(&fields, reader);
    }

    fn read_network(&mut self, cluster: &Fields, reader: &Reader) {
        let known = known::<NetworkOptions>(&["betweenZones"]);
        let Some(fields) = cluster.section("network", "`network`", &known) else { return };
        self.network.take(&fields, reader);
        let names = Section::<ZoneLinkOptions>::names();
        if let Some(fields) = fields.section("betweenZones", "`betweenZones`", &names) {
            self.between_zones.take(&fields, reader);
        }
    }
}

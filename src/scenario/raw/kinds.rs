//! The programs of a cluster: where each one's options stand.

use super::cluster::Placement;
use super::program::{Inner, Program};
use crate::component::id::Kind;
use crate::component::versions::Versions;
use crate::components::api_server::ApiServerParams;
use crate::components::controller_manager::ControllerManagerParams;
use crate::components::etcd::EtcdParams;
use crate::components::keepalived::KeepalivedParams;
use crate::components::kube_vip::KubeVipParams;
use crate::components::kubelet::KubeletParams;
use crate::components::load_balancer::{CloudParams, LoadBalancerParams, NginxParams};
use crate::components::scheduler::SchedulerParams;
use crate::scenario::code::Code;
use crate::scenario::document::Path;
use crate::scenario::lower::layout::REPLICAS_MAX;
use crate::scenario::reader::{Fields, Reader, listed};
use crate::scenario::section::Section;

/// The options that Kubernetes' component configuration has under `leaderElection`.
pub const LEADER_ELECTION: Inner = Inner {
    name: "leaderElection",
    options: &["leaderElect", "leaseDuration", "renewDeadline", "retryPeriod"],
};

/// The options of every program.
#[derive(Debug)]
pub struct Kinds {
    /// etcd, `cluster.etcd`.
    pub etcd: Program<EtcdParams>,
    /// kube-apiserver, `cluster.controlPlane.kubeApiserver`.
    pub api_server: Program<ApiServerParams>,
    /// kube-scheduler, `cluster.controlPlane.kubeScheduler`.
    pub scheduler: Program<SchedulerParams>,
    /// kube-controller-manager, `cluster.controlPlane.kubeControllerManager`.
    pub controller_manager: Program<ControllerManagerParams>,
    /// The kubelets of control-plane machines, `cluster.controlPlane.kubelet`.
    pub kubelet: Program<KubeletParams>,
    /// The kubelets of workers, `cluster.workers.kubelet`.
    pub worker_kubelet: Program<KubeletParams>,
    /// `HAProxy`, `cluster.endpoint.loadBalancers.haproxy`.
    pub haproxy: Program<LoadBalancerParams>,
    /// NGINX, `cluster.endpoint.loadBalancers.nginx`.
    pub nginx: Program<NginxParams>,
    /// A cloud's balancer, `cluster.endpoint.loadBalancers.cloud`.
    pub cloud: Program<CloudParams>,
    /// keepalived, `cluster.endpoint.loadBalancers.keepalived`.
    pub keepalived: Program<KeepalivedParams>,
    /// kube-vip, `cluster.endpoint.kubeVip`.
    pub kube_vip: Program<KubeVipParams>,
}

impl Kinds {
    pub(super) fn defaults(versions: &Versions, cluster: &Path) -> Kinds {
        let control_plane = cluster.key("controlPlane");
        let endpoint = cluster.key("endpoint");
        let balancers = endpoint.key("loadBalancers");
        let workers = cluster.key("workers");
        Kinds {
            etcd: Program::defaults(versions, cluster.key("etcd")),
            api_server: Program::defaults(versions, control_plane.key("kubeApiserver")),
            scheduler: Program::defaults(versions, control_plane.key("kubeScheduler"))
                .with_inner(LEADER_ELECTION),
            controller_manager: Program::defaults(
                versions,
                control_plane.key("kubeControllerManager"),
            )
            .with_inner(LEADER_ELECTION),
            kubelet: Program::defaults(versions, control_plane.key("kubelet")),
            worker_kubelet: Program::defaults(versions, workers.key("kubelet")),
            haproxy: Program::defaults(versions, balancers.key("haproxy")),
            nginx: Program::defaults(versions, balancers.key("nginx")),
            cloud: Program::defaults(versions, balancers.key("cloud")),
            keepalived: Program::defaults(versions, balancers.key("keepalived")),
            kube_vip: Program::defaults(versions, endpoint.key("kubeVip")),
        }
    }

    pub(super) fn etcd_names() -> Vec<&'static str> {
        Section::<EtcdParams>::names()
    }

    /// etcd's options stand beside those of where its members are.
    pub(super) fn read_etcd(&mut self, fields: &Fields, reader: &Reader) {
        self.etcd.base.take(fields, reader);
    }

    pub(super) fn read_control_plane(&mut self, fields: &Fields, reader: &Reader) {
        self.api_server.read(fields, "kubeApiserver", "`kubeApiserver`", reader);
        self.scheduler.read(fields, "kubeScheduler", "`kubeScheduler`", reader);
        let what = "`kubeControllerManager`";
        self.controller_manager.read(fields, "kubeControllerManager", what, reader);
        self.kubelet.read(fields, "kubelet", "`kubelet`", reader);
    }

    pub(super) fn read_workers(&mut self, fields: &Fields, reader: &Reader) {
        self.worker_kubelet.read(fields, "kubelet", "`kubelet`", reader);
    }

    pub(super) fn read_endpoint(&mut self, fields: &Fields, reader: &Reader) {
        self.kube_vip.read(fields, "kubeVip", "`kubeVip`", reader);
    }

    /// An option of keepalived may be a list: one value for each instance.
    pub(super) fn read_balancers(
        &mut self,
        fields: &Fields,
        placement: Placement,
        reader: &Reader,
    ) {
        self.haproxy.read(fields, "haproxy", "`haproxy`", reader);
        self.nginx.read(fields, "nginx", "`nginx`", reader);
        self.cloud.read(fields, "cloud", "`cloud`", reader);
        let prefix = if placement == Placement::Own { "lb" } else { "cp" };
        let instances: Vec<String> =
            (1..=REPLICAS_MAX).map(|number| format!("{prefix}{number}/keepalived")).collect();
        self.keepalived.read_each(fields, "keepalived", &instances, reader);
    }

    /// What single processes have instead: `"cp1/etcd": {…}`.
    pub(super) fn read_overrides(&mut self, cluster: &Fields, reader: &Reader) {
        let Some(entry) = cluster.get("overrides") else { return };
        let path = Path::root().key("cluster").key("overrides");
        for entry in reader.entries(&entry.node).unwrap_or_default() {
            let path = path.key(&*entry.key);
            let (machine, program) = entry.key.split_once('/').unwrap_or(("", ""));
            match program {
                "etcd" => self.etcd.read_override(entry, reader, path),
                "kube-apiserver" => self.api_server.read_override(entry, reader, path),
                "kube-scheduler" => self.scheduler.read_override(entry, reader, path),
                "kube-controller-manager" => {
                    self.controller_manager.read_override(entry, reader, path);
                }
                "kubelet" if machine.starts_with("worker") => {
                    self.worker_kubelet.read_override(entry, reader, path);
                }
                "kubelet" => self.kubelet.read_override(entry, reader, path),
                "haproxy" => self.haproxy.read_override(entry, reader, path),
                "nginx" => self.nginx.read_override(entry, reader, path),
                "cloud" => self.cloud.read_override(entry, reader, path),
                "keepalived" => self.keepalived.read_override(entry, reader, path),
                "kube-vip" => self.kube_vip.read_override(entry, reader, path),
                _ => {
                    let programs =
                        Kind::ALL.iter().filter(|k| k.is_process() && **k != Kind::Client);
                    let programs = listed(programs.map(|kind| kind.name()), "and");
                    let name = entry.key.escape_debug();
                    let message = format!(
                        "`{name}` is no process; a machine's processes are written cp1/etcd, and the programs are {programs}"
                    );
                    reader.invalid(&entry.node, Code::BAD_TEXT, message);
                }
            }
        }
    }

    /// The processes that have options of their own, with the place of these.
    pub fn overridden(&self) -> Vec<(&str, &Path)> {
        fn own<P>(program: &Program<P>) -> impl Iterator<Item = (&str, &Path)> {
            program.overrides.iter().map(|(name, section)| (name.as_str(), &section.path))
        }
        own(&self.etcd)
            .chain(own(&self.api_server))
            .chain(own(&self.scheduler))
            .chain(own(&self.controller_manager))
            .chain(own(&self.kubelet))
            .chain(own(&self.worker_kubelet))
            .chain(own(&self.haproxy))
            .chain(own(&self.nginx))
            .chain(own(&self.cloud))
            .chain(own(&self.keepalived))
            .chain(own(&self.kube_vip))
            .collect()
    }
}

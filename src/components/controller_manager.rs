//! kube-controller-manager: a leader-elected instance whose controllers run while it leads: the monitor
//! of nodes, the eviction by taints, and those that keep up the number of pods.
//!
//! It starts its controllers one after the other once it has won, and so works a second later.
//! Absent on purpose: the other controllers' work.

use super::candidate::{
    Candidate, CandidateAlarm, Controllers, Habits, Work, between, candidate_params,
    kept,
};
use super::lease::{ClientGo, Election, Kubeconfig};
use super::node_monitor::{Monitoring, NodeMonitor, Rates};
use super::replication::{Pace, Replication};
use super::taint_eviction::TaintEviction;
use crate::component::param::Problem;
use crate::component::{Cause, Component, ComponentId, Effects, Map, View};
use crate::kernel::law::Law;
use crate::kernel::time::Duration;

pub use super::candidate::Wiring;

candidate_params! {
    /// Options of kube-controller-manager.
    pub struct ControllerManagerParams {
        release: |v| v.kubernetes.at_least(1, 37),
            "kube-controller-manager: ControllerManagerReleaseLeaderElectionLockOnExit, alpha and off in 1.36, planned to be on in 1.37";
        startup: |_v| between(46, 80),
            "measured, 1.20.2: 47-80 ms (n = 12)";
        warm_up: |_v| between(1000, 1300),
            "measured, 1.20.2: 1.0-1.3 s; controllers start and sync their caches after the win";
        /// Between two passes over all nodes.
        node_monitor_period: Duration = "node-monitor-period", |_v| Duration::from_secs(5),
            "--node-monitor-period (pkg/controller/nodelifecycle)";
        /// How long a node may go without a renewal of its Lease before it is marked Unknown. Must
        /// exceed the kubelet's renewal interval several times.
        node_monitor_grace_period: Duration = "node-monitor-grace-period",
            |v| Duration::from_secs(if v.kubernetes.at_least(1, 32) { 50 } else { 40 }),
            "--node-monitor-grace-period: 40 s up to 1.31, 50 s since 1.32 (PR 126287)";
        /// How many silent nodes of a zone are tainted a second, and their pods evicted.
        node_eviction_rate: f64 = "node-eviction-rate", |_v| 0.1,
            "--node-eviction-rate (pkg/controller/nodelifecycle)";
        /// The same where a zone of more than `large-cluster-size-threshold` nodes is unhealthy; in
        /// smaller ones nothing is evicted then.
        secondary_node_eviction_rate: f64 = "secondary-node-eviction-rate", |_v| 0.01,
            "--secondary-node-eviction-rate (pkg/controller/nodelifecycle)";
        /// From which share of unready nodes (at least three) a zone is unhealthy.
        unhealthy_zone_threshold: f64 = "unhealthy-zone-threshold", |_v| 0.55,
            "--unhealthy-zone-threshold (pkg/controller/nodelifecycle)";
        /// Up to this many nodes a zone is small.
        large_cluster_size_threshold: u32 = "large-cluster-size-threshold", |_v| 50,
            "--large-cluster-size-threshold (pkg/controller/nodelifecycle)";
        /// Whether nodes that wait to be tainted are queued once more at every pass, so that they take
        /// several turns.
        duplicate_taints: bool = "duplicateTaints", |v| !v.kubernetes.at_least(1, 21),
            "measured, 1.20.2: markNodeForTainting removes from the set and adds again (the release of the fix is an estimate)";
        /// How many requests a second each controller may make in the long run; 0: no limit.
        kube_api_qps: f64 = "kube-api-qps", |_v| 20.0, "--kube-api-qps (component-base config)";
        /// How many it may make at once after a rest.
        kube_api_burst: u32 = "kube-api-burst", |_v| 30, "--kube-api-burst (component-base config)";
        /// From a pod's deletion to the creation of its replacement, the write included.
        sync: Law = "controllerSync", |_v| between(18, 65),
            "measured, 1.20.2: replacements are bound 20-90 ms after the deletion, scheduling included";
    }
}

impl ControllerManagerParams {
    /// What contradicts itself, as the real software treats it.
    pub fn check(&self) -> Vec<Problem> {
        let mut problems = self.election().check();
        if self.node_monitor_period.is_zero() {
            problems.push(Problem {
                field: "node-monitor-period",
                message: "node-monitor-period must be greater than zero".to_owned(),
                help: "the default is 5s".to_owned(),
                fatal: true,
            });
        }
        if self.node_monitor_grace_period <= self.node_monitor_period {
            problems.push(Problem {
                field: "node-monitor-grace-period",
                message: format!(
                    "nodes are looked at every {}, so a grace of {} marks healthy ones",
                    self.node_monitor_period, self.node_monitor_grace_period
                ),
                help: "kubelets renew every 10s; the default is 50s (40s up to 1.31)".to_owned(),
                fatal: false,
            });
        }
        problems.extend(self.check_eviction());
        problems
    }

    fn check_eviction(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut error = |field, message: &str, help: &str| {
            let (message, help) = (message.to_owned(), help.to_owned());
            problems.push(Problem { field, message, help, fatal: true });
        };
        let rates = [
            ("node-eviction-rate", self.node_eviction_rate, "0.1, one node each 10s"),
            ("secondary-node-eviction-rate", self.secondary_node_eviction_rate, "0.01"),
            ("kube-api-qps", self.kube_api_qps, "20"),
        ];
        for (field, rate, default) in rates {
            if !(0.0..=1e6).contains(&rate) {
                let message = format!("`{field}` is a number of times a second, 0 or above");
                error(field, &message, &format!("the default is {default}"));
            }
        }
        if !(0.0..=1.0).contains(&self.unhealthy_zone_threshold) {
            error(
                "unhealthy-zone-threshold",
                "`unhealthy-zone-threshold` is a share, from 0 to 1",
                "the default is 0.55",
            );
        }
        problems
    }

    fn rates(&self) -> Rates {
        Rates {
            normal: gap(self.node_eviction_rate),
            secondary: gap(self.secondary_node_eviction_rate),
            unhealthy_threshold: self.unhealthy_zone_threshold,
            large_cluster: self.large_cluster_size_threshold,
            duplicates: self.duplicate_taints,
        }
    }

    fn pace(&self) -> Pace {
        Pace {
            sync: self.sync.clone(),
            gap: gap(self.kube_api_qps).unwrap_or(Duration::ZERO),
            burst: self.kube_api_burst.max(1),
        }
    }
}

/// From one time to the next at a rate a second; `None`: never.
fn gap(rate: f64) -> Option<Duration> {
    (rate > 0.0).then(|| Duration::from_secs_f64(1.0 / rate)).flatten()
}

/// A kube-controller-manager.
#[derive(Clone, Debug)]
pub struct ControllerManager(Candidate);

impl ControllerManager {
    /// A controller-manager that does not run yet.
    pub fn new(me: ComponentId, params: &ControllerManagerParams, wiring: &Wiring) -> Self {
        let monitoring = Monitoring {
            period: params.node_monitor_period,
            grace: params.node_monitor_grace_period,
            rates: params.rates(),
        };
        let (workloads, nodes) = (&wiring.workloads, &wiring.nodes);
        let monitor = NodeMonitor::new(monitoring, nodes, workloads.objects().collect());
        let controllers = Controllers::new(monitor, workloads, |alarm| {
            let eviction = TaintEviction::new(workloads, nodes, alarm);
            (eviction, Replication::new(workloads, nodes, params.pace(), alarm + 1))
        });
        let work = Work::Controllers(Box::new(controllers));
        Self(Candidate::new(me, params.habits(), wiring, work))
    }
}

impl Component for ControllerManager {
    type Alarm = CandidateAlarm;

    const LOOKS_AT_ALL: bool = Candidate::LOOKS_AT_ALL;

    fn alarms(&self) -> usize {
        self.0.alarms()
    }

    fn watches(&self, map: &Map) -> Vec<ComponentId> {
        self.0.watches(map)
    }

    fn on(
        &mut self,
        cause: Cause<CandidateAlarm>,
        view: &View,
        fx: &mut Effects<CandidateAlarm>,
    ) {
        self.0.on(cause, view, fx);
    }
}

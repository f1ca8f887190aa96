//! kube-controller-manager: a leader-elected instance whose controllers run while it leads, the
//! monitor of nodes among them.
//!
//! It starts its controllers one after the other once it has won, and so works a second later.
//! Absent on purpose: the other controllers' work.

use super::candidate::{Candidate, CandidateAlarm, Habits, between, candidate_params};
use super::lease::{ClientGo, Election, Kubeconfig};
use super::node_monitor::{Monitoring, NodeMonitor};
use crate::component::param::Problem;
use crate::component::{Cause, Component, ComponentId, Effects, Map, View};
use crate::kernel::law::Law;
use crate::kernel::time::Duration;

pub use super::candidate::Wiring;

candidate_params! {
    /// Options of kube-controller-manager.
    pub struct ControllerManagerParams {
        release: |_v| false,
            "kube-controller-manager: ControllerManagerReleaseLeaderElectionLockOnExit is off by default";
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
        problems
    }
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
        };
        let monitor = NodeMonitor::new(monitoring, &wiring.nodes);
        Self(Candidate::new(me, params.habits(), wiring, Some(monitor)))
    }
}

impl Component for ControllerManager {
    type Alarm = CandidateAlarm;

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

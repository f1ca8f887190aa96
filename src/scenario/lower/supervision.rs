//! Who starts the processes of a cluster, and starts them again: kubelets, service managers, nobody.

use super::layout::Layout;
use crate::component::id::{ComponentId, Kind};
use crate::component::map::{ComponentEntry, MachineRole};
use crate::fault::membership;
use crate::kernel::law::Law;
use crate::kernel::time::Duration;
use crate::plan::Restart;
use crate::scenario::raw::Scenario;
use crate::scenario::raw::cluster::{PodSupervision, UnitSupervision};

/// systemd's `RestartSec` where a unit does not say.
const RESTART_SEC: Duration = Duration::from_millis(100);
/// `RestartSec` of kubeadm's kubelet unit.
const KUBELET_RESTART_SEC: Duration = Duration::from_secs(10);
fn on_control_plane(entry: &ComponentEntry, layout: &Layout) -> bool {
    let role = entry.machine.map(|machine| layout.map.machine(machine).role);
    role == Some(MachineRole::ControlPlane)
}

pub(super) fn static_pod(entry: &ComponentEntry, scenario: &Scenario, layout: &Layout) -> bool {
    let unit = matches!(entry.kind, Kind::Kubelet | Kind::Client);
    let kubelet = scenario.cluster.control_plane.params.supervision == PodSupervision::Kubelet;
    kubelet && !unit && on_control_plane(entry, layout)
}

pub(super) fn restart(entry: &ComponentEntry, scenario: &Scenario, layout: &Layout) -> Restart {
    let cluster = &scenario.cluster;
    let systemd = UnitSupervision::Systemd;
    let wait = match entry.kind {
        _ if entry.kind != Kind::Kubelet && on_control_plane(entry, layout) => None,
        Kind::Kubelet => {
            let worker = entry.machine.is_some_and(|machine| layout.workers.contains(&machine));
            let systemd = !worker || cluster.workers.params.supervision == systemd;
            systemd.then_some(KUBELET_RESTART_SEC)
        }
        Kind::Etcd => (cluster.etcd.params.supervision == systemd).then_some(RESTART_SEC),
        Kind::LoadBalancer => {
            (cluster.balancers.params.supervision == systemd).then_some(RESTART_SEC)
        }
        _ => None,
    };
    wait.map_or(Restart::Never, Restart::Always)
}

/// The processes that wait until their machine is joined: etcd members beyond the first, and where
/// etcd is stacked the control plane beside them.
pub(super) fn unjoined(scenario: &Scenario, layout: &Layout) -> Vec<ComponentId> {
    let waiting = layout.etcd.iter().skip(scenario.cluster.initial_members() as usize);
    let joins = |kind: Kind| kind == Kind::Etcd || membership::BESIDE.contains(&kind);
    let there = waiting.flat_map(|machine| layout.map.on_machine(*machine));
    there.filter(|id| joins(layout.map.component(*id).kind)).collect()
}

/// How long each process takes to get to its SIGTERM.
pub(super) fn signals(scenario: &Scenario, layout: &Layout) -> Vec<Law> {
    let kinds = &scenario.cluster.kinds;
    let law = |entry: &ComponentEntry| {
        let own = match entry.kind {
            Kind::Scheduler => kinds.scheduler.of(&entry.name).params.shutdown.clone(),
            Kind::ControllerManager => {
                kinds.controller_manager.of(&entry.name).params.shutdown.clone()
            }
            Kind::Etcd => Some(kinds.etcd.of(&entry.name).params.signal_delay.clone()),
            Kind::Keepalived => Some(kinds.keepalived.of(&entry.name).params.signal_delay.clone()),
            _ => None,
        };
        own.unwrap_or(Law::Fixed(Duration::ZERO))
    };
    layout.map.components().map(|(_, entry)| law(entry)).collect()
}

//! Workloads, where their pods may run, and where they run at the beginning: spread evenly.

use super::layout::Layout;
use crate::component::fact::{Fact, WorkloadFact};
use crate::component::id::MachineId;
use crate::components::workload::{Controller, Shared, Workload, Workloads};
use crate::kernel::time::{Duration, Time};
use crate::scenario::raw::Scenario;
use crate::scenario::raw::workload::{KindWord, ManagementWord, Workload as Raw};
use std::sync::Arc;

/// The workloads of a scenario.
pub(super) fn workloads(scenario: &Scenario, layout: &Layout) -> Shared {
    let open = open_machines(scenario, layout);
    let map = &layout.map;
    let node = |machine: MachineId| {
        let node = map.find_component(&format!("node/{}", map.machine(machine).name));
        node.map(|node| (machine, node))
    };
    let all = scenario.workloads.iter().zip(&layout.workloads);
    let all = all.map(|(raw, object)| Workload { object: *object, ..workload(scenario, raw) });
    Arc::new(Workloads { all: all.collect(), nodes: open.into_iter().filter_map(node).collect() })
}

/// The machines that user pods may run on.
pub(super) fn open_machines(scenario: &Scenario, layout: &Layout) -> Vec<MachineId> {
    let schedulable = scenario.cluster.control_plane.params.schedulable;
    let control_plane = layout.control_plane.iter().filter(|_| schedulable);
    layout.workers.iter().chain(control_plane).copied().collect()
}

fn workload(scenario: &Scenario, raw: &Raw) -> Workload {
    let options = &raw.section.params;
    let server = &scenario.cluster.kinds.api_server.base.params;
    let added = |seconds: u32| Some(Duration::from_secs(u64::from(seconds)));
    let toleration = |default| match options.toleration {
        Some(toleration) => toleration.span(),
        None => added(default),
    };
    Workload {
        object: crate::component::ComponentId(0),
        name: raw.name.clone(),
        controller: match options.kind {
            KindWord::Deployment => Controller::Deployment,
            KindWord::StatefulSet => Controller::StatefulSet,
            KindWord::Pod => Controller::Bare,
        },
        replicas: options.replicas,
        not_ready: toleration(server.default_not_ready_toleration),
        unreachable: toleration(server.default_unreachable_toleration),
        ordered: options.management == ManagementWord::OrderedReady,
        image_pull: options.image_pull.clone(),
        start: options.start.clone(),
        stop: options.stop.clone(),
        grace: Duration::from_secs(u64::from(options.grace)),
    }
}

/// What the API knows of each workload at the beginning: its pods have been running for long, each on
/// the next of the nodes in turn.
pub(super) fn objects(workloads: &Workloads) -> Vec<Fact> {
    let mut nodes = workloads.nodes.iter().map(|(machine, _)| *machine).cycle();
    let mut fact = |workload: &Workload| {
        let mut pods = WorkloadFact::default();
        for _ in 0..workload.replicas {
            pods.create(None, Time::ZERO);
        }
        for pod in &mut pods.pods {
            pod.node = nodes.next();
            pod.started = pod.node.map(|_| Time::ZERO);
            pod.ready = pod.node.is_some();
        }
        Fact::Workload(pods)
    };
    workloads.all.iter().map(&mut fact).collect()
}

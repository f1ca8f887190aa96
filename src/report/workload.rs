//! Pods in words: what became of them at once, told together.

use super::style::Tone;
use super::words::Said;
use crate::component::id::{ComponentId, MachineId};
use crate::component::workload::{Pod, WorkloadFact};
use crate::components::workload::Workload;
use crate::plan::Plan;

/// The most pods that one line names.
const NAMED_MAX: usize = 3;

/// What happened to one pod.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Ready,
    NotReady,
    Deleted,
    Gone,
    Created,
    Bound(MachineId),
}

/// The workload of an object.
pub fn of_object(plan: &Plan, object: ComponentId) -> Option<&Workload> {
    plan.workloads.all.iter().find(|workload| workload.object == object)
}

/// A change of a workload's pods.
pub fn change(plan: &Plan, of: ComponentId, from: &WorkloadFact, to: &WorkloadFact) -> Said {
    let workload = of_object(plan, of)?;
    if to.gone {
        let count = from.pods.len();
        let what = format!("gone from the store, with {count} pods");
        return (!from.gone).then_some((what, Tone::Bad));
    }
    let mut steps: Vec<(Step, u32)> = Vec::new();
    for pod in &to.pods {
        let before = from.pods.iter().find(|old| old.uid == pod.uid);
        steps.extend(step(before, pod).map(|step| (step, pod.number)));
    }
    let gone = from.pods.iter().filter(|old| !to.pods.iter().any(|pod| pod.uid == old.uid));
    steps.extend(gone.map(|pod| (Step::Gone, pod.number)));
    steps.sort_unstable();
    let mut said = Vec::new();
    let mut rest = steps.as_slice();
    while let Some((step, _)) = rest.first() {
        let count = rest.iter().take_while(|(other, _)| other == step).count();
        let numbers: Vec<u32> = rest[..count].iter().map(|(_, number)| *number).collect();
        said.push(format!("{} {}", names(workload, &numbers), words(plan, *step)));
        rest = &rest[count..];
    }
    let tone = match steps.first()?.0 {
        Step::Ready => Tone::Good,
        Step::NotReady | Step::Deleted => Tone::Bad,
        _ => Tone::Plain,
    };
    Some((said.join(", "), tone))
}

fn step(before: Option<&Pod>, pod: &Pod) -> Option<Step> {
    let Some(before) = before else { return Some(Step::Created) };
    match (before.node, pod.node) {
        _ if before.deleted != pod.deleted => Some(Step::Deleted),
        (None, Some(node)) => Some(Step::Bound(node)),
        _ if before.ready == pod.ready => None,
        _ if pod.ready => Some(Step::Ready),
        _ => Some(Step::NotReady),
    }
}

fn names(workload: &Workload, numbers: &[u32]) -> String {
    if numbers.len() > NAMED_MAX {
        return format!("{} pods", numbers.len());
    }
    let names: Vec<String> = numbers.iter().map(|number| workload.pod_name(*number)).collect();
    names.join(", ")
}

fn words(plan: &Plan, step: Step) -> String {
    match step {
        Step::Ready => "Ready".to_owned(),
        Step::NotReady => "not Ready".to_owned(),
        Step::Deleted => "Terminating".to_owned(),
        Step::Gone => "gone".to_owned(),
        Step::Created => "created".to_owned(),
        Step::Bound(node) => format!("bound to {}", plan.map.machine(node).name),
    }
}

/// `STATUS` of a pod as kubectl prints it: by what the API knows, right or wrong.
pub fn status(pod: &Pod) -> &'static str {
    match (pod.deleted, pod.node, pod.started) {
        (Some(_), ..) => "Terminating",
        (_, None, _) => "Pending",
        (_, _, None) => "ContainerCreating",
        _ => "Running",
    }
}

//! Laws of pods: none is lost, none is there twice, none moves.

use super::case::Case;
use super::invariants::{Law, Violation};
use crate::component::fact::{Fact, WorkloadFact};
use crate::component::workload::Pod;
use crate::components::workload::{Controller, Workload};
use crate::kernel::time::Time;

/// What is broken of the laws of pods.
pub(super) fn violations(case: &Case) -> Vec<Violation> {
    let mut found = Vec::new();
    for workload in &case.plan.workloads.all {
        let changes = case.history.facts().filter(|change| change.of == workload.object);
        for change in changes {
            let (Fact::Workload(from), Fact::Workload(to)) = (change.from, change.to) else {
                continue;
            };
            found.extend(twice(workload, to, change.at));
            // A store that has lost its data has lost the workload with them.
            if !to.gone {
                found.extend(lost(workload, from, to, change.at));
            }
        }
    }
    found
}

/// A StatefulSet has each ordinal once, whether its pod runs, starts or is being deleted.
fn twice(workload: &Workload, fact: &WorkloadFact, at: Time) -> Option<Violation> {
    let mut numbers: Vec<u32> = fact.pods.iter().map(|pod| pod.number).collect();
    numbers.sort_unstable();
    let stateful = workload.controller == Controller::StatefulSet;
    let pair = numbers.windows(2).find(|pair| stateful && pair[0] == pair[1])?;
    let what = format!("{} is there twice", workload.pod_name(pair[0]));
    Some(Violation { law: Law::OnePodPerOrdinal, at, what })
}

/// Pods appear unbound, are bound once, and vanish only after they were deleted; no controller has
/// more of them than are desired.
fn lost(
    workload: &Workload,
    from: &WorkloadFact,
    to: &WorkloadFact,
    at: Time,
) -> Option<Violation> {
    let name = |pod: &Pod| workload.pod_name(pod.number);
    let after = |pod: &Pod| to.pods.iter().find(|new| new.uid == pod.uid);
    let broken = from.pods.iter().find_map(|old| match after(old) {
        None if old.is_active() => Some(format!("{} vanished without a deletion", name(old))),
        Some(new) if old.node.is_some() && new.node != old.node => {
            Some(format!("{} moved", name(old)))
        }
        Some(new) if !old.is_active() && new.is_active() => {
            Some(format!("{} was deleted and is not", name(old)))
        }
        _ => None,
    });
    let homeless = || to.pods.iter().find(|pod| pod.ready && pod.node.is_none());
    let desired = usize::try_from(workload.replicas).unwrap_or(usize::MAX);
    let what = broken
        .or_else(|| homeless().map(|pod| format!("{} is ready nowhere", name(pod))))
        .or_else(|| {
        let active = to.active().count();
        (active > desired).then(|| format!("{active} pods of {} desired", workload.replicas))
    })?;
    Some(Violation { law: Law::PodsAreConserved, at, what })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::{ComponentId, MachineId};
    use crate::kernel::law::Law as Delay;
    use crate::kernel::time::Duration;

    fn workload(controller: Controller) -> Workload {
        let soon = Delay::Fixed(Duration::ZERO);
        Workload {
            object: ComponentId(0),
            name: "db".to_owned(),
            controller,
            replicas: 2,
            not_ready: None,
            unreachable: None,
            ordered: true,
            image_pull: soon.clone(),
            start: soon.clone(),
            stop: soon,
            grace: Duration::ZERO,
        }
    }

    fn two() -> WorkloadFact {
        let mut fact = WorkloadFact::default();
        fact.create(None, Time::START);
        fact.create(None, Time::START);
        fact.pods[0].node = Some(MachineId(3));
        fact
    }

    /// Law: each way to lose or to double a pod is found, and what controllers do is not.
    #[test]
    fn broken_laws_are_found() {
        let (db, at) = (workload(Controller::StatefulSet), Time::START);
        let said = |change: fn(&mut WorkloadFact)| {
            let mut to = two();
            change(&mut to);
            let found = lost(&db, &two(), &to, at).or_else(|| twice(&db, &to, at));
            found.map(|violation| violation.what)
        };
        assert_eq!(said(|_| {}), None);
        assert_eq!(said(|to| to.pods[1].node = Some(MachineId(4))), None);
        assert_eq!(said(|to| to.pods[0].deleted = Some(Time::START)), None);
        let vanished = said(|to| to.pods.truncate(0));
        assert_eq!(vanished.as_deref(), Some("db-0 vanished without a deletion"));
        let moved = said(|to| to.pods[0].node = Some(MachineId(4)));
        assert_eq!(moved.as_deref(), Some("db-0 moved"));
        let nowhere = said(|to| to.pods[1].ready = true);
        assert_eq!(nowhere.as_deref(), Some("db-1 is ready nowhere"));
        let surplus = said(|to| to.create(None, Time::START));
        assert_eq!(surplus.as_deref(), Some("3 pods of 2 desired"));
        let twice = said(|to| {
            to.pods[0].deleted = Some(Time::START);
            to.create(Some(0), Time::START);
        });
        assert_eq!(twice.as_deref(), Some("db-0 is there twice"));
    }
}

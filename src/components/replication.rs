//! The part of kube-controller-manager that keeps up the number of pods: the ReplicaSet and the
//! StatefulSet controllers, and the collection of pods that nobody can confirm to be gone.
//!
//! A ReplicaSet does not count pods that are being deleted, so it replaces them at once. A StatefulSet
//! waits until a pod is gone, which on a dead node never happens: unless an operator declares the node
//! out of service, or it returns.
//!
//! Absent on purpose: rollouts, scaling, and surplus pods of two controller-managers that act at once
//! (each create looks at the API once more).

use super::candidate::CandidateAlarm;
use super::lease::{FREE_DRAW, Path};
use super::workload::{Controller, Shared};
use crate::component::fact::{Condition, Fact, WorkloadFact};
use crate::component::{Blame, ComponentId, Effects, MachineId, View};
use crate::kernel::cadence::Cadence;
use crate::kernel::law::Law;
use crate::kernel::time::{Duration, Time};

/// Purpose of the draws for how long a controller takes to notice and to create.
const SYNC_DRAW: u32 = FREE_DRAW + 6;

/// How often pods are collected. Kubernetes: podgc `gcCheckPeriod`.
const COLLECTION: Duration = Duration::from_secs(20);

/// How fast the controllers work.
#[derive(Clone, Debug, PartialEq)]
pub struct Pace {
    /// From a change to the first pod created because of it, the write included.
    pub sync: Law,
    /// Between two creations in the long run; zero: no limit.
    pub gap: Duration,
    /// How many may be made at once after a rest.
    pub burst: u32,
}

/// A client's limit on its requests: a bucket of tokens, as the instant at which it is full again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bucket {
    full: Time,
}

impl Bucket {
    /// How many requests may be made at `now`, at most `wanted`; they are taken.
    fn take(&mut self, pace: &Pace, wanted: u32, now: Time) -> u32 {
        if pace.gap.is_zero() {
            return wanted;
        }
        let mut taken = 0;
        while taken < wanted && self.next(pace) <= now {
            self.full = self.full.max(now) + pace.gap;
            taken += 1;
        }
        taken
    }

    /// When the next request may be made.
    fn next(self, pace: &Pace) -> Time {
        self.full - pace.gap * u64::from(pace.burst.saturating_sub(1))
    }
}

/// The controllers of one instance.
#[derive(Clone, Debug)]
pub struct Replication {
    workloads: Shared,
    nodes: Vec<(ComponentId, ComponentId)>,
    pace: Pace,
    bucket: Bucket,
    acting: bool,
    /// When each workload's controller creates its next pods.
    planned: Vec<Option<Time>>,
    collections: Option<Cadence>,
    collection: Option<Time>,
    /// The number of its first alarm.
    alarm: usize,
}

type Fx<'a, 'b> = &'a mut Effects<'b, CandidateAlarm>;

impl Replication {
    /// Controllers that do not act yet; `alarm`: the number of their first alarm.
    pub fn new(
        workloads: &Shared,
        nodes: &[(ComponentId, ComponentId)],
        pace: Pace,
        alarm: usize,
    ) -> Self {
        Self {
            workloads: workloads.clone(),
            nodes: nodes.to_vec(),
            pace,
            bucket: Bucket { full: Time::ZERO },
            acting: false,
            planned: vec![None; workloads.all.len()],
            collections: None,
            collection: None,
            alarm,
        }
    }

    /// How many alarms they need: one for each workload, and one for the collection.
    pub fn alarms(&self) -> usize {
        self.workloads.all.len() + 1
    }

    /// The instance begins to act, or has been acting for long.
    pub(super) fn begin(&mut self, path: &Path, view: &View, fx: Fx) {
        self.acting = true;
        let phase = fx.draw(SYNC_DRAW).uniform_duration(Duration::ZERO, COLLECTION);
        self.collections = Some(Cadence::new(view.now + phase, COLLECTION));
        self.look(path, view, fx);
    }

    /// The process is gone.
    pub(super) fn end(&mut self) {
        self.acting = false;
        self.planned.fill(None);
        self.collections = None;
        self.collection = None;
        self.bucket = Bucket { full: Time::ZERO };
    }

    /// A workload, a node or the path to the API has changed.
    pub(super) fn look(&mut self, path: &Path, view: &View, fx: Fx) {
        if !self.acting || !path.look(view).write.works() {
            return;
        }
        for number in 0..self.planned.len() {
            self.plan(number, view, fx);
        }
        self.plan_collection(view, fx);
    }

    /// How many pods a workload's controller would create now.
    fn missing(&self, number: usize, view: &View) -> u32 {
        let workload = &self.workloads.all[number];
        let Some(pods) = view.workload(workload.object).filter(|pods| !pods.gone) else { return 0 };
        match workload.controller {
            Controller::Bare => 0,
            Controller::Deployment => {
                let active = u32::try_from(pods.active().count()).unwrap_or(u32::MAX);
                workload.replicas.saturating_sub(active)
            }
            Controller::StatefulSet => u32::from(self.next_ordinal(number, pods).is_some()),
        }
    }

    /// The ordinal that a StatefulSet creates next: the first that is missing; an ordered one waits
    /// for those before it.
    fn next_ordinal(&self, number: usize, pods: &WorkloadFact) -> Option<u32> {
        let workload = &self.workloads.all[number];
        for ordinal in 0..workload.replicas {
            match pods.pods.iter().find(|pod| pod.number == ordinal) {
                None => return Some(ordinal),
                Some(pod) if workload.ordered && !(pod.ready && pod.is_active()) => return None,
                Some(_) => {}
            }
        }
        None
    }

    fn plan(&mut self, number: usize, view: &View, fx: Fx) {
        let alarm = CandidateAlarm::work(self.alarm + number);
        if self.missing(number, view) == 0 {
            if self.planned[number].take().is_some() {
                fx.clear(alarm);
            }
        } else if self.planned[number].is_none() {
            let sync = self.pace.sync.sample(&mut fx.draw(SYNC_DRAW));
            self.plan_at(number, sync, view, fx);
        }
    }

    fn plan_at(&mut self, number: usize, sync: Duration, view: &View, fx: Fx) {
        let noticed = view.now + sync;
        let at = noticed.max(self.bucket.next(&self.pace));
        self.planned[number] = Some(at);
        let ends = [("controller sync", noticed), ("kube-api-qps", at)];
        let alarm = CandidateAlarm::work(self.alarm + number);
        fx.set(alarm, at, Blame::stretches(view.now, &ends));
    }

    /// The alarm of this number is due.
    pub(super) fn ring(&mut self, number: usize, path: &Path, view: &View, fx: Fx) {
        let works = path.look(view).write.works();
        if number == self.planned.len() {
            self.collection = None;
            if works {
                self.collect(view, fx);
            }
        } else {
            self.planned[number] = None;
            if works {
                self.create(number, view, fx);
            }
        }
    }

    fn create(&mut self, number: usize, view: &View, fx: Fx) {
        let missing = self.missing(number, view);
        let count = self.bucket.take(&self.pace, missing, view.now);
        let workload = &self.workloads.all[number];
        let Some(known) = view.workload(workload.object) else { return };
        let mut new = known.clone();
        for _ in 0..count {
            let ordinal = self.next_ordinal(number, &new);
            let stateful = workload.controller == Controller::StatefulSet;
            new.create(ordinal.filter(|_| stateful), view.now);
        }
        if count > 0 {
            fx.commit(workload.object, Fact::Workload(new));
        }
        if missing > count {
            self.plan_at(number, Duration::ZERO, view, fx);
        }
    }

    /// The machines whose pods are collected: declared out of service, and silent.
    fn abandoned(&self, view: &View) -> Vec<MachineId> {
        let gone = self.nodes.iter().filter(|(_, node)| {
            view.node(*node).is_some_and(|n| n.out_of_service && n.ready != Condition::True)
        });
        gone.filter_map(|(kubelet, _)| view.map().machine_of(*kubelet)).collect()
    }

    fn stuck(pods: &WorkloadFact, machines: &[MachineId]) -> bool {
        pods.pods.iter().any(|pod| is_stuck(pod, machines))
    }

    fn plan_collection(&mut self, view: &View, fx: Fx) {
        let Some(collections) = self.collections.filter(|_| self.collection.is_none()) else {
            return;
        };
        let machines = self.abandoned(view);
        let mut objects = self.workloads.objects().filter_map(|object| view.workload(object));
        if !machines.is_empty() && objects.any(|pods| Self::stuck(pods, &machines)) {
            let at = collections.first_after(view.now);
            self.collection = Some(at);
            let alarm = CandidateAlarm::work(self.alarm + self.planned.len());
            fx.set(alarm, at, Blame::of("pod collection", at.since(view.now)));
        }
    }

    fn collect(&self, view: &View, fx: Fx) {
        let machines = self.abandoned(view);
        for object in self.workloads.objects() {
            let Some(known) = view.workload(object).filter(|p| Self::stuck(p, &machines)) else {
                continue;
            };
            let mut new = known.clone();
            new.pods.retain(|pod| !is_stuck(pod, &machines));
            fx.commit(object, Fact::Workload(new));
        }
    }
}

/// Whether a pod is being deleted on one of these machines.
fn is_stuck(pod: &crate::component::workload::Pod, machines: &[MachineId]) -> bool {
    !pod.is_active() && pod.node.is_some_and(|node| machines.contains(&node))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law: 500 pods at 20 a second with a burst of 30 take 23.5 s: those beyond the burst come one
    /// each 50 ms.
    #[test]
    fn creations_are_limited() {
        let sync = Law::Fixed(Duration::ZERO);
        let pace = Pace { sync, gap: Duration::from_millis(50), burst: 30 };
        let mut bucket = Bucket { full: Time::ZERO };
        let mut now = Time::START;
        let mut left = 500 - bucket.take(&pace, 500, now);
        assert_eq!(left, 470);
        while left > 0 {
            now = bucket.next(&pace);
            left -= bucket.take(&pace, left, now);
        }
        assert_eq!(now.since(Time::START), Duration::from_millis(23_500));
    }
}

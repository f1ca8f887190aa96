//! The part of kube-scheduler that binds pods to nodes, one after the other in the order of their
//! creation.
//!
//! It prefers the node with the fewest pods of the same workload, then with the fewest of all, then any.
//! A pod that fits nowhere waits until the nodes change, and for a back-off of 1 s that doubles to 10 s;
//! it costs no event meanwhile.
//!
//! Absent on purpose: resources, affinities, priorities, volumes.

use super::candidate::CandidateAlarm;
use super::lease::{FREE_DRAW, Path};
use super::workload::Shared;
use crate::component::fact::{Condition, Fact, WorkloadFact};
use crate::component::record::Record;
use crate::component::{Blame, Effects, MachineId, View};
use crate::kernel::law::Law;
use crate::kernel::time::{Duration, Time};
use std::collections::BTreeMap;

/// Purpose of the draws for how long a cycle takes.
const CYCLE_DRAW: u32 = FREE_DRAW + 2;
/// Purpose of the draws among equal nodes.
const NODE_DRAW: u32 = FREE_DRAW + 3;

/// First back-off of an unschedulable pod, and the longest. kube-scheduler: `podInitialBackoffSeconds`
/// 1, `podMaxBackoffSeconds` 10.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(10));

/// A pod by its workload and uid.
type PodKey = (usize, u32);

/// A pod that fitted nowhere.
#[derive(Clone, Debug)]
struct Refused {
    /// The nodes that were open then.
    among: Vec<MachineId>,
    /// Until when it is not tried again.
    until: Time,
    backoff: Duration,
}

/// The binding of one instance.
#[derive(Clone, Debug)]
pub struct Binder {
    workloads: Shared,
    /// How long one cycle takes, the write included.
    cycle: Law,
    acting: bool,
    /// The pod whose cycle is under way.
    planned: Option<PodKey>,
    refused: BTreeMap<PodKey, Refused>,
}

type Fx<'a, 'b> = &'a mut Effects<'b, CandidateAlarm>;

impl Binder {
    /// A binder that does not act yet.
    pub fn new(workloads: &Shared, cycle: Law) -> Self {
        let workloads = workloads.clone();
        Self { workloads, cycle, acting: false, planned: None, refused: BTreeMap::new() }
    }

    /// The instance begins to act, or has been acting for long.
    pub(super) fn begin(&mut self, path: &Path, view: &View, fx: Fx) {
        self.acting = true;
        self.look(path, view, fx);
    }

    /// The process is gone.
    pub(super) fn end(&mut self) {
        self.acting = false;
        self.planned = None;
        self.refused.clear();
    }

    /// The nodes that take new pods.
    fn open(&self, view: &View) -> Vec<MachineId> {
        let takes = |node| {
            view.node(node).is_some_and(|n| {
                let taints = n.no_schedule || n.no_execute.is_some() || n.out_of_service;
                n.ready == Condition::True && !taints
            })
        };
        let nodes = self.workloads.nodes.iter().filter(|(_, node)| takes(*node));
        nodes.map(|(machine, _)| *machine).collect()
    }

    /// Pods that wait for a node, oldest first.
    fn waiting(&self, view: &View) -> Vec<PodKey> {
        let mut waiting: Vec<(Time, PodKey)> = Vec::new();
        for (number, workload) in self.workloads.all.iter().enumerate() {
            let pods = view.workload(workload.object).into_iter().flat_map(WorkloadFact::active);
            let unbound = pods.filter(|pod| pod.node.is_none());
            waiting.extend(unbound.map(|pod| (pod.created, (number, pod.uid))));
        }
        waiting.sort_unstable();
        waiting.into_iter().map(|(_, key)| key).collect()
    }

    /// When a pod may be tried.
    fn eligible(&self, key: PodKey, open: &[MachineId], now: Time) -> Option<Time> {
        match self.refused.get(&key) {
            None => Some(now),
            Some(refused) if refused.among != open => Some(refused.until.max(now)),
            Some(_) => None,
        }
    }

    /// The pod to be tried next, and when.
    fn next(&self, view: &View) -> Option<(Time, PodKey)> {
        let open = self.open(view);
        let tried = self.waiting(view).into_iter();
        let tried = tried.filter_map(|key| Some((self.eligible(key, &open, view.now)?, key)));
        tried.min_by_key(|(at, _)| *at)
    }

    /// A workload, a node or the path to the API has changed.
    pub(super) fn look(&mut self, path: &Path, view: &View, fx: Fx) {
        if !self.acting || self.planned.is_some() || !path.look(view).write.works() {
            return;
        }
        let Some((from, key)) = self.next(view) else { return };
        let cycle = self.cycle.sample(&mut fx.draw(CYCLE_DRAW));
        let at = from + cycle;
        self.planned = Some(key);
        let ends = [("scheduling back-off", from), ("scheduling cycle", at)];
        fx.set(CandidateAlarm::work(0), at, Blame::stretches(view.now, &ends));
    }

    /// A cycle is over: its pod is bound, or found to fit nowhere.
    pub(super) fn ring(&mut self, path: &Path, view: &View, fx: Fx) {
        let thought = self.planned.take();
        if !path.look(view).write.works() {
            return;
        }
        if thought.is_some_and(|key| self.is_bound(key, view)) {
            fx.record(Record::BindingConflict);
            self.look(path, view, fx);
            return;
        }
        let next = self.next(view).filter(|(at, _)| *at <= view.now);
        let bound = next.is_some_and(|(_, key)| self.place(key, view, fx));
        // What was bound is seen when it has been written.
        if !bound {
            self.look(path, view, fx);
        }
    }

    /// Whether a pod has a node, and was not deleted.
    fn is_bound(&self, (number, uid): PodKey, view: &View) -> bool {
        let pods = view.workload(self.workloads.all[number].object);
        let mut active = pods.into_iter().flat_map(WorkloadFact::active);
        active.any(|pod| pod.uid == uid && pod.node.is_some())
    }

    /// Binds a pod; returns whether it fitted anywhere.
    fn place(&mut self, key: PodKey, view: &View, fx: Fx) -> bool {
        let (number, uid) = key;
        let open = self.open(view);
        let Some(machine) = self.choose(number, &open, view, fx) else {
            let before = self.refused.get(&key).map(|refused| refused.backoff * 2);
            let backoff = before.unwrap_or(BACKOFF.0).min(BACKOFF.1);
            let until = view.now + backoff;
            self.refused.insert(key, Refused { among: open, until, backoff });
            return false;
        };
        self.refused.remove(&key);
        let object = self.workloads.all[number].object;
        let Some(mut pods) = view.workload(object).cloned() else { return false };
        if let Some(pod) = pods.pod_mut(uid) {
            pod.node = Some(machine);
        }
        fx.commit(object, Fact::Workload(pods));
        true
    }

    fn choose(&self, number: usize, open: &[MachineId], view: &View, fx: Fx) -> Option<MachineId> {
        let on = |object, machine| {
            view.workload(object)
                .map_or(0, |fact| fact.on(machine).filter(|p| p.is_active()).count())
        };
        let object = self.workloads.all[number].object;
        let load = |machine: MachineId| {
            let all: usize = self.workloads.objects().map(|object| on(object, machine)).sum();
            (on(object, machine), all)
        };
        let least = open.iter().map(|machine| load(*machine)).min()?;
        let best: Vec<MachineId> =
            open.iter().copied().filter(|machine| load(*machine) == least).collect();
        let drawn = fx.draw(NODE_DRAW).below(best.len() as u64);
        best.get(usize::try_from(drawn).unwrap_or(0)).copied()
    }
}

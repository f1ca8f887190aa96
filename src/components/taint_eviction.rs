//! The part of kube-controller-manager that evicts pods: it deletes the pods of a node with a
//! `NoExecute` taint when they have tolerated it for long enough.
//!
//! The time begins when this instance first sees the taint, so that a new leader starts every count
//! anew. Pods that may stay cost no event: one alarm, at the next deletion, serves all nodes. (It is
//! part of the node lifecycle controller in older releases and a controller of its own since 1.29, with
//! the same timing.)
//!
//! Absent on purpose: disruption budgets, which this kind of eviction does not ask, and the end of a
//! deleted pod, which only its kubelet can confirm.

use super::candidate::CandidateAlarm;
use super::lease::{FREE_DRAW, Path};
use super::workload::Shared;
use crate::component::fact::{Fact, NodeFact, Taint};
use crate::component::workload::Pod;
use crate::component::{Blame, ComponentId, Effects, EventId, MachineId, View};
use crate::kernel::time::{Duration, Time};

/// Purpose of the draws for how long a deletion takes.
const DELETE_DRAW: u32 = FREE_DRAW + 5;

/// From the end of the toleration to the deletion. Measured, 1.20.2: 10-34 ms.
const DELETION: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(34));

const TOLERATION: &str = "tolerationSeconds";

/// A node with a taint that evicts.
#[derive(Clone, Copy, Debug)]
struct Tainted {
    /// When this instance saw the taint first.
    since: Time,
    event: EventId,
    /// How long each deletion takes.
    deletion: Duration,
}

/// The eviction of one instance.
#[derive(Clone, Debug)]
pub struct TaintEviction {
    workloads: Shared,
    /// Each node: its machine's kubelet and its object.
    nodes: Vec<(ComponentId, ComponentId)>,
    tainted: Vec<Option<Tainted>>,
    acting: bool,
    planned: Option<Time>,
    /// The number of its alarm.
    alarm: usize,
}

type Fx<'a, 'b> = &'a mut Effects<'b, CandidateAlarm>;

impl TaintEviction {
    /// An eviction that does not act yet; `alarm`: the number of its only alarm.
    pub fn new(workloads: &Shared, nodes: &[(ComponentId, ComponentId)], alarm: usize) -> Self {
        Self {
            workloads: workloads.clone(),
            nodes: nodes.to_vec(),
            tainted: vec![None; nodes.len()],
            acting: false,
            planned: None,
            alarm,
        }
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
        self.tainted.fill(None);
    }

    /// A node, a workload or the path to the API has changed.
    pub(super) fn look(&mut self, path: &Path, view: &View, fx: Fx) {
        if !self.acting || !path.look(view).write.works() {
            return;
        }
        for (number, (_, node)) in self.nodes.iter().enumerate() {
            let fact = view.node(*node).copied().unwrap_or_default();
            if !(fact.no_execute.is_some() || fact.out_of_service) {
                self.tainted[number] = None;
            } else if self.tainted[number].is_none() {
                let deletion = fx.draw(DELETE_DRAW).uniform_duration(DELETION.0, DELETION.1);
                self.tainted[number] =
                    Some(Tainted { since: view.now, event: fx.event(), deletion });
            }
        }
        self.plan(view, fx);
    }

    /// When a workload's pods on a node are to be deleted, and how long they tolerate it.
    fn due(&self, number: usize, workload: usize, view: &View) -> Option<(Time, Duration)> {
        let tainted = self.tainted[number]?;
        let (kubelet, node) = self.nodes[number];
        let workload = &self.workloads.all[workload];
        let fact = view.node(node).copied().unwrap_or_default();
        let toleration = toleration(fact, |taint| workload.tolerates(taint))?;
        let machine = view.map().machine_of(kubelet)?;
        let pods = view.workload(workload.object)?;
        let any = pods.on(machine).any(Pod::is_active);
        any.then_some((tainted.since + toleration + tainted.deletion, toleration))
    }

    fn plan(&mut self, view: &View, fx: Fx) {
        let pairs = (0..self.nodes.len())
            .filter(|number| self.tainted[*number].is_some())
            .flat_map(|number| (0..self.workloads.all.len()).map(move |w| (number, w)));
        let next = pairs
            .filter_map(|(number, w)| Some((self.due(number, w, view)?, number)))
            .min_by_key(|((at, _), number)| (*at, *number));
        let Some(((at, toleration), number)) = next else {
            if self.planned.take().is_some() {
                fx.clear(CandidateAlarm::work(self.alarm));
            }
            return;
        };
        let at = at.max(view.now);
        let Some(tainted) = self.tainted[number].filter(|_| self.planned != Some(at)) else {
            return;
        };
        self.planned = Some(at);
        let over = tainted.since + toleration;
        let ends = [(TOLERATION, over), ("deletion", over + tainted.deletion), ("API path", at)];
        let blame = Blame::stretches(tainted.since, &ends).since(tainted.event);
        fx.set(CandidateAlarm::work(self.alarm), at, blame);
    }

    /// Pods whose time is over are deleted; so is what else is due by now.
    pub(super) fn ring(&mut self, path: &Path, view: &View, fx: Fx) {
        self.planned = None;
        if !path.look(view).write.works() {
            return;
        }
        for workload in 0..self.workloads.all.len() {
            let over = (0..self.nodes.len()).filter(|number| {
                self.due(*number, workload, view).is_some_and(|d| d.0 <= view.now)
            });
            let machines: Vec<MachineId> =
                over.filter_map(|number| view.map().machine_of(self.nodes[number].0)).collect();
            let object = self.workloads.all[workload].object;
            let Some(known) = view.workload(object).filter(|_| !machines.is_empty()) else {
                continue;
            };
            let mut new = known.clone();
            let there = |node: Option<MachineId>| node.is_some_and(|node| machines.contains(&node));
            for pod in new.pods.iter_mut().filter(|pod| there(pod.node) && pod.deleted.is_none()) {
                pod.deleted = Some(view.now);
            }
            fx.commit(object, Fact::Workload(new));
        }
    }
}

/// How long the taints of a node are tolerated; `None`: for ever. Nobody tolerates `out-of-service`.
fn toleration(node: NodeFact, tolerates: impl Fn(Taint) -> Option<Duration>) -> Option<Duration> {
    if node.out_of_service {
        return Some(Duration::ZERO);
    }
    tolerates(node.no_execute?)
}

//! The part of kube-controller-manager that watches the nodes: marks a node's Ready condition Unknown
//! when its Lease has not been renewed for a grace period, and then has it tainted, as fast as the
//! state of its zone allows.
//!
//! Passes over the nodes are never simulated. A pass that first sees a newer renewal starts the node's
//! grace anew; so the pass at which a silent node flips follows by arithmetic, and a node has an alarm
//! only while it is silent. A new leader knows of no earlier renewals: its first pass starts the grace
//! of every node.
//!
//! Absent on purpose: what follows from a taint (see `taint_eviction`); renewals and the way back to
//! Ready, which are the kubelet's.

use super::candidate::CandidateAlarm;
use super::lease::{FREE_DRAW, Path};
use crate::component::fact::{Condition, Fact, NodeFact, Renewals};
use crate::component::{Blame, ComponentId, Effects, MachineId, View};
use crate::kernel::cadence::Cadence;
use crate::kernel::time::{Duration, Time};
use taints::Tainting;

mod taints;
#[cfg(test)]
mod tests;
mod zones;

pub use zones::Rates;

/// Purposes of draws beside those of the elector and the instance.
const PHASE_DRAW: u32 = FREE_DRAW + 2;
const POLL_DRAW: u32 = FREE_DRAW + 3;
const SCHEDULE_DRAW: u32 = FREE_DRAW + 4;

const PERIOD: &str = "node-monitor-period";
const GRACE: &str = "node-monitor-grace-period";

/// Options of the monitor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Monitoring {
    /// Between two passes.
    pub period: Duration,
    /// How long a node may stay silent, from the pass that saw its last renewal.
    pub grace: Duration,
    /// How fast silent nodes are tainted.
    pub rates: Rates,
}

/// What the monitor knows of one node.
#[derive(Clone, Debug, PartialEq)]
struct Watched {
    kubelet: ComponentId,
    node: ComponentId,
    /// The kubelet's renewals as last looked at; they outlive its process.
    renewals: Renewals,
    /// The last renewal that a pass has seen, and the pass that saw it first.
    seen: Option<(Option<Time>, Time)>,
    planned: Option<Time>,
}

/// The monitor of one instance.
#[derive(Clone, Debug)]
pub struct NodeMonitor {
    monitoring: Monitoring,
    nodes: Vec<Watched>,
    /// Its passes, while the instance leads.
    passes: Option<Cadence>,
    /// Since when passes see what happens; `None` while the API is out of reach.
    sighted: Option<Time>,
    /// Which node is tainted when.
    tainting: Option<Tainting>,
    /// The workloads whose pods are marked together with their node.
    workloads: Vec<ComponentId>,
}

type Fx<'a, 'b> = &'a mut Effects<'b, CandidateAlarm>;

impl NodeMonitor {
    /// A monitor of these nodes, each a kubelet with its Node object.
    pub fn new(
        monitoring: Monitoring,
        nodes: &[(ComponentId, ComponentId)],
        workloads: Vec<ComponentId>,
    ) -> Self {
        let watched = |(kubelet, node): &(ComponentId, ComponentId)| Watched {
            kubelet: *kubelet,
            node: *node,
            renewals: Renewals::Never,
            seen: None,
            planned: None,
        };
        Self {
            monitoring,
            nodes: nodes.iter().map(watched).collect(),
            passes: None,
            sighted: None,
            tainting: None,
            workloads,
        }
    }

    /// How many alarms it needs: one for each node, and those for taints.
    pub fn alarms(&self) -> usize {
        self.nodes.len() + taints::ALARMS
    }

    /// Kubelets and Node objects.
    pub fn watches(&self) -> impl Iterator<Item = ComponentId> + '_ {
        self.nodes.iter().flat_map(|watched| [watched.kubelet, watched.node])
    }

    /// Begins in the midst of a long life: passes in a phase that is drawn.
    pub(super) fn settle(&mut self, path: &Path, view: &View, fx: Fx) {
        let age = fx.draw(PHASE_DRAW).uniform_duration(Duration::ZERO, self.monitoring.period);
        self.passes = Some(Cadence::new(view.now - age, self.monitoring.period));
        self.sighted = Some(Time::ZERO);
        self.begin_taints(true, view, fx);
        for number in 0..self.nodes.len() {
            self.look_at(number, view, fx);
        }
        self.sighted = self.sighted.filter(|_| works_or_unknown(path, view));
    }

    /// The instance has begun to act: its first pass is now.
    pub(super) fn begin(&mut self, path: &Path, view: &View, fx: Fx) {
        self.passes = Some(Cadence::new(view.now, self.monitoring.period));
        self.sighted = path.look(view).write.works().then_some(view.now);
        for number in 0..self.nodes.len() {
            let watched = &mut self.nodes[number];
            watched.renewals = known_renewals(Renewals::Never, watched.kubelet, view);
            watched.seen = Some((watched.renewals.last(view.now), view.now));
            self.plan(number, view.now, view, fx);
        }
        self.begin_taints(false, view, fx);
        self.plan_pass(view.now, view, fx);
    }

    /// The process is gone.
    pub(super) fn end(&mut self) {
        self.passes = None;
        self.sighted = None;
        self.tainting = None;
        for watched in &mut self.nodes {
            watched.seen = None;
            watched.planned = None;
            watched.renewals = Renewals::Never;
        }
    }

    /// A kubelet, a Node object or the path to the API has changed.
    pub(super) fn look(&mut self, path: &Path, view: &View, fx: Fx) {
        if self.passes.is_none() {
            return;
        }
        let works = path.look(view).write.works();
        if works && self.sighted.is_none() {
            self.sighted = Some(view.now);
        }
        for number in 0..self.nodes.len() {
            self.look_at(number, view, fx);
        }
        if !works {
            self.sighted = None;
        }
        self.review_taints(view, fx);
    }

    fn look_at(&mut self, number: usize, view: &View, fx: Fx) {
        let watched = &mut self.nodes[number];
        let renewals = known_renewals(watched.renewals, watched.kubelet, view);
        let turned = renewals != watched.renewals;
        watched.renewals = renewals;
        self.book(number, view.now);
        let from = match renewals {
            Renewals::Once(last) if turned => last.min(view.now),
            _ => view.now,
        };
        self.plan(number, from, view, fx);
    }

    /// Books what the passes up to now have seen.
    fn book(&mut self, number: usize, now: Time) {
        let (Some(passes), Some(sighted)) = (self.passes, self.sighted) else { return };
        let Some(pass) = passes.last_at_or_before(now).filter(|pass| *pass >= sighted) else {
            return;
        };
        let watched = &mut self.nodes[number];
        let Some(renewed) = watched.renewals.last(pass).filter(|renewed| *renewed <= pass) else {
            return;
        };
        if watched.seen.is_none_or(|(seen, _)| seen.is_none_or(|seen| seen < renewed)) {
            let first = passes.first_at_or_after(renewed.max(sighted));
            watched.seen = Some((Some(renewed), first));
        }
    }

    /// The pass that first saw the node's last renewal, or will.
    fn probe(&self, number: usize, passes: &Cadence, sighted: Time) -> Option<Time> {
        let watched = &self.nodes[number];
        match (watched.renewals, watched.seen) {
            (Renewals::Once(last), Some((seen, _))) if seen.is_none_or(|seen| seen < last) => {
                Some(passes.first_at_or_after(last.max(sighted)))
            }
            (Renewals::Once(last), None) => Some(passes.first_at_or_after(last.max(sighted))),
            (_, seen) => seen.map(|(_, pass)| pass),
        }
    }

    /// Sets the alarm for the node's next change, if it will have one. `from`: where the blame begins.
    fn plan(&mut self, number: usize, from: Time, view: &View, fx: Fx) {
        let next = self.next_change(number, from, view);
        let alarm = CandidateAlarm::work(number);
        let watched = &mut self.nodes[number];
        match next {
            Some((at, _)) if watched.planned == Some(at) => {}
            Some((at, blame)) => {
                watched.planned = Some(at);
                fx.set(alarm, at, blame);
            }
            None => {
                if watched.planned.take().is_some() {
                    fx.clear(alarm);
                }
            }
        }
    }

    fn next_change(&self, number: usize, from: Time, view: &View) -> Option<(Time, Blame)> {
        let (passes, sighted) = (self.passes?, self.sighted?);
        let watched = &self.nodes[number];
        let renewed = matches!(watched.renewals, Renewals::Every(_));
        if renewed || view.node(watched.node).is_none_or(|node| node.ready != Condition::True) {
            return None;
        }
        let probe = self.probe(number, &passes, sighted)?;
        let over = probe + self.monitoring.grace;
        let at = passes.first_at_or_after(over.max(view.now));
        let ends = [(PERIOD, probe), (GRACE, over), (PERIOD, at)];
        Some((at, Blame::stretches(from, &ends)))
    }

    /// The alarm of this number is due.
    pub(super) fn ring(&mut self, number: usize, path: &Path, view: &View, fx: Fx) {
        if number < self.nodes.len() {
            self.mark(number, path, view, fx);
        } else {
            self.ring_taints(number - self.nodes.len(), path, view, fx);
        }
    }

    /// A pass finds a node silent for too long.
    fn mark(&mut self, number: usize, path: &Path, view: &View, fx: Fx) {
        let watched = &mut self.nodes[number];
        watched.planned = None;
        if path.look(view).write.works() {
            let known = view.node(watched.node).copied().unwrap_or_default();
            let unknown = NodeFact {
                ready: Condition::Unknown,
                since: Some(view.now),
                no_schedule: true,
                ..known
            };
            fx.commit(watched.node, Fact::Node(unknown));
            let machine = view.map().machine_of(watched.kubelet);
            self.mark_pods(machine, view, fx);
        }
    }

    /// The pods of a silent node are not ready either.
    fn mark_pods(&self, machine: Option<MachineId>, view: &View, fx: Fx) {
        for workload in &self.workloads {
            let Some(known) = view.workload(*workload) else { continue };
            let mut new = known.clone();
            for pod in new.pods.iter_mut().filter(|pod| pod.node == machine) {
                pod.ready = false;
            }
            if new != *known {
                fx.commit(*workload, Fact::Workload(new));
            }
        }
    }
}

/// At a settled start whoever answers may not have told its state yet; then it works.
fn works_or_unknown(path: &Path, view: &View) -> bool {
    let told = view.resolve(path.target).is_some_and(|at| *view.fact(at) != Fact::Absent);
    !told || path.look(view).write.works()
}

/// A kubelet's renewals, also after its process is gone.
fn known_renewals(before: Renewals, kubelet: ComponentId, view: &View) -> Renewals {
    match (view.kubelet(kubelet), before) {
        (Some(fact), _) => fact.renewals,
        (None, Renewals::Every(cadence)) => {
            cadence.last_at_or_before(view.now).map_or(Renewals::Never, Renewals::Once)
        }
        (None, before) => before,
    }
}

//! Taints of silent nodes: decided at the passes, carried out as the zones allow, taken away when the
//! node is ready again.
//!
//! A pass decides by the conditions that it found at its start, so a node is tainted one pass after it
//! was marked. Only passes that have something to decide are simulated. The few milliseconds of the
//! writes to Node objects are left out.

use super::zones::{POLL, Verdict, Zones};
use super::{Fx, NodeMonitor, PERIOD, POLL_DRAW, SCHEDULE_DRAW};
use crate::component::fact::{Condition, Fact, NodeFact, Taint};
use crate::component::{Blame, EventId, View};
use crate::components::candidate::CandidateAlarm;
use crate::components::lease::Path;
use crate::kernel::cadence::Cadence;
use crate::kernel::time::{Duration, Time};

/// Alarms beside those of the nodes.
pub(super) const ALARMS: usize = 3;
/// The end of a pass; its number is above those of nodes, which a pass marks before.
const PASS: usize = 0;
/// A zone's queue gives out a node.
const TAKE: usize = 1;
/// A node's `NoSchedule` taint is taken away.
const SCHEDULE: usize = 2;

const RATE: &str = "node-eviction-rate";

/// How long the `NoSchedule` taint stays after the condition changed. Measured, 1.20.2: 10-135 ms.
const FOLLOWS: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(135));

/// State of the tainting.
#[derive(Clone, Debug)]
pub(super) struct Tainting {
    zones: Zones,
    /// The conditions that the last pass left behind; empty before the first.
    judged: Vec<bool>,
    /// The pass that is planned.
    pass: Option<Time>,
    /// The look that is planned.
    take: Option<Time>,
    /// `NoSchedule` taints are about to go.
    schedule: bool,
    /// The event with which each node was pushed, and when.
    pushed: Vec<Option<(EventId, Time)>>,
}

impl NodeMonitor {
    /// The instance begins to act, or has been acting for long.
    pub(super) fn begin_taints(&mut self, settled: bool, view: &View, fx: Fx) {
        let map = view.map();
        let zone = |kubelet| map.machine_of(kubelet).map(|machine| map.machine(machine).zone);
        let of: Vec<_> = self.nodes.iter().map(|watched| zone(watched.kubelet)).collect();
        let mut known = of.clone();
        known.sort_unstable();
        known.dedup();
        let of = of.iter().map(|zone| known.iter().position(|k| k == zone).unwrap_or(0)).collect();
        let phase = fx.draw(POLL_DRAW).uniform_duration(Duration::ZERO, POLL);
        let polls = Cadence::new(view.now + phase, POLL);
        let mut zones = Zones::new(self.monitoring.rates, self.monitoring.period, polls, of);
        let all_ready = vec![true; if settled { self.nodes.len() } else { 0 }];
        if settled {
            zones.judge(view.now, &all_ready);
        }
        self.tainting = Some(Tainting {
            zones,
            judged: all_ready,
            pass: None,
            take: None,
            schedule: false,
            pushed: vec![None; self.nodes.len()],
        });
    }

    fn node_fact(&self, number: usize, view: &View) -> NodeFact {
        view.node(self.nodes[number].node).copied().unwrap_or_default()
    }

    fn ready_nodes(&self, view: &View) -> Vec<bool> {
        let all = 0..self.nodes.len();
        all.map(|number| wanted(self.node_fact(number, view)).is_none()).collect()
    }

    /// Whether the next pass has something to decide about a node.
    fn undecided(&self, number: usize, view: &View) -> bool {
        let fact = self.node_fact(number, view);
        let awaits = self.tainting.as_ref().is_some_and(|t| t.zones.awaits(number));
        match wanted(fact) {
            None => fact.no_execute.is_some(),
            wanted => fact.no_execute != wanted && !awaits,
        }
    }

    /// Something changed: plans the pass that will notice.
    pub(super) fn review_taints(&mut self, view: &View, fx: Fx) {
        let Some(tainting) = &self.tainting else { return };
        let news = tainting.judged != self.ready_nodes(view)
            || (0..self.nodes.len()).any(|number| self.undecided(number, view));
        if news {
            self.plan_pass(view.now, view, fx);
        }
        self.review_schedule(view, fx);
    }

    /// Plans the first pass from `from` on, unless an earlier one is planned.
    pub(super) fn plan_pass(&mut self, from: Time, view: &View, fx: Fx) {
        let (Some(passes), Some(_)) = (self.passes, self.sighted) else { return };
        let Some(tainting) = &mut self.tainting else { return };
        let at = passes.first_at_or_after(from);
        if tainting.pass.is_none_or(|planned| planned > at) {
            tainting.pass = Some(at);
            let alarm = CandidateAlarm::work(self.nodes.len() + PASS);
            fx.set(alarm, at, Blame::of(PERIOD, at.since(view.now)));
        }
    }

    /// Nodes that are ready again are open to new pods as soon as the event of that arrives.
    fn review_schedule(&mut self, view: &View, fx: Fx) {
        let all = 0..self.nodes.len();
        let closed = |fact: NodeFact| fact.ready == Condition::True && fact.no_schedule;
        let any = all.clone().any(|number| closed(self.node_fact(number, view)));
        let sighted = self.sighted.is_some();
        let Some(tainting) = self.tainting.as_mut().filter(|t| any && sighted && !t.schedule)
        else {
            return;
        };
        tainting.schedule = true;
        let wait = fx.draw(SCHEDULE_DRAW).uniform_duration(FOLLOWS.0, FOLLOWS.1);
        fx.set_after(CandidateAlarm::work(self.nodes.len() + SCHEDULE), wait, "node event");
    }

    /// One of the alarms beside those of the nodes is due.
    pub(super) fn ring_taints(&mut self, number: usize, path: &Path, view: &View, fx: Fx) {
        let works = path.look(view).write.works();
        let Some(tainting) = &mut self.tainting else { return };
        match number {
            PASS => {
                tainting.pass = None;
                if works {
                    self.pass(view, fx);
                }
            }
            TAKE => {
                tainting.take = None;
                if works {
                    self.take(view, fx);
                }
                self.plan_take(view, fx);
            }
            _ => {
                tainting.schedule = false;
                if works {
                    self.open(view, fx);
                }
            }
        }
    }

    /// A pass: every node by the condition found at its start, then the zones by those at its end.
    fn pass(&mut self, view: &View, fx: Fx) {
        let mut facts: Vec<NodeFact> =
            (0..self.nodes.len()).map(|number| self.node_fact(number, view)).collect();
        for (number, fact) in facts.iter_mut().enumerate() {
            let marked_now = fact.ready != Condition::True && fact.since == Some(view.now);
            if !marked_now {
                self.decide(number, fact, view, fx);
            }
        }
        let ready: Vec<bool> = facts.iter().map(|fact| wanted(*fact).is_none()).collect();
        let Some(tainting) = &mut self.tainting else { return };
        let verdict = tainting.zones.judge(view.now, &ready);
        tainting.judged = ready;
        if verdict == Verdict::StopAll {
            for (number, fact) in facts.iter_mut().enumerate() {
                if fact.no_execute.take().is_some() {
                    tainting.zones.remove(number);
                }
            }
        }
        for (watched, fact) in self.nodes.iter().zip(&facts) {
            if view.node(watched.node) != Some(fact) {
                fx.commit(watched.node, Fact::Node(*fact));
            }
        }
        if verdict == Verdict::StartAnew {
            self.start_anew(view, fx);
        }
        self.plan_take(view, fx);
        if let Some(passes) = self.passes
            && (0..facts.len()).any(|number| self.waits_for_next_pass(number, &facts))
        {
            self.plan_pass(passes.first_after(view.now), view, fx);
        }
    }

    fn waits_for_next_pass(&self, number: usize, facts: &[NodeFact]) -> bool {
        let awaits = self.tainting.as_ref().is_some_and(|t| t.zones.awaits(number));
        wanted(facts[number]).is_some_and(|taint| facts[number].no_execute != Some(taint))
            && !awaits
    }

    fn decide(&mut self, number: usize, fact: &mut NodeFact, view: &View, fx: Fx) {
        let Some(tainting) = &mut self.tainting else { return };
        match (wanted(*fact), fact.no_execute) {
            (None, _) => {
                fact.no_execute = None;
                tainting.zones.remove(number);
                tainting.pushed[number] = None;
            }
            (Some(taint), Some(_)) => fact.no_execute = Some(taint),
            (Some(_), None) if !tainting.zones.awaits(number) => {
                tainting.zones.push(number, view.now);
                tainting.pushed[number] = Some((fx.event(), view.now));
            }
            _ => {}
        }
    }

    /// Nobody was ready, and somebody is again: the grace of every node begins with this pass.
    fn start_anew(&mut self, view: &View, fx: Fx) {
        for number in 0..self.nodes.len() {
            let watched = &mut self.nodes[number];
            watched.seen = Some((watched.renewals.last(view.now), view.now));
            self.plan(number, view.now, view, fx);
        }
    }

    fn plan_take(&mut self, view: &View, fx: Fx) {
        let sighted = self.sighted.is_some();
        let alarm = CandidateAlarm::work(self.nodes.len() + TAKE);
        let Some(tainting) = &mut self.tainting else { return };
        let Some((at, node)) = tainting.zones.next().filter(|_| sighted) else {
            if tainting.take.take().is_some() {
                fx.clear(alarm);
            }
            return;
        };
        let at = at.max(view.now);
        if tainting.take != Some(at) {
            tainting.take = Some(at);
            let blame = match tainting.pushed[node] {
                Some((event, since)) => Blame::of(RATE, at.saturating_since(since)).since(event),
                None => Blame::of(RATE, at.since(view.now)),
            };
            fx.set(alarm, at, blame);
        }
    }

    /// The queues give out what they have at this look.
    fn take(&mut self, view: &View, fx: Fx) {
        let last = self.passes.and_then(|passes| passes.last_at_or_before(view.now));
        let Some(tainting) = &mut self.tainting else { return };
        while let Some((_, number)) = tainting.zones.next().filter(|(at, _)| *at <= view.now) {
            tainting.zones.take(number, view.now, last.unwrap_or(view.now));
            let node = self.nodes[number].node;
            let fact = view.node(node).copied().unwrap_or_default();
            let taint = wanted(fact);
            if taint.is_some() && fact.no_execute != taint {
                fx.commit(node, Fact::Node(NodeFact { no_execute: taint, ..fact }));
            }
        }
    }

    fn open(&mut self, view: &View, fx: Fx) {
        for watched in &self.nodes {
            let fact = view.node(watched.node).copied().unwrap_or_default();
            if fact.ready == Condition::True && fact.no_schedule {
                fx.commit(watched.node, Fact::Node(NodeFact { no_schedule: false, ..fact }));
            }
        }
    }
}

/// The taint that a node's condition asks for. A node that has never told its condition is as good as
/// ready: it is being started.
fn wanted(fact: NodeFact) -> Option<Taint> {
    fact.since?;
    match fact.ready {
        Condition::True => None,
        Condition::False => Some(Taint::NotReady),
        Condition::Unknown => Some(Taint::Unreachable),
    }
}

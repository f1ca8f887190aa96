//! Procedures under way: step after step on one target after the other, each wait ended by what is
//! seen, or given up.
//!
//! An operator looks at what anyone can see (processes, readiness, whether a member knows a leader),
//! and sees it at once: the tools' polling intervals of half a second and more are left out.

use super::World;
use super::observer::Observer;
use super::operator::Timed;
use super::resolve::Hit;
use crate::component::fact::{Condition, Fact};
use crate::component::id::{ComponentId, Kind};
use crate::component::view::ProcessState;
use crate::plan::rolling::{GIVES_UP, Order, Part, Rolling, Sight, Step};
use crate::plan::schedule::Action;

/// A moment of a procedure: it waits for time at most once at each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    fault: usize,
    count: u64,
}

/// What a procedure waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waits {
    /// That time has passed.
    Time,
    /// Something that is to be seen before time has passed.
    Sight(Sight),
}

/// A procedure under way.
#[derive(Clone, Debug)]
pub(super) struct Running {
    moment: Moment,
    /// The target at hand, then those whose turn is later.
    targets: Vec<Hit>,
    all: Vec<Hit>,
    step: usize,
    waits: Waits,
    /// Processes that were told to restart, with the incarnation that is to end.
    old: Vec<(ComponentId, u32)>,
}

impl World<'_> {
    /// Begins a procedure on these targets.
    pub(super) fn begin_procedure(
        &mut self,
        fault: usize,
        rolling: &Rolling,
        mut targets: Vec<Hit>,
        observer: &mut impl Observer,
    ) {
        let leader = self.leader(Kind::Etcd).and_then(|id| self.all.map.machine_of(id));
        let leads = |hit: &Hit| self.machine_hit(*hit) == leader;
        match rolling.order {
            Order::AsListed => {}
            Order::LeaderFirst => targets.sort_by_key(|hit| !leads(hit)),
            Order::LeaderLast => targets.sort_by_key(leads),
        }
        let moment = Moment { fault, count: 0 };
        let all = targets.clone();
        let (step, waits, old) = (0, Waits::Time, Vec::new());
        self.go_on(Running { moment, targets, all, step, waits, old }, observer);
    }

    /// The time that a procedure let pass, or its patience, is over.
    pub(super) fn time_passed(&mut self, moment: Moment, observer: &mut impl Observer) {
        let running = &mut self.operator.running;
        let Some(at) = running.iter().position(|running| running.moment == moment) else { return };
        let running = running.remove(at);
        self.begin_fault(moment.fault, false);
        match running.waits {
            Waits::Time => self.go_on(running, observer),
            Waits::Sight(sight) => {
                let missing = self.not_yet(sight, &running);
                self.fire(moment.fault, false, GIVES_UP, &missing, Vec::new(), observer);
            }
        }
    }

    /// Something happened: procedures that waited for it go on.
    pub(super) fn look_around(&mut self, observer: &mut impl Observer) {
        let seen = |world: &Self, running: &Running| match running.waits {
            Waits::Time => false,
            Waits::Sight(sight) => world.not_yet(sight, running).is_empty(),
        };
        while let Some(at) = self.operator.running.iter().position(|running| seen(self, running)) {
            let running = self.operator.running.remove(at);
            self.go_on(running, observer);
            self.settle(observer);
        }
    }

    /// Takes steps until one has to wait, or all is done.
    fn go_on(&mut self, mut running: Running, observer: &mut impl Observer) {
        let plan = self.plan;
        let fault = running.moment.fault;
        let Action::Roll(rolling) = &plan.schedule.faults[fault].action else { return };
        running.moment.count += 1;
        while let Some(target) = running.targets.first().copied() {
            let Some(step) = rolling.steps.get(running.step) else {
                running.targets.remove(0);
                running.step = 0;
                continue;
            };
            running.step += 1;
            match step {
                Step::Do { says, part, action } => {
                    self.take(fault, says, target, *part, action, &mut running.old, observer);
                }
                Step::Pass(span) => {
                    self.plan_setting(self.now + *span, Timed::Procedure(running.moment));
                    running.waits = Waits::Time;
                    return self.operator.running.push(running);
                }
                Step::Wait { until, patience } => {
                    self.plan_setting(self.now + *patience, Timed::Procedure(running.moment));
                    running.waits = Waits::Sight(*until);
                    return self.operator.running.push(running);
                }
            }
        }
        let verb = plan.schedule.faults[fault].verb;
        self.fire(fault, true, verb, &running.all, Vec::new(), observer);
    }

    #[expect(clippy::too_many_arguments, reason = "a step is what, to whom, on whose behalf")]
    fn take(
        &mut self,
        fault: usize,
        says: &'static str,
        target: Hit,
        part: Part,
        action: &Action,
        old: &mut Vec<(ComponentId, u32)>,
        observer: &mut impl Observer,
    ) {
        let hits = match part {
            Part::Whole => vec![target],
            Part::Process(_) => self.meant(target, part).into_iter().map(Hit::Process).collect(),
        };
        if hits.is_empty() {
            return;
        }
        if *action == Action::Restart {
            let incarnation = |id: ComponentId| (id, self.all.processes[id.index()].incarnation);
            let ids = hits.iter().flat_map(|hit| self.processes_of(*hit));
            old.extend(ids.map(incarnation));
        }
        let settings = self.settings_for(&hits, &[], action);
        self.begin_fault(fault, false);
        self.fire(fault, false, says, &hits, settings, observer);
    }

    /// The processes of a target that a step means.
    fn meant(&self, target: Hit, part: Part) -> Vec<ComponentId> {
        match part {
            Part::Whole => self.processes_of(target),
            Part::Process(kind) => {
                let machine = self.machine_hit(target);
                machine.and_then(|machine| self.all.map.local(machine, kind)).into_iter().collect()
            }
        }
    }

    /// What of the target at hand is not yet as it should be.
    fn not_yet(&self, sight: Sight, running: &Running) -> Vec<Hit> {
        let Some(target) = running.targets.first().copied() else { return Vec::new() };
        let part = match sight {
            Sight::Healthy(part) | Sight::Stopped(part) => part,
        };
        let dead = |id: ComponentId| self.all.processes[id.index()].state == ProcessState::Dead;
        let fine = |id: &ComponentId| match sight {
            Sight::Stopped(_) => dead(*id),
            Sight::Healthy(_) => self.healthy(*id) && !self.is_old(*id, &running.old),
        };
        let meant = self.meant(target, part).into_iter();
        meant.filter(|id| !fine(id)).map(Hit::Process).collect()
    }

    fn is_old(&self, id: ComponentId, old: &[(ComponentId, u32)]) -> bool {
        let now = self.all.processes[id.index()].incarnation;
        old.iter().rfind(|(process, _)| *process == id).is_some_and(|(_, then)| now == *then)
    }

    fn healthy(&self, id: ComponentId) -> bool {
        if self.all.processes[id.index()].state != ProcessState::Running {
            return false;
        }
        match &self.all.facts[id.index()] {
            Fact::Etcd(fact) => fact.serving && fact.lead.is_some(),
            Fact::ApiServer(fact) => fact.ready,
            Fact::LoadBalancer(fact) => fact.listening,
            Fact::Kubelet(_) => self.node_is_ready(id),
            // What has just started has shown nothing yet.
            Fact::Absent => !self.shows_health(id),
            _ => true,
        }
    }

    /// Whether there is more to a process's health than that it runs.
    fn shows_health(&self, id: ComponentId) -> bool {
        let kind = self.all.map.component(id).kind;
        matches!(kind, Kind::Etcd | Kind::ApiServer | Kind::LoadBalancer | Kind::Kubelet)
    }

    fn node_is_ready(&self, kubelet: ComponentId) -> bool {
        let map = &self.all.map;
        let name = map.machine_of(kubelet).map(|machine| &map.machine(machine).name);
        let node = name.and_then(|name| map.find_component(&format!("node/{name}")));
        node.is_none_or(|node| match &self.all.facts[node.index()] {
            Fact::Node(fact) => fact.ready == Condition::True,
            _ => true,
        })
    }
}

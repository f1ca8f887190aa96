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
use crate::component::lever::{Lever, Setting};
use crate::component::members::{MemberChange, Members};
use crate::component::view::{ProcessState, View};
use crate::components::etcd::service;
use crate::kernel::time::Time;
use crate::plan::rolling::{ASKS_AGAIN, GIVES_UP, Order, Part, Rolling, Sight, Standing, Step};
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
    /// The same, and etcd is asked for this change again until then.
    Change(MemberChange, Sight, Time),
}

/// A procedure under way.
#[derive(Clone, Debug)]
pub(super) struct Running {
    moment: Moment,
    /// The target at hand, then those whose turn is later.
    targets: Vec<Hit>,
    all: Vec<Hit>,
    began: Time,
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
        let began = self.now;
        self.go_on(Running { moment, targets, all, began, step, waits, old }, observer);
    }

    /// The time that a procedure let pass, or its patience, is over.
    pub(super) fn time_passed(&mut self, moment: Moment, observer: &mut impl Observer) {
        let running = &mut self.operator.running;
        let Some(at) = running.iter().position(|running| running.moment == moment) else { return };
        let running = running.remove(at);
        self.begin_fault(moment.fault, false);
        match running.waits {
            Waits::Time => self.go_on(running, observer),
            Waits::Change(change, _, until) if self.now < until => {
                for setting in self.request(change, running.targets.first().copied()) {
                    self.set(&setting, observer);
                }
                self.wait_again(running);
            }
            Waits::Sight(sight) | Waits::Change(_, sight, _) => {
                let missing = self.not_yet(sight, &running);
                self.fire(moment.fault, false, GIVES_UP, &missing, Vec::new(), observer);
            }
        }
    }

    fn wait_again(&mut self, mut running: Running) {
        running.moment.count += 1;
        let again = self.now + ASKS_AGAIN;
        let at = match running.waits {
            Waits::Change(_, _, until) => again.min(until),
            _ => again,
        };
        self.plan_setting(at, Timed::Procedure(running.moment));
        self.operator.running.push(running);
    }

    /// What asks etcd's leader for a change of a target's membership; nothing while none leads.
    fn request(&self, change: MemberChange, target: Option<Hit>) -> Vec<Setting> {
        let runs = |id: &ComponentId| self.all.processes[id.index()].state == ProcessState::Running;
        let leader = self.leader(Kind::Etcd).filter(runs);
        let member = target.and_then(|target| self.member(target));
        let asked = leader.zip(member);
        let lever = |(leader, member)| Setting::Process(leader, Lever::Membership(change, member));
        asked.map(lever).into_iter().collect()
    }

    /// The etcd member on a target's machine.
    fn member(&self, target: Hit) -> Option<ComponentId> {
        self.meant(target, Part::Process(Kind::Etcd)).first().copied()
    }

    /// Something happened: procedures that waited for it go on.
    pub(super) fn look_around(&mut self, observer: &mut impl Observer) {
        let seen = |world: &Self, running: &Running| match running.waits {
            Waits::Time => false,
            Waits::Sight(sight) | Waits::Change(_, sight, _) => {
                world.not_yet(sight, running).is_empty()
            }
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
            let turn = running.all.len() - running.targets.len();
            let steps = rolling.turns.get(turn).or(rolling.turns.last());
            let Some(step) = steps.and_then(|steps| steps.get(running.step)) else {
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
                Step::Ask { says, change, until, patience } => {
                    let settings = self.request(*change, Some(target));
                    self.begin_fault(fault, false);
                    self.fire(fault, false, says, &[target], settings, observer);
                    running.waits = Waits::Change(*change, *until, self.now + *patience);
                    return self.wait_again(running);
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
            Sight::Within(span) => {
                let joins = !self.meant(target, Part::Process(Kind::ApiServer)).is_empty();
                let late = joins && self.now > running.began + span;
                return if late { vec![target] } else { Vec::new() };
            }
            Sight::Snapshot => {
                return self.operator.snapshot.map_or(vec![target], |_| Vec::new());
            }
            Sight::Quorum | Sight::Member(_) => {
                let seen = self.members_seen(sight, target);
                return if seen { Vec::new() } else { vec![target] };
            }
        };
        let dead = |id: ComponentId| self.all.processes[id.index()].state == ProcessState::Dead;
        let fine = |id: &ComponentId| match sight {
            Sight::Stopped(_) => dead(*id),
            _ => self.healthy(*id) && !self.is_old(*id, &running.old),
        };
        let meant = self.meant(target, part).into_iter();
        meant.filter(|id| !fine(id)).map(Hit::Process).collect()
    }

    /// Whether etcd's leader shows what is to be seen of a target's member.
    fn members_seen(&self, sight: Sight, target: Hit) -> bool {
        let map = &self.all.map;
        let Some(leader) = self.leader(Kind::Etcd) else { return false };
        let view = View { now: self.now, me: leader, all: &self.all };
        let Sight::Member(standing) = sight else { return service::quorum(&view, &[leader]) };
        let all = map.of_kind(Kind::Etcd).count();
        let fact = view.etcd(leader);
        let members = fact.and_then(|fact| fact.members).unwrap_or(Members::first(all));
        let place =
            self.member(target).and_then(|id| map.of_kind(Kind::Etcd).position(|m| m == id));
        place.is_some_and(|place| match standing {
            Standing::Voter => members.votes(place),
            Standing::Learner => members.learns(place),
            Standing::Out => !members.has(place),
        })
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

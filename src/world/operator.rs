//! The operator carries out the schedule: when a fault fires, its targets are resolved, its settings
//! applied, and its end and repetition planned.

use super::World;
use super::observer::{FaultFired, Observer};
use super::procedure::{Moment, Running};
use super::resolve::Hit;
use super::resolver::Learned;
use super::starvation::Turn;
use crate::component::fact::{Ability, Fact, NodeFact};
use crate::component::id::{ComponentId, MachineId};
use crate::component::lever::{Lever, Setting, Snapshot};
use crate::component::view::ProcessState;
use crate::kernel::law::Law;
use crate::kernel::stream::{Draw, Key, StreamName};
use crate::kernel::time::Time;
use crate::plan::schedule::{Action, Applied, Target};

/// Purposes of a fault's draws.
const AT_DRAW: u32 = 0;
const LASTS_DRAW: u32 = 1;
const EVERY_DRAW: u32 = 2;
/// Which of several targets is hit.
pub(super) const TARGET_DRAW: u32 = 3;

/// Something the operator will do.
#[derive(Clone, Debug)]
pub(super) enum Timed {
    /// Carries out a fault, or its end.
    Fault {
        /// Position in the schedule.
        index: usize,
        /// Whether it is the end.
        undo: bool,
    },
    /// The clients' resolver learns of a change of the endpoint's name.
    Resolved(Learned),
    /// Starved machines stop or resume, if the fault has not fired or ended since.
    Starve(Turn),
    /// Time has passed for a procedure, if it still stands at this moment of its own.
    Procedure(Moment),
}

/// What the operator remembers of each fault.
#[derive(Clone, Debug, Default)]
pub(super) struct Operator {
    hits: Vec<Vec<Hit>>,
    others: Vec<Vec<Hit>>,
    draws: u64,
    /// How often each fault has fired or ended.
    pub(super) firings: Vec<u32>,
    /// Procedures under way.
    pub(super) running: Vec<Running>,
    /// The last snapshot of etcd's store.
    pub(super) snapshot: Option<Snapshot>,
}

impl Operator {
    /// What an earlier fault hit.
    pub(super) fn hit_by(&self, fault: usize) -> &[Hit] {
        self.hits.get(fault).map_or(&[], Vec::as_slice)
    }

    /// What the other side of an earlier fault was.
    pub(super) fn others_of(&self, fault: usize) -> &[Hit] {
        self.others.get(fault).map_or(&[], Vec::as_slice)
    }

    /// The next draw of a fault for a purpose.
    pub(super) fn draw(&mut self, key: Key, fault: usize, purpose: u32) -> Draw {
        self.draws += 1;
        key.draw(StreamName::of("fault").part(fault as u64), purpose, self.draws)
    }
}

impl World<'_> {
    /// Plans the first firing of every fault.
    pub(super) fn plan_schedule(&mut self) {
        let faults = self.plan.schedule.faults.len();
        self.operator.hits = vec![Vec::new(); faults];
        self.operator.others = vec![Vec::new(); faults];
        self.operator.firings = vec![0; faults];
        for (index, fault) in self.plan.schedule.faults.iter().enumerate() {
            let at = self.fault_span(&fault.at, index, AT_DRAW, Time::START);
            self.plan_setting(at, Timed::Fault { index, undo: false });
        }
    }

    pub(super) fn fault_span(&mut self, law: &Law, index: usize, purpose: u32, from: Time) -> Time {
        let mut draw = self.operator.draw(self.key, index, purpose);
        from + law.sample(&mut draw)
    }

    pub(super) fn plan_setting(&mut self, at: Time, timed: Timed) {
        if !at.is_never() {
            self.planned += 1;
            self.settings.insert((at, self.planned), timed);
        }
    }

    /// The next planned setting is due.
    pub(super) fn fire_setting(&mut self, observer: &mut impl Observer) {
        match self.settings.pop_first() {
            Some((_, Timed::Fault { index, undo })) => self.carry_out(index, undo, observer),
            Some((_, Timed::Resolved(learned))) => self.resolved(learned),
            Some((_, Timed::Starve(turn))) => self.starve(turn, observer),
            Some((_, Timed::Procedure(moment))) => self.time_passed(moment, observer),
            None => {}
        }
    }

    fn carry_out(&mut self, index: usize, undo: bool, observer: &mut impl Observer) {
        let plan = self.plan;
        let fault = &plan.schedule.faults[index];
        self.begin_fault(index, undo);
        self.operator.firings[index] += 1;
        if !undo {
            self.aim(index, &fault.targets, others_of(&fault.action));
            if let Some(lasts) = &fault.lasts {
                let end = self.fault_span(lasts, index, LASTS_DRAW, self.now);
                self.plan_setting(end, Timed::Fault { index, undo: true });
            }
            if let Some(every) = &fault.every {
                let again = self.fault_span(every, index, EVERY_DRAW, self.now);
                self.plan_setting(again, Timed::Fault { index, undo: false });
            }
        }
        let action = if undo { fault.undo.as_ref() } else { Some(&fault.action) };
        let Some(action) = action else { return };
        let (hits, others) = (self.operator.hits[index].clone(), &self.operator.others[index]);
        let settings = self.settings_for(&hits, others, action);
        self.fire(index, undo, fault.verb, &hits, settings, observer);
        if let Action::Starve { .. } = action {
            self.begin_starving(index);
        }
        if let Action::Roll(rolling) = action {
            self.begin_procedure(index, rolling, hits, observer);
        }
    }

    /// Tells observers what is done, and does it.
    pub(super) fn fire(
        &mut self,
        index: usize,
        undo: bool,
        verb: &'static str,
        hits: &[Hit],
        settings: Vec<Setting>,
        observer: &mut impl Observer,
    ) {
        let applied: Vec<Applied> =
            settings.iter().map(|s| Applied { fault: index, undo, setting: s.clone() }).collect();
        let targets = hits.iter().map(|hit| self.name(*hit)).collect();
        let others = self.operator.others_of(index).iter().map(|hit| self.name(*hit)).collect();
        let (at, because) = (self.now, self.event);
        let fired = FaultFired { at, index, undo, verb, targets, others, applied, because };
        observer.fault(&fired, &self.all);
        self.changed = true;
        for setting in settings {
            self.set(&setting, observer);
        }
    }

    fn aim(&mut self, index: usize, targets: &[Target], others: &[Target]) {
        let hits: Vec<Hit> = targets.iter().flat_map(|t| self.hits(index, t)).collect();
        let others: Vec<Hit> = others.iter().flat_map(|t| self.hits(index, t)).collect();
        self.operator.hits[index] = hits;
        self.operator.others[index] = others;
    }

    fn name(&self, hit: Hit) -> String {
        match hit {
            Hit::Process(id) => self.all.map.name(id).to_owned(),
            Hit::Machine(id) => self.all.map.machine(id).name.clone(),
        }
    }

    /// The concrete settings of an action on what is hit, and on the other side.
    pub(super) fn settings_for(
        &self,
        hits: &[Hit],
        others: &[Hit],
        action: &Action,
    ) -> Vec<Setting> {
        let processes = || hits.iter().flat_map(|hit| self.processes_of(*hit));
        let machines = || hits.iter().filter_map(|hit| self.machine_hit(*hit));
        let pairs = || {
            let far: Vec<MachineId> = others.iter().filter_map(|h| self.machine_hit(*h)).collect();
            machines().flat_map(move |a| far.clone().into_iter().map(move |b| (a, b)))
        };
        match action {
            Action::Lever(lever) => processes().map(|id| Setting::Process(id, *lever)).collect(),
            Action::Start => processes().map(Setting::Start).collect(),
            Action::Config(sound) => processes().map(|id| Setting::Config(id, *sound)).collect(),
            Action::Restart => processes().map(Setting::Restart).collect(),
            Action::Certificate(which, valid) => {
                processes().map(|id| Setting::Certificate(id, *which, *valid)).collect()
            }
            Action::Fail => processes().map(Setting::Fail).collect(),
            Action::Mend => processes().map(Setting::Mend).collect(),
            Action::Power(on) => machines().map(|m| Setting::Power(m, *on)).collect(),
            Action::Cable(in_place) => machines().map(|m| Setting::Cable(m, *in_place)).collect(),
            Action::Port(open) => machines().map(|m| Setting::Port(m, *open)).collect(),
            Action::Link { both, up, .. } => pairs()
                .flat_map(|(a, b)| {
                    let there = Some(Setting::OneWay(a, b, *up));
                    let back = both.then_some(Setting::OneWay(b, a, *up));
                    there.into_iter().chain(back)
                })
                .collect(),
            Action::Delay { by, .. } => pairs().map(|(a, b)| Setting::Delay(a, b, *by)).collect(),
            Action::Loss { ppm, .. } => pairs().map(|(a, b)| Setting::Loss(a, b, *ppm)).collect(),
            Action::Snapshot => processes().map(Setting::Snapshot).collect(),
            Action::Restore => {
                let saved = self.operator.snapshot;
                let restored = |id| saved.map(|s| Setting::Process(id, Lever::Restore(s)));
                processes().filter_map(restored).collect()
            }
            Action::Disk(stalled) => machines().map(|m| Setting::Disk(m, *stalled)).collect(),
            Action::SlowDisk(how) => machines().map(|m| Setting::SlowDisk(m, *how)).collect(),
            Action::Record(listed) => machines().map(|m| Setting::Record(m, *listed)).collect(),
            Action::ClockRate(ppm) => machines().map(|m| Setting::ClockRate(m, *ppm)).collect(),
            Action::Suspend(stops) => machines().map(|m| Setting::Suspend(m, *stops)).collect(),
            // Each step of a procedure is an action of its own, when its time has come.
            Action::Roll(_) | Action::Starve { .. } => Vec::new(),
            Action::Feed => self.of_machines(hits, Lever::Resume),
            Action::OutOfService(given) => machines()
                .filter_map(|m| self.node_of(m))
                .map(|node| Setting::OutOfService(node, *given))
                .collect(),
        }
    }

    pub(super) fn processes_of(&self, hit: Hit) -> Vec<ComponentId> {
        match hit {
            Hit::Process(id) => vec![id],
            Hit::Machine(machine) => self.all.map.on_machine(machine).collect(),
        }
    }

    pub(super) fn machine_hit(&self, hit: Hit) -> Option<MachineId> {
        match hit {
            Hit::Process(id) => self.all.map.machine_of(id),
            Hit::Machine(machine) => Some(machine),
        }
    }

    /// Applies one setting.
    pub(super) fn set(&mut self, setting: &Setting, observer: &mut impl Observer) {
        match *setting {
            Setting::Process(id, lever) => {
                self.held_down[id.index()] |= lever == Lever::Stop;
                if lever == Lever::Stop {
                    self.signal(id, observer);
                } else {
                    self.pull(id, lever, observer);
                }
            }
            Setting::Start(id) => self.start_process(id, observer),
            Setting::Restart(id) => self.restart(id, observer),
            Setting::Config(id, sound) => self.configure(id, sound, observer),
            Setting::Certificate(id, which, valid) => self.certify(id, which, valid, observer),
            Setting::Fail(id) => self.fail(id, observer),
            Setting::Mend(id) => self.mend(id, observer),
            Setting::Power(machine, on) => self.power(machine, on, observer),
            Setting::Cable(machine, in_place) => {
                let before = self.all.reach.carrier(machine);
                self.all.reach.pull_cable(machine, !in_place);
                let carrier = self.all.reach.carrier(machine);
                if before != carrier {
                    self.pull_all(machine, Lever::Carrier(carrier), observer);
                }
                self.network_changed(machine);
            }
            Setting::Port(machine, open) => {
                self.all.reach.close_port(machine, !open);
                self.network_changed(machine);
            }
            Setting::OneWay(from, to, up) => {
                self.all.reach.cut(from, to, !up);
                self.network_changed(from);
                self.network_changed(to);
            }
            Setting::Delay(a, b, by) => {
                self.all.reach.set_extra_delay(a, b, by);
                self.all.reach.set_extra_delay(b, a, by);
                self.network_changed(a);
                self.network_changed(b);
            }
            Setting::Loss(a, b, ppm) => {
                self.all.reach.set_extra_loss(a, b, ppm);
                self.all.reach.set_extra_loss(b, a, ppm);
                self.network_changed(a);
                self.network_changed(b);
            }
            Setting::Snapshot(member) => self.save_snapshot(member),
            Setting::Disk(machine, stalled) => {
                self.all.machines[machine.index()].disk_stalled = stalled;
                let lever = if stalled { Lever::StallDisk } else { Lever::FreeDisk };
                self.pull_all(machine, lever, observer);
            }
            Setting::SlowDisk(machine, how) => {
                self.all.machines[machine.index()].slow_disk = how;
                self.pull_all(machine, Lever::SlowDisk(how), observer);
            }
            Setting::Record(machine, listed) => self.change_record(machine, listed),
            Setting::ClockRate(machine, ppm) => {
                self.all.machines[machine.index()].clock_ppm = ppm;
                self.pull_all(machine, Lever::ClockRate(ppm), observer);
            }
            Setting::Suspend(machine, true) => self.suspend(machine, observer),
            Setting::Suspend(machine, false) => self.wake(machine, observer),
            Setting::OutOfService(node, given) => self.taint_out_of_service(node, given, observer),
        }
    }

    /// `etcdctl snapshot save`: any member that serves has a store to copy, with a quorum or without.
    fn save_snapshot(&mut self, member: ComponentId) {
        let asked = self.machines[member.index()].asked(self.now);
        let running = self.all.processes[member.index()].state == ProcessState::Running;
        if let Some(Fact::Etcd(fact)) = asked.filter(|_| running)
            && fact.serving
        {
            let (taken, term, index) = (self.now, fact.term, fact.index);
            self.operator.snapshot = Some(Snapshot { taken, term, index });
        }
    }

    fn node_of(&self, machine: MachineId) -> Option<ComponentId> {
        let map = &self.all.map;
        map.find_component(&format!("node/{}", map.machine(machine).name))
    }

    fn taint_out_of_service(
        &mut self,
        node: ComponentId,
        given: bool,
        observer: &mut impl Observer,
    ) {
        let answers = |fact: &Fact| matches!(fact, Fact::ApiServer(fact) if fact.http && fact.write == Ability::Works);
        let Fact::Node(fact) = self.all.facts[node.index()] else { return };
        if self.all.facts.iter().any(answers) {
            let tainted = NodeFact { out_of_service: given, ..fact };
            self.change_fact(node, Fact::Node(tainted), observer);
        }
    }

    fn pull_all(&mut self, machine: MachineId, lever: Lever, observer: &mut impl Observer) {
        let there: Vec<ComponentId> = self.all.map.on_machine(machine).collect();
        for id in there {
            self.pull(id, lever, observer);
        }
    }
}

fn others_of(action: &Action) -> &[Target] {
    match action {
        Action::Link { others, .. }
        | Action::Delay { others, .. }
        | Action::Loss { others, .. } => others,
        _ => &[],
    }
}

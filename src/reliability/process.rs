//! The failure process: what is up, what is being repaired, and what happens next.
//!
//! Rules are those of [`Reliability`]. One cell of the agenda for each thing that fails, each common
//! outage, shock and planned work; a step is one of their events. A process is reset, not rebuilt,
//! for the next trial.
//!
//! Absent on purpose: services, protocols, statistics.

use super::clocks::{Clock, Purpose};
use super::crews::{Queue, Turn};
use crate::component::id::{ComponentId, MachineId, ZoneId};
use crate::component::map::Map;
use crate::kernel::agenda::{Agenda, Cell};
use crate::kernel::law::Law;
use crate::kernel::stream::Key;
use crate::kernel::time::{Duration, Time};
use crate::plan::reliability::{CommonOutage, OutageEffect, Part, PlannedWork, Reliability, Thing};

/// How a thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Up,
    /// Waits for a crew, with this much repair to do.
    Queued(Duration),
    /// Under repair until its cell rings.
    Repairing,
    /// Repaired or unharmed, but its zone has no power.
    WaitingForPower,
    Booting,
    /// Down for planned work.
    Worked,
}

#[derive(Clone, Debug)]
struct Slot {
    thing: Thing,
    part: Option<usize>,
    state: State,
    mode: usize,
    needs_crew: bool,
    /// Of a machine.
    zone: Option<ZoneId>,
    clock: Clock,
}

/// One common outage.
#[derive(Clone, Debug)]
struct Outage {
    away: bool,
    boot: Option<Law>,
    machines: Vec<usize>,
    clock: Clock,
}

/// How far planned work has come in its window.
#[derive(Clone, Debug)]
struct Work {
    next: usize,
    opened: Time,
    at_work: Option<usize>,
    clock: Clock,
}

/// The failure process of a plan.
#[derive(Clone, Debug)]
pub struct Process<'p> {
    laws: &'p Reliability,
    key: Key,
    now: Time,
    slots: Vec<Slot>,
    /// Slots of the processes on each machine.
    on: Vec<Vec<usize>>,
    machine_of: Vec<Option<usize>>,
    process: Vec<Option<usize>>,
    disk: Vec<Option<usize>>,
    link: Vec<Option<usize>>,
    cluster: Option<usize>,
    agenda: Agenda,
    crews: Vec<Queue>,
    outages: Vec<Outage>,
    shocks: Vec<Clock>,
    works: Vec<Work>,
    followers: Vec<(Time, usize, usize)>,
    turns: Vec<Turn>,
}

impl<'p> Process<'p> {
    /// The process of a cluster, everything up and new at time 0.
    pub fn new(map: &Map, laws: &'p Reliability, key: Key) -> Self {
        let mut slots: Vec<Slot> = map
            .machines()
            .map(|(id, machine)| Slot::new(Thing::Machine(id), &machine.name, laws))
            .collect();
        for (slot, (_, machine)) in slots.iter_mut().zip(map.machines()) {
            slot.zone = Some(machine.zone);
        }
        let machines = slots.len();
        let (mut process, mut disk) = (vec![None; map.component_count()], vec![None; machines]);
        let (mut link, mut cluster) = (vec![None; machines], None);
        let mut on = vec![Vec::new(); machines];
        for part in &laws.parts {
            let at = slots.len();
            match part.thing {
                Thing::Machine(_) => continue,
                Thing::Process(id) => {
                    process[id.index()] = Some(at);
                    if let Some(machine) = map.machine_of(id) {
                        on[machine.index()].push(at);
                    }
                }
                Thing::Disk(machine) => disk[machine.index()] = Some(at),
                Thing::Link(machine) => link[machine.index()] = Some(at),
                Thing::Cluster => cluster = Some(at),
            }
            slots.push(Slot::new(part.thing, &part.name, laws));
        }
        // Shocks stop processes that may have no failures of their own.
        for id in laws.shocks.iter().flat_map(|shock| &shock.processes) {
            if process[id.index()].is_none() {
                let at = slots.len();
                process[id.index()] = Some(at);
                if let Some(machine) = map.machine_of(*id) {
                    on[machine.index()].push(at);
                }
                slots.push(Slot::new(Thing::Process(*id), map.name(*id), laws));
            }
        }
        let cells = slots.len() + laws.outages.len() + laws.shocks.len() + laws.work.len() + 1;
        let outage = |outage: &CommonOutage| Outage {
            away: false,
            boot: match &outage.effect {
                OutageEffect::Overlay => None,
                OutageEffect::Crash { boot } => Some(boot.clone()),
            },
            machines: outage.machines.iter().map(|machine| machine.index()).collect(),
            clock: Clock::of(&outage.name),
        };
        let work = |work: &PlannedWork| Work {
            next: 0,
            opened: Time::NEVER,
            at_work: None,
            clock: Clock::of(&work.cause),
        };
        let mut process = Self {
            key,
            now: Time::START,
            on,
            machine_of: map
                .components()
                .map(|(id, _)| map.machine_of(id).map(MachineId::index))
                .collect(),
            process,
            disk,
            link,
            cluster,
            agenda: Agenda::new(cells),
            crews: laws.crews.iter().map(Queue::new).collect(),
            outages: laws.outages.iter().map(outage).collect(),
            shocks: laws.shocks.iter().map(|shock| Clock::of(&shock.cause)).collect(),
            works: laws.work.iter().map(work).collect(),
            followers: Vec::new(),
            turns: Vec::new(),
            slots,
            laws,
        };
        process.begin();
        process
    }

    /// Begins anew with other randomness.
    pub fn reset(&mut self, key: Key) {
        self.key = key;
        self.now = Time::START;
        self.agenda.reset();
        self.crews.iter_mut().for_each(Queue::clear);
        self.followers.clear();
        for slot in &mut self.slots {
            slot.state = State::Up;
            slot.clock.rewind();
        }
        for outage in &mut self.outages {
            outage.away = false;
            outage.clock.rewind();
        }
        self.shocks.iter_mut().for_each(Clock::rewind);
        for work in &mut self.works {
            (work.next, work.opened, work.at_work) = (0, Time::NEVER, None);
            work.clock.rewind();
        }
        self.begin();
    }

    fn begin(&mut self) {
        for at in 0..self.slots.len() {
            self.start_clock(at);
        }
        for at in 0..self.outages.len() {
            self.next_outage_event(at);
        }
        for at in 0..self.shocks.len() {
            self.next_shock(at);
        }
        for at in 0..self.works.len() {
            let first = Time::START + self.laws.work[at].first;
            self.agenda.set(self.work_cell(at), first);
        }
    }

    /// When something happens next.
    pub fn next(&self) -> Option<Time> {
        self.agenda.next().map(|(at, _)| at)
    }

    /// Lets the next thing happen.
    pub fn step(&mut self) {
        let Some((at, cell)) = self.agenda.next() else { return };
        self.now = at;
        self.agenda.clear(cell);
        let number = cell.0 as usize;
        let (outages, shocks) = (self.slots.len(), self.slots.len() + self.outages.len());
        let works = shocks + self.shocks.len();
        if number < outages {
            self.slot_event(number);
        } else if number < shocks {
            self.outage_event(number - outages);
        } else if number < works {
            self.shock(number - shocks);
        } else if number < works + self.works.len() {
            self.work_event(number - works);
        } else {
            self.follow();
        }
    }

    /// Whether a process runs on a machine that can be reached.
    pub fn serves(&self, id: ComponentId) -> bool {
        let up = self.process[id.index()].is_none_or(|at| self.is_up(at));
        up && self.machine_of[id.index()].is_none_or(|machine| self.usable(machine))
    }

    /// Whether the disk beside a process takes writes.
    pub fn disk_works(&self, id: ComponentId) -> bool {
        let disk = self.machine_of[id.index()].and_then(|machine| self.disk[machine]);
        disk.is_none_or(|at| self.is_up(at))
    }

    /// Whether the machine of a process is up, whoever can reach it.
    pub fn machine_is_up(&self, id: ComponentId) -> bool {
        self.machine_of[id.index()].is_none_or(|machine| self.is_up(machine))
    }

    /// Whether nothing stops the cluster as one.
    pub fn cluster_works(&self) -> bool {
        self.cluster.is_none_or(|at| self.is_up(at))
    }

    /// Whether planned work is under way.
    pub fn is_worked_on(&self) -> bool {
        self.works.iter().any(|work| work.at_work.is_some())
    }

    fn is_up(&self, at: usize) -> bool {
        self.slots[at].state == State::Up
    }

    fn usable(&self, machine: usize) -> bool {
        let overlaid = |outage: &Outage| {
            outage.away && outage.boot.is_none() && outage.machines.contains(&machine)
        };
        self.is_up(machine)
            && self.link[machine].is_none_or(|at| self.is_up(at))
            && !self.outages.iter().any(overlaid)
    }

    fn part(&self, at: usize) -> Option<&'p Part> {
        self.slots[at].part.map(|part| &self.laws.parts[part])
    }

    /// Draws when a thing that came up fails, and by which of its modes.
    fn start_clock(&mut self, at: usize) {
        let Some(part) = self.part(at) else { return };
        let (key, now) = (self.key, self.now);
        let slot = &mut self.slots[at];
        let mut first = Time::NEVER;
        for (mode, laws) in part.modes.iter().enumerate() {
            let end = slot.clock.end(key, Purpose::Failure, &laws.failure, now);
            if end < first {
                (first, slot.mode) = (end, mode);
            }
        }
        self.agenda.set(cell(at), first);
    }

    fn slot_event(&mut self, at: usize) {
        match self.slots[at].state {
            State::Up => self.fail(at),
            State::Repairing => self.repaired(at),
            State::Booting | State::Worked => self.come_up(at),
            State::Queued(_) | State::WaitingForPower => {}
        }
    }

    fn fail(&mut self, at: usize) {
        let Some(part) = self.part(at) else { return };
        let is_machine = matches!(part.thing, Thing::Machine(_));
        if let Some(bursts) = self.laws.bursts.as_ref().filter(|_| is_machine) {
            let follows = bursts.follow_probability();
            let key = self.key;
            let mut draw = self.slots[at].clock.draw(key, Purpose::Thinning);
            if draw.uniform() >= 1.0 / (1.0 + follows) {
                return self.start_clock(at);
            }
            if draw.uniform() < follows {
                let when = self.now + draw.uniform_duration(Duration::ZERO, bursts.window);
                self.followers.push((when, at, self.slots[at].mode));
                self.set_follower_cell();
            }
        }
        let mode = &part.modes[self.slots[at].mode];
        self.strike(at, &mode.repair, mode.needs_crew);
    }

    /// Something goes down, with a repair of this law.
    fn strike(&mut self, at: usize, repair: &Law, needs_crew: bool) {
        let key = self.key;
        let span = repair.sample(&mut self.slots[at].clock.draw(key, Purpose::Repair));
        self.down(at, State::Queued(span));
        let crew = self.part(at).filter(|_| needs_crew).and_then(|part| part.crew);
        self.slots[at].needs_crew = crew.is_some();
        match crew {
            Some(crew) => {
                let urgency = self.part(at).map_or(0, |part| part.urgency);
                self.crews[crew].join(at, urgency, &mut self.turns);
                self.take_turns();
            }
            None => self.begin_repair(at),
        }
    }

    fn begin_repair(&mut self, at: usize) {
        if let State::Queued(span) = self.slots[at].state {
            self.slots[at].state = State::Repairing;
            self.agenda.set(cell(at), self.now + span);
        }
    }

    fn take_turns(&mut self) {
        let turns = std::mem::take(&mut self.turns);
        for turn in &turns {
            match *turn {
                Turn::Begins(at) => self.begin_repair(at),
                Turn::Stops(at) => {
                    let left = self.agenda.at(cell(at)).saturating_since(self.now);
                    self.slots[at].state = State::Queued(left);
                    self.agenda.clear(cell(at));
                }
            }
        }
        self.turns = turns;
        self.turns.clear();
    }

    fn leave_crew(&mut self, at: usize) {
        let crew = self.part(at).and_then(|part| part.crew);
        if let Some(crew) = crew.filter(|_| std::mem::take(&mut self.slots[at].needs_crew)) {
            self.crews[crew].leave(at, &mut self.turns);
            self.take_turns();
        }
    }

    fn repaired(&mut self, at: usize) {
        self.leave_crew(at);
        if self.has_power(at) {
            self.come_up(at)
        } else {
            self.slots[at].state = State::WaitingForPower
        }
    }

    fn has_power(&self, at: usize) -> bool {
        let dark =
            |outage: &Outage| outage.away && outage.boot.is_some() && outage.machines.contains(&at);
        !self.outages.iter().any(dark)
    }

    /// Takes a thing down; with a machine its processes go, and their repairs with them.
    fn down(&mut self, at: usize, state: State) {
        self.slots[at].state = state;
        self.agenda.clear(cell(at));
        if let Thing::Machine(machine) = self.slots[at].thing {
            for index in 0..self.on[machine.index()].len() {
                let process = self.on[machine.index()][index];
                self.agenda.clear(cell(process));
                self.leave_crew(process);
                self.slots[process].state = State::Up;
            }
        }
    }

    /// A thing is up and new; so are the processes of a machine.
    fn come_up(&mut self, at: usize) {
        self.slots[at].state = State::Up;
        self.start_clock(at);
        if let Thing::Machine(machine) = self.slots[at].thing {
            for index in 0..self.on[machine.index()].len() {
                let process = self.on[machine.index()][index];
                self.slots[process].state = State::Up;
                self.start_clock(process);
            }
            self.work_ended(at);
        } else if self.machine_slot(at).is_some_and(|machine| !self.is_up(machine)) {
            // A process comes up with its machine only.
            self.agenda.clear(cell(at));
        }
    }

    fn machine_slot(&self, at: usize) -> Option<usize> {
        match self.slots[at].thing {
            Thing::Process(id) => self.machine_of[id.index()],
            _ => None,
        }
    }

    fn next_outage_event(&mut self, at: usize) {
        let laws = &self.laws.outages[at];
        let law = if self.outages[at].away { &laws.repair } else { &laws.failure };
        let end = self.outages[at].clock.end(self.key, Purpose::Failure, law, self.now);
        self.agenda.set(cell(self.slots.len() + at), end);
    }

    fn outage_event(&mut self, at: usize) {
        self.outages[at].away = !self.outages[at].away;
        self.next_outage_event(at);
        let Some(boot) = self.outages[at].boot.clone() else { return };
        let machines = self.outages[at].machines.clone();
        for machine in machines {
            let state = self.slots[machine].state;
            if self.outages[at].away {
                if matches!(state, State::Up | State::Booting | State::Worked) {
                    self.down(machine, State::WaitingForPower);
                }
            } else if state == State::WaitingForPower && self.has_power(machine) {
                self.slots[machine].state = State::Booting;
                let key = self.key;
                let end = self.slots[machine].clock.end(key, Purpose::Boot, &boot, self.now);
                self.agenda.set(cell(machine), end);
            }
        }
    }

    fn next_shock(&mut self, at: usize) {
        let law = &self.laws.shocks[at].every;
        let end = self.shocks[at].end(self.key, Purpose::Failure, law, self.now);
        self.agenda.set(cell(self.slots.len() + self.outages.len() + at), end);
    }

    fn shock(&mut self, at: usize) {
        self.next_shock(at);
        let laws = self.laws;
        let shock = &laws.shocks[at];
        for id in &shock.processes {
            let Some(process) = self.process[id.index()] else { continue };
            let on_up = self.machine_of[id.index()].is_none_or(|machine| self.is_up(machine));
            if on_up && self.is_up(process) {
                self.strike(process, &shock.repair, false);
            }
        }
    }

    fn work_cell(&self, at: usize) -> Cell {
        cell(self.slots.len() + self.outages.len() + self.shocks.len() + at)
    }

    /// A window opens, or the next machine's turn comes.
    fn work_event(&mut self, at: usize) {
        let laws = self.laws;
        let plan = &laws.work[at];
        if self.works[at].opened.is_never() {
            self.works[at].opened = self.now;
        }
        let closes = self.works[at].opened + plan.window;
        let Some(machine) = plan.machines.get(self.works[at].next).map(|machine| machine.index())
        else {
            return self.wait_for_window(at);
        };
        if self.now >= closes {
            return self.wait_for_window(at);
        }
        if !self.is_up(machine) || (plan.only_when_whole && !self.is_whole()) {
            // Looked at again when something happens; the window's end at the latest.
            let again = self.agenda.next().map_or(closes, |(next, _)| next.min(closes));
            let soon = self.now + Duration::from_nanos(1);
            return self.agenda.set(self.work_cell(at), again.max(soon));
        }
        let key = self.key;
        let span = plan.lasts.sample(&mut self.works[at].clock.draw(key, Purpose::Repair));
        self.works[at].next += 1;
        self.works[at].at_work = Some(machine);
        self.down(machine, State::Worked);
        self.agenda.set(cell(machine), self.now + span);
    }

    /// All machines are done, or the window has closed: the next window goes on.
    fn wait_for_window(&mut self, at: usize) {
        let plan = &self.laws.work[at];
        let work = &mut self.works[at];
        if work.next >= plan.machines.len() {
            work.next = 0;
        }
        let mut opens = work.opened;
        while opens <= self.now {
            opens = opens + plan.every;
        }
        work.opened = Time::NEVER;
        self.agenda.set(self.work_cell(at), opens);
    }

    /// A machine is up again: if work had taken it, the next one's turn comes.
    fn work_ended(&mut self, machine: usize) {
        for at in 0..self.works.len() {
            if self.works[at].at_work == Some(machine) {
                self.works[at].at_work = None;
                let next = self.now + self.laws.work[at].pause;
                self.agenda.set(self.work_cell(at), next);
            }
        }
    }

    fn is_whole(&self) -> bool {
        self.slots.iter().all(|slot| slot.state == State::Up)
            && !self.outages.iter().any(|outage| outage.away)
    }

    fn set_follower_cell(&mut self) {
        let next = self.followers.iter().map(|(at, ..)| *at).min().unwrap_or(Time::NEVER);
        self.agenda.set(cell(self.agenda.len() - 1), next);
    }

    /// A machine follows another one down.
    fn follow(&mut self) {
        let laws = self.laws;
        let Some(bursts) = &laws.bursts else { return };
        let Some(due) = self.followers.iter().position(|(at, ..)| *at <= self.now) else { return };
        let (_, leader, mode) = self.followers.remove(due);
        self.set_follower_cell();
        let Some(part) = self.part(leader) else { return };
        let key = self.key;
        let mut draw = self.slots[leader].clock.draw(key, Purpose::Follower);
        let near = draw.uniform() < f64::from(bursts.same_zone.0) / 1e6;
        let fails = |slot: &Slot| matches!(slot.thing, Thing::Machine(_)) && slot.part.is_some();
        let candidates = |world: &Self, same: bool| -> Vec<usize> {
            let all = 0..world.slots.len();
            let fits = |at: &usize| {
                let slot = &world.slots[*at];
                *at != leader
                    && fails(slot)
                    && slot.state == State::Up
                    && (!same || slot.zone == world.slots[leader].zone)
            };
            all.filter(fits).collect()
        };
        let mut others = candidates(self, near);
        if others.is_empty() {
            others = candidates(self, false);
        }
        if others.is_empty() {
            return;
        }
        let other = others[usize::try_from(draw.below(others.len() as u64)).unwrap_or(0)];
        let mode = &part.modes[mode];
        self.strike(other, &mode.repair, mode.needs_crew);
    }
}

/// The agenda has checked that the number fits.
#[expect(clippy::cast_possible_truncation, reason = "fewer cells than 2³²")]
fn cell(number: usize) -> Cell {
    Cell(number as u32)
}

impl Slot {
    fn new(thing: Thing, name: &str, laws: &Reliability) -> Self {
        let part = laws.parts.iter().position(|part| part.thing == thing);
        let clock = Clock::of(name);
        Self { thing, part, state: State::Up, mode: 0, needs_crew: false, zone: None, clock }
    }
}

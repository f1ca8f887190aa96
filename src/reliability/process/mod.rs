//! The failure process: what is up, what is being repaired, and what happens next.
//!
//! Rules are those of [`Reliability`]. One cell of the agenda for each thing that fails, each common
//! outage, shock and planned work; a step is one of their events. A process is reset, not rebuilt,
//! for the next trial.
//!
//! Absent on purpose: services, protocols, statistics.

mod build;
mod common;
mod endings;
mod hazards;
mod signature;
mod turns;
mod work;

pub(super) use endings::rate;
pub use endings::{Ending, forgets};
pub use hazards::Hazard;
pub use signature::Signature;

use super::clocks::{Clock, Purpose};
use super::crews::{Queue, Turn};
use crate::component::id::{ComponentId, MachineId, ZoneId};
use crate::kernel::agenda::{Agenda, Cell};
use crate::kernel::stream::Key;
use crate::kernel::time::{Duration, Time};
use crate::plan::reliability::{Part, Reliability, Thing};

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

/// Something that is not as it should be, as far as it can be seen from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ailment {
    /// The machine has no power: it failed, is being worked on, or its zone has none. One that boots
    /// has power.
    Off(MachineId),
    /// Nobody reaches the machine: an outage of its zone or rack that leaves it running.
    CutOff(MachineId),
    /// The machine's own link is down.
    Unplugged(MachineId),
    /// The machine has power, and its disk takes no writes.
    Stalled(MachineId),
    /// The process failed.
    Failed(ComponentId),
    /// The cluster as one is stopped.
    Cluster,
}

#[derive(Clone, Debug)]
struct Slot {
    thing: Thing,
    part: Option<usize>,
    state: State,
    mode: usize,
    /// The shock that stopped it, if one did.
    shock: Option<usize>,
    needs_crew: bool,
    /// Of a machine.
    zone: Option<ZoneId>,
    clock: Clock,
}

/// One common outage.
#[derive(Clone, Debug)]
struct Outage {
    away: bool,
    /// Machines crash with it, and boot when it is over; else nobody reaches them meanwhile.
    crashes: bool,
    machines: Vec<usize>,
    clock: Clock,
}

/// How far planned work has come in its window.
#[derive(Clone, Debug)]
struct Work {
    next: usize,
    opened: Time,
    machine: Option<usize>,
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
    program: Vec<Option<usize>>,
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
    /// Since when each clock of failure runs: slots, then outages, then shocks.
    since: Vec<Time>,
    /// Whether failures wait for [`Process::strike_by`] instead of their own clocks.
    held: bool,
    /// Room for the clocks that run when all are let go.
    running: Vec<Hazard<'p>>,
    /// Whether repairs are drawn by their length, and how much more probable those drawn since were so.
    lengthens: bool,
    lengthened: f64,
    /// How many failures, outages and shocks began by their own clocks.
    strikes: u64,
    /// A bit for each slot that is not up and for each outage under way, as far as there is room.
    down: Signature,
}

impl<'p> Process<'p> {
    /// When something happens next.
    pub fn next(&self) -> Option<Time> {
        self.agenda.next().map(|(at, _)| at)
    }

    /// The same; [`Time::NEVER`] if nothing does.
    #[inline]
    pub fn soonest(&self) -> Time {
        self.agenda.soonest()
    }

    /// Lets the next thing happen.
    pub fn step(&mut self) {
        let Some((at, cell)) = self.agenda.next() else { return };
        self.now = at;
        let number = cell.0 as usize;
        let (outages, shocks) = (self.slots.len(), self.slots.len() + self.outages.len());
        let works = shocks + self.shocks.len();
        if number < outages {
            self.slot_event(number);
        } else if number < shocks {
            self.outage_event(number - outages);
        } else if number < works {
            self.shock(number - shocks);
        } else {
            // All above set or clear their own cell, whatever happens.
            self.agenda.clear(cell);
            if number < works + self.works.len() {
                self.work_event(number - works);
            } else {
                self.follow();
            }
        }
    }

    /// Whether a process runs on a machine that can be reached.
    pub fn serves(&self, id: ComponentId) -> bool {
        let up = self.program[id.index()].is_none_or(|at| self.is_up(at));
        up && self.machine_of[id.index()].is_none_or(|machine| self.usable(machine))
    }

    /// Whether a process runs and its machine is up, whoever can reach them.
    pub fn runs(&self, id: ComponentId) -> bool {
        self.program[id.index()].is_none_or(|at| self.is_up(at)) && self.machine_is_up(id)
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

    /// Writes down everything that is not as it should be, in one order.
    pub fn ailments(&self, out: &mut Vec<Ailment>) {
        out.clear();
        for (at, slot) in self.slots.iter().enumerate() {
            let ails = !matches!(slot.state, State::Up);
            match slot.thing {
                Thing::Machine(machine) => {
                    if self.is_overlaid(at) {
                        out.push(Ailment::CutOff(machine));
                    }
                    if ails && slot.state != State::Booting {
                        out.push(Ailment::Off(machine));
                    }
                }
                Thing::Link(machine) if ails => out.push(Ailment::Unplugged(machine)),
                Thing::Disk(machine) if ails && self.is_powered(machine) => {
                    out.push(Ailment::Stalled(machine));
                }
                Thing::Process(id) if ails => out.push(Ailment::Failed(id)),
                Thing::Cluster if ails => out.push(Ailment::Cluster),
                _ => {}
            }
        }
    }

    fn is_powered(&self, machine: MachineId) -> bool {
        matches!(self.slots[machine.index()].state, State::Up | State::Booting)
    }

    /// Whether nothing stops the cluster as one.
    pub fn cluster_works(&self) -> bool {
        self.cluster.is_none_or(|at| self.is_up(at))
    }

    /// Whether planned work is under way.
    pub fn is_worked_on(&self) -> bool {
        self.works.iter().any(|work| work.machine.is_some())
    }

    fn is_up(&self, at: usize) -> bool {
        self.slots[at].state == State::Up
    }

    fn usable(&self, machine: usize) -> bool {
        self.is_up(machine)
            && self.link[machine].is_none_or(|at| self.is_up(at))
            && !self.is_overlaid(machine)
    }

    fn is_overlaid(&self, machine: usize) -> bool {
        let overlaid =
            |outage: &Outage| outage.away && !outage.crashes && outage.machines.contains(&machine);
        self.outages.iter().any(overlaid)
    }

    fn part(&self, at: usize) -> Option<&'p Part> {
        self.slots[at].part.map(|part| &self.laws.parts[part])
    }

    /// Draws when a thing that came up fails, and by which of its modes.
    fn start_clock(&mut self, at: usize) {
        let Some(part) = self.part(at) else { return self.agenda.clear(cell(at)) };
        let (key, now) = (self.key, self.now);
        self.since[at] = now;
        if self.held {
            return self.agenda.clear(cell(at));
        }
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
            State::Queued(_) | State::WaitingForPower => self.agenda.clear(cell(at)),
        }
    }

    fn fail(&mut self, at: usize) {
        let Some(part) = self.part(at) else { return self.agenda.clear(cell(at)) };
        self.strikes += 1;
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
        self.slots[at].shock = None;
        let mode = &part.modes[self.slots[at].mode];
        let span = self.repair(at, &mode.repair);
        self.strike_for(at, span, mode.needs_crew);
    }

    /// Something goes down, with so much repair to do.
    fn strike_for(&mut self, at: usize, span: Duration, needs_crew: bool) {
        self.go_down(at, State::Queued(span));
        let crew = self.part(at).filter(|_| needs_crew).and_then(|part| part.crew);
        self.slots[at].needs_crew = crew.is_some();
        match crew {
            Some(crew) => {
                let urgency = self.part(at).map_or(0, |part| part.urgency);
                self.agenda.clear(cell(at));
                self.crews[crew].join(at, urgency, &mut self.turns);
                self.take_turns();
            }
            None => self.begin_repair(at),
        }
    }

    fn repaired(&mut self, at: usize) {
        self.leave_crew(at);
        if self.has_power(at) {
            self.come_up(at);
        } else {
            self.put(at, State::WaitingForPower);
            self.agenda.clear(cell(at));
        }
    }

    fn has_power(&self, at: usize) -> bool {
        let dark = |outage: &Outage| outage.away && outage.crashes && outage.machines.contains(&at);
        !self.outages.iter().any(dark)
    }

    /// Takes a thing down that has nothing to wait for by itself.
    fn down(&mut self, at: usize, state: State) {
        self.go_down(at, state);
        self.agenda.clear(cell(at));
    }

    /// The same, but its cell is for the caller to set. With a machine its processes and repairs go.
    fn go_down(&mut self, at: usize, state: State) {
        self.put(at, state);
        if let Thing::Machine(machine) = self.slots[at].thing {
            for index in 0..self.on[machine.index()].len() {
                let process = self.on[machine.index()][index];
                self.agenda.clear(cell(process));
                self.leave_crew(process);
                self.put(process, State::Up);
            }
        }
    }

    /// A thing is up and new; so are the processes of a machine.
    fn come_up(&mut self, at: usize) {
        self.put(at, State::Up);
        self.start_clock(at);
        if let Thing::Machine(machine) = self.slots[at].thing {
            for index in 0..self.on[machine.index()].len() {
                let process = self.on[machine.index()][index];
                self.put(process, State::Up);
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
}

/// The agenda has checked that the number fits.
#[expect(clippy::cast_possible_truncation, reason = "fewer cells than 2³²")]
fn cell(number: usize) -> Cell {
    Cell(number as u32)
}

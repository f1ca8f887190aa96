//! How a process begins: from a plan, or anew.

use super::super::clocks::Clock;
use super::super::crews::Queue;
use super::{Outage, Process, Signature, Slot, State, Work};
use crate::component::id::{ComponentId, MachineId};
use crate::component::map::Map;
use crate::kernel::agenda::Agenda;
use crate::kernel::stream::Key;
use crate::kernel::time::Time;
use crate::plan::reliability::{CommonOutage, OutageEffect, PlannedWork, Reliability, Thing};

/// Where the slots of things stand.
struct Places {
    program: Vec<Option<usize>>,
    disk: Vec<Option<usize>>,
    link: Vec<Option<usize>>,
    cluster: Option<usize>,
    on: Vec<Vec<usize>>,
}

impl Places {
    /// Gives everything but the machines, which have theirs, a slot.
    fn of(map: &Map, laws: &Reliability, slots: &mut Vec<Slot>) -> Self {
        let machines = slots.len();
        let mut places = Self {
            program: vec![None; map.component_count()],
            disk: vec![None; machines],
            link: vec![None; machines],
            cluster: None,
            on: vec![Vec::new(); machines],
        };
        for part in &laws.parts {
            let at = slots.len();
            match part.thing {
                Thing::Machine(_) => continue,
                Thing::Process(id) => places.put(map, id, at),
                Thing::Disk(machine) => places.disk[machine.index()] = Some(at),
                Thing::Link(machine) => places.link[machine.index()] = Some(at),
                Thing::Cluster => places.cluster = Some(at),
            }
            slots.push(Slot::new(part.thing, &part.name, laws));
        }
        // Shocks stop processes that may have no failures of their own.
        for id in laws.shocks.iter().flat_map(|shock| &shock.processes) {
            if places.program[id.index()].is_none() {
                places.put(map, *id, slots.len());
                slots.push(Slot::new(Thing::Process(*id), map.name(*id), laws));
            }
        }
        places
    }

    fn put(&mut self, map: &Map, id: ComponentId, at: usize) {
        self.program[id.index()] = Some(at);
        if let Some(machine) = map.machine_of(id) {
            self.on[machine.index()].push(at);
        }
    }
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
        let places = Places::of(map, laws, &mut slots);
        let cells = slots.len() + laws.outages.len() + laws.shocks.len() + laws.work.len() + 1;
        let outage = |outage: &CommonOutage| Outage {
            away: false,
            crashes: matches!(outage.effect, OutageEffect::Crash { .. }),
            machines: outage.machines.iter().map(|machine| machine.index()).collect(),
            clock: Clock::of(&outage.name),
        };
        let work = |work: &PlannedWork| Work {
            next: 0,
            opened: Time::NEVER,
            machine: None,
            clock: Clock::of(&work.cause),
        };
        let Places { program, disk, link, cluster, on } = places;
        let mut process = Self {
            key,
            now: Time::START,
            on,
            machine_of: map
                .components()
                .map(|(id, _)| map.machine_of(id).map(MachineId::index))
                .collect(),
            program,
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
            since: vec![Time::START; cells],
            held: false,
            running: Vec::new(),
            lengthens: false,
            lengthened: 1.0,
            strikes: 0,
            down: Signature::default(),
            slots,
            laws,
        };
        process.begin();
        process
    }

    /// Begins anew with other randomness.
    pub fn reset(&mut self, key: Key) {
        self.reset_as(key, false);
    }

    /// The same; held, nothing fails by its own clock.
    pub fn reset_as(&mut self, key: Key, held: bool) {
        self.key = key;
        self.now = Time::START;
        self.agenda.reset();
        self.crews.iter_mut().for_each(Queue::clear);
        self.followers.clear();
        (self.held, self.strikes, self.down) = (held, 0, Signature::default());
        (self.lengthens, self.lengthened) = (false, 1.0);
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
            (work.next, work.opened, work.machine) = (0, Time::NEVER, None);
            work.clock.rewind();
        }
        self.begin();
    }

    pub(super) fn begin(&mut self) {
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
}

impl Slot {
    pub(super) fn new(thing: Thing, name: &str, laws: &Reliability) -> Self {
        let part = laws.parts.iter().position(|part| part.thing == thing);
        let clock = Clock::of(name);
        Self {
            thing,
            part,
            state: State::Up,
            mode: 0,
            shock: None,
            needs_crew: false,
            zone: None,
            clock,
        }
    }
}

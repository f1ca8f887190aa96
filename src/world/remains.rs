//! What is left of a world that is over: the memory in which another one of the same components is
//! built. Years of protocols have a world for each incident.
//!
//! Absent on purpose: everything that tells the two worlds apart. One that is built so cannot be told
//! from one that is built anew.

use super::event::EventLog;
use super::pending::Pending;
use super::{Letter, Origin};
use crate::component::effects::{DrawCounts, Outbox, PURPOSES_MAX};
use crate::component::id::ComponentId;
use crate::component::map::Map;
use crate::components::Machine;
use crate::kernel::agenda::Agenda;
use crate::kernel::mail::MailQueue;
use crate::plan::Plan;
use std::sync::Arc;

/// What follows from the components alone.
#[derive(Debug, Default)]
pub(super) struct Layout {
    map: Arc<Map>,
    /// The first alarm cell of each component.
    pub(super) bases: Vec<u32>,
    /// Whose each alarm cell is.
    pub(super) owners: Vec<ComponentId>,
    /// Who watches each component.
    pub(super) watchers: Vec<Vec<ComponentId>>,
    /// Which components need be told only once of several changes at an instant.
    pub(super) looks_at_all: Vec<bool>,
}

impl Layout {
    fn of(map: &Arc<Map>, machines: &[Machine]) -> Self {
        let mut bases = Vec::with_capacity(machines.len());
        let mut owners = Vec::new();
        let mut watchers = vec![Vec::new(); machines.len()];
        for ((id, _), machine) in map.components().zip(machines) {
            bases.push(u32::try_from(owners.len()).unwrap_or(u32::MAX));
            owners.extend(std::iter::repeat_n(id, machine.alarms()));
            for watched in machine.watches(map) {
                watchers[watched.index()].push(id);
            }
        }
        let looks_at_all = machines.iter().map(Machine::looks_at_all).collect();
        Self { map: map.clone(), bases, owners, watchers, looks_at_all }
    }
}

/// The memory of a world that is over. That of none serves as well.
#[derive(Debug)]
pub struct Remains {
    pub(super) layout: Layout,
    pub(super) waits: Vec<Origin>,
    pub(super) counts: Vec<DrawCounts>,
    pub(super) agenda: Agenda,
    pub(super) post: MailQueue<Letter>,
    #[expect(clippy::vec_box, reason = "a box moves as a pointer, an outbox as its whole size")]
    pub(super) outboxes: Vec<Box<Outbox>>,
    pub(super) saw: Pending,
    pub(super) log: EventLog,
}

impl Default for Remains {
    fn default() -> Self {
        Self {
            layout: Layout::default(),
            waits: Vec::new(),
            counts: Vec::new(),
            agenda: Agenda::new(0),
            post: MailQueue::new(),
            outboxes: Vec::new(),
            saw: Pending::default(),
            log: EventLog::default(),
        }
    }
}

impl Remains {
    /// The same with nothing left of what happened, for a plan with these machines.
    pub(super) fn cleared(mut self, plan: &Plan, machines: &[Machine]) -> Self {
        if !Arc::ptr_eq(&self.layout.map, &plan.map) {
            self.layout = Layout::of(&plan.map, machines);
            self.agenda = Agenda::new(self.layout.owners.len());
            self.saw = Pending::among(machines.len());
        }
        self.agenda.reset();
        self.waits.clear();
        self.waits.resize_with(self.layout.owners.len(), Origin::default);
        self.counts.clear();
        self.counts.resize(machines.len(), [0; PURPOSES_MAX]);
        self.post.reset();
        self.log.reset();
        self
    }
}

//! The log of events: what happened when, because of what, after waiting for what.
//!
//! Everything that happens at one instant as a consequence of one alarm, letter or setting is one
//! event. The log is what blame is read from.

use crate::component::blame::{Blame, EventId};
use crate::component::id::ComponentId;
use crate::kernel::time::Time;

/// What set an event off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// The start of the run.
    Start,
    /// A scheduled fault (or its end), by position in the schedule.
    Fault {
        /// Position in the schedule.
        index: usize,
        /// Whether it is the end of the fault.
        undo: bool,
    },
    /// An alarm of the owner, by its index.
    Alarm(usize),
    /// A message that reached the owner.
    Mail {
        /// Its sender.
        from: ComponentId,
    },
    /// Work that an earlier event asked for was completed.
    Answer,
    /// A process that was asked to end was killed when its grace was over.
    GraceOver,
    /// A process got to its SIGTERM.
    Signal,
    /// A process started.
    ProcessStart,
    /// The clients' resolver asked for the endpoint's name again and found it changed.
    Resolved,
    /// A machine gave up a silent holder of the virtual address and asked everybody.
    NeighbourExpired,
}

/// One event.
#[derive(Clone, Debug)]
pub struct Event {
    /// When.
    pub at: Time,
    /// To whom it happened; `None` for faults and boots.
    pub owner: Option<ComponentId>,
    /// The event that led to it.
    pub parent: EventId,
    /// What the time since then was spent on.
    pub blame: Blame,
    /// What set it off.
    pub kind: EventKind,
}

/// All events of a run, in order.
#[derive(Clone, Debug)]
pub struct EventLog {
    events: Vec<Event>,
}

impl Default for EventLog {
    fn default() -> Self {
        let mut log = Self { events: Vec::new() };
        log.reset();
        log
    }
}

impl EventLog {
    /// Forgets everything but the start, and keeps the memory.
    pub(super) fn reset(&mut self) {
        self.events.clear();
        self.events.push(Event {
            at: Time::START,
            owner: None,
            parent: EventId::START,
            blame: Blame::default(),
            kind: EventKind::Start,
        });
    }

    /// Appends an event.
    pub fn push(&mut self, event: Event) -> EventId {
        let id = EventId(u32::try_from(self.events.len()).unwrap_or(u32::MAX));
        self.events.push(event);
        id
    }

    /// The event of an id.
    pub fn get(&self, id: EventId) -> &Event {
        &self.events[id.0 as usize]
    }

    /// How many events there are, the start included.
    pub fn count(&self) -> usize {
        self.events.len()
    }

    /// All events in order.
    pub fn iter(&self) -> impl Iterator<Item = (EventId, &Event)> {
        self.events
            .iter()
            .enumerate()
            .map(|(i, e)| (EventId(u32::try_from(i).unwrap_or(u32::MAX)), e))
    }
}

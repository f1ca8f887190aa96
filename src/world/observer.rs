//! What a run shows to those who measure: every change of a fact, process, machine or link.
//!
//! Observers are apart from the system: nothing they do can change a run.

use crate::component::blame::EventId;
use crate::component::fact::Fact;
use crate::component::id::{ComponentId, MachineId};
use crate::component::record::Record;
use crate::component::view::{ProcessState, Surroundings};
use crate::kernel::time::Time;
use crate::plan::schedule::Applied;

/// What changed.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A published fact.
    Fact {
        /// Whose.
        of: ComponentId,
        /// Before.
        from: Box<Fact>,
        /// After.
        to: Box<Fact>,
    },
    /// A process.
    Process {
        /// Which.
        of: ComponentId,
        /// Before.
        from: ProcessState,
        /// After.
        to: ProcessState,
        /// Which of its starts.
        incarnation: u32,
    },
    /// A machine's power.
    Power {
        /// Which.
        machine: MachineId,
        /// On or off.
        on: bool,
    },
}

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// When.
    pub at: Time,
    /// What.
    pub change: Change,
    /// The event it belongs to.
    pub because: EventId,
}

/// A scheduled fault, or its end, as it was carried out.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultFired {
    /// When.
    pub at: Time,
    /// Position in the schedule.
    pub index: usize,
    /// Whether this ended it.
    pub undo: bool,
    /// The verb of the scenario.
    pub verb: &'static str,
    /// Names of what it hit.
    pub targets: Vec<String>,
    /// Of a fault between two sides: names of what is on the other one.
    pub others: Vec<String>,
    /// The settings that were applied.
    pub applied: Vec<Applied>,
    /// The event.
    pub because: EventId,
}

/// Watches a run.
pub trait Observer {
    /// Whether it looks at single changes; one that does not is spared the copies of facts.
    fn sees_changes(&self) -> bool {
        true
    }
    /// Something changed.
    fn transition(&mut self, _transition: &Transition, _all: &Surroundings) {}
    /// A component told something that is no fact.
    fn record(&mut self, _at: Time, _of: ComponentId, _record: &Record, _because: EventId) {}
    /// A scheduled fault, or its end, was carried out.
    fn fault(&mut self, _fired: &FaultFired, _all: &Surroundings) {}
    /// Everything that follows at this instant has happened.
    fn settled(&mut self, _at: Time, _all: &Surroundings, _because: EventId) {}
}

/// Nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nobody;

impl Observer for Nobody {
    fn sees_changes(&self) -> bool {
        false
    }
}

impl<A: Observer, B: Observer> Observer for (A, B) {
    fn sees_changes(&self) -> bool {
        self.0.sees_changes() || self.1.sees_changes()
    }
    fn transition(&mut self, transition: &Transition, all: &Surroundings) {
        self.0.transition(transition, all);
        self.1.transition(transition, all);
    }
    fn record(&mut self, at: Time, of: ComponentId, record: &Record, because: EventId) {
        self.0.record(at, of, record, because);
        self.1.record(at, of, record, because);
    }
    fn fault(&mut self, fired: &FaultFired, all: &Surroundings) {
        self.0.fault(fired, all);
        self.1.fault(fired, all);
    }
    fn settled(&mut self, at: Time, all: &Surroundings, because: EventId) {
        self.0.settled(at, all, because);
        self.1.settled(at, all, because);
    }
}

impl<O: Observer> Observer for &mut O {
    fn sees_changes(&self) -> bool {
        (**self).sees_changes()
    }
    fn transition(&mut self, transition: &Transition, all: &Surroundings) {
        (**self).transition(transition, all);
    }
    fn record(&mut self, at: Time, of: ComponentId, record: &Record, because: EventId) {
        (**self).record(at, of, record, because);
    }
    fn fault(&mut self, fired: &FaultFired, all: &Surroundings) {
        (**self).fault(fired, all);
    }
    fn settled(&mut self, at: Time, all: &Surroundings, because: EventId) {
        (**self).settled(at, all, because);
    }
}

//! What was observed of a run, in the order in which it happened: the raw material of every measure.
//!
//! The observer itself only writes down; measures read the history when the run is over. It keeps
//! state changes, not requests of settled paths, so that its size follows what happened and not how
//! long the run was.

use super::service_level::Path;
use super::share::Share;
use crate::component::blame::EventId;
use crate::component::fact::Fact;
use crate::component::id::ComponentId;
use crate::component::record::Record;
use crate::component::view::{ProcessState, Surroundings};
use crate::kernel::time::Time;
use crate::plan::Plan;
use crate::plan::service::Service;
use crate::world::observer::{Change, FaultFired, Observer, Transition};

/// A record with its circumstances.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// When it was told.
    pub at: Time,
    /// By whom.
    pub of: ComponentId,
    /// What.
    pub record: Record,
    /// The event it belongs to.
    pub because: EventId,
}

/// The level of a service from an instant on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// From when.
    pub at: Time,
    /// The share of fresh requests that is served.
    pub share: Share,
    /// The event that changed it.
    pub because: EventId,
}

/// The level of a service over a run: the first step is at the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    /// The service.
    pub service: Service,
    /// Its levels; neighbours differ.
    pub steps: Vec<Step>,
}

impl Track {
    /// Notes the level at an instant; a later one at the same instant replaces it.
    pub fn note(&mut self, step: Step) {
        match self.steps.last_mut() {
            Some(last) if last.share == step.share => return,
            Some(last) if last.at == step.at => *last = step,
            _ => self.steps.push(step),
        }
        if let [.., before, last] = self.steps.as_slice()
            && before.share == last.share
        {
            self.steps.pop();
        }
    }

    /// The level at an instant.
    pub fn at(&self, t: Time) -> Share {
        let step = self.steps.iter().rev().find(|step| step.at <= t);
        step.or(self.steps.first()).map_or(Share::ALL, |step| step.share)
    }
}

/// One thing that was observed.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// A change.
    Transition(Transition),
    /// Something that is no fact.
    Record(Recorded),
    /// A scheduled fault or its end.
    Fault(FaultFired),
}

impl Seen {
    /// When.
    pub fn at(&self) -> Time {
        match self {
            Seen::Transition(transition) => transition.at,
            Seen::Record(recorded) => recorded.at,
            Seen::Fault(fired) => fired.at,
        }
    }

    /// The event it belongs to.
    pub fn because(&self) -> EventId {
        match self {
            Seen::Transition(transition) => transition.because,
            Seen::Record(recorded) => recorded.because,
            Seen::Fault(fired) => fired.because,
        }
    }
}

/// Everything observed of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// In order.
    pub seen: Vec<Seen>,
    /// The level of each service, in the order of [`Service::ALL`].
    pub tracks: Vec<Track>,
}

/// A change of a fact, as its parts.
#[derive(Clone, Copy, Debug)]
pub struct FactChange<'a> {
    /// When.
    pub at: Time,
    /// Whose.
    pub of: ComponentId,
    /// Before.
    pub from: &'a Fact,
    /// After.
    pub to: &'a Fact,
}

/// A change of a process, as its parts.
#[derive(Clone, Copy, Debug)]
pub struct ProcessChange {
    /// When.
    pub at: Time,
    /// Which.
    pub of: ComponentId,
    /// Before.
    pub from: ProcessState,
    /// After.
    pub to: ProcessState,
}

impl History {
    /// All transitions.
    pub fn transitions(&self) -> impl Iterator<Item = &Transition> {
        self.seen.iter().filter_map(|seen| match seen {
            Seen::Transition(transition) => Some(transition),
            _ => None,
        })
    }

    /// All records.
    pub fn records(&self) -> impl Iterator<Item = &Recorded> {
        self.seen.iter().filter_map(|seen| match seen {
            Seen::Record(recorded) => Some(recorded),
            _ => None,
        })
    }

    /// All faults and their ends.
    pub fn faults(&self) -> impl Iterator<Item = &FaultFired> {
        self.seen.iter().filter_map(|seen| match seen {
            Seen::Fault(fired) => Some(fired),
            _ => None,
        })
    }

    /// All changes of facts.
    pub fn facts(&self) -> impl Iterator<Item = FactChange<'_>> {
        self.transitions().filter_map(|transition| match &transition.change {
            Change::Fact { of, from, to } => {
                Some(FactChange { at: transition.at, of: *of, from, to })
            }
            _ => None,
        })
    }

    /// All changes of processes.
    pub fn processes(&self) -> impl Iterator<Item = ProcessChange> {
        self.transitions().filter_map(|transition| match transition.change {
            Change::Process { of, from, to, .. } => {
                Some(ProcessChange { at: transition.at, of, from, to })
            }
            _ => None,
        })
    }

    /// The track of a service.
    pub fn track(&self, service: Service) -> Option<&Track> {
        self.tracks.iter().find(|track| track.service == service)
    }

    /// The fact of a component just before an instant, given its fact at the end of the run.
    pub fn fact_before<'a>(&'a self, t: Time, of: ComponentId, end: &'a Surroundings) -> &'a Fact {
        let later = self.facts().find(|change| change.of == of && change.at >= t);
        later.map_or(&end.facts[of.index()], |change| change.from)
    }
}

/// Writes a history down while a run goes on.
#[derive(Clone, Debug)]
pub struct Watch {
    path: Path,
    keeps_all: bool,
    history: History,
}

impl Watch {
    /// An observer of a run of this plan; attach it before the run begins.
    pub fn new(plan: &Plan) -> Self {
        let track = |service| Track { service, steps: Vec::new() };
        let none = plan.workloads.all.is_empty();
        let measured = Service::ALL.into_iter().filter(|s| !(none && *s == Service::Workload));
        let history = History { seen: Vec::new(), tracks: measured.map(track).collect() };
        Self { path: Path::of(plan), keeps_all: true, history }
    }

    /// The same for the levels of services alone.
    pub fn of_levels(plan: &Plan) -> Self {
        Self { keeps_all: false, ..Self::new(plan) }
    }

    /// What has been observed so far.
    pub fn history(&self) -> &History {
        &self.history
    }
}

impl Observer for Watch {
    fn sees_changes(&self) -> bool {
        self.keeps_all
    }

    fn transition(&mut self, transition: &Transition, _all: &Surroundings) {
        if self.keeps_all {
            self.history.seen.push(Seen::Transition(transition.clone()));
        }
    }

    fn record(&mut self, at: Time, of: ComponentId, record: &Record, because: EventId) {
        if self.keeps_all {
            self.history.seen.push(Seen::Record(Recorded { at, of, record: *record, because }));
        }
    }

    fn fault(&mut self, fired: &FaultFired, _all: &Surroundings) {
        if self.keeps_all {
            self.history.seen.push(Seen::Fault(fired.clone()));
        }
    }

    fn settled(&mut self, at: Time, all: &Surroundings, because: EventId) {
        let levels = self.path.levels(at, all);
        for (track, share) in self.history.tracks.iter_mut().zip(levels) {
            track.note(Step { at, share, because });
        }
    }
}

//! Incidents: from the first failure out of the all-up state until everything is repaired and some
//! time has passed, as plans of their own with the failures as faults.
//!
//! The failure process does not depend on what the protocols make of it. So it goes ahead, and an
//! incident that has not settled when its time is over is played again from its beginning for
//! longer: the same draws, the same course, and more of it.
//!
//! Absent on purpose: running a world, adding up.

use super::laws::Nanos;
use super::ledger::MEASURES;
use crate::component::id::{ComponentId, MachineId};
use crate::kernel::law::Law;
use crate::kernel::stream::Key;
use crate::kernel::time::{Duration, Time};
use crate::plan::Plan;
use crate::plan::schedule::{Action, Fault, Schedule, Target};
use crate::reliability::ideal::{Ideal, Measure, Reason};
use crate::reliability::process::Ailment;

/// How long a world goes on after the last repair before it is asked whether it has settled: longer
/// than a boot, an election, a Lease, a mark-up and the kubelet's longest back-off (5 min).
pub const QUIET: Duration = Duration::from_secs(600);

/// How long the world of an incident runs before its first fault.
pub const LEAD: Duration = Duration::from_secs(1);

/// How things stand in the failure process from an instant on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// From when, in nanoseconds of the trial.
    pub(super) at: u64,
    /// What could be up: a bit a measure.
    pub(super) levels: u8,
    /// Why something that is down now is down.
    pub(super) reasons: [Reason; MEASURES],
}

/// Something that was not as it should be.
#[derive(Clone, Copy, Debug)]
struct Trouble {
    what: Ailment,
    from: u64,
    to: Option<u64>,
}

/// One incident, as far as the failure process has got.
#[derive(Clone, Debug, Default)]
pub struct Incident {
    /// When its first failure came, in nanoseconds of the trial.
    pub start: u64,
    /// Where its world ends, in nanoseconds of the trial.
    pub end: u64,
    pub(super) moments: Vec<Moment>,
    troubles: Vec<Trouble>,
}

/// The failure process of a trial, incident by incident.
#[derive(Debug)]
pub struct Walk<'p> {
    ideal: Ideal<'p>,
    ailments: Vec<Ailment>,
    before: Vec<Ailment>,
    at: u64,
    whole_since: u64,
    end: u64,
    over: bool,
    /// Steps so far.
    pub events: u64,
}

impl<'p> Walk<'p> {
    /// The failure process of a plan, everything up at time 0.
    pub fn new(plan: &'p Plan, key: Key, span: Duration) -> Self {
        Self {
            ideal: Ideal::new(plan, key),
            ailments: Vec::new(),
            before: Vec::new(),
            at: 0,
            whole_since: 0,
            end: span.as_nanos(),
            over: false,
            events: 0,
        }
    }

    /// The next incident, until `quiet` after everything is repaired; `None`: there is no more.
    pub fn next(&mut self, quiet: Duration) -> Option<Incident> {
        if self.over {
            return None;
        }
        while self.ailments.is_empty() {
            if !self.step(None) {
                return None;
            }
        }
        let mut incident = Incident { start: self.at, ..Incident::default() };
        for what in &self.ailments {
            incident.troubles.push(Trouble { what: *what, from: self.at, to: None });
        }
        incident.moments.push(self.moment());
        self.extend(&mut incident, quiet);
        Some(incident)
    }

    /// Goes on with an incident until everything has been as it should be for `quiet`.
    pub fn extend(&mut self, incident: &mut Incident, quiet: Duration) {
        loop {
            let enough = self.whole_since.saturating_add(quiet.as_nanos());
            let next = self.ideal.next().nanos();
            if self.ailments.is_empty() && next > enough {
                incident.end = enough.min(self.end);
                return;
            }
            if !self.step(Some(incident)) {
                (self.over, incident.end) = (true, self.end);
                return;
            }
        }
    }

    /// Whether there was something before the end.
    fn step(&mut self, incident: Option<&mut Incident>) -> bool {
        let next = self.ideal.next().nanos();
        if next >= self.end {
            return false;
        }
        self.ideal.step();
        self.events += 1;
        self.at = next;
        std::mem::swap(&mut self.ailments, &mut self.before);
        self.ideal.process().ailments(&mut self.ailments);
        if self.ailments.is_empty() && !self.before.is_empty() {
            self.whole_since = next;
        }
        if let Some(incident) = incident {
            incident.note(next, &self.before, &self.ailments);
            incident.moments.push(self.moment());
        }
        true
    }

    fn moment(&self) -> Moment {
        let levels = self.ideal.levels();
        let majority = levels >> Measure::EtcdMajority as u8 & 1 == 1;
        // A server without quorum may still answer from its cache, and fail the balancers' checks.
        let reasons = Measure::ALL.map(|measure| match self.ideal.reason(measure) {
            Reason::Failover if !majority => Reason::Quorum,
            reason => reason,
        });
        Moment { at: self.at, levels, reasons }
    }
}

impl Incident {
    fn note(&mut self, at: u64, before: &[Ailment], now: &[Ailment]) {
        for what in before.iter().filter(|what| !now.contains(what)) {
            let open = self.troubles.iter_mut().rev().find(|trouble| trouble.what == *what);
            if let Some(trouble) = open {
                trouble.to = Some(at);
            }
        }
        for what in now.iter().filter(|what| !before.contains(what)) {
            self.troubles.push(Trouble { what: *what, from: at, to: None });
        }
    }

    /// The instant of the trial at which the incident's world begins.
    pub fn zero(&self) -> u64 {
        self.start.saturating_sub(LEAD.as_nanos())
    }

    /// Makes a plan that of this incident: its faults, its length.
    pub fn put_into(&self, plan: &mut Plan) {
        let faults = self.troubles.iter().map(|trouble| self.fault(trouble, plan)).collect();
        plan.schedule = Schedule { faults };
        plan.until = Duration::from_nanos(self.end - self.zero());
        plan.measure_from = 0;
        plan.expect.clear();
    }

    fn fault(&self, trouble: &Trouble, plan: &Plan) -> Fault {
        let machine = |id: MachineId| vec![Target::Machine(id)];
        let process = |id: ComponentId| Target::Process(id);
        let (verb, action, undo, targets) = match trouble.what {
            Ailment::Off(id) => {
                ("powerOff", Action::Power(false), Action::Power(true), machine(id))
            }
            Ailment::CutOff(id) => {
                ("closePort", Action::Port(false), Action::Port(true), machine(id))
            }
            Ailment::Unplugged(id) => {
                ("unplug", Action::Cable(false), Action::Cable(true), machine(id))
            }
            Ailment::Stalled(id) => {
                ("stallDisk", Action::Disk(true), Action::Disk(false), machine(id))
            }
            Ailment::Failed(id) => ("fail", Action::Fail, Action::Mend, vec![process(id)]),
            Ailment::Cluster => {
                let servers = plan.services.api_servers.iter().copied().map(process).collect();
                ("failCluster", Action::Fail, Action::Mend, servers)
            }
        };
        // What a power failure clears is told to the machine again just after its power is back.
        let late = u64::from(matches!(trouble.what, Ailment::Stalled(_)));
        let span = |nanos: u64| Law::Fixed(Duration::from_nanos(nanos));
        Fault {
            verb,
            at: span(trouble.from - self.zero() + late),
            lasts: trouble.to.map(|to| span((to - trouble.from).saturating_sub(late))),
            every: None,
            action,
            undo: Some(undo),
            targets,
            repairs: None,
        }
    }
}

/// The trial's instant of a world's.
pub(super) fn in_trial(incident: &Incident, at: Time) -> u64 {
    incident.zero() + at.nanos()
}

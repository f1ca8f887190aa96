//! One finished run with everything that measures look at, and all findings of it at once.

use super::expectation::{self, Verdict};
use super::failover::{self, Reading};
use super::history::History;
use super::invariants::{self, Violation};
use super::outage::{self, Record};
use crate::component::fact::{Fact, Role};
use crate::component::id::{ComponentId, Kind};
use crate::component::lever::{Lever, Setting};
use crate::component::record::{self, HerdRecord};
use crate::component::view::{Settlement, Surroundings, View};
use crate::kernel::stream::Key;
use crate::kernel::time::Time;
use crate::plan::Plan;
use crate::plan::service::Service;
use crate::world::World;
use crate::world::event::EventLog;
use crate::world::observer::FaultFired;
use std::collections::{BTreeMap, BTreeSet};

/// A run that is over, or paused to be looked at.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// What was simulated.
    pub plan: &'a Plan,
    /// What was observed.
    pub history: &'a History,
    /// Why.
    pub log: &'a EventLog,
    /// How things stand at the end.
    pub end: &'a Surroundings,
    /// The end.
    pub until: Time,
    /// The draws of this trial.
    pub key: Key,
}

impl<'a> Case<'a> {
    /// The case of a world as it stands, observed by a [`super::Watch`] from its beginning.
    pub fn of(world: &'a World, plan: &'a Plan, history: &'a History) -> Self {
        let (log, end, until) = (world.log(), world.surroundings(), world.now());
        Self { plan, history, log, end, until, key: world.key() }
    }

    /// The fault from which metrics count (`run.measureFrom`), if it has fired.
    pub fn fault(&self) -> Option<&'a FaultFired> {
        self.history.faults().find(|fired| fired.index == self.plan.measure_from && !fired.undo)
    }

    /// What undid that fault: its own end, or a later fault that repairs it.
    pub fn repair(&self) -> Option<&'a FaultFired> {
        let from = self.plan.measure_from;
        let faults = &self.plan.schedule.faults;
        self.history.faults().find(|fired| {
            (fired.index == from && fired.undo)
                || (!fired.undo && faults.get(fired.index).is_some_and(|f| f.repairs == Some(from)))
        })
    }

    /// The instant of the fault.
    pub fn fault_at(&self) -> Option<Time> {
        self.fault().map(|fired| fired.at)
    }

    /// The instant of the repair.
    pub fn repair_at(&self) -> Option<Time> {
        self.repair().map(|fired| fired.at)
    }

    /// All faults that strike at the instant of that fault: together they are one.
    fn struck(&self) -> impl Iterator<Item = &'a FaultFired> {
        let at = self.fault_at();
        self.history.faults().filter(move |fired| Some(fired.at) == at && !fired.undo)
    }

    /// The processes that the fault hit: those named, and all on machines that were named.
    pub fn hit(&self) -> BTreeSet<ComponentId> {
        self.named(self.struck().flat_map(|fired| &fired.targets))
    }

    /// The processes on the other side of a fault that has two.
    pub fn hit_across(&self) -> BTreeSet<ComponentId> {
        self.named(self.struck().flat_map(|fired| &fired.others))
    }

    fn named(&self, names: impl Iterator<Item = &'a String>) -> BTreeSet<ComponentId> {
        let map = &self.plan.map;
        let names: Vec<&String> = names.collect();
        let processes = names.iter().filter_map(|name| map.find_component(name));
        let machines = names.iter().filter_map(|name| map.find_machine(name));
        processes.chain(machines.flat_map(|machine| map.on_machine(machine))).collect()
    }

    /// The processes that the fault itself ended.
    pub fn killed(&self) -> BTreeSet<ComponentId> {
        let mut killed = BTreeSet::new();
        for applied in self.struck().flat_map(|fired| &fired.applied) {
            match applied.setting {
                Setting::Process(id, Lever::Kill | Lever::PowerLoss) => {
                    killed.insert(id);
                }
                Setting::Power(machine, false) => killed.extend(self.plan.map.on_machine(machine)),
                _ => {}
            }
        }
        killed
    }

    /// The fact of a component just before an instant.
    pub fn fact_before(&self, t: Time, of: ComponentId) -> &'a Fact {
        self.history.fact_before(t, of, self.end)
    }

    /// The Lease of a kind of leader-elected program.
    pub fn lease_of(&self, kind: Kind) -> Option<ComponentId> {
        self.plan.map.lease_of(kind)
    }

    /// The etcd leader at the end: of several, the one in the latest term.
    pub fn etcd_leader(&self) -> Option<ComponentId> {
        let leads = |id: &ComponentId| match &self.end.facts[id.index()] {
            Fact::Etcd(fact) if fact.role == Role::Leader => Some((fact.term, *id)),
            _ => None,
        };
        let members = self.plan.services.members.iter();
        members.filter_map(leads).max_by_key(|(term, _)| *term).map(|(_, id)| id)
    }

    /// Who holds the virtual address at the end: of several, the last to announce it.
    pub fn vip_holder(&self) -> Option<ComponentId> {
        let holds = |id: ComponentId| Some((self.end.facts[id.index()].held()?.announced, id));
        let holders = self.plan.map.address_holders().filter_map(holds);
        holders.max_by_key(|(announced, _)| *announced).map(|(_, id)| id)
    }

    /// Who leads and holds at the end.
    pub fn leaders(&self) -> Settlement {
        let held = |kind: Kind| {
            let lease = self.lease_of(kind)?;
            let Fact::Lease(fact) = &self.end.facts[lease.index()] else { return None };
            fact.holder.map(|holder| (lease, holder.component))
        };
        Settlement {
            etcd_leader: self.etcd_leader(),
            lease_holders: [Kind::Scheduler, Kind::ControllerManager, Kind::KubeVip]
                .map(held)
                .into_iter()
                .flatten()
                .collect(),
            vip_holder: self.vip_holder(),
        }
    }

    /// The view of the end that a component has.
    pub fn view(&self, me: ComponentId) -> View<'a> {
        View { now: self.until, me, all: self.end }
    }
}

/// The last line of each book.
fn last_lines(case: &Case) -> Vec<(Time, HerdRecord)> {
    let lines = case.history.records().filter_map(|recorded| match recorded.record {
        record::Record::Herd(line) => Some((line.client, (recorded.at, line))),
        _ => None,
    });
    lines.collect::<BTreeMap<_, _>>().into_values().collect()
}

/// Everything measured of a run.
#[derive(Clone, Debug)]
pub struct Findings {
    /// How each service fared.
    pub services: Vec<Record>,
    /// The metrics that have a value.
    pub metrics: Vec<Reading>,
    /// The scenario's claims.
    pub expectations: Vec<Verdict>,
    /// Broken laws.
    pub violations: Vec<Violation>,
    /// The last line of each book of informers, and when it was written.
    pub herds: Vec<(Time, HerdRecord)>,
}

impl Findings {
    /// Measures a case.
    pub fn of(case: &Case) -> Self {
        let tracks = case.history.tracks.iter();
        let services: Vec<Record> =
            tracks.map(|track| outage::record(track, case.log, case.until)).collect();
        let metrics = failover::readings(case);
        let violations = invariants::violations(case, &services);
        let expectations = expectation::judge(case, &services, &metrics, &violations);
        let herds = last_lines(case);
        Self { services, metrics, expectations, violations, herds }
    }

    /// How a service fared.
    pub fn service(&self, service: Service) -> Option<&Record> {
        self.services.iter().find(|record| record.service == service)
    }

    /// Whether every claim held.
    pub fn passed(&self) -> bool {
        self.expectations.iter().all(|verdict| verdict.passed)
    }
}

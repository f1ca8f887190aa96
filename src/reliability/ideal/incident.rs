//! Incidents: from everything up to everything up again, with failures that are decided from outside.
//!
//! Absent on purpose: the decision, weights, and what is measured meanwhile.

use super::elected::Elected;
use super::starts::Starts;
use super::{Ideal, Measure, Seat};
use crate::component::id::{ComponentId, Kind, MachineId};
use crate::kernel::stream::Key;
use crate::kernel::time::Time;
use crate::plan::Plan;
use crate::plan::reliability::Thing;
use crate::plan::service::Endpoint;
use crate::plan::timings::Timing;
use crate::reliability::process::Hazard;
use std::fmt::Write;

/// Machines that nothing tells apart: a number for each kind, by machine; and the outages of each.
#[derive(Clone, Debug)]
pub struct Kinds {
    kinds: Vec<usize>,
    outages: Vec<Vec<usize>>,
}

impl Kinds {
    /// The kinds of a plan's machines.
    pub fn of(plan: &Plan) -> Self {
        let laws = &plan.reliability;
        let alone: Vec<String> = plan.map.machines().map(|(id, _)| looks(plan, id)).collect();
        let outages: Vec<Vec<usize>> = plan
            .map
            .machines()
            .map(|(id, _)| {
                let hit = |at: &usize| laws.outages[*at].machines.contains(&id);
                (0..laws.outages.len()).filter(hit).collect()
            })
            .collect();
        // A machine looks like another one if those that share its outages do too.
        let whole: Vec<String> = alone
            .iter()
            .zip(&outages)
            .map(|(own, hit)| {
                let mut text = own.clone();
                for at in hit {
                    let outage = &laws.outages[*at];
                    let mut others: Vec<&String> =
                        outage.machines.iter().map(|id| &alone[id.index()]).collect();
                    others.sort_unstable();
                    let same = (&outage.failure, &outage.repair, &outage.effect, others);
                    let _ = write!(text, "|{same:?}");
                }
                text
            })
            .collect();
        let kind = |text: &String| whole.iter().position(|other| other == text).unwrap_or(0);
        Self { kinds: whole.iter().map(kind).collect(), outages }
    }
}

/// All that tells a machine from another one but its name and its outages.
fn looks(plan: &Plan, machine: MachineId) -> String {
    let mut text = String::new();
    for part in &plan.reliability.parts {
        let here = match part.thing {
            Thing::Machine(id) | Thing::Disk(id) | Thing::Link(id) => id == machine,
            Thing::Process(id) => plan.map.machine_of(id) == Some(machine),
            Thing::Cluster => false,
        };
        if here {
            let laws = part.modes.iter().map(|mode| (&mode.failure, &mode.repair, mode.needs_crew));
            let laws: Vec<_> = laws.collect();
            let _ = write!(text, "{} {:?} {} {laws:?};", part.class, part.crew, part.urgency);
        }
    }
    for id in plan.map.on_machine(machine) {
        let alone = matches!(&plan.services.endpoint,
            Endpoint::OneServer(only) if *only == id);
        let shocks = plan.reliability.shocks.iter().map(|shock| shock.processes.contains(&id));
        let shocks: Vec<bool> = shocks.collect();
        let kind = plan.map.component(id).kind;
        let knows = plan.etcd_servers_of(id).len();
        let _ = write!(text, "{kind:?} {alone} {shocks:?} {knows};");
    }
    text
}

impl<'p> Ideal<'p> {
    /// The time that has been reached.
    pub fn now(&self) -> Time {
        self.now
    }

    /// From now on nothing fails by its own clock.
    pub fn hold(&mut self) {
        self.process.hold();
    }

    /// From now on everything fails by its own clock again.
    pub fn let_go(&mut self) {
        self.process.let_go(self.now);
    }

    /// From now on, until it is let go, repairs are drawn by their length or not.
    pub fn lengthen(&mut self, lengthens: bool) {
        self.process.lengthen(lengthens);
    }

    /// How much more probable the repairs drawn since the last question are where they are drawn by
    /// their length, whether they were or not.
    pub fn lengthened(&mut self) -> f64 {
        self.process.lengthened()
    }

    /// Measures that are up and down together, whatever fails: for each, in the order of
    /// [`Measure::ALL`], the first such one; `None` for one that is never down.
    pub fn twins(&self) -> [Option<Measure>; Measure::ALL.len()] {
        let instant = |timing| self.takes.at_once(timing);
        let fails = |kind: Kind| {
            self.plan.reliability.parts.iter().any(|part| match part.thing {
                Thing::Process(id) => self.plan.map.component(id).kind == kind,
                _ => false,
            })
        };
        let beside = |ids: &[ComponentId]| {
            let machine = |id: &ComponentId| self.plan.map.machine_of(*id);
            let holds = |id: &ComponentId| ids.iter().any(|other| machine(other) == machine(id));
            self.plan.services.api_servers.iter().all(holds)
        };
        let leased =
            |timing, kind, ids: &[ComponentId]| instant(timing) && !fails(kind) && beside(ids);
        Measure::ALL.map(|measure| match measure {
            Measure::Endpoint
                if self.plan.services.endpoint == Endpoint::AllServers && self.nights.is_none() =>
            {
                None
            }
            Measure::ApiWrite => Some(Measure::ApiRead),
            Measure::EtcdMajority if instant(Timing::EtcdElection) => Some(Measure::EtcdQuorum),
            Measure::Scheduling
                if leased(Timing::SchedulerTakeover, Kind::Scheduler, &self.schedulers) =>
            {
                Some(Measure::ApiRead)
            }
            Measure::Reconciliation
                if leased(
                    Timing::ControllerManagerTakeover,
                    Kind::ControllerManager,
                    &self.managers,
                ) =>
            {
                Some(Measure::ApiRead)
            }
            other => Some(other),
        })
    }

    /// Whether balancers take time to notice.
    pub fn has_rotation(&self) -> bool {
        let timings = [Timing::LbFall, Timing::LbRise];
        !timings.iter().all(|timing| self.takes.at_once(*timing))
    }

    /// Remembers no combinations from now on: copies are made at every incident, and the memory is
    /// larger than all else.
    pub fn remember_nothing(&mut self) {
        self.scenes.forget();
    }

    /// Gives all draws from now on another key.
    pub fn rekey(&mut self, key: Key) {
        self.key = key;
        self.process.rekey(key);
    }

    /// Stands as another one does in which all is quiet, as if new and held, with randomness of its
    /// own: where no clock of failure has memory this is a copy that takes no new memory.
    pub fn stand_in(&mut self, quiet: &Self, key: Key) {
        self.key = key;
        self.now = Time::START;
        self.process.reset_as(key, true);
        let from = [&quiet.vip, &quiet.leader, &quiet.scheduler, &quiet.manager];
        let into = [&mut self.vip, &mut self.leader, &mut self.scheduler, &mut self.manager];
        for (into, from) in into.into_iter().zip(from) {
            into.reset();
            into.sit(from.held());
        }
        self.reset_timers();
        if let (Some(nights), Some(quiet)) = (&mut self.nights, &quiet.nights) {
            nights.stand_as(quiet);
        }
        self.scenes.stand_as(&quiet.scenes);
        self.means = quiet.means;
        (self.calm, self.soonest) = (false, Time::NEVER);
        self.outlook = quiet.outlook;
    }

    /// Every clock of failure that runs now.
    pub fn hazards(&self, into: &mut Vec<Hazard<'p>>) {
        self.process.hazards(self.now, into);
    }

    /// How many failures, outages and shocks there have been.
    pub fn strikes(&self) -> u64 {
        self.process.strikes()
    }

    /// Lets a hazard happen at a time that is not before now nor after what happens next.
    pub fn strike_by(&mut self, hazard: &Hazard, at: Time) {
        self.now = at;
        self.process.strike_by(hazard, at);
        self.follow(true);
    }

    /// Whether everything is up, and nothing is on its way.
    pub fn is_quiet(&self) -> bool {
        self.process.is_quiet() && self.dues().all(Time::is_never)
    }

    /// When the next thing is put right, and the last of those that are being put right: repairs,
    /// boots, outages, and members that will vote; where there are none, the last of the other times
    /// that run. For a process that is held.
    pub fn put_right(&self) -> (Time, Time) {
        let starts = || {
            let others = self.server_starts.dues().chain(self.balancer_starts.dues());
            self.rejoins.dues().chain(others).filter(|due| !due.is_never())
        };
        let next = starts().fold(self.process.soonest(), Time::min);
        let last = self.process.last_end().into_iter().chain(starts()).max();
        if let Some(last) = last {
            return (next, last);
        }
        let others = self.dues().filter(|due| !due.is_never()).max();
        others.map_or((next, next), |last| (last.min(next), last))
    }

    /// Who holds what, as far as it tells one quiet state from another: kinds of machines, and
    /// which of the holders stand together.
    pub fn pattern(&self, kinds: &Kinds) -> Vec<usize> {
        let machine = |id: Option<&ComponentId>| id.and_then(|id| self.plan.map.machine_of(*id));
        let of = |seat: &Seat, candidates: &[ComponentId]| {
            let timed = !self.takes.at_once(seat.timing);
            timed.then(|| machine(seat.holder().and_then(|at| candidates.get(at)))).flatten()
        };
        let holders = [
            of(&self.vip, &self.balancers),
            of(&self.leader, &self.plan.services.members),
            of(&self.scheduler, &self.schedulers),
            of(&self.manager, &self.managers),
        ];
        let mut pattern = Vec::with_capacity(16);
        for (at, holder) in holders.iter().enumerate() {
            let Some(own) = holder.map(MachineId::index) else {
                pattern.push(usize::MAX);
                continue;
            };
            pattern.push(kinds.kinds[own]);
            for other in holders[..at].iter().flatten().map(|id| id.index()) {
                let shared = kinds.outages[own].iter().any(|it| kinds.outages[other].contains(it));
                pattern.push(usize::from(own == other) + 2 * usize::from(shared));
            }
        }
        pattern
    }

    fn dues(&self) -> impl Iterator<Item = Time> + '_ {
        let seats = [&self.vip, &self.leader, &self.scheduler, &self.manager];
        let seats = seats.into_iter().map(|seat| seat.due);
        let starts = [&self.rejoins, &self.server_starts, &self.balancer_starts];
        let patience = self.leases.iter().map(|lease| lease.patience);
        let patience = patience.chain(self.elected.iter().map(Elected::patience));
        let nights = self.nights.iter().flat_map(|nights| nights.dues());
        seats
            .chain(self.rotation.dues())
            .chain(starts.into_iter().flat_map(Starts::dues))
            .chain(patience)
            .chain(nights)
    }
}

//! How many nodes hold the virtual address, and whether there is a cause where two do.
//!
//! A second holder is VRRP's own affair, and kube-vip's, but it has a cause: a holder that was killed,
//! paused or slow, a clock that runs apart, a network that lost what holders tell each other. Without one
//! only the moment is left in which an old holder has yet to hear of the new one.
//!
//! Absent on purpose: whether the cause suffices; that is the protocols' to tell.

use super::{Law, Violation};
use crate::component::id::{ComponentId, Kind, MachineId};
use crate::component::lever::{Lever, Setting};
use crate::component::view::ProcessState;
use crate::components::Params;
use crate::components::keepalived::KeepalivedParams;
use crate::components::kube_vip::KubeVipParams;
use crate::kernel::time::{Duration, Time};
use crate::measure::case::Case;
use crate::world::observer::Change;
use std::collections::{BTreeMap, BTreeSet};

/// How long a killed child of keepalived may be missed by its parent.
const RESPAWN_MAX: Duration = Duration::from_secs(60);

/// A time during which several nodes held the address.
struct Several {
    from: Time,
    to: Time,
    holders: BTreeSet<ComponentId>,
}

/// Every broken law of the address.
pub(super) fn rules(case: &Case) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut times: Vec<Several> = Vec::new();
    let begin = |id: &ComponentId| case.fact_before(Time::START, *id).held().is_some();
    let mut holders: BTreeSet<ComponentId> =
        case.plan.map.address_holders().filter(begin).collect();
    for change in case.history.facts() {
        let (held, holds) = (change.from.held().is_some(), change.to.held().is_some());
        if held == holds {
            continue;
        }
        if let Some(open) = times.last_mut().filter(|_| holders.len() > 1) {
            open.to = change.at;
        }
        let before = holders.len();
        if holds {
            holders.insert(change.of)
        } else {
            holders.remove(&change.of)
        };
        if holders.len() < 2 {
            continue;
        }
        let what = format!("{} hold the address", names(case, &holders));
        found.push(Violation { law: Law::OneVipHolder, at: change.at, what });
        if before < 2 {
            let (from, to) = (change.at, case.until);
            times.push(Several { from, to, holders: holders.clone() });
        } else if let Some(open) = times.last_mut() {
            open.to = case.until;
            open.holders.extend(&holders);
        }
    }
    let causes = Causes::of(case);
    let unexplained = times.iter().filter(|several| !causes.explain(several, case));
    found.extend(unexplained.map(|several| {
        let span = several.to.since(several.from).human();
        let what = format!("{} held the address for {span}", names(case, &several.holders));
        Violation { law: Law::VipHolderWithoutCause, at: several.from, what }
    }));
    found
}

fn names(case: &Case, holders: &BTreeSet<ComponentId>) -> String {
    let names: Vec<&str> = holders.iter().map(|id| case.plan.map.place(*id)).collect();
    names.join(" and ")
}

/// Something that can be disturbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    Process(ComponentId),
    /// The child of a keepalived, until its parent has started another.
    Child(ComponentId),
    /// A machine, and which property of it.
    Machine(MachineId, u8),
    /// The way from one machine to another, and which property of it.
    Way(MachineId, MachineId, u8),
}

/// Everything that was disturbed: for each thing, from when on it was and was not, in order.
struct Causes(BTreeMap<Thing, Vec<(Time, bool)>>);

impl Causes {
    fn of(case: &Case) -> Causes {
        let mut causes = Causes(BTreeMap::new());
        for transition in case.history.transitions() {
            if let Change::Process { of, to, .. } = transition.change {
                causes.note(Thing::Process(of), transition.at, to != ProcessState::Running);
            }
        }
        for fired in case.history.faults() {
            for applied in &fired.applied {
                causes.apply(&applied.setting, fired.at);
            }
        }
        for turns in causes.0.values_mut() {
            turns.sort_by_key(|(at, _)| *at);
        }
        causes
    }

    fn note(&mut self, thing: Thing, at: Time, disturbed: bool) {
        self.0.entry(thing).or_default().push((at, disturbed));
    }

    fn apply(&mut self, setting: &Setting, at: Time) {
        let (thing, disturbed) = match *setting {
            Setting::Process(id, Lever::KillChild) => {
                self.note(Thing::Child(id), at, true);
                return self.note(Thing::Child(id), at + RESPAWN_MAX, false);
            }
            Setting::Power(m, on) => (Thing::Machine(m, 0), !on),
            Setting::Cable(m, whole) => (Thing::Machine(m, 1), !whole),
            Setting::Port(m, open) => (Thing::Machine(m, 2), !open),
            Setting::Suspend(m, stops) => (Thing::Machine(m, 3), stops),
            Setting::ClockRate(m, ppm) => (Thing::Machine(m, 4), ppm != 1_000_000),
            Setting::Disk(m, stalls) => (Thing::Machine(m, 5), stalls),
            Setting::SlowDisk(m, how) => (Thing::Machine(m, 6), how.is_some()),
            Setting::OneWay(a, b, passes) => (Thing::Way(a, b, 0), !passes),
            Setting::Delay(a, b, delay) => (Thing::Way(a, b, 1), !delay.is_zero()),
            Setting::Loss(a, b, loss) => (Thing::Way(a, b, 2), loss > 0),
            _ => return,
        };
        self.note(thing, at, disturbed);
    }

    /// Whether a thing was disturbed at some time from `from` to `to`.
    fn disturbed(turns: &[(Time, bool)], from: Time, to: Time) -> bool {
        let before = turns.iter().rev().find(|(at, _)| *at <= from);
        let within = turns.iter().any(|(at, _)| from <= *at && *at <= to);
        within || before.is_some_and(|(_, disturbed)| *disturbed)
    }

    /// Whether the holders of one time had a cause, or hardly time to hear of each other.
    fn explain(&self, several: &Several, case: &Case) -> bool {
        let scene = Scene::of(several, case);
        let from =
            Time::from_nanos(several.from.as_nanos().saturating_sub(scene.memory.as_nanos()));
        let mut near = self.0.iter().filter(|(thing, _)| scene.concerns(**thing));
        scene.lossy
            || several.to.since(several.from) <= scene.moment
            || near.any(|(_, turns)| Causes::disturbed(turns, from, several.to))
    }
}

/// What has a part in who holds the address.
struct Scene {
    processes: BTreeSet<ComponentId>,
    machines: BTreeSet<MachineId>,
    /// Packets between the machines are lost all the time, or holders do not understand each other.
    lossy: bool,
    /// How long a disturbance that is over may still show.
    memory: Duration,
    /// How long an old holder may take to hear of the new one.
    moment: Duration,
}

impl Scene {
    fn of(several: &Several, case: &Case) -> Scene {
        let map = &case.plan.map;
        let mut processes = several.holders.clone();
        let elected = processes.iter().any(|id| map.component(*id).kind == Kind::KubeVip);
        if elected {
            processes.extend(map.of_kind(Kind::Etcd).chain(map.of_kind(Kind::ApiServer)));
        }
        let machines: BTreeSet<MachineId> =
            processes.iter().filter_map(|id| map.machine_of(*id)).collect();
        let pairs = || machines.iter().flat_map(|a| machines.iter().map(move |b| (*a, *b)));
        let ways = || pairs().filter(|(a, b)| a != b).map(|(a, b)| case.plan.direction(a, b));
        let mut scene = Scene {
            processes,
            lossy: ways().any(|way| way.loss > 0),
            machines: machines.clone(),
            memory: Duration::ZERO,
            moment: Duration::ZERO,
        };
        let delay = ways().map(|way| way.delay.saturating_add(way.jitter)).max();
        for id in &several.holders {
            match case.plan.params_of(*id) {
                Params::Keepalived(own, _) => scene.hear_of(own, case),
                Params::KubeVip(own, _) => scene.elect_by(own),
                _ => {}
            }
        }
        if !elected {
            scene.moment = scene.moment.saturating_add(delay.unwrap_or(Duration::ZERO));
        }
        scene
    }

    /// Each of two masters hears the other within an interval.
    fn hear_of(&mut self, own: &KeepalivedParams, case: &Case) {
        self.moment = self.moment.max(own.advert_int);
        let waits = own.advert_int * u64::from(own.down_timer_adverts + 1);
        self.memory = self.memory.max(waits);
        let apart = case.plan.params.iter().any(|params| match params {
            Params::Keepalived(other, _) => {
                (other.advert_int, other.vrrp_version) != (own.advert_int, own.vrrp_version)
            }
            _ => false,
        });
        self.lossy |= apart;
    }

    /// A holder gives up before another can take over, if nothing disturbs either.
    fn elect_by(&mut self, own: &KubeVipParams) {
        let gives_up = own.lease_duration.saturating_add(own.renew_deadline);
        self.memory = self.memory.max(gives_up.saturating_add(own.retry_period * 5));
    }

    fn concerns(&self, thing: Thing) -> bool {
        match thing {
            Thing::Process(id) | Thing::Child(id) => self.processes.contains(&id),
            Thing::Machine(m, _) => self.machines.contains(&m),
            Thing::Way(a, b, _) => self.machines.contains(&a) || self.machines.contains(&b),
        }
    }
}

//! The plan of what fails by itself: classes and names become things.

use super::layout::Layout;
use crate::component::id::MachineId;
use crate::component::map::MachineRole;
use crate::plan::reliability::{
    Bursts, CommonOutage, Crew, Mode, Order, OutageEffect, Part, PlannedWork, Reliability, Shock,
    Thing,
};
use crate::scenario::raw::reliability::{
    self as raw, Class, Group, GroupEffect, ModeEntry, OrderWord, WorkEntry,
};

/// A thing with its name and its class.
#[derive(Clone, Debug)]
pub struct Named {
    /// The thing.
    pub thing: Thing,
    /// Its name.
    pub name: String,
    /// Its class.
    pub class: Class,
}

/// Everything in a layout that can fail by itself, in the order of the plan.
pub fn things(layout: &Layout) -> Vec<Named> {
    let map = &layout.map;
    let mut things = Vec::new();
    let mut add = |thing, name: String, class| things.push(Named { thing, name, class });
    for (machine, entry) in map.machines().filter(|(_, m)| m.role != MachineRole::Outside) {
        let name = &entry.name;
        add(Thing::Machine(machine), name.clone(), Class::Machine(entry.role));
        if layout.etcd.contains(&machine) {
            add(Thing::Disk(machine), format!("{name}/disk"), Class::Disk);
        }
        add(Thing::Link(machine), format!("{name}/link"), Class::Link);
        for process in map.on_machine(machine) {
            let kind = map.component(process).kind;
            add(Thing::Process(process), map.name(process).to_owned(), Class::Process(kind));
        }
    }
    add(Thing::Cluster, "cluster".to_owned(), Class::Cluster);
    things
}

/// The machines that planned work names, in its order; workers in the map's.
pub fn worked_on(work: &WorkEntry, layout: &Layout) -> Vec<MachineId> {
    let of = |name: &String| -> Vec<MachineId> {
        match Class::named(name) {
            Some(Class::Machine(role)) => {
                let machines = layout.map.machines().filter(|(_, entry)| entry.role == role);
                machines.map(|(id, _)| id).collect()
            }
            _ => layout.map.find_machine(name).into_iter().collect(),
        }
    };
    work.on.iter().flat_map(of).collect()
}

/// The plan's part.
pub(super) fn reliability(section: &raw::Reliability, layout: &Layout) -> Reliability {
    let parts = things(layout).into_iter().filter_map(|named| part(section, named)).collect();
    let crews = section.crews.iter().map(|crew| {
        let order = match crew.order {
            OrderWord::Fcfs => Order::Fcfs,
            OrderWord::Preemptive => Order::Preemptive,
        };
        Crew { count: crew.count, order }
    });
    let shocks = section.shocks.iter().map(|shock| Shock {
        cause: shock.cause.clone().unwrap_or_else(|| format!("{} shock", shock.stops.name())),
        processes: layout.map.of_kind(shock.stops).collect(),
        every: shock.every.clone(),
        repair: shock.repair.clone(),
    });
    let bursts = section.bursts.as_ref().map(|bursts| Bursts {
        share: bursts.share,
        window: bursts.window,
        same_zone: bursts.same_zone,
    });
    Reliability {
        parts,
        crews: crews.collect(),
        outages: outages(section, layout),
        shocks: shocks.collect(),
        bursts,
        work: section.work.iter().map(|entry| work(entry, layout)).collect(),
    }
}

fn part(section: &raw::Reliability, named: Named) -> Option<Part> {
    let own = section.overrides.iter().find(|own| own.name == named.name).map(|own| &own.modes);
    let of_class = || section.classes.iter().find(|entry| entry.class == named.class);
    let modes = own.or_else(|| of_class().map(|entry| &entry.modes))?;
    if modes.is_empty() {
        return None;
    }
    let class = named.class.name();
    let crew = section.crews.iter().position(|crew| crew.classes.iter().any(|name| name == class));
    let urgency =
        crew.and_then(|crew| section.crews[crew].classes.iter().position(|name| name == class));
    let modes = modes.iter().map(|entry| mode(entry, &named)).collect();
    let urgency = u32::try_from(urgency.unwrap_or(0)).unwrap_or(u32::MAX);
    Some(Part { thing: named.thing, name: named.name, class, modes, crew, urgency })
}

/// A process restarts by itself; everything else waits for its crew.
fn mode(entry: &ModeEntry, named: &Named) -> Mode {
    let process = matches!(named.thing, Thing::Process(_));
    let what = match named.thing {
        Thing::Machine(_) => "machine down",
        Thing::Process(_) => "process down",
        Thing::Disk(_) => "disk stalled",
        Thing::Link(_) => "link down",
        Thing::Cluster => "cluster out of service",
    };
    Mode {
        cause: entry.cause.clone().unwrap_or_else(|| what.to_owned()),
        failure: entry.failure.clone(),
        repair: entry.repair.clone(),
        needs_crew: entry.needs_crew.unwrap_or(!process),
    }
}

/// Whether outages of zones hit machines of a role.
fn hits(group: &Group, role: MachineRole) -> bool {
    let name = Class::Machine(role).name();
    group.classes.as_ref().is_none_or(|classes| classes.iter().any(|class| class == name))
}

fn outages(section: &raw::Reliability, layout: &Layout) -> Vec<CommonOutage> {
    let map = &layout.map;
    let outage = |name: String, machines: Vec<MachineId>, group: &Group| CommonOutage {
        name,
        machines,
        failure: group.failure.clone(),
        repair: group.repair.clone(),
        effect: match &group.effect {
            GroupEffect::Overlay => OutageEffect::Overlay,
            GroupEffect::Crash(boot) => OutageEffect::Crash { boot: boot.clone() },
        },
    };
    let mut outages = Vec::new();
    if let Some(group) = &section.zones {
        for (zone, name) in map.zones() {
            let inside = map.machines().filter(|(_, entry)| entry.zone == zone);
            let inside = inside.filter(|(_, entry)| entry.role != MachineRole::Outside);
            let inside = inside.filter(|(_, entry)| hits(group, entry.role));
            let machines: Vec<MachineId> = inside.map(|(id, _)| id).collect();
            if !machines.is_empty() {
                outages.push(outage(format!("zone {name}"), machines, group));
            }
        }
    }
    for group in &section.racks {
        let machines = group.machines.iter().filter_map(|name| map.find_machine(name)).collect();
        outages.push(outage(format!("rack {}", group.name), machines, group));
    }
    outages
}

fn work(entry: &WorkEntry, layout: &Layout) -> PlannedWork {
    PlannedWork {
        cause: entry.cause.clone().unwrap_or_else(|| "planned work".to_owned()),
        machines: worked_on(entry, layout),
        first: entry.first.unwrap_or(entry.every),
        every: entry.every,
        window: entry.window.unwrap_or(entry.every),
        lasts: entry.lasts.clone(),
        pause: entry.pause,
        only_when_whole: entry.only_when_whole,
    }
}

//! What fails by itself over the years: things with laws of failure and repair, common causes,
//! repair crews and planned work. With [`Timings`](super::timings::Timings) this is all that an
//! exact solution and a failure process need to know of a cluster beside its map.
//!
//! The rules that both keep:
//!
//! - A thing that is down cannot fail again. Its modes of failure compete: each has its own clock,
//!   all begin anew when the thing comes up.
//! - A process fails only while its machine is up. A machine that comes up again brings all its
//!   processes up: what had failed on it, and their clocks, begin anew.
//! - A repair needs a crew where one is responsible for the thing; otherwise it begins at once. A
//!   mode whose `needs_crew` is false (a process that restarts by itself) never waits for one.
//! - At time 0 everything is up and new.
//!
//! Absent on purpose: what a failure means for services (the world and the exact solution each say
//! so, independently), and drawing.

mod common;
mod crew;
mod work;

pub use common::{Bursts, CommonOutage, OutageEffect, Shock};
pub use crew::{Crew, Order};
pub use work::PlannedWork;

use crate::component::id::{ComponentId, MachineId};
use crate::kernel::law::Law;

/// Something that fails by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// A machine: every process on it is gone until it is repaired.
    Machine(MachineId),
    /// A process, while its machine is up.
    Process(ComponentId),
    /// A machine's disk: what writes to it stalls, an etcd member above all. Everything else on the
    /// machine goes on.
    Disk(MachineId),
    /// A machine's connection to the network: nobody reaches it. Its processes go on.
    Link(MachineId),
    /// The cluster as one: no API server serves until it is put right (an operator's error, a
    /// certificate that ran out).
    Cluster,
}

/// One way to fail, with the time until then and the time that putting it right takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Mode {
    /// What it is called in reports of downtime by cause.
    pub cause: String,
    /// From being up and new to the failure. Never a law that can be zero for good.
    pub failure: Law,
    /// From the failure, or from when a crew begins, to being up.
    pub repair: Law,
    /// Whether the repair waits for the thing's crew, if it has one.
    pub needs_crew: bool,
}

/// A thing with its modes of failure.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// What fails.
    pub thing: Thing,
    /// Its unique name, for streams and reports: `cp1`, `cp1/etcd`, `cp1/disk`, `cp1/link`,
    /// `cluster`.
    pub name: String,
    /// Its class as scenarios name it: `machines.controlPlane`, `processes.etcd`.
    pub class: &'static str,
    /// How it fails; at least one.
    pub modes: Vec<Mode>,
    /// Which of the crews repairs it, by position in [`Reliability::crews`]; `None`: everybody is
    /// repaired at once.
    pub crew: Option<usize>,
    /// How urgent its repair is to its crew: 0 first. Counts where the crew's order is
    /// [`Order::Preemptive`].
    pub urgency: u32,
}

/// All that fails by itself in a cluster.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reliability {
    /// Things with laws of their own, in the order of the map: machines with their disk, link and
    /// processes, then the cluster. Things that never fail are left out.
    pub parts: Vec<Part>,
    /// The repair crews.
    pub crews: Vec<Crew>,
    /// Outages of zones and racks, which hit several machines at once.
    pub outages: Vec<CommonOutage>,
    /// Shocks, which stop several processes at once.
    pub shocks: Vec<Shock>,
    /// Failures of machines that come in bursts.
    pub bursts: Option<Bursts>,
    /// Work that is planned.
    pub work: Vec<PlannedWork>,
}

impl Reliability {
    /// Whether nothing ever fails.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
            && self.outages.is_empty()
            && self.shocks.is_empty()
            && self.work.is_empty()
    }

    /// The part of a thing, if it fails.
    pub fn part(&self, thing: Thing) -> Option<&Part> {
        self.parts.iter().find(|part| part.thing == thing)
    }
}

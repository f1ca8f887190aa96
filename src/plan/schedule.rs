//! The fault schedule: timed settings with targets that may only be known when they fire.

use super::rolling::Rolling;
use crate::component::certificate::Certificates;
use crate::component::id::{ComponentId, Kind, MachineId, ZoneId};
use crate::component::lever::{Lever, Setting, Slowness};
use crate::kernel::law::Law;
use crate::kernel::time::Duration;

/// Whom a fault hits; selectors are resolved at the instant at which the fault fires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// This process.
    Process(ComponentId),
    /// This machine.
    Machine(MachineId),
    /// The etcd leader, or the holder of the Lease of a scheduler or controller-manager.
    LeaderOf(Kind),
    /// A non-leader of that kind, drawn.
    FollowerOf(Kind),
    /// The process of that kind which stands on the machine of the leader of another.
    MachineOfLeader(Kind),
    /// The keepalived or kube-vip that holds the virtual address.
    HolderOfVip,
    /// The machine that holds the virtual address.
    MachineOfVip,
    /// Every machine of a zone.
    Zone(ZoneId),
    /// All of these.
    Each(Vec<Target>),
    /// One of these, drawn.
    AnyOf(Vec<Target>),
    /// The process of a kind on the machine that another target resolves to.
    On(Kind, Box<Target>),
    /// What the earlier fault of this position resolved to.
    SameAs(usize),
    /// What the other side of the earlier fault of this position resolved to.
    OthersOf(usize),
}

/// What a fault does to its target.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Pulls a process's lever.
    Lever(Lever),
    /// Starts a process.
    Start,
    /// Terminates a process and starts it as soon as it has ended.
    Restart,
    /// A process fails, and nothing starts it until it is repaired.
    Fail,
    /// The repair: the process can be started, and is.
    Mend,
    /// Power of a machine.
    Power(bool),
    /// The machine's cable (carrier is lost).
    Cable(bool),
    /// The machine's switch port (carrier stays).
    Port(bool),
    /// Cuts or restores packets between the target and each of the others.
    Link {
        /// The other ends.
        others: Vec<Target>,
        /// Both directions, or only from the target to the others.
        both: bool,
        /// Restores (`true`) or cuts (`false`).
        up: bool,
    },
    /// Extra delay between the target and the others.
    Delay {
        /// The other ends.
        others: Vec<Target>,
        /// How much, each way; zero removes it.
        by: Duration,
    },
    /// Extra loss between the target and the others.
    Loss {
        /// The other ends.
        others: Vec<Target>,
        /// Share of packets in parts per million; zero removes it.
        ppm: u32,
    },
    /// Stalls or frees the disk of a machine.
    Disk(bool),
    /// Saves a snapshot of an etcd member's store.
    Snapshot,
    /// Restores an etcd member's directory from the last snapshot.
    Restore,
    /// Slows the disk of a machine, or lets it be as the options say (`None`).
    SlowDisk(Option<Slowness>),
    /// Rate of a machine's clock.
    ClockRate(u32),
    /// Suspends a machine with its clock, or lets it go on.
    Suspend(bool),
    /// Starves the processes of a machine: time and again none of them gets a processor.
    Starve {
        /// How long they run in between.
        runs: Law,
        /// How long they stand still.
        stalls: Law,
    },
    /// Ends that.
    Feed,
    /// A process's configuration: broken (`false`; it restarts) or sound again (it starts).
    Config(bool),
    /// Certificates of a process expire (`false`) or are renewed.
    Certificate(Certificates, bool),
    /// The DNS name's authority leaves the machine's address out or lists it.
    Record(bool),
    /// A procedure, on one target after the other.
    Roll(Rolling),
    /// An operator's taint on the machine's Node object: given or removed.
    OutOfService(bool),
}

/// One line of a scenario's faults.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The verb as the scenario wrote it, for the timeline.
    pub verb: &'static str,
    /// When, from time 0.
    pub at: Law,
    /// For how long; then `undo` is applied to what was hit. `None`: for good.
    pub lasts: Option<Law>,
    /// Repeats after this long; `None`: once.
    pub every: Option<Law>,
    /// What it does.
    pub action: Action,
    /// What ends it, where it has an end.
    pub undo: Option<Action>,
    /// Whom it hits.
    pub targets: Vec<Target>,
    /// Which earlier fault (by position) this one repairs, if it is a repair.
    pub repairs: Option<usize>,
}

/// The whole schedule, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schedule {
    /// The faults.
    pub faults: Vec<Fault>,
}

/// A setting with the words that explain it on the timeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    /// Position of the fault in the schedule.
    pub fault: usize,
    /// Whether this undoes it.
    pub undo: bool,
    /// What is done.
    pub setting: Setting,
}

//! What an injector may do to the world from outside: power, process, link, disk, clock.
//!
//! Two levels: a [`Setting`] names a target and is applied by the world; a [`Lever`] is what the
//! component on the receiving end is told, so that it can book what it had lazily in flight.

use super::certificate::Certificates;
use super::id::{ComponentId, MachineId};
use super::members::MemberChange;
use crate::kernel::time::{Duration, Time};

/// What happens to one process, as that process's model is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lever {
    /// SIGTERM: the process shuts down in its own way and then exits by [`Effects::exit`](super::Effects::exit).
    Stop,
    /// SIGKILL or a fatal error: nothing is tidied up; the kernel closes its sockets.
    Kill,
    /// SIGKILL of keepalived's child alone: the parent starts it again.
    KillChild,
    /// The machine lost power: like [`Lever::Kill`], but nobody answers for its sockets.
    PowerLoss,
    /// SIGSTOP, starvation or a long garbage collection: no code runs, the kernel still accepts.
    Pause,
    /// SIGCONT: elapsed timers and waiting messages are delivered now.
    Resume,
    /// Writes to the disk of its machine stop completing.
    StallDisk,
    /// Writes to the disk complete again.
    FreeDisk,
    /// Writes to the disk of its machine take this long from now on; `None`: as the options say.
    SlowDisk(Option<Slowness>),
    /// The process's database exceeds its quota (`false`), or was compacted and the alarm disarmed.
    Space(bool),
    /// The process's data directory is empty at its next start.
    WipeData,
    /// The process's data directory is restored from a snapshot of a store.
    Restore(Snapshot),
    /// A certificate that it shows has expired, or is valid again.
    Expire,
    /// The process's next start is with `--force-new-cluster`: it drops all other members.
    ForceNewCluster,
    /// The machine's clock now runs at this rate, in parts per million of true time (1,000,000 = true).
    ClockRate(u32),
    /// The interface of its machine lost (`false`) or regained (`true`) carrier.
    Carrier(bool),
    /// An operator asks this etcd member to change the membership of another.
    Membership(MemberChange, ComponentId),
}

/// A snapshot of etcd's store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// When it was taken.
    pub taken: Time,
    /// Raft term of the member at that time.
    pub term: u64,
    /// Index of the last entry in it.
    pub index: u64,
}

/// How long a slow disk takes to make a write durable: a log-normal law.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slowness {
    /// Half of all writes take at most this long. Above zero.
    pub median: Duration,
    /// All but one of a hundred take at most this long; longer than the median.
    pub p99: Duration,
}

/// One timed change of the world, as the schedule and operators make it.
#[derive(Clone, Debug, PartialEq)]
pub enum Setting {
    /// Pulls a process's lever.
    Process(ComponentId, Lever),
    /// Starts a process that is not running (nothing happens to one that is).
    Start(ComponentId),
    /// Terminates a process and starts it again as soon as it has ended.
    Restart(ComponentId),
    /// A process's configuration becomes unusable (`false`: it restarts and ends at once each time), or
    /// usable again (`true`: it starts).
    Config(ComponentId, bool),
    /// Ends a process like [`Lever::Kill`], and bars every start of it until [`Setting::Mend`].
    Fail(ComponentId),
    /// Takes a bar of [`Setting::Fail`] away; with the last one the process starts, unless its
    /// machine or its kubelet, which will start it, is down.
    Mend(ComponentId),
    /// Turns a machine off (`false`) or on (`true`; it boots).
    Power(MachineId, bool),
    /// Loss (`false`) or return (`true`) of carrier on a machine's only cable: both directions dead.
    Cable(MachineId, bool),
    /// The switch stops (`false`) or resumes (`true`) to forward for a machine; its carrier stays.
    Port(MachineId, bool),
    /// Cuts (`false`) or restores (`true`) one direction between two machines.
    OneWay(MachineId, MachineId, bool),
    /// Extra one-way delay between two machines, both directions; zero removes it.
    Delay(MachineId, MachineId, Duration),
    /// Extra share of lost packets between two machines, both directions, in parts per million.
    Loss(MachineId, MachineId, u32),
    /// Saves a snapshot of an etcd member's store, if it serves.
    Snapshot(ComponentId),
    /// Stalls (`true`) or frees (`false`) the disk of a machine.
    Disk(MachineId, bool),
    /// The disk of a machine becomes slow, or as its programs' options say (`None`).
    SlowDisk(MachineId, Option<Slowness>),
    /// Rate of a machine's clock in parts per million.
    ClockRate(MachineId, u32),
    /// The DNS name's authority leaves a machine's address out (`false`) or lists it; the clients'
    /// resolver answers from its cache until the record's TTL has passed.
    Record(MachineId, bool),
    /// Suspends (`true`) a whole machine: it answers nothing, and its clock stands still; or lets it go
    /// on (`false`) where it was.
    Suspend(MachineId, bool),
    /// Certificates of a process expire (`false`), or are renewed: that shows at its next start.
    Certificate(ComponentId, Certificates, bool),
    /// An operator gives (`true`) or removes (`false`) the taint `out-of-service` of a Node object;
    /// nothing happens while no API server answers writes.
    OutOfService(ComponentId, bool),
}

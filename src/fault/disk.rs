//! Disks that stop or forget.

use super::{Act, Verb, Whom};
use crate::component::id::Kind;
use crate::component::lever::Lever;
use crate::plan::schedule::Action;

/// Writes stop completing.
pub(super) const STALL_DISK: Verb = Verb {
    name: "stallDisk",
    doc: "Writes to the machine's disk stop completing: an etcd member there neither ticks nor answers. `for` frees it.",
    whom: Whom::Machines,
    ends: true,
    repairs: &[],
    options: &[],
    act: |given| Act::until(Action::Disk(true), Action::Disk(false), given.targets.clone()),
};

/// Writes complete again.
pub(super) const FREE_DISK: Verb = Verb {
    name: "freeDisk",
    doc: "Writes to the machine's disk complete again.",
    whom: Whom::Machines,
    ends: false,
    repairs: &["stallDisk"],
    options: &[],
    act: |given| Act::lasting(Action::Disk(false), given.targets.clone()),
};

/// The data directory is empty.
pub(super) const WIPE_DATA: Verb = Verb {
    name: "wipeData",
    doc: "The etcd member's data directory is empty at its next start.",
    whom: Whom::Processes(&[Kind::Etcd]),
    ends: false,
    repairs: &[],
    options: &[],
    act: |given| Act::lasting(Action::Lever(Lever::WipeData), given.targets.clone()),
};

//! Disks that stop or forget.

use super::option::{OptionSort, VerbOption};
use super::{Act, Verb, Whom};
use crate::component::id::Kind;
use crate::component::lever::{Lever, Slowness};
use crate::kernel::time::Duration;
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

/// Writes take long.
pub(super) const SLOW_DISK: Verb = Verb {
    name: "slowDisk",
    doc: "Writes to the machine's disk take long, each by a log-normal law of its own. An etcd member there answers later; a write that lasts longer than the followers' patience costs a leader its term. `for` ends it.",
    whom: Whom::Machines,
    ends: true,
    repairs: &[],
    options: &[
        VerbOption {
            name: "p50",
            doc: "Half of the writes take at most this long. Above zero and below `p99`.",
            sort: OptionSort::SpanOr(Duration::from_millis(10)),
        },
        VerbOption {
            name: "p99",
            doc: "All but one in a hundred take at most this long. etcd advises less than 10 ms.",
            sort: OptionSort::SpanAbove("p50"),
        },
    ],
    act: |given| {
        let (median, p99) = (given.options.span("p50"), given.options.span("p99"));
        let slow = Action::SlowDisk(Some(Slowness { median, p99 }));
        Act::until(slow, Action::SlowDisk(None), given.targets.clone())
    },
};

/// The database reaches its quota.
pub(super) const FILL_DATABASE: Verb = Verb {
    name: "fillDatabase",
    doc: "The etcd member's database reaches `quota-backend-bytes`: its next write raises the alarm NOSPACE, and every member refuses writes from then on, until the database has been compacted and defragmented and the alarm disarmed. `for` does that.",
    whom: Whom::Processes(&[Kind::Etcd]),
    ends: true,
    repairs: &[],
    options: &[],
    act: |given| {
        let set = |room| Action::Lever(Lever::Space(room));
        Act::until(set(false), set(true), given.targets.clone())
    },
};

/// The alarm is disarmed.
pub(super) const DISARM: Verb = Verb {
    name: "disarm",
    doc: "Compacts and defragments the etcd member's database and disarms the alarm NOSPACE: writes work again, unless another member's database is still full.",
    whom: Whom::Processes(&[Kind::Etcd]),
    ends: false,
    repairs: &["fillDatabase"],
    options: &[],
    act: |given| Act::lasting(Action::Lever(Lever::Space(true)), given.targets.clone()),
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

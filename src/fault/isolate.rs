//! A machine without network, and the repair of everything that was cut or impaired.

use super::option::{OptionSort, VerbOption};
use super::{Act, Verb, Whom};
use crate::plan::schedule::Action;

/// All of a machine's network is gone.
pub(super) const ISOLATE: Verb = Verb {
    name: "isolate",
    doc: "The machine is cut off from every other; its processes live on. `for` connects it again.",
    whom: Whom::Machines,
    ends: true,
    repairs: &[],
    options: &[VerbOption {
        name: "carrier",
        doc: "`lost`: the cable is pulled and the machine's own interface goes down. `kept`: the switch stops to forward, and the machine cannot see why.",
        sort: OptionSort::Words(&["lost", "kept"]),
    }],
    act: |given| {
        let cut: fn(bool) -> Action =
            if given.options.word("carrier") == "lost" { Action::Cable } else { Action::Port };
        Act::until(cut(false), cut(true), given.targets.clone())
    },
};

/// Repair of network faults.
pub(super) const HEAL: Verb = Verb {
    name: "heal",
    doc: "Ends an earlier fault of the network; its value repeats that fault's.",
    whom: Whom::Earlier,
    ends: false,
    repairs: &[
        "isolate",
        "partition",
        "oneWay",
        "slowLink",
        "lossyLink",
        "zoneOutage",
        "skewClock",
    ],
    options: &[],
    act: |given| Act::lasting(Action::Cable(true), given.targets.clone()),
};

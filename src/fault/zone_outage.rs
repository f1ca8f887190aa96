//! A whole zone is away: every machine in it at once.

use super::option::{OptionSort, VerbOption};
use super::{Act, Verb, Whom};
use crate::plan::schedule::Action;

/// A zone's power or network.
pub(super) const ZONE_OUTAGE: Verb = Verb {
    name: "zoneOutage",
    doc: "Every machine of the zone is away at once. `for` brings the zone back.",
    whom: Whom::Zones,
    ends: true,
    repairs: &[],
    options: &[VerbOption {
        name: "loses",
        doc: "`power`: its machines go down and boot again afterwards. `network`: its machines live on and reach each other, but nobody outside the zone.",
        sort: OptionSort::Words(&["power", "network"]),
    }],
    act: |given| {
        let targets = given.targets.clone();
        if given.options.word("loses") == "power" {
            return Act::until(Action::Power(false), Action::Power(true), targets);
        }
        let link = |up| Action::Link { others: given.others.clone(), both: true, up };
        Act::until(link(false), link(true), targets)
    },
};

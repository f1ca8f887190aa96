//! Cuts between some machines while both sides reach others, clients for example.

use super::{Act, Given, Verb, Whom};
use crate::plan::schedule::Action;

fn cut(given: &Given, both: bool) -> Act {
    let link = |up| Action::Link { others: given.others.clone(), both, up };
    Act::until(link(false), link(true), given.targets.clone())
}

/// Both directions.
pub(super) const PARTITION: Verb = Verb {
    name: "partition",
    doc: "No packet passes between two sides, each a machine or a list of them. Whoever is on neither side (clients, unless `client` is named) still reaches both. `for` ends it.",
    whom: Whom::TwoSides,
    ends: true,
    repairs: &[],
    options: &[],
    act: |given| cut(given, true),
};

/// One direction.
pub(super) const ONE_WAY: Verb = Verb {
    name: "oneWay",
    doc: "Packets `from` some machines `to` others are lost; the way back works. `for` ends it.",
    whom: Whom::FromTo,
    ends: true,
    repairs: &[],
    options: &[],
    act: |given| cut(given, false),
};

//! Power of machines.

use super::{Act, Verb, Whom};
use crate::plan::schedule::Action;

/// Power cut.
pub(super) const POWER_OFF: Verb = Verb {
    name: "powerOff",
    doc: "The machine loses power: its processes end and nobody answers for it. `for` powers it on again.",
    whom: Whom::Machines,
    ends: true,
    repairs: &[],
    options: &[],
    act: |given| Act::until(Action::Power(false), Action::Power(true), given.targets.clone()),
};

/// Power returns.
pub(super) const POWER_ON: Verb = Verb {
    name: "powerOn",
    doc: "The machine gets power and boots; its services and static pods start.",
    whom: Whom::Machines,
    ends: false,
    repairs: &["powerOff", "zoneOutage"],
    options: &[],
    act: |given| Act::lasting(Action::Power(true), given.targets.clone()),
};

//! A configuration that programs cannot use, as one push brings it to many at once.

use super::{Act, Verb, Whom};
use crate::plan::schedule::Action;

/// The push.
pub(super) const PUSH_BAD_CONFIG: Verb = Verb {
    name: "pushBadConfig",
    doc: "A configuration that they cannot use reaches these processes: each restarts and ends as soon as it has read it, as often as its supervisor starts it. `for` brings the old one back and starts what is down.",
    whom: Whom::Processes(&[]),
    ends: true,
    repairs: &[],
    options: &[],
    act: |given| Act::until(Action::Config(false), Action::Config(true), given.targets.clone()),
};

/// The way back.
pub(super) const ROLL_BACK: Verb = Verb {
    name: "rollBackConfig",
    doc: "Brings the old configuration back and starts the processes that are down.",
    whom: Whom::Processes(&[]),
    ends: false,
    repairs: &["pushBadConfig"],
    options: &[],
    act: |given| Act::lasting(Action::Config(true), given.targets.clone()),
};

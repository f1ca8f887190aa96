//! Changes of the DNS name that clients use.

use super::{Act, Verb, Whom};
use crate::plan::schedule::Action;

/// An address goes.
pub(super) const DROP_RECORD: Verb = Verb {
    name: "dropRecord",
    doc: "The authority leaves the machine's address out of the DNS name of the endpoint. The clients' resolver learns of it when what it keeps has run out, within `cluster.endpoint.ttl`. `for` lists it again.",
    whom: Whom::Machines,
    ends: true,
    repairs: &[],
    options: &[],
    act: |given| Act::until(Action::Record(false), Action::Record(true), given.targets.clone()),
};

/// An address comes back.
pub(super) const ADD_RECORD: Verb = Verb {
    name: "addRecord",
    doc: "The authority lists the machine's address in the DNS name of the endpoint again.",
    whom: Whom::Machines,
    ends: false,
    repairs: &["dropRecord"],
    options: &[],
    act: |given| Act::lasting(Action::Record(true), given.targets.clone()),
};

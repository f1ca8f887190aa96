//! Declarations of an operator about nodes.

use super::{Act, Verb, Whom};
use crate::plan::schedule::Action;

/// `kubectl taint nodes NODE node.kubernetes.io/out-of-service=nodeshutdown:NoExecute`.
pub(super) const OUT_OF_SERVICE: Verb = Verb {
    name: "outOfService",
    doc: "An operator taints the node out-of-service: its pods are deleted at once, and while it is not ready they are collected without its word, so that a StatefulSet's pods can move. Nothing happens while no API server answers writes. `for` removes the taint.",
    whom: Whom::Machines,
    ends: true,
    repairs: &[],
    options: &[],
    act: |given| {
        Act::until(Action::OutOfService(true), Action::OutOfService(false), given.targets.clone())
    },
};

//! A Node as the API tells of it: its Ready condition and its taints.
//!
//! Absent on purpose: who sets them, which are the kubelet and the node lifecycle controller.

use crate::kernel::time::Time;
use serde::Serialize;

/// A condition's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Condition {
    /// Holds.
    True,
    /// Does not hold, as the kubelet itself says.
    False,
    /// Nobody has heard of it for too long.
    #[default]
    Unknown,
}

/// Which of the two taints that evict pods a node has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Taint {
    /// `node.kubernetes.io/not-ready`: its kubelet says so itself.
    NotReady,
    /// `node.kubernetes.io/unreachable`: nobody has heard of it for too long.
    Unreachable,
}

impl Taint {
    /// The taint's key without its domain.
    pub fn name(self) -> &'static str {
        match self {
            Taint::NotReady => "not-ready",
            Taint::Unreachable => "unreachable",
        }
    }
}

/// A Node object as a linearizable read returns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeFact {
    /// The Ready condition.
    pub ready: Condition,
    /// Since when.
    pub since: Option<Time>,
    /// It has a taint that keeps new pods away (`NoSchedule`).
    pub no_schedule: bool,
    /// The taint that evicts pods (`NoExecute`), if it has one.
    pub no_execute: Option<Taint>,
    /// An operator has declared it shut down: `node.kubernetes.io/out-of-service:NoExecute`.
    pub out_of_service: bool,
    /// It is not in the store, which has lost its data: its kubelet registers it when it starts.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub gone: bool,
}

impl NodeFact {
    /// A node with this condition since an instant, without taints.
    pub fn of(ready: Condition, since: Option<Time>) -> Self {
        Self { ready, since, ..Self::default() }
    }
}

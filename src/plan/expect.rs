//! What a scenario claims, as checkable limits.

use super::rolling::Progress;
use super::service::Service;
use crate::kernel::time::Duration;

/// A limit on a duration or a count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit<T> {
    /// Not below.
    pub at_least: Option<T>,
    /// Not above.
    pub at_most: Option<T>,
}

impl<T: PartialOrd + Copy> Limit<T> {
    /// Whether a value keeps the limit.
    pub fn holds(&self, value: T) -> bool {
        self.at_least.is_none_or(|low| value >= low)
            && self.at_most.is_none_or(|high| value <= high)
    }
}

/// Laws that must hold throughout a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invariant {
    /// At most one raft leader a term.
    OneLeaderPerTerm,
    /// No acknowledged write is missing from the log of a later leader.
    NoAcknowledgedWriteLost,
    /// The Lease record changes holder only when it has expired for the taker, or is free.
    OneLeaseHolder,
    /// At most one machine holds the virtual address.
    OneVipHolder,
    /// A StatefulSet has each ordinal at most once.
    OnePodPerOrdinal,
}

/// What is claimed.
#[derive(Clone, Debug, PartialEq)]
pub enum Claim {
    /// Longest outage of a service; `at_most: 0` means none.
    LongestOutage(Service, Limit<Duration>),
    /// Sum of a service's outages.
    TotalOutage(Service, Limit<Duration>),
    /// Number of a service's outages.
    Outages(Service, Limit<u64>),
    /// Longest degradation of a service: a time in which it served some requests, but not all.
    LongestDegradation(Service, Limit<Duration>),
    /// Number of a service's degradations.
    Degradations(Service, Limit<u64>),
    /// Whether the service is up at the end.
    UpAtEnd(Service, bool),
    /// A metric by its name, as a duration.
    Metric(String, Limit<Duration>),
    /// A metric by its name, as a count.
    Count(String, Limit<u64>),
    /// A metric has no value: it did not happen.
    Absent(String),
    /// Who leads or holds at the end (`etcd`, `kube-scheduler`, `kube-controller-manager`, `vip`):
    /// the name of a machine, or `None` for nobody.
    Leader(String, Option<String>),
    /// Ready status of a node at the end: `Ready` or `NotReady`.
    Node(String, bool),
    /// How far the procedures with this verb have come at the end.
    Procedure(String, Progress),
    /// An invariant.
    Invariant(Invariant),
}

/// A claim with its place in the file, for the message when it fails.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// Key path, for example `expect[2]`.
    pub path: String,
    /// What is claimed.
    pub claim: Claim,
}

//! What is measured over the years, and why it is down.

/// What is measured, up or down at every instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// The address that clients use leads to a balancer, or needs none.
    Endpoint,
    /// An API server can be reached; etcd is not needed.
    ApiReadCached,
    /// Quorum reads work.
    ApiRead,
    /// Writes work.
    ApiWrite,
    /// A leader exists that a majority follows.
    EtcdQuorum,
    /// A majority of the members could vote, whether or not a leader is elected.
    EtcdMajority,
    /// Writes work, and a kube-scheduler holds the Lease.
    Scheduling,
    /// Writes work, and a kube-controller-manager holds the Lease.
    Reconciliation,
}

impl Measure {
    /// Every measure, in the order of reports.
    pub const ALL: [Measure; 8] = [
        Measure::Endpoint,
        Measure::ApiReadCached,
        Measure::ApiRead,
        Measure::ApiWrite,
        Measure::EtcdQuorum,
        Measure::EtcdMajority,
        Measure::Scheduling,
        Measure::Reconciliation,
    ];

    /// Whether it is a service that requests ask for.
    pub fn is_asked(self) -> bool {
        matches!(
            self,
            Measure::Endpoint | Measure::ApiReadCached | Measure::ApiRead | Measure::ApiWrite
        )
    }

    /// The name in files and output: the service's, where it is one.
    pub fn name(self) -> &'static str {
        match self {
            Measure::Endpoint => "endpoint",
            Measure::ApiReadCached => "api-read-cached",
            Measure::ApiRead => "api-read",
            Measure::ApiWrite => "api-write",
            Measure::EtcdQuorum => "etcd-quorum",
            Measure::EtcdMajority => "etcd-majority",
            Measure::Scheduling => "scheduling",
            Measure::Reconciliation => "reconciliation",
        }
    }
}

/// Why something is down, for downtime by cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Planned work is under way.
    PlannedWork,
    /// Too few members to vote.
    Quorum,
    /// No balancer that could hold the address.
    Balancer,
    /// No API server that could serve.
    ApiServer,
    /// Everything needed is there: an election, a takeover of the address or of a Lease goes on.
    Failover,
    /// Something that stops the cluster as one.
    Cluster,
}

impl Reason {
    /// Every reason, in the order of reports.
    pub const ALL: [Reason; 6] = [
        Reason::Quorum,
        Reason::ApiServer,
        Reason::Balancer,
        Reason::Failover,
        Reason::PlannedWork,
        Reason::Cluster,
    ];

    /// The name in files and output.
    pub fn name(self) -> &'static str {
        match self {
            Reason::PlannedWork => "planned work",
            Reason::Quorum => "quorum lost",
            Reason::Balancer => "no balancer",
            Reason::ApiServer => "no API server",
            Reason::Failover => "failover",
            Reason::Cluster => "whole cluster",
        }
    }
}

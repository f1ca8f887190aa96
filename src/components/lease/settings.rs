//! What an elector is told: the options of leader election, resolved, and which client-go it is.

use crate::component::param::{Problem, words};
use crate::component::versions::Versions;
use crate::components::connection::Settings;
use crate::kernel::time::Duration;

/// `JitterFactor` of client-go: only the waits of those who do not lead are stretched by it.
pub const JITTER_FACTOR: f64 = 1.2;

words! {
    /// How the library's leader election behaves; a release belongs to the newest one not later.
    pub enum ClientGo {
        /// Expiry by the candidate's own leaseDuration; each renewal reads before it writes; a
        /// request may take the whole renewDeadline.
        V0_20 = "0.20",
        /// A request is given up after half the renewDeadline.
        V0_21 = "0.21",
        /// Expiry by the duration found in the record.
        V0_27 = "0.27",
        /// A renewal writes without reading while the lease has not expired.
        V0_30 = "0.30",
        /// Ticks of a renewal cycle count from its start; a release reads before it writes.
        V0_34 = "0.34",
    }
}

impl ClientGo {
    /// The library of a Kubernetes release.
    pub fn of(versions: &Versions) -> Self {
        let release = versions.kubernetes;
        match release {
            _ if release.at_least(1, 34) => Self::V0_34,
            _ if release.at_least(1, 30) => Self::V0_30,
            _ if release.at_least(1, 27) => Self::V0_27,
            _ if release.at_least(1, 21) => Self::V0_21,
            _ => Self::V0_20,
        }
    }

    /// Whether the duration in the record counts, not the candidate's own.
    pub fn expiry_by_record(self) -> bool {
        !matches!(self, Self::V0_20 | Self::V0_21)
    }

    /// Whether a holder renews by a PUT alone.
    pub fn fast_path(self) -> bool {
        matches!(self, Self::V0_30 | Self::V0_34)
    }

    /// Whether the ticks of a cycle count from its start, not from the end of its first attempt.
    pub fn ticks_from_start(self) -> bool {
        self == Self::V0_34
    }

    /// When a request is given up that may take as long as the renewDeadline allows.
    pub fn request_timeout(self, renew_deadline: Duration) -> Duration {
        if self == Self::V0_20 {
            renew_deadline
        } else {
            (renew_deadline / 2).max(Duration::from_secs(1))
        }
    }

    /// Whether a release reads the Lease before it writes.
    pub fn release_reads(self) -> bool {
        self == Self::V0_34
    }
}

/// Leader election of one instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Election {
    /// `leaseDuration`: what those who do not hold the Lease wait since they last saw it change.
    pub lease_duration: Duration,
    /// `renewDeadline`: how long one renewal cycle may keep failing.
    pub renew_deadline: Duration,
    /// `retryPeriod`: between attempts.
    pub retry_period: Duration,
    /// When a single request is given up.
    pub client_timeout: Duration,
    /// Whether SIGTERM gives the Lease back.
    pub release_on_cancel: bool,
    /// Whether instances go by the name of their node, so that one that starts again still holds what it
    /// held; else each start is a stranger to its own Lease.
    pub by_node: bool,
    /// Which behaviour.
    pub client_go: ClientGo,
    /// How long the one connection to an API server on another machine is kept; `None`: each request
    /// opens its own.
    pub connection: Option<Settings>,
}

impl Election {
    /// The longest wait of a candidate between two attempts.
    pub fn longest_wait(&self) -> Duration {
        self.retry_period.mul_f64(1.0 + JITTER_FACTOR)
    }

    /// What client-go refuses, in its words, and what merely works badly.
    pub fn check(&self) -> Vec<Problem> {
        let fatal = |field, message: &str, help: &str| Problem {
            field,
            message: message.to_owned(),
            help: help.to_owned(),
            fatal: true,
        };
        let mut problems = Vec::new();
        let least = Duration::from_nanos(1);
        for (field, value, message) in [
            ("leaseDuration", self.lease_duration, "leaseDuration must be greater than zero"),
            ("renewDeadline", self.renew_deadline, "renewDeadline must be greater than zero"),
            ("retryPeriod", self.retry_period, "retryPeriod must be greater than zero"),
        ] {
            if value < least {
                problems.push(fatal(field, message, "the defaults are 15s, 10s and 2s"));
            }
        }
        if self.lease_duration <= self.renew_deadline {
            problems.push(fatal(
                "leaseDuration",
                "leaseDuration must be greater than renewDeadline",
                "client-go refuses this combination; the defaults are 15s and 10s",
            ));
        }
        if self.renew_deadline <= self.retry_period.mul_f64(JITTER_FACTOR) {
            problems.push(fatal(
                "renewDeadline",
                "renewDeadline must be greater than retryPeriod*JitterFactor",
                "client-go refuses this combination (JitterFactor is 1.2); the defaults are 10s and 2s",
            ));
        }
        problems.extend(self.advice());
        problems
    }

    /// The record holds whole seconds, and a holder that gives up must do so before others may take
    /// over.
    fn advice(&self) -> Option<Problem> {
        let advice = |message: String, help: &str| {
            Some(Problem { field: "leaseDuration", message, help: help.to_owned(), fatal: false })
        };
        let giving_up = self.renew_deadline.saturating_add(self.retry_period);
        if self.lease_duration > self.renew_deadline && self.lease_duration <= giving_up {
            return advice(
                format!(
                    "a holder without the API gives up {giving_up} after its last renewal, but others \
                     may take the Lease {} after it",
                    self.lease_duration
                ),
                "leaseDuration should exceed renewDeadline + retryPeriod, or two instances act at once",
            );
        }
        let fraction = self.lease_duration % Duration::from_secs(1);
        (!fraction.is_zero()).then(|| {
            let seconds = Duration::from_secs(u64::from(self.duration_seconds()));
            advice(
                format!("the Lease holds whole seconds: {} becomes {seconds}", self.lease_duration),
                "write whole seconds",
            )
        })?
    }

    /// `leaseDurationSeconds` of the record: whole seconds, rounded down.
    pub fn duration_seconds(&self) -> u32 {
        u32::try_from(self.lease_duration.as_nanos() / 1_000_000_000).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::param::Params;
    use crate::component::versions::Version;
    use crate::components::controller_manager::ControllerManagerParams;
    use crate::components::scheduler::SchedulerParams;

    fn at(minor: u16) -> Versions {
        Versions { kubernetes: Version::new(1, minor), ..Versions::default() }
    }

    fn refused(lease: u64, renew: u64, retry: u64) -> Vec<&'static str> {
        let mut params = SchedulerParams::defaults(&at(34));
        params.lease_duration = Duration::from_millis(lease);
        params.renew_deadline = Duration::from_millis(renew);
        params.retry_period = Duration::from_millis(retry);
        params.check().into_iter().filter(|p| p.fatal).map(|p| p.field).collect()
    }

    /// Law: leaseDuration > renewDeadline > 1.2 · retryPeriod, both strict, and nothing empty.
    #[test]
    fn client_go_refuses_what_contradicts_itself() {
        assert!(refused(15_000, 10_000, 2_000).is_empty());
        assert_eq!(refused(10_000, 10_000, 2_000), ["leaseDuration"]);
        assert_eq!(refused(15_000, 2_400, 2_000), ["renewDeadline"]);
        assert!(refused(15_000, 2_401, 2_000).is_empty());
        assert_eq!(refused(15_000, 10_000, 0), ["retryPeriod"]);
    }

    /// Law: a lease shorter than renewDeadline + retryPeriod lets two act; it is allowed, with advice.
    #[test]
    fn too_small_a_margin_is_only_advised_against() {
        let mut params = SchedulerParams::defaults(&at(34));
        params.lease_duration = Duration::from_secs(12);
        let problems = params.check();
        assert!(problems.len() == 1 && !problems[0].fatal, "{problems:?}");
    }

    /// Law: defaults follow the release.
    #[test]
    fn releases_differ() {
        let scheduler = |minor| SchedulerParams::defaults(&at(minor));
        let manager = |minor| ControllerManagerParams::defaults(&at(minor));
        assert!(!scheduler(20).release_on_cancel && scheduler(22).release_on_cancel);
        assert!(!manager(34).release_on_cancel);
        assert_eq!(scheduler(20).election().client_timeout, Duration::from_secs(10));
        assert_eq!(scheduler(34).election().client_timeout, Duration::from_secs(5));
        assert_eq!(manager(31).node_monitor_grace_period, Duration::from_secs(40));
        assert_eq!(manager(32).node_monitor_grace_period, Duration::from_secs(50));
        for (minor, client_go) in [
            (20, ClientGo::V0_20),
            (26, ClientGo::V0_21),
            (27, ClientGo::V0_27),
            (30, ClientGo::V0_30),
            (34, ClientGo::V0_34),
        ] {
            assert_eq!(scheduler(minor).client_go, client_go);
        }
    }
}

//! How balancers learn which servers work: that is what tells `HAProxy`, NGINX and a cloud's apart.

use super::{CloudParams, LoadBalancer};
use crate::components::health_check::HealthCheck;
use crate::kernel::time::Duration;

/// How a balancer learns which servers work.
#[derive(Clone, Debug, PartialEq)]
pub enum Habit {
    /// By health checks as its parameters say (`HAProxy`).
    Checks,
    /// From its clients' connections (NGINX): after so many failures a server is passed over so long.
    Passive {
        /// `max_fails`.
        max_fails: u32,
        /// `fail_timeout`.
        fail_timeout: Duration,
    },
    /// By health checks of a cloud's balancer.
    Cloud(CloudParams),
}

impl LoadBalancer {
    /// Whether new connections may go to a server.
    pub(super) fn is_up(&self, server: usize) -> bool {
        let passes = |check: &HealthCheck| check.verdict() == Some(true);
        match self.habit {
            Habit::Passive { .. } => !self.failures[server].is_out(),
            Habit::Cloud(CloudParams { fail_open: true, .. }) if !self.checks.iter().any(passes) => {
                true
            }
            _ => passes(&self.checks[server]),
        }
    }

    /// How many servers are checked: all, or none.
    pub(super) fn checked(&self) -> usize {
        if matches!(self.habit, Habit::Passive { .. }) { 0 } else { self.servers.len() }
    }
}

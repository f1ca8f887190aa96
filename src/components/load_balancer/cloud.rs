//! A balancer of a cloud: it checks each target at an interval and passes packets through. It opens no
//! connection of its own, so that a target that is silent is silent for the client too, and nothing is
//! tried a second time. With every target unhealthy it uses all of them.
//!
//! Absent on purpose: its own failures beside those of its nodes, registration of targets, and clients
//! that are targets themselves (hairpin), whose connections some of these balancers lose.

use super::{CheckKind, LoadBalancerParams};
use crate::component::param::{Params, Problem, params, words};
use crate::component::versions::Versions;
use crate::components::health_check::{Depth, Names, Pacing, Rules};
use crate::kernel::time::Duration;

words! {
    /// What a health check of a cloud's balancer asks.
    pub enum CloudCheck {
        /// It connects.
        Tcp = "tcp",
        /// `GET /readyz` by TLS: 200 passes.
        Readyz = "https /readyz",
    }
}

params! {
    /// One target group of a cloud's balancer. The defaults are those of an AWS network load balancer.
    pub struct CloudParams {
        /// What a health check asks.
        health_check: CloudCheck = "healthCheck", |_v| CloudCheck::Tcp, "AWS NLB: TCP";
        /// From the start of a check to the start of the next.
        interval: Duration = "interval", |_v| Duration::from_secs(30),
            "AWS NLB: HealthCheckIntervalSeconds 30; GCP and Azure 5 s";
        /// How long a check may take.
        timeout: Duration = "timeout", |_v| Duration::from_secs(10),
            "AWS NLB: HealthCheckTimeoutSeconds 10 for TCP and HTTPS; GCP 5 s";
        /// Failed checks in a row after which a target is unhealthy.
        unhealthy: u32 = "unhealthyThreshold", |_v| 2, "AWS NLB: UnhealthyThresholdCount 2; GCP 2";
        /// Good checks in a row after which a target is healthy.
        healthy: u32 = "healthyThreshold", |_v| 5, "AWS NLB: HealthyThresholdCount 5; GCP 2";
        /// With every target unhealthy, all of them are used.
        fail_open: bool = "failOpen", |_v| true, "AWS NLB: all unhealthy is as all healthy";
        /// Connections to a target that becomes unhealthy are reset.
        reset: bool = "resetUnhealthy", |_v| true,
            "AWS NLB: target_health_state.unhealthy.connection_termination.enabled";
    }
}

impl CloudParams {
    /// Contradictions.
    pub fn check(&self) -> Vec<Problem> {
        let error = |field, message: String, help: &str| Problem {
            field,
            message,
            help: help.to_owned(),
            fatal: true,
        };
        let mut problems = Vec::new();
        for (field, count) in
            [("unhealthyThreshold", self.unhealthy), ("healthyThreshold", self.healthy)]
        {
            if count == 0 {
                let help = "it counts checks in a row: at least 1";
                problems.push(error(field, format!("`{field}` has to be above 0"), help));
            }
        }
        for (field, span) in [("interval", self.interval), ("timeout", self.timeout)] {
            if span.is_zero() {
                let help = "leave it out for the default";
                problems.push(error(field, format!("`{field}` must be above 0s"), help));
            }
        }
        problems
    }

    /// What a check asks, in the words of `HAProxy`.
    pub(super) fn kind(&self) -> CheckKind {
        match self.health_check {
            CloudCheck::Tcp => CheckKind::TcpCheck,
            CloudCheck::Readyz => CheckKind::Readyz,
        }
    }

    /// The rules of a check in true time, `local` turning a stretch of the balancer's clock into it.
    pub fn rules(&self, local: impl Fn(Duration) -> Duration) -> Rules {
        let (interval, timeout) = (local(self.interval), local(self.timeout));
        Rules {
            rise: self.healthy,
            fall: self.unhealthy,
            inter: interval,
            fastinter: interval,
            downinter: interval,
            pacing: Pacing::StartToStart,
            depth: if self.health_check == CloudCheck::Tcp { Depth::Connect } else { Depth::Reply },
            handshake: self.health_check == CloudCheck::Readyz,
            connect_limit: timeout,
            reply_fresh: Duration::ZERO,
            reply_total: timeout,
            spread: 0,
            syn: 0.into(),
            names: Names {
                inter: "interval",
                fastinter: "interval",
                downinter: "interval",
                connect_limit: "timeout",
                reply_limit: "timeout",
                work: "etcd-healthcheck-timeout",
            },
        }
    }

    /// Its way with connections, in the words of `HAProxy`: each is passed on once.
    pub fn as_haproxy(&self, versions: &Versions) -> LoadBalancerParams {
        let on_marked_down = self.reset.then_some(super::OnMarkedDown::ShutdownSessions);
        LoadBalancerParams {
            check: self.kind(),
            retries: 0,
            redispatch: false,
            on_marked_down,
            ..LoadBalancerParams::defaults(versions)
        }
    }
}

impl super::NginxParams {
    /// Its way with connections, in the words of `HAProxy`: each other server is tried once.
    pub fn as_haproxy(&self, servers: usize, versions: &Versions) -> LoadBalancerParams {
        let others = u32::try_from(servers.saturating_sub(1)).unwrap_or(u32::MAX);
        LoadBalancerParams {
            timeout_connect: Some(self.proxy_connect_timeout),
            timeout_client: Some(self.proxy_timeout),
            timeout_server: Some(self.proxy_timeout),
            retries: if self.proxy_next_upstream { others } else { 0 },
            redispatch: true,
            ..LoadBalancerParams::defaults(versions)
        }
    }
}

impl Default for CloudParams {
    fn default() -> Self {
        Self::defaults(&Versions::default())
    }
}

//! NGINX's passive checks: a server that failed `max_fails` times is passed over for `fail_timeout`;
//! then one request of a client probes it, and its success clears the failures.
//!
//! Time is NGINX's, in whole seconds, so that a server is passed over for up to a second longer
//! (`ngx_stream_upstream_round_robin.c`). With a single server nobody is ever passed over.
//!
//! Absent on purpose: weights, and several worker processes without a shared zone, which each learn for
//! themselves; one is modelled.

use super::{BalancerAlarm, Fx, LoadBalancer};
use crate::component::blame::Blame;
use crate::component::param::{Params, Problem, params};
use crate::component::versions::Versions;
use crate::component::view::View;
use crate::kernel::time::{Duration, Time};

params! {
    /// One upstream of NGINX in its `stream` module and its servers.
    pub struct NginxParams {
        /// Failures after which a server is passed over; 0: never.
        max_fails: u32 = "max_fails", |_v| 1, "ngx_stream_upstream_module, `max_fails`";
        /// For how long.
        fail_timeout: Duration = "fail_timeout", |_v| Duration::from_secs(10),
            "ngx_stream_upstream_module, `fail_timeout`";
        /// How long an attempt to connect to a server may take.
        proxy_connect_timeout: Duration = "proxy_connect_timeout", |_v| Duration::from_secs(60),
            "ngx_stream_proxy_module, `proxy_connect_timeout`";
        /// How long both sides of an established connection may be silent.
        proxy_timeout: Duration = "proxy_timeout", |_v| Duration::from_minutes(10),
            "ngx_stream_proxy_module, `proxy_timeout`";
        /// Whether a failed attempt to connect goes on at the next server.
        proxy_next_upstream: bool = "proxy_next_upstream", |_v| true,
            "ngx_stream_proxy_module, `proxy_next_upstream`";
    }
}

impl NginxParams {
    /// What NGINX refuses.
    pub fn check(&self) -> Vec<Problem> {
        let waits = [
            ("proxy_connect_timeout", self.proxy_connect_timeout),
            ("proxy_timeout", self.proxy_timeout),
        ];
        let zero = waits.into_iter().filter(|(_, wait)| wait.is_zero());
        zero.map(|(field, _)| Problem {
            field,
            message: format!("`{field}` must be above 0s"),
            help: "leave it out for the default".to_owned(),
            fatal: true,
        })
        .collect()
    }
}

/// What NGINX remembers of a server.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Failures {
    count: u32,
    /// Until when it is passed over.
    until: Option<Time>,
}

impl Failures {
    /// Whether it is passed over at present.
    pub(super) fn is_out(&self) -> bool {
        self.until.is_some()
    }
}

impl LoadBalancer {
    /// The rules of passive checks, if this is NGINX with more than one server.
    fn passive(&self) -> Option<(u32, Duration)> {
        let super::Habit::Passive { max_fails, fail_timeout } = self.habit else { return None };
        (self.servers.len() > 1 && max_fails > 0).then_some((max_fails, fail_timeout))
    }

    /// A server has been chosen: one that had failed before is being probed, and others pass it over.
    pub(super) fn chosen(&mut self, server: usize, view: &View, fx: Fx) {
        if let Some((max_fails, _)) = self.passive()
            && self.failures[server].count >= max_fails
        {
            self.pass_over(server, view, fx);
        }
    }

    /// Traffic has shown what a server is like.
    pub(super) fn learned(&mut self, server: usize, good: bool, view: &View, fx: Fx) {
        let Some((max_fails, _)) = self.passive() else { return };
        if good {
            let out = self.failures[server].is_out();
            self.failures[server] = Failures::default();
            if out {
                fx.clear(BalancerAlarm::Verdict(server));
                self.publish(fx);
            }
            return;
        }
        self.failures[server].count += 1;
        if self.failures[server].count >= max_fails {
            self.pass_over(server, view, fx);
        }
    }

    fn pass_over(&mut self, server: usize, view: &View, fx: Fx) {
        let Some((_, fail_timeout)) = self.passive() else { return };
        let second = Duration::from_secs(1).as_nanos();
        let whole = Time::from_nanos(view.now.as_nanos() / second * second);
        let until = whole + view.local(fail_timeout) + Duration::from_secs(1);
        self.failures[server].until = Some(until);
        let wait = until.saturating_since(view.now);
        fx.set(BalancerAlarm::Verdict(server), until, Blame::of("fail_timeout", wait));
        self.publish(fx);
    }

    /// A server may be tried again.
    pub(super) fn forgive(&mut self, server: usize, fx: Fx) {
        self.failures[server].until = None;
        self.publish(fx);
    }
}

impl Default for NginxParams {
    fn default() -> Self {
        Self::defaults(&Versions::default())
    }
}

//! The leader's last word before an instant, and its next write: heartbeats and steady writers, each
//! in a phase of its own.
//!
//! A Kubernetes cluster always writes, and each append postpones elections as a heartbeat does.

use super::part_of;
use crate::component::id::Kind;
use crate::component::record::RequestClass;
use crate::components::Params;
use crate::kernel::stream::Draw;
use crate::kernel::time::Duration;
use crate::plan::Plan;
use crate::plan::client::ClientPlan;

/// The steady writers of a cluster beside the leader's heartbeats.
#[derive(Clone, Debug)]
pub(super) struct Writers {
    heartbeat: Duration,
    /// From write to write of each.
    periods: Vec<Duration>,
    /// Those that write more often than the leader's heartbeats come.
    fast: Vec<Duration>,
    /// The probability that at most so many of the others wrote since the last heartbeat but one.
    at_most: Vec<f64>,
}

impl Writers {
    /// The writers of a plan whose leader's heartbeats are `heartbeat` apart.
    pub(super) fn of(plan: &Plan, heartbeat: Duration) -> Self {
        let periods = periods(plan);
        let fast = periods.iter().copied().filter(|period| *period <= heartbeat).collect();
        let slow = periods.iter().filter(|period| **period > heartbeat);
        let mut exactly = vec![1.0];
        for period in slow {
            let falls = heartbeat.as_secs_f64() / period.as_secs_f64();
            exactly.push(0.0);
            for at in (1..exactly.len()).rev() {
                exactly[at] = exactly[at] * (1.0 - falls) + exactly[at - 1] * falls;
            }
            exactly[0] *= 1.0 - falls;
        }
        let sums = exactly.iter().scan(0.0, |sum, p| {
            *sum += p;
            Some(*sum)
        });
        Self { heartbeat, fast, at_most: sums.collect(), periods }
    }

    /// How long before an arbitrary instant the leader's last heartbeat or append left. Each of the
    /// writes within the span of a heartbeat lies anywhere in it.
    pub(super) fn age(&self, draw: &mut Draw) -> Duration {
        let mut age = draw.uniform();
        let writes = draw.uniform();
        for p in &self.at_most {
            if writes < *p {
                break;
            }
            age = age.min(draw.uniform());
        }
        let age = self.heartbeat.mul_f64(age);
        self.fast.iter().fold(age, |age, period| age.min(part_of(*period, draw)))
    }

    /// How long after an arbitrary instant somebody writes next.
    pub(super) fn next(&self, draw: &mut Draw) -> Duration {
        self.periods.iter().fold(Duration::MAX, |next, period| next.min(part_of(*period, draw)))
    }
}

/// From write to write of everything that writes steadily: holders of Leases, kubelets, clients.
fn periods(plan: &Plan) -> Vec<Duration> {
    let mut periods = Vec::new();
    for kind in [Kind::Scheduler, Kind::ControllerManager, Kind::KubeVip] {
        let params = plan.map.of_kind(kind).next().map(|id| plan.params_of(id));
        periods.extend(params.and_then(|params| match params {
            Params::Scheduler(params, _) => params.leader_elect.then_some(params.retry_period),
            Params::ControllerManager(params, _) => {
                params.leader_elect.then_some(params.retry_period)
            }
            Params::KubeVip(params, _) => Some(params.retry_period),
            _ => None,
        }));
    }
    for id in plan.map.of_kind(Kind::Kubelet) {
        if let Params::Kubelet(params, _) = plan.params_of(id) {
            periods.push(params.renew_interval());
        }
    }
    let writes = |client: &&ClientPlan| client.class == RequestClass::Write;
    let clients = plan.clients.iter().map(|(_, client)| client);
    periods.extend(clients.filter(writes).map(|client| client.every));
    periods
}

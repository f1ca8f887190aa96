//! API servers in a night without etcd: their liveness probes fail, kubelets kill them and start them
//! again, and as start-up fails without etcd too, each time after a longer wait.
//!
//! Absent on purpose: requests under way, which let a server that was told to end live on for some
//! seconds without taking new ones; start-up probes, which by default are more patient than what
//! they probe; channels to etcd that wait to be dialled again.

use super::{longest, part_of};
use crate::component::id::{ComponentId, Kind};
use crate::components::Params;
use crate::components::api_server::{
    ApiServerParams, HOOK_TIMEOUT, PREFLIGHT_PERIOD, PREFLIGHT_TIMEOUT,
};
use crate::components::kubelet::KubeletParams;
use crate::components::kubelet::backoff::{self, Entry, restart};
use crate::kernel::law::Law;
use crate::kernel::stream::Draw;
use crate::kernel::time::{Duration, Time};
use crate::plan::Plan;

/// How API servers are probed, killed and started again.
#[derive(Clone, Debug)]
pub struct Nights {
    /// From the loss of etcd until a probe made then fails.
    check: Duration,
    /// From probe to probe, and how many further ones are forgiven.
    period: Duration,
    further: u32,
    /// From look to look for dead containers.
    relist: Duration,
    backoff: backoff::Law,
    port_open: Law,
    first_http: Law,
    readyz: Law,
}

/// A server's start, from when it finds a member of etcd that accepts connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Youth {
    /// Until requests are answered.
    pub answers: Duration,
    /// Until the process ends, if etcd does not work before.
    pub gives_up: Duration,
}

impl Nights {
    /// `None` where no kubelet kills API servers that have no etcd.
    pub(super) fn of(plan: &Plan) -> Option<Self> {
        let server = *plan.services.api_servers.first()?;
        let Params::ApiServer(params, _) = plan.params_of(server) else { return None };
        let kubelet = plan.map.of_kind(Kind::Kubelet).find_map(|id| prober(plan, id, server))?;
        Some(Self::new(params, kubelet))
    }

    fn new(params: &ApiServerParams, kubelet: &KubeletParams) -> Self {
        Self {
            check: params.etcd_healthcheck_timeout,
            period: kubelet.probe_period,
            further: kubelet.failure_threshold.saturating_sub(1),
            relist: kubelet.pleg_period,
            backoff: kubelet.backoff(),
            port_open: params.port_open.clone(),
            first_http: params.first_http.clone(),
            readyz: params.readyz.clone(),
        }
    }

    /// The least time from the loss of etcd until a server is killed, if it does not come back before.
    pub fn patience(&self) -> Duration {
        self.check + self.period * u64::from(self.further)
    }

    /// How much longer it takes: the phase of the probes.
    pub fn phase(&self, draw: &mut Draw) -> Duration {
        part_of(self.period, draw)
    }

    /// When the process of a server that has ended is started again, by the back-off that it has met
    /// in the `past`, which becomes that of the next time.
    pub fn restarts(&self, draw: &mut Draw, past: &mut Option<Entry>, ended: Time) -> Time {
        let found = ended + part_of(self.relist, draw);
        let next = restart(self.backoff, *past, ended, found, || draw.uniform());
        *past = Some(next.entry);
        next.at
    }

    /// A time that a process which has ended, with etcd back, does not exceed until it answers again.
    pub fn longest_restart(&self) -> Duration {
        let waits = self.backoff.longest().saturating_add(self.relist);
        waits.saturating_add(longest([&self.port_open, &self.first_http]))
    }

    /// From a process's start until its port is open.
    pub fn opens(&self, draw: &mut Draw) -> Duration {
        self.port_open.sample(draw)
    }

    /// How a start goes on once a member of etcd has accepted a connection.
    pub fn youth(&self, draw: &mut Draw) -> Youth {
        let answers = self.first_http.sample(draw);
        let ready = self.readyz.sample(draw).max(answers);
        Youth { answers, gives_up: ready + HOOK_TIMEOUT }
    }

    /// For how long a process looks for a member that accepts a connection.
    pub fn looks(&self) -> Duration {
        PREFLIGHT_TIMEOUT
    }

    /// The first look at or after `now` of a process that began then.
    pub fn look(&self, began: Time, now: Time) -> Time {
        let period = PREFLIGHT_PERIOD.as_nanos();
        began + PREFLIGHT_PERIOD * now.saturating_since(began).as_nanos().div_ceil(period)
    }
}

/// The options of this kubelet, if it probes this server, and asks it for etcd.
fn prober(plan: &Plan, kubelet: ComponentId, server: ComponentId) -> Option<&KubeletParams> {
    let Params::Kubelet(params, wiring) = plan.params_of(kubelet) else { return None };
    let probes = params.probes && !params.livez_excludes_etcd;
    (probes && wiring.pods.contains(&server)).then_some(params)
}

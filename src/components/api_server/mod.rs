//! kube-apiserver: takes requests, asks etcd, answers; any number of them serve at once.
//!
//! What requests meet is published as abilities, so that steady clients need no events; a request
//! that is made while something is wrong is carried through one by one. Start-up, health endpoints,
//! the watch cache, the etcd client and the graceful stop follow the real server; each has a file.
//!
//! Where a scenario has informers, what is too much at a time waits or is turned away (`admission`,
//! [`capacity`]); elsewhere servers are taken to be within their capacity.
//!
//! Absent on purpose: what objects mean, and authorization.

mod admission;
mod boot;
mod cache;
pub mod capacity;
mod etcd_client;
mod relay;
mod requests;
mod state;
mod storage;
#[cfg(test)]
mod tests;

pub use boot::{HOOK_PERIOD, HOOK_TIMEOUT, PREFLIGHT_PERIOD, PREFLIGHT_TIMEOUT};
pub use cache::{LEADER_CHECK, LEADER_CHECKS};
pub use etcd_client::USER_TIMEOUT;

use crate::component::mail::{Body, Mail};
use crate::component::param::{Problem, params};
use crate::component::versions::Version;
use crate::component::{Alarm as _, Cause, Component, ComponentId, Effects, Lever, Map, View};
use crate::kernel::law::Law;
use crate::kernel::time::Duration;
use std::collections::BTreeMap;
use cache::Cache;
use capacity::{Gate, Limits, PriorityLevel};
use relay::Relays;
use state::Life;
use storage::Storages;

params! {
    /// Options of kube-apiserver, and what its machine and cluster make of its start-up.
    pub struct ApiServerParams {
        /// A request that is neither a watch nor otherwise long-running is given up after this long.
        request_timeout: Duration = "request-timeout", |_v| Duration::from_secs(60),
            "kube-apiserver --request-timeout";
        /// After SIGTERM the server goes on serving for this long, with /readyz already failing.
        shutdown_delay_duration: Duration = "shutdown-delay-duration", |_v| Duration::ZERO,
            "kube-apiserver --shutdown-delay-duration";
        /// How many seconds a pod that does not say itself tolerates that its node is not ready.
        default_not_ready_toleration: u32 = "default-not-ready-toleration-seconds", |_v| 300,
            "kube-apiserver --default-not-ready-toleration-seconds (admission DefaultTolerationSeconds)";
        /// The same of an unreachable node: it is what makes a worker's failover take five minutes.
        default_unreachable_toleration: u32 = "default-unreachable-toleration-seconds", |_v| 300,
            "kube-apiserver --default-unreachable-toleration-seconds (admission DefaultTolerationSeconds)";
        /// How long the etcd check of /healthz, /livez and /readyz waits for its read.
        etcd_healthcheck_timeout: Duration = "etcd-healthcheck-timeout", |_v| Duration::from_secs(2),
            "kube-apiserver --etcd-healthcheck-timeout";
        /// For this long after the start, /livez passes although start-up has not finished.
        livez_grace_period: Duration = "livez-grace-period", |_v| Duration::ZERO,
            "kube-apiserver --livez-grace-period";
        /// Whether a read from the watch cache fails at once (429) while the cache is being filled,
        /// instead of waiting.
        resilient_watchcache: bool = "ResilientWatchCacheInitialization", |v| v.kubernetes.at_least(1, 31),
            "kube-apiserver --feature-gates=ResilientWatchCacheInitialization: beta in 1.31";
        /// Whether etcd's client tries failed reads again (100 times, 25 ms apart). In older releases
        /// another interceptor displaced the one that does it.
        etcd_read_retry: bool = "etcdReadRetry", |v| v.kubernetes.at_least(1, 30),
            "k8s.io/apiserver storagebackend/factory/etcd3.go: interceptors are chained (read in 1.30; not in 1.20)";
        /// From the start of the process until its port accepts connections.
        port_open: Law = "startToPortOpen",
            |_v| Law::Uniform { from: Duration::from_millis(61), to: Duration::from_millis(126) },
            "measured: kube-apiserver 1.20.2, empty cluster, 61-126 ms";
        /// From the start of the process (from etcd's first answer, if that is later) until HTTP
        /// requests are answered.
        first_http: Law = "startToFirstHttp",
            |_v| Law::Uniform { from: Duration::from_millis(1750), to: Duration::from_millis(2240) },
            "measured: kube-apiserver 1.20.2, empty cluster, 1.75-2.24 s";
        /// From the start of the process (as above) until /readyz is 200, if etcd works. Measured on
        /// an empty cluster: 2.7-3.2 s; the default stands for clusters with objects.
        readyz: Law = "startToReadyz", |_v| readyz_default(),
            "estimate: 3-15 s on real clusters, tens of seconds on large ones; median 8 s, p95 30 s";
        /// Work on one request apart from etcd's.
        processing: Duration = "processing", |_v| Duration::from_millis(2),
            "estimate: a few milliseconds for a small object";
        /// How many requests that change nothing are worked on at a time; with priority and fairness, its
        /// sum with `max-mutating-requests-inflight` is divided among the levels. Counts where a
        /// scenario has `informers`.
        max_requests_inflight: u32 = "max-requests-inflight", |_v| 400, "kube-apiserver --max-requests-inflight";
        /// The same of requests that change something.
        max_mutating_requests_inflight: u32 = "max-mutating-requests-inflight", |_v| 200,
            "kube-apiserver --max-mutating-requests-inflight";
        /// Whether seats are divided among priority levels, each with its queues; else what is above
        /// the two limits gets 429 at once, whoever asks.
        priority_and_fairness: bool = "enable-priority-and-fairness", |v| v.kubernetes.at_least(1, 20),
            "kube-apiserver --enable-priority-and-fairness: beta and on since 1.20";
        /// Work on one request of an informer's process, beside LISTs and what etcd takes: so long it
        /// keeps its seat.
        request_time: Law = "requestTime", |_v| Law::Exponential { mean: Duration::from_millis(10) },
            "estimate: a small object, with admission";
        /// Work on one LIST of an informer.
        list_time: Law = "listTime", |_v| Law::Exponential { mean: Duration::from_millis(200) },
            "estimate: hundreds of objects from the watch cache, encoded";
        /// How many seats such a LIST takes, with priority and fairness.
        list_seats: u32 = "listSeats", |v| if v.kubernetes.at_least(1, 23) { 10 } else { 1 },
            "k8s.io/apiserver flowcontrol/request, maximumSeats 10, for many objects; one seat in 1.20";
        /// Whether reads from the cache are worked on one after the other, as by a simple server that
        /// stands for others: what has queued up while it was stopped is then answered in its turn.
        one_at_a_time: bool = "oneAtATime", |_v| false, "Go serves each request in a goroutine of its own";
    }
}

/// Median 8 s, 95th percentile 30 s.
fn readyz_default() -> Law {
    let (median, p95) = (Duration::from_secs(8), Duration::from_secs(30));
    Law::lognormal_by_p95(median, p95).unwrap_or(Law::Fixed(median))
}

impl ApiServerParams {
    /// How it limits what it works on at a time.
    pub fn limits(&self, release: Version) -> Limits {
        Limits {
            reading: self.max_requests_inflight,
            mutating: self.max_mutating_requests_inflight,
            fairness: self.priority_and_fairness,
            release,
            patience: self.request_timeout / 4,
        }
    }

    /// Contradictions, as the real server treats them.
    pub fn check(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.request_timeout.is_zero() {
            problems.push(Problem {
                field: "request-timeout",
                message: "`request-timeout` is 0".to_owned(),
                help: "the server answers every request with a time-out; the default is 60s"
                    .to_owned(),
                fatal: true,
            });
        }
        if self.etcd_healthcheck_timeout.is_zero() {
            problems.push(Problem {
                field: "etcd-healthcheck-timeout",
                message: "`etcd-healthcheck-timeout` is 0: the server is never healthy".to_owned(),
                help: "the default is 2s".to_owned(),
                fatal: false,
            });
        }
        if self.priority_and_fairness
            && self.max_requests_inflight == 0
            && self.max_mutating_requests_inflight == 0
        {
            problems.push(Problem {
                field: "max-requests-inflight",
                message: "there are no seats to divide among priority levels".to_owned(),
                help: "the server refuses `max-requests-inflight` and `max-mutating-requests-inflight` both 0 with `enable-priority-and-fairness`; the defaults are 400 and 200".to_owned(),
                fatal: true,
            });
        }
        problems
    }
}

/// With whom an API server talks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wiring {
    /// `--etcd-servers`: only the local member in kubeadm's stacked topology, all members in the
    /// external one.
    pub etcd_servers: Vec<ComponentId>,
    /// Of kube-apiserver.
    pub release: Version,
    /// The informers that load it. Where there are none, nothing limits its requests.
    pub crowds: Vec<Crowd>,
}

/// Informers, as a server tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crowd {
    /// Which.
    pub id: ComponentId,
    /// Their priority level.
    pub level: PriorityLevel,
    /// All of them are one user, and one flow; else each process has its own.
    pub shared: bool,
}

/// The bits of a call's key that number the process among informers.
pub const PROCESS_BITS: u32 = 16;

/// Purpose of the draws for the start-up offsets.
const START_DRAW: u32 = 1;
/// Purpose of the draw for the phase of etcd's checks for a leader.
const LEADER_CHECK_DRAW: u32 = 2;

/// Purpose of the draws for work on requests; those of etcd's clients are 0 and 3 to 5.
const WORK_DRAW: u32 = 6;

/// The alarms of an API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// The port opens.
    PortOpen,
    /// etcd is tried again before the start-up goes on.
    Preflight,
    /// The HTTP server is up.
    Http,
    /// Start-up is over if etcd works.
    Readyz,
    /// `livez-grace-period` is over.
    LivezGrace,
    /// The etcd check has failed for its time-out.
    Health,
    /// etcd has cancelled the watches.
    WatchLost,
    /// The watch cache lists again.
    Relist,
    /// A request is given up or tried again.
    Request,
    /// The listener closes.
    Close,
    /// Requests under way are no longer waited for.
    Drained,
    /// A channel to etcd, numbered storage by storage in the order of `etcd-servers`.
    Channel(usize),
}

/// Alarms that do not belong to a channel.
const FIXED: [Alarm; 11] = [
    Alarm::PortOpen,
    Alarm::Preflight,
    Alarm::Http,
    Alarm::Readyz,
    Alarm::LivezGrace,
    Alarm::Health,
    Alarm::WatchLost,
    Alarm::Relist,
    Alarm::Request,
    Alarm::Close,
    Alarm::Drained,
];

impl crate::component::Alarm for Alarm {
    fn index(self) -> usize {
        match self {
            Alarm::Channel(at) => FIXED.len() + at,
            fixed => FIXED.iter().position(|a| *a == fixed).unwrap_or(0),
        }
    }

    fn at_index(index: usize) -> Self {
        FIXED.get(index).copied().unwrap_or(Alarm::Channel(index.saturating_sub(FIXED.len())))
    }
}

/// A kube-apiserver.
#[derive(Debug)]
pub struct ApiServer {
    params: ApiServerParams,
    wiring: Wiring,
    life: Life,
    storages: Storages,
    cache: Cache,
    relays: Relays,
    /// What limits its requests, if anything does, and where those that wait there are kept.
    gate: Option<Gate>,
    queued: BTreeMap<u64, u64>,
}

impl ApiServer {
    /// An API server that is not running.
    pub fn new(_me: ComponentId, params: &ApiServerParams, wiring: &Wiring) -> Self {
        Self {
            params: params.clone(),
            wiring: wiring.clone(),
            life: Life::default(),
            storages: Storages::new(&wiring.etcd_servers),
            cache: Cache::default(),
            relays: Relays::default(),
            gate: (!wiring.crowds.is_empty()).then(|| Gate::new(params.limits(wiring.release))),
            queued: BTreeMap::new(),
        }
    }

    fn alarm(&mut self, alarm: Alarm, view: &View, fx: &mut Effects<Alarm>) {
        match alarm {
            Alarm::PortOpen => self.life.listening = true,
            Alarm::Preflight => self.preflight(view, fx),
            Alarm::Http => self.serve_http(view, fx),
            Alarm::Readyz => self.finish_start(view, fx),
            Alarm::LivezGrace => self.life.grace = false,
            Alarm::Health => self.life.etcd_failed = true,
            Alarm::WatchLost => self.lose_watches(view, fx),
            Alarm::Relist => self.relist(view, fx),
            Alarm::Request => self.attend(view, fx),
            Alarm::Close => self.close_listener(fx),
            Alarm::Drained => self.forget_requests(),
            Alarm::Channel(at) => {
                let news = self.storages.owner(at).due(at, view, fx);
                self.channel_news(news, view, fx);
            }
        }
    }

    fn lever(&mut self, lever: Lever, view: &View, fx: &mut Effects<Alarm>) {
        match lever {
            Lever::Stop => self.stop(fx),
            Lever::Kill | Lever::PowerLoss => self.die(),
            Lever::Resume => self.look_again(view, fx),
            Lever::Pause
            | Lever::StallDisk
            | Lever::FreeDisk
            | Lever::SlowDisk(_)
            | Lever::Space(_)
            | Lever::WipeData
            | Lever::ClockRate(_)
            | Lever::Carrier(_)
            | Lever::KillChild
            | Lever::Membership(..)
            | Lever::Restore(_)
            | Lever::Expire
            | Lever::ForceNewCluster => {}
        }
    }
}

impl Component for ApiServer {
    type Alarm = Alarm;

    fn alarms(&self) -> usize {
        Alarm::Channel(self.storages.channels()).index()
    }

    fn watches(&self, map: &Map) -> Vec<ComponentId> {
        // What a member can do depends on all members.
        map.of_kind(crate::component::Kind::Etcd).collect()
    }

    fn on(&mut self, cause: Cause<Alarm>, view: &View, fx: &mut Effects<Alarm>) {
        match cause {
            Cause::Settle => self.settle(view, fx),
            Cause::Boot => self.boot(view, fx),
            Cause::Alarm(alarm) => self.alarm(alarm, view, fx),
            Cause::Saw(member) => self.saw(member, view, fx),
            Cause::Mail(Mail { from, body: Body::Call(call) }) => {
                self.take(from, call, (view.now, false), view, fx);
            }
            Cause::Mail(Mail { from, body: Body::Begun(begun) }) => {
                self.take(from, begun.call, (begun.at, false), view, fx);
            }
            Cause::Mail(Mail { from, body: Body::Asked(call) }) => {
                self.take(from, call, (view.now, true), view, fx);
            }
            Cause::Mail(Mail { body: Body::Reply(reply), .. }) => self.hear(&reply, view, fx),
            Cause::Mail(_) => {}
            Cause::Lever(lever) => self.lever(lever, view, fx),
        }
        self.seat_waiting(view, fx);
        self.finish_stop(fx);
        self.publish(view, fx);
    }
}

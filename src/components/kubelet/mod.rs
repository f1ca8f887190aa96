//! kubelet: keeps the static pods of its machine running, starts and stops those of workloads, renews
//! its node Lease, and posts the node's status.
//!
//! In a settled cluster it does all of that without events: renewals are a published cadence, probes
//! are counted when something changes. When the kubelet is away its containers go on running, and
//! nobody restarts them.
//!
//! Absent on purpose: eviction under pressure, and the container runtime.

pub mod backoff;
mod connection;
mod heartbeat;
mod liveness;
mod pods;
mod status;
#[cfg(test)]
mod tests;
mod user_pods;

use crate::component::certificate::Certificates;
use crate::component::effects::ExitStatus;
use crate::component::fact::{Condition, Fact, KubeletFact, NodeFact};
use crate::component::mail::{Body, Mail, Outcome, Reply};
use crate::component::param::{Problem, params, words};
use crate::component::{Alarm as _, Cause, Component, ComponentId, Effects, Kind, Lever, Map, View};
use crate::kernel::law::Law;
use crate::kernel::time::Duration;
use heartbeat::Heartbeat;
use crate::components::workload::Shared;
use pods::Pods;
use status::Status;
use user_pods::UserPods;

words! {
    /// What the liveness probe of an etcd static pod asks.
    pub enum EtcdProbe {
        /// `/health`: fails without a leader, so that a long loss of quorum restarts the survivors.
        Health = "/health",
        /// `/health?serializable=true`: fails only if the member itself does not answer.
        Serializable = "/health?serializable=true",
        /// `/livez`: a serializable read.
        Livez = "/livez",
    }
}

params! {
    /// Options of the kubelet, and of the static pods that kubeadm writes.
    pub struct KubeletParams {
        /// How long a node Lease is valid; it is renewed every quarter of that.
        lease_duration_seconds: u32 = "nodeLeaseDurationSeconds", |_v| 40,
            "KubeletConfiguration nodeLeaseDurationSeconds";
        /// Each wait between renewals is longer by up to this share of it. Renewals are modelled at
        /// the mean of that.
        lease_jitter: f64 = "nodeLeaseRenewJitter", |v| if v.kubernetes.at_least(1, 21) { 0.04 } else { 0.0 },
            "k8s.io/component-helpers lease controller: 0.04 in newer releases, none in 1.20";
        /// Seconds from the last frame of the connection to the API until a PING is sent; 0: none is.
        read_idle: u32 = "HTTP2_READ_IDLE_TIMEOUT_SECONDS", |_v| 30,
            "k8s.io/apimachinery util/net/http.go, readIdleTimeoutSeconds";
        /// Seconds that its answer may take before the connection is closed.
        ping_timeout: u32 = "HTTP2_PING_TIMEOUT_SECONDS", |_v| 15,
            "k8s.io/apimachinery util/net/http.go, pingTimeoutSeconds";
        /// Whether all connections to the API are closed at the second heartbeat in a row that failed.
        closes_on_failure: bool = "closeConnectionsOnHeartbeatFailure", |v| !v.kubernetes.at_least(1, 24),
            "kubelet server.go, onHeartbeatFailure: kubernetes#63492; from 1.24 on (kubernetes#108107) only with DISABLE_HTTP2";
        /// How often the node's status is computed, and posted if it changed.
        status_update_frequency: Duration = "nodeStatusUpdateFrequency", |_v| Duration::from_secs(10),
            "KubeletConfiguration nodeStatusUpdateFrequency";
        /// How often an unchanged status is posted.
        status_report_frequency: Duration = "nodeStatusReportFrequency", |_v| Duration::from_minutes(5),
            "KubeletConfiguration nodeStatusReportFrequency";
        /// How often dead containers are looked for.
        pleg_period: Duration = "plegRelistPeriod", |_v| Duration::from_secs(1),
            "kubelet.go plegRelistPeriod";
        /// The wait before the second restart of a container; the first is at once, later ones double.
        backoff_initial: Duration = "crashLoopBackOffInitial", |_v| Duration::from_secs(10),
            "kubelet.go backOffPeriod";
        /// The longest of these waits.
        backoff_max: Duration = "crashLoopBackOff.maxContainerRestartPeriod", |_v| Duration::from_secs(300),
            "kubelet.go MaxContainerBackOff; KubeletConfiguration crashLoopBackOff where the feature is on";
        /// A container that ran for longer than this is restarted at once again.
        backoff_reset: Duration = "crashLoopBackOffReset", |_v| Duration::from_secs(600),
            "client-go flowcontrol.Backoff: twice the longest wait";
        /// While a container waits, its pod is looked at again after this long, and up to half more.
        resync: Duration = "podResyncPeriod", |_v| Duration::from_secs(10),
            "kubelet pod_workers.go workerBackOffPeriodJitterFactor 0.5";
        /// From the start of the kubelet until it looks after its pods.
        start: Law = "startToSync",
            |_v| Law::Uniform { from: Duration::from_secs(2), to: Duration::from_secs(5) },
            "estimate: 2-5 s";
        /// Whether static pods have liveness probes, as kubeadm writes them.
        probes: bool = "livenessProbes", |_v| true, "kubeadm staticpod utils";
        /// `periodSeconds` of the liveness and start-up probes.
        probe_period: Duration = "livenessProbe.periodSeconds", |_v| Duration::from_secs(10),
            "kubeadm staticpod utils";
        /// `timeoutSeconds` of these probes.
        probe_timeout: Duration = "livenessProbe.timeoutSeconds", |_v| Duration::from_secs(15),
            "kubeadm staticpod utils";
        /// `initialDelaySeconds` of these probes.
        probe_delay: Duration = "livenessProbe.initialDelaySeconds", |_v| Duration::from_secs(10),
            "kubeadm staticpod utils";
        /// Failures in a row after which a container is killed.
        failure_threshold: u32 = "livenessProbe.failureThreshold", |_v| 8, "kubeadm staticpod utils";
        /// The same before the container has first answered.
        startup_threshold: u32 = "startupProbe.failureThreshold", |_v| 24,
            "kubeadm staticpod utils: 4 min / periodSeconds";
        /// Probe kube-apiserver by `/livez?exclude=etcd`, so that a loss of etcd kills no API server.
        livez_excludes_etcd: bool = "livezExcludeEtcd", |_v| false,
            "kubeadm probes /livez; GCE manifests exclude etcd";
        /// What the etcd pod's liveness probe asks.
        etcd_probe: EtcdProbe = "etcdLivenessProbe", |v| etcd_probe(v.kubernetes),
            "kubeadm etcd/local.go: /health in 1.20, serializable later, /livez in current releases (the release of the change is an estimate)";
    }
}

fn etcd_probe(kubernetes: crate::component::versions::Version) -> EtcdProbe {
    match (kubernetes.at_least(1, 22), kubernetes.at_least(1, 34)) {
        (_, true) => EtcdProbe::Livez,
        (true, _) => EtcdProbe::Serializable,
        _ => EtcdProbe::Health,
    }
}

impl KubeletParams {
    /// By which containers that end are started again.
    pub fn backoff(&self) -> backoff::Law {
        backoff::Law {
            initial: self.backoff_initial,
            max: self.backoff_max,
            reset: self.backoff_reset,
            resync: self.resync,
        }
    }

    /// From answer to next renewal of the node Lease: a quarter of its duration, jitter at its mean.
    pub fn renew_interval(&self) -> Duration {
        let quarter = Duration::from_secs(u64::from(self.lease_duration_seconds)) / 4;
        quarter.mul_f64(1.0 + self.lease_jitter / 2.0)
    }

    /// Contradictions, as the real kubelet treats them.
    pub fn check(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut error = |field, message: &str, help: &str| {
            let (message, help) = (message.to_owned(), help.to_owned());
            problems.push(Problem { field, message, help, fatal: true });
        };
        if self.lease_duration_seconds == 0 {
            error(
                "nodeLeaseDurationSeconds",
                "`nodeLeaseDurationSeconds` must be above 0",
                "the default is 40",
            );
        }
        if self.ping_timeout == 0 {
            error(
                "HTTP2_PING_TIMEOUT_SECONDS",
                "`HTTP2_PING_TIMEOUT_SECONDS` must be at least 1",
                "the default is 15",
            );
        }
        let periods = [
            ("nodeStatusUpdateFrequency", self.status_update_frequency),
            ("plegRelistPeriod", self.pleg_period),
            ("podResyncPeriod", self.resync),
            ("livenessProbe.periodSeconds", self.probe_period),
        ];
        for (field, _) in periods.into_iter().filter(|(_, period)| period.is_zero()) {
            error(field, &format!("`{field}` must be above 0s"), "leave it out for the default");
        }
        for (field, threshold) in [
            ("livenessProbe.failureThreshold", self.failure_threshold),
            ("startupProbe.failureThreshold", self.startup_threshold),
        ] {
            if threshold == 0 {
                error(field, &format!("`{field}` must be at least 1"), "leave it out for the default");
            }
        }
        if !(0.0..=1.0).contains(&self.lease_jitter) {
            error(
                "nodeLeaseRenewJitter",
                "`nodeLeaseRenewJitter` must lie between 0 and 1",
                "the default is 0.04, and 0 before Kubernetes 1.21",
            );
        }
        if self.backoff_initial > self.backoff_max {
            error(
                "crashLoopBackOffInitial",
                "the first back-off is longer than the longest",
                "the defaults are 10s and 300s",
            );
        }
        problems
    }
}

/// What a kubelet looks after and with whom it talks.
#[derive(Clone, Debug, PartialEq)]
pub struct Wiring {
    /// The static pods of its machine.
    pub pods: Vec<ComponentId>,
    /// `server` of its kubeconfig: [`ComponentId::VIP`], a balancer or an API server. Several are the
    /// addresses of a name, of which the first is tried first.
    pub servers: Vec<ComponentId>,
    /// The API servers, in the order of the balancers' backend.
    pub api_servers: Vec<ComponentId>,
    /// Its Node object.
    pub node: ComponentId,
    /// The workloads whose pods may be bound to its machine; none where user pods may not run.
    pub workloads: Shared,
}

/// Purpose of the draws for the phases of renewals, of the relist and of the status loop.
const PHASE_DRAW: u32 = 0;
/// Purpose of the draws for the time from start to work.
const START_DRAW: u32 = 1;
/// Purpose of the draws for the resync of a pod in back-off.
const RESYNC_DRAW: u32 = 2;
/// Purpose of the draws for the phases of probes.
const PROBE_DRAW: u32 = 3;
/// Purpose of the draws for the server behind a new connection.
const SERVER_DRAW: u32 = 4;
/// Purpose of the draws for how long user pods take to start and to stop.
const POD_DRAW: u32 = 5;
/// Purpose of the draws for the phase in which statuses are compared.
const SYNC_DRAW: u32 = 6;
/// The next renewal that losses let fail.
const LOSS_DRAW: u32 = 7;

/// The alarms of a kubelet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// It is ready to work.
    Started,
    /// A renewal of the node Lease is due.
    Renew,
    /// A renewal has not been answered.
    RenewTimeout,
    /// The status is computed.
    Status,
    /// A post of the status has not been answered.
    StatusTimeout,
    /// Something happens to a pod of a workload.
    UserPods,
    /// A pod is started (by position in the wiring).
    Start(usize),
    /// A pod's container has failed its liveness probe once too often.
    Unhealthy(usize),
}

/// Alarms that do not belong to a pod.
const FIXED: usize = 6;

impl crate::component::Alarm for Alarm {
    fn index(self) -> usize {
        match self {
            Alarm::Started => 0,
            Alarm::Renew => 1,
            Alarm::RenewTimeout => 2,
            Alarm::Status => 3,
            Alarm::StatusTimeout => 4,
            Alarm::UserPods => 5,
            Alarm::Start(pod) => FIXED + 2 * pod,
            Alarm::Unhealthy(pod) => FIXED + 2 * pod + 1,
        }
    }

    fn at_index(index: usize) -> Self {
        match index {
            0 => Alarm::Started,
            1 => Alarm::Renew,
            2 => Alarm::RenewTimeout,
            3 => Alarm::Status,
            4 => Alarm::StatusTimeout,
            5 => Alarm::UserPods,
            pod if (pod - FIXED).is_multiple_of(2) => Alarm::Start((pod - FIXED) / 2),
            pod => Alarm::Unhealthy((pod - FIXED) / 2),
        }
    }
}

/// A kubelet.
#[derive(Debug)]
pub struct Kubelet {
    params: KubeletParams,
    wiring: Wiring,
    /// It works: running, and past its start-up.
    working: bool,
    heartbeat: Heartbeat,
    status: Status,
    pods: Pods,
    user_pods: UserPods,
    next_call: u64,
}

impl Kubelet {
    /// A kubelet that is not running.
    pub fn new(_me: ComponentId, params: &KubeletParams, wiring: &Wiring) -> Self {
        Self {
            params: params.clone(),
            wiring: wiring.clone(),
            working: false,
            heartbeat: Heartbeat::default(),
            status: Status::default(),
            pods: Pods::new(wiring.pods.len()),
            user_pods: UserPods::new(wiring.workloads.clone()),
            next_call: 0,
        }
    }

    fn new_call(&mut self) -> u64 {
        self.next_call += 1;
        self.next_call
    }

    /// It has been working for long.
    fn settle(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        self.working = true;
        let ready = NodeFact::of(Condition::True, None);
        fx.commit(self.wiring.node, Fact::Node(ready));
        self.settle_heartbeat(view, fx);
        self.begin_status(true, view, fx);
        self.begin_pods(view, fx);
        self.begin_user_pods(view, fx);
    }

    /// The process has been started.
    fn boot(&mut self, fx: &mut Effects<Alarm>) {
        let wait = self.params.start.sample(&mut fx.draw(START_DRAW));
        fx.set_after(Alarm::Started, wait, "start to sync");
    }

    fn started(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        self.working = true;
        self.begin_pods(view, fx);
        self.review_pods(view, fx);
        self.begin_user_pods(view, fx);
        self.begin_heartbeat(view, fx);
        self.begin_status(false, view, fx);
        self.post_status(view, fx);
    }

    fn alarm(&mut self, alarm: Alarm, view: &View, fx: &mut Effects<Alarm>) {
        match alarm {
            Alarm::Started => self.started(view, fx),
            Alarm::Renew => self.renew(view, fx),
            Alarm::RenewTimeout => self.renewal_silent(view, fx),
            Alarm::Status => self.post_status(view, fx),
            Alarm::StatusTimeout => self.status_silent(view, fx),
            Alarm::UserPods => self.ring_user_pods(view, fx),
            Alarm::Start(pod) => self.start_pod(pod, view, fx),
            Alarm::Unhealthy(pod) => self.kill_pod(pod, view, fx),
        }
    }

    /// Something changed, or was missed: everything is looked at again.
    fn review(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        if self.working {
            self.review_pods(view, fx);
            self.review_heartbeat(view, fx);
            self.review_status(view, fx);
        }
    }

    fn reply(&mut self, reply: &Reply, view: &View, fx: &mut Effects<Alarm>) {
        // Whom a balancer's connection serves the API server cannot see here, nor that it has stood since
        // before a certificate expired; the kubelet can.
        let outcome = match reply.outcome {
            _ if view.process(view.me).expired.shown.intersects(Certificates::CLIENT) => Outcome::Rejected,
            Outcome::Rejected if self.stood(view) => Outcome::Done,
            outcome => outcome,
        };
        if self.heartbeat.awaits(reply.id) {
            self.renewal_answered(outcome, view, fx);
        } else if self.status.awaits(reply.id) {
            self.status_answered(outcome, view, fx);
        }
    }

    /// Whether its connection works although new ones to its server would not.
    fn stood(&self, view: &View) -> bool {
        let connection = self.heartbeat.connection;
        connection.is_some_and(|connection| {
            let expired = view.process(connection.server).expired;
            expired.shown.intersects(Certificates::API_SERVING) && connection.latency(view).is_some()
        })
    }

    fn lever(&mut self, lever: Lever, view: &View, fx: &mut Effects<Alarm>) {
        match lever {
            Lever::Stop => fx.exit(ExitStatus::Clean),
            Lever::Kill | Lever::PowerLoss => {
                let renewals = self.heartbeat.end(view);
                fx.publish(Fact::Kubelet(KubeletFact { renewals }));
                self.working = false;
                self.status = Status::default();
                self.pods = Pods::new(self.wiring.pods.len());
                self.user_pods.end();
            }
            Lever::Pause => self.interrupt_heartbeat(view, fx),
            Lever::Resume | Lever::Expire => self.review(view, fx),
            Lever::StallDisk
            | Lever::FreeDisk
            | Lever::SlowDisk(_)
            | Lever::Space(_)
            | Lever::WipeData
            | Lever::ClockRate(_)
            | Lever::Carrier(_)
            | Lever::KillChild
            | Lever::Membership(..)
            | Lever::Restore(_)
            | Lever::ForceNewCluster => {}
        }
    }
}

impl Component for Kubelet {
    type Alarm = Alarm;

    const LOOKS_AT_ALL: bool = true;

    fn alarms(&self) -> usize {
        Alarm::Start(self.wiring.pods.len()).index()
    }

    fn watches(&self, map: &Map) -> Vec<ComponentId> {
        let mut watched = self.wiring.pods.clone();
        watched.push(self.wiring.node);
        watched.extend(self.wiring.workloads.objects());
        watched.extend(&self.wiring.api_servers);
        if self.wiring.servers.contains(&ComponentId::VIP) {
            watched.extend(map.of_kind(Kind::LoadBalancer).chain(map.address_holders()));
        } else {
            watched.extend(&self.wiring.servers);
        }
        watched.sort_unstable();
        watched.dedup();
        watched
    }

    fn on(&mut self, cause: Cause<Alarm>, view: &View, fx: &mut Effects<Alarm>) {
        // What it has just told the API is seen when it has been written.
        let told = matches!(cause, Cause::Alarm(Alarm::UserPods));
        match cause {
            Cause::Settle => self.settle(view, fx),
            Cause::Boot => self.boot(fx),
            Cause::Alarm(alarm) => self.alarm(alarm, view, fx),
            Cause::Saw(_) => self.review(view, fx),
            Cause::Mail(Mail { body: Body::Reply(reply), .. }) => self.reply(&reply, view, fx),
            Cause::Mail(_) => {}
            Cause::Lever(lever) => self.lever(lever, view, fx),
        }
        if !told {
            self.review_user_pods(view, fx);
        }
    }
}

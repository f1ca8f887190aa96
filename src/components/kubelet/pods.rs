//! Static pods: found dead by the periodic relist, started again under the back-off, killed when
//! their liveness probe fails.

use super::backoff::{self, Entry};
use super::liveness::{Outcome, Prober, Thresholds};
use super::{Alarm, EtcdProbe, Kubelet, PHASE_DRAW, PROBE_DRAW, RESYNC_DRAW};
use crate::component::record::Record;
use crate::component::view::ProcessState;
use crate::component::{Blame, ComponentId, Effects, Kind, View};
use crate::kernel::cadence::Cadence;
use crate::kernel::time::Duration;

/// One pod as the kubelet knows it.
#[derive(Clone, Debug, Default)]
struct Pod {
    entry: Option<Entry>,
    /// A start is planned.
    starting: bool,
    /// A start was asked for when this incarnation was dead.
    asked: Option<u32>,
    /// The incarnation that is probed, and its probes; none once it is being killed.
    probed: Option<(u32, Option<Prober>)>,
}

/// All pods, and when the relist looks for dead ones.
#[derive(Clone, Debug)]
pub(super) struct Pods {
    pods: Vec<Pod>,
    relist: Option<Cadence>,
}

impl Pods {
    pub(super) fn new(count: usize) -> Self {
        Self { pods: vec![Pod::default(); count], relist: None }
    }
}

impl Kubelet {
    /// Takes up what runs.
    pub(super) fn begin_pods(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        let period = self.params.pleg_period;
        let phase = fx.draw(PHASE_DRAW).uniform_duration(Duration::ZERO, period);
        self.pods.relist = Some(Cadence::new(view.now + phase, period));
        for pod in 0..self.wiring.pods.len() {
            let id = self.wiring.pods[pod];
            if view.process(id).state == ProcessState::Dead {
                self.pods.pods[pod].starting = true;
                fx.set(Alarm::Start(pod), view.now, Blame::default());
            } else {
                self.probe_from_now(pod, true, view, fx);
            }
        }
    }

    /// Looks at every pod.
    pub(super) fn review_pods(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        for pod in 0..self.wiring.pods.len() {
            let process = view.process(self.wiring.pods[pod]);
            if process.state == ProcessState::Dead {
                self.plan_restart(pod, view, fx);
            } else if self.pods.pods[pod].probed.is_none_or(|(n, _)| n != process.incarnation) {
                self.pods.pods[pod].starting = false;
                self.pods.pods[pod].asked = None;
                fx.clear(Alarm::Start(pod));
                self.probe_from_now(pod, false, view, fx);
            } else {
                self.review_probe(pod, view, fx);
            }
        }
    }

    fn plan_restart(&mut self, pod: usize, view: &View, fx: &mut Effects<Alarm>) {
        let Some(relist) = self.pods.relist else { return };
        let known = &mut self.pods.pods[pod];
        let incarnation = view.process(self.wiring.pods[pod]).incarnation;
        let ended_again = known.asked.is_some_and(|asked| incarnation > asked);
        if known.starting && !ended_again {
            return;
        }
        known.starting = true;
        known.asked = None;
        self.pods.pods[pod].probed = None;
        fx.clear(Alarm::Unhealthy(pod));
        let law = self.params.backoff();
        let finished = view.process(self.wiring.pods[pod]).since;
        let found = relist.first_after(view.now);
        let entry = self.pods.pods[pod].entry;
        let uniform = || fx.draw(RESYNC_DRAW).uniform();
        let restart = backoff::restart(law, entry, finished, found, uniform);
        self.pods.pods[pod].entry = Some(restart.entry);
        let blame = Blame::of("PLEG relist", found.since(view.now))
            .and("CrashLoopBackOff", restart.backoff)
            .and("pod resync", restart.resync);
        fx.set(Alarm::Start(pod), restart.at, blame);
    }

    /// Starts a pod; nothing happens to one that runs.
    pub(super) fn start_pod(&mut self, pod: usize, view: &View, fx: &mut Effects<Alarm>) {
        let id = self.wiring.pods[pod];
        if view.process(id).state == ProcessState::Dead {
            self.pods.pods[pod].asked = Some(view.process(id).incarnation);
            fx.start(id, Duration::ZERO, Blame::default());
        }
    }

    /// Begins to probe the container that runs now.
    fn probe_from_now(&mut self, pod: usize, old: bool, view: &View, fx: &mut Effects<Alarm>) {
        let id = self.wiring.pods[pod];
        let process = view.process(id);
        let prober = self.params.probes.then(|| {
            let period = self.params.probe_period;
            let phase = fx.draw(PROBE_DRAW).uniform_duration(Duration::ZERO, period);
            let first = if old { view.now } else { view.now + self.params.probe_delay };
            let ticks = Cadence::new(view.now + phase, period);
            Prober::new(ticks, first, self.probe(id, view), old)
        });
        self.pods.pods[pod].probed = Some((process.incarnation, prober));
        self.plan_kill(pod, view, fx);
    }

    fn review_probe(&mut self, pod: usize, view: &View, fx: &mut Effects<Alarm>) {
        let outcome = self.probe(self.wiring.pods[pod], view);
        let Some((_, Some(prober))) = &mut self.pods.pods[pod].probed else { return };
        if prober.outcome() != outcome {
            prober.change(view.now, outcome);
            self.plan_kill(pod, view, fx);
        }
    }

    fn plan_kill(&mut self, pod: usize, view: &View, fx: &mut Effects<Alarm>) {
        let Some((_, Some(prober))) = &self.pods.pods[pod].probed else { return };
        let thresholds = Thresholds {
            liveness: self.params.failure_threshold,
            startup: self.params.startup_threshold,
        };
        match prober.kills_at(thresholds) {
            Some(at) => {
                let at = at.max(view.now);
                fx.set(Alarm::Unhealthy(pod), at, Blame::of("livenessProbe", at.since(view.now)));
            }
            None => fx.clear(Alarm::Unhealthy(pod)),
        }
    }

    /// The container has failed too often: it is terminated, and not probed any more.
    pub(super) fn kill_pod(&mut self, pod: usize, _view: &View, fx: &mut Effects<Alarm>) {
        if let Some((_, prober)) = &mut self.pods.pods[pod].probed {
            *prober = None;
            fx.record(Record::ProbeKill { process: self.wiring.pods[pod] });
            fx.kill(self.wiring.pods[pod]);
        }
    }

    /// What a liveness probe would find now.
    fn probe(&self, pod: ComponentId, view: &View) -> Outcome {
        let refused = Outcome::Bad(Duration::ZERO);
        let silent = Outcome::Bad(self.params.probe_timeout);
        match view.process(pod).state {
            ProcessState::Dead => return refused,
            ProcessState::Paused => return silent,
            ProcessState::Running => {}
        }
        let good = match view.map().component(pod).kind {
            Kind::ApiServer => match view.api_server(pod) {
                Some(fact) if !fact.http && fact.listening => return silent,
                // The etcd check's time-out has passed before the fact says so.
                Some(fact) => fact.http && (fact.live || self.params.livez_excludes_etcd),
                None => false,
            },
            Kind::Etcd => match view.etcd(pod) {
                Some(fact) if fact.stalled => return silent,
                Some(fact) => {
                    fact.serving
                        && (self.params.etcd_probe != EtcdProbe::Health
                            || (fact.lead.is_some() && !fact.full))
                }
                None => false,
            },
            _ => true,
        };
        if good { Outcome::Good } else { refused }
    }
}

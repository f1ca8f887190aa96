//! Pods of workloads on this machine: started when the scheduler has bound them here, reported when
//! they are ready, stopped when they are deleted.
//!
//! What runs goes on running without events, with or without a control plane, and with or without a
//! kubelet; only the loss of power ends it. What the kubelet does needs a word from the API first, and
//! what it has done is known when it has been reported, so both wait while the API is out of reach. A
//! pod that is deleted on a machine that nobody reaches stays so until its kubelet is back.
//!
//! Absent on purpose: crashes of user containers, probes, resources and eviction under pressure.

use super::{Alarm, Kubelet, POD_DRAW, SYNC_DRAW};
use crate::component::fact::{Fact, WorkloadFact};
use crate::component::workload::Pod;
use crate::component::{Blame, Effects, MachineId, View};
use crate::components::workload::Shared;
use crate::kernel::cadence::Cadence;
use crate::kernel::time::{Duration, Time};
use std::collections::{BTreeMap, BTreeSet};

/// How often the statuses are compared with what the API says. kubelet: status manager `syncPeriod`.
const STATUS_SYNC: Duration = Duration::from_secs(10);

/// A pod by its workload and uid.
type Key = (usize, u32);

/// What the kubelet is doing with a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Its image is fetched, its containers start.
    Starting,
    /// Its containers run since this instant.
    Running(Time),
    /// Its containers were told to end.
    Stopping,
    /// Nothing of it is left here.
    Stopped,
}

/// A pod as the kubelet knows it.
#[derive(Clone, Debug)]
struct Local {
    state: State,
    /// When the next thing happens to it.
    due: Option<(Time, Blame)>,
}

impl Local {
    fn idle(state: State) -> Self {
        Self { state, due: None }
    }
}

/// The pods of workloads on one machine.
#[derive(Clone, Debug)]
pub(super) struct UserPods {
    workloads: Shared,
    pods: BTreeMap<Key, Local>,
    /// The workloads whose image is on the disk.
    images: BTreeSet<usize>,
    sync: Option<Cadence>,
    planned: Option<Time>,
}

impl UserPods {
    pub(super) fn new(workloads: Shared) -> Self {
        let (pods, images) = (BTreeMap::new(), BTreeSet::new());
        Self { workloads, pods, images, sync: None, planned: None }
    }

    /// The process is gone: it forgets what it did, not what is on the disk.
    pub(super) fn end(&mut self) {
        self.pods.clear();
        self.sync = None;
        self.planned = None;
    }
}

impl Kubelet {
    /// Begins to look after them.
    pub(super) fn begin_user_pods(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        if !self.user_pods.workloads.all.is_empty() {
            let phase = fx.draw(SYNC_DRAW).uniform_duration(Duration::ZERO, STATUS_SYNC);
            self.user_pods.sync = Some(Cadence::new(view.now + phase, STATUS_SYNC));
        }
    }

    /// Looks at what the API wants of this machine, if it can be asked.
    pub(super) fn review_user_pods(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        let Some(me) = view.machine().filter(|_| self.user_pods.sync.is_some()) else { return };
        if !self.working || !self.online(view) {
            return;
        }
        self.announce_user_pods(me, view, fx);
        let workloads = self.user_pods.workloads.clone();
        let mut known = BTreeSet::new();
        for (number, workload) in workloads.all.iter().enumerate() {
            let Some(fact) = view.workload(workload.object) else { continue };
            for pod in fact.on(me) {
                known.insert((number, pod.uid));
                self.review_user_pod((number, pod.uid), pod, view, fx);
            }
        }
        self.user_pods.pods.retain(|key, _| known.contains(key));
        self.plan_user_pods(view, fx);
    }

    fn review_user_pod(&mut self, key: Key, pod: &Pod, view: &View, fx: &mut Effects<Alarm>) {
        let state = self.user_pods.pods.get(&key).map(|local| local.state);
        if pod.deleted.is_some() {
            match state {
                Some(State::Running(_)) => self.stop_user_pod(key, view, fx),
                None if pod.runs(view.all) => self.stop_user_pod(key, view, fx),
                Some(State::Stopping) => {}
                Some(State::Stopped | State::Starting) | None => {
                    self.due_user_pod(key, State::Stopped, view.now, Blame::default(), fx);
                }
            }
            return;
        }
        match state {
            None if pod.runs(view.all) => {
                let running = State::Running(pod.started.unwrap_or(view.now));
                self.user_pods.pods.insert(key, Local::idle(running));
                self.user_pods.images.insert(key.0);
                if !pod.ready {
                    self.due_user_pod(key, running, view.now, Blame::default(), fx);
                }
            }
            None => self.fetch_user_pod(key, pod, view, fx),
            Some(State::Running(since)) => self.compare_user_pod(key, since, pod, view, fx),
            Some(_) => {}
        }
    }

    /// Something happens to a pod at `at`, unless that is planned already.
    fn due_user_pod(
        &mut self,
        key: Key,
        state: State,
        at: Time,
        blame: Blame,
        fx: &mut Effects<Alarm>,
    ) {
        let local = self.user_pods.pods.entry(key).or_insert(Local::idle(state));
        if local.state != state || local.due.is_none() {
            *local = Local { state, due: Some((at, blame.since(fx.event()))) };
        }
    }

    fn fetch_user_pod(&mut self, key: Key, pod: &Pod, view: &View, fx: &mut Effects<Alarm>) {
        let workload = &self.user_pods.workloads.all[key.0];
        let cached = pod.started.is_some() || self.user_pods.images.contains(&key.0);
        let pull = if cached {
            Duration::ZERO
        } else {
            workload.image_pull.sample(&mut fx.draw(POD_DRAW))
        };
        let start = workload.start.sample(&mut fx.draw(POD_DRAW));
        let blame = Blame::of("image pull", pull).and("pod start", start);
        self.due_user_pod(key, State::Starting, view.now + pull + start, blame, fx);
    }

    fn stop_user_pod(&mut self, key: Key, view: &View, fx: &mut Effects<Alarm>) {
        let workload = &self.user_pods.workloads.all[key.0];
        let stop = workload.stop.sample(&mut fx.draw(POD_DRAW));
        let (wait, why) = if stop < workload.grace {
            (stop, "pod stop")
        } else {
            (workload.grace, "terminationGracePeriodSeconds")
        };
        self.due_user_pod(key, State::Stopping, view.now + wait, Blame::of(why, wait), fx);
    }

    /// A running pod that the API does not show as it is: reported at once if it is new, else when the
    /// statuses are compared.
    fn compare_user_pod(
        &mut self,
        key: Key,
        since: Time,
        pod: &Pod,
        view: &View,
        fx: &mut Effects<Alarm>,
    ) {
        let Some(sync) = self.user_pods.sync.filter(|_| !pod.ready) else { return };
        let at = if pod.started == Some(since) { sync.first_after(view.now) } else { view.now };
        let blame = Blame::of("pod status sync", at.since(view.now));
        self.due_user_pod(key, State::Running(since), at, blame, fx);
    }

    fn plan_user_pods(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        let pods = self.user_pods.pods.values();
        let due = pods.filter_map(|local| local.due.as_ref()).min_by_key(|(at, _)| *at);
        match due {
            Some((at, blame)) => {
                let at = (*at).max(view.now);
                if self.user_pods.planned != Some(at) {
                    let blame = blame.clone();
                    self.user_pods.planned = Some(at);
                    fx.set(Alarm::UserPods, at, blame);
                }
            }
            None => {
                if self.user_pods.planned.take().is_some() {
                    fx.clear(Alarm::UserPods);
                }
            }
        }
    }

    /// Whatever is due by now happens; what the API has to hear of waits until it can be told.
    pub(super) fn ring_user_pods(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        self.user_pods.planned = None;
        let online = self.online(view);
        let due: Vec<Key> = self
            .user_pods
            .pods
            .iter()
            .filter(|(_, local)| local.due.as_ref().is_some_and(|(at, _)| *at <= view.now))
            .map(|(key, _)| *key)
            .collect();
        let mut changed: BTreeMap<usize, WorkloadFact> = BTreeMap::new();
        for key in due {
            let Some(local) = self.user_pods.pods.get_mut(&key) else { continue };
            local.due = None;
            local.state = match local.state {
                State::Starting => State::Running(view.now),
                State::Stopping => State::Stopped,
                state => state,
            };
            let state = local.state;
            if matches!(state, State::Running(_)) {
                self.user_pods.images.insert(key.0);
            }
            let object = self.user_pods.workloads.all[key.0].object;
            let Some(fact) = view.workload(object).filter(|_| online) else { continue };
            let fact = changed.entry(key.0).or_insert_with(|| fact.clone());
            report(fact, key.1, state);
        }
        for (number, fact) in changed {
            let object = self.user_pods.workloads.all[number].object;
            if view.workload(object) != Some(&fact) {
                fx.commit(object, Fact::Workload(fact));
            }
        }
        self.plan_user_pods(view, fx);
    }

    /// A machine that lost power shows the API pods that do not run: says so.
    fn announce_user_pods(&self, me: MachineId, view: &View, fx: &mut Effects<Alarm>) {
        for workload in &self.user_pods.workloads.all {
            let Some(known) = view.workload(workload.object) else { continue };
            let lost = |pod: &Pod| lost(pod, me, view);
            if known.pods.iter().any(lost) {
                let mut new = known.clone();
                for pod in new.pods.iter_mut().filter(|pod| lost(pod)) {
                    pod.ready = false;
                }
                fx.commit(workload.object, Fact::Workload(new));
            }
        }
    }
}

/// Whether the API shows a pod of a machine as ready that does not run.
fn lost(pod: &Pod, machine: MachineId, view: &View) -> bool {
    pod.node == Some(machine) && pod.ready && !pod.runs(view.all)
}

/// What the API hears of a pod.
fn report(fact: &mut WorkloadFact, uid: u32, state: State) {
    match state {
        State::Running(since) => {
            if let Some(pod) = fact.pod_mut(uid).filter(|pod| pod.is_active()) {
                pod.ready = true;
                pod.started = Some(since);
            }
        }
        State::Stopped => fact.pods.retain(|pod| pod.uid != uid),
        State::Starting | State::Stopping => {}
    }
}

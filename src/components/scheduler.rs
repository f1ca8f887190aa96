//! kube-scheduler: a leader-elected instance that binds pods while it leads.
//!
//! Its informers run while it waits, so that it works at once after it has won. Absent on purpose:
//! where pods are bound to, see `binder`.

use super::binder::Binder;
use super::candidate::{Candidate, CandidateAlarm, Habits, Work, between, candidate_params, kept};
use super::lease::{ClientGo, Election, Kubeconfig};
use crate::component::param::Problem;
use crate::component::{Cause, Component, ComponentId, Effects, Map, View};
use crate::kernel::law::Law;
use crate::kernel::time::Duration;

pub use super::candidate::Wiring;

candidate_params! {
    /// Options of kube-scheduler.
    pub struct SchedulerParams {
        release: |v| v.kubernetes.at_least(1, 22),
            "kube-scheduler app/server.go: none in 1.20, ReleaseOnCancel since PR 100305";
        startup: |_v| between(134, 146),
            "measured, 1.20.2: 134-146 ms (n = 12)";
        warm_up: |_v| between(10, 50),
            "measured, 1.20.2: 10-50 ms; informers run on standbys";
        /// From a pod's turn in the queue until it is bound, the write included.
        scheduling_cycle: Law = "schedulingCycle", |_v| between(2, 25),
            "estimate: a cycle of 1-20 ms and a write; measured, 1.20.2: replacements are bound 20-90 ms after the deletion";
    }
}

impl SchedulerParams {
    /// What contradicts itself, as the real software treats it.
    pub fn check(&self) -> Vec<Problem> {
        self.election().check()
    }
}

/// A kube-scheduler.
#[derive(Clone, Debug)]
pub struct Scheduler(Candidate);

impl Scheduler {
    /// A scheduler that does not run yet.
    pub fn new(me: ComponentId, params: &SchedulerParams, wiring: &Wiring) -> Self {
        let binder = Binder::new(&wiring.workloads, params.scheduling_cycle.clone());
        let work = Work::Binder(Box::new(binder), wiring.workloads.clone());
        Self(Candidate::new(me, params.habits(), wiring, work))
    }
}

impl Component for Scheduler {
    type Alarm = CandidateAlarm;

    const LOOKS_AT_ALL: bool = Candidate::LOOKS_AT_ALL;

    fn alarms(&self) -> usize {
        self.0.alarms()
    }

    fn watches(&self, map: &Map) -> Vec<ComponentId> {
        self.0.watches(map)
    }

    fn on(
        &mut self,
        cause: Cause<CandidateAlarm>,
        view: &View,
        fx: &mut Effects<CandidateAlarm>,
    ) {
        self.0.on(cause, view, fx);
    }
}

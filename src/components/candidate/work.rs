//! What a leader-elected instance does while it acts.
//!
//! Absent on purpose: whether it may act, which is the candidate's business.

use super::{CandidateAlarm, Path};
use crate::component::{ComponentId, Effects, View};
use crate::components::binder::Binder;
use crate::components::node_monitor::NodeMonitor;
use crate::components::replication::Replication;
use crate::components::taint_eviction::TaintEviction;
use crate::components::workload::Shared;

type Fx<'a, 'b> = &'a mut Effects<'b, CandidateAlarm>;

/// The controllers of kube-controller-manager. Their alarms are numbered one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Controllers {
    monitor: NodeMonitor,
    eviction: TaintEviction,
    replication: Replication,
    workloads: Shared,
}

impl Controllers {
    /// The controllers; `rest` makes those after the monitor from the number of their first alarm.
    pub(crate) fn new(
        monitor: NodeMonitor,
        workloads: &Shared,
        rest: impl FnOnce(usize) -> (TaintEviction, Replication),
    ) -> Self {
        let (eviction, replication) = rest(monitor.alarms());
        Self { monitor, eviction, replication, workloads: workloads.clone() }
    }
}

/// What an instance does.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    /// Nothing that any other component could see.
    #[cfg(test)]
    Nothing,
    /// kube-controller-manager's.
    Controllers(Box<Controllers>),
    /// kube-scheduler's.
    Binder(Box<Binder>, Shared),
}

impl Work {
    /// How many alarms it needs.
    pub(super) fn alarms(&self) -> usize {
        match self {
            #[cfg(test)]
            Work::Nothing => 0,
            Work::Controllers(c) => c.monitor.alarms() + 1 + c.replication.alarms(),
            Work::Binder(..) => 1,
        }
    }

    /// Whose facts it depends on, beside its path to the API.
    pub(super) fn watches(&self) -> Vec<ComponentId> {
        match self {
            #[cfg(test)]
            Work::Nothing => Vec::new(),
            Work::Controllers(c) => c.monitor.watches().chain(c.workloads.objects()).collect(),
            Work::Binder(_, workloads) => {
                let nodes = workloads.nodes.iter().map(|(_, node)| *node);
                let any = !workloads.all.is_empty();
                workloads.objects().chain(nodes.filter(|_| any)).collect()
            }
        }
    }

    /// It has been going on for long.
    pub(super) fn settle(&mut self, path: &Path, view: &View, fx: Fx) {
        match self {
            #[cfg(test)]
            Work::Nothing => {}
            Work::Controllers(c) => {
                c.monitor.settle(path, view, fx);
                c.eviction.begin(path, view, fx);
                c.replication.begin(path, view, fx);
            }
            Work::Binder(binder, _) => binder.begin(path, view, fx),
        }
    }

    /// It begins.
    pub(super) fn begin(&mut self, path: &Path, view: &View, fx: Fx) {
        match self {
            #[cfg(test)]
            Work::Nothing => {}
            Work::Controllers(c) => {
                c.monitor.begin(path, view, fx);
                c.eviction.begin(path, view, fx);
                c.replication.begin(path, view, fx);
            }
            Work::Binder(binder, _) => binder.begin(path, view, fx),
        }
    }

    /// The process is gone.
    pub(super) fn end(&mut self) {
        match self {
            #[cfg(test)]
            Work::Nothing => {}
            Work::Controllers(c) => {
                c.monitor.end();
                c.eviction.end();
                c.replication.end();
            }
            Work::Binder(binder, _) => binder.end(),
        }
    }

    /// Something that it watches has changed.
    pub(super) fn look(&mut self, path: &Path, view: &View, fx: Fx) {
        match self {
            #[cfg(test)]
            Work::Nothing => {}
            Work::Controllers(c) => {
                c.monitor.look(path, view, fx);
                c.eviction.look(path, view, fx);
                c.replication.look(path, view, fx);
            }
            Work::Binder(binder, _) => binder.look(path, view, fx),
        }
    }

    /// The alarm of this number is due.
    pub(super) fn ring(&mut self, number: usize, path: &Path, view: &View, fx: Fx) {
        match self {
            #[cfg(test)]
            Work::Nothing => {}
            Work::Controllers(c) => {
                let eviction = c.monitor.alarms();
                match number.checked_sub(eviction) {
                    None => c.monitor.ring(number, path, view, fx),
                    Some(0) => c.eviction.ring(path, view, fx),
                    Some(after) => c.replication.ring(after - 1, path, view, fx),
                }
            }
            Work::Binder(binder, _) => binder.ring(path, view, fx),
        }
    }
}

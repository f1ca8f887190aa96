//! What is desired of a workload: how many pods, how long they stay on a node that is silent, and how
//! long a pod takes to start and to stop.
//!
//! Absent on purpose: the pods as they are (facts), and who acts on them: the controllers of
//! kube-controller-manager, kube-scheduler and kubelets.

use crate::component::fact::Taint;
use crate::component::{ComponentId, MachineId};
use crate::kernel::law::Law;
use crate::kernel::time::Duration;
use std::sync::Arc;

/// Which controller keeps up the number of pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Controller {
    /// A Deployment's ReplicaSet: a pod that is being deleted is replaced at once.
    Deployment,
    /// A StatefulSet: a pod is replaced when it is gone, under the same name.
    StatefulSet,
    /// None: a bare pod is never replaced.
    Bare,
}

/// One workload.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// Its object.
    pub object: ComponentId,
    /// Its name, without its kind.
    pub name: String,
    /// Its controller.
    pub controller: Controller,
    /// How many pods are desired.
    pub replicas: u32,
    /// How long its pods tolerate that their node is not ready; `None`: for ever.
    pub not_ready: Option<Duration>,
    /// How long its pods tolerate that their node is unreachable; `None`: for ever.
    pub unreachable: Option<Duration>,
    /// StatefulSet: pods are created one after the other, each when those before it are ready.
    pub ordered: bool,
    /// How long its image takes to a node that does not have it.
    pub image_pull: Law,
    /// From a pod's reaching its node, with the image there, until it is ready.
    pub start: Law,
    /// From SIGTERM until its containers have ended.
    pub stop: Law,
    /// The longest that may take: then they are killed.
    pub grace: Duration,
}

impl Workload {
    /// How long its pods tolerate a taint; `None`: for ever.
    pub fn tolerates(&self, taint: Taint) -> Option<Duration> {
        match taint {
            Taint::NotReady => self.not_ready,
            Taint::Unreachable => self.unreachable,
        }
    }

    /// The name of one of its pods. A real ReplicaSet ends it with five random letters.
    pub fn pod_name(&self, number: u32) -> String {
        match self.controller {
            Controller::Bare => self.name.clone(),
            _ => format!("{}-{number}", self.name),
        }
    }
}

/// All workloads of a plan, and where their pods may run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Workloads {
    /// In the order of the file.
    pub all: Vec<Workload>,
    /// The nodes that user pods may run on, each a machine with its Node object.
    pub nodes: Vec<(MachineId, ComponentId)>,
}

/// Workloads as components share them.
pub type Shared = Arc<Workloads>;

impl Workloads {
    /// The workloads' objects.
    pub fn objects(&self) -> impl Iterator<Item = ComponentId> + '_ {
        self.all.iter().map(|workload| workload.object)
    }
}

//! Workloads as the API knows them: a controller's object together with its pods.
//!
//! Absent on purpose: what is desired of a workload (the plan's business), and whether a container
//! really runs, which the API only knows by hearsay.

use super::id::MachineId;
use super::view::Surroundings;
use crate::kernel::time::Time;
use serde::Serialize;

/// One pod object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pod {
    /// Its number among all pods that the workload ever had; never used again.
    pub uid: u32,
    /// The number in its name: of a StatefulSet's pod its ordinal, else its uid.
    pub number: u32,
    /// When it was created.
    pub created: Time,
    /// The node it is bound to.
    pub node: Option<MachineId>,
    /// `startedAt` of its containers, as last reported.
    pub started: Option<Time>,
    /// Its Ready condition.
    pub ready: bool,
    /// Its deletion timestamp, less the grace: since when it is being deleted.
    pub deleted: Option<Time>,
}

impl Pod {
    /// A pod that has just been created.
    pub fn new(uid: u32, number: u32, created: Time) -> Self {
        Self { uid, number, created, node: None, started: None, ready: false, deleted: None }
    }

    /// Whether its controller counts on it: it is not being deleted.
    pub fn is_active(&self) -> bool {
        self.deleted.is_none()
    }

    /// Whether the containers that were last reported still run: their machine has had power ever
    /// since.
    pub fn runs(&self, all: &Surroundings) -> bool {
        let machine = self.node.map(|node| &all.machines[node.index()]);
        let started = self.started.zip(machine);
        started.is_some_and(|(at, machine)| machine.powered && at >= machine.powered_since)
    }
}

/// A workload with its pods.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadFact {
    /// Its pods, those that are being deleted included, by uid.
    pub pods: Vec<Pod>,
    /// How many pods it ever had: the uid of the next one.
    pub created: u32,
    /// It is not in the store, which has lost its data: nobody keeps up its pods.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub gone: bool,
}

impl WorkloadFact {
    /// Adds a pod; `number`: its ordinal, where it has one.
    pub fn create(&mut self, number: Option<u32>, now: Time) {
        let uid = self.created;
        self.created += 1;
        self.pods.push(Pod::new(uid, number.unwrap_or(uid), now));
    }

    /// The pods that are not being deleted.
    pub fn active(&self) -> impl Iterator<Item = &Pod> {
        self.pods.iter().filter(|pod| pod.is_active())
    }

    /// The pods bound to a node.
    pub fn on(&self, node: MachineId) -> impl Iterator<Item = &Pod> {
        self.pods.iter().filter(move |pod| pod.node == Some(node))
    }

    /// The pod of a uid, to be changed.
    pub fn pod_mut(&mut self, uid: u32) -> Option<&mut Pod> {
        self.pods.iter_mut().find(|pod| pod.uid == uid)
    }
}

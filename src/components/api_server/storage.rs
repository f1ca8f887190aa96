//! The etcd clients of an API server: one for each resource, as each has its own storage, and one for
//! the etcd check of the health endpoints. kube-apiserver: `storagebackend/factory`, `newETCD3Client`
//! for every resource's store and `newETCD3HealthCheck`.
//!
//! They lose a member together, but dial it again each after its own back-off: what is seen after a
//! member's return differs by resource.
//!
//! Absent on purpose: resources that nothing simulated depends on (events, Secrets and so on).

use super::Alarm;
use super::etcd_client::EtcdClient;
use crate::component::fact::Resource;
use crate::component::mail::Op;
use crate::component::{ComponentId, Effects, View};

/// What a client is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Storage {
    /// What clients at the endpoint read and write, and the watch cache of it.
    Objects,
    /// The etcd check of the health endpoints.
    Health,
    /// Leases: of leader election and of nodes.
    Leases,
    /// Nodes.
    Nodes,
}

impl Storage {
    const ALL: [Storage; 4] = [Storage::Objects, Storage::Health, Storage::Leases, Storage::Nodes];

    /// Where a request goes.
    pub(super) fn of(op: Op) -> Self {
        match op {
            Op::Connect
            | Op::Open
            | Op::ReadCached
            | Op::List
            | Op::Watch(_)
            | Op::Alarm(_)
            | Op::Reconfigure(_) => Storage::Objects,
            Op::Read(resource) | Op::Write(resource) => match resource {
                Resource::Objects => Storage::Objects,
                Resource::Leases => Storage::Leases,
                Resource::Nodes => Storage::Nodes,
            },
            Op::GetLease(_) | Op::PutLease { .. } | Op::RenewNodeLease => Storage::Leases,
            Op::PostNodeStatus => Storage::Nodes,
            Op::Health(_) => Storage::Health,
        }
    }

    /// Purpose of the draws for its back-off; those between are the server's own.
    pub(super) fn purpose(self) -> u32 {
        match self {
            Storage::Objects => 0,
            Storage::Health => 3,
            Storage::Leases => 4,
            Storage::Nodes => 5,
        }
    }
}

/// All clients.
#[derive(Clone, Debug)]
pub(super) struct Storages {
    clients: [EtcdClient; Storage::ALL.len()],
    /// How many members each of them knows.
    members: usize,
}

impl Storages {
    pub(super) fn new(members: &[ComponentId]) -> Self {
        let client = |storage: Storage| {
            EtcdClient::new(members, members.len() * storage as usize, storage)
        };
        Self { clients: Storage::ALL.map(client), members: members.len() }
    }

    /// How many channels there are.
    pub(super) fn channels(&self) -> usize {
        self.members * self.clients.len()
    }

    pub(super) fn get(&self, storage: Storage) -> &EtcdClient {
        &self.clients[storage as usize]
    }

    /// The one for what clients at the endpoint read and write.
    pub(super) fn objects(&self) -> &EtcdClient {
        self.get(Storage::Objects)
    }

    pub(super) fn client(&mut self, storage: Storage) -> &mut EtcdClient {
        &mut self.clients[storage as usize]
    }

    /// The client that a channel belongs to.
    pub(super) fn owner(&mut self, channel: usize) -> &mut EtcdClient {
        &mut self.clients[channel / self.members]
    }

    pub(super) fn reset(&mut self) {
        self.clients.iter_mut().for_each(EtcdClient::reset);
    }

    pub(super) fn settle(&mut self, view: &View) {
        for client in &mut self.clients {
            client.settle(view);
        }
    }

    pub(super) fn open(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        for client in &mut self.clients {
            client.open(view, fx);
        }
    }

    pub(super) fn saw(&mut self, member: ComponentId, view: &View, fx: &mut Effects<Alarm>) {
        for client in &mut self.clients {
            client.saw(member, view, fx);
        }
    }
}

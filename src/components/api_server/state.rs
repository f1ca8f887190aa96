//! What an API server is able to do at present, and what it publishes of that.

use super::etcd_client::EtcdClient;
use super::storage::Storage;
use super::{Alarm, ApiServer};
use crate::component::fact::{Ability, ApiServerFact, Fact, StorageFact};
use crate::component::{Blame, ComponentId, Effects, View};
use crate::components::etcd::service::{read_ability, write_ability};
use crate::components::path::{ALL, read_latency, write_latency};
use crate::kernel::time::{Duration, Time};

/// Where the process is between its start and its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "independent stages, each shown by one endpoint")]
pub(super) struct Life {
    /// The process exists.
    pub(super) running: bool,
    /// When it started.
    pub(super) started: Time,
    /// When etcd first answered; start-up goes on from there.
    pub(super) etcd_found: Option<Time>,
    /// From there to the first HTTP answer.
    pub(super) to_http: Duration,
    /// From there to the end of start-up.
    pub(super) to_ready: Duration,
    /// The port is open.
    pub(super) listening: bool,
    /// HTTP requests are answered.
    pub(super) http: bool,
    /// All post-start hooks are done.
    pub(super) hooked: bool,
    /// `livez-grace-period` still runs.
    pub(super) grace: bool,
    /// SIGTERM has been received.
    pub(super) stopping: bool,
    /// The etcd check has been waiting for its whole time-out, so that answers given now are failures.
    pub(super) etcd_failed: bool,
    /// The etcd check waits, or has failed already.
    pub(super) etcd_doubted: bool,
    /// Until when a server that works on one request at a time is busy.
    pub(super) busy: Time,
}

impl Default for Life {
    /// No process.
    fn default() -> Self {
        Self {
            running: false,
            started: Time::ZERO,
            etcd_found: None,
            to_http: Duration::ZERO,
            to_ready: Duration::ZERO,
            listening: false,
            http: false,
            hooked: false,
            grace: false,
            stopping: false,
            etcd_failed: false,
            etcd_doubted: false,
            busy: Time::START,
        }
    }
}

impl ApiServer {
    /// What requests to etcd meet: works where a channel leads to a member that works; the share of
    /// channels in use for which that is so.
    fn at_etcd(
        client: &EtcdClient,
        view: &View,
        ability: fn(&View, ComponentId) -> Ability,
    ) -> (Ability, u32) {
        let (mut ready, mut works) = (0, 0);
        for member in client.ready() {
            ready += 1;
            let connected = view.connects(view.me, member);
            works += u32::from(connected && ability(view, member) == Ability::Works);
        }
        if works == 0 { (Ability::Hangs, 0) } else { (Ability::Works, ALL * works / ready) }
    }

    /// The member that requests go to: the first one that works, else the first in use.
    fn member(client: &EtcdClient, view: &View) -> Option<ComponentId> {
        let works = |m: &ComponentId| {
            view.connects(view.me, *m) && write_ability(view, *m) == Ability::Works
        };
        client.ready().find(works).or_else(|| client.ready().next())
    }

    /// Whether quorum reads work now.
    pub(super) fn reads_work(&self, view: &View) -> bool {
        Self::at_etcd(self.storages.objects(), view, read_ability).0 == Ability::Works
    }

    /// What quorum reads and writes of one storage meet.
    fn stored(&self, client: &EtcdClient, view: &View) -> StorageFact {
        let etcd = Self::member(client, view);
        let (read, answered) = Self::at_etcd(client, view, read_ability);
        let (write, _) = Self::at_etcd(client, view, write_ability);
        let expired = view.process(view.me).expired;
        let served = |ability| match (self.life.http, expired) {
            (true, false) => ability,
            (true, true) => Ability::Fails,
            (false, _) => Ability::Hangs,
        };
        let trip = |work: fn(&View, ComponentId) -> Option<Duration>| {
            let asked = etcd.and_then(|m| Some(view.round_trip(view.me, m) * 2 + work(view, m)?));
            self.params.processing + asked.unwrap_or(Duration::ZERO)
        };
        StorageFact {
            etcd,
            read: served(read),
            write: served(write),
            latency: trip(write_latency),
            read_latency: trip(read_latency),
            answered,
        }
    }

    /// The etcd check of the health endpoints: it fails when its read has waited for its time-out,
    /// which each question that is asked meanwhile or later does anew.
    fn check_etcd(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        if Self::at_etcd(self.storages.get(Storage::Health), view, read_ability).0 == Ability::Works {
            if self.life.etcd_doubted {
                fx.clear(Alarm::Health);
            }
            self.life.etcd_doubted = false;
            self.life.etcd_failed = false;
        } else if !self.life.etcd_doubted {
            self.life.etcd_doubted = true;
            let wait = self.params.etcd_healthcheck_timeout;
            fx.set(Alarm::Health, view.now + wait, Blame::of("etcd-healthcheck-timeout", wait));
        }
    }

    fn cached(&self, view: &View) -> Ability {
        match (self.life.http, self.cache.ready) {
            (true, _) if view.process(view.me).expired => Ability::Fails,
            (true, true) => Ability::Works,
            (true, false) if self.params.resilient_watchcache => Ability::Fails,
            _ => Ability::Hangs,
        }
    }

    /// Publishes the fact.
    pub(super) fn publish(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        if !self.life.running {
            fx.publish(Fact::Absent);
            return;
        }
        self.check_etcd(view, fx);
        let life = self.life;
        let objects = self.stored(self.storages.objects(), view);
        let [leases, nodes] = [Storage::Leases, Storage::Nodes]
            .map(|storage| self.stored(self.storages.get(storage), view));
        fx.publish(Fact::ApiServer(ApiServerFact {
            listening: life.listening,
            http: life.http,
            ready: life.http && life.hooked && !life.stopping && !life.etcd_failed,
            live: life.http && (life.hooked || life.grace) && !life.etcd_failed,
            health_wait: if life.etcd_doubted {
                self.params.etcd_healthcheck_timeout
            } else {
                Duration::ZERO
            },
            etcd: objects.etcd,
            read_cached: self.cached(view),
            read: objects.read,
            write: objects.write,
            latency: objects.latency,
            read_latency: objects.read_latency,
            cached_latency: self.params.processing,
            answered: objects.answered,
            leases: Some(leases).filter(|leases| *leases != objects),
            nodes: Some(nodes).filter(|nodes| *nodes != objects),
        }));
    }
}

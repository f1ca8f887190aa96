//! What an API server is able to do at present, and what it publishes of that.

use crate::component::certificate::Certificates;
use super::etcd_client::EtcdClient;
use super::storage::Storage;
use super::{Alarm, ApiServer};
use crate::component::fact::{Ability, ApiServerFact, Fact, StorageFact};
use crate::component::{Blame, Effects, View};
use crate::components::etcd::service::{abilities, read_ability, write_travel};
use crate::components::path::ALL;
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
    /// Whether reads through this client work: a channel leads to a member that works.
    fn answers(client: &EtcdClient, view: &View) -> bool {
        let works = |member| {
            view.connects(view.me, member) && read_ability(view, member) == Ability::Works
        };
        client.ready().any(works)
    }

    /// Whether quorum reads work now.
    pub(super) fn reads_work(&self, view: &View) -> bool {
        Self::answers(self.storages.objects(), view)
    }

    /// What quorum reads and writes of one storage meet. They go to the first member that takes writes,
    /// else to the first in use.
    fn stored(&self, client: &EtcdClient, view: &View) -> StorageFact {
        let (mut members, mut reads, mut writes, mut etcd) = (0, 0, 0, None);
        for member in client.ready() {
            members += 1;
            if view.connects(view.me, member) {
                let (read, write) = abilities(view, member);
                reads += u32::from(read == Ability::Works);
                writes += u32::from(write == Ability::Works);
                etcd = etcd.or(Some(member).filter(|_| write == Ability::Works));
            }
        }
        let etcd = etcd.or_else(|| client.ready().next());
        let works = |count| self.life.http && count > 0;
        let served = |count| if works(count) { Ability::Works } else { Ability::Hangs };
        let read_trip = etcd.and_then(|member| {
            Some(view.round_trip(view.me, member) * 2 + write_travel(view, member)?)
        });
        let trip = |asked: Option<Duration>| {
            self.params.processing + asked.unwrap_or(Duration::ZERO)
        };
        let write_trip = read_trip.zip(etcd).and_then(|(trip, m)| Some(trip + view.etcd(m)?.sync));
        StorageFact {
            etcd,
            read: served(reads),
            write: served(writes),
            latency: trip(write_trip),
            read_latency: trip(read_trip),
            answered: if reads == 0 { 0 } else { ALL * reads / members },
        }
    }

    /// The etcd check of the health endpoints: it fails when its read has waited for its time-out,
    /// which each question that is asked meanwhile or later does anew.
    fn check_etcd(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        if Self::answers(self.storages.get(Storage::Health), view) {
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

    fn cached(&self) -> Ability {
        match (self.life.http, self.cache.ready) {
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
        let [leases, nodes] = [Storage::Leases, Storage::Nodes].map(|storage| {
            let client = self.storages.get(storage);
            let alike = client.ready().eq(self.storages.objects().ready());
            if alike { objects } else { self.stored(client, view) }
        });
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
            distrusted: view.process(view.me).expired.shown.intersects(Certificates::API_SERVING),
            etcd: objects.etcd,
            read_cached: self.cached(),
            read: objects.read,
            write: objects.write,
            latency: objects.latency,
            read_latency: objects.read_latency,
            cached_latency: self.params.processing,
            answered: objects.answered,
            cached_since: self.cache.filled,
            contended: self.gate.as_mut().is_some_and(|gate| gate.is_busy(view.now)),
            leases: Some(leases).filter(|leases| *leases != objects),
            nodes: Some(nodes).filter(|nodes| *nodes != objects),
        }));
    }
}

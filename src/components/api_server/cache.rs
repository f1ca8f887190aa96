//! The watch cache: filled by a list, kept by watches, lost when etcd cancels those.
//!
//! Watches carry require-leader: a member without a leader cancels them at the third of its
//! one-second checks in a row (2-3 s later); the cache is then not ready until a new list, a quorum
//! read, has succeeded. A broken connection to a dead member cancels nothing: the cache stays as it
//! is and serves what it has (measured).

use super::relay::{Origin, Place, Relay};
use super::storage::Storage;
use super::{Alarm, ApiServer, LEADER_CHECK_DRAW};
use crate::component::fact::Resource;
use crate::component::mail::Op;
use crate::component::{Blame, Effects, View};
use crate::kernel::cadence::Cadence;
use crate::kernel::time::{Duration, Time};

/// Between a member's checks for a leader. etcd: v3rpc interceptor, `minNoLeaderCheckInterval`.
pub const LEADER_CHECK: Duration = Duration::from_secs(1);

/// Checks in a row without a leader until streams are cancelled. etcd: `maxNoLeaderCnt`.
pub const LEADER_CHECKS: u64 = 3;

/// After a failed list the cache lists again. kube-apiserver: cacher.go, `wait.Until(…, time.Second)`.
const RELIST_WAIT: Duration = Duration::from_secs(1);

/// State of the cache.
#[derive(Clone, Debug, Default)]
pub(super) struct Cache {
    /// It serves reads.
    pub(super) ready: bool,
    /// Since when it has followed every change, if not for long.
    pub(super) filled: Option<Time>,
    /// A list is under way or planned.
    listing: bool,
    /// When the members' checks fall.
    checks: Option<Cadence>,
    /// The third check without a leader is planned.
    doomed: bool,
}

impl Cache {
    pub(super) fn settle(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        self.boot(view, fx);
        self.ready = true;
    }

    pub(super) fn boot(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        let phase = fx.draw(LEADER_CHECK_DRAW).uniform_duration(Duration::ZERO, LEADER_CHECK);
        *self = Self { checks: Some(Cadence::new(view.now + phase, LEADER_CHECK)), ..Self::default() };
    }

    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }
}

impl ApiServer {
    /// Plans the loss of the watches while every member in use is without a leader.
    pub(super) fn watch_leaders(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        let leaderless = self.storages.objects().ready().next().is_some()
            && self.storages.objects().ready().all(|m| {
                view.connects(view.me, m) && view.etcd(m).is_some_and(|fact| fact.lead.is_none())
            });
        let Some(checks) = self.cache.checks else { return };
        if leaderless && self.cache.ready && !self.cache.doomed {
            self.cache.doomed = true;
            let at = checks.nth_after(view.now, LEADER_CHECKS);
            fx.set(Alarm::WatchLost, at, Blame::of("require-leader", at.since(view.now)));
        } else if !leaderless && self.cache.doomed {
            self.cache.doomed = false;
            fx.clear(Alarm::WatchLost);
        }
    }

    /// etcd cancelled the watches.
    pub(super) fn lose_watches(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        self.cache.doomed = false;
        self.cache.ready = false;
        self.relist(view, fx);
    }

    /// Fills the cache by a quorum list.
    pub(super) fn relist(&mut self, view: &View, fx: &mut Effects<Alarm>) {
        self.cache.listing = true;
        let list = Relay {
            origin: Origin::Cache,
            op: Op::Read(Resource::Objects),
            deadline: Time::NEVER,
            limit: "watch cache list",
            place: Place::Channel(Storage::Objects),
            spent: Duration::ZERO,
            retries: 0,
            ticket: None,
        };
        self.submit(list, view, fx);
    }

    /// The list ended.
    pub(super) fn listed(&mut self, done: bool, view: &View, fx: &mut Effects<Alarm>) {
        if done {
            self.cache.listing = false;
            self.cache.ready = true;
            self.cache.filled = Some(view.now);
            self.watch_leaders(view, fx);
            self.release_cached(view, fx);
        } else {
            fx.set_after(Alarm::Relist, RELIST_WAIT, "watch cache relist");
        }
    }
}

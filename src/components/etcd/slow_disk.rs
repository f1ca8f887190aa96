//! Syncs that take so long that the followers lose patience, out of all those that nobody simulates.
//!
//! Each steady write's sync is a draw of the disk's law. Only one that outlasts the followers' patience
//! changes anything, so that the write at which it happens is drawn instead: how many writes pass until
//! then is geometric, and how long that sync lasts follows the tail of the law.
//!
//! Absent on purpose: writes that share a sync, as they do where syncs last longer than writes are
//! apart. Fewer syncs are made then than are counted here.

use super::disk::Disk;
use super::params::Rules;
use super::{Alarm, Etcd, Fx, LONG_SYNC};
use crate::component::blame::Blame;
use crate::component::lever::Slowness;
use crate::component::view::View;
use crate::kernel::law::Law;
use crate::kernel::time::{Duration, Time};

/// Fewer than one long sync in so many is none: at 1000 writes a second, one in 30 years.
const NEVER_BELOW: f64 = 1e-12;

/// A year: whatever is not reached by then is looked for again then.
const HORIZON: Duration = Duration::from_secs(365 * 24 * 3600);

impl Disk {
    /// The law of a sync at present.
    pub(super) fn law<'a>(&'a self, rules: &'a Rules) -> &'a Law {
        self.slow.as_ref().unwrap_or(&rules.options.fsync)
    }

    /// The share of syncs that are long at present.
    fn long_syncs(&self, rules: &Rules) -> f64 {
        self.slow.as_ref().map_or(rules.long_syncs, |law| share(law, rules.patience))
    }

    /// Whether no sync is long, and none is awaited.
    pub(super) fn is_quick(&self, rules: &Rules) -> bool {
        self.slow.is_none() && rules.long_syncs == 0.0 && self.long.is_none()
    }

    /// How long a sync takes on average at present.
    pub(super) fn mean_sync(&self, rules: &Rules) -> Duration {
        let slow = self.slow.as_ref().and_then(|law| Duration::from_secs_f64(law.mean()));
        slow.unwrap_or(rules.sync)
    }
}

/// The share of syncs that are long.
pub(super) fn share(law: &Law, patience: Duration) -> f64 {
    let share = 1.0 - law.cdf(patience.as_secs_f64());
    if share < NEVER_BELOW { 0.0 } else { share.min(1.0) }
}

/// How many writes pass up to and including the next with a long sync.
pub(super) fn writes_until_long(share: f64, uniform: f64) -> u64 {
    if share >= 1.0 {
        return 1;
    }
    let count = libm::ceil(libm::log1p(-uniform) / libm::log1p(-share)).max(1.0);
    // A number of writes beyond 2^63 is never reached.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    let count = count as u64;
    count
}

impl Etcd {
    /// The lever: syncs follow another law from now on.
    pub(super) fn slow_disk(&mut self, how: Option<Slowness>) {
        let law = how.map(|slow| {
            let median = slow.median.max(Duration::from_nanos(1));
            Law::lognormal_by(median, 0.99, slow.p99).unwrap_or(Law::Fixed(median))
        });
        self.disk.slow = law;
        self.disk.long = None;
    }

    /// A steady write's sync is a long one.
    pub(super) fn write_takes_long(&mut self, view: &View, fx: &mut Fx) {
        self.disk.long = None;
        if self.disk.busy() || self.disk.stalled || self.paused {
            return;
        }
        let law = self.disk.law(&self.rules);
        let below = law.cdf(self.rules.patience.as_secs_f64());
        let at = below + (1.0 - below) * fx.draw(LONG_SYNC).uniform();
        let lasts = Duration::from_secs_f64(law.quantile(at)).unwrap_or(self.rules.patience);
        self.begin_long_sync(lasts.max(self.rules.patience), view);
    }

    /// The alarm for the next steady write whose sync is long. Writes have no memory, so that it may be
    /// drawn anew whenever writers, law or leader change.
    pub(super) fn plan_long_sync(&mut self, view: &View, fx: &mut Fx) {
        let quick = self.disk.is_quick(&self.rules);
        let waits = !self.disk.stalled && !self.disk.busy();
        if quick || !waits || self.next_write(view).is_never() {
            self.disk.long = None;
        } else if self.disk.long.is_none_or(|at| at < view.now) {
            let share = self.disk.long_syncs(&self.rules);
            self.disk.long = (share > 0.0).then(|| self.draw_long_sync(share, view, fx));
        }
        let at = self.disk.long.unwrap_or(Time::NEVER);
        self.arm(Alarm::LongSync, at, |wait| Blame::of("writes until a long sync", wait), fx);
    }

    fn draw_long_sync(&self, share: f64, view: &View, fx: &mut Fx) -> Time {
        let count = writes_until_long(share, fx.draw(LONG_SYNC).uniform());
        let delay = self.raft.contact.map_or(Duration::ZERO, |contact| contact.delay);
        self.nth_write(count, view.now) + delay
    }

    /// The instant of the `count`-th steady write after `now`; within a year.
    fn nth_write(&self, count: u64, now: Time) -> Time {
        let after = now + Duration::from_nanos(1);
        let (mut low, mut high) = (0, HORIZON.as_nanos());
        while low < high {
            let middle = low + (high - low) / 2;
            let end = after + Duration::from_nanos(middle);
            if self.writes_in(after, end) >= count {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        after + Duration::from_nanos(low.saturating_sub(1))
    }
}

//! When a container that ended is started again: the crash-loop back-off.
//!
//! The first restart is at once; the n-th wait, counted from the container's end, doubles up to a
//! cap, and a container that ran long enough begins anew. While it waits, its pod is looked at only
//! now and then, so the restart comes at the first look after the wait.

use crate::kernel::time::{Duration, Time};

/// The longest share by which a look at a waiting pod is later than its period.
/// kubelet: `workerBackOffPeriodJitterFactor` 0.5.
const RESYNC_JITTER: f64 = 0.5;

/// Settings of the back-off.
#[derive(Clone, Copy, Debug)]
pub struct Law {
    /// The wait before the second restart.
    pub initial: Duration,
    /// The longest wait.
    pub max: Duration,
    /// A container that ended so long after its last restart begins anew.
    pub reset: Duration,
    /// From look to look at a pod that waits, without what makes it later.
    pub resync: Duration,
}

impl Law {
    /// The longest that a restart is held up.
    pub fn longest(&self) -> Duration {
        self.max.saturating_add(self.resync.mul_f64(1.0 + RESYNC_JITTER))
    }
}

/// What the kubelet remembers of a container's restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The wait that the next restart has to respect.
    pub wait: Duration,
    /// When the last restart was decided.
    pub decided: Time,
}

/// A restart and what it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restart {
    /// When it is started.
    pub at: Time,
    /// How long the back-off held it up.
    pub backoff: Duration,
    /// How long it then waited for the next look.
    pub resync: Duration,
    /// What is remembered from then on.
    pub entry: Entry,
}

/// The restart of a container that ended at `finished` and is found dead at `found`; `u` gives
/// uniform numbers for the looks.
pub fn restart(
    law: Law,
    entry: Option<Entry>,
    finished: Time,
    found: Time,
    mut u: impl FnMut() -> f64,
) -> Restart {
    let entry = entry.filter(|e| finished.saturating_since(e.decided) <= law.reset);
    let Some(entry) = entry else {
        let entry = Entry { wait: law.initial, decided: found };
        return Restart { at: found, backoff: Duration::ZERO, resync: Duration::ZERO, entry };
    };
    let over = (finished + entry.wait).max(found);
    let mut at = found;
    while at < over {
        at += law.resync.mul_f64(1.0 + RESYNC_JITTER * u());
    }
    let next = Entry { wait: (entry.wait * 2).min(law.max), decided: at };
    Restart { at, backoff: over.since(found), resync: at.since(over), entry: next }
}

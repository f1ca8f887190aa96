//! Work that is planned: reboots, upgrades.

use crate::component::id::MachineId;
use crate::kernel::law::Law;
use crate::kernel::time::Duration;

/// Planned work on machines, one after the other, in windows that come round.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedWork {
    /// What it is called in reports.
    pub cause: String,
    /// The machines, in the order in which they are worked on. Each is down meanwhile.
    pub machines: Vec<MachineId>,
    /// When the first window opens, from time 0.
    pub first: Duration,
    /// From one window's opening to the next, above zero.
    pub every: Duration,
    /// How long a window is open: work on a machine that has not begun by its end waits for the
    /// next window.
    pub window: Duration,
    /// How long a machine is down.
    pub lasts: Law,
    /// From a machine's return to the next one's turn.
    pub pause: Duration,
    /// Whether the next machine waits, within the window, until everything else that fails by itself
    /// is up.
    pub only_when_whole: bool,
}

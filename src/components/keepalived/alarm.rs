//! What an instance waits for.

use crate::component::Alarm;

/// An instance's alarms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepalivedAlarm {
    /// Everything has been published at a settled start.
    Look,
    /// The master has been silent for too long.
    MasterDown,
    /// The second announcement of a new master.
    Announce,
    /// The next advert to another master.
    Advert,
    /// A script's verdict flips.
    Script,
    /// `preempt_delay` is over.
    Preempt,
    /// The parent starts a new child.
    Respawn,
    /// A master renews its announcement.
    Refresh,
    /// The address is added or removed.
    Configure,
    /// The process gets to know that a fault is over.
    Notice,
    /// An advert arrives that left before this became master.
    Arrival,
}

impl Alarm for KeepalivedAlarm {
    fn index(self) -> usize {
        self as usize
    }

    fn at_index(index: usize) -> Self {
        use KeepalivedAlarm::{
            Advert, Announce, Arrival, Configure, Look, MasterDown, Notice, Preempt, Refresh,
            Respawn, Script,
        };
        [
            Look, MasterDown, Announce, Advert, Script, Preempt, Respawn, Refresh, Configure, Notice,
            Arrival,
        ][index]
    }
}

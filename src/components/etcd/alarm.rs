//! What wakes a member: its alarms, in the order of their ranks.
//!
//! Absent on purpose: what each does, which is with its subject.

/// The alarms of a member, in the order in which those due at the same instant are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// A sync completes.
    Disk,
    /// A steady write meets a stalled disk.
    Stall,
    /// A steady write's sync outlasts the followers' patience.
    LongSync,
    /// Snapshot and log are read.
    Start,
    /// A started member finds its peers connected.
    Advance,
    /// The leader looks whether a majority answers.
    Check,
    /// The leader's tick sends heartbeats.
    Beat,
    /// The election timeout passes.
    Election,
    /// A tick, where every one is taken.
    Tick,
    /// A write times out.
    Write,
    /// The alarm about space is proposed again.
    Space,
    /// A read times out or is asked again.
    Read,
    /// A hand-over or shutdown ends.
    Leave,
    /// A leader's word of an earlier term arrives.
    Stale,
}

impl Alarm {
    pub(super) const ALL: [Alarm; 14] = [
        Alarm::Disk,
        Alarm::Stall,
        Alarm::LongSync,
        Alarm::Start,
        Alarm::Advance,
        Alarm::Check,
        Alarm::Beat,
        Alarm::Election,
        Alarm::Tick,
        Alarm::Write,
        Alarm::Space,
        Alarm::Read,
        Alarm::Leave,
        Alarm::Stale,
    ];
}

impl crate::component::Alarm for Alarm {
    fn index(self) -> usize {
        self as usize
    }

    fn at_index(index: usize) -> Self {
        Self::ALL[index]
    }
}

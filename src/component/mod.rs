//! The contract between components and the world: a component is a pure state machine that sees
//! facts and acts by effects.
//!
//! Absent on purpose: every machine, clocks, randomness of its own, and the kinds' parameters. The
//! vocabulary of facts and messages is here because it is what kinds share with each other.

pub mod address;
pub mod blame;
pub mod certificate;
mod clock;
pub mod effects;
pub mod fact;
pub mod id;
pub mod lever;
pub mod mail;
pub mod map;
pub mod members;
pub mod node;
pub mod param;
pub mod peer_streams;
pub mod reach;
pub mod record;
pub mod versions;
pub mod view;
pub mod workload;

use crate::kernel::time::Time;
pub use blame::{Blame, EventId};
pub use effects::{Effects, ExitStatus};
pub use fact::Fact;
pub use id::{ComponentId, Kind, MachineId};
pub use lever::Lever;
pub use mail::{Body, Mail};
pub use map::Map;
pub use view::{Probe, View};

/// The alarms of a kind: an enumeration with a dense index. Each component has a cell for each.
pub trait Alarm: Copy {
    /// Position among the component's cells, below [`Component::alarms`].
    fn index(self) -> usize;
    /// The alarm at a position.
    fn at_index(index: usize) -> Self;
}

/// Why a component is called.
#[derive(Clone, Debug)]
pub enum Cause<A> {
    /// A settled run begins: take up the state of a system that has been running for long. Other
    /// components' facts may not be published yet; who leads is in the view's settlement.
    Settle,
    /// The process has been started (anew): nothing of the last life is left but what is on disk.
    Boot,
    /// An alarm is due.
    Alarm(A),
    /// The fact or process state of a watched component, or the path to it, changed. May only book
    /// history and plan alarms: nothing is known before it could have arrived.
    Saw(ComponentId),
    /// A message arrived.
    Mail(Mail),
    /// Somebody pulled a lever. The component books what it had lazily in flight.
    Lever(Lever),
}

/// A program or device as a pure state machine.
pub trait Component {
    /// Its alarms.
    type Alarm: Alarm;

    /// How many alarm cells it needs.
    fn alarms(&self) -> usize;

    /// Whose facts and reachability wake it.
    fn watches(&self, map: &Map) -> Vec<ComponentId>;

    /// Whether it looks at all that it watches whenever it sees any of it change, so that of several
    /// changes at one instant it need be told only once.
    const LOOKS_AT_ALL: bool = false;

    /// Reacts to one cause.
    fn on(&mut self, cause: Cause<Self::Alarm>, view: &View, fx: &mut Effects<Self::Alarm>);

    /// The fact as somebody who asks at this moment is told it, where it grows without events since
    /// it was published; `None` where the published one is current.
    fn asked(&self, _now: Time) -> Option<Fact> {
        None
    }
}

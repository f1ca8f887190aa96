//! The resolver of the clients: it keeps the endpoint's name for its TTL and then asks again, as steady
//! queries make it. It learns of a change when what it keeps has run out, so the wait lies evenly
//! within the TTL, and all changes up to then arrive together.
//!
//! Absent on purpose: several resolvers in a row, which may add up their TTLs; negative answers; health
//! checks of the name's authority, whose changes a scenario writes as faults.

use super::event::EventKind;
use super::operator::Timed;
use super::{Origin, World};
use crate::component::blame::Blame;
use crate::component::id::MachineId;
use crate::kernel::cadence::Cadence;
use crate::kernel::stream::StreamName;
use crate::kernel::time::{Duration, Time};
use crate::plan::service::Endpoint;

/// A change of the name that the resolver will learn of.
#[derive(Clone, Debug)]
pub(super) struct Learned {
    machine: MachineId,
    listed: bool,
    origin: Origin,
}

impl World<'_> {
    /// The authority lists a machine's address or leaves it out.
    pub(super) fn change_record(&mut self, machine: MachineId, listed: bool) {
        let Endpoint::Dns { ttl, .. } = self.plan.services.endpoint else { return };
        let mut draw = self.key.draw(StreamName::of("resolver"), 0, 0);
        let ttl = ttl.max(Duration::from_nanos(1));
        let phase = Time::START + draw.uniform_duration(Duration::ZERO, ttl);
        let asks = Cadence::new(phase, ttl).first_after(self.now);
        let origin = Origin::new(self.event, Blame::of("ttl", asks.since(self.now)));
        self.plan_setting(asks, Timed::Resolved(Learned { machine, listed, origin }));
    }

    /// What the resolver keeps has run out: it asks again.
    pub(super) fn resolved(&mut self, learned: Learned) {
        let Learned { machine, listed, origin } = learned;
        self.begin(None, origin, EventKind::Resolved);
        self.all.machines[machine.index()].unlisted = !listed;
        self.changed = true;
        self.network_changed(machine);
    }
}

//! A virtual address that is held by a Lease: its holder keeps it as long as it can write, and the API
//! server beside it is all that it leads to.
//!
//! Absent on purpose: how long all that takes ([`crate::reliability::timers`]).

use super::Ideal;
use super::lease::{Lease, Standing};
use super::scene::{Bits, Group, bits};
use crate::kernel::time::Time;
use crate::plan::Plan;
use crate::plan::service::Endpoint;
use crate::reliability::timers::Timers;

/// The Lease, and the API server beside each that may hold it.
#[derive(Clone, Debug)]
pub(super) struct Elected {
    lease: Lease,
    servers: Vec<usize>,
}

impl Elected {
    /// [`None`] where another protocol decides, or a law.
    pub(super) fn of(plan: &Plan, timers: Option<&Timers>) -> Option<Self> {
        let Endpoint::Vip { fronts, .. } = &plan.services.endpoint else { return None };
        let place = |id| plan.services.api_servers.iter().position(|server| server == id);
        let servers: Option<Vec<usize>> = fronts.iter().map(place).collect();
        let elected = servers.map(|servers| Self { lease: Lease::new(), servers });
        elected.filter(|_| timers.is_some_and(Timers::elects_holder))
    }

    /// Begins anew, held.
    pub(super) fn reset(&mut self) {
        self.lease = Lease::new();
    }

    /// When its holder gives it up unless writes work before.
    pub(super) fn patience(&self) -> Time {
        self.lease.patience
    }
}

impl Ideal<'_> {
    /// Lets the address follow from who can write.
    pub(super) fn review_elected(&mut self) {
        let (Some(elected), Some(timers)) = (&mut self.elected, self.takes.timers()) else {
            return;
        };
        let (served, daemons) = (self.means.served, self.scenes.now().daemons);
        let able = bits(elected.servers.len(), |at| served >> elected.servers[at] & 1 == 1);
        // One that nobody reaches is lost to clients at once, as if it had gone silently.
        let cut = daemons.running & !daemons.serving;
        let group = Group {
            machines: daemons.machines & !cut,
            running: daemons.serving,
            serving: daemons.serving,
        };
        let standing = Standing { now: self.now, key: self.key, group, able };
        elected.lease.review(&mut self.vip, timers, standing);
    }

    /// The API server that an elected address leads to, if it takes connections.
    pub(super) fn front(&self) -> Bits {
        let holder = self.elected.as_ref().zip(self.vip.holder());
        let server = holder.and_then(|(elected, holder)| elected.servers.get(holder));
        server.map_or(0, |server| self.listening() & 1 << server)
    }

    /// Whether the address is away for want of writes.
    pub(super) fn lacks_api(&self) -> bool {
        self.elected.is_some() && !self.vip.is_held() && self.vip.due.is_never()
    }
}

//! Parent and child: the child speaks VRRP, and the parent starts it again when it dies.
//!
//! The model's process is both. Killed whole, nothing is left but the address; killed alone, the
//! child takes the election with it and leaves the address, which its successor removes. A parent
//! that dies takes the child with it in order (`PR_SET_PDEATHSIG`, SIGTERM): that is a stop.
//!
//! Absent on purpose: the checker process of LVS, and the milliseconds that a start takes.

use super::{Fx, Keepalived, KeepalivedAlarm};
use crate::component::fact::{Fact, VrrpFact};
use crate::component::view::View;
use crate::kernel::time::{Duration, Time};

/// A child that lived for longer than this is started again at once. keepalived: `scheduler.c`,
/// `calc_restart_delay`.
const LONG_LIFE: Duration = Duration::from_secs(60);
/// The longest wait before a new child. Same place.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// The wait after the one without any. Same place.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// Purpose of the draw for the time until the first child.
const STARTUP_DRAW: u32 = 3;

/// What the parent knows of its child.
#[derive(Clone, Copy, Debug)]
pub(super) struct Child {
    /// It died, and its successor has not started yet.
    pub(super) absent: bool,
    /// When it started.
    pub(super) started: Time,
    /// How long the parent waits if it dies within a minute of that.
    wait: Duration,
}

impl Child {
    /// The first child of a parent, started `now`.
    pub(super) fn first(now: Time) -> Self {
        Self { absent: false, started: now, wait: Duration::ZERO }
    }

    /// The parent has started and its first child has not.
    pub(super) fn expected(now: Time) -> Self {
        Self { absent: true, ..Self::first(now) }
    }

    /// The child dies; how long the parent waits before the next.
    fn dies(&mut self, now: Time) -> Duration {
        if now.saturating_since(self.started) > LONG_LIFE {
            self.wait = Duration::ZERO;
        }
        let wait = self.wait;
        self.wait = if wait.is_zero() { FIRST_WAIT } else { (wait * 2).min(LONGEST_WAIT) };
        self.absent = true;
        wait
    }
}

impl Keepalived {
    /// The process is started; its child comes when it has read its configuration.
    pub(super) fn start(&mut self, view: &View, fx: Fx) {
        let startup = self.params.startup.sample(&mut fx.draw(STARTUP_DRAW));
        if startup.is_zero() {
            self.child = Child::first(view.now);
            self.boot(view, fx);
            return;
        }
        self.child = Child::expected(view.now);
        fx.set_after(KeepalivedAlarm::Respawn, startup, "startup");
    }

    /// SIGKILL of the child alone: nobody speaks for the address that it leaves behind.
    pub(super) fn lose_child(&mut self, view: &View, fx: Fx) {
        if self.child.absent {
            return;
        }
        let wait = view.local(self.child.dies(view.now));
        Self::clear_election(fx);
        fx.clear(KeepalivedAlarm::Script);
        fx.clear(KeepalivedAlarm::Look);
        let VrrpFact { holds, announced, .. } = self.fact;
        self.forget();
        self.fact.holds = holds;
        self.fact.announced = announced.filter(|_| holds);
        fx.publish(Fact::Vrrp(self.fact));
        fx.set_after(KeepalivedAlarm::Respawn, wait, "restart delay of the child");
    }

    /// The next child: it removes the address that the last one left, and begins as any start does.
    pub(super) fn respawn(&mut self, view: &View, fx: Fx) {
        self.child = Child { absent: false, started: view.now, ..self.child };
        self.boot(view, fx);
    }
}

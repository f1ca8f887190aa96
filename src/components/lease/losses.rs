//! A holder on a path that loses packets for good: its renewals stay computed, and only the next
//! attempt is drawn that its retransmissions do not save from the client's time-out.
//!
//! A renewal that is merely slowed down (0.2 s for data, 1 s for a SYN) shifts those after it, which
//! nobody can tell from another phase. Absent on purpose: contenders, whose failed reads change
//! nothing (their clocks go on), and whose attempts at a Lease that has expired are really sent.

use super::holder::Renewal;
use super::{Elector, LOSS_DRAW};
use crate::component::record::RequestClass;
use crate::component::{Alarm, Blame, Effects, View};
use crate::kernel::time::Duration;
use crate::transport::loss::tries_before;

impl<A: Alarm> Elector<A> {
    /// How likely an attempt to renew fails because a request of it runs into its time-out.
    fn failing(&self, view: &View) -> f64 {
        let timeout = self.clock.lasts(self.election.client_timeout);
        let fails = |class, took: Duration| {
            let patience = timeout.saturating_sub(took);
            self.path.lateness(view, class, patience).beyond(patience)
        };
        let write = fails(RequestClass::Write, self.reading.write.took(timeout));
        if self.election.client_go.fast_path() {
            return write;
        }
        let read = fails(RequestClass::Read, self.reading.read.took(timeout));
        1.0 - (1.0 - read) * (1.0 - write)
    }

    /// Renewals have become regular: the alarm is for the next one that losses let fail.
    pub(super) fn await_failure(&mut self, view: &View, fx: &mut Effects<A>) {
        let Renewal::Regular(cadence) = self.renewal else { return };
        let before = if self.reading.losses > 0.0 {
            tries_before(self.failing(view), &mut fx.draw(LOSS_DRAW))
        } else {
            None
        };
        let Some(before) = before else { return self.unset(fx) };
        let commit = cadence.nth_after(view.now, before.saturating_add(1));
        let start = (commit - self.cycle_takes().saturating_sub(self.reading.back)).max(view.now);
        self.set(start, || Blame::of("packet loss", start.since(view.now)), fx);
    }

    /// The attempt that begins now will not be answered in time.
    pub(super) fn doom(&mut self, view: &View, fx: &mut Effects<A>) {
        self.book_renewals(view, fx);
        self.doomed = true;
        self.leave_cadence(view, fx);
        self.doomed = false;
    }
}

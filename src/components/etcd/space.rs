//! The quota of the database: the alarm NOSPACE, by which a member whose database is full stops the
//! writes of the whole cluster.
//!
//! The alarm is an entry of the log: the leader applies it and says so with its appends; every member
//! that knows of it refuses writes from then on, and goes on to read. Whoever raised or disarmed it asks again until it has been applied.
//!
//! Absent on purpose: sizes, and how long compacting and defragmenting take.

use super::{Alarm, Etcd, Fx};
use crate::component::blame::Blame;
use crate::component::mail::Op;
use crate::component::view::View;
use crate::kernel::time::Time;

/// What a member wants of the alarm.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Space {
    /// The database exceeds its quota.
    over: bool,
    /// What it asks for, and since when.
    asked: Option<(bool, Time)>,
}

impl Space {
    /// The database of a process that does not run exceeds its quota, or has been compacted.
    pub(super) fn set(&mut self, room: bool) {
        self.over = !room;
    }

    /// Forgets what it asked for, as a process does that ends; the database stays as it is.
    pub(super) fn end(&mut self) {
        self.asked = None;
    }
}

impl Etcd {
    /// Whether this member refuses writes before they enter raft.
    pub(super) fn refuses_writes(&self) -> bool {
        self.hard.full || self.space.over
    }

    /// The lever: the database exceeds its quota, or has been compacted and the alarm disarmed.
    pub(super) fn set_space(&mut self, room: bool, view: &View, fx: &mut Fx) {
        self.space.over = !room;
        self.want_alarm(!room, view, fx);
    }

    /// A member that started with a full database raises the alarm with its first write.
    pub(super) fn start_space(&mut self, view: &View, fx: &mut Fx) {
        if self.space.over {
            self.want_alarm(true, view, fx);
        }
    }

    fn want_alarm(&mut self, armed: bool, view: &View, fx: &mut Fx) {
        self.space.asked = Some((armed, view.now));
        self.propose_alarm(view, fx);
    }

    /// Proposes what is wanted, unless it has been applied.
    pub(super) fn propose_alarm(&mut self, view: &View, fx: &mut Fx) {
        let Some((armed, _)) = self.space.asked else { return };
        if armed == self.hard.full {
            self.space.asked = None;
            return;
        }
        self.space.asked = Some((armed, view.now));
        let tag = self.requests.tag();
        self.propose(self.me, tag, Op::Alarm(armed), view, fx);
    }

    /// The alarm to ask again, after the time-out of a request.
    pub(super) fn plan_space(&mut self, fx: &mut Fx) {
        let timeout = self.rules.request_timeout;
        let again = self.space.asked.filter(|(armed, _)| *armed != self.hard.full);
        let at = again.map_or(Time::NEVER, |(_, since)| since + timeout);
        self.arm(Alarm::Space, at, |_| Blame::of("etcd request timeout", timeout), fx);
    }
}

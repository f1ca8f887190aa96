//! The raft loop's turn: what is sent before and after the log is synced, and stalls of the disk.
//!
//! etcd saves and sends in one loop: while a sync runs, whatever else is to go out waits for the
//! next turn. A leader sends before its own sync, everybody else after it. While the disk is
//! stalled with something to write, the loop stands still and its ticks are lost but for one.
//!
//! Absent on purpose: ticks that fall into an ordinary sync. They are taken on time, which is off by
//! at most that sync; heartbeats and their answers, which need no sync, pass it for the same reason.

use super::{Alarm, Etcd, FSYNC, Fx, Hard};
use crate::component::blame::Blame;
use crate::component::fact::Role;
use crate::component::id::ComponentId;
use crate::component::mail::{Body, RaftMessage};
use crate::component::view::View;
use crate::kernel::law::Law;
use crate::kernel::time::{Duration, Time};

/// What one turn of the loop has to do.
#[derive(Clone, Debug, Default)]
pub(super) struct Turn {
    /// Term, vote or entries changed: a sync is needed.
    pub(super) persist: bool,
    /// Messages of this turn.
    pub(super) mail: Vec<(ComponentId, RaftMessage)>,
}

/// A sync that is under way.
#[derive(Clone, Debug)]
struct Sync {
    /// When it completes, unless the disk is stalled.
    done: Time,
    /// What waits for it.
    mail: Vec<(ComponentId, RaftMessage)>,
    /// What was durable before: a loss of power takes the member back to it.
    before: Hard,
    /// End of the log that it makes durable.
    last: u64,
    /// It outlasts the followers' patience: meanwhile the loop stands still.
    long: bool,
}

/// The disk as the raft loop meets it.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk {
    /// The lever: no write completes.
    pub(super) stalled: bool,
    /// This handler's output.
    pub(super) turn: Turn,
    /// How long syncs take while the disk is slow.
    pub(super) slow: Option<Law>,
    /// The steady write whose sync will be the next long one, once drawn.
    pub(super) long: Option<Time>,
    sync: Option<Sync>,
    next: Turn,
    /// State before the first change that no sync covers yet.
    clean: Option<Hard>,
}

impl Disk {
    /// Whether the loop stands still.
    pub(super) fn frozen(&self) -> bool {
        self.sync.as_ref().is_some_and(|sync| self.stalled || sync.long)
    }

    /// Whether a sync is under way.
    pub(super) fn busy(&self) -> bool {
        self.sync.is_some()
    }

    /// When the sync that is under way completes.
    pub(super) fn done_at(&self) -> Time {
        match &self.sync {
            Some(sync) if !self.stalled => sync.done,
            _ => Time::NEVER,
        }
    }
}

impl Etcd {
    /// Says that term, vote or log are about to change and must be synced.
    pub(super) fn persist(&mut self) {
        if self.disk.clean.is_none() {
            self.disk.clean = Some(self.hard.clone());
        }
        self.disk.turn.persist = true;
    }

    /// Adds a message to this turn.
    pub(super) fn emit(&mut self, to: ComponentId, message: RaftMessage) {
        self.disk.turn.mail.push((to, message));
    }

    /// Sends what needs no sync, unless the loop stands still or a change must be synced first.
    pub(super) fn emit_now(&mut self, to: ComponentId, message: RaftMessage, fx: &mut Fx) {
        if self.disk.frozen() || self.disk.turn.persist {
            self.emit(to, message);
        } else {
            fx.send(to, Body::Raft(message));
        }
    }

    /// Ends a handler: its output goes out, or joins the next turn if a sync is under way.
    pub(super) fn turn(&mut self, view: &View, fx: &mut Fx) {
        let turn = std::mem::take(&mut self.disk.turn);
        if self.disk.busy() {
            self.disk.next.persist |= turn.persist;
            self.disk.next.mail.extend(turn.mail);
        } else if turn.persist || !turn.mail.is_empty() {
            self.start_turn(turn, view, fx);
        }
    }

    fn start_turn(&mut self, mut turn: Turn, view: &View, fx: &mut Fx) {
        if self.raft.role == Role::Leader || !turn.persist {
            send_all(std::mem::take(&mut turn.mail), fx);
        }
        if turn.persist {
            let lasts = self.disk.law(&self.rules).sample(&mut fx.draw(FSYNC));
            let long = lasts > self.rules.patience;
            let before = self.disk.clean.take().unwrap_or_else(|| self.hard.clone());
            let last = self.hard.log.last_index();
            let done = view.now + lasts;
            self.disk.sync = Some(Sync { done, mail: turn.mail, before, last, long });
            if self.disk.frozen() {
                self.freeze(view);
            }
        }
    }

    /// The sync has completed: its messages leave, and the next turn starts.
    pub(super) fn synced(&mut self, view: &View, fx: &mut Fx) {
        let Some(sync) = self.disk.sync.take() else { return };
        send_all(sync.mail, fx);
        if let Some(leading) = &mut self.raft.leading {
            leading.synced = leading.synced.max(sync.last);
        }
        let next = std::mem::take(&mut self.disk.next);
        if next.persist || !next.mail.is_empty() {
            self.start_turn(next, view, fx);
        }
        self.advance_commit(view, fx);
        if sync.long && !self.disk.frozen() && !self.paused {
            self.thaw(view, fx);
        }
    }

    /// The lever: writes stop completing. Something is written soon where anybody writes at all.
    pub(super) fn stall_disk(&mut self, view: &View) {
        self.disk.stalled = true;
        if self.disk.busy() {
            self.freeze(view);
        }
    }

    /// A write of the others meets the stalled disk.
    pub(super) fn write_meets_stall(&mut self, view: &View) {
        if self.disk.stalled && !self.disk.busy() {
            self.book_writes(view.now);
            let (before, last) = (self.hard.clone(), self.hard.log.last_index());
            let (done, mail) = (view.now, Vec::new());
            self.disk.sync = Some(Sync { done, mail, before, last, long: false });
            self.freeze(view);
        }
    }

    /// A steady write's sync lasts so long that the loop stands still for it.
    pub(super) fn begin_long_sync(&mut self, lasts: Duration, view: &View) {
        self.book_writes(view.now);
        let (before, last) = (self.hard.clone(), self.hard.log.last_index());
        let (done, mail) = (view.now + lasts, Vec::new());
        self.disk.sync = Some(Sync { done, mail, before, last, long: true });
        self.freeze(view);
    }

    /// The lever: writes complete again.
    pub(super) fn free_disk(&mut self, view: &View, fx: &mut Fx) {
        let was_frozen = self.disk.frozen();
        self.disk.stalled = false;
        if was_frozen && !self.paused {
            self.find_syncs(view, fx);
            if !self.disk.frozen() {
                self.thaw(view, fx);
            }
        }
    }

    /// A sync that completed while nobody looked.
    pub(super) fn find_syncs(&mut self, view: &View, fx: &mut Fx) {
        if self.disk.done_at() <= view.now {
            self.synced(view, fx);
        }
    }

    /// What is left on disk when the process ends: what was written, or, without power, what was
    /// synced. Clears everything volatile of the disk.
    pub(super) fn end_disk(&mut self, power_lost: bool) {
        let sync = self.disk.sync.take();
        if power_lost && let Some(sync) = sync {
            self.hard = sync.before;
        }
        let stalled = self.disk.stalled && !power_lost;
        self.disk = Disk { stalled, slow: self.disk.slow.take(), ..Disk::default() };
    }

    /// When a write of the others will next need this member's disk; never in a cluster where nobody
    /// writes, or out of the leader's reach.
    pub(super) fn next_write(&self, view: &View) -> Time {
        let from_leader = match (self.raft.role, &self.raft.contact) {
            (Role::Leader, _) => Duration::ZERO,
            (_, Some(contact)) => contact.delay,
            _ => return Time::NEVER,
        };
        let next = self.ledger.iter().filter_map(|booked| booked.next_after(view.now)).min();
        next.map_or(Time::NEVER, |at| at + from_leader)
    }

    /// The alarm for the end of a sync and the one for the write that meets a stalled disk.
    pub(super) fn plan_disk(&mut self, view: &View, fx: &mut Fx) {
        // What completes during a pause is found at its end.
        let done = Some(self.disk.done_at()).filter(|at| *at >= view.now).unwrap_or(Time::NEVER);
        self.arm(Alarm::Disk, done, |wait| Blame::of("fsync", wait), fx);
        let waits = self.disk.stalled && !self.disk.busy();
        let meets = if waits { self.next_write(view) } else { Time::NEVER };
        self.arm(Alarm::Stall, meets, |wait| Blame::of("next write", wait), fx);
        self.plan_long_sync(view, fx);
    }
}

fn send_all(mail: Vec<(ComponentId, RaftMessage)>, fx: &mut Fx) {
    for (to, message) in mail {
        fx.send(to, Body::Raft(message));
    }
}

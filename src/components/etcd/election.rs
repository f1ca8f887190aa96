//! Time as raft counts it: ticks, the election timer, and contact with a leader, all by arithmetic.
//!
//! A follower in contact sets no alarm. Only when contact breaks is the last heartbeat or append that
//! reached it computed, and one alarm set for the own tick at which its random timeout ends:
//! φ + (T − 1) ticks after that message, φ being the phase of its ticks. A leader sends heartbeats
//! only to peers that are not in steady contact, and looks at its majority only where it has none.
//!
//! While ticks are frozen (a stalled disk, a stopped process) they are lost but for one, as a Go
//! ticker buffers one.
//!
//! Absent on purpose: jitter and loss of heartbeats. A lost segment arrives 0.2 s later, which no
//! timeout of five ticks or more mistakes for a dead leader.

use super::{Alarm, Etcd, Fx, TIMEOUT};
use crate::component::blame::Blame;
use crate::component::fact::Role;
use crate::component::id::ComponentId;
use crate::component::mail::{RaftKind, RaftMessage};
use crate::component::view::View;
use crate::kernel::cadence::Cadence;
use crate::kernel::time::{Duration, Time};

/// raft's `electionElapsed` with the random timeout that it is held against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timer {
    /// Ticks counted up to `since`.
    pub(super) elapsed: u64,
    /// From when on ticks are counted by arithmetic.
    pub(super) since: Time,
    /// `randomizedElectionTimeout` in ticks.
    pub(super) timeout: u64,
}

/// How often a follower hears its leader at present.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Contact {
    /// The leader.
    pub(super) leader: ComponentId,
    /// When its heartbeats leave.
    pub(super) beats: Cadence,
    /// How long they travel.
    pub(super) delay: Duration,
    /// Whether it takes writes.
    pub(super) writes: bool,
}

/// A leader's word on its way to a member that has left the leader's term meanwhile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stale {
    from: ComponentId,
    term: u64,
    arrives: Time,
}

/// Own ticks in (`from`, `to`].
pub(super) fn ticks_between(ticks: &Cadence, from: Time, to: Time) -> u64 {
    if to <= from { 0 } else { ticks.ticks_in(from + NANO, to + NANO) }
}

const NANO: Duration = Duration::from_nanos(1);

impl Etcd {
    /// Draws a new random timeout, uniform over `E … 2E − 1` ticks unless another law is given.
    pub(super) fn draw_timeout(&self, fx: &mut Fx) -> u64 {
        self.rules.draw_timeout(fx.draw(TIMEOUT))
    }

    /// raft's `electionElapsed` now.
    pub(super) fn elapsed(&self, now: Time) -> u64 {
        let timer = &self.raft.timer;
        if self.eager {
            return timer.elapsed;
        }
        if self.raft.contact.is_some() {
            return 0;
        }
        let until = self.raft.frozen.unwrap_or(now).min(now);
        let elapsed = timer.elapsed + ticks_between(&self.raft.ticks, timer.since, until);
        if self.raft.leading.is_some() { elapsed % self.rules.ticks } else { elapsed }
    }

    /// The leader's word arrived: the timer starts anew, and contact is steady if nothing has changed
    /// at the leader since.
    pub(super) fn hear(&mut self, leader: ComponentId, view: &View) {
        self.raft.timer.elapsed = 0;
        // A later word may be known to be on its way.
        self.raft.timer.since = self.raft.timer.since.max(view.now);
        if !self.eager && self.raft.contact.is_none() {
            self.raft.contact = self.contact_with(leader, view);
            self.booked = self.booked.max(view.now - view.delay(leader, self.me));
        }
    }

    /// How this member would hear `leader` as things stand; none if it would not.
    pub(super) fn contact_with(&self, leader: ComponentId, view: &View) -> Option<Contact> {
        let fact = view.etcd(leader)?;
        let leads = fact.role == Role::Leader && fact.term == self.hard.term && !fact.stalled;
        let heard = view.executes(leader) && view.stream_ready(leader, self.me) <= view.now;
        let beats = fact.beats.filter(|_| leads && heard)?;
        let writes = fact.settled && !fact.transferring;
        Some(Contact { leader, beats, delay: view.delay(leader, self.me), writes })
    }

    /// Looks whether the leader is still heard; if not, the timer runs from its last message.
    pub(super) fn review_contact(&mut self, view: &View) {
        let Some(contact) = self.raft.contact else { return };
        let present = self.contact_with(contact.leader, view);
        if present == Some(contact) {
            return;
        }
        self.book_writes(view.now);
        self.last_heard(&contact, view.now);
        let same_path = present.filter(|new| new.delay == contact.delay);
        self.raft.contact = same_path;
        self.raft.mirror &= same_path.is_some();
    }

    /// Starts the timer at the arrival of the leader's last message that left before `left`.
    fn last_heard(&mut self, contact: &Contact, left: Time) {
        let beat = contact.beats.last_before(left);
        let Some(last) = beat.max(self.last_write_before(left)) else { return };
        let arrival = last + contact.delay;
        let timer = &mut self.raft.timer;
        if arrival > timer.since {
            timer.elapsed = 0;
            timer.since = arrival;
        }
        if let Some(advanced) = self.starting.advanced.filter(|at| *at > timer.since) {
            let counted = ticks_between(&self.raft.ticks, timer.since, advanced);
            timer.elapsed += self.rules.ticks - 2 + counted;
            timer.since = advanced;
            self.starting.advanced = None;
        }
    }

    /// This member leaves its leader's term: a heartbeat or append that is on its way from that leader
    /// finds it in the new one, and the answer ends the reign before the next heartbeat would.
    pub(super) fn leave_contact(&mut self, now: Time) {
        let Some(from) = self.raft.lead.filter(|_| !self.eager) else { return };
        let arrives = match self.raft.contact {
            Some(contact) => {
                let beat = contact.beats.first_at_or_after(now - contact.delay);
                let write = self.first_write_from(now - contact.delay).filter(|_| contact.writes);
                let left = write.map_or(beat, |write| write.min(beat));
                (left < now).then(|| left + contact.delay)
            }
            None => Some(self.raft.timer.since).filter(|since| *since > now),
        };
        let term = self.hard.term;
        if let Some(arrives) = arrives {
            self.raft.stale = Some(Stale { from, term, arrives });
        }
    }

    /// The word of an earlier term arrives.
    pub(super) fn hear_stale(&mut self, view: &View, fx: &mut Fx) {
        let Some(Stale { from, term, .. }) = self.raft.stale.take() else { return };
        let kind = RaftKind::Heartbeat { commit: 0, round: 0 };
        self.on_raft(from, RaftMessage { term, kind }, view, fx);
    }

    /// Counts the ticks up to now, and stops counting.
    pub(super) fn freeze(&mut self, view: &View) {
        if self.raft.frozen.is_some() {
            return;
        }
        self.book_writes(view.now);
        if self.raft.role == Role::Leader {
            self.release_all(view.now, view);
        }
        self.count_ticks(view.now);
        self.raft.frozen = Some(view.now);
    }

    /// Stops the process's time: the leader's last message may wait in the inbox.
    pub(super) fn pause(&mut self, view: &View) {
        self.book_writes(view.now);
        if let Some(contact) = self.raft.contact.take() {
            self.raft.mirror = false;
            self.last_heard(&contact, view.now - contact.delay);
            let sent = contact.beats.last_before(view.now).max(self.last_write_before(view.now));
            let arrival = sent.map(|at| at + contact.delay).filter(|at| *at >= view.now);
            self.raft.inbox = arrival;
        } else if self.raft.timer.since > view.now {
            self.raft.inbox = Some(self.raft.timer.since);
        }
        self.freeze(view);
        self.hold_replies(view.now);
    }

    /// Counts the ticks up to now. A leader's passes in between have found their majority.
    pub(super) fn count_ticks(&mut self, now: Time) {
        if self.eager || self.raft.contact.is_some() || self.raft.frozen.is_some() {
            return;
        }
        let timer = self.raft.timer;
        let counted = ticks_between(&self.raft.ticks, timer.since, now);
        let mut elapsed = timer.elapsed + counted;
        if self.raft.leading.is_some() {
            if elapsed >= self.rules.ticks {
                self.raft.window = self.last_pass(now);
            }
            elapsed %= self.rules.ticks;
        }
        self.raft.timer = Timer { elapsed, since: timer.since.max(now), ..timer };
    }

    /// Time goes on: at most one of the ticks that were missed is made up for.
    pub(super) fn thaw(&mut self, view: &View, fx: &mut Fx) {
        let Some(frozen) = self.raft.frozen.take() else { return };
        self.begin_regimes();
        self.booked = self.booked.max(view.now);
        let timer = &mut self.raft.timer;
        timer.since = timer.since.max(view.now);
        if ticks_between(&self.raft.ticks, frozen, view.now) > 0 {
            self.tick(view, fx);
        }
        if let Some(arrival) = self.raft.inbox.take()
            && self.raft.lead.is_some()
            && self.raft.role == Role::Follower
        {
            self.raft.timer.elapsed = 0;
            self.raft.timer.since = arrival.max(view.now);
        }
    }

    /// One tick, taken as raft takes it.
    pub(super) fn tick(&mut self, view: &View, fx: &mut Fx) {
        self.raft.timer.elapsed += 1;
        if self.raft.role == Role::Leader {
            if self.raft.timer.elapsed >= self.rules.ticks {
                self.pass(view, fx);
            }
            self.beat_all(view, fx);
        } else if self.raft.contact.is_none()
            && self.promotable()
            && self.raft.timer.elapsed >= self.raft.timer.timeout
        {
            self.timeout(view, fx);
        }
    }

    /// The random timeout has passed: campaign.
    pub(super) fn timeout(&mut self, view: &View, fx: &mut Fx) {
        self.raft.timer.elapsed = 0;
        self.raft.timer.since = view.now;
        self.campaign(self.rules.options.pre_vote, false, view, fx);
    }

    /// The leader's look at its majority, every `E` ticks.
    pub(super) fn pass(&mut self, view: &View, fx: &mut Fx) {
        self.book_writes(view.now);
        self.raft.timer.elapsed = 0;
        self.raft.timer.since = view.now;
        let window = std::mem::replace(&mut self.raft.window, view.now);
        let Some(leading) = &mut self.raft.leading else { return };
        let voters = leading.peers.iter().filter(|peer| peer.voter);
        let active = 1 + voters.filter(|peer| peer.active_since(window)).count();
        leading.transfer = None;
        if active < self.majority() && self.rules.options.check_quorum {
            self.become_follower(self.hard.term, None, view, fx);
        }
    }

    /// The leader's next look at its majority.
    fn next_pass(&self, now: Time) -> Time {
        let timer = &self.raft.timer;
        let passed = timer.elapsed + ticks_between(&self.raft.ticks, timer.since, now);
        let left = self.rules.ticks - passed % self.rules.ticks;
        self.raft.ticks.nth_after(timer.since.max(now), left)
    }

    /// The leader's last look at its majority, or the start of its leadership.
    fn last_pass(&self, now: Time) -> Time {
        let timer = &self.raft.timer;
        let counted = ticks_between(&self.raft.ticks, timer.since, now);
        let passes = (timer.elapsed + counted) / self.rules.ticks;
        if passes == 0 {
            return self.raft.window;
        }
        let ticks = passes * self.rules.ticks - timer.elapsed;
        self.raft.ticks.nth_after(timer.since, ticks)
    }

    /// Books the passes before now, all of which found their majority.
    pub(super) fn book_passes(&mut self, now: Time) {
        if self.raft.leading.is_some() && self.raft.frozen.is_none() {
            self.count_ticks(now);
        }
    }

    /// The alarms of ticks that matter.
    pub(super) fn plan_ticks(&mut self, view: &View, fx: &mut Fx) {
        let (mut tick, mut check, mut beat, mut election) =
            (Time::NEVER, Time::NEVER, Time::NEVER, Time::NEVER);
        if self.raft.frozen.is_some() {
        } else if self.eager {
            tick = self.due_now(Alarm::Tick, view.now, self.raft.ticks.first_after(view.now));
        } else if let Some(leading) = &self.raft.leading {
            let needed = if self.rules.options.check_quorum { self.majority() } else { 0 };
            if leading.needs_check(needed) {
                check = self.due_now(Alarm::Check, view.now, self.next_pass(view.now));
            }
            beat = self.due_now(Alarm::Beat, view.now, self.next_beat(view));
        } else if self.raft.contact.is_none() && self.promotable() {
            let timer = &self.raft.timer;
            let left = timer.timeout.saturating_sub(timer.elapsed).max(1);
            election = self.raft.ticks.nth_after(timer.since, left);
        }
        let stale = self.raft.stale.map_or(Time::NEVER, |stale| stale.arrives);
        self.arm(Alarm::Stale, stale, |wait| Blame::of("network", wait), fx);
        self.arm(Alarm::Tick, tick, |wait| Blame::of("heartbeat-interval", wait), fx);
        self.arm(Alarm::Check, check, |wait| Blame::of("election-timeout", wait), fx);
        self.arm(Alarm::Beat, beat, |wait| Blame::of("heartbeat-interval", wait), fx);
        self.arm(Alarm::Election, election, self.election_blame(view.now, election), fx);
    }

    /// An alarm that is due at this very instant and has not rung yet stays.
    fn due_now(&self, alarm: Alarm, now: Time, next: Time) -> Time {
        if self.armed[alarm as usize] == now { now } else { next }
    }

    /// What the wait for a campaign is made of: from the leader's last word, the election-timeout and
    /// what chance added to it.
    fn election_blame(&self, now: Time, at: Time) -> impl FnOnce(Duration) -> Blame + use<> {
        let since = self.raft.timer.since;
        let travelling = since.saturating_since(now);
        let total = at.saturating_since(since);
        let least = total.min(self.rules.tick * self.rules.ticks);
        move |_| {
            Blame::of("network", travelling)
                .and("election-timeout", least)
                .and("randomised election timeout", total - least)
        }
    }
}

//! A member's life: the settled state of a run, start, stop with hand-over, and the levers.
//!
//! Absent on purpose: who starts processes again.

use super::election::ticks_between;
use super::log::Log;
use super::membership::{LINGERS, REMOVED};
use super::params::SETTLED_LOG;
use super::progress::Leading;
use super::{Alarm, Etcd, Fx, Hard, PHASE, Raft, SHUTDOWN, STARTUP, TRANSFER};
use crate::component::blame::Blame;
use crate::component::effects::ExitStatus;
use crate::component::fact::Role;
use crate::component::id::ComponentId;
use crate::component::lever::Lever;
use crate::component::mail::{RaftKind, RaftMessage};
use crate::component::view::{ProcessState, View};
use crate::kernel::cadence::Cadence;
use crate::kernel::time::{Duration, Time};

/// Term at a settled start: any that leaves room before it would do.
const SETTLED_TERM: u64 = 2;

/// How often a started member looks whether its peers are connected, and for how long (`adjustTicks`).
const POLL: Duration = Duration::from_millis(50);
const POLL_FOR: Duration = Duration::from_secs(5);

/// Which part of its life the process is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) enum Life {
    /// No process.
    #[default]
    Down,
    /// Reads snapshot and log.
    Loading,
    /// Takes part in raft.
    Up,
}

/// What a started member has yet to do.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Starting {
    /// The client port is open.
    pub(super) serving: bool,
    /// A settled run has begun and the leader's heartbeats are not known yet.
    pub(super) settling: bool,
    /// From when on it polls for connected peers.
    polling: Option<Time>,
    /// When it skipped ticks while in contact with a leader.
    pub(super) advanced: Option<Time>,
}

/// SIGTERM has arrived.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaving {
    since: Time,
    to: Option<ComponentId>,
    exit: Option<Time>,
}

impl Etcd {
    /// A settled run begins: somebody leads and everybody has everything.
    pub(super) fn settle(&mut self, view: &View, fx: &mut Fx) {
        let lead = view.all.settlement.etcd_leader;
        let lag = if lead == Some(self.me) { 0 } else { self.lag };
        let log = Log::of(SETTLED_TERM, SETTLED_LOG - lag);
        let (full, members) = (false, self.first);
        self.hard = Hard { term: SETTLED_TERM, vote: lead, log, full, wiped: false, members };
        let beat = view.local(self.rules.heartbeat);
        let phase = fx.draw(PHASE).uniform_duration(Duration::ZERO, beat);
        self.begin_raft(view.now - phase, view, fx);
        self.life = Life::Up;
        self.starting.serving = true;
        self.starting.settling = true;
        self.raft.lead = lead;
        self.raft.commit = SETTLED_LOG - self.rules.options.log_lag.most();
        self.booked = view.now;
        if lead == Some(self.me) {
            self.settle_leader(view, fx);
        }
    }

    fn settle_leader(&mut self, view: &View, fx: &mut Fx) {
        self.raft.role = Role::Leader;
        let elapsed = fx.draw(PHASE).below(self.rules.ticks);
        self.raft.timer.elapsed = elapsed;
        self.raft.window = view.now - self.rules.tick * (elapsed + 1);
        let mut leading = Leading::new(&self.electorate(), SETTLED_LOG);
        let me = self.me;
        let delays = |id| (view.delay(me, id), view.delay(id, me));
        leading.settle(SETTLED_LOG, !self.eager, view.now, delays);
        for at in 0..self.peers.len() {
            // Members stand in the order of their names; the leader's own place is left out.
            let member = at + usize::from(self.peers[at] > self.me);
            leading.lacks(at, self.rules.options.log_lag.of_member(member));
        }
        self.raft.leading = Some(leading);
    }

    /// The leader's heartbeats are known: contact has been steady for long.
    pub(super) fn settle_contact(&mut self, view: &View) {
        let Some(contact) = self.raft.lead.and_then(|lead| self.contact_with(lead, view)) else {
            return;
        };
        self.starting.settling = false;
        let beat = contact.beats.last_before(view.now - contact.delay);
        let Some(heard) = beat.map(|at| at + contact.delay) else { return };
        if self.eager {
            self.raft.timer.elapsed = ticks_between(&self.raft.ticks, heard, view.now);
            return;
        }
        self.raft.timer.since = heard;
        self.raft.contact = Some(contact);
        self.raft.mirror = self.lag == 0;
    }

    /// Raft begins with ticks that count from `origin`.
    fn begin_raft(&mut self, origin: Time, view: &View, fx: &mut Fx) {
        let timeout = self.draw_timeout(fx);
        let periods = [self.rules.tick, self.rules.heartbeat];
        let cadences = periods.map(|period| Cadence::new(origin, view.local(period)));
        self.raft = Raft::follower(cadences.into(), view.now, timeout);
        self.see_writers(view);
        self.booked = view.now;
    }

    /// The process has been started.
    pub(super) fn boot(&mut self, view: &View, fx: &mut Fx) {
        if std::mem::take(&mut self.wipe) {
            self.hard = Hard { wiped: true, ..Hard::default() };
            self.peers.clear();
        }
        self.life = Life::Loading;
        let machine = view.machine().map(|m| &view.all.machines[m.index()]);
        self.disk.stalled = machine.is_some_and(|machine| machine.disk_stalled);
        self.slow_disk(machine.and_then(|machine| machine.slow_disk));
        let startup = self.rules.options.startup.sample(&mut fx.draw(STARTUP));
        self.arm(Alarm::Start, view.now + startup, |wait| Blame::of("etcd start-up", wait), fx);
    }

    /// Snapshot and log are read: raft starts as a follower that knows no leader.
    pub(super) fn start(&mut self, view: &View, fx: &mut Fx) {
        if !self.find_cluster(view, fx) {
            return;
        }
        self.life = Life::Up;
        self.begin_raft(view.now, view, fx);
        if self.peers.is_empty() {
            self.raft.timer.elapsed = self.rules.ticks - 1;
        } else if self.rules.skips_ticks() {
            self.starting.polling = Some(view.now);
        }
        self.publish_member(view, fx);
        self.start_space(view, fx);
    }

    /// The poll at which more than one peer is connected, as things stand.
    fn next_poll(&self, view: &View) -> Time {
        let Some(since) = self.starting.polling else { return Time::NEVER };
        let connected = |peer: &ComponentId| {
            let runs = view.process(*peer).state != ProcessState::Dead && view.powered(*peer);
            let ready = view.stream_ready(self.me, *peer).min(view.stream_ready(*peer, self.me));
            runs.then_some(ready)
        };
        let mut ready: Vec<Time> = self.peers.iter().filter_map(connected).collect();
        ready.sort_unstable();
        let Some(second) = ready.get(1).copied().filter(|at| !at.is_never()) else {
            return Time::NEVER;
        };
        let first = second.max(since + POLL).max(view.now);
        let poll = Cadence::new(since, POLL).first_at_or_after(first);
        if poll > since + POLL_FOR { Time::NEVER } else { poll }
    }

    /// More than one peer is connected: most of the first wait is skipped, once.
    pub(super) fn advance_ticks(&mut self, view: &View, fx: &mut Fx) {
        self.starting.polling = None;
        if self.raft.contact.is_some() {
            self.starting.advanced = Some(view.now);
            return;
        }
        // A tick of this very instant is still to come.
        let before = view.now - Duration::from_nanos(1);
        self.count_ticks(before);
        for _ in 0..self.rules.ticks - 2 {
            if self.raft.role != Role::Leader {
                self.tick(view, fx);
            }
        }
        self.raft.timer.since = self.raft.timer.since.min(before);
    }

    /// A lever of the process or of its machine.
    pub(super) fn pull(&mut self, lever: Lever, view: &View, fx: &mut Fx) {
        match lever {
            Lever::Kill => self.end(false, view),
            Lever::PowerLoss => self.end(true, view),
            Lever::WipeData => self.wipe = true,
            Lever::Restore(snapshot) => self.restore(snapshot, fx),
            Lever::ForceNewCluster => self.force_new_cluster(),
            Lever::Expire => {}
            Lever::Space(room) if self.life != Life::Up => self.space.set(room),
            _ if self.life == Life::Down => {}
            _ if self.life == Life::Loading => self.pull_early(lever, fx),
            Lever::Stop => self.leave(view, fx),
            Lever::Pause => {
                self.pause(view);
                self.paused = true;
            }
            Lever::Resume => self.resume(view, fx),
            Lever::StallDisk => self.stall_disk(view),
            Lever::FreeDisk => self.free_disk(view, fx),
            Lever::ClockRate(_) => self.change_clock(view),
            Lever::SlowDisk(how) => self.slow_disk(how),
            Lever::Space(room) => self.set_space(room, view, fx),
            Lever::Membership(change, member) => self.ask_change(change, member, view, fx),
            Lever::Carrier(_) | Lever::KillChild => {}
        }
    }

    /// A lever while raft has not started: there are no ticks yet to lose.
    fn pull_early(&mut self, lever: Lever, fx: &mut Fx) {
        match lever {
            Lever::Stop => fx.exit(ExitStatus::Clean),
            Lever::Pause => self.paused = true,
            Lever::Resume => self.paused = false,
            Lever::StallDisk => self.disk.stalled = true,
            Lever::FreeDisk => self.disk.stalled = false,
            Lever::SlowDisk(how) => self.slow_disk(how),
            _ => {}
        }
    }

    /// The process is gone; what it wrote stays.
    fn end(&mut self, power_lost: bool, view: &View) {
        let travel = self.raft.contact.map_or(Duration::ZERO, |contact| contact.delay);
        self.book_writes(view.now - travel);
        self.end_disk(power_lost);
        self.life = Life::Down;
        self.paused = false;
        self.raft = Raft::follower(
            (self.raft.ticks, self.raft.beats),
            view.now,
            self.raft.timer.timeout,
        );
        self.starting = Starting::default();
        self.leaving = None;
        self.requests.forget();
        self.space.end();
        self.reads = super::reads::Reads::default();
        self.lead_seen = None;
        self.forget_alarms();
    }

    fn resume(&mut self, view: &View, fx: &mut Fx) {
        self.paused = false;
        self.see_writers(view);
        self.review_peers(view);
        self.find_syncs(view, fx);
        if !self.disk.frozen() {
            self.thaw(view, fx);
        }
        self.find_replies(view.now);
    }

    /// The clock runs at another rate from now on, and with it the ticks.
    fn change_clock(&mut self, view: &View) {
        self.book_writes(view.now);
        self.count_ticks(view.now);
        let changed = |cadence: Cadence, period: Duration| {
            let left = cadence.first_after(view.now).since(view.now);
            let share = left.as_nanos() as f64 / cadence.period().as_nanos() as f64;
            let period = view.local(period);
            Cadence::new(view.now + period.mul_f64(share), period)
        };
        self.raft.ticks = changed(self.raft.ticks, self.rules.tick);
        self.raft.beats = changed(self.raft.beats, self.rules.heartbeat);
    }

    /// SIGTERM: the client port closes; a leader hands over first.
    fn leave(&mut self, view: &View, fx: &mut Fx) {
        if self.leaving.is_some() {
            return;
        }
        self.starting.serving = false;
        let to = if self.raft.role == Role::Leader { self.heir(view, fx) } else { None };
        let exit = to.is_none().then(|| view.now + self.shutdown(fx));
        self.leaving = Some(Leaving { since: view.now, to, exit });
        let Some(to) = to else { return };
        self.book_writes(view.now);
        self.book_passes(view.now);
        self.raft.timer.elapsed = 0;
        self.raft.timer.since = view.now;
        if let Some(leading) = &mut self.raft.leading {
            leading.transfer = Some(to);
        }
        self.hand_over(to, fx);
    }

    /// Removed: the process goes on for a moment, and ends.
    pub(super) fn linger(&mut self, now: Time) {
        self.leaving = Some(Leaving { since: now, to: None, exit: Some(now + LINGERS) });
    }

    fn shutdown(&self, fx: &mut Fx) -> Duration {
        self.rules.options.shutdown.sample(&mut fx.draw(SHUTDOWN))
    }

    /// Whom a leader hands over to: the peer that has been connected longest (etcd:
    /// `longestConnected`). Peers of a settled start all have been since before it: any of them.
    fn heir(&self, view: &View, fx: &mut Fx) -> Option<ComponentId> {
        let connected = |peer: &&ComponentId| {
            view.process(**peer).state != ProcessState::Dead
                && view.stream_ready(self.me, **peer) <= view.now
        };
        let voters = self.peers.iter().filter(|peer| self.votes(**peer));
        let mut active: Vec<ComponentId> = voters.filter(connected).copied().collect();
        let since = |peer: ComponentId| view.peers_since(self.me, peer);
        let longest = active.iter().map(|peer| since(*peer)).min()?;
        active.retain(|peer| since(*peer) == longest);
        let at = fx.draw(TRANSFER).below(active.len() as u64);
        active.get(usize::try_from(at).unwrap_or(0)).copied()
    }

    /// Tells the heir to campaign once it has everything.
    pub(super) fn hand_over(&mut self, peer: ComponentId, fx: &mut Fx) {
        let Some(leading) = &self.raft.leading else { return };
        if leading.transfer == Some(peer) && leading.has_everything(peer) {
            let message = RaftMessage { term: self.hard.term, kind: RaftKind::TimeoutNow };
            self.emit_now(peer, message, fx);
        }
    }

    /// Sees the hand-over done at the next poll, one each heartbeat-interval.
    pub(super) fn watch_hand_over(&mut self, view: &View, fx: &mut Fx) {
        let Some(leaving) = self.leaving.filter(|l| l.exit.is_none()) else { return };
        if leaving.to.is_some() && self.raft.lead == leaving.to {
            let poll = Cadence::new(leaving.since, self.rules.heartbeat).first_at_or_after(view.now);
            let exit = Some(poll + self.shutdown(fx));
            self.leaving = Some(Leaving { exit, ..leaving });
        }
    }

    /// The exit, or the end of the wait for the heir.
    pub(super) fn leave_alarm(&mut self, view: &View, fx: &mut Fx) {
        match self.leaving {
            Some(Leaving { exit: Some(_), .. }) => {
                self.leaving = None;
                fx.exit(if self.belongs() { ExitStatus::Clean } else { REMOVED });
            }
            Some(leaving) => {
                let exit = Some(view.now + self.shutdown(fx));
                self.leaving = Some(Leaving { exit, ..leaving });
            }
            None => {}
        }
    }

    /// The alarms of starting and leaving.
    pub(super) fn plan_life(&mut self, view: &View, fx: &mut Fx) {
        let poll = self.next_poll(view);
        self.arm(Alarm::Advance, poll, |wait| Blame::of("initial-election-tick-advance", wait), fx);
        let timeout = self.rules.request_timeout;
        let leave = self.leaving.map_or(Time::NEVER, |l| l.exit.unwrap_or(l.since + timeout));
        self.arm(Alarm::Leave, leave, |wait| Blame::of("etcd shutdown", wait), fx);
    }
}

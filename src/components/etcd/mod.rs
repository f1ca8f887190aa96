//! An etcd member: raft as etcd runs it, its client port, and its disk.
//!
//! The rules are those of etcd-io/raft and etcd's server loop, one message at a time, wherever a
//! message can change anything. What merely repeats is computed: heartbeats and their answers, the
//! passes of check-quorum, the entries of steady writers. An idle cluster has no events.
//!
//! Two options make it another raft, for comparison with studies: random time-outs of a law in
//! continuous time (`idealised`), which are ticks of a microsecond, and no check-quorum.
//!
//! Absent on purpose: keys and values, watches, compaction, TLS; ticks delayed by ordinary syncs
//! (see `disk`), jitter and loss of heartbeats (see `election`).

mod alarm;
mod contact;
mod disk;
mod election;
pub mod idealised;
mod ledger;
#[cfg(test)]
mod continuous_tests;
#[cfg(test)]
mod law_tests;
mod life;
mod log;
mod membership;
#[cfg(test)]
mod membership_tests;
mod messages;
pub mod params;
mod progress;
mod published;
pub mod quorum;
mod reads;
mod replication;
#[cfg(test)]
mod replication_tests;
mod requests;
pub mod service;
mod slow_disk;
#[cfg(test)]
mod slow_disk_tests;
mod space;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod twin_tests;
mod vote;

use crate::component::blame::Blame;
use crate::component::fact::{EtcdFact, Fact, Role};
use crate::component::id::ComponentId;
use crate::component::map::Map;
use crate::component::mail::Body;
use crate::component::members::Members;
use crate::component::versions::Version;
use crate::component::view::View;
use crate::component::{Cause, Component, Effects};
use crate::kernel::cadence::Cadence;
use crate::kernel::time::{Duration, Time};
use disk::Disk;
use election::{Contact, Stale, Timer};
use ledger::Writer;
use life::{Leaving, Life, Starting};
use log::Log;
use progress::Leading;
use reads::Reads;
use requests::Requests;
use space::Space;

pub use alarm::Alarm;
pub use params::EtcdParams;
use params::Rules;

/// Purposes of a member's draws.
const TIMEOUT: u32 = 0;
const PHASE: u32 = 1;
const FSYNC: u32 = 2;
const STARTUP: u32 = 3;
const TRANSFER: u32 = 4;
const SHUTDOWN: u32 = 5;
const SNAPSHOT: u32 = 6;
const LONG_SYNC: u32 = 7;

/// Who else matters to a member.
#[derive(Clone, Debug, PartialEq)]
pub struct Wiring {
    /// All members that the cluster ever has, this one included.
    pub members: Vec<ComponentId>,
    /// How many of them, from the first on, belong to it when it begins.
    pub initial: usize,
    /// Components whose steady writes enter the log: Leases, kubelets, clients.
    pub writers: Vec<ComponentId>,
    /// The release, for behaviour that no option changes.
    pub release: Version,
    /// Takes every tick and sends every heartbeat. Never set by a scenario: proofs of laziness run
    /// both ways and compare. Steady writers are not heard then.
    pub eager: bool,
}

type Fx<'a> = Effects<'a, Alarm>;

/// What survives the process: raft's hard state and log.
#[derive(Clone, Debug, Default, PartialEq)]
struct Hard {
    term: u64,
    vote: Option<ComponentId>,
    log: Log,
    /// The alarm NOSPACE is armed, as far as this member has applied the log.
    full: bool,
    /// Its data directory was emptied.
    wiped: bool,
    /// The configuration in force: that of the last change applied.
    members: Members,
}

/// raft's volatile state.
#[derive(Clone, Debug)]
struct Raft {
    role: Role,
    lead: Option<ComponentId>,
    ticks: Cadence,
    /// When heartbeats leave, if it leads: with the ticks, unless time is continuous.
    beats: Cadence,
    timer: Timer,
    /// Since when ticks are lost.
    frozen: Option<Time>,
    /// Steady contact with the leader.
    contact: Option<Contact>,
    /// The log follows the leader's steady writes.
    mirror: bool,
    /// The leader's last word before a pause that waits in the inbox arrives then.
    inbox: Option<Time>,
    /// A leader's word of an earlier term that is still on its way.
    stale: Option<Stale>,
    votes: Vec<(ComponentId, bool)>,
    leading: Option<Leading>,
    /// A leader's last pass of check-quorum.
    window: Time,
    commit: u64,
}

impl Raft {
    /// A follower that knows no leader, from `now` on.
    fn follower((ticks, beats): (Cadence, Cadence), now: Time, timeout: u64) -> Self {
        Self {
            role: Role::Follower,
            lead: None,
            ticks,
            beats,
            timer: Timer { elapsed: 0, since: now, timeout },
            frozen: None,
            contact: None,
            mirror: false,
            inbox: None,
            stale: None,
            votes: Vec::new(),
            leading: None,
            window: now,
            commit: 0,
        }
    }
}

/// An etcd member.
#[derive(Clone, Debug)]
pub struct Etcd {
    me: ComponentId,
    /// Every member that the cluster ever has.
    all: Vec<ComponentId>,
    /// The configuration with which the cluster begins.
    first: Members,
    /// The others that belong to it at present.
    peers: Vec<ComponentId>,
    /// Why the last change of members was refused.
    refusal: Option<&'static str>,
    eager: bool,
    rules: Rules,
    life: Life,
    paused: bool,
    /// The data directory will be empty at the next start.
    wipe: bool,
    hard: Hard,
    /// How many entries it lacks at a settled start.
    lag: u64,
    disk: Disk,
    space: Space,
    raft: Raft,
    ledger: Vec<Writer>,
    /// Up to when steady writes are booked.
    booked: Time,
    starting: Starting,
    leaving: Option<Leaving>,
    requests: Requests,
    reads: Reads,
    lead_seen: Option<ComponentId>,
    armed: [Time; Alarm::ALL.len()],
    published: Option<EtcdFact>,
}

impl Etcd {
    /// The member `me`, not started.
    pub fn new(me: ComponentId, params: &EtcdParams, wiring: &Wiring) -> Self {
        let rules = Rules::new(params, wiring.release);
        let writers = if wiring.eager { &[][..] } else { &wiring.writers };
        let cadences =
            [rules.tick, rules.heartbeat].map(|period| Cadence::new(Time::START, period));
        let position = wiring.members.iter().position(|id| *id == me).unwrap_or(0);
        let first = Members::first(wiring.initial);
        let member = Self {
            me,
            all: wiring.members.clone(),
            first,
            peers: Vec::new(),
            refusal: None,
            eager: wiring.eager,
            raft: Raft::follower(cadences.into(), Time::START, rules.ticks),
            lag: rules.options.log_lag.of_member(position),
            rules,
            life: Life::Down,
            paused: false,
            wipe: !first.votes(position),
            hard: Hard { members: first, ..Hard::default() },
            disk: Disk::default(),
            space: Space::default(),
            ledger: writers.iter().map(|id| Writer::new(*id)).collect(),
            booked: Time::ZERO,
            starting: Starting::default(),
            leaving: None,
            requests: Requests::default(),
            reads: Reads::default(),
            lead_seen: None,
            armed: [Time::NEVER; Alarm::ALL.len()],
            published: None,
        };
        member.in_first_cluster()
    }

    fn in_first_cluster(mut self) -> Self {
        self.set_members(self.first);
        self
    }

    fn voters(&self) -> usize {
        self.hard.members.voters()
    }

    fn majority(&self) -> usize {
        quorum::majority(self.voters())
    }

    /// Sets, moves or clears an alarm; `why` is told how long the wait is. One that stays as it is keeps its blame. What fell due while the
    /// process was paused is due at once.
    fn arm(&mut self, alarm: Alarm, at: Time, why: impl FnOnce(Duration) -> Blame, fx: &mut Fx) {
        let at = at.max(fx.now());
        let cell = &mut self.armed[alarm as usize];
        if *cell == at {
            return;
        }
        *cell = at;
        if at.is_never() {
            fx.clear(alarm);
        } else {
            fx.set(alarm, at, why(at.saturating_since(fx.now())));
        }
    }

    fn forget_alarms(&mut self) {
        self.armed = [Time::NEVER; Alarm::ALL.len()];
    }

    fn ring(&mut self, alarm: Alarm, view: &View, fx: &mut Fx) {
        self.armed[alarm as usize] = Time::NEVER;
        match alarm {
            Alarm::Disk => self.synced(view, fx),
            Alarm::Stall => self.write_meets_stall(view),
            Alarm::LongSync => self.write_takes_long(view, fx),
            Alarm::Start => self.start(view, fx),
            Alarm::Advance => self.advance_ticks(view, fx),
            Alarm::Check => self.pass(view, fx),
            Alarm::Beat => self.beat_all(view, fx),
            Alarm::Election => self.timeout(view, fx),
            Alarm::Tick => self.tick(view, fx),
            Alarm::Write => self.time_out_writes(view, fx),
            Alarm::Space => self.propose_alarm(view, fx),
            Alarm::Read => self.read_alarm(view, fx),
            Alarm::Leave => self.leave_alarm(view, fx),
            Alarm::Stale => self.hear_stale(view, fx),
        }
    }

    fn saw(&mut self, of: ComponentId, view: &View) {
        if self.starting.settling && self.raft.lead == Some(of) {
            self.settle_contact(view);
        }
        self.review_contact(view);
        self.review_peers(view);
    }

    /// Whether nothing follows from a writer's change of schedule at once: no disk that a write meets,
    /// and nothing that waits for an entry among them.
    fn cares_for_no_writer(&self) -> bool {
        let waits = self.requests.awaits_entry() || self.reads.awaits().is_some();
        !waits
            && self.leaving.is_none()
            && !self.disk.stalled
            && self.disk.is_quick(&self.rules)
    }

    /// What every step ends with: consequences of a new leader, output, alarms, the fact.
    fn end_step(&mut self, view: &View, fx: &mut Fx) {
        if self.life == Life::Up {
            if self.raft.lead != self.lead_seen {
                self.lead_seen = self.raft.lead;
                if self.raft.lead.is_some() {
                    self.leader_changed(view, fx);
                    self.release_blocked(view, fx);
                }
            }
            self.answer_applied(view, fx);
            self.watch_hand_over(view, fx);
            self.turn(view, fx);
            self.plan_ticks(view, fx);
            self.plan_disk(view, fx);
            self.plan_requests(fx);
            self.plan_space(fx);
            self.plan_reads(fx);
            self.plan_life(view, fx);
        }
        self.requests.end_step();
        self.publish(fx);
    }
}

impl Component for Etcd {
    type Alarm = Alarm;

    fn alarms(&self) -> usize {
        Alarm::ALL.len()
    }

    fn watches(&self, _map: &Map) -> Vec<ComponentId> {
        let writers = self.ledger.iter().map(Writer::id);
        let others = self.all.iter().copied().filter(|id| *id != self.me);
        others.chain(writers).collect()
    }

    fn on(&mut self, cause: Cause<Alarm>, view: &View, fx: &mut Effects<Alarm>) {
        match cause {
            Cause::Settle => self.settle(view, fx),
            Cause::Boot => self.boot(view, fx),
            Cause::Alarm(alarm) => self.ring(alarm, view, fx),
            Cause::Lever(lever) => self.pull(lever, view, fx),
            Cause::Saw(_) | Cause::Mail(_) if self.life != Life::Up => {}
            Cause::Saw(of) if self.is_writer(of) => {
                self.saw_writer(of, view);
                if self.cares_for_no_writer() {
                    return;
                }
            }
            Cause::Saw(of) => self.saw(of, view),
            Cause::Mail(mail) => match mail.body {
                Body::Raft(message) => self.on_raft(mail.from, message, view, fx),
                Body::Call(call) => self.on_call(mail.from, call, view, fx),
                _ => {}
            },
        }
        self.end_step(view, fx);
    }

    fn asked(&self, now: Time) -> Option<Fact> {
        let index = self.hard.log.last_index() + self.unbooked_writes(now);
        (self.life == Life::Up).then(|| Fact::Etcd(EtcdFact { index, ..self.fact() }))
    }
}

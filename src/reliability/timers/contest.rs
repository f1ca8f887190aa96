//! An election vote by vote, as raft plays it: for one in which voters still count on the
//! leader or candidates meet, and for those that follow a return of quorum.
//!
//! Requests and answers travel equally long between all members, and every log is up to date.

use crate::kernel::law::Law;
use crate::kernel::stream::Draw;
use crate::kernel::time::Duration;
use arrayvec::ArrayVec;

/// The most members that take part; etcd advises seven at most.
pub(super) const SEATS: usize = 16;

/// The most messages under way: each candidate has asked everybody once at most.
const LETTERS: usize = 256;

/// Timers and options that all members share.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) members: usize,
    pub(super) majority: usize,
    /// A tick.
    pub(super) heartbeat: Duration,
    /// election-timeout in ticks.
    pub(super) ticks: u64,
    /// election-timeout.
    pub(super) patience: Duration,
    /// The law of time-outs, where they are not a number of ticks.
    pub(super) timer: Option<Law>,
    pub(super) pre_vote: bool,
    /// Whether a member that starts beside two others skips most of its first wait.
    pub(super) skips_ticks: bool,
    pub(super) check_quorum: bool,
    pub(super) fsync: Law,
    /// How long a message travels.
    pub(super) hop: Duration,
}

/// A random time-out: so many ticks, or a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timeout {
    Ticks(u64),
    Span(Duration),
}

impl Settings {
    /// A new random time-out.
    pub(super) fn timeout(&self, draw: &mut Draw) -> Timeout {
        match &self.timer {
            None => Timeout::Ticks(self.ticks + draw.below(self.ticks.max(1))),
            Some(law) => Timeout::Span(law.sample(draw)),
        }
    }

    /// How long it is from campaign to campaign.
    pub(super) fn span(&self, timeout: Timeout) -> Duration {
        match timeout {
            Timeout::Ticks(ticks) => self.heartbeat * ticks,
            Timeout::Span(span) => span,
        }
    }
}

/// How a member enters the contest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    /// Until when it counts on the lost leader.
    pub(super) patient_until: Duration,
    /// When it campaigns, at one of its ticks.
    pub(super) campaigns: Duration,
    /// Its time-out, as far as it is known; else it follows from the two.
    pub(super) waits: Option<Timeout>,
    /// It has just begun, while the others have campaigned in vain.
    pub(super) newcomer: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Follower,
    Asking,
    Candidate,
}

#[derive(Clone, Copy, Debug)]
struct Seat {
    role: Role,
    term: u64,
    vote: Option<usize>,
    /// Counts on the lost leader until then.
    patient_until: Duration,
    /// Its next campaign, and what lies between two of them.
    due: Duration,
    waits: Timeout,
    granted: usize,
    refused: usize,
    /// Its disk syncs until then.
    syncs: Duration,
}

#[derive(Clone, Copy, Debug)]
enum Word {
    Ask { pre: bool },
    Answer { pre: bool, granted: bool },
}

#[derive(Clone, Copy, Debug)]
struct Letter {
    at: Duration,
    from: usize,
    to: usize,
    term: u64,
    word: Word,
}

/// After so many campaigns in vain nobody is taken to be ever elected: syncs outlast the time-outs.
const CAMPAIGNS_MAX: u32 = 10_000;

/// An election under way. Time 0 is that of the standings.
#[derive(Debug)]
pub(super) struct Contest<'s> {
    settings: &'s Settings,
    seats: ArrayVec<Seat, SEATS>,
    letters: ArrayVec<Letter, LETTERS>,
    elected: Option<(Duration, usize)>,
}

/// What a newcomer's term lacks where the others have raised theirs: more than it can make good for.
const BEHIND: u64 = 1 << 32;

impl<'s> Contest<'s> {
    pub(super) fn new(settings: &'s Settings, standings: impl Iterator<Item = Standing>) -> Self {
        let seat = |standing: Standing| {
            let waits = standing.waits.unwrap_or_else(|| settings.between(standing));
            let veteran = standing.waits.is_some() && !standing.newcomer;
            Seat {
                role: match veteran {
                    true if settings.pre_vote => Role::Asking,
                    true => Role::Candidate,
                    false => Role::Follower,
                },
                term: if veteran && !settings.pre_vote { BEHIND } else { 0 },
                vote: None,
                patient_until: standing.patient_until,
                due: standing.campaigns,
                waits,
                granted: 0,
                refused: 0,
                syncs: Duration::ZERO,
            }
        };
        let seats = standings.map(seat).collect();
        Self { settings, seats, letters: ArrayVec::new(), elected: None }
    }

    /// When somebody is elected, if ever, and until when the others' disks sync.
    pub(super) fn play(mut self, draw: &mut Draw) -> (Duration, ArrayVec<Duration, SEATS>) {
        let mut campaigns = 0;
        while campaigns < CAMPAIGNS_MAX {
            if let Some((elected, leader)) = self.elected {
                self.seats.swap_remove(leader);
                return (elected, self.seats.iter().map(|seat| seat.syncs).collect());
            }
            let next = (0..self.letters.len()).min_by_key(|at| self.letters[*at].at);
            let due = (0..self.seats.len()).min_by_key(|at| self.seats[*at].due);
            let Some(due) = due else { break };
            if let Some(at) = next.filter(|at| self.letters[*at].at <= self.seats[due].due) {
                let letter = self.letters.swap_remove(at);
                self.read(letter, draw);
            } else {
                self.campaign(due, draw);
                campaigns += 1;
            }
        }
        (Duration::MAX, ArrayVec::new())
    }

    /// A time-out has passed.
    fn campaign(&mut self, me: usize, draw: &mut Draw) {
        let now = self.seats[me].due;
        if !self.settings.pre_vote {
            return self.stand(me, now, draw);
        }
        let seat = &mut self.seats[me];
        seat.role = Role::Asking;
        seat.patient_until = Duration::ZERO;
        (seat.granted, seat.refused) = (1, 0);
        seat.due = now + self.settings.span(seat.waits);
        let term = seat.term + 1;
        self.ask_all(me, now, term, true);
    }

    /// Asks for votes in a new term.
    fn stand(&mut self, me: usize, now: Duration, draw: &mut Draw) {
        let term = self.seats[me].term + 1;
        self.reset(me, now, term, draw);
        let seat = &mut self.seats[me];
        seat.role = Role::Candidate;
        seat.vote = Some(me);
        seat.granted = 1;
        let synced = self.sync(me, now, draw);
        self.ask_all(me, synced, term, false);
    }

    /// Another term, or a new beginning: nothing known of a leader, a new time-out.
    fn reset(&mut self, me: usize, now: Duration, term: u64, draw: &mut Draw) {
        let waits = self.settings.timeout(draw);
        let due = self.tick_after(me, now, waits);
        let seat = &mut self.seats[me];
        if term != seat.term {
            (seat.term, seat.vote) = (term, None);
        }
        seat.role = Role::Follower;
        seat.patient_until = Duration::ZERO;
        (seat.granted, seat.refused) = (0, 0);
        (seat.waits, seat.due) = (waits, due);
    }

    /// The tick at which a time-out ends that begins now: ticks count from those known.
    fn tick_after(&self, me: usize, now: Duration, waits: Timeout) -> Duration {
        let Timeout::Ticks(ticks) = waits else { return now + self.settings.span(waits) };
        let (known, tick) = (self.seats[me].due, self.settings.heartbeat);
        let whole = |span: Duration| Duration::from_nanos(span.as_nanos() % tick.as_nanos());
        let first = if known > now {
            let phase = whole(known - now);
            if phase.is_zero() { tick } else { phase }
        } else {
            tick - whole(now - known)
        };
        now + first + tick * (ticks - 1)
    }

    /// What is written now is durable then.
    fn sync(&mut self, me: usize, now: Duration, draw: &mut Draw) -> Duration {
        let seat = &mut self.seats[me];
        seat.syncs = seat.syncs.max(now) + self.settings.fsync.sample(draw);
        seat.syncs
    }

    fn ask_all(&mut self, me: usize, leaves: Duration, term: u64, pre: bool) {
        let leaves = leaves.max(self.seats[me].syncs);
        for to in (0..self.seats.len()).filter(|to| *to != me) {
            self.send(me, to, leaves, (term, Word::Ask { pre }));
        }
    }

    /// What has no room is lost, as if a peer were slow to read: its sender asks again.
    fn send(&mut self, from: usize, to: usize, leaves: Duration, (term, word): (u64, Word)) {
        let letter = Letter { at: leaves + self.settings.hop, from, to, term, word };
        let _ = self.letters.try_push(letter);
    }

    fn read(&mut self, letter: Letter, draw: &mut Draw) {
        match letter.word {
            Word::Ask { pre } => self.asked(letter, pre, draw),
            Word::Answer { pre, granted } => self.answered(letter, pre, granted, draw),
        }
    }

    fn asked(&mut self, Letter { at, from, to, term, .. }: Letter, pre: bool, draw: &mut Draw) {
        let seat = self.seats[to];
        let newer = term > seat.term;
        if newer && self.settings.check_quorum && seat.patient_until > at {
            return;
        }
        if term < seat.term && !pre {
            return;
        }
        if newer && !pre {
            self.reset(to, at, term, draw);
        }
        let seat = self.seats[to];
        let leaderless = seat.patient_until <= at && seat.vote.is_none();
        let granted = seat.vote == Some(from) && term == seat.term
            || leaderless && term >= seat.term
            || pre && newer;
        let mut leaves = at.max(seat.syncs);
        if granted && !pre {
            self.seats[to].vote = Some(from);
            let waits = self.seats[to].waits;
            self.seats[to].due = self.tick_after(to, at, waits);
            leaves = self.sync(to, at, draw);
        }
        let told = if granted { term } else { seat.term };
        self.send(to, from, leaves, (told, Word::Answer { pre, granted }));
    }

    fn answered(&mut self, letter: Letter, pre: bool, granted: bool, draw: &mut Draw) {
        let Letter { at, to, term, .. } = letter;
        let seat = &mut self.seats[to];
        if !granted && term > seat.term {
            self.reset(to, at, term, draw);
            self.sync(to, at, draw);
            return;
        }
        let role = if pre { Role::Asking } else { Role::Candidate };
        let asked = if pre { seat.term + 1 } else { seat.term };
        if seat.role != role || granted && term != asked {
            return;
        }
        seat.granted += usize::from(granted);
        seat.refused += usize::from(!granted);
        let (term, majority) = (seat.term, self.settings.majority);
        let others = self.settings.members - majority;
        if seat.granted >= majority && pre {
            self.stand(to, at, draw);
        } else if seat.granted >= majority {
            self.elected = Some((at, to));
        } else if seat.refused > others {
            self.reset(to, at, term, draw);
        }
    }
}

impl Settings {
    /// The time-out of a follower whose patience and campaign are known.
    fn between(&self, standing: Standing) -> Timeout {
        if self.timer.is_some() {
            return Timeout::Span(standing.campaigns);
        }
        let beyond = standing.campaigns.saturating_sub(standing.patient_until);
        let whole = beyond.as_nanos() + self.heartbeat.as_nanos() / 2;
        Timeout::Ticks(self.ticks + whole / self.heartbeat.as_nanos().max(1))
    }
}

//! From the loss of an etcd leader to the next: the last heartbeat's phase, the phases of ticks, random
//! time-outs, (pre-)votes and the syncs between them.
//!
//! A follower campaigns at its T-th own tick after the leader's last word. With the phase of its ticks
//! uniform, the first E − 1 whole ticks, the phase and the random rest are one uniform number. The first
//! to campaign wins, unless a voter still counts on the leader or somebody else campaigns before the
//! request for its vote arrives: then the `contest` is played vote by vote.

use super::contest::{Contest, SEATS, Settings, Standing, Timeout};
use super::writers::Writers;
use super::{Lost, mean_delay, part_of};
use crate::components::Params;
use crate::components::etcd::idealised::ElectionTimer;
use crate::kernel::law::Law;
use crate::kernel::stream::Draw;
use crate::kernel::time::Duration;
use crate::plan::Plan;
use arrayvec::ArrayVec;

/// How many of the E ticks a member that starts beside two others does not skip. etcd: `adjustTicks`,
/// `advanceTicks(ElectionTicks - 2)`; its look at its peers 50 ms later is left out.
const SKIPPED_LESS: u64 = 2;

/// The timers of an etcd cluster.
#[derive(Clone, Debug)]
pub(super) struct Election {
    settings: Settings,
    writers: Writers,
    /// From SIGTERM until a member gets to it.
    signal: Law,
}

/// A follower after its leader's last word: when it stops counting on it, and when it campaigns.
#[derive(Clone, Copy, Debug)]
struct Follower {
    patient_until: Duration,
    campaigns: Duration,
}

/// Spans of the members.
type Spans = ArrayVec<Duration, SEATS>;

/// An election that is won. Until when the others' disks sync what the votes made them write is kept
/// apart: it is long to copy.
#[derive(Clone, Copy, Debug)]
struct Won {
    at: Duration,
    /// How much later, and then earlier, instants are counted from the loss.
    later: Duration,
    earlier: Duration,
}

impl Won {
    fn alone(at: Duration) -> Self {
        Self { at, later: Duration::ZERO, earlier: Duration::ZERO }
    }

    fn shifted(&self, at: Duration) -> Duration {
        at.saturating_add(self.later).saturating_sub(self.earlier)
    }
}

impl Election {
    pub(super) fn of(plan: &Plan) -> Option<Self> {
        let members = &plan.services.members;
        let Params::Etcd(params, _) = plan.params_of(*members.first()?) else { return None };
        let timer = match &params.randomized_election_timeout {
            ElectionTimer::Ticks => None,
            ElectionTimer::Law(law) => Some(law.clone()),
        };
        let heartbeat = params.heartbeat_interval;
        let settings = Settings {
            members: members.len(),
            majority: members.len() / 2 + 1,
            heartbeat,
            ticks: params.election_timeout / heartbeat,
            patience: params.election_timeout,
            timer,
            pre_vote: params.pre_vote,
            skips_ticks: params.initial_election_tick_advance && params.is_ticking(),
            check_quorum: params.check_quorum,
            fsync: params.fsync.clone(),
            hop: mean_delay(plan, members, members),
        };
        let signal = params.signal_delay.clone();
        Some(Self { settings, writers: Writers::of(plan, heartbeat), signal })
    }

    /// Until a leader is elected.
    pub(super) fn elects(&self, draw: &mut Draw, lost: Lost, voters: u32) -> Duration {
        self.wins(draw, lost, voters, &mut Spans::new())
            .map_or(Duration::MAX, |won| won.shifted(won.at))
    }

    /// Until it has committed an entry of its term: its own sync, and those of a majority, after those
    /// of their votes.
    pub(super) fn commits(&self, draw: &mut Draw, lost: Lost, voters: u32) -> Duration {
        let mut others = Spans::new();
        let Some(won) = self.wins(draw, lost, voters, &mut others) else {
            return Duration::MAX;
        };
        let (hop, fsync) = (self.settings.hop, &self.settings.fsync);
        let own = won.at + fsync.sample(draw);
        for held in &mut others {
            *held = (won.at + hop).max(*held) + fsync.sample(draw) + hop;
        }
        others.push(own);
        won.shifted(nth(&mut others, self.settings.majority - 1))
    }

    /// `None`: nobody ever wins. `others` takes until when the disks of the others sync.
    fn wins(&self, draw: &mut Draw, lost: Lost, voters: u32, others: &mut Spans) -> Option<Won> {
        let voters = usize::try_from(voters).unwrap_or(SEATS).min(self.settings.members).min(SEATS);
        if voters < self.settings.majority {
            return None;
        }
        if self.settings.members == 1 {
            return Some(Won::alone(self.alone(draw)));
        }
        let won = match lost {
            Lost::Nobody => self.after_return(draw, voters, others),
            Lost::Stalled => {
                let next = self.writers.next(draw);
                let won = self.after_loss(draw, voters, others);
                Won { later: won.later.saturating_add(next), ..won }
            }
            Lost::InOrder => self.handed_over(draw, voters, others),
            Lost::Silently | Lost::Exited | Lost::Beside => self.after_loss(draw, voters, others),
        };
        (won.at < Duration::MAX && won.later < Duration::MAX).then_some(won)
    }

    /// A leader looks at its majority every E ticks, and steps down at the first look that finds the
    /// whole time since the one before without it.
    pub(super) fn steps_down(&self, draw: &mut Draw) -> Duration {
        if !self.settings.check_quorum {
            return Duration::MAX;
        }
        let every = self.settings.patience();
        every + part_of(every, draw)
    }

    /// From the loss of a leader until a follower does not know one any more.
    pub(super) fn missed(&self, draw: &mut Draw) -> Duration {
        let age = self.writers.age(draw);
        (self.follower(draw).campaigns + self.settings.hop).saturating_sub(age)
    }

    /// Until something is written.
    pub(super) fn next_write(&self, draw: &mut Draw) -> Duration {
        self.writers.next(draw)
    }

    /// A single member elects itself after 1 to E of its ticks.
    fn alone(&self, draw: &mut Draw) -> Duration {
        let settings = &self.settings;
        match &settings.timer {
            None => settings.heartbeat * (1 + draw.below(settings.ticks.max(1))),
            Some(law) => law.sample(draw).saturating_sub(settings.patience),
        }
    }

    /// A leader that leaves tells an heir to stand at once, which everybody lets pass, and votes itself.
    fn handed_over(&self, draw: &mut Draw, voters: usize, others: &mut Spans) -> Won {
        let told = self.signal.sample(draw) + self.settings.hop;
        let asked = told + self.settings.fsync.sample(draw) + self.settings.hop;
        self.voted(asked, voters, draw, others)
    }

    /// A candidate whose request reaches so many at this instant, of whom all grant it.
    fn voted(&self, asked: Duration, voters: usize, draw: &mut Draw, others: &mut Spans) -> Won {
        let fsync = &self.settings.fsync;
        others.extend((0..voters).map(|_| asked + fsync.sample(draw)));
        Won::alone(nth(others, self.settings.majority - 2) + self.settings.hop)
    }

    /// Counted from the arrival of the leader's last word.
    fn after_loss(&self, draw: &mut Draw, voters: usize, others: &mut Spans) -> Won {
        let last = self.writers.age(draw);
        let followers: ArrayVec<Follower, SEATS> =
            (0..voters).map(|_| self.follower(draw)).collect();
        let won = match self.uncontested(&followers, draw, others) {
            Some(won) => won,
            None => self.contested(&followers, draw, others),
        };
        Won { later: self.settings.hop, earlier: last, ..won }
    }

    fn follower(&self, draw: &mut Draw) -> Follower {
        let settings = &self.settings;
        let Some(law) = &settings.timer else {
            let wait = draw.uniform() * settings.ticks as f64;
            let whole = libm::floor(wait);
            let least = settings.heartbeat * (settings.ticks - 1);
            return Follower {
                patient_until: least + settings.heartbeat.mul_f64(wait - whole),
                campaigns: least + settings.heartbeat.mul_f64(wait),
            };
        };
        let campaigns = law.sample(draw);
        Follower { patient_until: settings.patience, campaigns }
    }

    /// The first campaign's election, if nothing comes between.
    fn uncontested(
        &self,
        followers: &[Follower],
        draw: &mut Draw,
        spans: &mut Spans,
    ) -> Option<Won> {
        let settings = &self.settings;
        let needed = settings.majority - 1;
        let candidate = (0..followers.len()).min_by_key(|at| followers[*at].campaigns)?;
        let first = followers[candidate].campaigns;
        let others = || {
            let others = followers.iter().enumerate().filter(|(at, _)| *at != candidate);
            others.map(|(_, follower)| follower)
        };
        let free = |at: Duration| {
            let free = |f: &&Follower| !settings.check_quorum || f.patient_until <= at;
            others().filter(free).count()
        };
        let mut stands = first;
        if settings.pre_vote {
            if free(first + settings.hop) < needed {
                return None;
            }
            stands += settings.hop * 2;
        }
        let asked = stands + settings.fsync.sample(draw) + settings.hop;
        let votes = free(asked);
        if votes < needed || others().any(|other| other.campaigns <= asked) {
            return None;
        }
        let won = self.voted(asked, votes, draw, spans);
        // Who still counts on the old leader has nothing to sync.
        spans.extend((votes..followers.len() - 1).map(|_| Duration::ZERO));
        Some(won)
    }

    fn contested(&self, followers: &[Follower], draw: &mut Draw, others: &mut Spans) -> Won {
        let seats = followers.iter().map(|follower| Standing {
            patient_until: follower.patient_until,
            campaigns: follower.campaigns,
            waits: None,
            newcomer: false,
        });
        let at;
        (at, *others) = Contest::new(&self.settings, seats).play(draw);
        Won::alone(at)
    }

    /// Quorum is back with a member that has just begun; the others have campaigned in vain for long.
    fn after_return(&self, draw: &mut Draw, voters: usize, spans: &mut Spans) -> Won {
        let settings = &self.settings;
        let others = (1..voters).map(|_| {
            let waits = settings.timeout(draw);
            let left = part_of(settings.span(waits), draw);
            Standing {
                patient_until: Duration::ZERO,
                campaigns: left,
                waits: Some(waits),
                newcomer: false,
            }
        });
        let mut seats: ArrayVec<Standing, SEATS> = others.collect();
        let waits = settings.timeout(draw);
        let skipped = match waits {
            Timeout::Ticks(_) if settings.skips_ticks && voters > 2 => {
                settings.ticks - SKIPPED_LESS
            }
            _ => 0,
        };
        let campaigns = settings.span(waits).saturating_sub(settings.heartbeat * skipped);
        let newcomer = Standing {
            patient_until: Duration::ZERO,
            campaigns,
            waits: Some(waits),
            newcomer: true,
        };
        seats.push(newcomer);
        let at;
        (at, *spans) = Contest::new(settings, seats.into_iter()).play(draw);
        Won::alone(at)
    }
}

/// The span at this place in ascending order.
fn nth(spans: &mut [Duration], at: usize) -> Duration {
    spans.sort_unstable();
    spans.get(at).copied().unwrap_or(Duration::ZERO)
}

impl Settings {
    /// For how long a member that has heard its leader ignores requests for votes.
    fn patience(&self) -> Duration {
        if self.timer.is_some() { self.patience } else { self.heartbeat * self.ticks }
    }
}

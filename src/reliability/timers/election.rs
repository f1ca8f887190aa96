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
}

/// A follower after its leader's last word: when it stops counting on it, and when it campaigns.
#[derive(Clone, Copy, Debug)]
struct Follower {
    patient_until: Duration,
    campaigns: Duration,
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
        Some(Self { settings, writers: Writers::of(plan, heartbeat) })
    }

    /// Until a leader is elected.
    pub(super) fn elects(&self, draw: &mut Draw, lost: Lost, voters: u32) -> Duration {
        let voters = usize::try_from(voters).unwrap_or(SEATS).min(self.settings.members).min(SEATS);
        if voters < self.settings.majority {
            return Duration::MAX;
        }
        if self.settings.members == 1 {
            return self.alone(draw);
        }
        match lost {
            Lost::Nobody => self.after_return(draw, voters),
            Lost::Stalled => {
                let next = self.writers.next(draw);
                next.saturating_add(self.after_loss(draw, voters))
            }
            Lost::Silently | Lost::Exited | Lost::InOrder | Lost::Beside => {
                self.after_loss(draw, voters)
            }
        }
    }

    /// Until it has committed an entry of its term: its own sync, and those of a majority.
    pub(super) fn commits(&self, draw: &mut Draw, lost: Lost, voters: u32) -> Duration {
        let elected = self.elects(draw, lost, voters);
        if elected == Duration::MAX {
            return elected;
        }
        let others = usize::try_from(voters).unwrap_or(SEATS).clamp(1, SEATS) - 1;
        let mut held: ArrayVec<Duration, SEATS> = ArrayVec::new();
        held.push(self.settings.fsync.sample(draw));
        let trip = self.settings.hop * 2;
        held.extend((0..others).map(|_| trip + self.settings.fsync.sample(draw)));
        elected + nth(&mut held, self.settings.majority - 1)
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

    /// A single member elects itself after 1 to E of its ticks.
    fn alone(&self, draw: &mut Draw) -> Duration {
        let settings = &self.settings;
        match &settings.timer {
            None => settings.heartbeat * (1 + draw.below(settings.ticks.max(1))),
            Some(law) => law.sample(draw).saturating_sub(settings.patience),
        }
    }

    fn after_loss(&self, draw: &mut Draw, voters: usize) -> Duration {
        // Counted from the arrival of the leader's last word.
        let last = self.writers.age(draw);
        let followers: ArrayVec<Follower, SEATS> =
            (0..voters).map(|_| self.follower(draw)).collect();
        let elected = match self.uncontested(&followers, draw) {
            Some(elected) => elected,
            None => self.contested(&followers, draw),
        };
        (elected + self.settings.hop).saturating_sub(last)
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
    fn uncontested(&self, followers: &[Follower], draw: &mut Draw) -> Option<Duration> {
        let settings = &self.settings;
        let needed = settings.majority - 1;
        let first = followers.iter().map(|follower| follower.campaigns).min()?;
        let others = followers.iter().filter(|follower| follower.campaigns > first);
        let patient = |at: Duration| {
            let trusting = |f: &&Follower| settings.check_quorum && f.patient_until > at;
            followers.iter().filter(trusting).count()
        };
        let mut stands = first;
        if settings.pre_vote {
            if followers.len() - patient(first + settings.hop) <= needed {
                return None;
            }
            stands += settings.hop * 2;
        }
        let asked = stands + settings.fsync.sample(draw) + settings.hop;
        let votes = followers.len() - 1 - patient(asked);
        if votes < needed || others.map(|f| f.campaigns).min().is_some_and(|next| next <= asked) {
            return None;
        }
        let mut syncs: ArrayVec<Duration, SEATS> =
            (0..votes).map(|_| settings.fsync.sample(draw)).collect();
        Some(asked + nth(&mut syncs, needed - 1) + settings.hop)
    }

    fn contested(&self, followers: &[Follower], draw: &mut Draw) -> Duration {
        let seats = followers.iter().map(|follower| Standing {
            patient_until: follower.patient_until,
            campaigns: follower.campaigns,
            waits: None,
            newcomer: false,
        });
        Contest::new(&self.settings, seats).play(draw)
    }

    /// Quorum is back with a member that has just begun; the others have campaigned in vain for long.
    fn after_return(&self, draw: &mut Draw, voters: usize) -> Duration {
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
        Contest::new(settings, seats.into_iter()).play(draw)
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

//! From the loss of a Lease's holder to the next: everybody else waits until the record has not changed
//! for a whole leaseDuration since it was read, and tries at jittered intervals.

use super::{Lost, mean_delay, part_of};
use crate::component::id::{ComponentId, Kind};
use crate::components::Params;
use crate::components::lease::{Election, JITTER_FACTOR};
use crate::kernel::cadence::residual;
use crate::kernel::law::Law;
use crate::kernel::stream::Draw;
use crate::kernel::time::Duration;
use crate::plan::Plan;

/// One Lease's timers.
#[derive(Clone, Debug)]
pub(super) struct Lease {
    /// Since a standby saw the record change.
    lasts: Duration,
    retry: Duration,
    /// What jitter adds at most to a wait between two attempts.
    jitter: Duration,
    /// How long a read and a write take.
    read: Duration,
    write: Duration,
    /// From renewal to renewal.
    period: Duration,
    /// How long one renewal may keep failing, and a request may take.
    deadline: Duration,
    timeout: Duration,
    /// From SIGTERM until the record is given back, if it is.
    release: Option<Duration>,
    warm_up: Law,
}

impl Lease {
    pub(super) fn of_scheduler(plan: &Plan) -> Option<Self> {
        let id = plan.map.of_kind(Kind::Scheduler).next()?;
        let Params::Scheduler(params, _) = plan.params_of(id) else { return None };
        let elects = params.leader_elect;
        elects.then(|| Self::of(plan, &params.election(), params.warm_up.clone()))
    }

    pub(super) fn of_manager(plan: &Plan) -> Option<Self> {
        let id = plan.map.of_kind(Kind::ControllerManager).next()?;
        let Params::ControllerManager(params, _) = plan.params_of(id) else { return None };
        let elects = params.leader_elect;
        elects.then(|| Self::of(plan, &params.election(), params.warm_up.clone()))
    }

    /// A Lease that is used over the API server of the own machine.
    pub(super) fn of(plan: &Plan, election: &Election, warm_up: Law) -> Self {
        let (read, write) = request_times(plan);
        let renewal = if election.client_go.fast_path() { write } else { read + write };
        let release = if election.client_go.release_reads() { read + write } else { write };
        let seconds = Duration::from_secs(u64::from(election.duration_seconds()));
        let by_record = election.client_go.expiry_by_record();
        Self {
            lasts: if by_record { seconds } else { election.lease_duration },
            retry: election.retry_period,
            jitter: election.retry_period.mul_f64(JITTER_FACTOR),
            read,
            write,
            period: election.retry_period + renewal,
            deadline: election.renew_deadline,
            timeout: election.client_timeout,
            release: election.release_on_cancel.then_some(release),
            warm_up,
        }
    }

    /// Until another instance holds it and has warmed up.
    pub(super) fn acts(&self, draw: &mut Draw, lost: Lost, standbys: u32) -> Duration {
        let holds = self.holds(draw, lost, standbys);
        holds.saturating_add(self.warm_up.sample(draw))
    }

    /// Until another instance holds it.
    pub(super) fn holds(&self, draw: &mut Draw, lost: Lost, standbys: u32) -> Duration {
        let taken = self.read + self.write;
        let age = part_of(self.period, draw);
        match (lost, self.release) {
            (Lost::Nobody, _) => return self.after_silence(draw, standbys),
            // With a renewal under way the holder gives back what it no longer knows: that fails.
            (Lost::InOrder, Some(release)) if age < self.retry => {
                return self.next_try(draw, standbys).saturating_add(release + taken);
            }
            _ => {}
        }
        let first = (0..standbys).map(|_| self.expired_try(draw)).min();
        first.unwrap_or(Duration::MAX).saturating_add(taken).saturating_sub(age)
    }

    /// From the loss of writes until the holder gives up: the next renewal fails for so long.
    pub(super) fn given_up(&self, draw: &mut Draw) -> Duration {
        part_of(self.period, draw) + self.deadline
    }

    /// The first attempt of all standbys after an arbitrary instant.
    fn next_try(&self, draw: &mut Draw, standbys: u32) -> Duration {
        let tries = (0..standbys).map(|_| self.residual(draw));
        tries.min().unwrap_or(Duration::MAX)
    }

    /// Nothing was answered since the last renewal of a holder that gave up, for longer than the Lease
    /// lasts. Who had read that renewal before takes the Lease at its next answer; who had not, as the old
    /// holder that has started again, counts from there.
    fn after_silence(&self, draw: &mut Draw, standbys: u32) -> Duration {
        let age = part_of(self.period, draw);
        let takes = (0..standbys).map(|n| {
            let knows = n > 0 && self.residual(draw) + self.read <= age;
            let answer = self.next_answer(draw);
            if knows { answer } else { answer + self.until_expired(draw) + self.read }
        });
        takes.min().unwrap_or(Duration::MAX).saturating_add(self.write)
    }

    /// From an arbitrary instant at which requests begin to be answered until a standby has its next
    /// answer: whoever waits for one has it at once.
    fn next_answer(&self, draw: &mut Draw) -> Duration {
        let (least, most) = (self.retry, self.retry + self.jitter);
        let waiting = self.timeout.as_secs_f64();
        let share = waiting / (waiting + (least + most).as_secs_f64() / 2.0);
        if draw.uniform() < share {
            return self.read;
        }
        residual(least, most, draw.uniform()) + self.read
    }

    /// From an arbitrary instant to a standby's next attempt.
    fn residual(&self, draw: &mut Draw) -> Duration {
        let shortest = self.retry + self.read;
        residual(shortest, shortest + self.jitter, draw.uniform())
    }

    /// From the last renewal to a standby's first attempt for which the record has expired: it reads
    /// the record at its next attempt, and counts from there.
    fn expired_try(&self, draw: &mut Draw) -> Duration {
        self.residual(draw) + self.read + self.until_expired(draw)
    }

    /// From the answer with which a standby knows the record to its first attempt after that expired.
    fn until_expired(&self, draw: &mut Draw) -> Duration {
        // Each number of 64 bits gives two waits of 32, the read at the end of each attempt included.
        let gap = self.retry + self.read;
        let mut at = Duration::ZERO;
        loop {
            let bits = draw.bits();
            for half in [bits >> 32, bits & u64::from(u32::MAX)] {
                at += gap + share_of(self.jitter, half);
                if at >= self.lasts + self.read {
                    return at - self.read;
                }
            }
        }
    }
}

/// So many 2⁻³² of a span.
fn share_of(span: Duration, parts: u64) -> Duration {
    let nanos = (u128::from(span.as_nanos()) * u128::from(parts)) >> 32;
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// How long a linearizable read and a write of a Lease take at the API server of the own machine: its
/// work, the way to the leader, the quickest majority and its sync.
pub(super) fn request_times(plan: &Plan) -> (Duration, Duration) {
    let servers: &[ComponentId] = &plan.services.api_servers;
    let members: &[ComponentId] = &plan.services.members;
    let work = servers.first().map_or(Duration::ZERO, |id| match plan.params_of(*id) {
        Params::ApiServer(params, _) => params.processing,
        _ => Duration::ZERO,
    });
    let sync = members.first().map_or(0.0, |id| match plan.params_of(*id) {
        Params::Etcd(params, _) => params.fsync.mean(),
        _ => 0.0,
    });
    let trip = mean_delay(plan, members, members) * 2;
    let read = work + trip * 2;
    (read, read + Duration::from_secs_f64(sync).unwrap_or(Duration::ZERO))
}

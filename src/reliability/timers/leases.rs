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
            (Lost::Nobody, _) => return self.next_try(draw, standbys).saturating_add(taken),
            // With a renewal under way the holder gives back what it no longer knows: that fails.
            (Lost::InOrder, Some(release)) if age < self.retry => {
                return self.next_try(draw, standbys).saturating_add(release + taken);
            }
            _ => {}
        }
        let first = (0..standbys).map(|_| self.expired_try(draw)).min();
        first.unwrap_or(Duration::MAX).saturating_add(taken).saturating_sub(age)
    }

    /// The first attempt of all standbys after an arbitrary instant.
    fn next_try(&self, draw: &mut Draw, standbys: u32) -> Duration {
        let tries = (0..standbys).map(|_| self.residual(draw));
        tries.min().unwrap_or(Duration::MAX)
    }

    /// From an arbitrary instant to a standby's next attempt.
    fn residual(&self, draw: &mut Draw) -> Duration {
        let shortest = self.retry + self.read;
        residual(shortest, shortest + self.jitter, draw.uniform())
    }

    /// From the last renewal to a standby's first attempt for which the record has expired: it reads
    /// the record at its next attempt, and counts from there.
    fn expired_try(&self, draw: &mut Draw) -> Duration {
        let known = self.residual(draw) + self.read;
        let expires = known.saturating_add(self.lasts);
        let mut at = known;
        loop {
            at += self.retry + part_of(self.jitter, draw);
            if at >= expires {
                return at;
            }
            at += self.read;
        }
    }
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

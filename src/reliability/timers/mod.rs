//! How long each protocol takes by its own timers in one failover, drawn in closed form.
//!
//! A world plays a failover message by message. Where only its length matters, that is a handful of
//! numbers: phases of timers that were under way, random time-outs, and how they add up. Each sampler
//! here draws those from the law that the world's components have, with every parameter from the
//! plan; `tests/timers` holds each against worlds. Drawing takes no memory.
//!
//! Absent on purpose: what fails and who may take over (the failure process's affair), requests under
//! way, losses of packets, clocks that run apart, and whatever begins while a failover goes on.

mod address;
mod checks;
mod contest;
mod election;
mod leases;
mod nights;
mod starts;
mod writers;

use crate::component::id::ComponentId;
use crate::components::api_server::{LEADER_CHECK, LEADER_CHECKS, USER_TIMEOUT};
use crate::kernel::law::Law;
use crate::kernel::stream::Draw;
use crate::kernel::time::Duration;
use crate::plan::Plan;
use address::Address;
use checks::Checks;
use election::Election;
use leases::Lease;
pub use nights::{Nights, Youth};
use starts::Starts;

/// How what held a thing was lost: decides what the others notice, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// Power, link or machine gone: nobody answers.
    Silently,
    /// The process ended without a word; its machine answers with resets.
    Exited,
    /// The process ended in order (SIGTERM): it says farewell where its protocol has a word for it.
    InOrder,
    /// The holder runs, but what it holds the thing for ended: the balancer beside a keepalived.
    Beside,
    /// The disk stalled: answers, but writes nothing.
    Stalled,
    /// Nothing was lost just now: quorum, writes or a balancer came back, and nobody holds.
    Nobody,
}

/// The timers of a plan's protocols, as far as they decide how long a failover takes.
#[derive(Clone, Debug)]
pub struct Timers {
    election: Option<Election>,
    address: Address,
    checks: Option<Checks>,
    scheduler: Option<Lease>,
    manager: Option<Lease>,
    starts: Starts,
    nights: Option<Nights>,
}

impl Timers {
    /// Those of a plan.
    pub fn of(plan: &Plan) -> Self {
        Self {
            election: Election::of(plan),
            address: Address::of(plan),
            checks: Checks::of(plan),
            scheduler: Lease::of_scheduler(plan),
            manager: Lease::of_manager(plan),
            starts: Starts::of(plan),
            nights: Nights::of(plan),
        }
    }

    /// From the loss of the leader, or from the return of quorum, to the next leader that has committed
    /// an entry of its term. `voters` are the members that can vote now, the lost one left out.
    /// [`Duration::MAX`] if they are no majority.
    pub fn election(&self, draw: &mut Draw, lost: Lost, voters: u32) -> Duration {
        self.election
            .as_ref()
            .map_or(Duration::ZERO, |election| election.commits(draw, lost, voters))
    }

    /// The same to the instant at which the next leader is elected, before it has committed.
    pub fn elected(&self, draw: &mut Draw, lost: Lost, voters: u32) -> Duration {
        self.election
            .as_ref()
            .map_or(Duration::ZERO, |election| election.elects(draw, lost, voters))
    }

    /// From the loss of quorum until a leader that lives steps down. One whose followers are back
    /// before still leads.
    pub fn step_down(&self, draw: &mut Draw) -> Duration {
        self.election.as_ref().map_or(Duration::ZERO, |election| election.steps_down(draw))
    }

    /// How long after an arbitrary instant something is written to etcd: a disk that stalls is not missed
    /// before.
    pub fn next_write(&self, draw: &mut Draw) -> Duration {
        self.election.as_ref().map_or(Duration::ZERO, |election| election.next_write(draw))
    }

    /// What API servers do in a night without etcd; `None` where they live on.
    pub fn nights(&self) -> Option<&Nights> {
        self.nights.as_ref()
    }

    /// From the loss of quorum until an API server's cache serves no reads any more: the members that it
    /// uses know of no leader, and at their third look cancel its watches. `leads`: its member led;
    /// `silently`: a member whose machine was lost silently is in use until its connection is given up.
    pub fn cache_lost(&self, draw: &mut Draw, leads: bool, silently: bool) -> Duration {
        let leaderless = self.election.as_ref().map_or(Duration::ZERO, |election| {
            if leads { election.steps_down(draw) } else { election.missed(draw) }
        });
        let used = if silently { USER_TIMEOUT } else { Duration::ZERO };
        let looks = self.cache_kept() + part_of(LEADER_CHECK, draw);
        leaderless.max(used).saturating_add(looks)
    }

    /// The least time of that.
    pub fn cache_kept(&self) -> Duration {
        LEADER_CHECK * (LEADER_CHECKS - 1)
    }

    /// From the loss of the holder of the virtual address to the next holder's announcement. `taker` is
    /// who takes it, by position among the holders. [`Duration::MAX`] where nobody notices.
    pub fn takeover(&self, draw: &mut Draw, lost: Lost, taker: usize) -> Duration {
        self.address.takeover(draw, lost, taker)
    }

    /// The same until the address is held, before clients know where.
    pub fn holding(&self, draw: &mut Draw, lost: Lost, taker: usize) -> Duration {
        self.address.holding(draw, lost, taker)
    }

    /// Whether the address is held by a Lease, for which its holders need the API.
    pub fn elects_holder(&self) -> bool {
        self.address.lease().is_some()
    }

    /// From the loss of such a holder to the next one's announcement, as [`Timers::lease`] has it.
    pub fn holder(&self, draw: &mut Draw, lost: Lost, standbys: u32) -> Duration {
        self.address.lease().map_or(Duration::ZERO, |(lease, announces)| {
            lease.holds(draw, lost, standbys).saturating_add(part_of(announces, draw))
        })
    }

    /// From the loss of writes until such a holder that lives gives the address up.
    pub fn holder_gives_up(&self, draw: &mut Draw) -> Duration {
        self.address.lease().map_or(Duration::MAX, |(lease, _)| lease.given_up(draw))
    }

    /// Who of these, by position among the holders, takes an address that nobody holds.
    pub fn taker(&self, usable: u64) -> Option<usize> {
        self.address.taker(usable)
    }

    /// Whether this one takes the address from that one, who holds it and serves.
    pub fn preempts(&self, taker: usize, holder: usize) -> bool {
        self.address.preempts(taker, holder)
    }

    /// Whether somebody checks the API servers.
    pub fn check(&self) -> bool {
        self.checks.is_some()
    }

    /// From an API server's failure to its leaving a balancer's rotation. [`Duration::MAX`] where
    /// checks do not notice.
    pub fn fall(&self, draw: &mut Draw, lost: Lost) -> Duration {
        self.checks.as_ref().map_or(Duration::ZERO, |checks| checks.fall(draw, lost))
    }

    /// From an API server's recovery, as [`Timers::server_start`] has it, to its return to the rotation.
    pub fn rise(&self, draw: &mut Draw) -> Duration {
        self.checks.as_ref().map_or(Duration::ZERO, |checks| checks.rise(draw))
    }

    /// A time that [`Timers::rise`] does not exceed.
    pub fn longest_rise(&self) -> Duration {
        self.checks.as_ref().map_or(Duration::ZERO, Checks::longest_rise)
    }

    /// From the loss of a Lease's holder until another instance holds it and acts. `standbys` is how many
    /// wait for it; [`Duration::MAX`] without one. [`Lost::Nobody`]: from the return of writes, after so
    /// long without that the holder has given up and the Lease has expired; the holder, started again,
    /// is one of the standbys then.
    pub fn lease(
        &self,
        draw: &mut Draw,
        controller_manager: bool,
        lost: Lost,
        standbys: u32,
    ) -> Duration {
        let lease = if controller_manager { &self.manager } else { &self.scheduler };
        lease.as_ref().map_or(Duration::ZERO, |lease| lease.acts(draw, lost, standbys))
    }

    /// The same until another instance holds it, before it has warmed up.
    pub fn lease_held(
        &self,
        draw: &mut Draw,
        controller_manager: bool,
        lost: Lost,
        standbys: u32,
    ) -> Duration {
        let lease = if controller_manager { &self.manager } else { &self.scheduler };
        lease.as_ref().map_or(Duration::ZERO, |lease| lease.holds(draw, lost, standbys))
    }

    /// From the loss of writes until a Lease's holder that lives gives up and ends. One whose writes are
    /// back before still holds.
    pub fn lease_given_up(&self, draw: &mut Draw, controller_manager: bool) -> Duration {
        let lease = if controller_manager { &self.manager } else { &self.scheduler };
        lease.as_ref().map_or(Duration::MAX, |lease| lease.given_up(draw))
    }

    /// From the end of the repair of a machine (`machine`: power is back), or of the process alone, to
    /// the etcd member's vote.
    pub fn member_start(&self, draw: &mut Draw, machine: bool) -> Duration {
        self.starts.member(draw, machine)
    }

    /// A time that [`Timers::member_start`] does not exceed.
    pub fn longest_member_start(&self) -> Duration {
        self.starts.longest_member()
    }

    /// A time that [`Timers::server_start`] and [`Timers::balancer_start`] together do not exceed, nor with
    /// them, from the vote of the member that it uses, the last restart of a server that was killed for
    /// want of etcd.
    pub fn longest_start(&self) -> Duration {
        let nights = self.nights.as_ref().map_or(Duration::ZERO, Nights::longest_restart);
        let found = self.address.longest_found_good();
        self.starts.longest_others().saturating_add(found).saturating_add(nights)
    }

    /// The same to an API server that answers requests.
    pub fn server_start(&self, draw: &mut Draw, machine: bool) -> Duration {
        self.starts.server(draw, machine)
    }

    /// The same to a balancer that forwards, and whose keepalived may hold the address.
    pub fn balancer_start(&self, draw: &mut Draw, machine: bool) -> Duration {
        let start = self.starts.balancer(draw, machine);
        if machine { start } else { start.saturating_add(self.address.found_good(draw)) }
    }
}

/// The sum of the longest spans of these laws.
fn longest<'l>(laws: impl IntoIterator<Item = &'l Law>) -> Duration {
    laws.into_iter().fold(Duration::ZERO, |sum, law| sum.saturating_add(law.longest()))
}

/// Uniform on [0, `span`).
fn part_of(span: Duration, draw: &mut Draw) -> Duration {
    let product = u128::from(span.as_nanos()) * u128::from(draw.bits());
    Duration::from_nanos(u64::try_from(product >> 64).unwrap_or(u64::MAX))
}

/// The mean one-way delay between two different machines of these components; none within a machine.
fn mean_delay(plan: &Plan, from: &[ComponentId], to: &[ComponentId]) -> Duration {
    let place = |id: &ComponentId| plan.map.machine_of(*id);
    let pairs = from.iter().flat_map(|a| to.iter().map(move |b| (place(a), place(b))));
    let (mut sum, mut count) = (Duration::ZERO, 0);
    for (a, b) in pairs {
        if let (Some(a), Some(b)) = (a, b)
            && a != b
        {
            let direction = plan.direction(a, b);
            sum += direction.delay + direction.jitter / 2;
            count += 1;
        }
    }
    if count == 0 { Duration::ZERO } else { sum / count }
}

//! From the loss of the virtual address's holder to the next one: keepalived's master-down timer and
//! what it tracks, or kube-vip's Lease.

use super::leases::Lease;
use super::{Lost, mean_delay, part_of};
use crate::component::id::ComponentId;
use crate::components::Params;
use crate::components::keepalived::{KeepalivedParams, VrrpScript};
use crate::kernel::law::Law;
use crate::kernel::stream::Draw;
use crate::kernel::time::Duration;
use crate::plan::Plan;
use crate::plan::service::Endpoint;

/// Who holds the address, and by which protocol.
#[derive(Clone, Debug)]
pub(super) enum Address {
    /// Nobody: clients reach something that has an address of its own.
    Fixed,
    /// Instances of keepalived.
    Vrrp(Vrrp),
    /// Instances of kube-vip, whose winner announces the address within so long.
    Lease { lease: Box<Lease>, standbys: u32, announces: Duration },
}

/// The instances of keepalived, in the order of the endpoint's holders.
#[derive(Clone, Debug)]
pub(super) struct Vrrp {
    instances: Vec<Instance>,
    hop: Duration,
}

/// One of them.
#[derive(Clone, Debug)]
struct Instance {
    priority: u8,
    advert_int: Duration,
    /// Its wait after an advert, and after a farewell.
    master_down: Duration,
    skew: Duration,
    wake_up: Law,
    notice: Law,
    keeps_lower: bool,
    script: Option<Tracked>,
    process: Option<Tracked>,
}

/// What an instance looks at to know of its balancer.
#[derive(Clone, Copy, Debug)]
struct Tracked {
    /// From run to run; zero where the kernel tells at once.
    interval: Duration,
    /// Further intervals until it counts as failed, and as good again.
    fall: Duration,
    rise: Duration,
    /// The priority while it has failed; `None`: out of the election.
    left: Option<u8>,
}

impl Address {
    pub(super) fn of(plan: &Plan) -> Self {
        let Endpoint::Vip { holders, .. } = &plan.services.endpoint else { return Self::Fixed };
        let instances = holders.iter().filter_map(|id| match plan.params_of(*id) {
            Params::Keepalived(params, _) => Some(Instance::of(params)),
            _ => None,
        });
        let instances: Vec<Instance> = instances.collect();
        if instances.is_empty() {
            return Self::of_kube_vip(plan, holders);
        }
        Self::Vrrp(Vrrp { instances, hop: mean_delay(plan, holders, holders) })
    }

    fn of_kube_vip(plan: &Plan, holders: &[ComponentId]) -> Self {
        let params = holders.iter().find_map(|id| match plan.params_of(*id) {
            Params::KubeVip(params, _) => Some(params),
            _ => None,
        });
        let Some(params) = params else { return Self::Fixed };
        let later =
            if params.announces_at_once { Duration::ZERO } else { params.announces_every() };
        Self::Lease {
            lease: Box::new(Lease::of(plan, &params.election(), Law::Fixed(Duration::ZERO))),
            standbys: u32::try_from(holders.len().saturating_sub(1)).unwrap_or(u32::MAX),
            announces: later,
        }
    }

    /// Until the next holder tells its neighbours.
    pub(super) fn takeover(&self, draw: &mut Draw, lost: Lost, taker: usize) -> Duration {
        let holds = self.holding(draw, lost, taker);
        match self {
            Self::Lease { announces, .. } => holds.saturating_add(part_of(*announces, draw)),
            Self::Fixed | Self::Vrrp(_) => holds,
        }
    }

    /// The Lease by which it is held, and how often its holder announces it, if not at once.
    pub(super) fn lease(&self) -> Option<(&Lease, Duration)> {
        match self {
            Self::Lease { lease, announces, .. } => Some((lease, *announces)),
            Self::Fixed | Self::Vrrp(_) => None,
        }
    }

    /// Until somebody else holds it.
    pub(super) fn holding(&self, draw: &mut Draw, lost: Lost, taker: usize) -> Duration {
        match self {
            Self::Fixed => Duration::ZERO,
            Self::Vrrp(vrrp) => vrrp.takeover(draw, lost, taker),
            Self::Lease { lease, standbys, .. } => {
                let standbys = if lost == Lost::Nobody { 1 } else { *standbys };
                lease.holds(draw, lost, standbys)
            }
        }
    }

    /// Who of these takes an address that nobody holds: the one of highest priority, of equal ones the
    /// first.
    pub(super) fn taker(&self, usable: u64) -> Option<usize> {
        let first = (usable != 0).then(|| usable.trailing_zeros() as usize);
        let Self::Vrrp(vrrp) = self else { return first };
        let mut best = None;
        for (at, instance) in vrrp.instances.iter().enumerate() {
            let better = best.is_none_or(|(_, priority)| instance.priority > priority);
            if usable >> at & 1 == 1 && better {
                best = Some((at, instance.priority));
            }
        }
        best.map_or(first, |(at, _)| Some(at))
    }

    /// Whether this one takes the address from that one, who holds it and serves.
    pub(super) fn preempts(&self, taker: usize, holder: usize) -> bool {
        let Self::Vrrp(vrrp) = self else { return false };
        let (taker, holder) = (vrrp.instances.get(taker), vrrp.instances.get(holder));
        taker
            .zip(holder)
            .is_some_and(|(taker, holder)| taker.priority > holder.priority && !taker.keeps_lower)
    }

    /// A time that [`Address::found_good`] does not exceed.
    pub(super) fn longest_found_good(&self) -> Duration {
        let Self::Vrrp(vrrp) = self else { return Duration::ZERO };
        let first = vrrp.instances.first();
        first.map_or(Duration::ZERO, Instance::longest_notice)
    }

    /// From the return of a balancer until the keepalived beside it knows.
    pub(super) fn found_good(&self, draw: &mut Draw) -> Duration {
        match self {
            Self::Vrrp(vrrp) => vrrp.instances.first().map_or(Duration::ZERO, |i| i.notices(draw)),
            _ => Duration::ZERO,
        }
    }
}

impl Vrrp {
    fn takeover(&self, draw: &mut Draw, lost: Lost, taker: usize) -> Duration {
        let Some(own) = self.instances.get(taker) else { return Duration::MAX };
        let down = match lost {
            Lost::Silently | Lost::Exited => self.silence(own, draw),
            Lost::InOrder => self.hop + own.skew,
            Lost::Beside => self.balancer_died(own, taker, draw),
            Lost::Stalled => Duration::MAX,
            Lost::Nobody => own.master_down,
        };
        down.saturating_add(own.wake_up.sample(draw))
    }

    /// The holder says nothing any more: the timer runs from its last advert.
    fn silence(&self, own: &Instance, draw: &mut Draw) -> Duration {
        (own.master_down + self.hop).saturating_sub(part_of(own.advert_int, draw))
    }

    /// The holder lives, and finds out that its balancer died; the holder is the best of the others.
    fn balancer_died(&self, own: &Instance, taker: usize, draw: &mut Draw) -> Duration {
        let others = self.instances.iter().enumerate().filter(|(at, _)| *at != taker);
        let Some((_, holder)) = others.max_by_key(|(_, other)| other.priority) else {
            return Duration::MAX;
        };
        let ways = [holder.process, holder.script].into_iter().flatten();
        let noticed = ways.map(|tracked| {
            let found = part_of(tracked.interval, draw) + tracked.fall;
            match tracked.left {
                None => found + self.hop + own.skew,
                Some(left) if left < own.priority && !own.keeps_lower => {
                    found + self.silence(own, draw)
                }
                Some(_) => Duration::MAX,
            }
        });
        noticed.min().unwrap_or(Duration::MAX)
    }
}

impl Instance {
    fn of(params: &KeepalivedParams) -> Self {
        let good = params.priority_with(Some(true), true);
        let left = |weight: i32, bad: u8| (weight != 0).then_some(bad);
        let script = |script: &VrrpScript| Tracked {
            interval: script.interval,
            fall: script.interval * u64::from(script.fall.saturating_sub(1)),
            rise: script.interval * u64::from(script.rise.saturating_sub(1)),
            left: left(script.weight, params.priority_with(Some(false), true)),
        };
        Self {
            priority: good,
            advert_int: params.advert_int,
            master_down: params.master_down(good, params.advert_int),
            skew: params.skew(good, params.advert_int),
            wake_up: params.wake_up.clone(),
            notice: params.signal_delay.clone(),
            keeps_lower: params.keeps_lower(),
            script: params.vrrp_script.as_ref().map(script),
            process: params.track_process.as_ref().map(|process| Tracked {
                interval: Duration::ZERO,
                fall: Duration::ZERO,
                rise: Duration::ZERO,
                left: left(process.weight, params.priority_with(Some(true), false)),
            }),
        }
    }

    fn longest_notice(&self) -> Duration {
        let tracked = [self.script, self.process].into_iter().flatten();
        let known = tracked.map(|tracked| tracked.interval.saturating_add(tracked.rise)).max();
        known.unwrap_or_default().saturating_add(self.notice.longest())
    }

    fn notices(&self, draw: &mut Draw) -> Duration {
        let tracked = [self.script, self.process].into_iter().flatten();
        let known = tracked.map(|tracked| part_of(tracked.interval, draw) + tracked.rise).max();
        known.map_or(Duration::ZERO, |known| known + self.notice.sample(draw))
    }
}

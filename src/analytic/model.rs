//! A plan as the chain sees it: parts with stages, hosts with places in a state, timers, crews.
//!
//! A state is a row of small numbers. Each host has its places side by side, in the same order as
//! every host of its sort, so that alike hosts can be exchanged.

use super::phases::Phases;
use crate::plan::reliability::Order;

/// A repair: its stages, and whether it waits for a crew.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Repair {
    pub(super) phases: Phases,
    pub(super) needs_crew: bool,
}

/// A clock of failure, with the repair that follows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Clock {
    pub(super) phases: Phases,
    pub(super) repair: usize,
}

/// What sort of part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sort {
    /// A host's machine.
    Machine,
    /// A process: runs while its machine is up, new when that comes up.
    Process,
    /// A disk, a link, the cluster: goes its own way.
    Alone,
}

/// Something that is up or down. Codes of its place: those below `ups` are up (a number for the
/// stages of all its clocks), then the stages of each repair, then for a machine that crashes
/// "waits for power" and the stages of booting.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PartModel {
    pub(super) name: String,
    pub(super) sort: Sort,
    /// Its place.
    pub(super) slot: usize,
    /// The place of its position in its crew's queue, from 1; 0: not in it.
    pub(super) queue: usize,
    pub(super) crew: Option<usize>,
    pub(super) urgency: u32,
    pub(super) clocks: Vec<Clock>,
    pub(super) repairs: Vec<Repair>,
    /// How a machine boots after a crash; none: at once.
    pub(super) boot: Option<Phases>,
}

impl PartModel {
    /// How many codes a place of this part takes; `None`: more than a state can hold.
    pub(super) fn codes(&self) -> Option<u16> {
        let mut lengths = self.clocks.iter().map(|clock| clock.phases.len());
        let ups = lengths.try_fold(1_usize, usize::checked_mul);
        let repairs: usize = self.repairs.iter().map(|repair| repair.phases.len()).sum();
        let boot = self.boot.as_ref().map_or(0, Phases::len);
        u16::try_from(ups?.checked_add(repairs + 1 + boot)?).ok()
    }

    /// How many codes mean up.
    pub(super) fn ups(&self) -> u16 {
        narrow(self.clocks.iter().map(|clock| clock.phases.len()).product())
    }

    /// The first code of a repair.
    pub(super) fn down(&self, repair: usize) -> u16 {
        let before: usize = self.repairs[..repair].iter().map(|r| r.phases.len()).sum();
        self.ups() + narrow(before)
    }

    /// The code of "waits for power".
    pub(super) fn waiting(&self) -> u16 {
        self.down(self.repairs.len())
    }

    /// The first code of booting.
    pub(super) fn booting(&self) -> u16 {
        self.waiting() + 1
    }
}

/// A small number as it is in a state.
pub(super) fn narrow(number: usize) -> u16 {
    u16::try_from(number).unwrap_or_else(|_| panic!("{number} codes do not fit into a state"))
}

/// A machine that takes part in a service.
#[derive(Clone, Debug, Default)]
pub(super) struct Host {
    /// Its places: from, to.
    pub(super) slots: (usize, usize),
    pub(super) machine: Option<usize>,
    pub(super) link: Option<usize>,
    pub(super) disk: Option<usize>,
    /// Its API server: whether there is one, and its part if that fails.
    pub(super) api: bool,
    pub(super) api_part: Option<usize>,
    /// Its etcd member.
    pub(super) member: bool,
    pub(super) member_part: Option<usize>,
    /// Its balancer, with the processes that fail.
    pub(super) balancer: bool,
    pub(super) balancer_parts: Vec<usize>,
    /// The holders of Leases: whether they are there, and their parts.
    pub(super) manager_part: Option<usize>,
    pub(super) scheduler_part: Option<usize>,
    /// Which members its API server knows, as hosts.
    pub(super) knows: Vec<usize>,
    /// Outages that make it unusable, and those that take its power.
    pub(super) overlays: Vec<usize>,
    pub(super) crashes: Vec<usize>,
    /// Places of what is written beside its parts.
    pub(super) rejoin: Option<usize>,
    pub(super) rotation: Option<usize>,
    pub(super) leads: Option<usize>,
    pub(super) holds_vip: Option<usize>,
    pub(super) holds_manager: Option<usize>,
    pub(super) holds_scheduler: Option<usize>,
}

/// An outage of several hosts: up stages, then outage stages.
#[derive(Clone, Debug)]
pub(super) struct OutageModel {
    pub(super) name: String,
    pub(super) slot: usize,
    pub(super) failure: Phases,
    pub(super) repair: Phases,
    pub(super) crash: bool,
    pub(super) hosts: Vec<usize>,
}

/// Shocks: a clock, and the parts that it stops with the repair of each.
#[derive(Clone, Debug)]
pub(super) struct ShockModel {
    pub(super) slot: usize,
    pub(super) every: Phases,
    pub(super) stops: Vec<(usize, usize)>,
}

/// A timer: idle is 0, its stages follow.
#[derive(Clone, Debug)]
pub(super) struct TimerModel {
    pub(super) slot: usize,
    pub(super) phases: Phases,
}

/// How clients reach the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// They know every server.
    Servers,
    /// Through this host's balancer.
    Balancer(usize),
    /// Through whichever balancer holds the address.
    Vip,
    /// One server.
    Server(usize),
}

/// When balancers notice: none where it takes no time.
#[derive(Clone, Debug)]
pub(super) struct Detection {
    pub(super) fall: Option<Phases>,
    pub(super) rise: Option<Phases>,
}

/// All of it.
#[derive(Clone, Debug)]
pub(super) struct Model {
    /// How many places a state has.
    pub(super) width: usize,
    pub(super) parts: Vec<PartModel>,
    pub(super) hosts: Vec<Host>,
    pub(super) outages: Vec<OutageModel>,
    pub(super) shocks: Vec<ShockModel>,
    pub(super) crews: Vec<(u16, Order)>,
    pub(super) cluster: Option<usize>,
    pub(super) way: Way,
    /// Timers; none where the timing takes no time.
    pub(super) vip: Option<TimerModel>,
    pub(super) election: Option<TimerModel>,
    pub(super) manager: Option<TimerModel>,
    pub(super) scheduler: Option<TimerModel>,
    pub(super) rejoin: Option<Phases>,
    pub(super) detection: Option<Detection>,
    /// How many members make a quorum.
    pub(super) quorum: usize,
    /// Hosts that can be exchanged: lists of two or more.
    pub(super) alike: Vec<Vec<usize>>,
    /// Outages that can be exchanged with all their hosts: each with its hosts in matching order.
    pub(super) alike_zones: Vec<Vec<(usize, Vec<usize>)>>,
}

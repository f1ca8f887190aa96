//! What follows from what has not failed alone, as sets of bits: it is worked out once for each
//! combination of failures that comes, and looked up after that.
//!
//! Absent on purpose: who leads, holds or is in the rotation, which time decides too.

use super::Ideal;
use super::calm::Calm;
use super::recall::Settled;
use crate::component::id::ComponentId;
use crate::plan::Plan;
use crate::plan::service::Endpoint;
use crate::reliability::process::{Process, Signature};
use crate::reliability::timers::Lost;

/// How many combinations are kept; one that falls on another's place takes it.
const PLACES: usize = 128;

/// A bit for each of several, by its number; of more than 64 the first 64.
pub(super) type Bits = u64;

/// How several of a kind stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Group {
    /// Those whose machine is up.
    pub(super) machines: Bits,
    /// Those that run besides, whoever reaches them.
    pub(super) running: Bits,
    /// Those that do their work, as far as failures tell.
    pub(super) serving: Bits,
}

impl Group {
    fn of(process: &Process, ids: &[ComponentId]) -> Self {
        Self {
            machines: bits(ids.len(), |at| process.machine_is_up(ids[at])),
            running: bits(ids.len(), |at| process.runs(ids[at])),
            serving: bits(ids.len(), |at| process.serves(ids[at])),
        }
    }

    /// On what the way of members to their votes stands: a law is of machines; by its own timers a
    /// process alone takes its time too.
    #[inline]
    pub(super) fn rejoining(&self, by_process: bool) -> (Bits, Bits) {
        (if by_process { self.running } else { self.machines }, self.machines)
    }

    /// What has become of one that serves no more.
    pub(super) fn lost(&self, at: usize) -> Lost {
        if self.machines >> at & 1 == 1 && self.running >> at & 1 == 0 {
            Lost::Exited
        } else {
            Lost::Silently
        }
    }
}

/// What can do its work, as far as failures tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Scene {
    /// A member's work needs its disk.
    pub(super) members: Group,
    /// Members whose disk stalls and nothing else.
    pub(super) stalled: Bits,
    /// Whether the members that do their work are a majority.
    pub(super) majority: bool,
    pub(super) servers: Group,
    /// A balancer's work needs what announces its address.
    pub(super) balancers: Group,
    /// What announces the address of each balancer, where something does.
    pub(super) daemons: Group,
    /// Balancers that do their work, whatever announces their address.
    pub(super) fronts: Bits,
    /// Candidates for each Lease: of the scheduler, of the controller-manager.
    pub(super) candidates: [Group; 2],
    /// Whether nothing stops the cluster as one.
    pub(super) cluster: bool,
    /// Whether an address that needs no takeover leads somewhere.
    pub(super) address: bool,
}

impl Scene {
    /// What has become of a leader that has no vote any more.
    pub(super) fn lost_leader(&self, at: usize) -> Lost {
        if self.stalled >> at & 1 == 1 { Lost::Stalled } else { self.members.lost(at) }
    }

    /// Whether a leader without a vote runs on: he never knew, if he is back before the others elect.
    pub(super) fn leader_lives(&self, at: usize) -> bool {
        self.members.running >> at & 1 == 1
    }

    /// Holders whose daemon ended without a word, and left the address where it is.
    pub(super) fn orphaned(&self) -> Bits {
        self.fronts & self.daemons.machines & !self.daemons.running
    }

    /// What has become of who held the address.
    pub(super) fn lost_holder(&self, at: usize) -> Lost {
        if self.daemons.serving >> at & 1 == 1 { Lost::Beside } else { self.daemons.lost(at) }
    }
}

/// The combinations seen, and the one that is now.
#[derive(Clone, Debug)]
pub(super) struct Scenes {
    /// What is down in each that is kept.
    down: Vec<Option<Signature>>,
    /// What follows from each of those, and from one that is not kept.
    all: Vec<Scene>,
    /// What followed last from each that is kept, where nothing takes time.
    settled: Vec<Option<Settled>>,
    /// What each that is kept means in calm, where something takes time.
    calm: Vec<Option<Calm>>,
    now: usize,
}

/// What never changes: which members each API server may use.
#[derive(Clone, Debug)]
pub(super) struct Wiring {
    /// By the number of the API server.
    reach: Vec<Bits>,
    /// The API servers that count: all, or the only one that clients know.
    clients_know: Bits,
    /// Whether each may use every member.
    anywhere: bool,
}

impl Wiring {
    pub(super) fn of(plan: &Plan) -> Self {
        let (servers, members) = (&plan.services.api_servers, &plan.services.members);
        let reach = |server: &ComponentId| {
            let uses = plan.etcd_servers_of(*server);
            bits(members.len(), |at| uses.contains(&members[at]))
        };
        let known = |at: usize| match &plan.services.endpoint {
            Endpoint::OneServer(id) => servers[at] == *id,
            _ => true,
        };
        let reach: Vec<Bits> = servers.iter().map(reach).collect();
        let all = bits(members.len(), |_| true);
        let anywhere = reach.iter().all(|members| *members == all);
        Self { reach, clients_know: bits(servers.len(), known), anywhere }
    }

    /// API servers that may use one of these members.
    pub(super) fn reaching(&self, votes: Bits) -> Bits {
        if self.anywhere {
            return if votes == 0 { 0 } else { Bits::MAX };
        }
        bits(self.reach.len(), |at| self.reach[at] & votes != 0)
    }

    /// Those of these API servers that clients know.
    pub(super) fn known(&self, servers: Bits) -> Bits {
        servers & self.clients_know
    }
}

impl Scenes {
    /// Room for so many.
    fn with_room(places: usize) -> Self {
        let all = vec![Scene::default(); places + 1];
        Self { down: vec![None; places], all, settled: Vec::new(), calm: Vec::new(), now: places }
    }

    /// Room for some.
    pub(super) fn new() -> Self {
        Self::with_room(PLACES)
    }

    /// Keeps none but the present one from now on.
    pub(super) fn forget(&mut self) {
        let now = *self.now();
        *self = Self::with_room(0);
        self.all[0] = now;
    }

    /// Things stand as there.
    pub(super) fn stand_as(&mut self, other: &Self) {
        self.now = self.down.len();
        self.all[self.now] = *other.now();
    }

    /// What followed when things stood so before.
    #[inline]
    pub(super) fn settled(&self) -> Option<&Settled> {
        self.settled.get(self.now).and_then(Option::as_ref)
    }

    /// Keeps what followed now.
    pub(super) fn settle(&mut self, settled: Settled) {
        self.settled.resize(self.down.len(), None);
        if let Some(place) = self.settled.get_mut(self.now) {
            *place = Some(settled);
        }
    }

    /// What such a combination as now means in calm, as far as that is known.
    #[inline]
    pub(super) fn calm(&self) -> Option<&Calm> {
        self.calm.get(self.now).and_then(Option::as_ref)
    }

    /// Where that is kept; [`None`] where nothing is.
    #[inline]
    pub(super) fn calm_place(&mut self) -> Option<&mut Option<Calm>> {
        if self.calm.len() < self.down.len() {
            self.calm.resize(self.down.len(), None);
        }
        self.calm.get_mut(self.now)
    }

    /// How things stand.
    #[inline]
    pub(super) fn now(&self) -> &Scene {
        &self.all[self.now]
    }

    /// Where such a combination is kept; `None` where none is.
    fn place(&self, [low, high]: Signature) -> Option<usize> {
        let mixed = (low ^ high.rotate_left(17)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        usize::try_from(mixed >> 32).ok()?.checked_rem(self.down.len())
    }
}

impl Ideal<'_> {
    /// Sees what has failed now.
    pub(super) fn survey(&mut self) {
        let down = self.process.signature();
        let place = down.and_then(|down| self.scenes.place(down));
        self.scenes.now = place.unwrap_or(self.scenes.down.len());
        let is_known = place.is_some_and(|place| self.scenes.down[place] == down);
        if !is_known {
            self.scenes.all[self.scenes.now] = self.scene_now();
            if let Some(place) = place {
                self.scenes.down[place] = down;
                if let Some(settled) = self.scenes.settled.get_mut(place) {
                    *settled = None;
                }
                if let Some(calm) = self.scenes.calm.get_mut(place) {
                    *calm = None;
                }
            }
        }
    }

    fn scene_now(&self) -> Scene {
        let (plan, process) = (self.plan, &self.process);
        let members = &plan.services.members;
        let group = |ids: &[ComponentId]| Group::of(process, ids);
        let mut voters = group(members);
        let disks = bits(members.len(), |at| process.disk_works(members[at]));
        let stalled = voters.serving & !disks;
        voters.serving &= disks;
        let mut balancers = group(&self.balancers);
        let mut daemons = group(&self.daemons);
        if self.daemons.is_empty() {
            daemons = balancers;
        }
        let fronts = balancers.serving;
        balancers.running &= daemons.running;
        balancers.serving &= daemons.serving;
        let cluster = process.cluster_works();
        Scene {
            members: voters,
            stalled,
            majority: is_majority(voters.serving, members.len()),
            servers: group(&plan.services.api_servers),
            balancers,
            daemons,
            fronts,
            candidates: [group(&self.schedulers), group(&self.managers)],
            cluster,
            address: match &plan.services.endpoint {
                Endpoint::OneServer(id) => process.serves(*id) && cluster,
                Endpoint::Dns { addresses, .. } => {
                    cluster && addresses.iter().any(|id| process.serves(*id))
                }
                _ => true,
            },
        }
    }
}

/// All bits where something holds, else none: a choice without a branch.
#[inline]
pub(super) fn all_if(holds: bool) -> Bits {
    Bits::from(holds).wrapping_neg()
}

/// Whether these are more than half of so many members.
pub(super) fn is_majority(voters: Bits, members: usize) -> bool {
    // A processor of the least that is built for has no instruction that counts bits.
    let mut left = voters;
    for _ in 0..members / 2 {
        left &= left.wrapping_sub(1);
    }
    left != 0
}

/// The numbers of those whose bit is set.
pub(super) fn each_of(mut bits: Bits) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let next = (bits != 0).then(|| bits.trailing_zeros() as usize);
        bits &= bits.wrapping_sub(1);
        next
    })
}

/// A bit for each number below `count` that it holds of.
pub(super) fn bits(count: usize, holds: impl Fn(usize) -> bool) -> Bits {
    (0..count.min(64)).fold(0, |all, at| all | u64::from(holds(at)) << at)
}

//! How a run begins: in the stationary state of a system that has been running for long, or cold.

use super::World;
use super::observer::Observer;
use crate::component::Cause;
use crate::component::id::{ComponentId, Kind};
use crate::component::view::{PeerStream, ProcessState, Settlement};
use crate::kernel::stream::StreamName;
use crate::kernel::time::Time;
use crate::plan::Start;

/// Purposes of the draws for who leads at the start.
const ETCD_DRAW: u32 = 0;
const LEASE_DRAW: u32 = 1;

impl World<'_> {
    /// Begins the run at time 0. Observers see nothing of the settling itself: what was already so
    /// is no transition.
    pub fn begin_run(&mut self, observer: &mut impl Observer) {
        match self.plan.start {
            Start::Settled => self.begin_settled(),
            Start::Cold => self.begin_cold(),
        }
        self.plan_schedule();
        observer.settled(Time::START, &self.all, self.event);
    }

    fn begin_settled(&mut self) {
        self.all.settlement = self.draw_settlement();
        self.settle_neighbours();
        let joined = |id: &ComponentId| !self.unjoined.contains(id);
        let all = self.all.map.components().map(|(id, _)| id);
        let mut all: Vec<ComponentId> = all.filter(joined).collect();
        for id in &all {
            let process = &mut self.all.processes[id.index()];
            process.state = ProcessState::Running;
            process.incarnation = 1;
        }
        // Whoever asks finds its path settled: what serves comes first.
        all.sort_by_key(|id| asks(self.all.map.component(*id).kind));
        let mut nobody = super::observer::Nobody;
        for id in all {
            self.deliver(id, Cause::Settle, &mut nobody);
        }
        self.settle(&mut nobody);
        self.changed = false;
    }

    fn begin_cold(&mut self) {
        for (id, entry) in self.all.map.components() {
            if !entry.kind.is_process() {
                self.all.processes[id.index()].state = ProcessState::Running;
            }
        }
        let members: Vec<ComponentId> = self.all.map.of_kind(Kind::Etcd).collect();
        for a in &members {
            for b in members.iter().filter(|b| *b != a) {
                self.all.set_stream(*a, *b, PeerStream::new(Time::NEVER));
            }
        }
        for machine in &mut self.all.machines {
            machine.powered = false;
        }
        let machines: Vec<_> = self.all.map.machines().map(|(id, _)| id).collect();
        for machine in machines {
            self.power(machine, true, &mut super::observer::Nobody);
        }
        self.settle(&mut super::observer::Nobody);
        self.changed = false;
    }

    /// Who leads at the start: as the plan names them, else drawn evenly. Which keepalived holds the
    /// address is always named: preemption leaves it with the highest priority. kube-vip's holder is
    /// that of its Lease.
    fn draw_settlement(&self) -> Settlement {
        let named = &self.plan.leaders.named;
        let joined = |id: &ComponentId| !self.unjoined.contains(id);
        let members: Vec<ComponentId> = self.all.map.of_kind(Kind::Etcd).filter(joined).collect();
        let mut settlement = Settlement {
            etcd_leader: named.etcd_leader.or_else(|| self.pick(&members, ETCD_DRAW, 0)),
            lease_holders: Vec::new(),
            vip_holder: named.vip_holder,
        };
        for kind in [Kind::Scheduler, Kind::ControllerManager, Kind::KubeVip] {
            let Some(lease) = self.all.map.lease_of(kind) else { continue };
            let candidates: Vec<ComponentId> = self.all.map.of_kind(kind).filter(joined).collect();
            let drawn = || self.pick(&candidates, LEASE_DRAW, u64::from(lease.0));
            if let Some(holder) = named.holder_of(lease).or_else(drawn) {
                settlement.lease_holders.push((lease, holder));
                if kind == Kind::KubeVip {
                    settlement.vip_holder = Some(holder);
                }
            }
        }
        settlement
    }

    fn pick(&self, among: &[ComponentId], purpose: u32, occurrence: u64) -> Option<ComponentId> {
        if among.is_empty() {
            return None;
        }
        let mut draw = self.key.draw(StreamName::of("settlement"), purpose, occurrence);
        let at = usize::try_from(draw.below(among.len() as u64)).unwrap_or(0);
        among.get(at).copied()
    }
}

/// Whether components of this kind only send requests, and answer none.
fn asks(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Scheduler | Kind::ControllerManager | Kind::KubeVip | Kind::Kubelet | Kind::Client
    )
}

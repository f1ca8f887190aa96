//! Who can reach whom, as things stand: the compiled form of the network.
//!
//! Dense and directed. Faults count up and down on a pair, so that overlapping ones heal in any
//! order. Absent on purpose: connections and retransmission (`transport`), and when things change.

use super::id::MachineId;
use crate::kernel::time::Duration;

/// State of one direction between two machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Direction {
    /// One-way delay without faults.
    pub delay: Duration,
    /// Upper end of the uniform extra delay drawn for each message.
    pub jitter: Duration,
    /// Share of packets lost, in parts per million.
    pub loss: u32,
    /// Extra delay by faults.
    pub extra_delay: Duration,
    /// Extra loss by faults, in parts per million.
    pub extra_loss: u32,
    /// How many faults cut this direction at present.
    pub cuts: u16,
}

impl Direction {
    fn is_lossy(&self) -> bool {
        self.loss + self.extra_loss > 0
    }
}

/// Reachability between all machines.
#[derive(Clone, Debug)]
pub struct Reach {
    count: usize,
    directions: Vec<Direction>,
    ports_closed: Vec<u16>,
    cables_out: Vec<u16>,
    /// Whether packets pass, by direction: follows from the rest.
    open: Vec<bool>,
    /// In how many directions packets get lost: likewise.
    lossy: usize,
    syn: (u32, u32),
}

impl Reach {
    /// A network of `count` machines; `direction` gives the state between two different ones.
    pub fn new(count: usize, mut direction: impl FnMut(MachineId, MachineId) -> Direction) -> Self {
        let id = |i: usize| MachineId(u16::try_from(i).unwrap_or(u16::MAX));
        let directions: Vec<Direction> =
            (0..count * count).map(|at| direction(id(at / count), id(at % count))).collect();
        let (ports_closed, cables_out) = (vec![0; count], vec![0; count]);
        let open = directions.iter().map(|direction| direction.cuts == 0).collect();
        let lossy = directions.iter().filter(|direction| direction.is_lossy()).count();
        Self { count, directions, ports_closed, cables_out, open, lossy, syn: (0, 0) }
    }

    /// The same network of machines whose kernels repeat SYNs so: `tcp_syn_linear_timeouts` and
    /// `CONFIG_HZ`.
    #[must_use]
    pub fn with_syn(self, syn: (u32, u32)) -> Self {
        Self { syn, ..self }
    }

    /// How the machines' kernels repeat SYNs: `tcp_syn_linear_timeouts` and `CONFIG_HZ`.
    pub fn syn(&self) -> (u32, u32) {
        self.syn
    }

    fn at(&self, from: MachineId, to: MachineId) -> usize {
        from.index() * self.count + to.index()
    }

    /// The state of one direction.
    pub fn direction(&self, from: MachineId, to: MachineId) -> &Direction {
        &self.directions[self.at(from, to)]
    }

    /// Adds this delay to one direction, in place of what was added before.
    pub fn set_extra_delay(&mut self, from: MachineId, to: MachineId, extra: Duration) {
        let at = self.at(from, to);
        self.directions[at].extra_delay = extra;
    }

    /// Adds this loss to one direction, in parts per million, in place of what was added before.
    pub fn set_extra_loss(&mut self, from: MachineId, to: MachineId, extra: u32) {
        let at = self.at(from, to);
        self.lossy -= usize::from(self.directions[at].is_lossy());
        self.directions[at].extra_loss = extra;
        self.lossy += usize::from(self.directions[at].is_lossy());
    }

    /// Whether packets from one machine arrive at the other. A machine always reaches itself.
    pub fn up(&self, from: MachineId, to: MachineId) -> bool {
        from == to || self.open[self.at(from, to)]
    }

    fn follow(&mut self, from: MachineId, to: MachineId) {
        let at = self.at(from, to);
        self.open[at] = self.directions[at].cuts == 0
            && [from, to]
                .iter()
                .all(|m| self.ports_closed[m.index()] == 0 && self.cables_out[m.index()] == 0);
    }

    fn follow_machine(&mut self, machine: MachineId) {
        for other in 0..self.count {
            let other = MachineId(u16::try_from(other).unwrap_or(u16::MAX));
            self.follow(machine, other);
            self.follow(other, machine);
        }
    }

    /// Whether packets pass both ways, as a connection needs.
    pub fn both_ways(&self, a: MachineId, b: MachineId) -> bool {
        self.up(a, b) && self.up(b, a)
    }

    /// One-way delay at present, without jitter. Zero within a machine.
    pub fn delay(&self, from: MachineId, to: MachineId) -> Duration {
        if from == to {
            return Duration::ZERO;
        }
        let direction = self.direction(from, to);
        direction.delay.saturating_add(direction.extra_delay)
    }

    /// Share of packets lost at present, in parts per million (at most a million).
    pub fn loss(&self, from: MachineId, to: MachineId) -> u32 {
        if from == to {
            return 0;
        }
        let direction = self.direction(from, to);
        direction.loss.saturating_add(direction.extra_loss).min(1_000_000)
    }

    /// Whether packets get lost anywhere.
    pub fn is_lossy(&self) -> bool {
        self.lossy > 0
    }

    /// Whether the machine's own interface has carrier.
    pub fn carrier(&self, machine: MachineId) -> bool {
        self.cables_out[machine.index()] == 0
    }

    /// Cuts or restores one direction. Returns whether anything changed for packets.
    pub fn cut(&mut self, from: MachineId, to: MachineId, cut: bool) {
        let at = self.at(from, to);
        let cuts = &mut self.directions[at].cuts;
        *cuts = count(*cuts, cut);
        self.follow(from, to);
    }

    /// Closes or opens the machine's switch port (carrier stays).
    pub fn close_port(&mut self, machine: MachineId, closed: bool) {
        let ports = &mut self.ports_closed[machine.index()];
        *ports = count(*ports, closed);
        self.follow_machine(machine);
    }

    /// Pulls or plugs the machine's cable (carrier goes and comes).
    pub fn pull_cable(&mut self, machine: MachineId, pulled: bool) {
        let cables = &mut self.cables_out[machine.index()];
        *cables = count(*cables, pulled);
        self.follow_machine(machine);
    }
}

fn count(now: u16, more: bool) -> u16 {
    if more { now.saturating_add(1) } else { now.saturating_sub(1) }
}

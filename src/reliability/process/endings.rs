//! What ends next, of a process in which nothing has memory: repairs, boots and outages that are all
//! exponential, so that how long they have lasted says nothing about how long they will.
//!
//! Such a process is a chain of jumps: its state is what is up, down and waiting, and when nothing is
//! drawn ahead, whoever walks along it decides which ending comes first.
//!
//! Absent on purpose: the decision, and time.

use super::{Process, State, cell};
use crate::component::id::MachineId;
use crate::kernel::law::Law;
use crate::kernel::time::Time;
use crate::plan::reliability::{OutageEffect, Reliability};

/// Something under way: a repair, a boot, a common outage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ending {
    number: usize,
    /// How often it would end in a second.
    pub rate: f64,
}

/// How often a law without memory ends in a second; `None`: it has memory, or takes no time.
pub(in crate::reliability) fn rate(law: &Law) -> Option<f64> {
    match law {
        Law::Exponential { mean } => Some(1.0 / mean.as_secs_f64()),
        _ => None,
    }
}

/// Whether no law of failure or repair has memory, and nothing comes by the calendar.
pub fn forgets(laws: &Reliability) -> bool {
    let modes = laws.parts.iter().flat_map(|part| &part.modes);
    let modes = modes.flat_map(|mode| [&mode.failure, &mode.repair]);
    let outages = laws.outages.iter().flat_map(|outage| [&outage.failure, &outage.repair]);
    let shocks = laws.shocks.iter().flat_map(|shock| [&shock.every, &shock.repair]);
    let mut boots = laws.outages.iter().filter_map(|outage| match &outage.effect {
        OutageEffect::Crash { boot } => Some(boot),
        OutageEffect::Overlay => None,
    });
    // A machine that two outages can stop boots by the law of whichever ended last.
    let first = boots.next();
    let one_boot = first.is_none_or(|boot| rate(boot).is_some()) && boots.all(|b| Some(b) == first);
    let mut all = modes.chain(outages).chain(shocks);
    let free = laws.bursts.is_none() && laws.work.is_empty() && one_boot;
    free && all.all(|law| rate(law).is_some())
}

impl Process<'_> {
    /// What is under way, in one order.
    pub fn endings(&self, into: &mut Vec<Ending>) {
        into.clear();
        for (number, slot) in self.slots.iter().enumerate() {
            let law = match slot.state {
                State::Repairing => self.repair_of(number),
                State::Booting => {
                    self.laws.outages.iter().find_map(|outage| match &outage.effect {
                        OutageEffect::Crash { boot } => {
                            let inside = |machine: &MachineId| machine.index() == number;
                            outage.machines.iter().any(inside).then_some(boot)
                        }
                        OutageEffect::Overlay => None,
                    })
                }
                _ => None,
            };
            into.extend(law.and_then(rate).map(|rate| Ending { number, rate }));
        }
        for at in (0..self.outages.len()).filter(|at| self.outages[*at].away) {
            let rate = rate(&self.laws.outages[at].repair);
            into.extend(rate.map(|rate| Ending { number: self.slots.len() + at, rate }));
        }
    }

    fn repair_of(&self, at: usize) -> Option<&Law> {
        let slot = &self.slots[at];
        match slot.shock {
            Some(shock) => Some(&self.laws.shocks[shock].repair),
            None => self.part(at).map(|part| &part.modes[slot.mode].repair),
        }
    }

    /// Lets something under way end now.
    pub fn end(&mut self, ending: &Ending, now: Time) {
        self.now = now;
        self.agenda.set(cell(ending.number), now);
        while self.next() == Some(now) {
            self.step();
        }
    }

    /// Writes down all that tells one state from another, where nothing has memory.
    pub fn stance(&self, into: &mut Vec<usize>) {
        for slot in &self.slots {
            let state = match slot.state {
                State::Up => 0,
                State::Queued(_) => 1,
                State::Repairing => 2,
                State::WaitingForPower => 3,
                State::Booting => 4,
                State::Worked => 5,
            };
            let repair = match (slot.state, slot.shock) {
                (State::Queued(_) | State::Repairing, Some(shock)) => 1 + 2 * shock,
                (State::Queued(_) | State::Repairing, None) => 2 * slot.mode,
                _ => 0,
            };
            into.extend([state, repair]);
        }
        into.extend(self.outages.iter().map(|outage| usize::from(outage.away)));
        for crew in &self.crews {
            into.extend(crew.order());
            into.push(usize::MAX);
        }
    }
}

//! Machines whose processes do not get a processor: all of them stand still together, for spans and
//! at intervals that follow laws, as on an overcommitted host.
//!
//! Absent on purpose: processes that merely run slower. To a protocol made of time-outs a slow process
//! is one that stands still for a while.

use super::World;
use super::observer::Observer;
use super::operator::Timed;
use super::resolve::Hit;
use crate::component::id::Kind;
use crate::component::lever::{Lever, Setting};
use crate::plan::schedule::Action;

/// Purpose of the draws of spans, among a fault's own.
const SPAN_DRAW: u32 = 4;

/// The next change of starved machines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    /// Position of the fault in the schedule.
    index: usize,
    /// Which firing of the fault began it.
    firing: u32,
    /// They stop, or run again.
    stops: bool,
}

impl World<'_> {
    /// A fault begins to starve its machines: they run first.
    pub(super) fn begin_starving(&mut self, index: usize) {
        let firing = self.operator.firings[index];
        self.plan_turn(Turn { index, firing, stops: true });
    }

    fn plan_turn(&mut self, turn: Turn) {
        let plan = self.plan;
        let Action::Starve { runs, stalls } = &plan.schedule.faults[turn.index].action else {
            return;
        };
        let law = if turn.stops { runs } else { stalls };
        let at = self.fault_span(law, turn.index, SPAN_DRAW, self.now);
        self.plan_setting(at, Timed::Starve(turn));
    }

    /// Starved machines stop or run on, unless the fault has ended or fired again since.
    pub(super) fn starve(&mut self, turn: Turn, observer: &mut impl Observer) {
        if self.operator.firings[turn.index] != turn.firing {
            return;
        }
        self.begin_fault(turn.index, !turn.stops);
        let hits = self.operator.hit_by(turn.index).to_vec();
        let lever = if turn.stops { Lever::Pause } else { Lever::Resume };
        self.changed = true;
        for setting in self.of_machines(&hits, lever) {
            self.set(&setting, observer);
        }
        self.plan_turn(Turn { stops: !turn.stops, ..turn });
    }

    /// A lever of every process on the machines that are hit.
    pub(super) fn of_machines(&self, hits: &[Hit], lever: Lever) -> Vec<Setting> {
        let machines = hits.iter().filter_map(|hit| self.machine_hit(*hit));
        let there = machines.flat_map(|machine| self.all.map.on_machine(machine));
        let programs = there.filter(|id| self.all.map.component(*id).kind != Kind::Client);
        programs.map(|id| Setting::Process(id, lever)).collect()
    }
}

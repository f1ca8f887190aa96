//! The schedule of faults: targets by name become targets by number, and a repair finds the fault
//! that it repairs.

use super::layout::Layout;
use crate::component::map::MachineRole;
use crate::fault::target;
use crate::fault::{Act, Given, Whom};
use crate::plan::schedule::{Action, Fault as Planned, Schedule, Target};
use crate::scenario::raw::fault::Fault;
use crate::scenario::raw::{Placed, Scenario};

/// The schedule, one fault for each of the file's, in its order.
pub(super) fn schedule(scenario: &Scenario, layout: &Layout) -> Schedule {
    let mut faults: Vec<Planned> = Vec::new();
    for (index, fault) in scenario.faults.iter().enumerate() {
        let repairs = repaired(&scenario.faults, index);
        let act =
            act(fault, layout, repairs.and_then(|earlier| Some((earlier, faults.get(earlier)?))));
        faults.push(Planned {
            verb: fault.verb.name,
            at: fault.at.clone(),
            lasts: fault.lasts.clone(),
            every: fault.every.clone(),
            action: act.action,
            undo: act.undo,
            targets: act.targets,
            repairs,
        });
    }
    Schedule { faults }
}

/// Which earlier fault, by position, the fault at `index` repairs: the last one with a verb that
/// this verb repairs, and the same value. Only a fault without an end of its own is repaired, else
/// its end is the repair.
pub fn repaired(faults: &[Fault], index: usize) -> Option<usize> {
    let repair = &faults[index];
    let earlier = faults[..index].iter().rposition(|fault| {
        repair.verb.repairs.contains(&fault.verb.name) && fault.value == repair.value
    });
    earlier.filter(|earlier| faults[*earlier].lasts.is_none())
}

fn act(fault: &Fault, layout: &Layout, repairs: Option<(usize, &Planned)>) -> Act {
    if let Some((earlier, planned)) = repairs {
        let action = match (fault.verb.whom, &planned.undo) {
            (Whom::Earlier, Some(undo)) => undo.clone(),
            _ => (fault.verb.act)(&given(fault, layout)).action,
        };
        let targets = vec![Target::SameAs(earlier)];
        return Act { action: with_others_of(action, earlier), undo: None, targets };
    }
    (fault.verb.act)(&given(fault, layout))
}

/// The other side of a repair is what the repaired fault's was, however it was drawn.
fn with_others_of(action: Action, earlier: usize) -> Action {
    let others = vec![Target::OthersOf(earlier)];
    match action {
        Action::Link { both, up, .. } => Action::Link { others, both, up },
        Action::Delay { by, .. } => Action::Delay { others, by },
        Action::Loss { ppm, .. } => Action::Loss { others, ppm },
        other => other,
    }
}

fn given(fault: &Fault, layout: &Layout) -> Given {
    let read = |placed: &[Placed]| -> Vec<Target> {
        let targets = placed.iter();
        targets.filter_map(|p| target::read(&p.value, fault.verb.whom, &layout.map).ok()).collect()
    };
    let targets = read(&fault.targets);
    let others = match fault.verb.whom {
        Whom::Zones => outside_of(&targets, layout),
        _ => read(&fault.others),
    };
    Given { targets, others, options: fault.options.clone() }
}

/// Every machine that stands in none of the zones.
fn outside_of(zones: &[Target], layout: &Layout) -> Vec<Target> {
    let machines = layout.map.machines();
    let away = machines.filter(|(_, machine)| {
        machine.role == MachineRole::Outside || !zones.contains(&Target::Zone(machine.zone))
    });
    away.map(|(id, _)| Target::Machine(id)).collect()
}

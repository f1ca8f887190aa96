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
        let own = || (fault.verb.act)(&given(fault, layout)).action;
        let action = planned.undo.clone().unwrap_or_else(own);
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
        targets.filter_map(|p| target::read(&p.value, fault.whom(), &layout.map).ok()).collect()
    };
    let targets = read(&fault.targets);
    let others = match fault.whom() {
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

#[cfg(test)]
mod tests {
    use crate::plan::schedule::{Action, Schedule, Target};
    use crate::scenario::load::load_text;

    fn schedule(faults: &str) -> Schedule {
        let text = format!(
            r#"{{"apiVersion": "hasim/v1", "kind": "Scenario", "faults": {faults},
                "cluster": {{"zones": ["a", "b"]}}}}"#
        );
        let loaded = load_text("x.json", &text);
        let wrong: Vec<_> = loaded.diagnostics.iter().collect();
        loaded.plan.unwrap_or_else(|| panic!("{wrong:#?}")).schedule
    }

    /// Law: a repair undoes what the fault that it repeats did, to whom that fault did it.
    #[test]
    fn repairs_undo_the_fault_that_they_repeat() {
        let schedule = schedule(
            r#"[{"at": "1s", "partition": ["leader of etcd", "client"]},
                {"at": "2s", "isolate": "cp1", "carrier": "kept"},
                {"at": "3s", "heal": ["leader of etcd", "client"]},
                {"at": "4s", "heal": "cp1"}]"#,
        );
        let repairs: Vec<_> = schedule.faults.iter().map(|fault| fault.repairs).collect();
        assert_eq!(repairs, [None, None, Some(0), Some(1)]);
        let heal = &schedule.faults[2];
        assert_eq!(heal.targets, [Target::SameAs(0)]);
        let others = vec![Target::OthersOf(0)];
        assert_eq!(heal.action, Action::Link { others, both: true, up: true });
        assert_eq!(schedule.faults[3].action, Action::Port(true));
    }

    /// Law: a fault with an end of its own is not repaired by another.
    #[test]
    fn what_ends_by_itself_is_not_repaired() {
        let schedule = schedule(
            r#"[{"at": "1s", "pause": "cp1/etcd", "for": "5s"}, {"at": "2s", "resume": "cp1/etcd"}]"#,
        );
        assert_eq!(schedule.faults[1].repairs, None);
        assert!(matches!(schedule.faults[1].targets[..], [Target::Process(_)]));
    }

    /// Law: a zone without network reaches nobody outside of it, the clients included.
    #[test]
    fn a_zone_without_network_is_cut_from_everything_else() {
        let schedule = schedule(r#"[{"at": "1s", "zoneOutage": "b", "loses": "network"}]"#);
        let Action::Link { others, both: true, up: false } = &schedule.faults[0].action else {
            panic!("{:?}", schedule.faults[0].action)
        };
        // cp1, cp3, lb1 stand in zone a; the clients in none.
        assert_eq!(others.len(), 4);
    }
}

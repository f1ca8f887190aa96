//! Repairs follow what they repair.

use super::all::scenario;
use super::{Problem, Rule};
use crate::fault::Whom;
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::lower::Subject;
use crate::scenario::lower::repaired;
use crate::scenario::raw::Placed;
use crate::scenario::reader::listed;

const CODE: Code = Code::new(210);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "a repair of nothing",
        explanation: "`heal` ends an earlier isolate, partition, oneWay, slowLink, lossyLink, skewClock or zoneOutage and repeats its value. `start`, `resume`, `powerOn` and `freeDisk` may name a process or machine by itself; by role they too repeat an earlier fault's value, since nobody who is down leads. A fault with `for` ends by itself.",
        bad: scenario!(
            r#""faults": [ { "at": "1m", "isolate": "cp1" }, { "at": "2m", "heal": "cp2" } ]"#
        ),
        good: scenario!(
            r#""faults": [ { "at": "1m", "isolate": "cp1" }, { "at": "2m", "heal": "cp1" } ]"#
        ),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let faults = &subject.scenario.faults;
    let mut problems = Vec::new();
    for (index, fault) in faults.iter().enumerate().filter(|(_, f)| !f.verb.repairs.is_empty()) {
        let needed = fault.verb.whom == Whom::Earlier || fault.targets.iter().any(by_role);
        if !needed || repaired(faults, index).is_some() {
            continue;
        }
        let verbs = listed(fault.verb.repairs.iter().copied(), "or");
        let message = format!("`{}` finds no earlier fault to end", fault.verb.name);
        let problem = Problem::error(CODE, fault.verb_path(), message);
        problems.push(
            problem.help(format!("it repeats the value of an earlier {verbs} without `for`")),
        );
    }
    problems
}

/// Whether a target means whoever has a role or is drawn.
fn by_role(target: &Placed) -> bool {
    target.value.as_str().is_none_or(|text| text.contains(" of "))
}

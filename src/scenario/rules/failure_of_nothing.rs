//! What fails by a rate is there.

use super::all::scenario;
use super::{Problem, Rule};
use crate::component::map::MachineRole;
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::lower::Subject;
use crate::scenario::lower::reliability::things;
use crate::scenario::raw::reliability::Class;
use crate::scenario::section::GIVEN;

const CODE: Code = Code::new(254);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "failures of a class that is empty",
        explanation: "`reliability` gives rates class by class, and a class without things in this cluster never fails: machines.etcd where etcd is stacked, balancers where clients know every API server, workers where there are none. What a preset says of such a class is passed over; what the file says may be meant for another topology, or be a mistake, so it is only told.",
        bad: scenario!(
            r#""reliability": { "machines": { "etcd": { "perYear": 2, "repair": "1h" } } }"#
        ),
        good: scenario!(
            r#""reliability": { "machines": { "controlPlane": { "perYear": 2, "repair": "1h" } } }"#
        ),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let things = things(&subject.layout);
    let is_empty = |class: Class| things.iter().all(|thing| thing.class != class);
    let section = &subject.scenario.reliability;
    let given = section.classes.iter().filter(|entry| entry.source == GIVEN);
    let idle = given.filter(|entry| !entry.modes.is_empty() && is_empty(entry.class));
    idle.map(|entry| {
        let message = format!("there is nothing of the class `{}`", entry.class.name());
        let problem = Problem::warning(CODE, entry.path.clone(), message);
        match entry.class {
            Class::Machine(MachineRole::Etcd) => {
                problem.help("its members run on the control-plane machines: give those their rates, or make the topology external")
            }
            _ => problem.help("leave it out, or add what it is meant for to the cluster"),
        }
    })
    .collect()
}

//! Targets of faults exist.

mod role;

use super::all::scenario;
use super::{Problem, Rule};
use crate::fault::Whom;
use crate::fault::target::{self, TargetProblemSort};
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::lower::Subject;
use crate::scenario::lower::repaired;

const CODE: Code = Code::new(206);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "a target that does not exist",
        explanation: "A fault hits a machine (cp1), a process (cp1/etcd), a role at that moment (leader of etcd, follower of etcd, holder of vip, machine of leader of kube-scheduler), a program on such a machine (kube-apiserver on leader of etcd), every machine of a zone (zone a), or one drawn at random (random: controlPlane). The machines are cp1, etcd1, lb1, worker1 and so on, and `client` for the place where clients stand.",
        bad: scenario!(r#""faults": [ { "at": "30s", "kill": "cp1/etdc" } ]"#),
        good: scenario!(r#""faults": [ { "at": "30s", "kill": "cp1/etcd" } ]"#),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let wanted = [TargetProblemSort::Unknown, TargetProblemSort::Form];
    target_problems(subject, CODE, &wanted)
}

/// Problems of these sorts with the targets of all faults.
pub(super) fn target_problems(
    subject: &Subject,
    code: Code,
    sorts: &[TargetProblemSort],
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let faults = &subject.scenario.faults;
    for (index, fault) in faults.iter().enumerate() {
        // What a repair hits is what the fault hit; it repeats that fault's value in full.
        if fault.whom() == Whom::Earlier || repaired(faults, index).is_some() {
            continue;
        }
        for placed in fault.targets.iter().chain(&fault.others) {
            let read = target::read(&placed.value, fault.whom(), &subject.layout.map);
            let Some(found) = read.map_or_else(Some, |target| role::missing(&target, subject))
            else {
                continue;
            };
            if sorts.contains(&found.sort) {
                let problem = Problem::error(code, placed.path.clone(), found.message);
                problems.push(problem.help(found.help));
            }
        }
    }
    problems
}

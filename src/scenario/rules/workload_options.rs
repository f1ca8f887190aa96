//! A workload's options go together.

use super::all::scenario;
use super::{Problem, Rule};
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::lower::Subject;
use crate::scenario::raw::workload::{KindWord, Workload};

const CODE: Code = Code::new(262);

/// The most pods of all workloads together.
const PODS_MAX: u64 = 5_000;

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "options of a workload that contradict each other",
        explanation: "A bare pod is one pod. Only a StatefulSet has a `podManagementPolicy`: a Deployment creates its pods all at once. All workloads together have at most 5,000 pods.",
        bad: scenario!(
            r#""cluster": { "workers": { "replicas": 1 } }"#
            r#""workloads": [ { "name": "job", "kind": "Pod", "replicas": 3 } ]"#
        ),
        good: scenario!(
            r#""cluster": { "workers": { "replicas": 1 } }"#
            r#""workloads": [ { "name": "web", "kind": "Deployment", "replicas": 3 } ]"#
        ),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let workloads = &subject.scenario.workloads;
    let mut problems: Vec<Problem> = workloads.iter().flat_map(contradictions).collect();
    let mut pods = 0;
    for workload in workloads {
        let before = pods;
        pods += u64::from(workload.section.params.replicas);
        if before <= PODS_MAX && pods > PODS_MAX {
            let message = format!("there can be {PODS_MAX} pods in all workloads together");
            problems.push(Problem::error(CODE, workload.section.place("replicas"), message));
        }
    }
    problems
}

fn contradictions(workload: &Workload) -> Vec<Problem> {
    let (section, options) = (&workload.section, &workload.section.params);
    let mut problems = Vec::new();
    if options.kind == KindWord::Pod && options.replicas != 1 {
        let message = format!("a bare pod is one pod, not {}", options.replicas);
        let help = "a Deployment or a StatefulSet has `replicas`";
        problems.push(Problem::error(CODE, section.place("replicas"), message).help(help));
    }
    if options.kind != KindWord::StatefulSet && section.gives("podManagementPolicy") {
        let place = section.place("podManagementPolicy");
        let message = "only a StatefulSet has a `podManagementPolicy`";
        problems.push(Problem::error(CODE, place, message));
    }
    problems
}

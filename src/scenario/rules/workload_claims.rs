//! Claims on pods need pods.

use super::all::scenario;
use super::{Problem, Rule};
use crate::plan::service::Service;
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::lower::Subject;
use crate::scenario::raw::expect::Subject as Claimed;

const CODE: Code = Code::new(263);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "a claim on pods where there are none",
        explanation: "The service `workload` is the ready share of the desired pods. A scenario without `workloads` has no such share, and a claim on it would hold whatever happened.",
        bad: scenario!(r#""expect": [ { "service": "workload", "upAtEnd": true } ]"#),
        good: scenario!(
            r#""cluster": { "workers": { "replicas": 2 } }"#
            r#""workloads": [ { "name": "web" } ]"#
            r#""expect": [ { "service": "workload", "upAtEnd": true } ]"#
        ),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let desired = |w: &crate::scenario::raw::workload::Workload| w.section.params.replicas > 0;
    if subject.scenario.workloads.iter().any(desired) {
        return Vec::new();
    }
    let claims = subject.scenario.expect.iter();
    let on_pods = claims.filter(|c| matches!(&c.subject, Claimed::Service(Service::Workload, _)));
    let problem = |path| Problem::error(CODE, path, "there is no pod in this scenario");
    on_pods.map(|c| problem(c.path.key("service")).help("list some `workloads`")).collect()
}

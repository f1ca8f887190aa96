//! Workloads have names of their own, as Kubernetes allows them.

use super::all::scenario;
use super::{Problem, Rule};
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::lower::Subject;

const CODE: Code = Code::new(260);

/// The longest name. Kubernetes: a DNS label of RFC 1123.
const LENGTH_MAX: usize = 63;

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "a workload's name that is taken or not possible",
        explanation: "Workloads of one kind have different names, of lower-case letters, digits and `-`, at most 63, and with a letter or digit at both ends, as Kubernetes has it. A pod's name is made from it.",
        bad: scenario!(
            r#""cluster": { "workers": { "replicas": 1 } }"#
            r#""workloads": [ { "name": "Web Shop" } ]"#
        ),
        good: scenario!(
            r#""cluster": { "workers": { "replicas": 1 } }"#
            r#""workloads": [ { "name": "web-shop" } ]"#
        ),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let workloads = &subject.scenario.workloads;
    let mut problems = Vec::new();
    for (at, workload) in workloads.iter().enumerate() {
        let place = workload.section.path.key("name");
        let name = workload.name.escape_debug();
        if !is_label(&workload.name) {
            let message = format!("a workload cannot be called `{name}`");
            let help = "lower-case letters, digits and `-`, such as `web-shop`";
            problems.push(Problem::error(CODE, place, message).help(help));
        } else if workloads[..at].iter().any(|other| other.object() == workload.object()) {
            let message = format!("there is another `{}`", workload.object());
            problems.push(Problem::error(CODE, place, message));
        }
    }
    problems
}

fn is_label(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let ends = name.starts_with(plain) && name.ends_with(plain);
    ends && name.len() <= LENGTH_MAX && name.chars().all(|c| plain(c) || c == '-')
}

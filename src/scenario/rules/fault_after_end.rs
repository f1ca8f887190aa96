//! Faults happen within the run.

use super::all::scenario;
use super::{Problem, Rule};
use crate::kernel::law::Law;
use crate::kernel::time::Duration;
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::lower::Subject;

const CODE: Code = Code::new(208);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "a fault after the end of the run",
        explanation: "`run.until` ends the run, and what is planned for later never happens. Either the run is too short or the time is mistyped. A law is refused only if no time it can give lies within the run.",
        bad: scenario!(
            r#""faults": [ { "at": "10m", "kill": "cp1/etcd" } ], "run": { "until": "5m" }"#
        ),
        good: scenario!(
            r#""faults": [ { "at": "10m", "kill": "cp1/etcd" } ], "run": { "until": "15m" }"#
        ),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let run = &subject.scenario.run.section;
    let until = run.params.until;
    let late = subject.scenario.faults.iter().filter(|fault| least(&fault.at) >= until);
    late.map(|fault| {
        let message = format!("the run ends after {}, before this can happen", until.human());
        Problem::error(CODE, fault.path.key("at"), message)
            .also(run.place("until"), "the end of the run")
            .help(format!("faults happen before `run.until`, which is {} here", until.human()))
    })
    .collect()
}

/// The least span that a law can give.
pub(super) fn least(law: &Law) -> Duration {
    match law {
        Law::Fixed(span) => *span,
        Law::Uniform { from, .. } => *from,
        Law::Empirical(samples) => samples.first().copied().unwrap_or_default(),
        _ => Duration::ZERO,
    }
}

//! A timing has something to time.

use super::all::scenario;
use super::{Problem, Rule};
use crate::plan::timings::Timing;
use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::lower::Subject;
use crate::scenario::raw::cluster::EndpointKind;

const CODE: Code = Code::new(253);

/// The rule.
pub(super) const RULE: Rule<Subject> = Rule {
    info: CodeInfo {
        code: CODE,
        title: "a timing of what is not there",
        explanation: "`timings` put laws in the place of protocols. vip.takeover needs an address that moves (endpoint kind vip), lb.fall and lb.rise a balancer.",
        bad: scenario!(
            r#""cluster": { "endpoint": { "kind": "all-servers" } }, "timings": { "vip.takeover": "2s" }"#
        ),
        good: scenario!(
            r#""cluster": { "endpoint": { "kind": "vip" } }, "timings": { "vip.takeover": "2s" }"#
        ),
    },
    check,
};

fn check(subject: &Subject) -> Vec<Problem> {
    let kind = subject.scenario.cluster.endpoint.params.kind;
    let balanced = subject.scenario.cluster.has_balancers();
    let places = &subject.scenario.timings.places;
    let of_nothing = places.iter().filter(|(timing, _)| match timing {
        Timing::VipTakeover => !matches!(kind, EndpointKind::Vip | EndpointKind::KubeVip),
        Timing::LbFall | Timing::LbRise => !balanced,
        _ => false,
    });
    of_nothing
        .map(|(timing, path)| {
            let message = match timing {
                Timing::VipTakeover => "there is no address that moves",
                _ => "there is no balancer",
            };
            Problem::error(CODE, path.clone(), message).help("leave it out")
        })
        .collect()
}

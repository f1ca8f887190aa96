//! Every rule of scenarios, in the order of their codes.

use super::{Rule, check};
use crate::scenario::code::CodeInfo;
use crate::scenario::diagnostic::Diagnostics;
use crate::scenario::document::Document;
use crate::scenario::lower::Subject;

/// A scenario file with the given parts, for examples.
macro_rules! scenario {
    ($($line:literal)+) => {
        concat!("{ \"apiVersion\": \"hasim/v1\", \"kind\": \"Scenario\"", $(",\n  ", $line,)+ " }")
    };
}
pub(super) use scenario;

/// Every rule.
pub const RULES: [&Rule<Subject>; 43] = [
    &super::counts::RULE,
    &super::topology::RULE,
    &super::zones::RULE,
    &super::names::RULE,
    &super::endpoint::RULE,
    &super::target_exists::RULE,
    &super::target_fits::RULE,
    &super::fault_after_end::RULE,
    &super::repair_after_end::RULE,
    &super::nothing_to_repair::RULE,
    &super::metric::RULE,
    &super::limit::RULE,
    &super::leader::RULE,
    &super::node::RULE,
    &super::even_members::RULE,
    &super::election_round_trip::RULE,
    &super::measure_from::RULE,
    &super::client_target::RULE,
    &super::zero_span::RULE,
    &super::versions::RULE,
    &super::overrides::RULE,
    &super::groups::RULE,
    &super::etcd_options::RULE,
    &super::api_server_options::RULE,
    &super::scheduler_options::RULE,
    &super::controller_manager_options::RULE,
    &super::kubelet_options::RULE,
    &super::haproxy_options::RULE,
    &super::keepalived_options::RULE,
    &super::nobody_elected::RULE,
    &super::kube_vip_options::RULE,
    &super::long_lived::RULE,
    &super::client_resource::RULE,
    &super::reliability_names::RULE,
    &super::repair_crews::RULE,
    &super::immediate_failure::RULE,
    &super::timing_of_nothing::RULE,
    &super::failure_of_nothing::RULE,
    &super::workload_names::RULE,
    &super::workload_nodes::RULE,
    &super::workload_options::RULE,
    &super::workload_claims::RULE,
    &super::informer_options::RULE,
];

/// Holds a scenario to every rule.
pub fn check_scenario(subject: &Subject, document: &Document) -> Diagnostics {
    check(&RULES, subject, document)
}

/// The pages of all rules' codes.
pub fn infos() -> impl Iterator<Item = &'static CodeInfo> {
    RULES.into_iter().map(|rule| &rule.info)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::load::load_text;
    use crate::scenario::rules::misleading_examples;

    /// Law: a rule's bad example has its problem and no other, its good example none.
    #[test]
    fn examples_show_their_rules() {
        let infos: Vec<CodeInfo> = infos().copied().collect();
        let misleading = misleading_examples(&infos, |text| load_text("x.json", text).diagnostics);
        assert!(misleading.is_empty(), "{}", misleading.join("\n\n"));
    }

    /// Law: codes are in order, once each, and every one is explained in sentences.
    #[test]
    fn every_rule_is_explained_once() {
        let infos: Vec<_> = infos().collect();
        assert!(infos.windows(2).all(|pair| pair[0].code < pair[1].code));
        for info in infos {
            assert!(info.explanation.ends_with('.') && !info.title.ends_with('.'), "{info:?}");
        }
    }
}

//! What rules of meaning are made of. A rule is one file with one [`Rule`]: its code, its page
//! with a bad and a good example, which are its tests, and its check.
//!
//! Rules speak of key paths, not of text, so that a plan built by a program is held to them too.

pub mod all;
mod api_server_options;
mod client_resource;
mod client_target;
mod controller_manager_options;
mod counts;
mod election_round_trip;
mod endpoint;
mod etcd_options;
mod even_members;
mod failure_of_nothing;
mod fault_after_end;
mod groups;
mod haproxy_options;
mod immediate_failure;
mod informer_options;
mod keepalived_options;
mod kube_vip_options;
mod kubelet_options;
mod leader;
mod limit;
mod long_lived;
mod measure_from;
mod metric;
mod names;
mod nobody_elected;
mod node;
mod nothing_to_repair;
mod overrides;
mod reliability_names;
mod repair_after_end;
mod repair_crews;
mod scheduler_options;
mod target_exists;
mod target_fits;
mod timing_of_nothing;
mod topology;
mod versions;
mod workload_claims;
mod workload_names;
mod workload_nodes;
mod workload_options;
mod zero_span;
mod zones;

use crate::scenario::code::{Code, CodeInfo};
use crate::scenario::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::scenario::document::{Document, Path};

/// One rule on a subject `S`: a scenario, a plan, a section.
#[derive(Debug)]
pub struct Rule<S: ?Sized + 'static> {
    /// Its code's page.
    pub info: CodeInfo,
    /// What the rule says of a subject; nothing if it is kept.
    pub check: fn(&S) -> Vec<Problem>,
}

/// A rule that is not kept: a diagnostic before it has a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The rule's code.
    pub code: Code,
    /// An error where the real software refuses it, a warning where it merely runs badly.
    pub severity: Severity,
    /// The value that is wrong.
    pub path: Path,
    /// What is wrong, in a line that can stand alone.
    pub message: String,
    /// A remark at the value.
    pub label: String,
    /// Other values that have a part in it, each with a remark. Defaults have no place in a file
    /// and are left out there.
    pub also: Vec<(Path, String)>,
    /// What would be right.
    pub help: Option<String>,
}

impl Problem {
    /// An error at a value.
    pub fn error(code: Code, path: Path, message: impl Into<String>) -> Problem {
        Problem {
            code,
            severity: Severity::Error,
            path,
            message: message.into(),
            label: String::new(),
            also: Vec::new(),
            help: None,
        }
    }

    /// A warning at a value.
    pub fn warning(code: Code, path: Path, message: impl Into<String>) -> Problem {
        Problem { severity: Severity::Warning, ..Problem::error(code, path, message) }
    }

    /// With a remark at the value.
    pub fn label(mut self, text: impl Into<String>) -> Problem {
        self.label = text.into();
        self
    }

    /// With another value that has a part in it.
    pub fn also(mut self, path: Path, text: impl Into<String>) -> Problem {
        self.also.push((path, text.into()));
        self
    }

    /// With what would be right.
    pub fn help(mut self, text: impl Into<String>) -> Problem {
        self.help = Some(text.into());
        self
    }

    /// The problem with its places in a file.
    pub fn in_document(self, document: &Document) -> Diagnostic {
        let mut diagnostic = Diagnostic {
            severity: self.severity,
            help: self.help,
            ..Diagnostic::error(self.code, self.message)
        };
        diagnostic = diagnostic.at(document.span_of(&self.path), self.label);
        for (path, text) in self.also {
            if let Some(node) = document.node(&path) {
                diagnostic = diagnostic.also(node.span, text);
            }
        }
        diagnostic
    }
}

/// Holds a subject to the rules; what they say gets its places from the document.
pub fn check<S: ?Sized>(rules: &[&Rule<S>], subject: &S, document: &Document) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    for rule in rules {
        diagnostics.extend((rule.check)(subject).into_iter().map(|p| p.in_document(document)));
    }
    diagnostics
}

/// Rules whose examples do not show what they should: a bad example must have the rule's problem
/// and no other, a good one none. `diagnose` reads a text in full. For the tests of rules.
pub fn misleading_examples(
    infos: &[CodeInfo],
    diagnose: impl Fn(&str) -> Diagnostics,
) -> Vec<String> {
    let mut misleading = Vec::new();
    for info in infos {
        for (text, expected) in [(info.bad, vec![info.code]), (info.good, Vec::new())] {
            let found: Vec<Code> = diagnose(text).iter().map(|found| found.code).collect();
            if found != expected {
                misleading.push(format!("{}: found {found:?} in\n{text}", info.code));
            }
        }
    }
    misleading
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::source::Source;

    const TIGHT: Code = Code::new(999);

    /// A rule on a document, as the test's own example.
    static RULE: Rule<Document> = Rule {
        info: CodeInfo {
            code: TIGHT,
            title: "the deadline is not shorter than the lease",
            explanation: "A leader must give up before others may take over.",
            bad: r#"{ "leases": [ { "lease": 15, "deadline": 20 } ] }"#,
            good: r#"{ "leases": [ { "lease": 15, "deadline": 10 } ] }"#,
        },
        check: tight,
    };

    fn tight(document: &Document) -> Vec<Problem> {
        let section = Path::root().key("leases").index(0);
        let (lease, deadline) = (section.key("lease"), section.key("deadline"));
        let number = |path| document.node(path).and_then(|node| node.to_value().as_u64());
        if number(&deadline) < number(&lease).or(Some(15)) {
            return Vec::new();
        }
        let problem = Problem::error(TIGHT, deadline, "`deadline` must be shorter than `lease`");
        vec![problem.label("too long").also(lease, "the lease").help("the default is 10")]
    }

    fn diagnose(text: &str) -> Diagnostics {
        let (document, _) = Document::parse(&Source::new("x.json", text));
        check(
            &[&RULE],
            &document.unwrap(),
            &Document::parse(&Source::new("x.json", text)).0.unwrap(),
        )
    }

    /// Law: a rule's own examples show it.
    #[test]
    fn examples_are_the_test() {
        assert_eq!(misleading_examples(&[RULE.info], diagnose), [""; 0]);
        let upside_down = CodeInfo { bad: RULE.info.good, good: RULE.info.bad, ..RULE.info };
        assert_eq!(misleading_examples(&[upside_down], diagnose).len(), 2);
    }

    /// Law: values of the file get their places; a default has none and is left out.
    #[test]
    fn problems_find_their_places() {
        let text = RULE.info.bad;
        let all = diagnose(text);
        let labels = &all.iter().next().unwrap().labels;
        let shown: Vec<_> = labels.iter().map(|l| &text[l.span.start..l.span.end]).collect();
        assert_eq!(shown, ["20", "15"]);
        let all = diagnose(r#"{ "leases": [ { "deadline": 20 } ] }"#);
        assert_eq!(all.iter().next().unwrap().labels.len(), 1);
    }
}

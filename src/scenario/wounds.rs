//! What rules may still say of a file whose form is wrong somewhere.
//!
//! Where a field has a wrong form or an unknown name, a default stands in for it. What a rule says of
//! the object around it could be about that default and is left out; and where the object tells what
//! there is (how many machines, how long a run, which releases), so is what rules say elsewhere.

use super::diagnostic::{Diagnostic, Diagnostics, Span};
use super::document::{Document, Node};

/// Objects on which what is said elsewhere depends, by the keys that lead to them.
const BASES: [&[&str]; 9] = [
    &[],
    &["versions"],
    &["run"],
    &["cluster"],
    &["cluster", "controlPlane"],
    &["cluster", "etcd"],
    &["cluster", "endpoint"],
    &["cluster", "endpoint", "loadBalancers"],
    &["cluster", "workers"],
];

/// The objects with errors of form.
#[derive(Debug)]
pub(super) struct Wounds {
    spans: Vec<Span>,
    /// The section with an object that the rest depends on.
    bases: Vec<Span>,
}

impl Wounds {
    /// The objects in which these errors lie.
    pub(super) fn of(document: &Document, errors: &Diagnostics) -> Self {
        let mut wounds = Self { spans: Vec::new(), bases: Vec::new() };
        for error in errors {
            let place = error.span().unwrap_or(document.root.span);
            let mut keys = Vec::new();
            let object = innermost(&document.root, place, &mut keys);
            wounds.spans.push(object.span);
            if BASES.iter().any(|base| keys == *base) {
                let section = keys.first().and_then(|key| document.root.entry(key));
                wounds.bases.push(section.map_or(document.root.span, |entry| entry.node.span));
            }
        }
        wounds
    }

    /// Whether a rule can be right although the form is wrong elsewhere.
    pub(super) fn spare(&self, said: &Diagnostic) -> bool {
        let touches = |span: Span| said.labels.iter().any(|label| within(label.span, span));
        let depends = |base: &Span| !touches(*base);
        !said.labels.is_empty()
            && !self.spans.iter().any(|span| touches(*span))
            && !self.bases.iter().any(depends)
    }
}

fn within(inner: Span, outer: Span) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// The innermost object around a place, and the keys that lead to it.
fn innermost<'d>(node: &'d Node, place: Span, keys: &mut Vec<&'d str>) -> &'d Node {
    for entry in node.entries().unwrap_or_default() {
        if within(place, entry.node.span) && entry.node.entries().is_some() {
            keys.push(&entry.key);
            return innermost(&entry.node, place, keys);
        }
        for item in entry.node.items().unwrap_or_default() {
            if within(place, item.span) && item.entries().is_some() {
                keys.push(&entry.key);
                return innermost(item, place, keys);
            }
        }
    }
    node
}

#[cfg(test)]
mod tests {
    use crate::scenario::load::load_text;

    fn codes(text: &str) -> Vec<String> {
        let found = load_text("x.json", text).diagnostics;
        found.iter().map(|diagnostic| diagnostic.code.to_string()).collect()
    }

    /// Law: an unknown field in one place does not hide what is wrong in another.
    #[test]
    fn every_problem_is_told_in_one_go() {
        let found = codes(
            r#"{ "apiVersion": "hasim/v1", "kind": "Scenario", "metadata": { "colour": "red" },
                 "cluster": { "etcd": { "election-timeout": "300ms" } },
                 "faults": [ { "at": "10m", "stop": "cp1" }, { "at": "30s", "kill": "cp9/etcd" } ] }"#,
        );
        for code in ["S101", "S206", "S208"] {
            assert!(found.iter().any(|found| found == code), "{code} is missing: {found:?}");
        }
    }

    /// Law: what could be about a default that stands in for a wrong field is not said.
    #[test]
    fn nothing_is_said_of_a_default_that_stands_in() {
        let found = codes(
            r#"{ "apiVersion": "hasim/v1", "kind": "Scenario",
                 "cluster": { "controlPlane": { "replicsa": 5 } },
                 "faults": [ { "at": "30s", "kill": "cp5/etcd" } ] }"#,
        );
        assert_eq!(found, ["S101"]);
        let found = codes(
            r#"{ "apiVersion": "hasim/v1", "kind": "Scenario", "run": { "until": "10x" },
                 "faults": [ { "at": "10m", "kill": "cp2/etcd" } ] }"#,
        );
        assert_eq!(found.len(), 1, "{found:?}");
    }
}

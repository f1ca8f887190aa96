//! What several scenarios share because they describe one place: `"environment": "lab.json"` names a
//! file whose values stand where the scenario gives none.
//!
//! The file has `apiVersion`, `kind: Environment` and any fields of a scenario. Where one place had
//! several uses, `variants` has further values by name, and `"lab.json#name"` takes those before the others. Objects are joined
//! field by field, lists of named things (clients) name by name, and only names that the scenario has
//! are joined: an environment may describe more clients than a scenario uses. What the scenario says
//! wins. So are balancers: where the scenario's kind of endpoint has none, or no keepalived, nothing is
//! said of them.
//! Problems with the file's values are shown where the scenario names it.
//!
//! Absent on purpose: environments of environments.

use super::raw::API_VERSION;
use crate::scenario::code::Code;
use crate::scenario::diagnostic::{Diagnostic, Span};
use crate::scenario::document::{Data, Document, Entry, Node};
use crate::scenario::reader::Reader;
use crate::scenario::source::Source;

/// The field that names the file.
pub const FIELD: &str = "environment";

/// The field of the file whose fields are variants.
const VARIANTS: &str = "variants";

/// The value of `kind` in the file.
pub const KIND: &str = "Environment";

/// Joins the environment that the scenario names, if it names one, to the scenario.
pub(super) fn join(
    root: &mut Node,
    files: &dyn Fn(&str) -> Result<String, String>,
    reader: &Reader,
) {
    let Some(named) = root.entry(FIELD).filter(|entry| !entry.node.is_null()) else { return };
    let span = named.node.span;
    let Data::Text(name) = &named.node.data else {
        reader.invalid(&named.node, Code::WRONG_TYPE, "`environment` is the name of a file");
        return;
    };
    let (file, variant) = name.split_once('#').map_or((&**name, None), |(f, v)| (f, Some(v)));
    match files(file).and_then(|text| read(file, text, variant)) {
        Ok(mut environment) => {
            place_at(&mut environment, span);
            match endpoint_kind(root) {
                Some("one-server" | "all-servers" | "kube-vip") => {
                    leave_out(&mut environment, &["cluster", "endpoint", "loadBalancers"]);
                }
                Some("one-balancer") => leave_out(
                    &mut environment,
                    &["cluster", "endpoint", "loadBalancers", "keepalived"],
                ),
                _ => {}
            }
            merge(root, environment);
        }
        Err(message) => {
            let message = format!("the environment cannot be had: {message}");
            reader.report(
                Diagnostic::error(Code::BAD_ENVIRONMENT, message).at(span, "").related(name),
            );
        }
    }
}

/// The fields of an environment file that go into scenarios.
fn read(name: &str, text: String, variant: Option<&str>) -> Result<Node, String> {
    let source = Source::new(name, text);
    let (document, problems) = Document::parse(&source);
    let wrong = problems.iter().find(|problem| problem.severity.word() == "error");
    if let Some(problem) = wrong {
        return Err(problem.message.clone());
    }
    let mut root = document.ok_or("it is empty")?.root;
    let says = |key: &str, value: &str| {
        root.entry(key).is_some_and(|e| matches!(&e.node.data, Data::Text(text) if text == value))
    };
    if !says("apiVersion", API_VERSION) || !says("kind", KIND) {
        return Err(format!("it needs `apiVersion: {API_VERSION}` and `kind: {KIND}`"));
    }
    if let Data::Map(entries) = &mut root.data {
        let own = ["apiVersion", "kind", "metadata", VARIANTS, FIELD];
        let variants = entries.iter().position(|entry| entry.key == VARIANTS);
        let variants = variants.map(|at| entries.remove(at).node);
        entries.retain(|entry| !own.contains(&&*entry.key));
        if let Some(name) = variant {
            let named = variants.as_ref().and_then(|variants| variants.entry(name));
            let chosen = named.ok_or(format!("it has no variant `{name}`"))?.node.clone();
            return Ok(over(chosen, root));
        }
    }
    Ok(root)
}

/// A variant with what all variants share behind it.
fn over(mut variant: Node, shared: Node) -> Node {
    if let (Data::Map(entries), Data::Map(others)) = (&mut variant.data, shared.data) {
        for other in others {
            match entries.iter_mut().find(|entry| entry.key == other.key) {
                Some(entry) => merge(&mut entry.node, other.node),
                None => entries.push(other),
            }
        }
    }
    variant
}

/// The scenario's kind of endpoint, if it names one; what is no kind is told elsewhere.
fn endpoint_kind(root: &Node) -> Option<&str> {
    let endpoint = root.entry("cluster")?.node.entry("endpoint")?;
    match &endpoint.node.entry("kind")?.node.data {
        Data::Text(word) => Some(word),
        _ => None,
    }
}

/// Removes what stands at the end of a path.
fn leave_out(node: &mut Node, path: &[&str]) {
    let (Some((key, rest)), Data::Map(entries)) = (path.split_first(), &mut node.data) else {
        return;
    };
    if rest.is_empty() {
        entries.retain(|entry| entry.key != *key);
    } else if let Some(entry) = entries.iter_mut().find(|entry| entry.key == *key) {
        leave_out(&mut entry.node, rest);
    }
}

/// Gives every value the place at which the scenario names the file.
fn place_at(node: &mut Node, span: Span) {
    node.span = span;
    match &mut node.data {
        Data::Map(entries) => {
            for entry in entries {
                entry.key_span = span;
                place_at(&mut entry.node, span);
            }
        }
        Data::List(items) => items.iter_mut().for_each(|item| place_at(item, span)),
        _ => {}
    }
}

/// Puts values of `other` where `node` has none. A choice between forms (a law, say) is one value:
/// only objects on both sides are joined, and `null` is a value.
fn merge(node: &mut Node, other: Node) {
    match (&mut node.data, other.data) {
        (Data::Map(entries), Data::Map(others)) => {
            for entry in others {
                merge_entry(entries, entry);
            }
        }
        (Data::List(items), Data::List(others)) => merge_named(items, others),
        _ => {}
    }
}

fn merge_entry(entries: &mut Vec<Entry>, other: Entry) {
    match entries.iter_mut().find(|entry| entry.key == other.key) {
        Some(entry) if is_law(&entry.node) => {}
        Some(entry) => merge(&mut entry.node, other.node),
        None if is_named_list(&other.node) => {}
        None => entries.push(other),
    }
}

/// Laws are objects of one field, such as `{"uniform": ["1s", "2s"]}`.
fn is_law(node: &Node) -> bool {
    const LAWS: [&str; 8] = [
        "uniform",
        "exponential",
        "weibull",
        "lognormal",
        "gamma",
        "erlang",
        "hyperexponential",
        "empirical",
    ];
    node.entries().is_some_and(|entries| entries.iter().any(|e| LAWS.contains(&&*e.key)))
}

fn is_named_list(node: &Node) -> bool {
    node.items().is_some_and(|items| items.iter().any(|item| item.entry("name").is_some()))
}

fn merge_named(items: &mut [Node], others: Vec<Node>) {
    let name = |node: &Node| node.entry("name").map(|entry| entry.node.data.clone());
    for other in others {
        let same = items.iter_mut().find(|item| name(item).is_some() && name(item) == name(&other));
        if let Some(item) = same {
            merge(item, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::kernel::time::Duration;
    use crate::scenario::load::{Loaded, load};
    use crate::scenario::source::Source;

    const LAB: &str = r#"{
        "apiVersion": "hasim/v1", "kind": "Environment", "metadata": {"name": "lab"},
        "cluster": {
            "network": {"latency": "50us"},
            "etcd": {"fsync": "130us", "startup": {"uniform": ["1s", "2s"]}}
        },
        "clients": [{"name": "put", "class": "write", "every": "20ms"}, {"name": "get"}]
    }"#;

    fn with(scenario: &str, lab: &str) -> Loaded {
        let files = |name: &str| match name {
            "lab.json" => Ok(lab.to_owned()),
            _ => Err("no such file".to_owned()),
        };
        let text = format!(
            r#"{{"apiVersion": "hasim/v1", "kind": "Scenario", "environment": "lab.json", {scenario}}}"#
        );
        load(&Source::new("a.json", text), &files)
    }

    fn messages(loaded: &Loaded) -> Vec<String> {
        loaded.diagnostics.iter().map(|problem| problem.message.clone()).collect()
    }

    /// Law: the environment's values stand where the scenario has none, its clients only where the
    /// scenario names them, and the scenario's own values win.
    #[test]
    fn the_scenario_wins() {
        let scenario = r#""cluster": {"etcd": {"startup": {"uniform": ["3s", "4s"]}}},
            "clients": [{"name": "put", "every": "40ms"}]"#;
        let loaded = with(scenario, LAB);
        let plan = loaded.plan.as_ref().unwrap_or_else(|| panic!("{:?}", messages(&loaded)));
        assert_eq!(plan.clients.len(), 1);
        assert_eq!(plan.clients[0].1.every, Duration::from_millis(40));
        assert!(plan.clients[0].1.class == crate::component::record::RequestClass::Write);
    }

    /// Law: a variant's values stand before those that all share, and a variant that is not there is told.
    #[test]
    fn a_variant_stands_before_what_is_shared() {
        let variants =
            r#""variants": {"fast": {"clients": [{"name": "put", "every": "1ms"}]}}, "clients""#;
        let lab = LAB.replace(r#""clients""#, variants);
        let named = |variant: &str| {
            let files = |name: &str| match name {
                "lab.json" => Ok(lab.clone()),
                _ => Err("no such file".to_owned()),
            };
            let text = format!(
                r#"{{"apiVersion": "hasim/v1", "kind": "Scenario", "environment": "lab.json#{variant}",
                "clients": [{{"name": "put"}}]}}"#
            );
            load(&Source::new("a.json", text), &files)
        };
        let plan = named("fast").plan.expect("a plan");
        assert_eq!(plan.clients[0].1.every, Duration::from_millis(1));
        assert!(plan.clients[0].1.class == crate::component::record::RequestClass::Write);
        assert!(messages(&named("slow"))[0].contains("no variant `slow`"));
    }

    /// Law: what an environment says of balancers is nothing where the endpoint has none.
    #[test]
    fn balancers_are_left_out_where_there_are_none() {
        let lab = LAB.replace(
            r#""network""#,
            r#""endpoint": {"loadBalancers": {"supervision": "none"}}, "network""#,
        );
        for (kind, balancers) in [("all-servers", 0), ("one-balancer", 1)] {
            let endpoint = format!(r#""cluster": {{"endpoint": {{"kind": "{kind}"}}}}"#);
            let loaded = with(&endpoint, &lab);
            let plan = loaded.plan.as_ref().unwrap_or_else(|| panic!("{:?}", messages(&loaded)));
            assert_eq!(
                plan.map.of_kind(crate::component::id::Kind::LoadBalancer).count(),
                balancers
            );
        }
    }

    /// Law: a file that is missing or none is told once, and so is a wrong value in it.
    #[test]
    fn trouble_is_told() {
        let wrong = LAB.replace("130us", "130");
        for (lab, needle) in [
            ("{", "environment cannot be had"),
            ("{}", "`kind: Environment`"),
            (wrong.as_str(), "130"),
        ] {
            let found = messages(&with(r#""clients": []"#, lab));
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].contains(needle), "{found:?}");
        }
    }
}

//! Places, equality of both formats, bounds, and survival of any bytes.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn parse(name: &str, text: &str) -> (Option<Document>, Diagnostics) {
    Document::parse(&Source::new(name, text))
}

fn good(name: &str, text: &str) -> Document {
    let (document, diagnostics) = parse(name, text);
    assert!(diagnostics.is_empty(), "{text}\n{diagnostics:?}");
    document.unwrap()
}

fn codes(name: &str, text: &str) -> Vec<Code> {
    parse(name, text).1.iter().map(|diagnostic| diagnostic.code).collect()
}

/// Key paths of all values with the text of key and value.
fn shown(text: &str, document: &Document) -> Vec<String> {
    fn walk(text: &str, document: &Document, path: &Path, node: &Node, into: &mut Vec<String>) {
        let slice = |span: Span| &text[span.start..span.end];
        let key = slice(document.key_span_of(path)).to_owned();
        let value = slice(document.span_of(path));
        into.push(format!("{path} | {} | {}", key.escape_debug(), value.escape_debug()));
        for entry in node.entries().unwrap_or_default() {
            walk(text, document, &path.key(entry.key.as_str()), &entry.node, into);
        }
        for (index, item) in node.items().unwrap_or_default().iter().enumerate() {
            walk(text, document, &path.index(index), item, into);
        }
    }
    let mut lines = Vec::new();
    for entry in document.root.entries().unwrap_or_default() {
        walk(text, document, &Path::root().key(entry.key.as_str()), &entry.node, &mut lines);
    }
    lines
}

/// Law: spans of JSON are the text of keys and values, whatever characters lie before them.
#[test]
fn json_places_are_the_text() {
    let text =
        "{ \"ä€𝄞\": \"\\u00e4€\",\r\n\t\"faults\" : [ {\"at\": \"1m\"}, -1.5e3 ],\"x\":{ } }";
    insta::assert_snapshot!(shown(text, &good("x.json", text)).join("\n"), @r#"
    ["ä€𝄞"] | \"ä€𝄞\" | \"\\u00e4€\"
    faults | \"faults\" | [ {\"at\": \"1m\"}, -1.5e3 ]
    faults[0] | {\"at\": \"1m\"} | {\"at\": \"1m\"}
    faults[0].at | \"at\" | \"1m\"
    faults[1] | -1.5e3 | -1.5e3
    x | \"x\" | { }
    "#);
}

/// Law: the same for YAML, whose parser counts characters: with comments, quotes, CRLF, anchors,
/// texts of several lines and values left out.
#[test]
fn yaml_places_are_the_text() {
    let text = "# ä€𝄞 comment\r\nkind: Scenario # 𝄞\r\n\"q ä\": 'it''s €'   \r\nfaults:\r\n  - at: 1m\r\n    \
                kill: &k cp1/etcd\r\n  - at:   2m\r\n    kill: *k\r\n\r\nempty:\r\nflow: { a: [1, two],  b: }\r\n\
                note: |\r\n  ä one\r\n  two\r\n\r\nfolded: some\r\n  words\r\nlast: !!str 15\r\n";
    insta::assert_snapshot!(shown(text, &good("x.yaml", text)).join("\n"), @r#"
    kind | kind | Scenario
    ["q ä"] | \"q ä\" | \'it\'\'s €\'
    faults | faults | - at: 1m\r\n    kill: &k cp1/etcd\r\n  - at:   2m\r\n    kill: *k
    faults[0] | at: 1m\r\n    kill: &k cp1/etcd | at: 1m\r\n    kill: &k cp1/etcd
    faults[0].at | at | 1m
    faults[0].kill | kill | &k cp1/etcd
    faults[1] | at:   2m\r\n    kill: *k | at:   2m\r\n    kill: *k
    faults[1].at | at | 2m
    faults[1].kill | kill | &k cp1/etcd
    empty | empty | empty
    flow | flow | { a: [1, two],  b: }
    flow.a | a | [1, two]
    flow.a[0] | 1 | 1
    flow.a[1] | two | two
    flow.b | b | b
    note | note | ä one\r\n  two
    folded | folded | some\r\n  words
    last | last | !!str 15
    "#);
}

/// Law: a byte order mark shifts nothing.
#[test]
fn byte_order_marks_shift_nothing() {
    for (name, text) in [("x.json", "{\"a\": 1}"), ("x.yaml", "a: 1")] {
        assert_eq!(good(name, text), good(name, &format!("\u{feff}{text}")));
    }
}

/// Law: the format is that of the name; without a known one, that of the text's look.
#[test]
fn formats_are_told_apart() {
    for (name, text, format) in [
        ("a.json", "a: 1", Format::Json),
        ("a.YML", "{}", Format::Yaml),
        ("a.yaml", "{}", Format::Yaml),
        ("-", " \n{}", Format::Json),
        ("a.txt", "# comment\na: 1", Format::Yaml),
    ] {
        assert_eq!(Format::of(&Source::new(name, text)), format, "{name}");
    }
}

/// Law: JSON and YAML of the same content are the same values, in the same order.
#[test]
fn both_formats_say_the_same() {
    let json = r#"{"metadata": {"name": "x", "description": "Claim: a\nb"}, "run": {"until": "5m", "seed": 1},
        "faults": [{"at": "10s", "kill": ["cp1/etcd", "cp2"]}, {"at": {"uniform": ["1s", "2s"]}}],
        "share": 0.25, "on": true, "none": null, "empty": {}, "list": []}"#;
    let yaml = "---\nmetadata:\n  name: x\n  description: |-\n    Claim: a\n    b\nrun: {until: 5m, seed: 1}\nfaults:\n\
        - at: 10s\n  kill:\n  - cp1/etcd\n  - 'cp2'\n- at: {uniform: [1s, 2s]}\nshare: 0.25\non: true\nnone:\nempty: {}\nlist: []\n";
    let (json, yaml) = (good("a.json", json).root.to_value(), good("a.yaml", yaml).root.to_value());
    assert_eq!(json.to_string(), yaml.to_string());
}

/// Law: anchors, aliases and merge keys give what they stand for; what is given wins over what is
/// merged, and what is merged first over what is merged later.
#[test]
fn aliases_and_merges_are_resolved() {
    let text = "a: &a {x: 1, y: 2}\nb: &b\n  y: 3\n  z: 4\nc:\n  <<: [*a, *b]\n  x: 9\nd: *b\ne: {<<: *a}\n'<<': 1\n";
    assert_eq!(
        good("x.yaml", text).root.to_value(),
        json!({
            "a": {"x": 1, "y": 2}, "b": {"y": 3, "z": 4}, "c": {"x": 9, "y": 2, "z": 4},
            "d": {"y": 3, "z": 4}, "e": {"x": 1, "y": 2}, "<<": 1
        })
    );
}

/// Law: the depth that is allowed is the same for both formats, and for what aliases build.
#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let blocks = |depth: usize| "- ".repeat(depth) + "x";
    for depth in [DEPTH_MAX + 1, 200, 300, 100_000] {
        assert_eq!(codes("x.json", &nested(depth)), [Code::TOO_DEEP]);
        assert_eq!(codes("x.yaml", &nested(depth)), [Code::TOO_DEEP]);
        assert_eq!(codes("x.yaml", &blocks(depth)), [Code::TOO_DEEP]);
    }
    assert_eq!(codes("x.json", &nested(DEPTH_MAX)), []);
    assert_eq!(codes("x.yaml", &nested(DEPTH_MAX)), []);
    assert_eq!(codes("x.yaml", &blocks(DEPTH_MAX)), []);
    let half = nested(DEPTH_MAX / 2);
    let deeper = |more: usize| format!("- &a {half}\n- {}*a{}", "[".repeat(more), "]".repeat(more));
    assert_eq!(codes("x.yaml", &deeper(DEPTH_MAX / 2 - 1)), []);
    assert_eq!(codes("x.yaml", &deeper(DEPTH_MAX / 2)), [Code::TOO_DEEP]);
}

/// Law: a path that the file does not have is shown at the nearest field around it that it has.
#[test]
fn absent_paths_have_a_place() {
    let text = r#"{ "cluster": { "etcd": { "members": 3 } } }"#;
    let document = good("x.json", text);
    let at = |path: &str| {
        let span = document.span_of(&path.parse().unwrap());
        &text[span.start..span.end]
    };
    assert_eq!(at("cluster.etcd.members"), "3");
    assert_eq!(at("cluster.etcd.version"), "\"etcd\"");
    assert_eq!(at("cluster.etcd.members[3].x"), "\"members\"");
    assert_eq!(at("faults[2].at"), "");
}

/// Law: of equal keys the first is kept, and all problems come beside the document.
#[test]
fn duplicates_do_not_hide_the_rest() {
    for (name, text) in [
        ("x.json", r#"{"a": 1, "\u0061": 2, "b": {"c": 1, "c": 2}}"#),
        ("x.yaml", "a: 1\n\"a\": 2\nb: {c: 1, c: 2}"),
    ] {
        let (document, diagnostics) = parse(name, text);
        assert_eq!(document.unwrap().root.to_value(), json!({"a": 1, "b": {"c": 1}}));
        assert_eq!(diagnostics.errors(), 2);
    }
}

/// Law: a type that is deserialised from a node fails with the place of its innermost part.
#[test]
fn deserialising_finds_the_innermost_place() {
    use crate::kernel::law::Law;
    for (text, place, message) in [
        (r#"{"uniform": ["30s", "4o s"]}"#, r#""4o s""#, "unknown unit"),
        (r#"{"uniform": ["30s", "40s", "50s"]}"#, r#""50s""#, "one item too many"),
        (r#"{"uniform": ["40s", "30s"]}"#, r#"{"uniform": ["40s", "30s"]}"#, "runs backwards"),
        (r#"{"exponential": {"rate": "1s"}}"#, r#""rate""#, "unknown field"),
        (r#"{"gamma": {"shape": "1", "mean": "1s"}}"#, r#""1""#, "invalid type: string"),
        (r#"{"normal": {}}"#, r#"{"normal": {}}"#, "unknown law"),
    ] {
        let document = good("x.json", text);
        let error = document.root.deserialize::<Law>().unwrap_err();
        let span = error.span().unwrap();
        assert_eq!(&text[span.start..span.end], place);
        assert!(error.to_string().contains(message), "{error}");
    }
}

/// Law: deserialising from nodes gives what `serde_json` gives of the same text.
#[test]
fn deserialising_agrees_with_serde_json() {
    #[derive(Debug, PartialEq, serde::Deserialize)]
    enum Shape {
        Unit,
        New(u8),
        Pair(u8, String),
        Named { x: Option<f64> },
    }
    let text = r#"["Unit", {"New": 3}, {"Pair": [1, "a"]}, {"Named": {"x": 1.5}}, {"Named": {"x": null}}]"#;
    let document = good("x.json", text);
    let expected: Vec<Shape> = serde_json::from_str(text).unwrap();
    assert_eq!(document.root.deserialize::<Vec<Shape>>().unwrap(), expected);
}

/// Random values as files hold them.
fn values() -> impl Strategy<Value = Value> {
    let text = "[a-zäß€𝄞\"\\\\ :#\n\t{}\\[\\],&*!|>'%@`-]{0,8}";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9).prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(text, inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Block YAML of a value, texts in double quotes.
fn yaml_of(value: &Value, indent: usize) -> String {
    let pad = " ".repeat(indent);
    let below = |value: &Value| match value {
        Value::Array(items) if !items.is_empty() => format!("\n{}", yaml_of(value, indent + 2)),
        Value::Object(fields) if !fields.is_empty() => format!("\n{}", yaml_of(value, indent + 2)),
        _ => format!(" {value}\n"),
    };
    match value {
        Value::Array(items) if !items.is_empty() => {
            items.iter().fold(String::new(), |text, item| text + &pad + "-" + &below(item))
        }
        Value::Object(fields) if !fields.is_empty() => {
            fields.iter().fold(String::new(), |text, (key, value)| {
                text + &format!("{pad}{}:{}", Value::from(key.as_str()), below(value))
            })
        }
        _ => format!("{pad}{value}\n"),
    }
}

/// Every span lies in the text on character boundaries; a parent's holds its children's, except
/// through aliases.
fn assert_places(source: &Source, document: Option<&Document>, diagnostics: &Diagnostics) {
    fn assert_inside(source: &Source, span: Span) {
        assert!(span.start <= span.end, "{span:?}");
        assert!(source.text().get(span.start..span.end).is_some(), "{span:?} in {source:?}");
    }
    fn walk(source: &Source, node: &Node) {
        assert_inside(source, node.span);
        for entry in node.entries().unwrap_or_default() {
            assert_inside(source, entry.key_span);
            walk(source, &entry.node);
        }
        node.items().unwrap_or_default().iter().for_each(|item| walk(source, item));
    }
    if let Some(document) = document {
        walk(source, &document.root);
    }
    for label in diagnostics.iter().flat_map(|diagnostic| &diagnostic.labels) {
        assert_inside(source, label.span);
    }
    assert!(document.is_some() || diagnostics.has_errors(), "nothing, and nothing said");
}

fn assert_survives(bytes: Vec<u8>) {
    match Source::from_bytes("x", bytes) {
        Ok(source) => {
            for format in [Format::Json, Format::Yaml] {
                let (document, diagnostics) = Document::parse_as(format, &source);
                assert_places(&source, document.as_ref(), &diagnostics);
                let accepted = serde_json::from_str::<Value>(source.text());
                if format == Format::Json && !diagnostics.iter().any(|d| d.code == Code::TOO_DEEP) {
                    let duplicates = diagnostics.iter().all(|d| d.code == Code::DUPLICATE_KEY);
                    assert_eq!(accepted.is_ok(), duplicates, "{:?}", source.text());
                }
                if let (Format::Json, Ok(value), true, Some(document)) =
                    (format, accepted, diagnostics.is_empty(), document)
                {
                    assert_eq!(document.root.to_value(), value);
                }
            }
        }
        Err(refused) => {
            let mut diagnostics = Diagnostics::new();
            diagnostics.push(refused.1);
            assert_places(&refused.0, None, &diagnostics);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Law: what is written as JSON or YAML is read back, and every place in it lies in the text.
    #[test]
    fn what_is_written_is_read(value in values()) {
        for (name, text) in [
            ("x.json", value.to_string()),
            ("x.json", serde_json::to_string_pretty(&value).unwrap()),
            ("x.yaml", yaml_of(&value, 0)),
            ("x.yaml", value.to_string()),
        ] {
            let source = Source::new(name, text.as_str());
            let (document, diagnostics) = Document::parse(&source);
            assert_places(&source, document.as_ref(), &diagnostics);
            prop_assert!(diagnostics.is_empty(), "{}\n{:?}", text, diagnostics);
            prop_assert_eq!(document.unwrap().root.to_value(), value.clone(), "{}", text);
        }
    }

    /// Law: no bytes make the loader panic, and it accepts as JSON what `serde_json` accepts.
    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        assert_survives(bytes);
    }

    /// Law: the same for texts made of what YAML and JSON find meaningful.
    #[test]
    fn any_syntax_is_survived(
        parts in prop::collection::vec(prop::sample::select(vec![
            "{", "}", "[", "]", ":", ": ", ",", "- ", "-", "? ", "\n", "\r\n", "\r", "  ", "\t", " ", "#", " # ä\n", "\"", "'",
            "|", ">", "|-\n", ">2", "&a ", "*a", "<<", "<<: *a", "!", "!!str ", "!x ", "%YAML 1.2\n", "---", "---\n", "...\n", "a", "ä€𝄞",
            "\u{feff}", "\u{85}", "\u{2028}", "\0", "\\", "\\u", "\\x", "d83d", "1", "1e5", "null", "true", "~", ".inf", "@", "`", "0x1",
        ]), 0..24)
    ) {
        assert_survives(parts.concat().into_bytes());
    }

    /// Law: the same for good files with a few bytes changed, cut out or put in.
    #[test]
    fn mutated_files_are_survived(
        value in values(),
        block in any::<bool>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..3, any::<u8>()), 1..4),
    ) {
        let text = if block { yaml_of(&value, 0) } else { value.to_string() };
        let mut bytes = text.into_bytes();
        for (index, how, byte) in changes {
            let at = index.index(bytes.len() + 1);
            match how {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, byte),
                _ => bytes.iter_mut().skip(at).take(1).for_each(|old| *old = byte),
            }
        }
        assert_survives(bytes);
    }
}

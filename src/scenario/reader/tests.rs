//! The reader held to the examples of the form codes.

use super::*;
use crate::kernel::law::Law;
use crate::kernel::time::Duration;
use crate::scenario::code::CodeInfo;
use crate::scenario::document::Document;

/// A fault as the examples of the form codes write it.
#[derive(Debug, PartialEq)]
struct Fault {
    at: Option<Duration>,
    kill: Option<Vec<String>>,
    lasting: Option<Law>,
    times: u32,
    disk: Option<bool>,
}

fn target(node: &Node, reader: &Reader) -> Option<String> {
    reader.parse(node, "a target such as \"cp1/etcd\"", |text| match text.split_once('/') {
        Some(("", _)) => Err("a machine's name is missing before the `/`".to_owned()),
        _ => Ok(text.to_owned()),
    })
}

fn fault(node: &Node, reader: &Reader) -> Option<Fault> {
    let known = ["at", "for", "kill", "pause", "times", "disk"];
    let fields = reader.fields(node, "a fault", &known)?;
    let verb = fields.one_of(&["kill", "pause"]);
    let kill = verb.and_then(|verb| reader.one_or_many_with(&verb.node, target));
    if let (Some([]), Some(verb)) = (kill.as_deref(), verb) {
        reader.invalid(&verb.node, Code::BAD_LENGTH, "at least one target is needed");
    }
    Some(Fault {
        at: fields.required("at"),
        kill,
        lasting: fields.optional("for"),
        times: fields.or("times", 1),
        disk: fields.optional_with("disk", |node, reader| {
            reader.word(node, &[("keep", false), ("wipe", true)])
        }),
    })
}

fn read(name: &str, text: &str) -> (Option<Fault>, Diagnostics) {
    let source = Source::new(name, text);
    let (document, mut diagnostics) = Document::parse(&source);
    let reader = Reader::new(&source);
    let fault = document.and_then(|document| fault(&document.root, &reader));
    diagnostics.append(reader.finish());
    (fault, diagnostics)
}

/// Law: the bad example of a form code has that problem and no other, the good one none.
#[test]
fn examples_of_form_codes_show_them() {
    let infos: Vec<CodeInfo> =
        crate::scenario::code::all().filter(|info| info.code > Code::new(100)).copied().collect();
    let misleading = crate::scenario::rules::misleading_examples(&infos, |text| read("x", text).1);
    assert!(misleading.is_empty(), "{}", misleading.join("\n"));
}

/// Law: what is right is read, in either format.
#[test]
fn good_fields_are_read() {
    let json = r#"{ "at": "10s", "kill": ["cp1", "cp2/etcd"], "for": "5s", "disk": "wipe", "times": 2e0 }"#;
    let (fault, diagnostics) = read("x.json", json);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let expected = Fault {
        at: Some(Duration::from_secs(10)),
        kill: Some(vec!["cp1".to_owned(), "cp2/etcd".to_owned()]),
        lasting: Some(Law::Fixed(Duration::from_secs(5))),
        times: 2,
        disk: Some(true),
    };
    assert_eq!(fault, Some(expected));
    let yaml = "at: 10s\nkill: [cp1, cp2/etcd]\nfor: 5s\ndisk: wipe\ntimes: 2\n";
    assert_eq!(read("x.yaml", yaml).0, read("x.json", json).0);
}

/// Law: all problems of an object come in one go, in the order of their places.
#[test]
fn all_problems_come_together() {
    let text = r#"{ "kil": "cp1", "at": 15, "for": {"uniform": ["3s", "x"]}, "times": 1.5, "disk": "wpie" }"#;
    let codes: Vec<Code> = read("x.json", text).1.iter().map(|found| found.code).collect();
    assert_eq!(
        codes,
        [
            Code::UNKNOWN_FIELD,
            Code::WRONG_TYPE,
            Code::BAD_LAW,
            Code::BAD_NUMBER,
            Code::UNKNOWN_WORD
        ]
    );
}

/// Law: the place of a bad duration is the part of it that is bad.
#[test]
fn bad_durations_are_shown_where_they_are_bad() {
    for (name, text, place) in [
        ("x.json", r#"{"at": "10s5x"}"#, "x"),
        ("x.yaml", "at: 10s5x", "x"),
        ("x.yaml", "at: '10s5'", "'10s5'"),
        ("x.json", r#"{"at": "10s\u0035x"}"#, r#""10s\u0035x""#),
    ] {
        let found = read(name, text).1;
        let bad = found.iter().find(|found| found.code == Code::BAD_DURATION).unwrap();
        let span = bad.span().unwrap();
        assert_eq!(&text[span.start..span.end], place);
    }
}

/// Law: `null`, and in YAML a value left out, is a field left out.
#[test]
fn null_is_absent() {
    let (fault, found) = read("x.yaml", "at: 1s\nkill: cp1\nfor:\ntimes: ~\ndisk: null\n");
    assert!(found.is_empty(), "{found:?}");
    let fault = fault.unwrap();
    assert_eq!((fault.lasting, fault.times, fault.disk), (None, 1, None));
}

/// Law: whole numbers are taken whole or not at all.
#[test]
fn whole_numbers_are_whole() {
    let number = |text: &str| {
        let source = Source::new("x.json", text);
        let document = Document::parse(&source).0.unwrap();
        let reader = Reader::new(&source);
        let value: Option<u64> = reader.read(&document.root);
        assert_eq!(value.is_none(), reader.has_errors());
        value
    };
    for (text, value) in [
        ("0", Some(0)),
        ("18446744073709551615", Some(u64::MAX)),
        ("18446744073709551616", None),
        ("1e3", Some(1_000)),
        ("1e300", None),
        ("1.5", None),
        ("-1", None),
        ("-0.0", Some(0)),
    ] {
        assert_eq!(number(text), value, "{text}");
    }
}

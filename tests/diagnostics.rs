//! Bad input gets an answer, never a panic: one bad file for each code, with what is said of it.

use hasim::cli::terminal::{Look, render};
use hasim::scenario::code;
use hasim::scenario::diagnostic::Diagnostics;
use hasim::scenario::load::{Loaded, load};
use hasim::scenario::rules;
use hasim::scenario::source::Source;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Columns of the snapshots.
const WIDTH: usize = 100;

fn folder(name: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(name));
    let entries = entries.expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> = paths.filter(|path| path.is_file()).collect();
    files.sort();
    files
}

fn no_samples(name: &str) -> Result<String, String> {
    Err(format!("there is no {name} here"))
}

/// What is wrong with some bytes under a name.
fn problems(name: &str, bytes: Vec<u8>) -> (Source, Diagnostics) {
    match Source::from_bytes(name, bytes) {
        Ok(source) => {
            let found = load(&source, &no_samples).diagnostics;
            (source, found)
        }
        Err(unusable) => {
            let (source, diagnostic) = *unusable;
            let mut found = Diagnostics::new();
            found.push(diagnostic);
            (source, found)
        }
    }
}

fn stem(path: &Path) -> String {
    path.file_stem().expect("a name").to_string_lossy().into_owned()
}

/// Law: each bad file shows the code it is named after, and what is said of it stays as it is.
#[test]
fn bad_files_are_told_what_is_wrong() {
    for path in folder("tests/bad") {
        let name = format!("bad/{}", path.file_name().expect("a name").to_string_lossy());
        let (source, found) = problems(&name, fs::read(&path).expect("a file"));
        let code = stem(&path);
        if code.starts_with('S') {
            let codes: Vec<String> = found.iter().map(|found| found.code.to_string()).collect();
            assert!(codes.contains(&code), "{name}: {codes:?}");
        }
        let text = render(&source, &found, Look { colour: false, width: WIDTH });
        insta::assert_snapshot!(code, text);
    }
}

/// Law: every code that a text can show has its bad file.
#[test]
fn every_code_has_a_bad_file() {
    let shown: BTreeSet<String> = folder("tests/bad").iter().map(|path| stem(path)).collect();
    let known = code::all().chain(rules::all::infos());
    // A file that cannot be opened and one of more than 4 MiB are no files to keep here.
    let expected = known.filter(|info| !["S001", "S002"].contains(&&*info.code.to_string()));
    let missing: Vec<String> =
        expected.map(|info| info.code.to_string()).filter(|code| !shown.contains(code)).collect();
    assert!(missing.is_empty(), "no bad file for {missing:?}");
}

/// Either there is a plan and no error, or an error and no plan.
fn is_decided(loaded: &Loaded) -> bool {
    loaded.plan.is_some() != loaded.diagnostics.has_errors()
}

/// A change to a text.
#[derive(Clone, Debug)]
enum Edit {
    Delete(usize, usize),
    Insert(usize, String),
    Truncate(usize),
}

fn edits() -> impl Strategy<Value = Edit> {
    let word = prop_oneof![
        Just("\"cp1\"".to_owned()),
        Just("null".to_owned()),
        Just("{}".to_owned()),
        Just("[]".to_owned()),
        Just("-1".to_owned()),
        Just("1e300".to_owned()),
        Just("\"0s\"".to_owned()),
        Just("\"584y\"".to_owned()),
        Just("18446744073709551616".to_owned()),
        Just("{\"random\": \"controlPlane\"}".to_owned()),
        Just("\"replicas\": 9,".to_owned()),
        "\\PC{1,4}",
    ];
    prop_oneof![
        (any::<usize>(), 1..20_usize).prop_map(|(at, length)| Edit::Delete(at, length)),
        (any::<usize>(), word).prop_map(|(at, text)| Edit::Insert(at, text)),
        any::<usize>().prop_map(Edit::Truncate),
    ]
}

fn apply(text: &str, edits: &[Edit]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for edit in edits {
        let place = |at: &usize| at % (chars.len() + 1);
        match edit {
            Edit::Delete(at, length) => {
                let at = place(at);
                let end = (at + length).min(chars.len());
                chars.drain(at..end);
            }
            Edit::Insert(at, text) => {
                let at = place(at);
                chars.splice(at..at, text.chars());
            }
            Edit::Truncate(at) => {
                let at = place(at);
                chars.truncate(at);
            }
        }
    }
    chars.into_iter().collect()
}

/// Replaces one value of a tree, found by counting, by another value.
fn graft(value: &mut serde_json::Value, at: &mut usize, other: &serde_json::Value) -> bool {
    if *at == 0 {
        *value = other.clone();
        return true;
    }
    *at -= 1;
    match value {
        serde_json::Value::Array(items) => items.iter_mut().any(|item| graft(item, at, other)),
        serde_json::Value::Object(fields) => {
            fields.values_mut().any(|field| graft(field, at, other))
        }
        _ => false,
    }
}

fn values() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::json;
    prop_oneof![
        Just(json!(null)),
        Just(json!(true)),
        Just(json!(0)),
        Just(json!(7)),
        Just(json!(u64::MAX)),
        Just(json!(-3.5)),
        Just(json!("")),
        Just(json!("0s")),
        Just(json!("5m")),
        Just(json!("100h")),
        Just(json!("cp2")),
        Just(json!("leader of etcd")),
        Just(json!("kubelet on machine of follower of etcd")),
        Just(json!({"random": ["cp1", "cp3/etcd"]})),
        Just(json!({"uniform": ["1s", "20s"]})),
        Just(json!({"exponential": {"mean": "1s"}})),
        Just(json!({"empirical": "samples.csv"})),
        Just(json!([])),
        Just(json!({})),
        Just(json!([["cp1"], ["cp2", "client"]])),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    /// Law: whatever the bytes are, they are answered.
    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200), yaml: bool) {
        let name = if yaml { "x.yaml" } else { "x.json" };
        let (source, found) = problems(name, bytes);
        prop_assert!(found.has_errors());
        render(&source, &found, Look { colour: false, width: WIDTH });
    }

    /// Law: a damaged scenario has a plan or an error, and its problems can be shown.
    #[test]
    fn damaged_scenarios_are_answered(
        which in any::<prop::sample::Index>(),
        edits in prop::collection::vec(edits(), 1..4),
        yaml: bool,
    ) {
        let files = folder("scenarios");
        let text = fs::read_to_string(which.get(&files)).expect("a scenario");
        let name = if yaml { "x.yaml" } else { "x.json" };
        let source = Source::new(name, apply(&text, &edits));
        let loaded = load(&source, &no_samples);
        prop_assert!(is_decided(&loaded));
        render(&source, &loaded.diagnostics, Look { colour: false, width: WIDTH });
    }

    /// Law: a scenario with any values in any place has a plan or an error.
    #[test]
    fn strange_values_are_answered(
        which in any::<prop::sample::Index>(),
        grafts in prop::collection::vec((0..120_usize, values()), 1..3),
    ) {
        let files = folder("scenarios");
        let text = fs::read_to_string(which.get(&files)).expect("a scenario");
        let mut tree: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        for (at, value) in grafts {
            graft(&mut tree, &mut at.clone(), &value);
        }
        let source = Source::new("x.json", tree.to_string());
        let loaded = load(&source, &no_samples);
        prop_assert!(is_decided(&loaded));
        render(&source, &loaded.diagnostics, Look { colour: false, width: WIDTH });
    }
}

//! The program as a whole: exit codes, streams, formats, files; and never a panic.

use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const DEMONSTRATION: &str = "scenarios/stop-cp1.json";

fn hasim<S: AsRef<OsStr>>(arguments: &[S]) -> Output {
    hasim_fed(arguments, b"")
}

/// Runs the program in the project's root with something on its standard input.
fn hasim_fed<S: AsRef<OsStr>>(arguments: &[S], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hasim"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("CLICOLOR_FORCE")
        .env_remove("NO_COLOR")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // A program that does not read to the end of its input closes the pipe.
    let _ = stdin.write_all(input);
    drop(stdin);
    let output = child.wait_with_output().expect("the program ends");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(!complaint.contains("panicked"), "{complaint}");
    output
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("no signal ended it")
}

fn out(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("output is UTF-8")
}

fn err(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).expect("complaints are UTF-8")
}

/// A file of this test's own.
fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, bytes).expect("the folder for tests is writable");
    path
}

fn scenario(sections: &str) -> String {
    format!(r#"{{ "apiVersion": "hasim/v1", "kind": "Scenario"{sections} }}"#)
}

/// Bad input: 2, nothing on standard output, and the complaint says all of this.
fn complains(output: &Output, words: &[&str]) {
    assert_eq!(code(output), 2, "{}", err(output));
    assert_eq!(out(output), "");
    for word in words {
        assert!(err(output).contains(word), "`{word}` is not in:\n{}", err(output));
    }
}

/// Law: 0 when the claims hold.
#[test]
fn a_kept_claim_is_0() {
    let output = hasim(&["run", DEMONSTRATION]);
    assert_eq!(code(&output), 0);
    assert_eq!(err(&output), "");
}

/// Law: 1 when a claim fails, with what was expected and what came instead.
#[test]
fn a_broken_claim_is_1() {
    let text = scenario(
        r#", "faults": [ { "at": "30s", "kill": "leader of etcd" } ],
        "expect": [ { "service": "etcd-quorum", "outages": { "atMost": 0 } } ]"#,
    );
    let output = hasim_fed(&["run", "-"], text.as_bytes());
    assert_eq!(code(&output), 1, "{}", err(&output));
    assert!(out(&output).contains("etcd-quorum"), "{}", out(&output));
}

/// Law: 2 for bad usage, on standard error.
#[test]
fn bad_usage_is_2() {
    let late = hasim(&["run", DEMONSTRATION, "--at", "1h"]);
    complains(&late, &["--at", "after the end"]);
    for arguments in [
        &["run"][..],
        &["fly"],
        &["run", DEMONSTRATION, "--seed", "many"],
        &["run", DEMONSTRATION, "--until", "5"],
        &["run", DEMONSTRATION, "--until", "-5s"],
        &["run", DEMONSTRATION, "--at", "soon"],
        &["run", DEMONSTRATION, "--format", "poem"],
        &["explain", "S999"],
    ] {
        let output = hasim(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}: {}", err(&output));
        assert_eq!(out(&output), "", "{arguments:?}");
        assert!(!err(&output).is_empty(), "{arguments:?}");
    }
}

/// Law: a problem of a file is told with its code, file, line and column and what would be right.
#[test]
fn problems_have_a_place() {
    let text = scenario(",\n \"faults\": [\n  { \"at\": \"30s\", \"kill\": \"cp1/etdc\" }\n ]");
    let path = file("place.json", text.as_bytes());
    let output = hasim(&["run".as_ref(), path.as_os_str()]);
    complains(&output, &["error[S2", "place.json:3:26", "cp1/etdc", "did you mean `cp1/etcd`?"]);
}

/// Law: every problem of a file is told in one go.
#[test]
fn all_problems_are_told() {
    let text = scenario(
        r#", "faults": [
          { "at": "30s", "kill": "cp9/etcd" },
          { "at": "10m", "powerOff": "cp1" },
          { "at": "1m", "heal": "cp2" }
        ]"#,
    );
    let output = hasim_fed(&["run", "-"], text.as_bytes());
    complains(&output, &["cp9/etcd", "the run ends after 5 min", "finds no earlier fault"]);
}

/// Law: whatever is called a scenario, there is a complaint and no panic.
#[test]
fn nothing_makes_it_panic() {
    let whole = fs::read(DEMONSTRATION)
        .or_else(|_| fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(DEMONSTRATION)));
    let whole = whole.expect("the demonstration is there");
    let truncated: Vec<Vec<u8>> =
        (0..whole.len()).step_by(97).map(|end| whole[..end].to_vec()).collect();
    let strange: [Vec<u8>; 12] = [
        b"\xff\xfe\x00\x01".to_vec(),
        b"\xef\xbb\xbf".to_vec(),
        b"\x00".to_vec(),
        b"[[[[".to_vec(),
        b"nul".to_vec(),
        b"- a\n- b: [".to_vec(),
        b"&a [*a, *a]".to_vec(),
        "[".repeat(100_000).into_bytes(),
        "{\"a\":".repeat(100_000).into_bytes(),
        "- ".repeat(50_000).into_bytes(),
        scenario(r#", "kind": "Scenario""#).into_bytes(),
        scenario(r#", "run": { "until": "9999999999999999h" }"#).into_bytes(),
    ];
    for bytes in truncated.into_iter().chain(strange) {
        let output = hasim_fed(&["run", "-"], &bytes);
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned();
        assert_eq!(code(&output), 2, "{shown}");
        assert!(!err(&output).is_empty(), "{shown}");
        assert!(err(&output).len() < 20_000, "{} bytes of complaint: {shown}", err(&output).len());
    }
}

/// Law: a file that is too large, a folder and a missing file are told apart.
#[test]
fn unreadable_files_are_told_apart() {
    let huge = file("huge.json", &vec![b' '; 5 << 20]);
    complains(&hasim(&["run".as_ref(), huge.as_os_str()]), &["larger than 4 MiB"]);
    complains(&hasim(&["run", "no/such/file.json"]), &["no/such/file.json", "o such file"]);
    complains(&hasim(&["run", "scenarios"]), &["scenarios"]);
}

/// Law: a pipe gets no colours unless they are asked for.
#[test]
fn pipes_are_plain() {
    let plain = hasim(&["run", DEMONSTRATION]);
    assert!(!out(&plain).contains('\u{1b}'));
    let coloured = hasim(&["run", DEMONSTRATION, "--color", "always"]);
    assert!(out(&coloured).contains('\u{1b}'));
    let problems = hasim_fed(&["run", "-"], b"{");
    assert!(!err(&problems).contains('\u{1b}'), "{}", err(&problems));
}

/// Law: what is printed fits a terminal of 80 columns, for every shipped scenario.
#[test]
fn lines_fit_80_columns() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    for entry in fs::read_dir(folder).expect("the scenarios are there") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            continue;
        }
        let output = hasim(&["run".as_ref(), path.as_os_str(), "--at".as_ref(), "31s".as_ref()]);
        assert!(matches!(code(&output), 0 | 1), "{}", err(&output));
        for line in out(&output).lines() {
            assert!(line.chars().count() <= 80, "{}: {line}", path.display());
        }
    }
}

/// Law: the same scenario and seed give the same bytes in every format; another seed gives others.
#[test]
fn the_same_seed_gives_the_same_bytes() {
    let scenario = "scenarios/power-off-cp1-leader.json";
    for format in ["text", "json"] {
        let run = |seed: &str| hasim(&["run", scenario, "--format", format, "--seed", seed]).stdout;
        assert_eq!(run("7"), run("7"), "{format}");
        assert_ne!(run("7"), run("8"), "{format}");
    }
}

/// Law: `-` is standard input and means what the file means.
#[test]
fn standard_input_is_a_scenario_too() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(DEMONSTRATION);
    let text = fs::read(path).expect("the demonstration is there");
    let fed = hasim_fed(&["run", "-"], &text);
    assert_eq!(out(&fed), out(&hasim(&["run", DEMONSTRATION])));
}

/// Whether a value has exactly the fields that a schema requires, and of the types that it names.
fn fits(value: &Value, schema: &Value, all: &Value, at: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.strip_prefix("#/$defs/").expect("a definition");
        return fits(value, &all["$defs"][name], all, at);
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let choice = choices.iter().find(|choice| (choice["type"] == "null") == value.is_null());
        return fits(value, choice.expect("a choice"), all, at);
    }
    let is = |kind: &str| match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "null" => value.is_null(),
        other => panic!("{at}: no such type {other}"),
    };
    let kinds = schema["type"].as_array().cloned().unwrap_or(vec![schema["type"].clone()]);
    assert!(kinds.iter().any(|kind| is(kind.as_str().expect("a type"))), "{at}: {value}");
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        fits(item, &schema["items"], all, &format!("{at}[{index}]"));
    }
    if let (Some(fields), Some(known)) = (value.as_object(), schema["properties"].as_object()) {
        for (name, field) in fields {
            let known = known.get(name).unwrap_or_else(|| panic!("{at}.{name} is not documented"));
            assert!(known["description"].is_string() || known["$ref"].is_string(), "{at}.{name}");
            fits(field, known, all, &format!("{at}.{name}"));
        }
        for required in schema["required"].as_array().into_iter().flatten() {
            assert!(fields.contains_key(required.as_str().expect("a name")), "{at}: no {required}");
        }
    }
}

/// Law: results are as their schema says, every field documented, and hold the moments asked for.
#[test]
fn results_fit_their_schema() {
    let schema = hasim(&["schema", "run-result"]);
    let schema: Value = serde_json::from_str(out(&schema)).expect("JSON");
    for scenario in [DEMONSTRATION, "scenarios/quorum-lost-and-regained.json"] {
        let output = hasim(&["run", scenario, "--format", "json", "--at", "45s", "--at", "10s"]);
        let result: Value = serde_json::from_str(out(&output)).expect("JSON");
        fits(&result, &schema, &schema, "");
        let moments = result["moments"].as_array().expect("a list");
        let at: Vec<_> = moments.iter().map(|moment| moment["atMs"].as_f64()).collect();
        assert_eq!(at, [Some(10_000.0), Some(45_000.0)]);
    }
}

/// Law: JSON output is one object that any reader takes.
#[test]
fn json_is_json() {
    let output = hasim(&["run", DEMONSTRATION, "--format", "json"]);
    let result: Value = serde_json::from_str(out(&output)).expect("JSON");
    assert!(result.is_object());
    assert!(result["timeline"].as_array().is_some_and(|lines| !lines.is_empty()), "{result}");
    assert!(result["outages"].is_array() || result["services"].is_array(), "{result}");
}

/// Law: traces are what they are called: JSON Lines in order of time, and the Chrome trace format.
#[test]
fn traces_are_valid() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (lines, chrome) = (folder.join("trace.jsonl"), folder.join("trace.json"));
    let output = Command::new(env!("CARGO_BIN_EXE_hasim"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["run", DEMONSTRATION, "--trace"])
        .arg(&lines)
        .arg("--trace")
        .arg(&chrome)
        .output()
        .expect("the program runs");
    assert_eq!(code(&output), 0, "{}", err(&output));
    let text = fs::read_to_string(&lines).expect("a trace");
    assert!(text.lines().count() > 10 && text.ends_with('\n'));
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).expect("each line is JSON");
        assert!(line.is_object());
    }
    let text = fs::read_to_string(&chrome).expect("a trace");
    let trace: Value = serde_json::from_str(&text).expect("JSON");
    let events = trace["traceEvents"].as_array().expect("the format's list of events");
    assert!(!events.is_empty());
    for event in events {
        let phase = event["ph"].as_str().expect("each event has a phase");
        assert!(phase == "M" || event["ts"].is_number(), "{event}");
        assert!(event["pid"].is_number(), "{event}");
        assert!(phase != "X" || event["dur"].as_f64().is_some_and(|dur| dur >= 0.0), "{event}");
    }
}

/// Law: a trace that cannot be written is told, after the result that is already there.
#[test]
fn an_unwritable_trace_is_told() {
    let output = hasim(&["run", DEMONSTRATION, "--trace", "no/such/folder/trace.json"]);
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("no/such/folder/trace.json"));
    assert!(!out(&output).is_empty(), "nothing already computed is lost");
}

/// Law: `--at` shows the tables of that moment, beside those of the end.
#[test]
fn at_shows_a_moment() {
    let plain = hasim(&["run", DEMONSTRATION]);
    let with = hasim(&["run", DEMONSTRATION, "--at", "45s", "--at", "10s"]);
    assert_eq!(code(&with), 0);
    let tables = |text: &str| text.matches("kubectl get nodes").count();
    assert_eq!(tables(out(&with)), tables(out(&plain)) + 2);
    for moment in ["10.000", "45.000"] {
        assert!(out(&with).contains(moment), "{moment}");
    }
}

/// Law: the effective scenario is a scenario itself, with the same run, for every shipped one.
#[test]
fn effective_scenarios_run_the_same() {
    let shown = hasim(&["run", DEMONSTRATION, "--show-effective"]);
    assert!(out(&shown).contains("heartbeat-interval"));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let entries = fs::read_dir(folder).expect("the scenarios are there");
    let files = entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_file());
    for path in files {
        let run = |last: &[&str]| {
            let mut arguments = vec![OsStr::new("run"), path.as_os_str()];
            arguments.extend(last.iter().map(OsStr::new));
            hasim(&arguments)
        };
        let shown = run(&["--show-effective"]);
        assert_eq!(code(&shown), 0, "{}", err(&shown));
        let again = hasim_fed(&["run", "-", "--format", "json"], shown.stdout.as_slice());
        assert_eq!(code(&again), 0, "{}: {}", path.display(), err(&again));
        assert!(out(&again) == out(&run(&["--format", "json"])), "{} differs", path.display());
    }
}

/// Law: every code that a problem shows is explained.
#[test]
fn codes_are_explained() {
    let all = hasim(&["explain"]);
    assert_eq!(code(&all), 0);
    let one = hasim(&["explain", "S208"]);
    assert_eq!(code(&one), 0);
    assert!(out(&one).contains("after the end of the run"), "{}", out(&one));
}

/// Law: a reader that goes away early is no error and no panic.
#[test]
fn a_closed_pipe_is_no_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hasim"))
        .args(["run", DEMONSTRATION])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("the program ends");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

/// Law: a result that cannot be written is told, and is no success.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_told() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
    let output = Command::new(env!("CARGO_BIN_EXE_hasim"))
        .args(["run", DEMONSTRATION])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdout(full)
        .output()
        .expect("the program runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("cannot write the result"), "{}", err(&output));
}

/// Law: a device without an end is no file of samples.
#[test]
#[cfg(target_os = "linux")]
fn endless_samples_are_refused() {
    let text =
        scenario(r#", "faults": [ { "at": { "empirical": "/dev/zero" }, "kill": "cp1/etcd" } ]"#);
    let path = file("endless.json", text.as_bytes());
    let output = hasim(&["run".as_ref(), path.as_os_str()]);
    complains(&output, &["/dev/zero", "larger than 64 MiB"]);
}

//! `hasim validate` with a user's own measurements: exit codes, counts, and what is said of bad files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const SCENARIO: &str = r#"{ "apiVersion": "hasim/v1", "kind": "Scenario", "metadata": { "name": "mine" },
  "environment": "lab.json",
  "cluster": { "topology": "external", "etcd": { "members": 3, "supervision": "none" },
    "controlPlane": { "replicas": 1 }, "endpoint": { "kind": "one-server" } },
  "faults": [{ "at": "5s", "kill": "leader of etcd" }], "run": { "until": "12s" } }"#;

/// A folder with one experiment: its scenario, its measurement, its environment.
fn folder(name: &str, measured: &str, sources: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).expect("the folder for tests is writable");
    let environment = format!(
        r#"{{ "apiVersion": "hasim/v1", "kind": "Environment", "metadata": {{ "name": "lab"{sources} }},
          "cluster": {{ "network": {{ "latency": "50us" }} }} }}"#
    );
    for (file, text) in
        [("mine.json", SCENARIO), ("mine.csv", measured), ("lab.json", &environment)]
    {
        fs::write(folder.join(file), text).expect("the folder for tests is writable");
    }
    folder
}

fn validate(folder: &Path) -> Output {
    let mut hasim = Command::new(env!("CARGO_BIN_EXE_hasim"));
    hasim.arg("validate").arg(folder).output().expect("the program starts and ends")
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Elections as they are by law: between one and two time-outs, some longer.
const ELECTIONS: &str = "metric,sample,resolution_ms\netcd.election,960,5\netcd.election,1180,5\n\
    etcd.election,1320,5\netcd.election,1510,5\netcd.election,1770,5\netcd.campaign_rounds,1\n\
    etcd.campaign_rounds,1\netcd.campaign_rounds,1\n";

/// Law: what agrees exits with 0 and is counted.
#[test]
fn a_measurement_that_agrees_is_counted() {
    let output = validate(&folder("validate-agrees", ELECTIONS, ""));
    assert!(output.status.success(), "{}", told(&output));
    assert!(
        told(&output).contains("1 of 1 experiments and 2 of 2 metrics agree (2000 trials each")
    );
}

/// Law: a metric of which a value of the environment was taken is shown and not counted.
#[test]
fn what_sets_the_environment_is_no_test() {
    let sources = r#", "sources": { "mine": ["etcd.election"] }"#;
    let output = validate(&folder("validate-sources", ELECTIONS, sources));
    assert!(output.status.success());
    let text = told(&output);
    assert!(text.contains("etcd.election: sets the environment"), "{text}");
    assert!(text.contains("1 of 1 metrics agree; 1 more set the environment"), "{text}");
}

/// Law: it fails like any other all the same, and the program exits with 1.
#[test]
fn a_source_that_does_not_come_out_differs() {
    let measured = "metric,sample,resolution_ms\netcd.election,9s,5\netcd.election,9.1s,5\n\
        etcd.election,9.2s,5\netcd.election,9.3s,5\netcd.election,9.4s,5\n";
    let sources = r#", "sources": { "mine": ["etcd.election"] }"#;
    let output = validate(&folder("validate-differs", measured, sources));
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(told(&output).contains("etcd.election: differs"));
}

/// Law: sources that are no lists of measured metrics are refused, with what and where.
#[test]
fn wrong_sources_are_told() {
    for (name, sources, message) in [
        (
            "unmeasured",
            r#", "sources": { "mine": ["etcd.elections"] }"#,
            "names `etcd.elections` of `mine`",
        ),
        ("no-list", r#", "sources": { "mine": 3 }"#, "has a list of metrics for each experiment"),
    ] {
        let output = validate(&folder(&format!("validate-{name}"), ELECTIONS, sources));
        assert_eq!(output.status.code(), Some(2), "{name}");
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(complaint.contains(message), "{complaint}");
    }
}

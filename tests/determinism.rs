//! The same scenario, seed and version give the same bytes, whatever the number of threads and
//! however the work is shared among them.

use std::fs;
use std::path::Path;
use std::process::Command;

/// One thread, and fewer and more than any block or machine of a test has use for.
const THREADS: [&str; 4] = ["1", "2", "3", "8"];

/// Several blocks of trials, the last one not full.
const TRIALS: &str = "53";

/// What `hasim mc` prints, and the file of samples that it writes.
fn study(scenario: &str, format: &str, threads: &str) -> (Vec<u8>, Vec<u8>) {
    let name = format!("{}-{format}-{threads}.csv", scenario.replace(['/', '.'], "-"));
    let samples = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let output = Command::new(env!("CARGO_BIN_EXE_hasim"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["mc", scenario, "--trials", TRIALS, "--format", format, "--threads", threads])
        .arg("--samples")
        .arg(&samples)
        .output()
        .expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (output.stdout, fs::read(&samples).expect("samples were written"))
}

/// Law: results and samples are the same bytes for any number of threads.
#[test]
fn threads_change_no_byte() {
    for scenario in ["scenarios/power-off-cp1-leader.json", "scenarios/stop-cp1.json"] {
        for format in ["text", "json", "csv"] {
            let [one, more @ ..] = THREADS.map(|threads| study(scenario, format, threads));
            let rows = String::from_utf8_lossy(&one.1).lines().count();
            assert!(!one.0.is_empty() && rows == 54, "a header and 53 trials, not {rows}");
            for (threads, other) in THREADS[1..].iter().zip(more) {
                assert!(one == other, "{scenario}, {format}: 1 and {threads} threads differ");
            }
        }
    }
}

/// Law: fewer trials are the beginning of more.
#[test]
fn trials_do_not_depend_on_their_number() {
    let samples = |trials: &str| {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("first-{trials}.csv"));
        let output = Command::new(env!("CARGO_BIN_EXE_hasim"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["mc", "scenarios/stop-cp1.json", "--trials", trials, "--samples"])
            .arg(&file)
            .output()
            .expect("the program runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        fs::read_to_string(file).expect("samples were written")
    };
    let (few, many) = (samples("7"), samples("40"));
    assert!(many.starts_with(&few) && many.len() > few.len());
}

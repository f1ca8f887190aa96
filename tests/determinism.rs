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

/// Law: the rows of a study over years are the same bytes for any number of threads, and add up to what
/// it tells.
#[test]
fn rows_of_years_add_up() {
    let [one, more @ ..] =
        THREADS.map(|threads| study("scenarios/oracles/P11.json", "json", threads));
    assert!(more.iter().all(|other| *other == one));
    let told: serde_json::Value = serde_json::from_slice(&one.0).expect("the result is JSON");
    let rows = String::from_utf8(one.1).expect("the samples are text");
    let mut lines = rows.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().expect("a header");
    let rows: Vec<_> = lines.collect();
    assert_eq!(rows.len().to_string(), TRIALS);
    let sum = |name: String| -> f64 {
        let at = header.iter().position(|column| *column == name).expect("a column");
        rows.iter().filter_map(|row| row[at].parse::<f64>().ok()).sum()
    };
    for measure in told["measures"].as_array().expect("a list") {
        let name = measure["measure"].as_str().expect("a name");
        let down = measure["unavailability"]["value"].as_f64().expect("a number");
        // Milliseconds of 53 years; sums of floats differ in their last digits.
        let all = 53.0 * 8_760.0 * 3_600_000.0;
        let off = (sum(format!("{name}.down")) / all - down).abs();
        assert!(off <= 1e-12 * down.max(1e-6), "{name}: off by {off}");
        let outages = measure["outagesPerYear"].as_f64().expect("a number");
        assert!((sum(format!("{name}.outages")) / 53.0 - outages).abs() < 1e-9, "{name}");
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

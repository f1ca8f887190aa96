//! The README's transcript is what the program prints.

use std::path::Path;
use std::process::Command;

/// Law: each line of the README's transcript stands in the output of the command above it, in order;
/// a line `…` stands for what was left out.
#[test]
fn transcript_is_real() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).expect("a README");
    let (_, rest) = readme.split_once("## What you see").expect("a transcript");
    let (_, block) = rest.split_once("```text\n").expect("a block");
    let (transcript, _) = block.split_once("```").expect("its end");
    let output = Command::new(env!("CARGO_BIN_EXE_hasim"))
        .current_dir(root)
        .args(["run", "scenarios/stop-cp1.json"])
        .output()
        .expect("hasim runs");
    let printed = String::from_utf8(output.stdout).expect("text");
    let mut lines = printed.lines();
    for wanted in transcript.lines().filter(|line| line.trim() != "…" && !line.starts_with('$')) {
        assert!(
            lines.any(|line| line.trim_end() == wanted.trim_end()),
            "the README shows a line that `hasim run` does not print there:\n{wanted}"
        );
    }
}

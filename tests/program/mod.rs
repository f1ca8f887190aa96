//! The whole program, run in the project's root.

use std::path::PathBuf;
use std::process::{Command, Output};

/// Runs it.
pub(crate) fn hasim(arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_hasim");
    let folder = env!("CARGO_MANIFEST_DIR");
    Command::new(program).args(arguments).current_dir(folder).output().expect("hasim starts")
}

/// What it printed; it has to have succeeded.
pub(crate) fn out(output: &Output) -> &str {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    std::str::from_utf8(&output.stdout).expect("UTF-8")
}

/// What it complained of; it has to have refused its input and printed nothing.
pub(crate) fn complaint(output: &Output) -> &str {
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    std::str::from_utf8(&output.stderr).expect("UTF-8")
}

/// A file of a test's own, not there yet.
pub(crate) fn file(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_file(&path);
    path.into_os_string().into_string().expect("UTF-8")
}

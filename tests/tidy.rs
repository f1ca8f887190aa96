//! Tidiness as a test: layers, headers, sizes. rustc cannot see layers inside one crate, so the
//! `use crate::…` lines are read here.

use std::fs;
use std::path::{Path, PathBuf};

/// Folder or file below `src`, with its layer: a file uses only lower layers and its own folder.
const LAYERS: [(&str, u8); 17] = [
    ("kernel", 0),
    ("component", 1),
    ("transport", 1),
    ("components", 2),
    ("plan", 3),
    ("fault", 4),
    ("reliability", 4),
    ("analytic", 4),
    ("scenario", 5),
    ("world", 5),
    ("measure", 6),
    ("experiment", 7),
    ("report", 8),
    ("cli", 9),
    ("lib.rs", 10),
    ("main.rs", 10),
    ("prelude", 10),
];

/// Lines of code that one file may have, tests left out.
const FILE_LINES_MAX: usize = 400;

fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("src is readable") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).expect("a source file is UTF-8");
                found.push((path, text));
            }
        }
    }
    found.sort();
    found
}

fn top(path: &Path) -> String {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let relative = path.strip_prefix(src).expect("below src");
    relative.components().next().expect("a name").as_os_str().to_string_lossy().into_owned()
}

fn layer(name: &str) -> Option<u8> {
    LAYERS.iter().find(|(n, _)| *n == name).map(|(_, layer)| *layer)
}

fn code_lines(text: &str) -> usize {
    text.split("#[cfg(test)]").next().unwrap_or(text).lines().count()
}

/// Whether the file is only compiled for tests.
fn is_test_file(path: &Path) -> bool {
    path.components().any(|part| {
        let name = part.as_os_str().to_string_lossy();
        name == "tests.rs"
            || name == "tests"
            || name.starts_with("testing")
            || name.ends_with("_tests.rs")
    })
}

/// Law: a file uses only lower layers and its own folder, so there are no cycles between modules.
#[test]
fn layers_are_strict() {
    let mut broken = Vec::new();
    for (path, text) in sources() {
        if is_test_file(&path) {
            continue;
        }
        let own = top(&path);
        let mine = layer(&own).unwrap_or_else(|| panic!("{own} has no layer in tests/tidy.rs"));
        let code = text.split("#[cfg(test)]").next().unwrap_or(&text);
        for (number, line) in code.lines().enumerate() {
            if line.trim_start().starts_with("//") {
                continue;
            }
            for used in line.split("crate::").skip(1) {
                let name: String =
                    used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let Some(theirs) = layer(&name) else { continue };
                if name != own && theirs >= mine {
                    broken.push(format!("{}:{}: {own} uses {name}", path.display(), number + 1));
                }
            }
        }
    }
    assert!(broken.is_empty(), "layers broken:\n{}", broken.join("\n"));
}

/// Law: every module says what it owns.
#[test]
fn every_file_has_a_header() {
    let without: Vec<String> = sources()
        .into_iter()
        .filter(|(_, text)| !text.starts_with("//!"))
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert!(without.is_empty(), "no module header:\n{}", without.join("\n"));
}

/// Law: a file has one subject, so it is small.
#[test]
fn files_are_small() {
    let large: Vec<String> = sources()
        .into_iter()
        .filter(|(path, text)| !is_test_file(path) && code_lines(text) > FILE_LINES_MAX)
        .map(|(path, text)| format!("{}: {} lines", path.display(), code_lines(&text)))
        .collect();
    assert!(large.is_empty(), "over {FILE_LINES_MAX} lines:\n{}", large.join("\n"));
}

/// Law: analytic code shares data with the simulator, never code that decides anything.
#[test]
fn analytic_sees_no_machine() {
    let seen: Vec<String> = sources()
        .into_iter()
        .filter(|(path, _)| top(path) == "analytic")
        .filter(|(_, text)| {
            text.contains("crate::world")
                || text.contains("crate::components")
                || text.contains("impl Component")
        })
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert!(seen.is_empty(), "analytic reaches a machine:\n{}", seen.join("\n"));
}

/// Law: nothing is left undone in the tree; a gap is a documented limit.
#[test]
fn nothing_is_left_to_do() {
    let marks = ["TO".to_owned() + "DO", "FIX".to_owned() + "ME", "to".to_owned() + "do!("];
    let left: Vec<String> = sources()
        .into_iter()
        .filter(|(_, text)| marks.iter().any(|mark| text.contains(mark.as_str())))
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert!(left.is_empty(), "left undone:\n{}", left.join("\n"));
}

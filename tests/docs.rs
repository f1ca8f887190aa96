//! What the documentation points to exists, and its tables are complete.

use std::fs;
use std::path::{Path, PathBuf};

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

/// The rows of the first table of a page, without its head.
fn rows(page: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(docs().join(page)).expect("the page is there");
    let table = text.lines().filter(|line| line.starts_with('|')).skip(2);
    let cells = |line: &str| {
        line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect()
    };
    table.map(cells).collect()
}

/// The targets of the links of a text.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

fn names_a_scenario(cell: &str) -> bool {
    targets(cell).any(|target| target.starts_with("../scenarios/"))
}

/// Law: every link of the documentation to a file of the project leads to one, and a link to a
/// scenario is called as that scenario is.
#[test]
fn links_lead_somewhere() {
    for page in
        fs::read_dir(docs()).expect("docs are there").map(|entry| entry.expect("one").path())
    {
        let Ok(text) = fs::read_to_string(&page) else { continue };
        for link in text.split('[').skip(1) {
            let Some((words, rest)) = link.split_once("](") else { continue };
            let Some(target) = rest.split(')').next() else { continue };
            if target.starts_with("http") || target.starts_with('#') {
                continue;
            }
            let file = target.split('#').next().unwrap_or(target);
            assert!(docs().join(file).exists(), "{}: no {target}", page.display());
            let scenario = file.strip_prefix("../scenarios/").and_then(|f| f.strip_suffix(".json"));
            if let Some(scenario) = scenario {
                assert_eq!(words, scenario, "{}", page.display());
            }
        }
    }
}

/// Law: a known bug names where upstream has it, what goes wrong, a scenario that shows it, and its
/// cure.
#[test]
fn known_bugs_are_complete() {
    let rows = rows("known-bugs.md");
    assert!(!rows.is_empty());
    for row in rows {
        let [upstream, wrong, shown, cure] = row.as_slice() else { panic!("{row:?}") };
        assert!(targets(upstream).any(|target| target.starts_with("https://")), "{upstream}");
        assert!(!wrong.is_empty() && !cure.is_empty(), "{upstream}");
        assert!(names_a_scenario(shown), "{upstream} is shown by no scenario");
    }
}

/// Law: each question that users ask names a scenario that answers it.
#[test]
fn questions_are_answered() {
    let rows = rows("questions.md");
    assert!(!rows.is_empty());
    for row in rows {
        let [bundle, _, answers] = row.as_slice() else { panic!("{row:?}") };
        assert!(names_a_scenario(answers), "{bundle}: no scenario");
    }
}

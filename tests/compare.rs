//! `hasim compare` as the whole program runs it.

mod program;

use program::{complaint, file, hasim, out};

/// A plan whose protocols are laws, one whose protocols run through years, one with a fault.
const SUBJECTS: [(&str, [&str; 3]); 3] = [
    ("scenarios/oracles/P05.json", ["5000", "1503", "3497"]),
    ("scenarios/stacked-vs-external/three-nodes-years.json", ["6", "2", "4"]),
    ("scenarios/stacked-vs-external/three-nodes-cp1-off.json", ["40", "13", "27"]),
];

/// Law: the same bytes for any number of threads, from slices, and after a checkpoint; `hasim mc` with
/// two topologies is the same comparison.
#[test]
fn comparisons_are_deterministic() {
    for (scenario, [all, some, rest]) in SUBJECTS {
        let both = ["--topology", "stacked,external", "--format", "json"];
        let compare = |more: &[&str]| hasim(&[&["compare", scenario], &both[..], more].concat());
        let whole = compare(&["--trials", all]);
        assert_eq!(out(&compare(&["--trials", all, "--threads", "1"])), out(&whole));
        let mc = hasim(&[&["mc", scenario, "--trials", all], &both[..]].concat());
        assert_eq!(out(&mc), out(&whole));
        let (one, two) = (file("compare-one.jsonl"), file("compare-two.jsonl"));
        out(&compare(&["--trials", some, "--checkpoint", &one]));
        out(&compare(&["--first", some, "--trials", rest, "--checkpoint", &two]));
        assert_eq!(out(&hasim(&["merge", &one, &two, "--format", "json"])), out(&whole));
        assert_eq!(out(&compare(&["--trials", all, "--checkpoint", &one])), out(&whole));
    }
}

/// Law: the verdict is a plain sentence for each service, and lines fit a terminal.
#[test]
fn verdicts_are_plain_sentences() {
    let output = hasim(&[
        "compare",
        "scenarios/oracles/P04.json",
        "scenarios/oracles/P05.json",
        "--trials",
        "4000",
    ]);
    let text = out(&output);
    assert!(text.starts_with("P04, P05: 4000 paired trials of 1 year, seed 1\n"), "{text}");
    assert!(text.contains("api-write         P05 is better by "), "{text}");
    assert!(text.contains("etcd-quorum       the same in every trial"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let csv = hasim(&[
        "compare",
        "scenarios/stacked-loses-cp1.json",
        "scenarios/external-loses-cp1.json",
        "--trials",
        "16",
        "--format",
        "csv",
    ]);
    assert!(out(&csv).starts_with("side,name,of,unit,first_mean,mean,difference,low,high,"));
}

/// Law: what cannot be compared is told.
#[test]
fn what_cannot_be_compared_is_told() {
    let years = SUBJECTS[0].0;
    assert!(complaint(&hasim(&["compare", years])).contains("name two"));
    let mixed = hasim(&["compare", years, SUBJECTS[2].0]);
    assert!(complaint(&mixed).contains("in `P05` things fail by themselves"));
    let stray =
        hasim(&["mc", years, "--years", "1", "--topology", "stacked,external", "--rare", "auto"]);
    assert!(complaint(&stray).contains("--rare is for one topology"));
    let none = hasim(&["compare", years, "no/such/file.json"]);
    assert!(complaint(&none).contains("no/such/file.json"));
    let lasting = hasim(&["compare", SUBJECTS[2].0, SUBJECTS[2].0, "--years", "2"]);
    assert!(complaint(&lasting).contains("--years"));
}

//! Studies in pieces, as the whole program runs them: slices, checkpoints, precision.

mod program;

use program::{complaint, file, hasim, out};
use std::process::Output;

const SCENARIO: &str = "scenarios/active-scheduler-fails.json";

fn mc(arguments: &[&str]) -> Output {
    hasim(&[&["mc", SCENARIO], arguments].concat())
}

/// Law: slices cut anywhere join into the bytes of one run, samples too.
#[test]
fn slices_join_into_the_bytes_of_one_run() {
    let (one, two) = (file("one.jsonl"), file("two.jsonl"));
    let (whole_csv, joined_csv) = (file("whole.csv"), file("joined.csv"));
    let whole = mc(&["--trials", "50", "--format", "json", "--samples", &whole_csv]);
    out(&mc(&["--trials", "21", "--checkpoint", &one]));
    out(&mc(&["--first", "21", "--trials", "29", "--checkpoint", &two, "--threads", "1"]));
    let merge = ["merge", &two, &one, "--format", "json", "--samples", &joined_csv];
    assert_eq!(out(&hasim(&merge)), out(&whole));
    let read = |path| std::fs::read(path).expect("written");
    assert_eq!(read(&whole_csv), read(&joined_csv));
}

/// Law: a study that goes on from a checkpoint, even one whose last line was cut short, gives the
/// bytes of an uninterrupted one.
#[test]
fn a_checkpoint_goes_on() {
    let kept = file("kept.jsonl");
    let whole = mc(&["--trials", "64"]);
    out(&mc(&["--trials", "32", "--checkpoint", &kept]));
    let mut text = std::fs::read_to_string(&kept).expect("written");
    text.truncate(text.len() - 100);
    std::fs::write(&kept, text).expect("writable");
    for _again in 0..2 {
        assert_eq!(out(&mc(&["--trials", "64", "--checkpoint", &kept])), out(&whole));
    }
}

/// Law: a checkpoint of another study is left alone, and named.
#[test]
fn a_checkpoint_of_another_study_is_left_alone() {
    let kept = file("other.jsonl");
    out(&mc(&["--trials", "16", "--checkpoint", &kept]));
    let before = std::fs::read(&kept).expect("written");
    let other_seed = mc(&["--trials", "32", "--seed", "9", "--checkpoint", &kept]);
    assert!(complaint(&other_seed).contains("its seed is 1, not 9"));
    let other_slice = mc(&["--first", "16", "--trials", "16", "--checkpoint", &kept]);
    assert!(complaint(&other_slice).contains("give `--first 0`"));
    assert_eq!(std::fs::read(&kept).expect("still there"), before);
}

/// Law: slices that overlap, leave a gap or are none are refused by name, with the way out.
#[test]
fn slices_that_do_not_fit_are_refused() {
    let (one, two) = (file("first.jsonl"), file("third.jsonl"));
    out(&mc(&["--trials", "16", "--checkpoint", &one]));
    out(&mc(&["--first", "32", "--trials", "16", "--checkpoint", &two]));
    let gap = hasim(&["merge", &one, &two]);
    assert!(complaint(&gap).contains("run them with `--first 16 --trials 16`"));
    let twice = hasim(&["merge", &one, &one]);
    assert!(complaint(&twice).contains("trials 0 to 15 are both in"));
    let none = hasim(&["merge", SCENARIO]);
    assert!(complaint(&none).contains("no slice of a study"));
}

/// Law: a precision ends a study at the same trial for any number of threads.
#[test]
fn a_precision_stops_at_the_same_trial() {
    let until = ["--until-rel-err", "3%", "--of", "scheduler.failover"];
    let one = mc(&[&until[..], &["--threads", "1"]].concat());
    let two = mc(&[&until[..], &["--threads", "2"]].concat());
    assert_eq!(out(&one), out(&two));
    assert!(!out(&one).contains("10000000 trials"));
    let unknown = mc(&["--until-rel-err", "3%", "--of", "scheduler.failovr"]);
    assert!(complaint(&unknown).contains("the nearest is `scheduler.failover`"));
}

/// Law: the time a study may take ends it with what is finished.
#[test]
fn a_time_limit_keeps_what_is_finished() {
    let output = mc(&["--trials", "1000000", "--time-limit", "2s"]);
    assert!(out(&output).contains("trials, seed"));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("of 1000000 trials are done, and stand"), "{told}");
}

/// A plan whose protocols are laws, and one whose protocols run.
const YEARS: [(&str, [&str; 3]); 2] = [
    ("scenarios/oracles/P03.json", ["9000", "3500", "5500"]),
    ("scenarios/stacked-vs-external/three-nodes-years.json", ["36", "13", "23"]),
];

fn years(scenario: &str, arguments: &[&str]) -> Output {
    hasim(&[&["mc", scenario, "--years", "1"], arguments].concat())
}

/// Law: slices of years cut anywhere join into the bytes of one run, and a checkpoint that was cut
/// short goes on to the same bytes.
#[test]
fn slices_of_years_join_and_go_on() {
    for (scenario, [all, some, rest]) in YEARS {
        let (one, two) = (file("years-one.jsonl"), file("years-two.jsonl"));
        let whole = years(scenario, &["--trials", all, "--format", "json"]);
        out(&years(scenario, &["--trials", some, "--checkpoint", &one]));
        let second = ["--first", some, "--trials", rest, "--checkpoint", &two, "--threads", "1"];
        out(&years(scenario, &second));
        assert_eq!(out(&hasim(&["merge", &two, &one, "--format", "json"])), out(&whole));
        let mut text = std::fs::read_to_string(&one).expect("written");
        text.truncate(text.len() - 100);
        std::fs::write(&one, text).expect("writable");
        for _again in 0..2 {
            let on = ["--trials", all, "--checkpoint", &one, "--format", "json"];
            assert_eq!(out(&years(scenario, &on)), out(&whole));
        }
        let fewer = years(scenario, &["--trials", some, "--checkpoint", &one]);
        assert_eq!(out(&fewer), out(&years(scenario, &["--trials", some])));
    }
}

/// Law: a precision ends a study over years at the same trial for any number of threads, and also
/// where it goes on from what an earlier run with another end has kept.
#[test]
fn a_precision_over_years_stops_at_the_same_trial() {
    let scenario = YEARS[0].0;
    let until = ["--until-rel-err", "10%", "--of", "api-write"];
    let one = years(scenario, &[&until[..], &["--threads", "1"]].concat());
    assert!(out(&one).contains("trials of 1 year"));
    assert!(!out(&one).contains("10000000 trials"));
    let kept = file("years-precise.jsonl");
    out(&years(scenario, &["--trials", "2005", "--checkpoint", &kept]));
    let on = years(scenario, &[&until[..], &["--checkpoint", &kept]].concat());
    assert_eq!(out(&on), out(&one));
    let unknown = years(scenario, &["--until-rel-err", "3%", "--of", "api-wrote"]);
    assert!(complaint(&unknown).contains("the nearest is `api-write`"));
}

/// Law: slices of different kinds of trials, and options that sums cannot serve, are told.
#[test]
fn what_years_cannot_do_is_told() {
    let (runs, sums) = (file("runs.jsonl"), file("sums.jsonl"));
    out(&mc(&["--trials", "16", "--checkpoint", &runs]));
    out(&years(YEARS[0].0, &["--trials", "16", "--checkpoint", &sums]));
    assert!(complaint(&hasim(&["merge", &runs, &sums])).contains("of years"));
    // A checkpoint of years has sums, from which no rows come back.
    let none = file("none.csv");
    let samples = years(YEARS[0].0, &["--trials", "16", "--samples", &none, "--checkpoint", &sums]);
    assert!(complaint(&samples).contains("leave --checkpoint out"));
    assert!(complaint(&hasim(&["merge", &sums, "--samples", &none])).contains("no single trials"));
    let nothing = years(YEARS[0].0, &["--time-limit", "0s"]);
    assert!(complaint(&nothing).contains("no trial is finished"));
    let never = ["mc", "scenarios/oracles/X23.json", "--rare", "auto", "--until-rel-err", "5%"];
    let never = hasim(&[&never[..], &["--of", "endpoint"]].concat());
    assert!(complaint(&never).contains("never down"));
    let other = years(YEARS[0].0, &["--trials", "16", "--checkpoint", &runs]);
    assert!(complaint(&other).contains("kind of trials is runs, not years"));
}

/// Law: `hasim quorum` refuses what is no cluster with what would be right.
#[test]
fn quorum_is_taught_and_nonsense_refused() {
    assert!(out(&hasim(&["quorum", "5"])).starts_with("5 members need 3 for a quorum"));
    assert!(out(&hasim(&["quorum", SCENARIO])).starts_with("3 members need 2"));
    let textbook = hasim(&["quorum", "scenarios/oracles/P03.json", "--format", "json"]);
    assert!(out(&textbook).contains("\"availability\": 0.99601593625498"), "1000 h of 1004 h");
    assert!(complaint(&hasim(&["quorum", "0"])).contains("a number from 1 to 99"));
    assert!(complaint(&hasim(&["quorum", "3", "--zones", "2,2"])).contains("not 3"));
    let percent = hasim(&["quorum", "3", "--availability", "99%"]);
    assert!(complaint(&percent).contains("`0.99`"));
}

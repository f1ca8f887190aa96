//! Laws of slices: cut, merged, refused.

use super::*;
use crate::experiment::monte_carlo::Row;
use crate::kernel::time::Duration;
use crate::measure::failover::{self, Reading, Value};

fn about() -> About {
    About {
        hasim: "0.1.0".to_owned(),
        trials_are: Kind::Runs,
        scenario: "test".to_owned(),
        fingerprint: "00ff".to_owned(),
        seed: 7,
        until: Duration::from_secs(60),
        sides: Vec::new(),
    }
}

fn rows(trials: Range<u64>) -> Block<Vec<Row>> {
    let row = |trial| {
        let of = |name, value| Reading { metric: failover::find(name).unwrap(), value };
        let span = Value::Duration(Duration::from_nanos(1_000_000_007 * trial));
        let readings = vec![
            of("etcd.election", span),
            of("etcd.campaign_rounds", Value::Count(trial % 3 + 1)),
        ];
        Row { trial, readings }
    };
    let failed = |trial: &u64| trial % 5 == 4;
    let failure = |trial| Failure { trial, seed: 7, message: "an invariant \"broke\"".to_owned() };
    let folded = Folded {
        total: trials.clone().filter(|trial| !failed(trial)).map(row).collect(),
        failures: trials.clone().filter(failed).map(failure).collect(),
    };
    Block { trials, folded }
}

fn study(trials: Range<u64>) -> Study<Vec<Row>> {
    let mut study = Study::empty(about(), trials.start);
    study.add(rows(trials));
    study
}

fn text(first: u64, blocks: &[Block<Vec<Row>>]) -> String {
    let lines = blocks.iter().map(|b| block(b).unwrap());
    header(&about(), first).unwrap() + &lines.collect::<String>()
}

/// Law: what is written is read back to the nanosecond, and a last line that was cut short costs
/// only itself.
#[test]
fn a_slice_survives_its_file() {
    let whole = text(16, &[rows(16..32), rows(32..40)]);
    let slice = read::<Vec<Row>>(&whole).unwrap();
    let (good, read_back) = (slice.good, slice.study());
    assert_eq!((read_back.trials.clone(), good), (16..40, whole.len()));
    assert_eq!(format!("{:?}", read_back.results), format!("{:?}", study(16..40).results));
    assert_eq!(read_back.failures, study(16..40).failures);
    let border = text(16, &[rows(16..32)]).len();
    for cut in border..whole.len() {
        let part = read::<Vec<Row>>(&whole[..cut]).unwrap();
        assert_eq!((part.clone().study().trials, part.good), (16..32, border), "cut at {cut}");
    }
}

/// Law: a file that is no slice, or that lost a line in its middle, is refused with its place.
#[test]
fn damage_is_told() {
    assert_eq!(read::<Vec<Row>>("").unwrap_err(), SliceError::NoSlice);
    assert_eq!(read::<Vec<Row>>("{\"kind\": \"Scenario\"}\n").unwrap_err(), SliceError::NoSlice);
    let skipped = text(0, &[rows(0..16), rows(32..48)]);
    let SliceError::BadLine { line: 3, reason } = read::<Vec<Row>>(&skipped).unwrap_err() else {
        panic!("a gap was accepted");
    };
    assert_eq!(reason, "trial 16 should follow");
    let renamed = text(0, &[rows(0..16)]).replace("etcd.election", "etcd.selection");
    assert!(read::<Vec<Row>>(&renamed).is_err());
}

/// Law: slices join in any order to the study of one run.
#[test]
fn slices_join_in_any_order() {
    let named = |range: Range<u64>| (format!("{range:?}"), study(range));
    let whole = join(vec![named(30..41), named(0..16), named(16..30)]).unwrap();
    assert_eq!(format!("{:?}", whole.results), format!("{:?}", study(0..41).results));
    assert_eq!(whole.trials, 0..41);
}

/// Law: overlaps, gaps and strangers are named.
#[test]
fn slices_that_do_not_fit_are_refused() {
    let named = |range: Range<u64>| (format!("{range:?}"), study(range));
    let say = |slices| join(slices).unwrap_err().to_string();
    insta::assert_snapshot!(say(vec![named(0..16), named(8..32)]),
        @"trials 8 to 15 are both in 0..16 and in 8..32; leave one of the files out");
    insta::assert_snapshot!(say(vec![named(0..16), named(20..32)]),
        @"trials 16 to 19 are missing between 0..16 and 20..32; run them with `--first 16 --trials 4`");
    let mut other = named(16..32);
    other.1.about.seed = 8;
    insta::assert_snapshot!(say(vec![named(0..16), other]),
        @"16..32: it is of another study: its seed is 8, not 7 (as in 0..16)");
    assert_eq!(join::<Vec<Row>>(vec![]).unwrap_err(), JoinError::Nothing);
}

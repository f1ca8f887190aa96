//! Clocks that run fast or slow. Steps are no fault: every timer modelled here runs on a clock that
//! does not step (Go's, HAProxy's and keepalived's monotonic clocks), and who observes a Lease counts
//! from when he saw it change (client-go: `observedTime`), not from the time written in it.

use super::option::{OptionSort, VerbOption};
use super::{Act, Verb, Whom};
use crate::plan::schedule::Action;

/// True time.
const TRUE_PPM: u32 = 1_000_000;

/// A clock's rate.
pub(super) const SKEW_CLOCK: Verb = Verb {
    name: "skewClock",
    doc: "The machine's clock runs at another rate, so that every timer on it does. `for` sets it right.",
    whom: Whom::Machines,
    ends: true,
    repairs: &[],
    options: &[VerbOption {
        name: "rate",
        doc: "Seconds on its clock in a true second: 1.02 is 2 % fast. From 0.1 to 10.",
        sort: OptionSort::Rate,
    }],
    act: |given| {
        let ppm = given.options.ppm("rate");
        Act::until(Action::ClockRate(ppm), Action::ClockRate(TRUE_PPM), given.targets.clone())
    },
};

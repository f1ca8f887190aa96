//! Links that work badly.

use super::option::{OptionSort, VerbOption};
use super::{Act, Verb, Whom};
use crate::kernel::time::Duration;
use crate::plan::schedule::Action;

/// More delay.
pub(super) const SLOW_LINK: Verb = Verb {
    name: "slowLink",
    doc: "Adds delay between two sides, both ways. `for` ends it.",
    whom: Whom::TwoSides,
    ends: true,
    repairs: &[],
    options: &[VerbOption {
        name: "latency",
        doc: "Extra delay, each way.",
        sort: OptionSort::Span,
    }],
    act: |given| {
        let by = given.options.span("latency");
        let delay = |by| Action::Delay { others: given.others.clone(), by };
        Act::until(delay(by), delay(Duration::ZERO), given.targets.clone())
    },
};

/// More loss.
pub(super) const LOSSY_LINK: Verb = Verb {
    name: "lossyLink",
    doc: "Loses a share of the packets between two sides, both ways. `for` ends it.",
    whom: Whom::TwoSides,
    ends: true,
    repairs: &[],
    options: &[VerbOption {
        name: "loss",
        doc: "Share of packets lost: a number from 0 to 1, or a percentage such as \"1%\".",
        sort: OptionSort::Share,
    }],
    act: |given| {
        let ppm = given.options.ppm("loss");
        let loss = |ppm| Action::Loss { others: given.others.clone(), ppm };
        Act::until(loss(ppm), loss(0), given.targets.clone())
    },
};

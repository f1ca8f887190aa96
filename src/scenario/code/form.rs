//! `S1xx`: the form is wrong.

use super::{Code, CodeInfo};

impl Code {
    /// There is no field of that name.
    pub const UNKNOWN_FIELD: Code = Code::new(101);
    /// A field that is needed is not there.
    pub const MISSING_FIELD: Code = Code::new(102);
    /// A value of another type is needed.
    pub const WRONG_TYPE: Code = Code::new(103);
    /// A text is no duration.
    pub const BAD_DURATION: Code = Code::new(104);
    /// A value is no law of random durations.
    pub const BAD_LAW: Code = Code::new(105);
    /// A number is out of range, or not whole.
    pub const BAD_NUMBER: Code = Code::new(106);
    /// A word is none of the valid ones.
    pub const UNKNOWN_WORD: Code = Code::new(107);
    /// None or several of fields of which one is needed.
    pub const ONE_OF: Code = Code::new(108);
    /// A text does not have the form that it needs.
    pub const BAD_TEXT: Code = Code::new(109);
    /// A list has too few or too many items.
    pub const BAD_LENGTH: Code = Code::new(110);
}

/// In the order of their numbers.
pub(super) const CODES: &[CodeInfo] = &[
    CodeInfo {
        code: Code::UNKNOWN_FIELD,
        title: "there is no field of that name",
        explanation: "Fields are spelled as in the configuration of the real software: leaseDuration as in \
            Kubernetes, heartbeat-interval as in etcd, advert_int as in keepalived. The message names the \
            nearest valid field and lists the others. A field that is misspelled would otherwise leave \
            the default in force without a word.",
        bad: r#"{ "at": "10m", "kil": "cp1/etcd" }"#,
        good: r#"{ "at": "10m", "kill": "cp1/etcd" }"#,
    },
    CodeInfo {
        code: Code::MISSING_FIELD,
        title: "a field is missing",
        explanation: "Nearly every field has the real software's default and may be left out. This one has \
            none: without it nobody could say what is meant.",
        bad: r#"{ "kill": "cp1/etcd" }"#,
        good: r#"{ "at": "10m", "kill": "cp1/etcd" }"#,
    },
    CodeInfo {
        code: Code::WRONG_TYPE,
        title: "a value of another type is needed",
        explanation: "The message says what is expected and what was found. Frequent cases: a duration is a \
            text with a unit (\"15s\", not 15); a version is a text (\"1.30\", since the number 1.30 is \
            1.3); in YAML only true and false are truth values, not yes and on.",
        bad: r#"{ "at": 10, "kill": "cp1/etcd" }"#,
        good: r#"{ "at": "10s", "kill": "cp1/etcd" }"#,
    },
    CodeInfo {
        code: Code::BAD_DURATION,
        title: "a text is no duration",
        explanation: "Durations are written as Go and Kubernetes write them: numbers, each with one of the \
            units ns, us, ms, s, m and h, without spaces: \"100ms\", \"15s\", \"1h30m\". There is no unit \
            for days, since days are not always 24 hours: write \"48h\". The longest is 584 years.",
        bad: r#"{ "at": "2 d", "kill": "cp1/etcd" }"#,
        good: r#"{ "at": "48h", "kill": "cp1/etcd" }"#,
    },
    CodeInfo {
        code: Code::BAD_LAW,
        title: "a value is no law of random durations",
        explanation: "Where a duration may be random, either a fixed one (\"15s\") or an object with the \
            law's name as its only field is written: {\"uniform\": [\"30s\", \"40s\"]}, {\"exponential\": \
            {\"mean\": \"4h\"}}, {\"weibull\": {\"shape\": 1.5, \"mean\": \"4h\"}}, {\"lognormal\": \
            {\"median\": \"30m\", \"p95\": \"6h\"}}, gamma, erlang, hyperexponential or empirical.",
        bad: r#"{ "at": "10m", "kill": "cp1/etcd", "for": { "uniform": ["40s", "30s"] } }"#,
        good: r#"{ "at": "10m", "kill": "cp1/etcd", "for": { "uniform": ["30s", "40s"] } }"#,
    },
    CodeInfo {
        code: Code::BAD_NUMBER,
        title: "a number is out of range",
        explanation: "The message says which numbers are possible here. Counts are whole and not negative; \
            probabilities and shares lie between 0 and 1.",
        bad: r#"{ "at": "10m", "kill": "cp1/etcd", "times": -1 }"#,
        good: r#"{ "at": "10m", "kill": "cp1/etcd", "times": 1 }"#,
    },
    CodeInfo {
        code: Code::UNKNOWN_WORD,
        title: "a word is none of the valid ones",
        explanation: "The field takes one of a few words, spelled as in the real software. The message names \
            the nearest and lists them all.",
        bad: r#"{ "at": "10m", "kill": "cp1/etcd", "disk": "wiped" }"#,
        good: r#"{ "at": "10m", "kill": "cp1/etcd", "disk": "wipe" }"#,
    },
    CodeInfo {
        code: Code::ONE_OF,
        title: "exactly one of several fields is needed",
        explanation: "Some fields exclude each other, and one of them must be there: a fault has one verb, \
            so that the order of two things that happen at once is never in doubt. Write two faults with \
            the same time instead; they happen in the order of the file.",
        bad: r#"{ "at": "10m", "kill": "cp1/etcd", "pause": "cp2/etcd" }"#,
        good: r#"{ "at": "10m", "kill": "cp1/etcd" }"#,
    },
    CodeInfo {
        code: Code::BAD_TEXT,
        title: "a text does not have the form that it needs",
        explanation: "The text follows rules of its own, for instance the name of a machine with one of its \
            processes, `cp1/etcd`, or a role, `leader of etcd`. The message says what is expected.",
        bad: r#"{ "at": "10m", "kill": "/etcd" }"#,
        good: r#"{ "at": "10m", "kill": "cp1/etcd" }"#,
    },
    CodeInfo {
        code: Code::BAD_LENGTH,
        title: "a list has too few or too many items",
        explanation: "The message says how many items the list may have. A list that may be empty can also \
            be left out.",
        bad: r#"{ "at": "10m", "kill": [] }"#,
        good: r#"{ "at": "10m", "kill": ["cp1/etcd", "cp2/etcd"] }"#,
    },
];

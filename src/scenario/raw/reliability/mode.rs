//! A way to fail: from being up to the failure, and from there to being up.

use crate::component::param::ParamValue;
use crate::kernel::law::Law;
use crate::kernel::time::Duration;
use crate::plan::share::Share;
use crate::scenario::code::Code;
use crate::scenario::document::{Node, Path};
use crate::scenario::reader::{Fields, Reader};
use serde_json::{Value, json};

/// The fields of a way to fail, with their meaning.
pub const FIELDS: [(&str, &str); 5] = [
    ("cause", "What it is called in reports."),
    ("failure", "From being up and new to the failure: a law."),
    ("perYear", "Instead of `failure`: failures a year of being up, at a constant rate."),
    ("repair", "From the failure, or from when a crew begins, to being up: a law."),
    ("needsCrew", "Whether the repair waits for a crew; a process needs none."),
];

/// Hours of a year of 365 days.
const YEAR_HOURS: f64 = 8760.0;
/// A little less than the longest duration there is.
const SECS_MAX: f64 = 1.84e10;

/// A way to fail.
#[derive(Clone, Debug, PartialEq)]
pub struct ModeEntry {
    /// What it is called.
    pub cause: Option<String>,
    /// From being up to the failure.
    pub failure: Law,
    /// From the failure to being up.
    pub repair: Law,
    /// Whether it waits for a crew; left out: by its class.
    pub needs_crew: Option<bool>,
    /// Where it stands, or would.
    pub path: Path,
}

impl ModeEntry {
    fn read(node: &Node, reader: &Reader, path: Path) -> Option<ModeEntry> {
        let known: Vec<&str> = FIELDS.iter().map(|(name, _)| *name).collect();
        let fields = reader.fields(node, "a way to fail", &known)?;
        let failure = failure(&fields, "failure");
        let repair = fields.required("repair");
        let (cause, needs_crew) = (fields.optional("cause"), fields.optional("needsCrew"));
        Some(ModeEntry { cause, failure: failure?, repair: repair?, needs_crew, path })
    }

    /// The mode as a file has it.
    pub fn show(&self) -> Value {
        let mut value = json!({ "failure": self.failure.show(), "repair": self.repair.show() });
        if let Some(cause) = &self.cause {
            value["cause"] = json!(cause);
        }
        if let Some(needs) = self.needs_crew {
            value["needsCrew"] = json!(needs);
        }
        value
    }
}

/// One way to fail or a list of them.
pub(super) fn read_all(node: &Node, reader: &Reader, path: &Path) -> Vec<ModeEntry> {
    match node.items() {
        Some(items) => {
            let items = items.iter().enumerate();
            items.filter_map(|(at, node)| ModeEntry::read(node, reader, path.index(at))).collect()
        }
        None => ModeEntry::read(node, reader, path.clone()).into_iter().collect(),
    }
}

/// The law of failure: given as such under `name`, or as a rate a year.
pub(super) fn failure(fields: &Fields, name: &'static str) -> Option<Law> {
    let entry = fields.one_of(&[name, "perYear"])?;
    if entry.key == name {
        return fields.required(name);
    }
    fields.required_with("perYear", |node, reader| {
        let wanted = "failures a year, above 0 and at most 1000000";
        let rate = reader.number_in(node, wanted, f64::MIN_POSITIVE..=1e6)?;
        let secs = YEAR_HOURS * 3600.0 / rate;
        if secs < SECS_MAX {
            let mean = Duration::from_secs_f64(secs)?;
            return Some(Law::Exponential { mean });
        }
        let message = "fewer than one in 584 years: longer times cannot be written";
        reader.invalid(node, Code::BAD_NUMBER, message);
        None
    })
}

/// A share of a whole.
pub(super) fn share(node: &Node, reader: &Reader) -> Option<Share> {
    let read = Share::read(&node.to_value());
    read.map_err(|message| reader.invalid(node, Code::WRONG_TYPE, message)).ok()
}

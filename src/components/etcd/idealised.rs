//! Values of the options that make a member another raft than etcd: continuous time-outs and unequal
//! logs, as studies of raft and other implementations have them.
//!
//! Absent on purpose: what they do, which is with their subjects.

use crate::component::param::ParamValue;
use crate::kernel::law::Law;
use serde_json::{Value, json};

/// How the random wait for a leader is drawn and counted.
#[derive(Clone, Debug, PartialEq)]
pub enum ElectionTimer {
    /// As etcd does: a number of ticks, uniform from election-timeout to just less than twice that.
    Ticks,
    /// From this law, in continuous time.
    Law(Law),
}

impl ParamValue for ElectionTimer {
    fn read(value: &Value) -> Result<Self, String> {
        if value.as_str() == Some("ticks") {
            return Ok(Self::Ticks);
        }
        let law = Law::read(value).map(Self::Law);
        law.map_err(|wrong| format!("expected `ticks` or a law of time-outs: {wrong}"))
    }
    fn show(&self) -> Value {
        match self {
            Self::Ticks => "ticks".into(),
            Self::Law(law) => law.show(),
        }
    }
    fn schema() -> Value {
        json!({ "anyOf": [{ "const": "ticks" }, Law::schema()] })
    }
}

/// How many entries each member lacks at the start, in the order of the members; those not named lack
/// none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogLag(Vec<u32>);

impl LogLag {
    /// So many entries for each of the first members.
    pub fn of(entries: &[u32]) -> Self {
        Self(entries.to_vec())
    }

    /// What the member at this position lacks.
    pub fn of_member(&self, at: usize) -> u64 {
        self.0.get(at).copied().unwrap_or(0).into()
    }

    /// What the one that lacks most lacks.
    pub fn most(&self) -> u64 {
        self.0.iter().copied().max().unwrap_or(0).into()
    }

    /// How many members are named.
    pub fn named(&self) -> usize {
        self.0.len()
    }
}

impl ParamValue for LogLag {
    fn read(value: &Value) -> Result<Self, String> {
        let wrong = || format!("expected a list of whole numbers, one a member, found {value}");
        let entries = value.as_array().ok_or_else(wrong)?;
        let read = entries.iter().map(u32::read).collect::<Result<_, _>>();
        read.map(Self).map_err(|_| wrong())
    }
    fn show(&self) -> Value {
        json!(self.0)
    }
    fn schema() -> Value {
        json!({ "type": "array", "items": u32::schema() })
    }
}

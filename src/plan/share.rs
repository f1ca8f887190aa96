//! A share of a whole, in parts per million.

use crate::component::param::{ParamValue, sort};
use serde_json::{Value, json};

/// Parts per million, from 0 to 1,000,000. In files a number from 0 to 1, or a percentage such as
/// `"1%"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(pub u32);

impl Share {
    fn of(fraction: f64) -> Option<Share> {
        if !(0.0..=1.0).contains(&fraction) {
            return None;
        }
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and 1,000,000 by the check above"
        )]
        let ppm = (fraction * 1e6).round() as u32;
        Some(Share(ppm))
    }
}

impl ParamValue for Share {
    fn read(value: &Value) -> Result<Self, String> {
        let percent = |text: &str| text.strip_suffix('%')?.trim().parse::<f64>().ok();
        let fraction = match value {
            Value::String(text) => percent(text).map(|percent| percent / 100.0),
            other => other.as_f64(),
        };
        fraction.and_then(Share::of).ok_or_else(|| {
            format!("expected a share from 0 to 1 such as 0.01 or \"1%\", found {}", sort(value))
        })
    }

    fn show(&self) -> Value {
        json!(f64::from(self.0) / 1e6)
    }

    fn schema() -> Value {
        json!({ "anyOf": [
            { "type": "number", "minimum": 0, "maximum": 1 },
            { "type": "string", "pattern": "^[0-9.]+ *%$" }
        ] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law: a share reads back from what is written of it, and percentages are shares.
    #[test]
    fn shares_read_back() {
        for (value, ppm) in [(json!(0), 0), (json!(0.015), 15_000), (json!("1.5%"), 15_000)] {
            let share = Share::read(&value).unwrap();
            assert_eq!(share.0, ppm);
            assert_eq!(Share::read(&share.show()), Ok(share));
        }
        for value in [json!(1.5), json!(-0.1), json!("1"), json!("x%"), json!(null)] {
            assert!(Share::read(&value).is_err(), "{value}");
        }
    }
}

//! Options of verbs, such as `"carrier": "kept"` beside `"isolate": "cp1"`.

use crate::component::param::{ParamValue, sort};
use crate::kernel::law::Law;
use crate::kernel::time::Duration;
use crate::plan::share::Share;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// An option's value.
#[derive(Clone, Debug, PartialEq)]
pub enum OptionValue {
    /// One of a few words.
    Word(&'static str),
    /// A span of time.
    Span(Duration),
    /// A number in parts per million.
    Ppm(u32),
    /// A law of spans of time.
    Law(Law),
}

/// What values an option takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OptionSort {
    /// One of these words; the first is the default.
    Words(&'static [&'static str]),
    /// A span of time; it must be given.
    Span,
    /// A span of time, with its default.
    SpanOr(Duration),
    /// A span of time longer than another option's; it must be given.
    SpanAbove(&'static str),
    /// A law of spans of time; it must be given.
    Law,
    /// A share of all packets; it must be given.
    Share,
    /// A rate, 1 being true time; it must be given.
    Rate,
}

/// One option of a verb.
#[derive(Clone, Copy, Debug)]
pub struct VerbOption {
    /// The field's name, beside the verb's.
    pub name: &'static str,
    /// Meaning, with unit and edges.
    pub doc: &'static str,
    /// What values it takes.
    pub sort: OptionSort,
}

/// The options that a fault gives, defaults filled in.
#[derive(Clone, Debug, Default)]
pub struct Options(BTreeMap<&'static str, OptionValue>);

/// Least and most rate of a clock, in parts per million of true time.
const RATES: (f64, f64) = (0.1, 10.0);

impl OptionSort {
    /// The value when the option is left out; `None` where it must be given.
    pub fn default(self) -> Option<OptionValue> {
        match self {
            OptionSort::Words(words) => words.first().map(|word| OptionValue::Word(word)),
            OptionSort::SpanOr(span) => Some(OptionValue::Span(span)),
            OptionSort::Span
            | OptionSort::SpanAbove(_)
            | OptionSort::Law
            | OptionSort::Share
            | OptionSort::Rate => None,
        }
    }

    /// Reads a value as a scenario writes it.
    ///
    /// # Errors
    /// What is wrong and what would be right.
    pub fn read(self, value: &Value) -> Result<OptionValue, String> {
        match self {
            OptionSort::Words(words) => {
                let known = words.iter().find(|word| value.as_str() == Some(word));
                known.map(|word| OptionValue::Word(word)).ok_or_else(|| {
                    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
                    format!("expected one of {}, found {}", words.join(", "), sort(value))
                })
            }
            OptionSort::Span | OptionSort::SpanOr(_) | OptionSort::SpanAbove(_) => {
                Duration::read(value).map(OptionValue::Span)
            }
            OptionSort::Law => Law::read(value).map(OptionValue::Law),
            OptionSort::Share => Share::read(value).map(|share| OptionValue::Ppm(share.0)),
            OptionSort::Rate => rate(value),
        }
    }

    /// JSON Schema of the values.
    pub fn schema(self) -> Value {
        match self {
            OptionSort::Words(words) => json!({ "enum": words }),
            OptionSort::Span | OptionSort::SpanOr(_) | OptionSort::SpanAbove(_) => {
                Duration::schema()
            }
            OptionSort::Law => Law::schema(),
            OptionSort::Share => Share::schema(),
            OptionSort::Rate => {
                json!({ "type": "number", "minimum": RATES.0, "maximum": RATES.1 })
            }
        }
    }
}

fn rate(value: &Value) -> Result<OptionValue, String> {
    let (least, most) = RATES;
    let rate = value.as_f64().filter(|rate| (least..=most).contains(rate));
    let Some(rate) = rate else {
        return Err(format!(
            "expected the clock's rate from {least} to {most} such as 1.02, found {}",
            sort(value)
        ));
    };
    // In range by the check above, so that the cast cannot cut anything off but a fraction.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 100,000 and 10,000,000"
    )]
    let ppm = (rate * 1e6).round() as u32;
    Ok(OptionValue::Ppm(ppm))
}

impl Options {
    /// Notes an option's value.
    pub fn put(&mut self, name: &'static str, value: OptionValue) {
        self.0.insert(name, value);
    }

    /// An option's value as a scenario writes it, if there is one.
    pub fn show(&self, option: &VerbOption) -> Option<Value> {
        let value = self.0.get(option.name)?;
        Some(match value {
            OptionValue::Word(word) => json!(word),
            OptionValue::Span(span) => span.show(),
            OptionValue::Ppm(ppm) => json!(f64::from(*ppm) / 1e6),
            OptionValue::Law(law) => law.show(),
        })
    }

    /// What is wrong between an option and the others, if anything.
    pub fn contradiction(&self, option: &VerbOption) -> Option<String> {
        let OptionSort::SpanAbove(other) = option.sort else { return None };
        let (own, least) = (self.span(option.name), self.span(other));
        (own <= least).then(|| format!("`{}` is {own}, not above `{other}`, {least}", option.name))
    }

    /// A word that was given or is the default.
    pub(super) fn word(&self, name: &str) -> &'static str {
        match self.0.get(name) {
            Some(OptionValue::Word(word)) => word,
            other => panic!("option {name} is a word, not {other:?}"),
        }
    }

    /// Whether an option is given, or left out, with this word.
    pub(super) fn is_word(&self, name: &str, word: &str) -> bool {
        matches!(self.0.get(name), Some(OptionValue::Word(given)) if *given == word)
    }

    /// A span that was given.
    pub(super) fn span(&self, name: &str) -> Duration {
        match self.0.get(name) {
            Some(OptionValue::Span(span)) => *span,
            other => panic!("option {name} is a span, not {other:?}"),
        }
    }

    /// A law that was given.
    pub(super) fn law(&self, name: &str) -> Law {
        match self.0.get(name) {
            Some(OptionValue::Law(law)) => law.clone(),
            other => panic!("option {name} is a law, not {other:?}"),
        }
    }

    /// A share or a rate that was given.
    pub(super) fn ppm(&self, name: &str) -> u32 {
        match self.0.get(name) {
            Some(OptionValue::Ppm(ppm)) => *ppm,
            other => panic!("option {name} is a number, not {other:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law: a span that must exceed another is refused where it does not.
    #[test]
    fn spans_that_contradict_each_other_are_refused() {
        let option = VerbOption { name: "p99", doc: "", sort: OptionSort::SpanAbove("p50") };
        let given = |p50, p99| {
            let mut options = Options::default();
            options.put("p50", OptionValue::Span(Duration::from_millis(p50)));
            options.put("p99", OptionValue::Span(Duration::from_millis(p99)));
            options.contradiction(&option)
        };
        assert_eq!(given(10, 20), None);
        assert_eq!(given(20, 20).as_deref(), Some("`p99` is 20ms, not above `p50`, 20ms"));
    }

    /// Law: an option reads its own values and refuses others with what would be right.
    #[test]
    fn options_read_their_values() {
        let carrier = OptionSort::Words(&["lost", "kept"]);
        assert_eq!(carrier.default(), Some(OptionValue::Word("lost")));
        assert_eq!(carrier.read(&json!("kept")), Ok(OptionValue::Word("kept")));
        let error = carrier.read(&json!("gone")).unwrap_err();
        assert_eq!(error, "expected one of `lost`, `kept`, found the text \"gone\"");
        assert_eq!(OptionSort::Rate.read(&json!(1.02)), Ok(OptionValue::Ppm(1_020_000)));
        assert!(OptionSort::Rate.read(&json!(0)).is_err());
        assert_eq!(OptionSort::Share.read(&json!("1%")), Ok(OptionValue::Ppm(10_000)));
    }
}

//! Laws in files: `"5s"` is fixed, anything else an object with the law's name as its only key.
//!
//! Reading checks form and ranges; a law that was read can be sampled.

use std::fmt;

use serde::de::{Error, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Duration, Law};

const NAMES: &str =
    "uniform, exponential, weibull, lognormal, gamma, erlang, hyperexponential, empirical";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mean {
    mean: Duration,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Weibull {
    shape: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    scale: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mean: Option<Duration>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LogNormal {
    median: Duration,
    #[serde(skip_serializing_if = "Option::is_none")]
    p95: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sigma: Option<f64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Gamma {
    shape: f64,
    mean: Duration,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Erlang {
    stages: u32,
    mean: Duration,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hyperexponential {
    branches: Vec<(f64, Duration)>,
}

impl<'de> Deserialize<'de> for Law {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Law, D::Error> {
        deserializer.deserialize_any(LawVisitor)
    }
}

struct LawVisitor;

impl<'de> Visitor<'de> for LawVisitor {
    type Value = Law;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a duration such as \"15s\", or a law such as {\"uniform\": [\"30s\", \"40s\"]}",
        )
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Law, E> {
        Duration::deserialize(serde::de::value::StrDeserializer::new(text)).map(Law::Fixed)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Law, E> {
        Duration::deserialize(serde::de::value::U64Deserializer::new(number)).map(Law::Fixed)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Law, E> {
        Duration::deserialize(serde::de::value::F64Deserializer::new(number)).map(Law::Fixed)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Law, A::Error> {
        let Some(name) = map.next_key::<String>()? else {
            return Err(A::Error::invalid_value(Unexpected::Map, &self));
        };
        let law = named(&name, &mut map)?;
        if let Some(second) = map.next_key::<String>()? {
            let message = format!("one law at a time: both `{name}` and `{second}` are given");
            return Err(A::Error::custom(message));
        }
        law.check().map_err(A::Error::custom)?;
        Ok(law)
    }
}

/// The law called `name`, from the value that follows.
fn named<'de, A: MapAccess<'de>>(name: &str, map: &mut A) -> Result<Law, A::Error> {
    Ok(match name {
        "uniform" => {
            let (from, to) = map.next_value()?;
            Law::Uniform { from, to }
        }
        "exponential" => Law::Exponential { mean: map.next_value::<Mean>()?.mean },
        "weibull" => weibull(&map.next_value()?)?,
        "lognormal" => lognormal(&map.next_value()?)?,
        "gamma" => {
            let Gamma { shape, mean } = map.next_value()?;
            Law::Gamma { shape, mean }
        }
        "erlang" => {
            let Erlang { stages, mean } = map.next_value()?;
            Law::Erlang { stages, mean }
        }
        "hyperexponential" => {
            Law::Hyperexponential { branches: map.next_value::<Hyperexponential>()?.branches }
        }
        "empirical" => {
            let Samples(samples) = map.next_value()?;
            Law::empirical(samples).map_err(A::Error::custom)?
        }
        other => {
            let other = other.escape_debug();
            return Err(A::Error::custom(format!("unknown law `{other}`; the laws are {NAMES}")));
        }
    })
}

fn weibull<E: Error>(text: &Weibull) -> Result<Law, E> {
    match (text.scale, text.mean) {
        (Some(scale), None) => Ok(Law::Weibull { shape: text.shape, scale }),
        (None, Some(mean)) => Law::weibull_by_mean(text.shape, mean).map_err(E::custom),
        _ => Err(E::custom("the weibull law needs either `scale` or `mean` beside `shape`")),
    }
}

fn lognormal<E: Error>(text: &LogNormal) -> Result<Law, E> {
    match (text.p95, text.sigma) {
        (Some(p95), None) => Law::lognormal_by_p95(text.median, p95).map_err(E::custom),
        (None, Some(sigma)) => Ok(Law::LogNormal { median: text.median, sigma }),
        _ => Err(E::custom("the lognormal law needs either `p95` or `sigma` beside `median`")),
    }
}

/// The samples of an empirical law. The name of a file with samples is replaced by its samples
/// before a law is read; whoever reads a law that still has the name is told so.
struct Samples(Vec<Duration>);

impl<'de> Deserialize<'de> for Samples {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Samples, D::Error> {
        deserializer.deserialize_any(SamplesVisitor)
    }
}

struct SamplesVisitor;

impl<'de> Visitor<'de> for SamplesVisitor {
    type Value = Samples;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of durations such as [\"1s\", \"2s\"]")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Samples, E> {
        let name = name.escape_debug();
        Err(E::custom(format!("the samples in file `{name}` cannot be had here: list them")))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Samples, A::Error> {
        let mut samples = Vec::new();
        while let Some(sample) = seq.next_element()? {
            samples.push(sample);
        }
        Ok(Samples(samples))
    }
}

impl Serialize for Law {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Law::Fixed(span) => span.serialize(serializer),
            Law::Uniform { from, to } => only("uniform", &(from, to), serializer),
            Law::Exponential { mean } => only("exponential", &Mean { mean: *mean }, serializer),
            Law::Weibull { shape, scale } => {
                let text = Weibull { shape: *shape, scale: Some(*scale), mean: None };
                only("weibull", &text, serializer)
            }
            Law::LogNormal { median, sigma } => {
                let text = LogNormal { median: *median, p95: None, sigma: Some(*sigma) };
                only("lognormal", &text, serializer)
            }
            Law::Gamma { shape, mean } => {
                only("gamma", &Gamma { shape: *shape, mean: *mean }, serializer)
            }
            Law::Erlang { stages, mean } => {
                only("erlang", &Erlang { stages: *stages, mean: *mean }, serializer)
            }
            Law::Hyperexponential { branches } => {
                let text = Hyperexponential { branches: branches.clone() };
                only("hyperexponential", &text, serializer)
            }
            Law::Empirical(samples) => only("empirical", samples.as_ref(), serializer),
        }
    }
}

/// An object with one key.
fn only<S, T>(name: &'static str, value: &T, serializer: S) -> Result<S::Ok, S::Error>
where
    S: Serializer,
    T: Serialize + ?Sized,
{
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(name, value)?;
    map.end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Law, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    /// Law: every law that a file can name reads back equal from what is written of it.
    #[test]
    fn laws_read_back() {
        for text in [
            r#""5s""#,
            r#"{"uniform":["30s","40s"]}"#,
            r#"{"exponential":{"mean":"4h"}}"#,
            r#"{"weibull":{"shape":1.5,"scale":"10h"}}"#,
            r#"{"lognormal":{"median":"30m","sigma":1.25}}"#,
            r#"{"gamma":{"shape":0.5,"mean":"2s"}}"#,
            r#"{"erlang":{"stages":3,"mean":"4h"}}"#,
            r#"{"hyperexponential":{"branches":[[0.7,"1h"],[0.3,"10h"]]}}"#,
            r#"{"empirical":["1s","2s"]}"#,
        ] {
            let law = read(text).unwrap();
            assert_eq!(serde_json::to_string(&law).unwrap(), text);
        }
    }

    /// Law: a law may be given by what people know of it: its mean, its 95th percentile.
    #[test]
    fn other_parameters_give_the_same_laws() {
        let law = read(r#"{"weibull": {"shape": 2, "mean": "10h"}}"#).unwrap();
        assert!((law.mean() / 36_000.0 - 1.0).abs() < 1e-12, "{law:?}");
        let law = read(r#"{"lognormal": {"median": "30m", "p95": "6h"}}"#).unwrap();
        assert!((law.quantile(0.95) / 21_600.0 - 1.0).abs() < 1e-12, "{law:?}");
        assert!((law.quantile(0.5) / 1_800.0 - 1.0).abs() < 1e-12, "{law:?}");
        let law = read(r#"{"empirical": ["2s", "1s"]}"#).unwrap();
        assert_eq!(law, read(r#"{"empirical": ["1s", "2s"]}"#).unwrap());
    }

    /// Law: what is no law is refused with what is wrong and what would be right.
    #[test]
    fn mistakes_are_explained() {
        for (text, message) in [
            ("15", "a duration is text with a unit: write \"15s\""),
            (r#""15""#, "`15`: the unit is missing: write `15s`"),
            (
                r#"{"normal": 1}"#,
                "unknown law `normal`; the laws are uniform, exponential, weibull",
            ),
            (r#"{"uniform": ["40s", "30s"]}"#, "a uniform law from 40s to 30s runs backwards"),
            (r#"{"uniform": ["-1s", "30s"]}"#, "`-1s`: a duration cannot be negative"),
            (r#"{"uniform": ["30s"]}"#, "invalid length 1, expected a tuple of size 2"),
            (
                r#"{"exponential": {"mean": "0s"}}"#,
                "the mean of the exponential law must be above 0s",
            ),
            (r#"{"exponential": {"rate": "1s"}}"#, "unknown field `rate`, expected `mean`"),
            (
                r#"{"weibull": {"shape": -1, "scale": "1s"}}"#,
                "the shape of the weibull law must be above 0, not -1",
            ),
            (
                r#"{"weibull": {"shape": 0.001, "mean": "1s"}}"#,
                "the scale of the weibull law must be above 0s",
            ),
            (r#"{"weibull": {"shape": 1}}"#, "needs either `scale` or `mean` beside `shape`"),
            (r#"{"lognormal": {"median": "1s"}}"#, "needs either `p95` or `sigma` beside `median`"),
            (
                r#"{"lognormal": {"median": "2s", "p95": "1s"}}"#,
                "the p95 of the lognormal law, 1s, must not be below its median, 2s",
            ),
            (
                r#"{"lognormal": {"median": "2s", "sigma": -0.5}}"#,
                "the sigma of the lognormal law must be 0 or above, not -0.5",
            ),
            (
                r#"{"erlang": {"stages": 0, "mean": "1s"}}"#,
                "the erlang law needs at least one stage",
            ),
            (
                r#"{"erlang": {"stages": 4000000000, "mean": "1s"}}"#,
                "the stages of the erlang law must be at most a million, not 4000000000",
            ),
            (
                r#"{"hyperexponential": {"branches": [[0.5, "1s"], [0.4, "2s"]]}}"#,
                "the probabilities of the branches sum to 0.9, not to 1",
            ),
            (
                r#"{"hyperexponential": {"branches": [[1.5, "1s"], [-0.5, "2s"]]}}"#,
                "the probability of the hyperexponential law must be between 0 and 1, not 1.5",
            ),
            (r#"{"empirical": []}"#, "the empirical law needs at least one sample"),
            (r#"{"empirical": "a.csv"}"#, "the samples in file `a.csv` cannot be had here"),
            (r#"{"gamma": {"shape": 1, "mean": "1s"}, "x": 1}"#, "both `gamma` and `x` are given"),
            ("{}", "expected a duration such as \"15s\", or a law such as"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.contains(message), "{text}\n{error}");
        }
    }
}

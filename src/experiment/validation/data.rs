//! Measurements: the project's own format (`tests/ground_truth/README.md`), and a plain CSV for those
//! of anybody else.

use crate::kernel::time::Duration;
use crate::measure::failover::{self, Unit};
use crate::measure::statistics::Sample;
use crate::plan::metric_names::{MetricSort, metric_sort};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What told a value, which decides how near it is to the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instrument {
    /// A mark in a program's log, or of a probe beside it.
    Log,
    /// What a client with a fixed schedule saw.
    Client,
    /// A watch on API objects.
    Watch,
}

/// A metric that was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Its name.
    pub name: String,
    /// In what it is counted.
    pub unit: Unit,
    /// From when to when, in the words of those who measured it.
    pub definition: String,
    /// Its values: milliseconds, or counts.
    pub sample: Sample,
    /// What told them.
    pub instrument: Instrument,
    /// Differences below this, in milliseconds, cannot be told apart.
    pub resolution_ms: f64,
    /// How many of the values are independent: where one trial gave several, they share its fault, its
    /// clocks and its phases, so that only the trials are.
    pub independent: usize,
}

impl Measured {
    /// The same values, which came from so many trials; 0 if that is not told.
    fn of_trials(self, trials: u64) -> Self {
        let trials = usize::try_from(trials).unwrap_or(usize::MAX);
        let independent = if trials == 0 { self.independent } else { self.independent.min(trials) };
        Self { independent, ..self }
    }
}

/// A measurement: one configuration, one fault, many trials.
#[derive(Clone, Debug)]
pub struct Experiment {
    /// Its name; its scenario's file has the same.
    pub id: String,
    /// What was configured, as the measurement tells it.
    pub config: BTreeMap<String, Value>,
    /// What was done.
    pub fault: String,
    /// How often; 0 if that is not told.
    pub trials: u64,
    /// What was seen.
    pub metrics: Vec<Measured>,
}

#[derive(Deserialize)]
struct File {
    id: String,
    #[serde(default)]
    config: BTreeMap<String, Value>,
    #[serde(default)]
    fault: String,
    #[serde(default)]
    trials: u64,
    #[serde(default)]
    resolution_ms: Resolution,
    metrics: BTreeMap<String, FileMetric>,
}

#[derive(Deserialize)]
struct FileMetric {
    #[serde(default)]
    definition: String,
    samples: Vec<f64>,
}

/// One number for all, or one for each sort of mark.
#[derive(Deserialize)]
#[serde(untagged)]
enum Resolution {
    One(f64),
    BySort(BTreeMap<String, f64>),
}

impl Default for Resolution {
    fn default() -> Self {
        Resolution::One(1.0)
    }
}

impl Resolution {
    fn of(&self, instrument: Instrument) -> f64 {
        let sorts = match self {
            Resolution::One(all) => return *all,
            Resolution::BySort(sorts) => sorts,
        };
        let word = match instrument {
            Instrument::Log => "mark",
            Instrument::Client => "client",
            Instrument::Watch => "lease",
        };
        let found = sorts.iter().find(|(sort, _)| sort.contains(word));
        found.map_or_else(|| sorts.values().copied().fold(0.0, f64::max), |(_, ms)| *ms)
    }
}

/// What tells a metric, by its name.
pub fn instrument(metric: &str) -> Instrument {
    const CLIENTS: [&str; 8] = [
        "client.",
        "api.",
        "vip.client_gap",
        "etcd.write_outage",
        "etcd.heal_write_outage",
        "etcd.put_time_to_error",
        "etcd.restart_to_write",
        "quorum.restarted_write_back",
    ];
    const MARKS: [&str; 3] = ["old_leader_exit", "start_to_candidacy", "leader_exit"];
    const WATCHES: [&str; 4] = ["scheduler.", "controller_manager.", "node.", "pod."];
    if CLIENTS.iter().any(|client| metric.starts_with(client)) || metric.ends_with("write_back") {
        Instrument::Client
    } else if MARKS.iter().any(|mark| metric.contains(mark)) {
        Instrument::Log
    } else if WATCHES.iter().any(|watch| metric.starts_with(watch))
        || metric.ends_with("lease_back")
    {
        Instrument::Watch
    } else {
        Instrument::Log
    }
}

/// Reads a measurement in the project's format.
///
/// # Errors
///
/// What is wrong with the text, or which metric hasim does not know.
pub fn from_json(text: &str) -> Result<Experiment, String> {
    let file: File = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let metric = |(name, metric): (String, FileMetric)| {
        let resolution_ms = file.resolution_ms.of(instrument(&name));
        let metric = measured(name, metric.definition, metric.samples, resolution_ms)?;
        Ok::<_, String>(metric.of_trials(file.trials))
    };
    let metrics = file.metrics.into_iter().map(metric).collect::<Result<_, _>>()?;
    let File { id, config, fault, trials, .. } = file;
    Ok(Experiment { id, config, fault, trials, metrics })
}

fn measured(
    name: String,
    definition: String,
    samples: Vec<f64>,
    resolution_ms: f64,
) -> Result<Measured, String> {
    let unit = unit(&name)?;
    let sample = Sample::new(samples).ok_or_else(|| format!("`{name}` has no samples"))?;
    let instrument = instrument(&name);
    let independent = sample.count();
    Ok(Measured { name, unit, definition, sample, instrument, resolution_ms, independent })
}

/// Reads a measurement from CSV: columns `metric` and `sample`, and `resolution_ms` if wanted (1 ms
/// otherwise). A sample is a number (milliseconds, or a count) or a duration such as `1.2s`.
///
/// # Errors
///
/// The line that is wrong, and how.
pub fn from_csv(id: &str, text: &str) -> Result<Experiment, String> {
    let mut columns: Option<Columns> = None;
    let mut found: BTreeMap<String, (Vec<f64>, f64)> = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = |message: String| format!("line {}: {message}", number + 1);
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        let Some(columns) = &columns else {
            columns = Some(Columns::find(&cells).map_err(wrong)?);
            continue;
        };
        let (metric, sample, resolution) = columns.read(&cells).map_err(wrong)?;
        let entry = found.entry(metric.to_owned()).or_insert_with(|| (Vec::new(), 1.0));
        entry.0.push(sample);
        entry.1 = resolution.unwrap_or(entry.1);
    }
    if found.is_empty() {
        return Err("there are no samples in it".to_owned());
    }
    let metrics = found.into_iter().map(|(name, (samples, resolution_ms))| {
        let definition = failover::find(&name).map_or("", |metric| metric.doc).to_owned();
        measured(name, definition, samples, resolution_ms)
    });
    Ok(Experiment {
        id: id.to_owned(),
        config: BTreeMap::new(),
        fault: String::new(),
        trials: 0,
        metrics: metrics.collect::<Result<_, _>>()?,
    })
}

/// Where the columns stand.
struct Columns {
    metric: usize,
    sample: usize,
    resolution: Option<usize>,
}

impl Columns {
    fn find(header: &[&str]) -> Result<Columns, String> {
        let column = |name: &str| header.iter().position(|cell| *cell == name);
        let needed = |name: &str| {
            column(name)
                .ok_or_else(|| format!("the header needs the columns metric,sample; no {name}"))
        };
        Ok(Columns {
            metric: needed("metric")?,
            sample: needed("sample")?,
            resolution: column("resolution_ms"),
        })
    }

    fn read<'t>(&self, cells: &[&'t str]) -> Result<(&'t str, f64, Option<f64>), String> {
        let cell = |column: usize| cells.get(column).copied().unwrap_or("");
        let sample = sample(cell(self.sample), unit(cell(self.metric))?)?;
        let resolution = match self.resolution.map(cell).filter(|text| !text.is_empty()) {
            None => None,
            Some(text) => Some(sample_ms(text)?),
        };
        Ok((cell(self.metric), sample, resolution))
    }
}

/// In what a metric is counted; all names count, whether hasim measures them yet or not.
fn unit(metric: &str) -> Result<Unit, String> {
    match metric_sort(metric) {
        Some(MetricSort::Span) => Ok(Unit::Duration),
        Some(MetricSort::Count) => Ok(Unit::Count),
        None => Err(format!("hasim has no metric `{metric}`")),
    }
}

fn sample(text: &str, unit: Unit) -> Result<f64, String> {
    match unit {
        Unit::Duration => sample_ms(text),
        Unit::Count => finite(text).ok_or_else(|| format!("`{text}` is no count")),
    }
}

fn sample_ms(text: &str) -> Result<f64, String> {
    let duration = || Duration::parse(text).ok().map(Duration::as_millis_f64);
    let found = finite(text).or_else(duration);
    found.ok_or_else(|| format!("`{text}` is neither milliseconds nor a duration such as 1.2s"))
}

fn finite(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law: a CSV of durations and counts gives samples by metric, each with its resolution.
    #[test]
    fn csv_is_read() {
        let text = "metric,sample,resolution_ms\n# kubectl, by hand\netcd.election,1.2s,5\n\
            etcd.election,950\napi.read_failures,3\n";
        let found = from_csv("mine", text).unwrap();
        assert_eq!(found.metrics.len(), 2);
        let election = &found.metrics[1];
        assert_eq!(election.sample.values(), [950.0, 1_200.0]);
        assert!((election.resolution_ms - 5.0).abs() < 1e-12);
        assert_eq!(found.metrics[0].sample.values(), [3.0]);
    }

    /// Law: what is wrong is told with its line.
    #[test]
    fn trouble_names_its_line() {
        for (text, needle) in [
            ("metric,value\n", "line 1: the header needs"),
            ("metric,sample\netcd.election,soon\n", "line 2: `soon` is neither"),
            ("metric,sample\netcd.elections,1\n", "line 2: hasim has no metric"),
            ("metric,sample\n", "no samples"),
        ] {
            let error = from_csv("mine", text).unwrap_err();
            assert!(error.contains(needle), "{error}");
        }
    }

    /// Law: every shipped measurement is read, each metric one that hasim has, with a resolution.
    #[test]
    fn shipped_measurements_are_read() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ground_truth");
        let mut count = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "json") {
                let found = from_json(&std::fs::read_to_string(&path).unwrap());
                let found = found.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                assert!(found.metrics.iter().all(|metric| metric.resolution_ms > 0.0));
                count += 1;
            }
        }
        assert_eq!(count, 24);
    }
}

//! `hasim validate`: simulated failover times held against measured ones.
//!
//! A folder has scenarios; each is held against the measurement of the same name: `NAME.csv` or
//! `NAME.measured.json` beside it, or `NAME.json` or `NAME.csv` in the folder of measurements.

use super::Outcome;
use super::arguments::{Format, ValidateArguments};
use super::console::Console;
use super::input;
use crate::experiment::trials::{Sampling, Unwatched};
use crate::experiment::validation::data::{self, Experiment};
use crate::experiment::validation::validate as compare;
use crate::plan::Plan;
use crate::report::validation::{self, Entry, Report};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the project's own scenarios stand.
const SCENARIOS: &str = "scenarios/validation";
/// Where the project's own measurements stand.
const MEASUREMENTS: &str = "tests/ground_truth";

/// What a folder has.
#[derive(Default)]
struct Folder {
    /// Scenarios by name.
    scenarios: BTreeMap<String, PathBuf>,
    environment: Option<(String, String)>,
    notes: BTreeMap<String, String>,
    /// By experiment, the metrics of which a value of the environment was taken.
    sources: BTreeMap<String, Vec<String>>,
    general: Vec<String>,
}

/// A scenario with its measurement.
struct Pair {
    path: PathBuf,
    experiment: Experiment,
    plan: Plan,
}

/// Finds the pairs, simulates, compares, and prints or writes what became of them.
pub(super) fn validate(typed: &ValidateArguments, console: &mut Console) -> Outcome {
    let report = match report(typed, console) {
        Ok(report) => report,
        Err(message) => {
            if !message.is_empty() {
                console.complain(&format!("error: {message}"));
            }
            return Outcome::BadInput;
        }
    };
    let told = match typed.format {
        Format::Text => {
            console.print_lines(&validation::text(&report));
            Ok(())
        }
        Format::Json => serde_json::to_string_pretty(&validation::result(&report))
            .map(|text| console.print(&format!("{text}\n")))
            .map_err(|error| error.to_string()),
    };
    let written = typed.report.as_ref().map_or(Ok(()), |folder| write(&report, folder));
    if let Err(message) = told.and(written) {
        console.complain(&format!("error: {message}"));
        return Outcome::BadInput;
    }
    if report.passed() { Outcome::Done } else { Outcome::Failed }
}

/// The report; an empty message where problems were told already.
fn report(typed: &ValidateArguments, console: &mut Console) -> Result<Report, String> {
    let own = PathBuf::from(SCENARIOS);
    let place = typed.dir.as_ref().unwrap_or(&own);
    let folder = Folder::read(place)?;
    let measurements = match (&typed.measurements, &typed.dir) {
        (Some(given), _) => Some(given.clone()),
        (None, None) => Some(PathBuf::from(MEASUREMENTS)),
        (None, Some(dir)) => standard(dir),
    };
    let pairs = pairs(&folder, measurements.as_deref(), console)?;
    let set = pairs.iter().map(|pair| pair.experiment.metrics.len()).sum();
    let mut entries = Vec::new();
    for pair in pairs {
        let sampling =
            Sampling { seed: typed.seed, first: 0, trials: typed.trials, threads: typed.threads };
        let scenario = text_of(&pair.path)?;
        let note = folder.notes.get(&pair.experiment.id).cloned().unwrap_or_default();
        let sources = folder.sources(&pair.experiment)?;
        let result = compare(pair.experiment, &pair.plan, sampling, set, &Unwatched)
            .map_err(|error| error.to_string())?;
        entries.push(Entry { result, scenario, note, sources });
    }
    let Folder { environment, general: notes, .. } = folder;
    Ok(Report { entries, environment, notes, seed: typed.seed, trials: typed.trials })
}

/// The project's measurements, if the place is (in) the project's scenarios.
fn standard(dir: &Path) -> Option<PathBuf> {
    let is_own = |path: &Path| path.ends_with(SCENARIOS);
    let root = dir.ancestors().find(|path| is_own(path))?.parent()?.parent()?;
    Some(root.join(MEASUREMENTS))
}

fn pairs(
    folder: &Folder,
    measurements: Option<&Path>,
    console: &mut Console,
) -> Result<Vec<Pair>, String> {
    let mut pairs = Vec::new();
    let mut wrong = false;
    for (name, path) in &folder.scenarios {
        let Some(experiment) = measured(name, path, measurements)? else {
            console.complain(&format!("note: {}: nothing measured to compare", path.display()));
            continue;
        };
        match input::load(path, console) {
            Some(loaded) => {
                pairs.push(Pair { path: path.clone(), experiment, plan: loaded.plan });
            }
            None => wrong = true,
        }
    }
    if wrong {
        return Err(String::new());
    }
    if pairs.is_empty() {
        return Err("there is no scenario with a measurement (NAME.json and NAME.csv)".to_owned());
    }
    Ok(pairs)
}

/// The measurement of a scenario, if there is one.
fn measured(
    name: &str,
    scenario: &Path,
    measurements: Option<&Path>,
) -> Result<Option<Experiment>, String> {
    let beside = scenario.parent().unwrap_or_else(|| Path::new(""));
    let mut places =
        vec![beside.join(format!("{name}.csv")), beside.join(format!("{name}.measured.json"))];
    if let Some(folder) = measurements {
        places.extend([folder.join(format!("{name}.json")), folder.join(format!("{name}.csv"))]);
    }
    let Some(place) = places.into_iter().find(|place| place != scenario && place.is_file()) else {
        return Ok(None);
    };
    let text = text_of(&place)?;
    let csv = place.extension().is_some_and(|extension| extension == "csv");
    let read = if csv { data::from_csv(name, &text) } else { data::from_json(&text) };
    read.map(Some).map_err(|error| format!("{}: {error}", place.display()))
}

fn text_of(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

impl Folder {
    /// Reads a folder, or takes a single scenario with what stands beside it.
    fn read(place: &Path) -> Result<Folder, String> {
        let single = place.is_file();
        let dir = if single { place.parent().unwrap_or(Path::new("")) } else { place };
        let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
        let listed = fs::read_dir(dir);
        let listed = listed.map_err(|error| format!("cannot read {}: {error}", dir.display()))?;
        let mut paths = Vec::new();
        for entry in listed {
            paths.push(entry.map_err(|error| format!("{}: {error}", dir.display()))?.path());
        }
        paths.sort();
        let mut folder = Folder::default();
        for path in &paths {
            folder.take(path)?;
        }
        if single {
            let name = name_of(place);
            folder.scenarios = [(name, place.to_owned())].into();
        }
        Ok(folder)
    }

    fn take(&mut self, path: &Path) -> Result<(), String> {
        let is = |wanted: &str| path.extension().is_some_and(|extension| extension == wanted);
        let name = name_of(path);
        if is("yaml") || is("yml") {
            self.scenarios.insert(name, path.to_owned());
            return Ok(());
        }
        if !is("json") || name.ends_with(".measured") {
            return Ok(());
        }
        let text = text_of(path)?;
        // What is no JSON is for the reader of scenarios to tell, with its place.
        let value: Value = serde_json::from_str(&text).unwrap_or_default();
        match value["kind"].as_str() {
            Some("Environment") => self.environment(name + ".json", text, &value)?,
            Some("Differences") => self.differences(&value),
            _ => {
                self.scenarios.insert(name, path.to_owned());
            }
        }
        Ok(())
    }

    fn environment(&mut self, name: String, text: String, value: &Value) -> Result<(), String> {
        if let Some(sources) = value["metadata"].get("sources") {
            self.sources = BTreeMap::deserialize(sources).map_err(|error| {
                format!(
                    "{name}: `metadata.sources` has a list of metrics for each experiment: {error}"
                )
            })?;
        }
        self.environment = Some((name, text));
        Ok(())
    }

    /// The metrics of an experiment of which values of the environment were taken.
    fn sources(&self, experiment: &Experiment) -> Result<Vec<String>, String> {
        let sources = self.sources.get(&experiment.id).cloned().unwrap_or_default();
        let measured = |name: &String| experiment.metrics.iter().any(|m| m.name == *name);
        match sources.iter().find(|name| !measured(name)) {
            Some(name) => Err(format!(
                "the environment's `metadata.sources` names `{name}` of `{}`, which was not measured",
                experiment.id
            )),
            None => Ok(sources),
        }
    }

    fn differences(&mut self, value: &Value) {
        let words = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let general = value["general"].as_array();
        self.general.extend(general.into_iter().flatten().map(words));
        let experiments = value["experiments"].as_object();
        let each = experiments.into_iter().flatten();
        self.notes.extend(each.map(|(id, note)| (id.clone(), words(note))));
    }
}

fn name_of(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Writes the page, its plots and the manifest.
fn write(report: &Report, folder: &Path) -> Result<(), String> {
    let cannot =
        |path: &Path, error: std::io::Error| format!("cannot write {}: {error}", path.display());
    fs::create_dir_all(folder).map_err(|error| cannot(folder, error))?;
    let mut files = vec![
        ("README.md".to_owned(), validation::markdown(report)),
        ("index.html".to_owned(), validation::html(report)),
        ("manifest.json".to_owned(), format!("{:#}\n", validation::manifest(report))),
    ];
    for entry in &report.entries {
        let name = format!("{}.svg", entry.result.experiment.id);
        files.push((name, validation::svg(entry)?));
    }
    for (name, text) in files {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|error| cannot(&path, error))?;
    }
    Ok(())
}

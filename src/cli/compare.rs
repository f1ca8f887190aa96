//! `hasim compare`, and `hasim mc --topology` with several: paired studies of several plans.

use super::Outcome;
use super::arguments::{CompareArguments, McArguments, TableFormat, TopologyWord, TrialArguments};
use super::console::Console;
use super::study::{self, Bounds, Sink};
use super::{input, mc};
use crate::experiment::compare::{self, Paired, RunComparison, Side, YearComparison, YearPairs};
use crate::experiment::study::Kind;
use crate::experiment::trials::{Guide, Sampling};
use crate::plan::Plan;
use crate::scenario::load::Overrides;
use std::fs;
use std::path::PathBuf;

mod book;

/// A plan with its name.
pub(super) type Named = (String, Plan);

/// Loads, runs paired trials, and prints what differs.
pub(super) fn compare(typed: &CompareArguments, console: &mut Console) -> Outcome {
    let shown = files(&typed.scenarios).and_then(|files| {
        let chapters: Vec<&[PathBuf]> = match typed.topology.len() {
            0 | 1 => vec![&files],
            _ => files.chunks(1).collect(),
        };
        if chapters.len() > 1
            && (typed.trials.checkpoint.is_some() || typed.trials.format != TableFormat::Text)
        {
            return Err(
                "--checkpoint and --format are for one comparison: name one scenario with \
                        --topology"
                    .to_owned(),
            );
        }
        match &typed.report {
            Some(folder) => book::write(typed, &chapters, folder, console),
            None => all(typed, &chapters, console),
        }
    });
    study::conclude(shown, console)
}

fn all(
    typed: &CompareArguments,
    chapters: &[&[PathBuf]],
    console: &mut Console,
) -> Result<Outcome, String> {
    let mut outcome = Outcome::Done;
    for (at, files) in chapters.iter().enumerate() {
        let Some(plans) = load(files, &typed.topology, console) else {
            return Ok(Outcome::BadInput);
        };
        if chapters.len() > 1 {
            let gap = if at > 0 { "\n" } else { "" };
            console.print(&format!("{gap}{}\n", files[0].display()));
        }
        if one(&typed.trials, &plans, console)? == Outcome::Failed {
            outcome = Outcome::Failed;
        }
    }
    Ok(outcome)
}

/// The files that are named, and those of folders in order of their names.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let cannot = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
        let mut found = Vec::new();
        for entry in fs::read_dir(path).map_err(cannot)? {
            let file = entry.map_err(cannot)?.path();
            if file.extension().is_some_and(|e| e == "json" || e == "yaml" || e == "yml") {
                found.push(file);
            }
        }
        if found.is_empty() {
            return Err(format!("there is no scenario in {}", path.display()));
        }
        found.sort();
        files.extend(found);
    }
    Ok(files)
}

/// `hasim mc` with several topologies.
pub(super) fn of_mc(typed: &McArguments, console: &mut Console) -> Outcome {
    let stray = [
        (typed.rare.is_some(), "--rare"),
        (typed.samples.is_some(), "--samples"),
        (typed.until_rel_err.is_some(), "--until-rel-err"),
    ];
    if let Some((_, option)) = stray.iter().find(|(given, _)| *given) {
        console.complain(&format!("error: {option} is for one topology, not for a comparison"));
        return Outcome::BadInput;
    }
    let scenario = std::slice::from_ref(&typed.scenario);
    let Some(plans) = load(scenario, &typed.topology, console) else { return Outcome::BadInput };
    let shown = one(&typed.trials, &plans, console);
    study::conclude(shown, console)
}

fn one(asked: &TrialArguments, plans: &[Named], console: &mut Console) -> Result<Outcome, String> {
    match study(asked, plans, console)? {
        Compared::Years(study) => study::show(&*study, asked.format, console),
        Compared::Runs(study) => study::show(&*study, asked.format, console),
    }
}

/// A comparison of either kind.
pub(super) enum Compared {
    /// Of years.
    Years(Box<YearComparison>),
    /// Of runs.
    Runs(Box<RunComparison>),
}

/// Runs a comparison.
pub(super) fn study(
    asked: &TrialArguments,
    plans: &[Named],
    console: &mut Console,
) -> Result<Compared, String> {
    let sides: Vec<Side> = plans.iter().map(|(name, plan)| Side { name, plan }).collect();
    let kind = compare::check(&sides).map_err(|error| error.to_string())?;
    if kind == Kind::ComparedRuns && asked.years.is_some() {
        return Err(
            "--years: nothing in these scenarios fails by itself (`reliability`)".to_owned()
        );
    }
    let sampling = Sampling {
        seed: asked.seed.unwrap_or(plans.first().map_or(0, |(_, plan)| plan.seed)),
        first: asked.first,
        trials: asked.trials.unwrap_or(mc::TRIALS),
        threads: asked.threads,
    };
    let years = asked.years.unwrap_or(1);
    let about = compare::about(&sides, kind, sampling.seed, years);
    let (time_limit, checkpoint) = (asked.time_limit, asked.checkpoint.as_deref());
    if kind == Kind::ComparedYears {
        let bounds = Bounds { sampling, precision: None, time_limit, checkpoint };
        let trials = |sampling: &Sampling, guide: &dyn Guide, sink: Sink<YearPairs>| {
            compare::year_blocks(&sides, sampling, years, guide, sink)
        };
        let study = study::run(about, bounds, trials, console)?;
        return Ok(Compared::Years(Box::new(study)));
    }
    let bounds = Bounds { sampling, precision: None, time_limit, checkpoint };
    let trials = |sampling: &Sampling, guide: &dyn Guide, sink: Sink<Vec<Paired>>| {
        compare::run_blocks(&sides, sampling, guide, sink)
    };
    let study = study::run(about, bounds, trials, console)?;
    Ok(Compared::Runs(Box::new(study)))
}

/// Every file in every topology, each with a name of its own. `None`: there were errors, and they
/// are told.
pub(super) fn load(
    files: &[PathBuf],
    topologies: &[TopologyWord],
    console: &mut Console,
) -> Option<Vec<Named>> {
    let words: Vec<Option<TopologyWord>> = match topologies {
        [] => vec![None],
        given => given.iter().copied().map(Some).collect(),
    };
    let mut plans: Vec<Named> = Vec::new();
    for file in files {
        for word in &words {
            let topology = word.map(TopologyWord::topology);
            let overrides = Overrides { topology, ..Overrides::default() };
            let plan = input::load_with(file, overrides, console)?.plan;
            let name = match word {
                Some(word) if files.len() == 1 => word.name().to_owned(),
                Some(word) => format!("{} {}", plan.name, word.name()),
                None => plan.name.clone(),
            };
            plans.push((name, plan));
        }
    }
    Some(told_apart(plans, files))
}

/// Plans of one name are called by their files, and by number where that is not enough.
fn told_apart(mut plans: Vec<Named>, files: &[PathBuf]) -> Vec<Named> {
    let doubled = |plans: &[Named], at: usize| {
        plans.iter().enumerate().any(|(other, (name, _))| other != at && *name == plans[at].0)
    };
    let twice: Vec<usize> = (0..plans.len()).filter(|at| doubled(&plans, *at)).collect();
    let per_file = plans.len() / files.len().max(1);
    for at in twice {
        let stem = files[at / per_file].file_stem().unwrap_or_default().to_string_lossy();
        let word = plans[at].0.clone();
        plans[at].0 = if per_file == 1 { stem.into_owned() } else { format!("{stem} {word}") };
    }
    for at in 0..plans.len() {
        if doubled(&plans, at) {
            plans[at].0 = format!("{} ({})", plans[at].0, at + 1);
        }
    }
    plans
}

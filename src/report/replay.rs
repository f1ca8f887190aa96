//! The incidents of one trial of years: when, what failed, and how long each service was down.
//!
//! Absent on purpose: the timeline of an incident, which is that of any run.

use super::layout::{WIDTH, columns, wrap};
use super::style::{Styled, Tone};
use crate::experiment::years::replay::Told;
use crate::kernel::time::Duration;
use crate::reliability::ideal::Measure;
use serde::Serialize;
use std::collections::BTreeMap;

/// Which trial.
#[derive(Clone, Copy, Debug)]
pub struct Which<'a> {
    /// The scenario's name.
    pub scenario: &'a str,
    /// The seed.
    pub seed: u64,
    /// The trial's number.
    pub trial: u64,
    /// Years that it lasts.
    pub years: u64,
}

/// The trial as data.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplayResult {
    /// `hasim/v1`.
    pub api_version: &'static str,
    /// `TrialReplay`.
    pub kind: &'static str,
    /// The scenario's name.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// The trial's number.
    pub trial: u64,
    /// Years that it lasts.
    pub years: u64,
    /// The incidents in order.
    pub incidents: Vec<IncidentResult>,
}

/// An incident.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IncidentResult {
    /// Its number, from 1: `--incident` shows it in full.
    pub incident: usize,
    /// When it began, in seconds since the trial's beginning.
    pub start_seconds: f64,
    /// Until everything was repaired and had settled, in seconds.
    pub lasts_seconds: f64,
    /// What failed, in order.
    pub failed: Vec<String>,
    /// Seconds down by service.
    pub down_seconds: BTreeMap<&'static str, f64>,
}

/// The trial as data.
pub fn result(which: Which, incidents: &[Told]) -> ReplayResult {
    let down = |told: &Told| {
        let pair = |measure: Measure| (measure.name(), told.down[measure as usize].as_secs_f64());
        Measure::ALL.into_iter().map(pair).collect()
    };
    let incident = |told: &Told| IncidentResult {
        incident: told.number,
        start_seconds: told.start.as_secs_f64(),
        lasts_seconds: told.lasts.as_secs_f64(),
        failed: told.failed.clone(),
        down_seconds: down(told),
    };
    ReplayResult {
        api_version: "hasim/v1",
        kind: "TrialReplay",
        scenario: which.scenario.to_owned(),
        seed: which.seed,
        trial: which.trial,
        years: which.years,
        incidents: incidents.iter().map(incident).collect(),
    }
}

/// The trial for people.
pub fn text(which: Which, incidents: &[Told]) -> Vec<Styled> {
    let Which { scenario, seed, trial, years } = which;
    let unit = if years == 1 { "year" } else { "years" };
    let head = format!("{scenario}: trial {trial} of {years} {unit}, seed {seed}");
    let mut lines = vec![Styled::of(head, Tone::Heading), Styled::default()];
    let shown = [Measure::ApiReadCached, Measure::ApiWrite, Measure::Scheduling];
    let names = shown.map(|measure| measure.name().to_uppercase());
    let mut header = vec!["INCIDENT", "DAY", "LASTS"];
    header.extend(names.iter().map(String::as_str));
    header.push("FAILED");
    let row = |told: &Told| {
        let down = shown.map(|measure| match told.down[measure as usize] {
            Duration::ZERO => "–".to_owned(),
            span => span.human(),
        });
        let day = format!("{:.2}", told.start.as_secs_f64() / 86_400.0);
        let head = vec![told.number.to_string(), day, told.lasts.human()];
        [head, down.to_vec(), vec![failed(told)]].concat()
    };
    let rows: Vec<_> = incidents.iter().map(row).collect();
    lines.extend(columns(&header, &rows).into_iter().map(Styled::plain));
    lines.push(Styled::default());
    let note = "Time down of three services. An incident lasts until everything is repaired and has \
                settled; `--incident N` shows one in full.";
    lines.extend(wrap(note, WIDTH).into_iter().map(|line| Styled::of(line, Tone::Dim)));
    lines
}

/// The first failures by name, and how many more.
fn failed(told: &Told) -> String {
    const SHOWN: usize = 2;
    let more = told.failed.len().saturating_sub(SHOWN);
    let first = told.failed.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("; ");
    if more == 0 { first } else { format!("{first}; {more} more") }
}

//! The chain of a model: every state that can be reached, with rates and what is served in it.

use super::eliminate;
use super::model::Model;
use super::obstacle::Obstacle;
use super::state::{Levels, State};
use std::collections::BTreeMap;

/// Most states of a chain; more would take minutes to solve.
pub(super) const STATES_MAX: usize = 10_000;

/// Most combinations of stages in which everything can begin.
const STARTS_MAX: f64 = 1e6;

/// A continuous-time chain.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    /// Rates out of each state, per hour, by state.
    pub(super) rates: Vec<Vec<(usize, f64)>>,
    /// What is served in each.
    pub(super) levels: Vec<Levels>,
    /// The states in which it begins, with probabilities.
    pub(super) starts: Vec<(usize, f64)>,
    /// For each state its place in the order of elimination.
    pub(super) places: Vec<usize>,
}

impl Chain {
    /// Explores a model from its start.
    pub(super) fn of(model: &Model) -> Result<Chain, Obstacle> {
        if let Some(part) = model.parts.iter().find(|part| part.codes().is_none()) {
            let message = format!("the clocks of {} have too many stages together", part.name);
            return Err(Obstacle::other("reliability", message));
        }
        if model.ways_to_start() > STARTS_MAX {
            let message =
                format!("the laws begin in more than {STARTS_MAX} combinations of stages");
            return Err(Obstacle::other("reliability", message));
        }
        let mut known: BTreeMap<State, usize> = BTreeMap::new();
        let mut states: Vec<State> = Vec::new();
        let mut number = |state: State, states: &mut Vec<State>| {
            *known.entry(state).or_insert_with_key(|state| {
                states.push(state.clone());
                states.len() - 1
            })
        };
        let mut starts: BTreeMap<usize, f64> = BTreeMap::new();
        for (share, state) in model.starts() {
            *starts.entry(number(state, &mut states)).or_default() += share;
        }
        let mut rates = Vec::new();
        while rates.len() < states.len() {
            if states.len() > STATES_MAX {
                let message = format!("the chain has more than {STATES_MAX} states");
                return Err(Obstacle::other("reliability", message));
            }
            let from = rates.len();
            let mut row: BTreeMap<usize, f64> = BTreeMap::new();
            let state = states[from].clone();
            model.moves(&state, &mut |rate, next| {
                let to = number(next, &mut states);
                if to != from {
                    *row.entry(to).or_default() += rate;
                }
            });
            rates.push(row.into_iter().collect());
        }
        let levels = states.iter().map(|state| model.levels(state)).collect();
        let starts = starts.into_iter().collect();
        let mut chain = Chain { rates, levels, starts, places: vec![0; states.len()] };
        let entries = chain.entries().map(|(from, to, _)| (from, to));
        for (place, state) in eliminate::order(states.len(), entries).into_iter().enumerate() {
            chain.places[state] = place;
        }
        Ok(chain)
    }

    /// How many states.
    pub(super) fn len(&self) -> usize {
        self.rates.len()
    }

    /// Every rate: from, to, how fast.
    pub(super) fn entries(&self) -> impl Iterator<Item = (usize, usize, f64)> + '_ {
        let rows = self.rates.iter().enumerate();
        rows.flat_map(|(from, row)| row.iter().map(move |(to, rate)| (from, *to, *rate)))
    }
}

//! The chain of jumps of a plan in which nothing has memory, found state by state as paths come to
//! it: a jump is worked out once by the process and its services, and looked up after that.
//!
//! What is found does not depend on who found it, nor in which order, so that threads may each have a
//! chain of their own.
//!
//! Absent on purpose: who goes along, and with which probability.

use super::field::Field;
use super::guide::Classes;
use super::seen::View;
use crate::kernel::stream::Key;
use crate::plan::Plan;
use crate::reliability::ideal::{Ending, Ideal, Kinds, Measure};
use crate::reliability::process::Hazard;
use std::collections::BTreeMap;

/// States after which a chain is forgotten between trials: a state takes some kilobytes.
const STATES_MAX: usize = 4_096;

/// What is put right at most this much sooner, by its rate, than the slowest repair under way is worth
/// waiting for with a failure.
const SLOW: f64 = 8.0;

/// One way out of a state.
#[derive(Clone, Debug)]
pub(super) struct Jump<W> {
    what: W,
    /// How often it would be taken in a second.
    pub(super) rate: f64,
    to: Option<usize>,
}

/// Which way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Failure(usize),
    Ending(usize),
}

/// A state with its ways out.
pub(super) struct State<'p> {
    ideal: Ideal<'p>,
    failures: Vec<Jump<Hazard<'p>>>,
    /// The same by their rates and classes.
    pub(super) field: Field,
    pub(super) endings: Vec<Jump<Ending>>,
    /// Sums of rates.
    pub(super) failing: f64,
    pub(super) ending: f64,
    /// How much of what ends is worth waiting for with a failure.
    pub(super) part: f64,
    pub(super) view: View,
    /// Measures that are down for another reason than a failover, bit by bit.
    lacks: u8,
    /// Where everything is up: who holds what, as far as it tells.
    pub(super) quiet: Option<Vec<usize>>,
}

impl State<'_> {
    pub(super) fn lacks(&self, measure: Measure) -> bool {
        self.lacks >> measure as u8 & 1 == 1
    }
}

/// The chain as far as it is known.
pub(super) struct Chain<'p> {
    states: Vec<State<'p>>,
    known: BTreeMap<Vec<usize>, usize>,
    kinds: Kinds,
    classes: Classes<'p>,
    stance: Vec<usize>,
}

impl<'p> Chain<'p> {
    pub(super) fn new(plan: &'p Plan, fresh: &Ideal<'p>) -> Self {
        let mut chain = Self {
            states: Vec::new(),
            known: BTreeMap::new(),
            kinds: Kinds::of(plan),
            classes: Classes::of(plan),
            stance: Vec::new(),
        };
        let mut ideal = fresh.clone();
        ideal.reset(Key::new(0, 0));
        ideal.hold();
        chain.place(ideal);
        chain
    }

    /// Forgets all but the state in which everything begins, where there are too many.
    pub(super) fn tidy(&mut self) {
        if self.states.len() > STATES_MAX {
            let first = self.states.swap_remove(0);
            self.states.clear();
            self.known.clear();
            self.place(first.ideal);
        }
    }

    /// A state by its number; that in which everything begins has number 0.
    pub(super) fn state(&self, at: usize) -> &State<'p> {
        &self.states[at]
    }

    /// Where a way out of a state leads.
    pub(super) fn follow(&mut self, at: usize, way: Way) -> usize {
        let state = &self.states[at];
        let known = match way {
            Way::Failure(number) => state.failures[number].to,
            Way::Ending(number) => state.endings[number].to,
        };
        known.unwrap_or_else(|| self.explore(at, way))
    }

    fn explore(&mut self, at: usize, way: Way) -> usize {
        let mut ideal = self.states[at].ideal.clone();
        match way {
            Way::Failure(number) => {
                let now = ideal.now();
                ideal.strike_by(&self.states[at].failures[number].what, now);
            }
            Way::Ending(number) => ideal.end(&self.states[at].endings[number].what),
        }
        let to = self.place(ideal);
        match way {
            Way::Failure(number) => self.states[at].failures[number].to = Some(to),
            Way::Ending(number) => self.states[at].endings[number].to = Some(to),
        }
        to
    }

    /// The number of a state, which is new or known.
    fn place(&mut self, ideal: Ideal<'p>) -> usize {
        ideal.stance(&mut self.stance);
        if let Some(at) = self.known.get(&self.stance) {
            return *at;
        }
        self.known.insert(self.stance.clone(), self.states.len());
        self.states.push(State::of(ideal, &self.kinds, &self.classes));
        self.states.len() - 1
    }
}

impl<'p> State<'p> {
    fn of(ideal: Ideal<'p>, kinds: &Kinds, classes: &Classes) -> Self {
        let (mut hazards, mut endings) = (Vec::new(), Vec::new());
        ideal.hazards(&mut hazards);
        ideal.endings(&mut endings);
        let mut field = Field::default();
        field.begin(classes.count());
        for hazard in &hazards {
            field.push(classes.number(hazard.class), hazard.rate());
        }
        let lack = |measure: &Measure| u8::from(ideal.lack(*measure).is_some()) << *measure as u8;
        Self {
            failing: field.whole(),
            field,
            ending: endings.iter().map(|ending| ending.rate).sum(),
            part: part(&endings),
            view: View::of(&ideal, ideal.levels()),
            lacks: Measure::ALL.iter().map(lack).sum(),
            quiet: ideal.is_quiet().then(|| ideal.pattern(kinds)),
            failures: hazards
                .into_iter()
                .map(|what| Jump { rate: what.rate(), what, to: None })
                .collect(),
            endings: endings
                .into_iter()
                .map(|what| Jump { rate: what.rate, what, to: None })
                .collect(),
            ideal,
        }
    }
}

/// A failure is forced before the slow repairs under way have ended, and not while something quick is
/// on its way beside them: it would have come far too soon.
fn part(endings: &[Ending]) -> f64 {
    let right = || endings.iter().filter(|ending| ending.puts_right());
    let all: f64 = endings.iter().map(|ending| ending.rate).sum();
    let slowest = right().map(|ending| ending.rate).fold(f64::INFINITY, f64::min);
    let slow = right().map(|ending| ending.rate).filter(|rate| *rate <= slowest * SLOW);
    if slowest.is_finite() { (slow.sum::<f64>() / all).min(1.0) } else { 1.0 }
}

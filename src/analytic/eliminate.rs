//! Elimination of the states of a chain one by one, without a subtraction (Grassmann, Taksar and
//! Heyman): every entry stays a sum of products of rates, so that tiny probabilities keep all their
//! digits, however far apart the rates are.
//!
//! A state is taken out by sending what entered it on to where it would have gone. States with few
//! neighbours go first, which keeps the chain sparse; what is left when it has become dense is done
//! as a full matrix.

use super::number::Scalar;
use std::collections::{BTreeMap, BTreeSet};

/// A share of filled entries from which on a full matrix is faster.
const DENSE: f64 = 0.25;

/// A chain under elimination. State 0 is never taken out.
pub(super) struct Elimination<T> {
    /// Rates out of each state.
    out: Vec<BTreeMap<usize, T>>,
    /// Who has a rate into each state.
    into: Vec<BTreeSet<usize>>,
    /// The rate at which each state leaves for good.
    leave: Vec<T>,
    /// What is earned per unit of time in each state.
    earned: Vec<Vec<T>>,
    /// For each state taken out: where it was entered from and with what share of its outflow.
    taken: Vec<(usize, Vec<(usize, T)>)>,
}

impl<T: Scalar> Elimination<T> {
    /// A chain of `count` states from its rates (no diagonal), the rates of leaving for good, and
    /// what is earned, in any number of kinds.
    pub(super) fn new(
        rates: impl IntoIterator<Item = (usize, usize, T)>,
        leave: Vec<T>,
        earned: Vec<Vec<T>>,
    ) -> Elimination<T> {
        let count = leave.len();
        let mut chain = Elimination {
            out: vec![BTreeMap::new(); count],
            into: vec![BTreeSet::new(); count],
            leave,
            earned,
            taken: Vec::with_capacity(count),
        };
        for (from, to, rate) in rates {
            if from != to && !rate.is_zero() {
                chain.add(from, to, rate);
            }
        }
        chain
    }

    fn add(&mut self, from: usize, to: usize, rate: T) {
        let entry = self.out[from].entry(to).or_insert(T::ZERO);
        *entry = *entry + rate;
        self.into[to].insert(from);
    }

    /// Takes out every state but the first; false if one cannot be left.
    pub(super) fn run(&mut self) -> bool {
        let count = self.leave.len();
        let cost = |chain: &Elimination<T>, at: usize| chain.out[at].len() * chain.into[at].len();
        let mut waiting: BTreeSet<(usize, usize)> =
            (1..count).map(|at| (cost(self, at), at)).collect();
        let mut alive: BTreeSet<usize> = (0..count).collect();
        while let Some((now, at)) = waiting.pop_first() {
            let left = alive.len() as f64;
            if alive.len() > 8 && now as f64 > DENSE * left * left {
                return self.run_dense(&alive);
            }
            let touched: BTreeSet<usize> =
                self.into[at].iter().chain(self.out[at].keys()).copied().collect();
            for other in touched.iter().filter(|other| **other != 0) {
                waiting.remove(&(cost(self, *other), *other));
            }
            if !self.take(at) {
                return false;
            }
            alive.remove(&at);
            for other in touched.into_iter().filter(|other| *other != 0) {
                waiting.insert((cost(self, other), other));
            }
        }
        true
    }

    /// Takes out one state.
    fn take(&mut self, at: usize) -> bool {
        let row = std::mem::take(&mut self.out[at]);
        let from = std::mem::take(&mut self.into[at]);
        let total = row.values().fold(self.leave[at], |sum, rate| sum + *rate);
        if total.is_zero() {
            return false;
        }
        for to in row.keys() {
            self.into[*to].remove(&at);
        }
        let mut shares = Vec::with_capacity(from.len());
        for other in from {
            let Some(rate) = self.out[other].remove(&at) else { continue };
            let share = rate / total;
            for (to, onward) in row.iter().filter(|(to, _)| **to != other) {
                self.add(other, *to, share * *onward);
            }
            self.leave[other] = self.leave[other] + share * self.leave[at];
            self.pass_on(other, at, share);
            shares.push((other, share));
        }
        self.taken.push((at, shares));
        true
    }

    fn pass_on(&mut self, to: usize, from: usize, share: T) {
        for kind in 0..self.earned[from].len() {
            let more = share * self.earned[from][kind];
            self.earned[to][kind] = self.earned[to][kind] + more;
        }
    }

    /// The rest as a full matrix, from the last to the first of those alive.
    fn run_dense(&mut self, alive: &BTreeSet<usize>) -> bool {
        let names: Vec<usize> = alive.iter().copied().collect();
        let size = names.len();
        let mut full = vec![T::ZERO; size * size];
        for (row, from) in names.iter().enumerate() {
            for (to, rate) in &self.out[*from] {
                if let Ok(column) = names.binary_search(to) {
                    full[row * size + column] = *rate;
                }
            }
        }
        for at in (1..size).rev() {
            let (above, rest) = full.split_at_mut(at * size);
            let own = &rest[..at];
            let total = own.iter().fold(self.leave[names[at]], |sum, rate| sum + *rate);
            if total.is_zero() {
                return false;
            }
            let mut shares = Vec::new();
            for other in 0..at {
                let row = &mut above[other * size..(other + 1) * size];
                if row[at].is_zero() {
                    continue;
                }
                let share = row[at] / total;
                for (entry, onward) in row[..at].iter_mut().zip(own) {
                    *entry = *entry + share * *onward;
                }
                row[other] = T::ZERO;
                let (to, from) = (names[other], names[at]);
                self.leave[to] = self.leave[to] + share * self.leave[from];
                self.pass_on(to, from, share);
                shares.push((to, share));
            }
            self.taken.push((names[at], shares));
        }
        true
    }

    /// What is earned from state 0 until leaving for good; `None` if it never leaves.
    pub(super) fn total_earned(&self) -> Option<Vec<T>> {
        let leave = self.leave[0];
        (!leave.is_zero()).then(|| self.earned[0].iter().map(|sum| *sum / leave).collect())
    }
}

impl<T: Scalar> Elimination<T> {
    /// What state 0 has earned for each unit of what went through it, where it only passes on.
    pub(super) fn solved_at_start(&self) -> Vec<T> {
        self.total_earned().unwrap_or_default()
    }
}

impl Elimination<f64> {
    /// The stationary distribution, for chains that nothing leaves.
    pub(super) fn stationary(&self) -> Vec<f64> {
        let mut weights = vec![0.0; self.leave.len()];
        weights[0] = 1.0;
        for (at, shares) in self.taken.iter().rev() {
            weights[*at] = shares.iter().map(|(from, share)| weights[*from] * share).sum();
        }
        let sum: f64 = weights.iter().sum();
        for weight in &mut weights {
            *weight /= sum;
        }
        weights
    }
}

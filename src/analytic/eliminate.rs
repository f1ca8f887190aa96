//! Elimination of the states of a chain one by one, without a subtraction (Grassmann, Taksar and
//! Heyman): every entry stays a sum of products of rates, so that tiny probabilities keep all their
//! digits, however far apart the rates are.
//!
//! A state is taken out by sending what entered it on to where it would have gone. States with few
//! neighbours go first, which keeps the chain sparse; the order is found once and serves every
//! question about a chain.

use super::number::Scalar;

/// A set of small numbers for each state.
struct Sets {
    words: usize,
    bits: Vec<u64>,
}

impl Sets {
    fn new(count: usize) -> Sets {
        let words = count.div_ceil(64);
        Sets { words, bits: vec![0; words * count] }
    }

    fn row(&self, of: usize) -> &[u64] {
        &self.bits[of * self.words..(of + 1) * self.words]
    }

    fn put(&mut self, of: usize, number: usize) {
        self.bits[of * self.words + number / 64] |= 1 << (number % 64);
    }

    fn remove(&mut self, of: usize, number: usize) {
        self.bits[of * self.words + number / 64] &= !(1 << (number % 64));
    }

    fn unite(&mut self, of: usize, others: &[u64]) {
        let from = of * self.words;
        for (word, other) in self.bits[from..from + self.words].iter_mut().zip(others) {
            *word |= other;
        }
    }

    fn size(&self, of: usize) -> usize {
        self.row(of).iter().map(|word| word.count_ones() as usize).sum()
    }
}

fn numbers(row: &[u64]) -> Vec<usize> {
    let mut found = Vec::new();
    for (at, word) in row.iter().enumerate() {
        let mut left = *word;
        while left != 0 {
            found.push(at * 64 + left.trailing_zeros() as usize);
            left &= left - 1;
        }
    }
    found
}

/// In which order states are taken out: those with the fewest ways through them first, as they are
/// at their turn; state 0 last.
pub(super) fn order(count: usize, entries: impl Iterator<Item = (usize, usize)>) -> Vec<usize> {
    let (mut out, mut into) = (Sets::new(count), Sets::new(count));
    for (from, to) in entries.filter(|(from, to)| from != to) {
        out.put(from, to);
        into.put(to, from);
    }
    let mut cost: Vec<usize> = (0..count).map(|at| out.size(at) * into.size(at)).collect();
    let mut left: Vec<usize> = (1..count).collect();
    let mut order = Vec::with_capacity(count);
    while let Some(place) = (0..left.len()).min_by_key(|place| (cost[left[*place]], left[*place])) {
        let at = left.swap_remove(place);
        order.push(at);
        let (row, column) = (out.row(at).to_vec(), into.row(at).to_vec());
        let (targets, sources) = (numbers(&row), numbers(&column));
        for source in &sources {
            out.unite(*source, &row);
            out.remove(*source, at);
            out.remove(*source, *source);
        }
        for target in &targets {
            into.unite(*target, &column);
            into.remove(*target, at);
            into.remove(*target, *target);
        }
        for touched in sources.into_iter().chain(targets) {
            cost[touched] = out.size(touched) * into.size(touched);
        }
    }
    order.push(0);
    order
}

/// A chain with its states taken out.
pub(super) struct Elimination<T> {
    /// For each place in the order: from which earlier places it was entered, with the share of
    /// their outflow.
    shares: Vec<Vec<(usize, T)>>,
    /// The rate of leaving for good from the last place, and what it has earned.
    leave: T,
    earned: Vec<T>,
}

impl<T: Scalar> Elimination<T> {
    /// Takes out all states but the last of the order, one by one. `rows` are the rates by place in
    /// the order, `leave` the rates of leaving for good, `earned` what is earned per unit of time,
    /// of any number of kinds. `None` if a state cannot be left.
    pub(super) fn of(
        rows: &[Vec<(usize, T)>],
        mut leave: Vec<T>,
        mut earned: Vec<Vec<T>>,
    ) -> Option<Elimination<T>> {
        let count = rows.len();
        let mut onward: Vec<Vec<(usize, T)>> = Vec::with_capacity(count);
        let mut totals: Vec<T> = Vec::with_capacity(count);
        let mut shares = Vec::with_capacity(count);
        let mut work = vec![T::ZERO; count];
        for at in 0..count {
            for (to, rate) in &rows[at] {
                work[*to] = work[*to] + *rate;
            }
            let mut own: Vec<(usize, T)> = Vec::new();
            for before in 0..at {
                let rate = std::mem::replace(&mut work[before], T::ZERO);
                if rate.is_zero() {
                    continue;
                }
                let share = rate / totals[before];
                for (to, speed) in onward[before].iter().filter(|(to, _)| *to != at) {
                    work[*to] = work[*to] + share * *speed;
                }
                leave[at] = leave[at] + share * leave[before];
                for kind in 0..earned[at].len() {
                    earned[at][kind] = earned[at][kind] + share * earned[before][kind];
                }
                own.push((before, share));
            }
            let mut row = Vec::new();
            let mut total = leave[at];
            for (to, entry) in work.iter_mut().enumerate().skip(at + 1) {
                let rate = std::mem::replace(entry, T::ZERO);
                if !rate.is_zero() {
                    total = total + rate;
                    row.push((to, rate));
                }
            }
            if total.is_zero() && at + 1 < count {
                return None;
            }
            onward.push(row);
            totals.push(total);
            shares.push(own);
        }
        let (leave, earned) = (leave.pop()?, earned.pop()?);
        Some(Elimination { shares, leave, earned })
    }

    /// What is earned from the last place until leaving for good; `None` if it never leaves.
    pub(super) fn total_earned(&self) -> Option<Vec<T>> {
        let sums = || self.earned.iter().map(|sum| *sum / self.leave).collect();
        (!self.leave.is_zero()).then(sums)
    }
}

impl Elimination<f64> {
    /// The stationary distribution by place in the order, of a chain that nothing leaves.
    pub(super) fn stationary(&self) -> Vec<f64> {
        let count = self.shares.len();
        let mut weights = vec![0.0; count];
        weights[count - 1] = 1.0;
        for at in (0..count).rev() {
            for (before, share) in &self.shares[at] {
                weights[*before] += weights[at] * share;
            }
        }
        let sum: f64 = weights.iter().sum();
        for weight in &mut weights {
            *weight /= sum;
        }
        weights
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law: a chain of births and deaths has the shares of its product formula, to the last digits,
    /// over rates that are 1e15 apart.
    #[test]
    fn births_and_deaths_have_their_product_form() {
        let count = 40;
        let (up, down) = (1e-9, |at: usize| 1e6 * at as f64);
        let entry = |at: usize| {
            let mut found = Vec::new();
            found.extend((at + 1 < count).then_some((at, at + 1, up)));
            found.extend((at > 0).then(|| (at, at - 1, down(at))));
            found
        };
        let entries: Vec<(usize, usize, f64)> = (0..count).flat_map(entry).collect();
        let order = order(count, entries.iter().map(|(from, to, _)| (*from, *to)));
        let mut place = vec![0; count];
        for (at, state) in order.iter().enumerate() {
            place[*state] = at;
        }
        let mut rows = vec![Vec::new(); count];
        for (from, to, rate) in entries {
            rows[place[from]].push((place[to], rate));
        }
        let solved = Elimination::of(&rows, vec![0.0; count], vec![Vec::new(); count]).unwrap();
        let found = solved.stationary();
        let mut expected = 1.0;
        for at in 1..20 {
            expected *= up / down(at);
            let ratio = found[place[at]] / found[place[0]];
            assert!((ratio / expected - 1.0).abs() < 1e-13, "{at}: {ratio:e}, not {expected:e}");
        }
    }
}

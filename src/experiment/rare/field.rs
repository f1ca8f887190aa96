//! What may fail next, and how one of it is chosen.
//!
//! Absent on purpose: whether anything fails, and when.

/// How one is chosen.
#[derive(Clone, Copy, Debug)]
pub(super) enum Manner<'a> {
    /// By its chance.
    Natural,
    /// Half of the time by its chance, half of the time all classes alike and all things of a class
    /// alike.
    Balanced,
    /// Its class by what a lesson has for each; in it, half of the time by its chance.
    Taught(&'a [f64]),
}

/// What may fail next, each with its probability or rate, by classes.
#[derive(Clone, Debug, Default)]
pub(super) struct Field {
    chances: Vec<f64>,
    classes: Vec<usize>,
    /// For each class the sum of its chances, and how many of them there are.
    sums: Vec<(f64, f64)>,
    whole: f64,
    kinds: f64,
}

impl Field {
    pub(super) fn begin(&mut self, classes: usize) {
        self.chances.clear();
        self.classes.clear();
        self.sums.clear();
        self.sums.resize(classes, (0.0, 0.0));
        (self.whole, self.kinds) = (0.0, 0.0);
    }

    pub(super) fn push(&mut self, class: usize, chance: f64) {
        self.chances.push(chance);
        self.classes.push(class);
        if chance > 0.0 {
            let sums = &mut self.sums[class];
            if sums.1 == 0.0 {
                self.kinds += 1.0;
            }
            *sums = (sums.0 + chance, sums.1 + 1.0);
            self.whole += chance;
        }
    }

    /// The sum of all chances.
    pub(super) fn whole(&self) -> f64 {
        self.whole
    }

    pub(super) fn chance(&self, at: usize) -> f64 {
        self.chances[at]
    }

    pub(super) fn class(&self, at: usize) -> usize {
        self.classes[at]
    }

    /// The one on whose part of the whole a number from 0 to 1 falls.
    pub(super) fn natural(&self, uniform: f64) -> usize {
        pick(self.chances.iter().copied(), uniform * self.whole)
    }

    /// Chooses one. A lesson that has nothing for what is there leaves it to balance.
    pub(super) fn choose(&self, manner: Manner, uniforms: [f64; 2]) -> usize {
        let [by, uniform] = uniforms;
        let naturally = by < 0.5;
        let again = (2.0 * by).fract();
        let class = match (self.possible(manner), naturally) {
            (Manner::Natural, _) | (Manner::Balanced, true) => return self.natural(uniform),
            (Manner::Taught(row), _) => pick(self.shares(row), uniform * self.found(row)),
            (Manner::Balanced, false) => {
                let there = self.sums.iter().map(|(_, count)| f64::from(*count > 0.0));
                pick(there, uniform * self.kinds)
            }
        };
        let own = |at: usize| self.classes[at] == class && self.chances[at] > 0.0;
        let parts = (0..self.chances.len()).map(|at| match (own(at), naturally) {
            (false, _) => 0.0,
            (true, true) => self.chances[at],
            (true, false) => 1.0,
        });
        let (sum, count) = self.sums[class];
        pick(parts, again * if naturally { sum } else { count })
    }

    /// With which probability this one is chosen.
    pub(super) fn probability(&self, manner: Manner, at: usize) -> f64 {
        let (class, chance) = (self.classes[at], self.chances[at]);
        let (sum, count) = self.sums[class];
        match self.possible(manner) {
            Manner::Natural => chance / self.whole,
            Manner::Balanced => f64::midpoint(chance / self.whole, 1.0 / (self.kinds * count)),
            Manner::Taught(row) => {
                row[class] / self.found(row) * f64::midpoint(chance / sum, 1.0 / count)
            }
        }
    }

    fn possible<'r>(&self, manner: Manner<'r>) -> Manner<'r> {
        match manner {
            Manner::Taught(row) if self.found(row) <= 0.0 => Manner::Balanced,
            other => other,
        }
    }

    /// What a lesson has for the classes that are there.
    fn found(&self, row: &[f64]) -> f64 {
        self.shares(row).sum()
    }

    fn shares(&self, row: &[f64]) -> impl Iterator<Item = f64> {
        row.iter()
            .zip(&self.sums)
            .map(|(found, (_, count))| if *count > 0.0 { *found } else { 0.0 })
    }
}

/// Where a number falls among parts; the last that is not empty, if rounding leaves it beyond.
pub(super) fn pick(parts: impl Iterator<Item = f64>, mut left: f64) -> usize {
    let mut last = 0;
    for (at, part) in parts.enumerate() {
        if part > 0.0 {
            last = at;
            left -= part;
            if left < 0.0 {
                break;
            }
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::stream::{Key, StreamName};

    /// Three things of class 0, one of which cannot fail, and two of class 2.
    fn field() -> Field {
        let mut field = Field::default();
        field.begin(3);
        for (class, chance) in [(0, 1e-3), (0, 0.0), (0, 3e-3), (2, 5e-7), (2, 5e-7)] {
            field.push(class, chance);
        }
        field
    }

    /// Law: things are chosen as often as their probability says, by balance and by lessons, also by one
    /// that says nothing of what is there: all probabilities sum to 1, and 40,000 choices are within
    /// four standard errors.
    #[test]
    fn choices_have_their_probabilities() {
        const N: u32 = 40_000;
        let field = field();
        let rows: [&[f64]; 3] = [&[1.0, 7.0, 3.0], &[0.0, 1.0, 0.0], &[0.0, 0.0, 1e-30]];
        let taught = rows.map(Manner::Taught);
        for manner in [Manner::Natural, Manner::Balanced].into_iter().chain(taught) {
            let possible = [0, 2, 3, 4];
            let whole: f64 = possible.iter().map(|at| field.probability(manner, *at)).sum();
            assert!((whole - 1.0).abs() < 1e-12, "{manner:?}: {whole}");
            let mut counts = [0; 5];
            for n in 0..N {
                let mut draw = Key::new(5, 6).draw(StreamName::of("field"), 0, u64::from(n));
                counts[field.choose(manner, [draw.uniform(), draw.uniform()])] += 1;
            }
            assert_eq!(counts[1], 0, "it cannot fail");
            for at in possible {
                let p = field.probability(manner, at);
                let off = f64::from(counts[at]) / f64::from(N) - p;
                let error = (p * (1.0 - p) / f64::from(N)).sqrt();
                assert!(off.abs() <= 4.0 * error, "{manner:?} {at}: {off} beside {p}");
            }
        }
    }
}

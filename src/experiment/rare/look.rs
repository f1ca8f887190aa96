//! The first look: how each column is looked for.
//!
//! Absent on purpose: what it finds, which is not part of any result.

use super::guide::{Guide, Lessons};
use super::seen::COLUMNS;
use super::trial::{Column, Course, MAIN, Row, Search};
use crate::kernel::stream::Key;

/// Incidents of the first look.
const LOOK: u64 = 1_024;

/// Where one measure counts: at least, and until enough is known of it, at most.
const LOOK_OF_ONE: [u64; 2] = [256, 4_096];

/// Trials of the first look at most.
const LOOK_TRIALS: u64 = 128;

/// Far paths that the first look must have seen by the clocks of the plan to leave it at that.
const SEEN_ENOUGH: u64 = 30;

/// The first look's randomness is not that of any trial.
const LOOK_SEED: u64 = 0x7261_7265_6c6f_6f6b;

/// How each column is looked for.
pub(super) struct Look {
    pub(super) searches: [Search; COLUMNS],
    pub(super) guides: [Guide; COLUMNS],
    /// Forced paths of each incident for the column that counts.
    pub(super) main: f64,
}

impl Look {
    /// Nothing is known.
    #[cfg(test)]
    pub(super) fn untaught(searches: [Search; COLUMNS]) -> Self {
        Self { searches, guides: std::array::from_fn(|_| Guide::untaught()), main: 1.0 }
    }

    /// Both ways are tried, and the steadier one is taken if it has been seen often enough.
    pub(super) fn at(course: &Course, seed: u64) -> Self {
        let mut sums = Sums::new(course);
        for number in 0..LOOK_TRIALS {
            let row = course.trial(Key::new(seed ^ LOOK_SEED, number));
            sums.add(&row);
            if row.endless || sums.is_enough(course) {
                break;
            }
        }
        Self {
            searches: std::array::from_fn(|column| sums.search(column, course)),
            guides: std::array::from_fn(|column| Guide::of(&sums.lessons[column])),
            main: course.focus.map_or(1.0, |focus| sums.paths(focus)),
        }
    }
}

/// Sums over the first look.
struct Sums {
    columns: [Column; COLUMNS],
    lessons: Lessons,
    incidents: u64,
}

impl Sums {
    fn new(course: &Course) -> Self {
        let lessons = course.row().lessons.map_or_else(Lessons::default, |lessons| *lessons);
        Self { columns: [Column::default(); COLUMNS], lessons, incidents: 0 }
    }

    fn add(&mut self, row: &Row) {
        self.incidents += row.incidents;
        for (column, more) in self.columns.iter_mut().zip(&row.columns) {
            column.absorb(more);
        }
        for (lesson, more) in self.lessons.iter_mut().zip(row.lessons.iter().flat_map(|all| &**all))
        {
            lesson.absorb(more);
        }
    }

    /// Whether more need not be seen.
    fn is_enough(&self, course: &Course) -> bool {
        let Some(focus) = course.focus else { return self.incidents >= LOOK };
        let [least, most] = LOOK_OF_ONE;
        let known =
            || self.lessons[focus].is_enough() || self.search(focus, course) == Search::Plain;
        self.incidents >= most || self.incidents >= least && known()
    }

    /// The variance of what an incident gives.
    fn variance(&self, (sum, squares, _): (f64, f64, u64)) -> f64 {
        squares - sum * sum / self.incidents as f64
    }

    /// As many forced paths of an incident as make the most of the time that they take beside its plain
    /// one (Neyman's allocation).
    fn paths(&self, column: usize) -> f64 {
        let [.., forced] = self.columns[column].far;
        let near = self.variance(self.columns[column].near);
        let most = (self.variance(forced) / near).sqrt().ceil();
        if near > 0.0 { most.clamp(1.0, MAIN) } else { MAIN }
    }

    fn search(&self, column: usize, course: &Course) -> Search {
        let [unforced, forced] = self.columns[column].far;
        let steadier = self.variance(unforced) <= self.variance(forced);
        let often = unforced.2 >= SEEN_ENOUGH && steadier;
        if often || forced.2 == 0 && unforced.2 > 0 || !course.can_force(column) {
            Search::Plain
        } else {
            Search::Forced
        }
    }
}

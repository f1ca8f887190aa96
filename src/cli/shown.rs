//! Each kind of study in each format.

use super::study::Shown;
use crate::experiment::compare::{RunComparison, YearComparison};
use crate::experiment::monte_carlo::Study;
use crate::experiment::rare::RareStudy;
use crate::experiment::years::YearStudy;
use crate::report::compare::{self, Told};
use crate::report::style::Styled;
use crate::report::{monte_carlo, rare, years};
use serde::Serialize;

impl Shown for Study {
    fn text(&self) -> Vec<Styled> {
        monte_carlo::text(self)
    }

    fn csv(&self) -> String {
        monte_carlo::summary_csv(self)
    }

    fn data(&self) -> impl Serialize {
        monte_carlo::result(self)
    }

    fn failed(&self) -> bool {
        !self.failures.is_empty()
    }
}

impl Shown for YearStudy {
    fn text(&self) -> Vec<Styled> {
        years::text(self)
    }

    fn csv(&self) -> String {
        years::csv(self)
    }

    fn data(&self) -> impl Serialize {
        years::result(self)
    }

    fn failed(&self) -> bool {
        !self.failures.is_empty()
    }
}

impl Shown for RareStudy {
    fn text(&self) -> Vec<Styled> {
        rare::text(self)
    }

    fn csv(&self) -> String {
        rare::csv(self)
    }

    fn data(&self) -> impl Serialize {
        rare::result(self)
    }

    fn failed(&self) -> bool {
        !self.failures.is_empty()
    }
}

impl Shown for YearComparison {
    fn text(&self) -> Vec<Styled> {
        Told::text(self)
    }

    fn csv(&self) -> String {
        compare::csv(&self.result())
    }

    fn data(&self) -> impl Serialize {
        self.result()
    }

    fn failed(&self) -> bool {
        !self.failures.is_empty()
    }
}

impl Shown for RunComparison {
    fn text(&self) -> Vec<Styled> {
        Told::text(self)
    }

    fn csv(&self) -> String {
        compare::csv(&self.result())
    }

    fn data(&self) -> impl Serialize {
        self.result()
    }

    fn failed(&self) -> bool {
        !self.failures.is_empty()
    }
}

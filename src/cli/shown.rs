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

/// A kind of study, and how each format tells it.
macro_rules! shown {
    ($study:ty: $text:expr, $csv:expr, $data:expr) => {
        impl Shown for $study {
            fn text(&self) -> Vec<Styled> {
                $text(self)
            }

            fn csv(&self) -> String {
                $csv(self)
            }

            fn data(&self) -> impl Serialize {
                $data(self)
            }

            fn trials(&self) -> u64 {
                self.count()
            }

            fn failed(&self) -> bool {
                !self.failures.is_empty()
            }
        }
    };
}

shown!(Study: monte_carlo::text, monte_carlo::summary_csv, monte_carlo::result);
shown!(YearStudy: years::text, years::csv, years::result);
shown!(RareStudy: rare::text, rare::csv, rare::result);
shown!(YearComparison: Told::text, |told: &Self| compare::csv(&told.result()), Self::result);
shown!(RunComparison: Told::text, |told: &Self| compare::csv(&told.result()), Self::result);

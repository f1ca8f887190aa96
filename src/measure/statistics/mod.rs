//! What samples tell of the law they come from: quantiles and means with their intervals, and
//! whether two samples may come from one law.
//!
//! Plain functions of [`Sample`]s, each file one subject. Nothing here knows what was measured.
//! Absent on purpose: verdicts (`experiment`), words (`report`).

mod beta;
pub mod kolmogorov_smirnov;
pub mod mean;
pub mod order;
pub mod sample;
pub mod shift;

pub use sample::Sample;

/// The share `part` of `whole`, as a float.
pub(crate) fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

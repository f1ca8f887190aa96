//! Runs of a plan, observed and measured: one, or many.
//!
//! Absent on purpose: text and files; a result is data that reports turn into bytes.

pub mod compare;
pub mod monte_carlo;
pub mod precision;
pub mod rare;
pub mod single;
pub mod slice;
pub mod study;
pub mod trials;
pub mod validation;
pub mod years;

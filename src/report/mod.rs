//! Results as bytes: a run as text, as JSON, and as traces. Pure functions.
//!
//! Absent on purpose: statistics (`measure`), files, colours. Text comes in pieces with a [`style::Tone`];
//! the command line turns tones into colours where there is a terminal.

mod address;
pub mod amount;
pub mod blame;
pub mod chrome;
pub mod compare;
pub mod exact;
pub mod json;
pub mod layout;
pub mod metrics;
pub mod monte_carlo;
pub mod page;
pub mod quorum;
pub mod rare;
pub mod reasons;
pub mod replay;
pub mod style;
pub mod tables;
pub mod text;
pub mod timeline;
pub mod trace;
pub mod validation;
pub mod words;
pub mod workload;
pub mod year_samples;
pub mod years;

#[cfg(test)]
mod tests;

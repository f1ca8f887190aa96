//! From transitions to numbers: service levels, outages with their blame, failover times, invariants,
//! and the scenario's own expectations.
//!
//! Observers write a [`history::History`]; everything else is a pure function of it, of the event log
//! and of the plan. Absent on purpose: text, and anything that could change a run.

pub mod blame;
pub mod case;
pub mod expectation;
pub mod failover;
pub mod history;
pub mod invariants;
pub mod outage;
mod pod_laws;
pub mod service_level;
pub mod share;
pub mod statistics;

pub use case::{Case, Findings};
pub use history::{History, Watch};

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

//! Failures, repairs, crews, common causes and planned work as a compact event process over the
//! years, and services as structure functions with laws in place of protocols.
//!
//! Over years almost nothing happens between failures, so that a year is a few dozen events here.
//! Absent on purpose: protocols (the world's affair), statistics over trials, text.

pub mod alternating;
mod clocks;
pub mod course;
mod crews;
pub mod ideal;
pub mod process;
pub mod timers;

#[cfg(test)]
mod tests;

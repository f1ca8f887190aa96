//! Runs of a plan, observed and measured.
//!
//! Absent on purpose: text and files; a result is data that reports turn into bytes.

pub mod single;

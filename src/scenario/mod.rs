//! From the text of a scenario file to what it says, with a place for every problem.
//!
//! Absent on purpose: colours and printing (the command line renders the diagnostics), and
//! knowledge of component kinds (their options read themselves; only places are added here).

pub mod code;
pub mod diagnostic;
pub mod document;
pub mod effective;
pub mod environment;
pub mod load;
pub mod lower;
pub mod raw;
pub mod reader;
pub mod rules;
mod samples;
pub mod schema;
pub mod section;
pub mod source;
mod wounds;

//! hasim

pub mod kernel;

//! Exact answers, without the simulator.
//!
//! A plan whose laws have exponential stages becomes a continuous-time Markov chain, lumped by
//! symmetry, and the chain is solved without a subtraction. What a plan's laws mean is read from the
//! plan alone.
//!
//! Absent on purpose: worlds, components' machines, chance, and any approximation: what is outside
//! its reach is named, not estimated.

mod after;
pub mod answer;
mod build;
mod chain;
mod eliminate;
pub mod importance;
pub mod members;
mod model;
mod number;
pub mod obstacle;
mod phases;
mod prism;
mod solve;
mod state;
mod step;
mod structure;
mod symmetry;
pub mod votes;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod workstations;

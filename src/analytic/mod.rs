//! Exact answers, without the simulator.
//!
//! Absent on purpose: worlds, components' machines, chance.

pub mod votes;

//! The simulation kernel: time, order and randomness, and nothing else.
//!
//! Six parts, each usable alone: instants and spans ([`time`]), what happens next ([`agenda`]),
//! messages in flight ([`mail`]), random draws by name ([`stream`]), laws of random spans
//! ([`law`]) and periodic instants as arithmetic ([`cadence`]).
//!
//! Absent on purpose: every word of the modelled field. Nothing here knows what an alarm, a
//! message or a draw stands for, so all of it can be tested against plain mathematics.

pub mod agenda;
pub mod cadence;
pub mod law;
pub mod mail;
pub mod stream;
pub mod time;

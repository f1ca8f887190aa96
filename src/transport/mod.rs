//! How bytes get from one process to another when the path misbehaves: arithmetic of TCP.
//!
//! Pure functions of instants; nothing here knows an application, a component or a topology, and
//! nothing ticks: the next transmission after a repair is computed.

pub mod lane;
pub mod loss;
pub mod neighbour;
pub mod peer_stream;
pub mod retransmission;

//! What only the command line needs: how results and problems look on a terminal.

pub mod terminal;

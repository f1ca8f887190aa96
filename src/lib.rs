//! hasim

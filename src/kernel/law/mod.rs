//! Laws of random spans.

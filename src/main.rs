//! hasim
fn main() {}

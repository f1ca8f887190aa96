//! `hasim schema`: what editors need to complete and check scenario files.

use super::Outcome;
use super::console::Console;
use crate::scenario::schema;

/// Prints the schema.
pub(super) fn schema(console: &mut Console) -> Outcome {
    console.print(&format!("{:#}\n", schema::scenario()));
    Outcome::Done
}

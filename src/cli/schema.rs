//! `hasim schema`: the JSON Schema of scenario files.

use super::Outcome;
use super::console::Console;
use crate::scenario::schema;

/// Prints the schema.
pub(super) fn schema(console: &mut Console) -> Outcome {
    let text = serde_json::to_string_pretty(&schema::scenario()).unwrap_or_default();
    console.print(&format!("{text}\n"));
    Outcome::Done
}

//! `hasim schema`: what editors need to complete and check scenario files, and what programs need to
//! read results.

use super::Outcome;
use super::arguments::{SchemaArguments, SchemaOf};
use super::console::Console;
use crate::report::{json, rare};
use crate::scenario::schema;

/// Prints the schema.
pub(super) fn schema(typed: &SchemaArguments, console: &mut Console) -> Outcome {
    let schema = match typed.of {
        SchemaOf::Scenario => schema::scenario(),
        SchemaOf::RunResult => json::schema(),
        SchemaOf::RareResult => rare::schema(),
    };
    console.print(&format!("{schema:#}\n"));
    Outcome::Done
}

//! `hasim explain`: what a code means, and what would be right.

use super::Outcome;
use super::arguments::ExplainArguments;
use super::console::Console;
use super::terminal;
use crate::scenario::code::{self, Code, CodeInfo};
use crate::scenario::rules;

/// Explains one code, or lists them all.
pub(super) fn explain(typed: &ExplainArguments, console: &mut Console) -> Outcome {
    let Some(asked) = &typed.code else {
        for info in known() {
            console.print(&format!("{}  {}\n", info.code, info.title));
        }
        return Outcome::Done;
    };
    let Some(info) = find(asked) else {
        console.complain(&format!(
            "error: there is no code `{asked}`; `hasim explain` lists them all"
        ));
        return Outcome::BadInput;
    };
    let text = terminal::explain(info, console.look_out());
    console.print(&format!("{}\n", text.trim_end()));
    Outcome::Done
}

fn find(asked: &str) -> Option<&'static CodeInfo> {
    let code = asked.trim().to_uppercase().parse::<Code>().ok()?;
    known().find(|info| info.code == code)
}

/// Codes of form and of rules, in order.
fn known() -> impl Iterator<Item = &'static CodeInfo> {
    code::all().chain(rules::all::infos())
}

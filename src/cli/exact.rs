//! `hasim exact`: availability from the exact solution, or what stands in its way.

use super::Outcome;
use super::arguments::{ExactArguments, Format};
use super::console::Console;
use super::input;
use crate::analytic::answer::{Exact, Measured};
use crate::analytic::obstacle::Obstacle;
use crate::report::exact;
use crate::scenario::effective;
use std::fs;

/// Loads, solves, prints, and writes the chain if asked to.
pub(super) fn exact(typed: &ExactArguments, console: &mut Console) -> Outcome {
    let Some(loaded) = input::load(&typed.scenario, console) else { return Outcome::BadInput };
    if typed.show_effective {
        console.print(&effective::text(&loaded.subject));
        return Outcome::Done;
    }
    let plan = loaded.plan;
    let solved = Exact::of(&plan).and_then(|chain| Ok((chain.answer()?, chain)));
    let (answer, chain) = match solved {
        Ok(solved) => solved,
        Err(obstacles) => {
            console.complain(&refusal(&obstacles));
            return Outcome::BadInput;
        }
    };
    if let Some(path) = &typed.prism
        && let Err(error) = fs::write(path, chain.prism(&plan.name))
    {
        console.complain(&format!("error: cannot write {}: {error}", path.display()));
        return Outcome::BadInput;
    }
    let (cuts, important) = chain.importance(Measured::ApiWrite);
    match typed.format {
        Format::Text => console.print_lines(&exact::text(&plan, &answer, &important)),
        Format::Json => {
            let text =
                serde_json::to_string_pretty(&exact::result(&plan, &answer, &cuts, &important));
            console.print(&format!("{}\n", text.unwrap_or_default()));
        }
    }
    Outcome::Done
}

fn refusal(obstacles: &[Obstacle]) -> String {
    let lines = obstacles.iter().map(|found| format!("\n  {}: {}", found.place, found.message));
    let lines: String = lines.collect();
    format!("error: this scenario is outside of what can be solved exactly; in the way:{lines}")
}

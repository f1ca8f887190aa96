//! What only the command line needs: arguments, files, colours, exit codes. The only place that prints.
//!
//! `main` reads as the pipeline: arguments as typed, the command, its exit code.

pub mod arguments;
mod checkpoint;
mod compare;
pub mod console;
mod exact;
mod explain;
mod input;
mod mc;
mod merge;
mod progress;
mod quorum;
mod replay;
mod run;
mod schema;
mod shown;
mod study;
pub mod terminal;
mod validate;
pub mod values;

use arguments::{Arguments, Command};
use clap::Parser;
use console::Console;
use std::process::ExitCode;

/// How a command ended. Exit codes are part of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// 0: done.
    Done,
    /// 1: an expectation failed, or a check found an error.
    Failed,
    /// 2: bad usage or bad input.
    BadInput,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => ExitCode::SUCCESS,
            Outcome::Failed => ExitCode::from(1),
            Outcome::BadInput => ExitCode::from(2),
        }
    }
}

/// Runs the program with the process's own arguments and streams.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut console = Console::of_process(arguments.color);
    let outcome = match &arguments.command {
        Command::Run(typed) => run::run(typed, &mut console),
        Command::Mc(typed) => mc::mc(typed, &mut console),
        Command::Compare(typed) => compare::compare(typed, &mut console),
        Command::Merge(typed) => merge::merge(typed, &mut console),
        Command::Validate(typed) => validate::validate(typed, &mut console),
        Command::Quorum(typed) => quorum::quorum(typed, &mut console),
        Command::Exact(typed) => exact::exact(typed, &mut console),
        Command::Explain(typed) => explain::explain(typed, &mut console),
        Command::Schema(typed) => schema::schema(typed, &mut console),
    };
    if let Some(error) = console.failure() {
        console.complain(&format!("error: cannot write the result: {error}"));
        return Outcome::BadInput.into();
    }
    outcome.into()
}

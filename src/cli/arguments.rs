//! The command line as typed: no I/O, no defaults that depend on files.

use crate::scenario::raw::cluster::Topology;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// A deterministic simulator of a highly available Kubernetes control plane.
///
/// Faults are injected from scenario files; every failover time comes from the protocols' own
/// timers. Same scenario, seed and version: same bytes.
#[derive(Debug, Parser)]
#[command(name = "hasim", version, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done; 1 an expectation failed; 2 bad usage or bad input.")]
pub struct Arguments {
    /// When to colour output.
    #[arg(long, value_enum, default_value_t = Color::Auto, global = true)]
    pub color: Color,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// When to colour output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs one scenario once: timeline with causes, tables, outages with blame, failover times.
    Run(RunArguments),
    /// Runs one scenario many times, the fault at a random phase of every timer each time.
    Mc(McArguments),
    /// Runs several scenarios, or one in several topologies, through the same trials: what differs.
    Compare(CompareArguments),
    /// Joins slices of one study, from any number of machines, into the bytes of the whole.
    Merge(MergeArguments),
    /// Holds simulated failover times against measured ones.
    Validate(ValidateArguments),
    /// Quorum mathematics: members, tolerance, probability, zones; for teaching.
    Quorum(QuorumArguments),
    /// Answers exactly, where the laws of what fails allow it: availability, outages, time to the first.
    Exact(ExactArguments),
    /// Explains a code of hasim (for example `S201`), or lists them all.
    Explain(ExplainArguments),
    /// Prints the JSON Schema of scenario files, for editors, or of results, for programs.
    Schema(SchemaArguments),
}

/// What `hasim run` takes.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// The scenario: a JSON or YAML file, or `-` for standard input.
    pub scenario: PathBuf,
    /// Seed of all random draws; overrides the scenario's `run.seed`.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Which trial of that seed, to replay one of `hasim mc`; of a scenario with a `reliability`
    /// section, its incidents.
    #[arg(long, value_name = "N")]
    pub trial: Option<u64>,
    /// How many years the trial lasts, as `hasim mc --years` said; 1 where nothing says.
    #[arg(long, value_name = "N", requires = "trial", value_parser = clap::value_parser!(u64).range(1..=crate::experiment::years::YEARS_MAX))]
    pub years: Option<u64>,
    /// Which incident of the trial to show in full.
    #[arg(long, value_name = "N", requires = "trial")]
    pub incident: Option<usize>,
    /// Length of the run, such as `5m`; overrides the scenario's `run.until`.
    #[arg(long, value_name = "DURATION", value_parser = super::values::duration)]
    pub until: Option<crate::kernel::time::Duration>,
    /// Shows the tables as of this moment too, such as `45s`; may be given several times.
    #[arg(long, value_name = "DURATION", value_parser = super::values::duration)]
    pub at: Vec<crate::kernel::time::Duration>,
    /// Prints the whole effective scenario, each value with its source, instead of running it.
    #[arg(long)]
    pub show_effective: bool,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Writes every transition to FILE: JSON Lines if it ends in `.jsonl`, else the Chrome trace
    /// format, which opens in Perfetto.
    #[arg(long, value_name = "FILE")]
    pub trace: Vec<PathBuf>,
}

/// How to print a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs: one JSON object.
    Json,
}

/// What both kinds of study of trials take.
#[derive(Debug, Args)]
pub struct TrialArguments {
    /// How many trials (of each); 1000 where nothing says.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub trials: Option<u64>,
    /// How many years each trial lasts, for scenarios with a `reliability` section; 1 where nothing
    /// says.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=crate::experiment::years::YEARS_MAX))]
    pub years: Option<u64>,
    /// The number of the first trial, to run a slice of a study.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=1_000_000_000_000))]
    pub first: u64,
    /// Stops after this long and reports the trials that are finished.
    #[arg(long, value_name = "DURATION", value_parser = super::values::duration)]
    pub time_limit: Option<crate::kernel::time::Duration>,
    /// Keeps finished trials in FILE; if it is there, goes on where it ends. A slice for `hasim merge`.
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// Seed of all random draws; overrides the (first) scenario's `run.seed`.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Threads to use; the result is the same for any number.
    #[arg(long, value_name = "N", value_parser = super::values::threads)]
    pub threads: Option<usize>,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t = TableFormat::Text)]
    pub format: TableFormat,
}

/// What `hasim mc` takes.
#[derive(Debug, Args)]
pub struct McArguments {
    /// The scenario: a JSON or YAML file, or `-` for standard input.
    pub scenario: PathBuf,
    /// Where etcd stands, in place of what the scenario says; several are compared, as `hasim compare`
    /// does.
    #[arg(long, value_enum, value_name = "TOPOLOGY,…", value_delimiter = ',')]
    pub topology: Vec<TopologyWord>,
    /// How many trials, of what, and how they are told.
    #[command(flatten)]
    pub trials: TrialArguments,
    /// Reaches rare outages: failures are forced and weighted where outages are rare. For timings that
    /// are laws (`timings: ideal`).
    #[arg(long, value_enum, value_name = "HOW", conflicts_with_all = ["samples", "checkpoint"])]
    pub rare: Option<Rare>,
    /// Stops as soon as the mean of `--of` is known to this relative error, such as `5%`: half of its
    /// 95 % interval; after `--trials` at the latest.
    #[arg(long, value_name = "PERCENT", requires = "of", value_parser = super::values::percentage)]
    pub until_rel_err: Option<f64>,
    /// What `--until-rel-err` means: a metric, or over years a service, whose share of time down counts.
    #[arg(long, value_name = "METRIC|SERVICE", requires = "until_rel_err")]
    pub of: Option<String>,
    /// Writes a row for each trial to FILE, with a column for each metric: milliseconds or counts,
    /// empty where it did not happen. Over years: time down, outages, the first one and requests not
    /// served, of each service.
    #[arg(long, value_name = "FILE")]
    pub samples: Option<PathBuf>,
}

/// How rare outages are reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Rare {
    /// Each measure as it is best found: on forced paths where its outages are rare.
    Auto,
}

/// How to print a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TableFormat {
    /// For people.
    Text,
    /// For programs: one JSON object.
    Json,
    /// For spreadsheets.
    Csv,
}

/// Where etcd stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TopologyWord {
    /// On the control-plane machines.
    Stacked,
    /// On machines of its own.
    External,
}

impl TopologyWord {
    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            TopologyWord::Stacked => "stacked",
            TopologyWord::External => "external",
        }
    }

    /// What it means.
    pub fn topology(self) -> Topology {
        match self {
            TopologyWord::Stacked => Topology::Stacked,
            TopologyWord::External => Topology::External,
        }
    }
}

/// What `hasim compare` takes.
#[derive(Debug, Args)]
pub struct CompareArguments {
    /// The scenarios, JSON or YAML, or folders of them: the first is compared with each of the others.
    #[arg(required = true, value_name = "SCENARIO")]
    pub scenarios: Vec<PathBuf>,
    /// Where etcd stands, in place of what the scenarios say; several are compared for each scenario.
    #[arg(long, value_enum, value_name = "TOPOLOGY,…", value_delimiter = ',')]
    pub topology: Vec<TopologyWord>,
    /// How many trials, of what, and how they are told.
    #[command(flatten)]
    pub trials: TrialArguments,
    /// Writes a page (HTML and Markdown) with plots to this folder. With --topology each scenario is a
    /// chapter of its own.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["checkpoint", "first"])]
    pub report: Option<PathBuf>,
}

/// What `hasim merge` takes.
#[derive(Debug, Args)]
pub struct MergeArguments {
    /// Checkpoints of `hasim mc --first … --trials …` or of `hasim compare`, in any order.
    #[arg(required = true, value_name = "FILE")]
    pub slices: Vec<PathBuf>,
    /// How to print what the trials tell.
    #[arg(long, value_enum, default_value_t = TableFormat::Text)]
    pub format: TableFormat,
    /// Writes a row for each trial to FILE, as `hasim mc --samples` does.
    #[arg(long, value_name = "FILE")]
    pub samples: Option<PathBuf>,
}

/// What `hasim validate` takes.
#[derive(Debug, Args)]
pub struct ValidateArguments {
    /// A folder of scenarios, or one scenario, each held against the measurement of the same name:
    /// `NAME.csv` or `NAME.measured.json` beside it, or `NAME.json` or `NAME.csv` among the
    /// measurements. Left out: hasim's own in `scenarios/validation`.
    pub dir: Option<PathBuf>,
    /// The folder of measurements; for hasim's own scenarios `tests/ground_truth`.
    #[arg(long, value_name = "DIR")]
    pub measurements: Option<PathBuf>,
    /// How many trials of each scenario.
    #[arg(long, value_name = "N", default_value_t = crate::experiment::validation::TRIALS_MIN, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub trials: u64,
    /// Seed of all random draws.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Threads to use; the result is the same for any number.
    #[arg(long, value_name = "N", value_parser = super::values::threads)]
    pub threads: Option<usize>,
    /// How to print the result.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Writes a page (HTML and Markdown) with a plot for each experiment to this folder.
    #[arg(long, value_name = "DIR")]
    pub report: Option<PathBuf>,
}

/// What `hasim quorum` takes.
#[derive(Debug, Args)]
pub struct QuorumArguments {
    /// How many voters, or a scenario whose etcd members and zones are meant.
    #[arg(value_name = "N|SCENARIO", required_unless_present_any = ["up_to", "zones"])]
    pub subject: Option<String>,
    /// The table goes from 1 to N members.
    #[arg(long, value_name = "N", value_parser = super::values::members)]
    pub up_to: Option<usize>,
    /// The part of the time that each member is up, failing on its own; where nothing says what a
    /// scenario's `reliability` makes of it, else 0.99.
    #[arg(long, value_name = "P", value_parser = super::values::probability)]
    pub availability: Option<f64>,
    /// The part of the time that each zone is up; its members fail with it. Where nothing says what a
    /// scenario's `reliability` makes of it, else 0.9995.
    #[arg(long, value_name = "P", value_parser = super::values::probability)]
    pub zone_availability: Option<f64>,
    /// How many members in each zone, such as `2,1`, instead of even spreads.
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = super::values::members)]
    pub zones: Vec<usize>,
    /// Works the sums out, term by term.
    #[arg(long)]
    pub explain: bool,
    /// How to print the tables.
    #[arg(long, value_enum, default_value_t = TableFormat::Text)]
    pub format: TableFormat,
}

/// What `hasim exact` takes.
#[derive(Debug, Args)]
pub struct ExactArguments {
    /// The scenario: a JSON or YAML file, or `-` for standard input.
    pub scenario: PathBuf,
    /// How to print the answer.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Writes the chain to FILE in the language of the PRISM model checker.
    #[arg(long, value_name = "FILE")]
    pub prism: Option<PathBuf>,
    /// Prints the whole effective scenario, each value with its source, instead of solving it.
    #[arg(long)]
    pub show_effective: bool,
}

/// What `hasim explain` takes.
#[derive(Debug, Args)]
pub struct ExplainArguments {
    /// The code; without it, all codes are listed.
    pub code: Option<String>,
}

/// What `hasim schema` takes.
#[derive(Debug, Args)]
pub struct SchemaArguments {
    /// Of which files.
    #[arg(value_enum, default_value_t = SchemaOf::Scenario)]
    pub of: SchemaOf,
}

/// Files that have a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// Scenario files.
    Scenario,
    /// What `hasim run --format json` prints.
    RunResult,
    /// What `hasim mc --years N --rare auto --format json` prints.
    RareResult,
}

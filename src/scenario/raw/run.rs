//! `metadata` and `run`: what is claimed in words, how the run begins and ends.

use crate::component::param::{params, words};
use crate::component::versions::Versions;
use crate::kernel::time::Duration;
use crate::scenario::document::{Entry, Path};
use crate::scenario::reader::Reader;
use crate::scenario::section::Section;

params! {
    /// What the scenario is called and claims.
    pub struct Metadata {
        /// The scenario's name.
        name: String = "name", |_v| "scenario".to_owned(), "hasim: a name for output";
        /// What the scenario claims, in words.
        description: String = "description", |_v| String::new(), "hasim: nothing is claimed";
    }
}

words! {
    /// How the world begins.
    pub enum StartWord {
        /// Everything leads and holds, with ages and phases from their stationary laws.
        Settled = "settled",
        /// Every machine is powered on at time 0.
        Cold = "cold",
    }
}

params! {
    /// How the run begins and ends.
    pub struct Run {
        /// How long the run is.
        until: Duration = "until", |_v| Duration::from_minutes(5), "hasim: five minutes";
        /// The seed of every draw; the same seed gives the same run.
        seed: u64 = "seed", |_v| 1, "hasim: any number does";
        /// How the run begins: `settled`, everything led and held, or `cold`, everything starts.
        start: StartWord = "start", |_v| StartWord::Settled, "hasim: a cluster that has run for long";
        /// Which fault, by its position from 0, is the zero of metrics that count from the fault.
        measure_from: u32 = "measureFrom", |_v| 0, "hasim: the first fault";
    }
}

/// What may have a leader named at the start, with its meaning.
pub const LEADERS: [(&str, &str); 4] = [
    ("etcd", "The machine whose member leads etcd."),
    ("kube-scheduler", "The machine whose kube-scheduler holds the Lease."),
    ("kube-controller-manager", "The machine whose kube-controller-manager holds the Lease."),
    ("vip", "The machine that holds the virtual address."),
];

/// The section with the leaders that it names.
#[derive(Debug)]
pub struct RunSection {
    /// Its options.
    pub section: Section<Run>,
    /// Who leads what at the start.
    pub leaders: Vec<NamedLeader>,
}

/// A leader named at the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedLeader {
    /// What it leads: one of [`LEADERS`].
    pub what: String,
    /// The machine's name.
    pub machine: String,
    /// Where it is named.
    pub path: Path,
}

impl RunSection {
    pub(super) fn read(entry: Option<&Entry>, reader: &Reader, versions: &Versions) -> RunSection {
        let path = Path::root().key("run");
        let mut run =
            RunSection { section: Section::defaults(versions, path), leaders: Vec::new() };
        let mut known = Section::<Run>::names();
        known.push("leaders");
        let Some(fields) = entry.and_then(|e| reader.fields(&e.node, "`run`", &known)) else {
            return run;
        };
        run.section.take(&fields, reader);
        let words: Vec<&str> = LEADERS.iter().map(|(name, _)| *name).collect();
        if let Some(fields) = fields.section("leaders", "`leaders`", &words) {
            let path = run.section.path.key("leaders");
            let named = fields.given().filter_map(|entry| {
                let machine = reader.read::<String>(&entry.node)?;
                Some(NamedLeader { what: entry.key.clone(), machine, path: path.key(&*entry.key) })
            });
            run.leaders = named.collect();
        }
        run
    }
}

//! What a scenario file says, in its own words: form only. Every section has its options with
//! defaults filled in and the places at which the file gives them.
//!
//! Absent on purpose: what names mean (targets, leaders) and whether values go together; see
//! `lower` and [`rules`](super::rules).

pub mod client;
pub mod cluster;
mod counts;
pub mod expect;
pub mod fault;
pub mod informers;
pub mod kinds;
pub mod program;
pub mod reliability;
pub mod run;
pub mod timings;
pub mod versions;
pub mod workload;
pub mod zones;

use crate::component::versions::Versions;
use crate::scenario::document::{Document, Node, Path};
use crate::scenario::reader::Reader;
use crate::scenario::section::Section;
use client::Client;
use cluster::Cluster;
use expect::Expect;
use fault::Fault;
use informers::Informers;
use reliability::Reliability;
use run::{Metadata, RunSection};
use serde_json::Value;
use timings::TimingsSection;
use workload::Workload;

/// The value of `apiVersion`.
pub const API_VERSION: &str = "hasim/v1";
/// The value of `kind`.
pub const KIND: &str = "Scenario";

/// The fields of a scenario, with their meaning.
pub const FIELDS: [(&str, &str); 15] = [
    ("$schema", "Where the JSON Schema is, for editors."),
    ("apiVersion", "The version of the format: `hasim/v1`."),
    ("kind", "What the file is: `Scenario`."),
    ("metadata", "Its name, and what it claims."),
    ("environment", "A file with values that stand where this one has none."),
    ("versions", "Which releases are simulated."),
    ("cluster", "Machines, programs and the network between them."),
    ("workloads", "What runs on the nodes: Deployments, StatefulSets and bare pods."),
    ("clients", "Clients with a stated schedule of requests."),
    ("informers", "Processes that watch the API, and come back all at once."),
    ("faults", "What happens to the cluster, and when."),
    ("reliability", "What fails by itself over the years, and how it is repaired."),
    ("timings", "Laws that take the place of protocols' timings."),
    ("run", "How the run begins and ends, and its seed."),
    ("expect", "What is claimed of the run, as limits that are checked."),
];

/// A value whose meaning is yet to be found, with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// The value.
    pub value: Value,
    /// Where it stands.
    pub path: Path,
}

impl Placed {
    fn new(node: &Node, path: Path) -> Placed {
        Placed { value: node.to_value(), path }
    }
}

/// A list's items with their places; of anything else that alone.
fn one_or_many(node: &Node, path: &Path) -> Vec<Placed> {
    match node.items() {
        Some(items) => {
            let placed = items.iter().enumerate();
            placed.map(|(at, item)| Placed::new(item, path.index(at))).collect()
        }
        None => vec![Placed::new(node, path.clone())],
    }
}

/// A whole scenario.
#[derive(Debug)]
pub struct Scenario {
    /// Its name and description.
    pub metadata: Section<Metadata>,
    /// Which releases.
    pub versions: Versions,
    /// The programs whose release the file gives.
    pub versions_given: Vec<String>,
    /// The cluster.
    pub cluster: Cluster,
    /// The workloads.
    pub workloads: Vec<Workload>,
    /// The clients.
    pub clients: Vec<Client>,
    /// The processes with informers.
    pub informers: Vec<Informers>,
    /// The faults, in the order of the file.
    pub faults: Vec<Fault>,
    /// What fails by itself.
    pub reliability: Reliability,
    /// Laws in place of protocols.
    pub timings: TimingsSection,
    /// The run.
    pub run: RunSection,
    /// The claims.
    pub expect: Vec<Expect>,
}

impl Scenario {
    /// Reads a document; what is wrong is reported. `None` if it is no object at all.
    pub fn read(document: &Document, reader: &Reader) -> Option<Scenario> {
        let root = Path::root();
        let known: Vec<&str> = FIELDS.iter().map(|(name, _)| *name).collect();
        let fields = reader.fields(&document.root, "a scenario", &known)?;
        fields.required_with("apiVersion", |node, reader| reader.word(node, &[(API_VERSION, ())]));
        fields.required_with("kind", |node, reader| reader.word(node, &[(KIND, ())]));
        let entry = |name| document.root.entry(name).filter(|entry| !entry.node.is_null());
        let versions_given = entry("versions").and_then(|entry| {
            Some(entry.node.entries()?.iter().map(|given| given.key.clone()).collect())
        });
        let versions = versions::read(entry("versions"), reader);
        let items = |name: &'static str| {
            let found = entry(name).and_then(|entry| {
                entry.node.items().or_else(|| reader.wrong_type(&entry.node, "a list"))
            });
            let items = found.unwrap_or(&[]).iter().enumerate();
            items.map(move |(at, node)| (node, Path::root().key(name).index(at)))
        };
        Some(Scenario {
            metadata: Section::read(
                entry("metadata"),
                reader,
                "`metadata`",
                &versions,
                root.key("metadata"),
            ),
            cluster: Cluster::read(entry("cluster"), reader, &versions),
            workloads: items("workloads")
                .filter_map(|(node, path)| Workload::read(node, reader, &versions, path))
                .collect(),
            clients: items("clients")
                .filter_map(|(node, path)| Client::read(node, reader, &versions, path))
                .collect(),
            informers: items("informers")
                .filter_map(|(node, path)| Informers::read(node, reader, &versions, path))
                .collect(),
            faults: items("faults")
                .filter_map(|(node, path)| Fault::read(node, reader, path))
                .collect(),
            reliability: Reliability::read(entry("reliability"), reader),
            timings: TimingsSection::read(entry("timings"), reader),
            run: RunSection::read(entry("run"), reader, &versions),
            expect: items("expect")
                .filter_map(|(node, path)| Expect::read(node, reader, path))
                .collect(),
            versions,
            versions_given: versions_given.unwrap_or_default(),
        })
    }
}

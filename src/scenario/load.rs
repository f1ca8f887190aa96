//! The whole way from a text to a plan, with every problem on the way.

use crate::kernel::time::Duration;
use crate::plan::Plan;
use crate::scenario::diagnostic::Diagnostics;
use crate::scenario::document::Document;
use crate::scenario::environment;
use crate::scenario::lower::Subject;
use crate::scenario::raw::Scenario;
use crate::scenario::raw::cluster::Topology;
use crate::scenario::reader::Reader;
use crate::scenario::rules;
use crate::scenario::samples;
use crate::scenario::source::Source;
use crate::scenario::wounds::Wounds;

/// What became of a file.
#[derive(Debug)]
pub struct Loaded {
    /// The scenario, unless its form is wrong. Its values may still go against rules.
    pub subject: Option<Subject>,
    /// The plan, unless there are errors.
    pub plan: Option<Plan>,
    /// Everything that is wrong, warnings included.
    pub diagnostics: Diagnostics,
}

/// Reads a scenario. `samples` gives the text of a file that the scenario names, of samples
/// (`{"empirical": "a.csv"}`) or of its `environment`, by its name as the scenario has it; whoever calls decides what it is relative to.
pub fn load(source: &Source, samples: &dyn Fn(&str) -> Result<String, String>) -> Loaded {
    load_with(source, samples, Overrides::default())
}

/// What takes the place of the scenario's own.
#[derive(Clone, Copy, Debug, Default)]
pub struct Overrides {
    /// The end of the run.
    pub until: Option<Duration>,
    /// Where etcd stands. Stacked, what the scenario says of the members' own machines is left out.
    pub topology: Option<Topology>,
}

impl Overrides {
    fn apply(self, scenario: &mut Scenario) {
        if let Some(until) = self.until {
            scenario.run.section.params.until = until;
        }
        let Some(topology) = self.topology else { return };
        scenario.cluster.options.params.topology = topology;
        if topology == Topology::Stacked {
            scenario.cluster.etcd.params.members = None;
            scenario.cluster.etcd_zones.names.clear();
        }
    }
}

/// As [`load`], with something else in place of what the scenario says; its rules are held to that.
pub fn load_with(
    source: &Source,
    samples: &dyn Fn(&str) -> Result<String, String>,
    overrides: Overrides,
) -> Loaded {
    let (document, mut diagnostics) = Document::parse(source);
    let Some(mut document) = document else {
        return Loaded { subject: None, plan: None, diagnostics };
    };
    let reader = Reader::new(source);
    environment::join(&mut document.root, samples, &reader);
    samples::replace(&mut document.root, samples, &reader);
    let mut scenario = Scenario::read(&document, &reader);
    if let Some(scenario) = scenario.as_mut() {
        overrides.apply(scenario);
    }
    diagnostics.append(reader.finish());
    let subject = scenario.map(Subject::new);
    let Some(subject) = subject else {
        return Loaded { subject: None, plan: None, diagnostics };
    };
    let said = rules::all::check_scenario(&subject, &document);
    if diagnostics.has_errors() {
        // Rules speak of what is written; some of what they say could be about a default that
        // stands in for a wrong field.
        let wounds = Wounds::of(&document, &diagnostics);
        for diagnostic in said.iter().filter(|said| wounds.spare(said)) {
            diagnostics.push(diagnostic.clone());
        }
        return Loaded { subject: None, plan: None, diagnostics };
    }
    diagnostics.append(said);
    let plan = (!diagnostics.has_errors()).then(|| subject.plan());
    Loaded { subject: Some(subject), plan, diagnostics }
}

/// As [`load`], of a text without files of samples.
pub fn load_text(name: &str, text: &str) -> Loaded {
    let no_files = |name: &str| Err(format!("`{name}` cannot be read from here"));
    load(&Source::new(name, text), &no_files)
}

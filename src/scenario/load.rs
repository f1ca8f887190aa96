//! The whole way from a text to a plan, with every problem on the way.

use crate::plan::Plan;
use crate::scenario::diagnostic::Diagnostics;
use crate::scenario::document::Document;
use crate::scenario::environment;
use crate::scenario::lower::Subject;
use crate::scenario::raw::Scenario;
use crate::scenario::reader::Reader;
use crate::scenario::rules;
use crate::scenario::samples;
use crate::scenario::source::Source;

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
    let (document, mut diagnostics) = Document::parse(source);
    let Some(mut document) = document else {
        return Loaded { subject: None, plan: None, diagnostics };
    };
    let reader = Reader::new(source);
    environment::join(&mut document.root, samples, &reader);
    samples::replace(&mut document.root, samples, &reader);
    let scenario = Scenario::read(&document, &reader);
    diagnostics.append(reader.finish());
    let subject = scenario.map(Subject::new);
    // Rules speak of what is written. Where the form is wrong, a default stands in for it, and what
    // they say could be about that.
    let Some(subject) = subject.filter(|_| !diagnostics.has_errors()) else {
        return Loaded { subject: None, plan: None, diagnostics };
    };
    diagnostics.append(rules::all::check_scenario(&subject, &document));
    let plan = (!diagnostics.has_errors()).then(|| subject.plan());
    Loaded { subject: Some(subject), plan, diagnostics }
}

/// As [`load`], of a text without files of samples.
pub fn load_text(name: &str, text: &str) -> Loaded {
    let no_files = |name: &str| Err(format!("`{name}` cannot be read from here"));
    load(&Source::new(name, text), &no_files)
}

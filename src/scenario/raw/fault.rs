//! Faults: when, which verb, to whom, for how long.

use super::{Placed, one_or_many};
use crate::fault::option::{OptionValue, Options};
use crate::fault::{VERBS, Verb, Whom};
use crate::kernel::law::Law;
use crate::scenario::code::Code;
use crate::scenario::document::{Node, Path};
use crate::scenario::reader::{Fields, Reader};
use serde_json::Value;

/// The fields of every fault beside its verb, with their meaning.
pub const FIELDS: [(&str, &str); 4] = [
    ("at", "When, from the start of the run: a duration or a law."),
    ("for", "For how long, where the verb has an end: a duration or a law."),
    ("every", "Repeats after this long: a duration or a law."),
    ("note", "A remark for people."),
];

/// One fault.
#[derive(Debug)]
pub struct Fault {
    /// What it does.
    pub verb: &'static Verb,
    /// The verb's value as the file has it.
    pub value: Value,
    /// Where the fault stands.
    pub path: Path,
    /// When.
    pub at: Law,
    /// For how long; `None`: for good.
    pub lasts: Option<Law>,
    /// Repeats after this long.
    pub every: Option<Law>,
    /// The verb's options.
    pub options: Options,
    /// Whom it hits; of two sides the first.
    pub targets: Vec<Placed>,
    /// The other side, where the verb has one.
    pub others: Vec<Placed>,
}

impl Fault {
    pub(super) fn read(node: &Node, reader: &Reader, path: Path) -> Option<Fault> {
        let verb = given_verb(node);
        let known = known_fields(verb);
        let fields = reader.fields(node, "a fault", &known)?;
        let verbs: Vec<&str> = VERBS.iter().map(|verb| verb.name).collect();
        let at = fields.required::<Law>("at");
        let lasts = fields.optional::<Law>("for");
        let every = fields.optional::<Law>("every");
        let entry = fields.one_of(&verbs)?;
        let verb = verb?;
        refuse_end(verb, &fields, reader);
        let options = options(verb, &fields, reader);
        let (targets, others) = sides(verb, &entry.node, reader, &path.key(verb.name))?;
        let value = entry.node.to_value();
        let (at, options) = (at?, options?);
        Some(Fault { verb, value, path, at, lasts, every, options, targets, others })
    }

    /// Whom it may hit.
    pub fn whom(&self) -> Whom {
        self.verb.whom_with(&self.options)
    }

    /// Where the verb's value stands.
    pub fn verb_path(&self) -> Path {
        self.path.key(self.verb.name)
    }
}

fn given_verb(node: &Node) -> Option<&'static Verb> {
    node.entries()?.iter().find_map(|entry| crate::fault::verb(&entry.key))
}

/// The fields of a fault with this verb; of any fault if there is none.
fn known_fields(verb: Option<&'static Verb>) -> Vec<&'static str> {
    let mut known: Vec<&str> = FIELDS.iter().map(|(name, _)| *name).collect();
    known.extend(VERBS.iter().map(|verb| verb.name));
    known.extend(verb.iter().flat_map(|verb| verb.options).map(|option| option.name));
    known
}

fn refuse_end(verb: &Verb, fields: &Fields, reader: &Reader) {
    if let Some(entry) = fields.get("for").filter(|_| !verb.ends) {
        let message = format!("`{}` has no end, so that it takes no `for`", verb.name);
        reader.invalid(&entry.node, Code::ONE_OF, message);
    }
}

fn options(verb: &'static Verb, fields: &Fields, reader: &Reader) -> Option<Options> {
    let mut options = Options::default();
    let mut complete = true;
    for option in verb.options {
        let value = match (fields.get(option.name), option.sort.default()) {
            (None, Some(default)) => Some(default),
            (None, None) => fields.required_with::<OptionValue>(option.name, |_, _| None),
            (Some(entry), _) => option
                .sort
                .read(&entry.node.to_value())
                .map_err(|message| reader.invalid(&entry.node, Code::WRONG_TYPE, message))
                .ok(),
        };
        match value {
            Some(value) => options.put(option.name, value),
            None => complete = false,
        }
    }
    let complete = complete
        && verb.options.iter().all(|option| {
            let wrong = options.contradiction(option);
            if let (Some(message), Some(entry)) = (&wrong, fields.get(option.name)) {
                reader.invalid(&entry.node, Code::BAD_DURATION, message.clone());
            }
            wrong.is_none()
        });
    complete.then_some(options)
}

/// The first and the other side of a verb's value.
fn sides(
    verb: &Verb,
    node: &Node,
    reader: &Reader,
    path: &Path,
) -> Option<(Vec<Placed>, Vec<Placed>)> {
    match verb.whom {
        Whom::TwoSides => {
            let Some([one, other]) = node.items() else {
                let wanted = "a list of two sides, each a machine or a list of them";
                let found = match node.items() {
                    Some(sides) => format!("{} of them", sides.len()),
                    None => node.describe(),
                };
                let message = format!("`{}` takes {wanted}, found {found}", verb.name);
                reader.invalid(node, Code::BAD_LENGTH, message);
                return None;
            };
            Some((one_or_many(one, &path.index(0)), one_or_many(other, &path.index(1))))
        }
        Whom::FromTo => {
            let what = format!("`{}`", verb.name);
            let fields = reader.fields(node, &what, &["from", "to"])?;
            let side = |name: &str| {
                let read = |node: &Node, _: &Reader| Some(one_or_many(node, &path.key(name)));
                fields.required_with(name, read)
            };
            let (from, to) = (side("from"), side("to"));
            Some((from?, to?))
        }
        Whom::Member if node.items().is_some_and(|items| items.len() != 1) => {
            let message = format!("`{}` takes one member", verb.name);
            reader.invalid(node, Code::BAD_LENGTH, message);
            None
        }
        Whom::Succession if node.items().is_some_and(|items| items.len() > 2) => {
            let message = format!(
                "`{}` takes a member, or the old one and the new one, found {} of them",
                verb.name,
                node.items().map_or(0, <[Node]>::len)
            );
            reader.invalid(node, Code::BAD_LENGTH, message);
            None
        }
        Whom::Processes(_)
        | Whom::Machines
        | Whom::Zones
        | Whom::Earlier
        | Whom::Member
        | Whom::Succession => {
            if node.items().is_some_and(<[Node]>::is_empty) {
                let message = format!("`{}` needs at least one target", verb.name);
                reader.invalid(node, Code::BAD_LENGTH, message);
                return None;
            }
            Some((one_or_many(node, path), Vec::new()))
        }
    }
}

//! The options of one program: those of all its processes, and what single processes have instead.

use crate::component::param::Params;
use crate::component::versions::Versions;
use crate::scenario::document::{Entry, Node, Path};
use crate::scenario::reader::{Fields, Reader};
use crate::scenario::section::Section;
use std::collections::BTreeMap;

/// Options that the real configuration has in a section of their own within the program's.
#[derive(Clone, Copy, Debug)]
pub struct Inner {
    /// The section's name.
    pub name: &'static str,
    /// Its options.
    pub options: &'static [&'static str],
}

/// A program's options.
#[derive(Clone, Debug)]
pub struct Program<P> {
    /// Those of all its processes.
    pub base: Section<P>,
    /// Those of single processes, by the process's name (`cp1/etcd`).
    pub overrides: BTreeMap<String, Section<P>>,
    /// Whether the file has its section, empty or not.
    pub given: bool,
    inner: Option<Inner>,
}

impl<P: Params + Clone> Program<P> {
    pub(super) fn defaults(versions: &Versions, path: Path) -> Program<P> {
        let base = Section::defaults(versions, path);
        Program { base, overrides: BTreeMap::new(), given: false, inner: None }
    }

    /// With some options in an inner section.
    pub(super) fn with_inner(self, inner: Inner) -> Program<P> {
        Program { inner: Some(inner), ..self }
    }

    /// The inner section, if there is one.
    pub fn inner(&self) -> Option<Inner> {
        self.inner
    }

    fn names(&self) -> Vec<&'static str> {
        let own = |name: &&str| self.inner.is_none_or(|inner| !inner.options.contains(name));
        let mut names: Vec<_> = Section::<P>::names().into_iter().filter(own).collect();
        names.extend(self.inner.map(|inner| inner.name));
        names
    }

    /// Reads the section of all processes, which holds nothing else.
    pub(super) fn read(&mut self, around: &Fields, name: &str, what: &str, reader: &Reader) {
        let names = self.names();
        if let Some(fields) = around.section(name, what, &names) {
            self.given = true;
            take(&mut self.base, &fields, self.inner, reader);
        }
    }

    /// As [`Program::read`], where a list gives an option for each of these processes in turn.
    pub(super) fn read_each(
        &mut self,
        around: &Fields,
        name: &str,
        processes: &[String],
        reader: &Reader,
    ) {
        let names = self.names();
        let what = format!("`{name}`");
        let Some(fields) = around.section(name, &what, &names) else { return };
        self.given = true;
        let path = self.base.path.clone();
        let (lists, single): (Vec<&Entry>, Vec<&Entry>) =
            fields.given().partition(|entry| entry.node.items().is_some());
        for entry in single {
            self.base.set(entry, reader, path.key(&*entry.key));
        }
        for entry in lists {
            let items: &[Node] = entry.node.items().unwrap_or_default();
            for (at, (item, process)) in items.iter().zip(processes).enumerate() {
                let entry = Entry { node: item.clone(), ..entry.clone() };
                let place = path.key(&*entry.key).index(at);
                self.own(process).set(&entry, reader, place);
            }
        }
    }

    /// Reads what one process has instead.
    pub(super) fn read_override(&mut self, entry: &Entry, reader: &Reader, path: Path) {
        let names = self.names();
        let what = format!("`{}`", entry.key.escape_debug());
        let Some(fields) = reader.fields(&entry.node, &what, &names) else { return };
        let inner = self.inner;
        let section = self.own(&entry.key);
        section.path = path;
        take(section, &fields, inner, reader);
    }

    /// The options of one process, to be changed for it alone.
    fn own(&mut self, process: &str) -> &mut Section<P> {
        let base = &self.base;
        self.overrides.entry(process.to_owned()).or_insert_with(|| base.clone())
    }

    /// The options of one process.
    pub fn of(&self, process: &str) -> &Section<P> {
        self.overrides.get(process).unwrap_or(&self.base)
    }

    /// Every section, that of all processes first.
    pub fn sections(&self) -> impl Iterator<Item = &Section<P>> {
        std::iter::once(&self.base).chain(self.overrides.values())
    }
}

fn take<P: Params>(
    section: &mut Section<P>,
    fields: &Fields,
    inner: Option<Inner>,
    reader: &Reader,
) {
    section.take(fields, reader);
    let Some(inner) = inner else { return };
    let what = format!("`{}`", inner.name);
    let Some(fields) = fields.section(inner.name, &what, inner.options) else { return };
    let path = section.path.key(inner.name);
    for entry in fields.given() {
        section.set(entry, reader, path.key(&*entry.key));
    }
}

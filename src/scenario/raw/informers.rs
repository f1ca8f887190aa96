//! Processes with informers, which load the API servers.

use crate::component::versions::Versions;
use crate::components::informers::InformerParams;
use crate::scenario::document::{Node, Path};
use crate::scenario::reader::Reader;
use crate::scenario::section::Section;

/// Many processes of one sort.
#[derive(Debug)]
pub struct Informers {
    /// Their name.
    pub name: String,
    /// Their options.
    pub section: Section<InformerParams>,
}

impl Informers {
    pub(super) fn read(
        node: &Node,
        reader: &Reader,
        versions: &Versions,
        path: Path,
    ) -> Option<Informers> {
        let mut known = Section::<InformerParams>::names();
        known.push("name");
        let fields = reader.fields(node, "informers", &known)?;
        let mut section = Section::defaults(versions, path);
        section.take(&fields, reader);
        Some(Informers { name: fields.required("name")?, section })
    }
}

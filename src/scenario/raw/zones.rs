//! The zones that a group of machines stands in.

use crate::scenario::document::Path;
use crate::scenario::reader::Fields;

/// The zones of a group of machines, one for each in turn, and where they are given.
#[derive(Clone, Debug, Default)]
pub struct Zones {
    /// Names; empty: the cluster's zones in turn.
    pub names: Vec<String>,
    /// Where they are given; the root if they are not.
    pub path: Path,
}

pub(super) fn zones(fields: &Fields, path: &Path) -> Zones {
    match fields.optional("zones") {
        Some(names) => Zones { names, path: path.key("zones") },
        None => Zones::default(),
    }
}

//! The `versions` of a scenario: one field chooses among releases' differences.

use crate::component::versions::{Version, Versions};
use crate::scenario::document::Entry;
use crate::scenario::reader::Reader;

/// The programs with a version, and what is said of each.
pub const FIELDS: [(&str, &str); 5] = [
    ("kubernetes", "API server, scheduler, controller-manager, kubelet, such as \"1.34\"."),
    ("etcd", "etcd, such as \"3.6\" or \"3.4.13\"."),
    ("haproxy", "HAProxy, such as \"3.2\"."),
    ("keepalived", "keepalived, such as \"2.3\"."),
    ("kube-vip", "kube-vip, such as \"1.2\"."),
];

/// Reads the section; what is left out is a current release.
pub(super) fn read(entry: Option<&Entry>, reader: &Reader) -> Versions {
    let mut versions = Versions::default();
    let known: Vec<&str> = FIELDS.iter().map(|(name, _)| *name).collect();
    let Some(fields) = entry.and_then(|e| reader.fields(&e.node, "`versions`", &known)) else {
        return versions;
    };
    let read = |name: &str| -> Option<Version> {
        let what = "a version in quotes such as \"1.34\", which is a text";
        fields.optional_with(name, |node, reader| reader.parse(node, what, str::parse))
    };
    for (field, slot) in [
        ("kubernetes", &mut versions.kubernetes),
        ("etcd", &mut versions.etcd),
        ("haproxy", &mut versions.haproxy),
        ("keepalived", &mut versions.keepalived),
        ("kube-vip", &mut versions.kube_vip),
    ] {
        *slot = read(field).unwrap_or(*slot);
    }
    versions
}

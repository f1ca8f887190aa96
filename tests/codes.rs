//! Pages that the program can write are what it would write.

use hasim::report::{json, metrics, rare};
use hasim::scenario::{code, rules};
use std::path::Path;

/// Whether a page of `docs` is what it should be; `HASIM_BLESS=1` writes it anew first.
fn is_current(name: &str, page: &str) -> bool {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    #[expect(clippy::disallowed_methods, reason = "a test may be asked to renew what it checks")]
    if std::env::var("HASIM_BLESS").is_ok() {
        std::fs::write(&path, page).expect("docs is writable");
    }
    std::fs::read_to_string(&path).unwrap_or_default() == page
}

/// Law: `docs/codes.md` is generated from the codes' own records.
///
/// `HASIM_BLESS=1 cargo test --test codes` writes it anew.
#[test]
fn page_of_codes_is_current() {
    let page = code::page(rules::all::infos());
    assert!(is_current("codes.md", &page), "docs/codes.md is not current; HASIM_BLESS=1 renews it");
}

/// Law: the schema of results is published; what changes in it is seen in review.
///
/// Fields may be added, never renamed or removed.
#[test]
fn schema_of_results_is_current() {
    let page = format!("{:#}\n", json::schema());
    let name = "run-result.schema.json";
    assert!(is_current(name, &page), "docs/{name} is not current; HASIM_BLESS=1 renews it");
}

/// Law: so is the schema of studies of rare outages.
#[test]
fn schema_of_rare_studies_is_current() {
    let page = format!("{:#}\n", rare::schema());
    let name = "rare-result.schema.json";
    assert!(is_current(name, &page), "docs/{name} is not current; HASIM_BLESS=1 renews it");
}

/// Law: `docs/metrics.md` lists every metric with its meaning.
#[test]
fn page_of_metrics_is_current() {
    let name = "metrics.md";
    let current = is_current(name, &metrics::page());
    assert!(current, "docs/{name} is not current; HASIM_BLESS=1 renews it");
}

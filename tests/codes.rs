//! The page of codes is what the codes say of themselves.

use hasim::scenario::{code, rules};
use std::path::Path;

/// Law: `docs/codes.md` is generated from the codes' own records.
///
/// `HASIM_BLESS=1 cargo test --test codes` writes it anew.
#[test]
fn page_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/codes.md");
    let page = code::page(rules::all::infos());
    #[expect(clippy::disallowed_methods, reason = "a test may be asked to renew what it checks")]
    if std::env::var("HASIM_BLESS").is_ok() {
        std::fs::write(&path, &page).expect("docs is writable");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/codes.md is not current; HASIM_BLESS=1 renews it");
}

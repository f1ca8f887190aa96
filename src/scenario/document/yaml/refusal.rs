//! What is refused of YAML, and what usually lies behind errors of the parser.

use crate::scenario::code::Code;
use crate::scenario::diagnostic::{Diagnostic, Span};

use super::{MaybeTag, Parsed};

/// Whether a tag (`!!str` or `!`) says that a scalar is a text whatever it looks like.
pub(super) fn is_text_tag(tag: &MaybeTag) -> bool {
    tag.as_deref().is_some_and(|tag| {
        tag.is_yaml_core_schema() && tag.suffix == "str"
            || tag.suffix.is_empty() && (tag.handle == "!" || tag.handle.is_empty())
            || tag.handle.is_empty() && tag.suffix == "!"
    })
}

pub(super) fn refuse_tag(tag: &MaybeTag, span: Span) -> Parsed<()> {
    let Some(tag) = tag else { return Ok(()) };
    Err(unsupported(&format!("the tag `{tag}`"), span).into())
}

pub(super) fn unsupported(what: &str, span: Span) -> Diagnostic {
    let message = format!("{what} is YAML that scenarios do not use");

    Diagnostic::error(Code::YAML_FEATURE, message)
        .at(span, "")
        .help("write it as plain lists and objects with text keys")
}

pub(super) fn second_document(span: Span) -> Diagnostic {
    Diagnostic::error(Code::MANY_DOCUMENTS, "more than one document in the file")
        .at(span, "a second document begins here")
        .help("a scenario is one document: split the file, or remove the `---`")
}

/// What usually lies behind an error of the parser.
pub(super) fn advice(info: &str) -> Option<&'static str> {
    let has = |part: &str| info.contains(part);
    if has("tab") {
        Some("indent with spaces, never tabs")
    } else if has("mapping values are not allowed") || has("':'") {
        Some("check the indentation; a text that holds `: ` needs quotes")
    } else if has("in quoted scalar") {
        Some("is the closing quote missing? Lines of a quoted text must be indented")
    } else if has("in flow construct") {
        Some("is a closing bracket missing? Lines within brackets must be indented")
    } else if has("expected key") || has("indent") || has("'-' indicator") {
        Some("check the indentation: fields of one object begin in the same column")
    } else if has("unknown anchor") {
        Some(
            "an alias `*name` needs an anchor `&name` before it; a text that begins with `*` needs quotes",
        )
    } else if has("unexpected character") {
        Some("a text that begins with `%`, `@` or a backtick needs quotes")
    } else if has("escape") {
        Some("in double quotes a backslash begins an escape; single quotes have none")
    } else {
        None
    }
}

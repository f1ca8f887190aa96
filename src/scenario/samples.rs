//! Laws given by a file of samples: `{"empirical": "repairs.csv"}` becomes the list of its samples
//! before anything is read. The file itself is read by whoever calls.

use crate::kernel::time::Duration;
use crate::scenario::code::Code;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::document::{Data, Node};
use crate::scenario::reader::Reader;

/// Most samples of one file.
const SAMPLES_MAX: usize = 1_000_000;

/// Replaces every file name in an `empirical` law by the file's samples.
pub(super) fn replace(
    node: &mut Node,
    samples: &dyn Fn(&str) -> Result<String, String>,
    reader: &Reader,
) {
    match &mut node.data {
        Data::Map(entries) => {
            for entry in entries {
                match &entry.node.data {
                    Data::Text(name) if entry.key == "empirical" => {
                        let name = name.clone();
                        read_file(&name, &mut entry.node, samples, reader);
                    }
                    _ => replace(&mut entry.node, samples, reader),
                }
            }
        }
        Data::List(items) => {
            for item in items {
                replace(item, samples, reader);
            }
        }
        _ => {}
    }
}

fn read_file(
    name: &str,
    node: &mut Node,
    samples: &dyn Fn(&str) -> Result<String, String>,
    reader: &Reader,
) {
    let span = node.span;
    match samples(name).and_then(|text| durations(&text)) {
        Ok(texts) => {
            let item = |text| Node { span, data: Data::Text(text) };
            node.data = Data::List(texts.into_iter().map(item).collect());
        }
        Err(message) => {
            let message = format!("the samples cannot be had: {message}");
            reader.report(Diagnostic::error(Code::BAD_LAW, message).at(span, "").related(name));
            // A law that reads, so that the file's trouble is told once.
            node.data = Data::List(vec![Node { span, data: Data::Text("1s".to_owned()) }]);
        }
    }
}

/// The samples of a file: one duration a line; what follows a comma is ignored, and so are empty
/// lines, comments (`#`) and a header in the first line.
fn durations(text: &str) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let sample = line.split(',').next().unwrap_or("").trim();
        if sample.is_empty() || sample.starts_with('#') {
            continue;
        }
        if let Err(error) = Duration::parse(sample) {
            if number == 0 && !sample.starts_with(|c: char| c.is_ascii_digit()) {
                continue;
            }
            return Err(format!("line {}: {error}", number + 1));
        }
        found.push(sample.to_owned());
    }
    match found.len() {
        0 => Err("there are no samples in it".to_owned()),
        count if count > SAMPLES_MAX => Err(format!("more than {SAMPLES_MAX} samples")),
        _ => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Law: a file of samples is a column of durations, with or without a header.
    #[test]
    fn samples_are_a_column() {
        let found = durations("repair,host\n1s,a\n\n# by hand\n2m30s\n").unwrap();
        assert_eq!(found, ["1s", "2m30s"]);
        assert!(durations("1s\n15\n").unwrap_err().starts_with("line 2: "));
        assert!(durations("header\n").is_err());
    }
}

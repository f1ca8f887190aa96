//! The page of a validation, in Markdown and in HTML, from one description of what stands on it.

use super::rows::{MetricRow, Numbers, probability, row};
use super::{Entry, Report};
use crate::experiment::validation::MetricResult;
use crate::measure::failover::Unit;
use crate::report::monte_carlo::shown;
use serde_json::Value;
use std::fmt::Write;

/// What stands on a page.
enum Block {
    Heading(u8, String),
    Paragraph(String),
    Image(String, String),
    Table(Vec<&'static str>, Vec<Vec<String>>),
    /// Text as it stands in a file, folded away under a title.
    Folded(String, String),
}

/// The page in Markdown.
pub fn markdown(report: &Report) -> String {
    let mut text = String::new();
    for block in blocks(report) {
        match block {
            Block::Heading(level, words) => {
                let _ = writeln!(text, "{} {words}\n", "#".repeat(level.into()));
            }
            Block::Paragraph(words) => {
                let _ = writeln!(text, "{words}\n");
            }
            Block::Image(file, words) => {
                let _ = writeln!(text, "![{words}]({})\n", file.replace(' ', "%20"));
            }
            Block::Table(header, rows) => {
                let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
                let header: Vec<String> = header.into_iter().map(str::to_owned).collect();
                let rule = vec!["---".to_owned(); header.len()];
                let escaped = rows.iter().map(|row| {
                    line(&row.iter().map(|cell| cell.replace('|', "\\|")).collect::<Vec<_>>())
                });
                let lines: Vec<String> =
                    [line(&header), line(&rule)].into_iter().chain(escaped).collect();
                let _ = writeln!(text, "{}\n", lines.join("\n"));
            }
            Block::Folded(title, inside) => {
                let _ = writeln!(
                    text,
                    "<details><summary>{title}</summary>\n\n```json\n{}\n```\n\n</details>\n",
                    inside.trim_end()
                );
            }
        }
    }
    text.trim_end().to_owned() + "\n"
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;\
padding:0 1rem;color:#222}table{border-collapse:collapse;margin:1rem 0;font-size:.85rem}\
td,th{border:1px solid #ccc;padding:.2rem .5rem;text-align:left}th{background:#f3f3f3}\
img{max-width:100%;height:auto}pre{background:#f6f6f6;padding:1rem;overflow:auto;font-size:.8rem}\
h2{border-top:1px solid #ddd;padding-top:1rem}";

/// The page in HTML, with the plots beside it.
pub fn html(report: &Report) -> String {
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>hasim: held against reality</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
    );
    for block in blocks(report) {
        match block {
            Block::Heading(level, words) => {
                let _ = writeln!(text, "<h{level}>{}</h{level}>", escape(&words));
            }
            Block::Paragraph(words) => {
                let _ = writeln!(text, "<p>{}</p>", code_marked(&escape(&words)));
            }
            Block::Image(file, words) => {
                let (file, words) = (escape(&file.replace(' ', "%20")), escape(&words));
                let _ = writeln!(text, "<p><img src=\"{file}\" alt=\"{words}\"></p>");
            }
            Block::Table(header, rows) => table_html(&mut text, &header, &rows),
            Block::Folded(title, inside) => {
                let _ = writeln!(
                    text,
                    "<details><summary>{}</summary><pre>{}</pre></details>",
                    escape(&title),
                    escape(inside.trim_end())
                );
            }
        }
    }
    text + "</body>\n</html>\n"
}

fn table_html(text: &mut String, header: &[&str], rows: &[Vec<String>]) {
    let cells = |mark: &str, cells: &mut dyn Iterator<Item = &str>| -> String {
        cells.fold(String::new(), |mut row, cell| {
            let _ = write!(row, "<{mark}>{}</{mark}>", code_marked(&escape(cell)));
            row
        })
    };
    let _ = writeln!(text, "<table>\n<tr>{}</tr>", cells("th", &mut header.iter().copied()));
    for row in rows {
        let _ = writeln!(text, "<tr>{}</tr>", cells("td", &mut row.iter().map(String::as_str)));
    }
    text.push_str("</table>\n");
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Words between backticks as code.
fn code_marked(text: &str) -> String {
    let part = |(at, part): (usize, &str)| match at % 2 {
        0 => part.to_owned(),
        _ => format!("<code>{part}</code>"),
    };
    text.split('`').enumerate().map(part).collect()
}

fn blocks(report: &Report) -> Vec<Block> {
    let mut blocks = opening(report);
    blocks.extend(differences(report));
    blocks.extend(environment(report));
    for entry in &report.entries {
        blocks.extend(experiment(entry));
    }
    blocks
}

const LAW: &str = "A metric agrees if (1) the simulated p10, p50 and p90 each lie in the 99.9 % interval \
that order statistics of the measured values give for theirs, widened by the instrument's resolution; \
(2) the two-sample Kolmogorov-Smirnov test (exact, ties included, so that counts are compared as counts) \
has p above 0.05 divided by the number of metrics in the set; and (3) from 40 measured values on, the \
medians agree within 5 %, or within the resolution. An experiment agrees if all its metrics do. The \
smallest shift is the least move of the simulated law that so few measured values would have shown in \
four of five measurements: what a verdict cannot see.";

const REGENERATED: &str = "Regenerated by `hasim validate --report reports/validation`; the manifest \
beside this page says from what.";

fn opening(report: &Report) -> Vec<Block> {
    let rows = report.entries.iter().map(|entry| {
        let result = &entry.result;
        let agree = result.metrics.iter().filter(|metric| metric.passed()).count();
        vec![
            result.experiment.id.clone(),
            result.experiment.trials.to_string(),
            format!("{agree} of {}", result.metrics.len()),
            verdict(entry.passed()),
        ]
    });
    let header = vec!["experiment", "measured trials", "metrics that agree", "verdict"];
    vec![
        Block::Heading(1, "hasim: held against reality".to_owned()),
        Block::Paragraph(format!(
            "Failover times of hasim {} against those of the real software. {}.",
            env!("CARGO_PKG_VERSION"),
            report.headline()
        )),
        Block::Paragraph(REGENERATED.to_owned()),
        Block::Table(header, rows.collect()),
        Block::Paragraph(LAW.to_owned()),
    ]
}

fn verdict(passed: bool) -> String {
    if passed { "agrees" } else { "**differs**" }.to_owned()
}

fn differences(report: &Report) -> Vec<Block> {
    let mut blocks = vec![Block::Heading(2, "Where the model is known to differ".to_owned())];
    blocks.extend(report.notes.iter().cloned().map(Block::Paragraph));
    for entry in report.entries.iter().filter(|entry| !entry.note.is_empty()) {
        let id = &entry.result.experiment.id;
        blocks.push(Block::Paragraph(format!("`{id}`: {}", entry.note)));
    }
    blocks
}

fn environment(report: &Report) -> Vec<Block> {
    let Some((name, text)) = &report.environment else { return Vec::new() };
    let value: Value = serde_json::from_str(text).unwrap_or(Value::Null);
    let provenance = value["metadata"]["provenance"].as_object().cloned().unwrap_or_default();
    let told = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let rows = provenance.iter().map(|(what, from)| vec![format!("`{what}`"), told(from)]);
    vec![
        Block::Heading(2, "The machine".to_owned()),
        Block::Paragraph(
            "What depends on the machine of the measurements stands in one file for all scenarios; \
             a scenario's own values come from its experiment's `config` alone."
                .to_owned(),
        ),
        Block::Table(vec!["value", "where it comes from"], rows.collect()),
        Block::Folded(name.clone(), text.clone()),
    ]
}

fn experiment(entry: &Entry) -> Vec<Block> {
    let measured = &entry.result.experiment;
    let id = &measured.id;
    let told = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let config = measured.config.iter().map(|(key, value)| vec![key.clone(), told(value)]);
    let mut blocks = vec![
        Block::Heading(2, id.clone()),
        Block::Paragraph(format!(
            "Fault: {}. {} trials measured, {} simulated.",
            measured.fault, measured.trials, entry.result.sampling.trials
        )),
        Block::Image(format!("{id}.svg"), format!("distribution functions of {id}")),
        table(entry),
    ];
    if !entry.note.is_empty() {
        blocks.push(Block::Paragraph(format!("Known to differ: {}", entry.note)));
    }
    if !measured.config.is_empty() {
        blocks.push(Block::Table(vec!["configured", "value"], config.collect()));
    }
    blocks.push(Block::Folded(format!("The scenario {id}.json"), entry.scenario.clone()));
    blocks
}

fn table(entry: &Entry) -> Block {
    let header =
        vec!["metric", "", "n", "p10", "p50", "p90", "max", "KS", "p", "smallest shift", "verdict"];
    Block::Table(header, entry.result.metrics.iter().flat_map(rows).collect())
}

/// Three lines: measured, simulated, and their differences.
fn rows(result: &MetricResult) -> Vec<Vec<String>> {
    let (row, unit) = (row(result), result.measured.unit);
    let empty = String::new;
    let numbers = |name: &str, what: &str, numbers: Numbers, rest: [String; 4]| {
        let mut cells = vec![name.to_owned(), what.to_owned(), numbers.n.to_string()];
        cells.extend(numbers.values().map(|value| shown(unit, value)));
        cells.extend(rest);
        cells
    };
    let mut rows =
        vec![numbers(&row.metric, "measured", row.real, [empty(), empty(), empty(), empty()])];
    let words = if row.passed { "agrees".to_owned() } else { row.problems.join("; ") };
    let Some(simulated) = row.simulated else {
        rows[0][10] = words;
        return rows;
    };
    rows.push(numbers("", "simulated", simulated, tested(&row, unit, words)));
    let difference = row.real.values().into_iter().zip(simulated.values());
    let mut cells = vec![empty(), "difference".to_owned(), empty()];
    cells.extend(difference.map(|(real, simulated)| signed(unit, simulated - real)));
    cells.extend([empty(), empty(), empty(), empty()]);
    rows.push(cells);
    rows
}

fn tested(row: &MetricRow, unit: Unit, words: String) -> [String; 4] {
    let shift = row.smallest_shift.map_or("none".to_owned(), |shift| shown(unit, shift));
    [
        row.ks_statistic.map_or(String::new(), |distance| format!("{distance:.3}")),
        row.ks_p_value.map_or(String::new(), probability),
        shift,
        words,
    ]
}

fn signed(unit: Unit, difference: f64) -> String {
    let sign = if difference < 0.0 { "−" } else { "+" };
    format!("{sign}{}", shown(unit, difference.abs()))
}

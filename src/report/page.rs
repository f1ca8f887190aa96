//! Pages in Markdown and in HTML, from one description of what stands on them.
//!
//! Absent on purpose: what stands on them, files.

use std::fmt::Write;

/// What stands on a page.
#[derive(Clone, Debug)]
pub enum Block {
    /// Its level, from 1, and its words.
    Heading(u8, String),
    /// Words; those between backticks are code.
    Paragraph(String),
    /// A file beside the page, and what it shows.
    Image(String, String),
    /// The heads of the columns, and the rows.
    Table(Vec<String>, Vec<Vec<String>>),
    /// Text as it stands in a file, folded away under a title.
    Folded(String, String),
}

impl Block {
    /// A table with fixed heads.
    pub fn table(header: &[&str], rows: Vec<Vec<String>>) -> Self {
        Block::Table(header.iter().map(|&head| head.to_owned()).collect(), rows)
    }
}

/// The page in Markdown.
pub fn markdown(blocks: &[Block]) -> String {
    let mut text = String::new();
    for block in blocks {
        match block {
            Block::Heading(level, words) => {
                let _ = writeln!(text, "{} {words}\n", "#".repeat((*level).into()));
            }
            Block::Paragraph(words) => {
                let _ = writeln!(text, "{words}\n");
            }
            Block::Image(file, words) => {
                let _ = writeln!(text, "![{words}]({})\n", file.replace(' ', "%20"));
            }
            Block::Table(header, rows) => {
                let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
                let rule = vec!["---".to_owned(); header.len()];
                let escaped = rows.iter().map(|row| {
                    line(&row.iter().map(|cell| cell.replace('|', "\\|")).collect::<Vec<_>>())
                });
                let lines: Vec<String> =
                    [line(header), line(&rule)].into_iter().chain(escaped).collect();
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
pub fn html(title: &str, blocks: &[Block]) -> String {
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n",
        escape(title)
    );
    for block in blocks {
        match block {
            Block::Heading(level, words) => {
                let _ = writeln!(text, "<h{level}>{}</h{level}>", escape(words));
            }
            Block::Paragraph(words) => {
                let _ = writeln!(text, "<p>{}</p>", code_marked(&escape(words)));
            }
            Block::Image(file, words) => {
                let (file, words) = (escape(&file.replace(' ', "%20")), escape(words));
                let _ = writeln!(text, "<p><img src=\"{file}\" alt=\"{words}\"></p>");
            }
            Block::Table(header, rows) => table_html(&mut text, header, rows),
            Block::Folded(title, inside) => {
                let _ = writeln!(
                    text,
                    "<details><summary>{}</summary><pre>{}</pre></details>",
                    escape(title),
                    escape(inside.trim_end())
                );
            }
        }
    }
    text + "</body>\n</html>\n"
}

fn table_html(text: &mut String, header: &[String], rows: &[Vec<String>]) {
    let cells = |mark: &str, cells: &mut dyn Iterator<Item = &str>| -> String {
        cells.fold(String::new(), |mut row, cell| {
            let _ = write!(row, "<{mark}>{}</{mark}>", code_marked(&escape(cell)));
            row
        })
    };
    let _ =
        writeln!(text, "<table>\n<tr>{}</tr>", cells("th", &mut header.iter().map(String::as_str)));
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

//! Text in columns: wrapping, tables as `kubectl` prints them, boxes as `etcdctl` prints them.

use comfy_table::{CellAlignment, LineStyle, Table, presets};

/// Columns of a terminal that every report keeps to.
pub const WIDTH: usize = 80;

/// Breaks text at spaces into lines of at most `width` columns; a longer word is broken.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let needed = line.chars().count() + 1 + word.chars().count();
        if !line.is_empty() && needed > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        while line.chars().count() > width {
            let rest: String = line.chars().skip(width).collect();
            let head: String = line.chars().take(width).collect();
            lines.push(head);
            line = rest;
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// A table as `kubectl get` prints it: upper-case header, columns three spaces apart.
pub fn columns(header: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(header.get(column).map(|h| h.chars().count())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("   ").trim_end().to_owned()
    };
    let head = line(header.to_vec());
    let body = rows.iter().map(|row| line(row.iter().map(String::as_str).collect()));
    std::iter::once(head).chain(body).collect()
}

/// A table in a box, cells to the right, as `etcdctl … -w table` prints it.
pub fn boxed(header: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let mut table = Table::new();
    let rule = LineStyle::new('+', '-', '+', '+');
    table.load_style(presets::ASCII_FULL_CONDENSED.header_separator(rule));
    table.set_header(header.to_vec());
    for row in rows {
        table.add_row(row.clone());
    }
    for column in table.column_iter_mut() {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Law: wrapped lines fit, and nothing but spaces is lost.
        #[test]
        fn wrapping_fits(text in "[a-zé ]{0,200}", width in 1_usize..60) {
            let lines = wrap(&text, width);
            prop_assert!(lines.iter().all(|line| line.chars().count() <= width));
            let squeeze = |text: &str| text.chars().filter(|c| *c != ' ').collect::<String>();
            prop_assert_eq!(squeeze(&lines.concat()), squeeze(&text));
        }
    }

    /// Law: the box is that of etcdctl.
    #[test]
    fn boxes_look_like_etcdctl() {
        let rows = [vec!["cp1:2379".to_owned(), "true".to_owned()]];
        insta::assert_snapshot!(boxed(&["ENDPOINT", "IS LEADER"], &rows).join("\n"), @r"
    +----------+-----------+
    | ENDPOINT | IS LEADER |
    +----------+-----------+
    | cp1:2379 |      true |
    +----------+-----------+
    ");
    }
}

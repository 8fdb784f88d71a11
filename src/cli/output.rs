//! Results on standard output: columns for people, JSON and YAML for programs.

use std::io::{self, Write};

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::args::Output;
use crate::model::text;

/// Writes one value as JSON or YAML.
///
/// # Errors
/// When the output cannot be written.
pub fn structured(out: &mut dyn Write, format: Output, value: &impl Serialize) -> io::Result<()> {
    let json = serde_json::to_value(value).map_err(io::Error::other)?;
    match format {
        Output::Yaml => write!(out, "{}", crate::yaml::to_string(&json)),
        Output::Json | Output::Table => {
            serde_json::to_writer_pretty(&mut *out, &json).map_err(io::Error::other)?;
            writeln!(out)
        }
    }
}

/// Columns for people: as wide as they need to be, two spaces apart, nothing that could drive a terminal.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Starts a table with its head.
    pub fn new<const N: usize>(head: [&str; N]) -> Self {
        Self { rows: vec![head.map(str::to_owned).to_vec()] }
    }

    /// Adds a row.
    pub fn row<const N: usize>(&mut self, cells: [&str; N]) {
        self.rows.push(cells.map(|cell| text::line(cell).into_owned()).to_vec());
    }

    /// Writes the table.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|column| {
                self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max().unwrap_or(0)
            })
            .collect();
        for row in &self.rows {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                line.push_str(cell);
                line.extend(std::iter::repeat_n(' ', width - cell.width() + 2));
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn columns_line_up_and_hold_no_escape() {
        let mut table = Table::new(["NAME", "SYNC"]);
        table.row(["payments\x1b[2J", "✓ Synced"]);
        table.row(["é", "?"]);
        let mut out = Vec::new();
        table.write(&mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "NAME         SYNC\npayments[2J  ✓ Synced\né            ?\n");
    }
}

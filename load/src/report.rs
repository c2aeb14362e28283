//! The rows of the report, and the two files that they go into.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;
use serde::Serialize;

/// One figure: the middle of what the rounds gave, and their range.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) unit: &'static str,
    /// What it is, for the reader of the page.
    #[serde(skip)]
    pub(crate) meaning: String,
    /// What should be reached: the goal and the stretch.
    #[serde(skip)]
    pub(crate) goal: &'static str,
}

impl Row {
    /// A row of what the rounds gave.
    pub(crate) fn new(
        name: impl Into<String>,
        unit: &'static str,
        meaning: impl Into<String>,
        goal: &'static str,
        values: &[f64],
    ) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
        let middle = sorted.len() / 2;
        let median = if sorted.len().is_multiple_of(2) {
            f64::midpoint(at(middle.wrapping_sub(1)), at(middle))
        } else {
            at(middle)
        };
        let (min, max) = (at(0), at(sorted.len().saturating_sub(1)));
        Self { name: name.into(), median, min, max, unit, meaning: meaning.into(), goal }
    }
}

#[derive(Serialize)]
struct File<'a> {
    rows: &'a [Row],
}

/// What the page says before its table.
pub(crate) struct Preface {
    pub(crate) machine: String,
    pub(crate) versions: Vec<String>,
    pub(crate) command: String,
    pub(crate) method: String,
    /// What could not be measured, and why.
    pub(crate) left_out: Vec<String>,
}

/// Writes `benchmarks.json` and `benchmarks.md` into the folder.
pub(crate) fn write(folder: &Path, rows: &[Row], preface: &Preface) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("benchmarks.json"), serde_json::to_string_pretty(&File { rows })? + "\n")?;
    std::fs::write(folder.join("benchmarks.md"), page(rows, preface)?)?;
    Ok(())
}

fn page(rows: &[Row], preface: &Preface) -> Result<String> {
    let mut page = String::from("# Benchmarks\n\nWritten by `make bench`; do not edit.\n\n");
    writeln!(page, "- Machine: {}", preface.machine)?;
    writeln!(page, "- Versions: {}", preface.versions.join("; "))?;
    writeln!(page, "- Command: `{}`", preface.command)?;
    writeln!(page, "- Method: {}\n", preface.method)?;
    writeln!(page, "| figure | what | median | range | unit | goal (stretch) |")?;
    writeln!(page, "|---|---|---|---|---|---|")?;
    for row in rows {
        let Row { name, median, min, max, unit, meaning, goal } = row;
        let (median, min, max) = (digits(*median), digits(*min), digits(*max));
        writeln!(page, "| `{name}` | {meaning} | {median} | {min} to {max} | {unit} | {goal} |")?;
    }
    if !preface.left_out.is_empty() {
        writeln!(page, "\nNot measured:\n")?;
        for line in &preface.left_out {
            writeln!(page, "- {line}")?;
        }
    }
    Ok(page)
}

/// Three digits that count.
fn digits(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        middle if middle >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(values: &[f64]) -> Row {
        Row::new("x", "ratio", "what", "", values)
    }

    #[test]
    fn the_middle_and_the_range() {
        let odd = row(&[3.0, 1.0, 2.0]);
        assert_eq!((odd.median, odd.min, odd.max), (2.0, 1.0, 3.0));
        let even = row(&[4.0, 1.0, 2.0, 3.0]);
        assert_eq!((even.median, even.min, even.max), (2.5, 1.0, 4.0));
        assert!(row(&[]).median.is_nan());
    }

    #[test]
    fn the_file_has_the_figures_and_nothing_else() {
        let written = serde_json::to_value(File { rows: &[row(&[1.0])] }).unwrap();
        let wanted = serde_json::json!({"rows": [{"name": "x", "median": 1.0, "min": 1.0, "max": 1.0, "unit": "ratio"}]});
        assert_eq!(written, wanted);
    }
}

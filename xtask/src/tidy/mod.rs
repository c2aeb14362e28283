//! `cargo xtask tidy`: the rules of the house that neither the compiler nor clippy checks.
//!
//! - `edges`: which room may depend on which, and which room alone may name a library
//! - `features`: none is on by itself
//! - `sources`: the length of files, and words that must not be committed
//!
//! The length of functions is clippy's (`too_many_lines`, threshold in `clippy.toml`).

mod edges;
mod features;
mod sources;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::MetadataCommand;

/// The check failed, or could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TidyError {
    /// Rules are broken.
    #[error("{}", listed(.0))]
    Untidy(Vec<Finding>),
    /// Cargo does not tell about the workspace.
    #[error("cannot read the workspace: {0}")]
    Metadata(#[from] cargo_metadata::Error),
    /// git does not tell which files are tracked.
    #[error("cannot list the tracked files with git: {0}")]
    Git(String),
    /// A tracked file cannot be read.
    #[error("cannot read {path}: {source}")]
    File { path: PathBuf, source: std::io::Error },
}

/// A broken rule: where, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    place: String,
    what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// Checks everything. Gives the text to print.
pub(crate) fn check(root: &Path) -> Result<String, TidyError> {
    let metadata = MetadataCommand::new().manifest_path(root.join("Cargo.toml")).no_deps().exec()?;
    let mut findings = edges::check(&metadata.packages);
    findings.extend(features::check(&metadata.packages));
    let paths = tracked_files(root)?;
    for path in &paths {
        findings.extend(check_file(root, path)?);
    }
    if findings.is_empty() {
        return Ok(format!("{} rooms and {} files are tidy\n", metadata.packages.len(), paths.len()));
    }
    Err(TidyError::Untidy(findings))
}

/// Paths relative to the workspace, with `/` between folders.
fn tracked_files(root: &Path) -> Result<Vec<String>, TidyError> {
    let output = Command::new("git").arg("-C").arg(root).args(["ls-files", "-z"]).output();
    let output = output.map_err(|error| TidyError::Git(error.to_string()))?;
    if !output.status.success() {
        return Err(TidyError::Git(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    let listed = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(listed.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
}

fn check_file(root: &Path, path: &str) -> Result<Vec<Finding>, TidyError> {
    let whole = root.join(path);
    match std::fs::read(&whole) {
        // What is not text holds no words and no lines.
        Ok(bytes) => Ok(String::from_utf8(bytes).map(|text| sources::check(path, &text)).unwrap_or_default()),
        // Removed, but not yet from the index; or a link to a folder.
        Err(_) if !whole.is_file() => Ok(Vec::new()),
        Err(source) => Err(TidyError::File { path: whole, source }),
    }
}

fn listed(findings: &[Finding]) -> String {
    let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
    lines.join("\n")
}

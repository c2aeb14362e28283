//! Readers for the data files in `corpus/`.

use std::path::PathBuf;

use serde::de::DeserializeOwned;

/// The path of a file in the workspace's `corpus/` folder.
pub fn corpus_path(relative: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../corpus").join(relative)
}

/// Reads a JSON corpus file.
///
/// # Errors
/// The file is missing or does not have the expected form; the text names the file.
pub fn read_corpus<T: DeserializeOwned>(relative: &str) -> Result<T, String> {
    let path = corpus_path(relative);
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}

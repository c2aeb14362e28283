//! Seed files from `corpus/seed`, hostile texts, and applying a seed over the real store.

mod applying;
mod converting;
mod files;

use std::path::PathBuf;

/// The corpus files of a folder with this extension: name without it, and text.
fn corpus(folder: &str, extension: &str) -> Vec<(String, String)> {
    let folder = testkit::corpus_path("seed").join(folder);
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|found| found == extension)).collect();
    paths.sort();
    assert!(!paths.is_empty());
    let name = |path: &PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
    paths.iter().map(|path| (name(path), std::fs::read_to_string(path).unwrap())).collect()
}

/// What follows this mark in the comments of a corpus file.
fn marked<'a>(text: &'a str, mark: &str) -> Vec<&'a str> {
    text.lines().filter_map(|line| line.strip_prefix("# ")?.strip_prefix(mark)).map(str::trim).collect()
}

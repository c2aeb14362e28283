//! Generated files on disk: formatted apart from the sources, then compared with them or put in their place.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{File, GenerateError};

/// Formats the files with rustfmt, in a folder of their own below `target/`.
pub(crate) fn format(root: &Path, files: Vec<File>) -> Result<Vec<File>, GenerateError> {
    let folder = root.join("target/generated").join(std::process::id().to_string());
    let formatted = format_in(root, &folder, files);
    fs::remove_dir_all(&folder).map_err(failed("remove", &folder))?;
    formatted
}

/// Paths, one line each, of files that differ from, are missing in, or should not be in `code`.
pub(crate) fn differences(staged: &[File], code: &Path) -> Result<Vec<String>, GenerateError> {
    let mut differences = Vec::new();
    for file in staged {
        let path = code.join(&file.path);
        match fs::read_to_string(&path) {
            Ok(text) if text == file.text => {}
            Ok(_) => differences.push(format!("{}: differs", path.display())),
            Err(_) => differences.push(format!("{}: missing", path.display())),
        }
    }
    for path in surplus(staged, code)? {
        differences.push(format!("{}: not generated any more", path.display()));
    }
    Ok(differences)
}

/// Makes `code` hold exactly these files. Gives the number of files that were written or removed.
pub(crate) fn replace(staged: &[File], code: &Path) -> Result<usize, GenerateError> {
    let mut changed = 0;
    for file in staged {
        let path = code.join(&file.path);
        if fs::read_to_string(&path).is_ok_and(|text| text == file.text) {
            continue;
        }
        put(&path, &file.text)?;
        changed += 1;
    }
    for path in surplus(staged, code)? {
        fs::remove_file(&path).map_err(failed("remove", &path))?;
        changed += 1;
    }
    Ok(changed)
}

fn format_in(root: &Path, folder: &Path, mut files: Vec<File>) -> Result<Vec<File>, GenerateError> {
    for file in &files {
        put(&folder.join(&file.path), &file.text)?;
    }
    // rustfmt follows the modules.
    let output = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(root)
        .arg(folder.join("mod.rs"))
        .output()
        .map_err(|error| GenerateError::Format(error.to_string()))?;
    if !output.status.success() {
        return Err(GenerateError::Format(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    for file in &mut files {
        let path = folder.join(&file.path);
        file.text = fs::read_to_string(&path).map_err(failed("read", &path))?;
    }
    Ok(files)
}

fn surplus(staged: &[File], code: &Path) -> Result<Vec<PathBuf>, GenerateError> {
    let mut found = Vec::new();
    collect(code, &mut found)?;
    found.retain(|path| !staged.iter().any(|file| code.join(&file.path) == *path));
    found.sort();
    Ok(found)
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), GenerateError> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let path = entry.map_err(failed("read", folder))?.path();
        if path.is_dir() {
            collect(&path, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}

fn put(path: &Path, text: &str) -> Result<(), GenerateError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed("create", folder))?;
    }
    fs::write(path, text).map_err(failed("write", path))
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> GenerateError {
    let path = path.to_path_buf();
    move |source| GenerateError::File { what, path, source }
}

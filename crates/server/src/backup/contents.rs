//! What a backup calls itself and its files.

use std::path::Path;

use objects::BlobName;
use serde::{Deserialize, Serialize};

/// The first file of every backup.
pub(super) const HEAD: &str = "keywright-backup.json";
/// The newest format of backups that is read, and the one that is written.
pub(super) const FORMAT: u32 = 1;

pub(super) const STORE: &str = "keywright.redb";
pub(super) const ROOT: &str = "root.json";
pub(super) const COMPLETE: &str = "complete";
/// The mark of a data folder, and the last file of every backup.
pub(super) const MARK: &str = "format";
pub(super) const TRAIL: &str = "trail";
pub(super) const OBJECTS: &str = "objects";

/// What stands in the first file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Head {
    /// Of the archive, not of what is in it.
    pub(super) format: u32,
    /// The version of Keywright that made it.
    pub(super) keywright: String,
    /// When.
    pub(super) time: String,
    /// Whether contents of objects lie upstream, and so are not in it.
    pub(super) objects_upstream: bool,
}

/// The name of the contents of an object.
pub(super) fn blob_name(blob: BlobName) -> String {
    let name = blob.to_string();
    format!("{OBJECTS}/{}/{name}", name.get(..2).unwrap_or_default())
}

/// Whether a backup may hold a file of this name: it leads to a place in the data folder that is meant for it, and
/// nowhere else.
pub(super) fn is_allowed(name: &str) -> bool {
    let mut steps = name.split('/');
    let is_step = |step: &str| !matches!(step, "" | "." | "..") && !step.contains(char::is_control);
    match (steps.next(), name) {
        (_, STORE | ROOT | COMPLETE | MARK) => true,
        (Some(TRAIL), _) => steps.next().is_some_and(is_step) && steps.all(is_step),
        (Some(OBJECTS), _) => blob_of(name).is_some(),
        _ => false,
    }
}

/// The blob whose contents a file of this name has.
fn blob_of(name: &str) -> Option<BlobName> {
    let blob: BlobName = Path::new(name).file_name()?.to_str()?.parse().ok()?;
    (blob_name(blob) == name).then_some(blob)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_their_places_in_a_data_folder_and_nowhere_else() {
        let blob = "0123456789abcdef0123456789abcdef";
        for name in [
            "root.json",
            "keywright.redb",
            "complete",
            "format",
            "trail/retention.json",
            "trail/log/00000000000000000001.jsonl",
            "trail/delivered/a b/ü/x.json.gz",
            &format!("objects/01/{blob}"),
        ] {
            assert!(is_allowed(name), "{name}");
        }
        for name in [
            "",
            ".",
            "/",
            "/etc/passwd",
            "../root.json",
            "./root.json",
            "root.json/",
            "lock",
            "aws-profile",
            "keywright-backup.json",
            "trail",
            "trail/",
            "trail/..",
            "trail/../root.json",
            "trail/log/../../x",
            "trail//x",
            "trail/./x",
            "trail/a\0b",
            "trail/a\nb",
            "trail/a\u{1b}[2Jb",
            "trail/a\u{9b}2Jb",
            "objects/x",
            "objects/01/../../x",
            &format!("objects/02/{blob}"),
            &format!("objects/01/{blob}/"),
            &format!("objects/01/./{blob}"),
            &format!("objects//{blob}"),
            &format!("/objects/01/{blob}"),
        ] {
            assert!(!is_allowed(name), "{name}");
        }
    }
}

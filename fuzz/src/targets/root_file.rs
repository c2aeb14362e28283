//! The file of the root key.

use crypto::root::RootFile;

use crate::{Target, corpus};

pub(crate) const TARGET: Target = Target {
    name: "root_file",
    run,
    seeds,
    words: &[
        "\"version\":",
        "\"kept\":",
        "\"plain\":",
        "\"passphrase\":",
        "\"notice\":",
        "\"root_key\":",
        "\"argon2id\":",
        "\"sealed_root_key\":",
        "\"checksum\":",
        "\"memory_kibibytes\":",
        "\"iterations\":",
        "\"lanes\":",
        "\"salt\":",
    ],
};

fn run(input: &[u8]) {
    thread_local! {
        static FOLDER: tempfile::TempDir = tempfile::tempdir().unwrap();
    }
    FOLDER.with(|folder| {
        let path = folder.path().join("root.json");
        std::fs::write(&path, input).unwrap();
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&path, permissions).unwrap();
        let Ok(file) = RootFile::open(&path) else { return };
        // A passphrase is stretched for a second; whether it is the right one is not asked here.
        let unlocked = file.unlock(None);
        assert_eq!(
            unlocked.is_ok(),
            !file.needs_passphrase(),
            "a root opens without its passphrase, or not without any"
        );
    });
}

fn seeds() -> Vec<Vec<u8>> {
    let cases = corpus::json("ciphertext/v1/root.json");
    cases.as_array().unwrap().iter().map(|case| case["file"].as_str().unwrap().as_bytes().to_vec()).collect()
}

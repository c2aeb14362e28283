//! A backup of a stopped folder, made and restored in this process. Running services are for the black-box tests.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use base::Timestamp;
use crypto::age::{Decryptor, Identity, OpenError};
use objects::Folder;
use store::redb_engine::RedbStore;
use store::{Key, Store as _, Transaction};
use testkit::SeededRandomness;

use super::*;
use crate::data_folder::{DataFolder, Purpose};
use crate::foundation::Foundation;

fn identity(seed: u64) -> Identity {
    Identity::draw(&SeededRandomness::new(seed)).unwrap()
}

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

/// A data folder with a blob, a log and what does not belong into a backup.
async fn folder(place: &Path) -> BlobName {
    let folder = DataFolder::open_or_create(place, Purpose::Production).unwrap();
    let foundation = Foundation::open(folder, None).await.ok().unwrap();
    let blobs = Folder::open(place.join("objects")).unwrap();
    let blob = BlobName::draw(&SeededRandomness::new(3)).unwrap();
    fs::create_dir(blobs.place(blob).parent().unwrap()).unwrap();
    fs::write(blobs.place(blob), vec![7; 200_000]).unwrap();
    let transaction = Transaction::new()
        .put(key(&format!("objects/blob/{blob}")), vec![1])
        .put(key("a/b"), b"value".to_vec())
        .outbox(b"{}".to_vec());
    foundation.store.commit(transaction).await.unwrap();
    for (name, content) in [
        ("trail/log/00000000000000000001.jsonl", &b"{\"sequence\":1}\nunfinished\0\0"[..]),
        ("trail/log/00000000000000000001.index", b"x"),
        ("trail/log/00000000000000000001.15.torn", b"evidence\n"),
        (
            "trail/delivered/a/very/deep/folder/that/makes/a/name/of/more/than/a/hundred/characters/in/the/archive/x.gz",
            b"y",
        ),
        ("trail/delivered/a/x.gz.new", b"unfinished"),
        ("trail/exported-to-syslog", b"1\n"),
        ("trail/exported-to-syslog.new", b"1\n"),
        ("aws-profile", b"secret"),
        ("objects/ff/00000000000000000000000000000000", b"nobody's"),
    ] {
        let path = place.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    blob
}

async fn backed_up(place: &Path, identity: &Identity) -> Result<Vec<u8>, BackupError> {
    let store = Arc::new(RedbStore::open(&place.join("keywright.redb")).unwrap());
    let now = Timestamp::from_seconds(1_800_000_000);
    let snapshot = Snapshot::take(store, place, now, Vec::new()).await?;
    write(snapshot, Vec::new(), &[identity.recipient()], &SeededRandomness::new(5))
}

fn names(backup: &[u8], identity: Identity) -> Vec<String> {
    let mut archive = tar::Archive::new(Decryptor::new(backup, &[identity]).unwrap());
    let entries = archive.entries().unwrap();
    entries.map(|entry| entry.unwrap().path().unwrap().to_string_lossy().into_owned()).collect()
}

#[tokio::test]
async fn what_matters_of_a_folder_comes_back_and_nothing_else() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let blob = folder(old.path()).await;
    let backup = backed_up(old.path(), &identity(1)).await.unwrap();
    let mut found = names(&backup, identity(1));
    assert_eq!(found.first().map(String::as_str), Some("keywright-backup.json"));
    assert_eq!(found.last().map(String::as_str), Some("format"));
    found.sort();
    let expected = [
        "complete",
        "format",
        "keywright-backup.json",
        "keywright.redb",
        &contents::blob_name(blob),
        "root.json",
        "trail/delivered/a/very/deep/folder/that/makes/a/name/of/more/than/a/hundred/characters/in/the/archive/x.gz",
        "trail/exported-to-syslog",
        "trail/log/00000000000000000001.15.torn",
        "trail/log/00000000000000000001.jsonl",
        "trail/public-keys.json",
    ];
    assert_eq!(found, expected);
    let restored = restore(backup.as_slice(), &[identity(1)], new.path(), false).unwrap();
    assert_eq!((restored.files, restored.is_upstream), (10, false));
    assert_eq!(restored.time, "2027-01-15T08:00:00Z");
    for name in ["root.json", "format", "trail/log/00000000000000000001.15.torn", expected[4], expected[6]] {
        assert_eq!(
            fs::read(new.path().join(name)).unwrap(),
            fs::read(old.path().join(name)).unwrap(),
            "{name}"
        );
    }
    let log = fs::read(new.path().join("trail/log/00000000000000000001.jsonl")).unwrap();
    assert_eq!(log, b"{\"sequence\":1}\n");
    let opened = DataFolder::open(new.path()).unwrap();
    let foundation = Foundation::open(opened, None).await.ok().unwrap();
    let before = RedbStore::open(&old.path().join("keywright.redb")).unwrap();
    assert_eq!(foundation.store.get(&key("a/b")).await.unwrap(), before.get(&key("a/b")).await.unwrap());
    assert_eq!(foundation.store.outbox(9).await.unwrap(), before.outbox(9).await.unwrap());
}

#[tokio::test]
async fn without_contents_that_a_record_has_there_is_no_backup() {
    let old = tempfile::tempdir().unwrap();
    let blob = folder(old.path()).await;
    fs::remove_file(Folder::open(old.path().join("objects")).unwrap().place(blob)).unwrap();
    let refused = backed_up(old.path(), &identity(1)).await;
    assert!(matches!(refused, Err(BackupError::MissingContents(missing)) if missing == blob));
}

#[tokio::test]
async fn a_folder_is_empty_again_if_its_backup_does_not_hold() {
    let (old, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    folder(old.path()).await;
    let backup = backed_up(old.path(), &identity(1)).await.unwrap();
    let new = place.path().join("new");
    for cut in [1, 70_000, 150_000] {
        let refused = restore(&backup[..backup.len() - cut], &[identity(1)], &new, false);
        assert!(matches!(refused, Err(RestoreError::Read(_))), "{cut}");
        assert!(!new.exists());
    }
    let mut unread = backup.as_slice();
    assert!(matches!(restore(&mut unread, &[identity(2)], &new, false), Err(RestoreError::Open(_))));
    assert!(!new.exists());
    let mut whole = Vec::new();
    Decryptor::new(backup.as_slice(), &[identity(1)]).unwrap().read_to_end(&mut whole).unwrap();
    assert!(matches!(
        restore(whole.as_slice(), &[identity(1)], &new, false),
        Err(RestoreError::Open(OpenError::Foreign))
    ));
    restore(backup.as_slice(), &[identity(1)], &new, false).unwrap();
    assert!(matches!(restore(backup.as_slice(), &[identity(1)], &new, false), Err(RestoreError::Folder(_))));
}

//! Files that are not what was written: refused with a reason, never with a panic, and left as they are.

use super::disk::Disk;
use super::*;
use crate::StoreError;
use crate::redb_engine::OpenError;
use crate::redb_engine::failure::{guarded, store_error};
use crate::redb_engine::open_error::OpenCause;
use base::Randomness;
use std::io;
use std::os::unix::fs::PermissionsExt;
use testkit::SeededRandomness;

/// A store of a few entries, shut down in order.
async fn sound_file(path: &Path) -> Vec<u8> {
    let store = RedbStore::open(path).unwrap();
    for number in 0..40 {
        write(&store, number).await.unwrap();
    }
    drop(store);
    std::fs::read(path).unwrap()
}

fn random(seed: u64, below: usize) -> usize {
    let mut bytes = [0; 8];
    SeededRandomness::new(seed).fill(&mut bytes).unwrap();
    usize::try_from(u64::from_le_bytes(bytes)).unwrap() % below
}

/// Opens a file of these bytes; if it is refused, it must be refused as damaged and be unchanged.
fn open_bytes(path: &Path, bytes: &[u8]) -> Option<RedbStore> {
    std::fs::write(path, bytes).unwrap();
    match RedbStore::open(path) {
        Ok(store) => Some(store),
        Err(OpenError::Damaged { reason, .. }) => {
            assert!(!reason.is_empty());
            assert!(std::fs::read(path).unwrap() == bytes, "the damaged file was changed");
            None
        }
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn damaged_files_are_refused_and_not_changed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let sound = sound_file(&path).await;
    let zeroed = |bytes: usize| [vec![0; bytes], sound[bytes..].to_vec()].concat();
    let mut garbage = vec![0; 200_000];
    SeededRandomness::new(1).fill(&mut garbage).unwrap();
    let garbage_behind_header =
        [&sound[..4_096], &garbage[..sound.len().min(garbage.len()) - 4_096]].concat();
    for (name, bytes) in [
        ("empty", Vec::new()),
        ("one byte", vec![7]),
        ("text", b"not a store\n".repeat(1_000)),
        ("garbage", garbage),
        ("no header", zeroed(4_096)),
        ("no magic number", zeroed(9)),
        ("only zeros", vec![0; sound.len()]),
        ("header alone", sound[..4_096].to_vec()),
        ("half", sound[..sound.len() / 2].to_vec()),
        ("one page less", sound[..sound.len() - 4_096].to_vec()),
        ("garbage behind the header", garbage_behind_header),
    ] {
        assert!(open_bytes(&path, &bytes).is_none(), "{name} was opened");
    }
    assert_eq!(numbers(&open_bytes(&path, &sound).unwrap()).await.len(), 40);
}

#[tokio::test]
async fn a_file_that_opens_is_whole_whatever_bytes_were_changed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let sound = sound_file(&path).await;
    let used = sound.iter().rposition(|byte| *byte != 0).unwrap();
    let mut refused = 0;
    for seed in 0..150 {
        let mut bytes = sound.clone();
        // One byte of the header or of the used pages, or a page of zeros.
        let at = if seed % 3 == 0 { random(seed, 400) } else { random(seed, used) };
        match seed % 5 {
            4 => bytes[at..].iter_mut().take(4_096).for_each(|byte| *byte = 0),
            _ => bytes[at] ^= 1 << (seed % 8),
        }
        match open_bytes(&path, &bytes) {
            Some(store) => assert_eq!(numbers(&store).await, (0..40).collect::<Vec<_>>(), "seed {seed}"),
            None => refused += 1,
        }
    }
    assert!(refused > 20, "only {refused} were refused");
}

#[tokio::test]
async fn damage_under_an_open_store_is_an_error_and_never_a_panic() {
    let disk = Disk::default();
    let store = new_store(&disk);
    for number in 0..40 {
        write(&store, number).await.unwrap();
    }
    drop(store);
    let sound = disk.bytes();
    let used = sound.iter().rposition(|byte| *byte != 0).unwrap();
    let (mut errors, mut writes) = (0, 0);
    for seed in 0..60 {
        let disk = Disk::of(sound.clone());
        let store = reopened(&disk);
        for hit in 0..40 {
            disk.scramble(4_096 + random(seed * 100 + hit, used - 4_096), 0xff);
        }
        for number in 0..40 {
            let found = store.get(&key(&format!("numbers/{number:06}/a"))).await;
            errors += usize::from(matches!(found, Err(StoreError::Damaged { .. })));
        }
        let _ = store.range(Range::prefix("").limit(1_000)).await;
        let _ = store.outbox(1_000).await;
        for number in 40..44 {
            writes += usize::from(write(&store, number).await.is_ok());
        }
    }
    assert!(errors > 0, "nothing was noticed");
    assert!(writes > 0, "nothing could be written");
}

#[test]
fn a_panic_of_the_library_is_reported_as_damage() {
    let text = "page 7".to_owned();
    for panicking in [guarded::<()>(|| panic!("page 7")), guarded(|| panic!("{text}"))] {
        let error = store_error(&panicking.unwrap_err());
        assert_eq!(error, StoreError::damaged("the store file", "DB corrupted: page 7"));
    }
    assert_eq!(guarded(|| Ok(7)).unwrap(), 7);
}

#[tokio::test]
async fn a_file_cut_after_a_crash_is_refused() {
    let disk = Disk::default();
    let store = new_store(&disk);
    for number in 0..40 {
        write(&store, number).await.unwrap();
    }
    let crashed = disk.crashed().bytes();
    for kept in [0, 100, 4_096, 50_000, crashed.len() - 1] {
        let cut = open::existing(Disk::of(crashed[..kept].to_vec()));
        assert!(matches!(cut, Err(OpenCause::Damaged(_))), "{kept}: {:?}", cut.err());
    }
}

#[tokio::test]
async fn a_newer_format_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    sound_file(&path).await;
    let set_format = |number: u64| {
        let database = redb::Database::open(&path).unwrap();
        let change = database.begin_write().unwrap();
        change
            .open_table(redb::TableDefinition::<&str, u64>::new("numbers"))
            .unwrap()
            .insert("format", number)
            .unwrap();
        change.commit().unwrap();
    };
    set_format(2);
    let newer = std::fs::read(&path).unwrap();
    let refused = RedbStore::open(&path).err().unwrap();
    assert!(matches!(refused, OpenError::Newer { found: 2, supported: 1, .. }), "{refused}");
    assert!(std::fs::read(&path).unwrap() == newer, "a file of a newer release was changed");
    set_format(0);
    assert!(matches!(RedbStore::open(&path), Err(OpenError::Damaged { .. })));
    set_format(1);
    assert!(RedbStore::open(&path).is_ok());
}

#[tokio::test]
async fn a_file_of_redb_that_is_no_store_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let database = redb::Database::create(&path).unwrap();
    let change = database.begin_write().unwrap();
    change.open_table(redb::TableDefinition::<u64, u64>::new("other")).unwrap().insert(1, 1).unwrap();
    change.commit().unwrap();
    drop(database);
    let bytes = std::fs::read(&path).unwrap();
    assert!(open_bytes(&path, &bytes).is_none());
}

#[test]
fn an_open_store_cannot_be_opened_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let first = RedbStore::open(&path).unwrap();
    assert!(matches!(RedbStore::open(&path), Err(OpenError::InUse { .. })));
    drop(first);
    assert!(RedbStore::open(&path).is_ok());
}

#[test]
fn a_new_file_belongs_to_its_owner_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    // What a crash while making a store leaves behind does no harm.
    std::fs::write(directory.path().join("store.new"), b"torn").unwrap();
    std::fs::set_permissions(directory.path().join("store.new"), PermissionsExt::from_mode(0o600)).unwrap();
    drop(RedbStore::open(&path).unwrap());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn each_cause_has_its_name() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| RedbStore::open(&directory.path().join(name)).err().unwrap();
    assert!(matches!(at("no/such/folder"), OpenError::Io { .. }));
    assert!(matches!(at(""), OpenError::Io { .. }));
    let named = |kind: io::ErrorKind| OpenError::from_io(Path::new("/srv/store"), kind.into());
    assert!(matches!(named(io::ErrorKind::PermissionDenied), OpenError::Permission { .. }));
    assert!(matches!(named(io::ErrorKind::StorageFull), OpenError::Full { .. }));
    assert!(matches!(named(io::ErrorKind::QuotaExceeded), OpenError::Full { .. }));
    assert!(matches!(named(io::ErrorKind::InvalidData), OpenError::Damaged { .. }));
    assert!(named(io::ErrorKind::Other).to_string().contains("/srv/store"));
}

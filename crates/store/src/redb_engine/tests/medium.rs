//! Holding writes back, and taking the file from a database.

use super::disk::{Disk, Faults};
use crate::redb_engine::medium::{Handle, Medium};
use proptest::prelude::*;
use redb::StorageBackend;
use std::io::ErrorKind;

fn content(backend: &impl StorageBackend) -> Vec<u8> {
    let mut bytes = vec![0xff; usize::try_from(backend.len().unwrap()).unwrap()];
    backend.read(0, &mut bytes).unwrap();
    bytes
}

#[derive(Clone, Debug)]
enum Step {
    Write(u16, Vec<u8>),
    SetLength(u16),
    Sync,
}

fn step() -> impl Strategy<Value = Step> {
    let write = (0..20_000_u16, proptest::collection::vec(1..=255_u8, 1..6_000));
    prop_oneof![
        4 => write.prop_map(|(offset, data)| Step::Write(offset, data)),
        1 => (4_096..24_000_u16).prop_map(Step::SetLength),
        1 => Just(Step::Sync),
    ]
}

fn perform(backend: &impl StorageBackend, step: &Step) {
    match step {
        Step::Write(offset, data) => backend.write(u64::from(*offset), data).unwrap(),
        Step::SetLength(length) => backend.set_len(u64::from(*length)).unwrap(),
        Step::Sync => backend.sync_data().unwrap(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn what_is_held_reads_as_if_it_were_written(
        steps in proptest::collection::vec(step(), 0..12),
        reads in proptest::collection::vec((0..30_000_u64, 0..9_000_usize), 1..6),
        fail_after in 0..20_usize,
    ) {
        let before = vec![7; 12_345];
        let (plain, disk) = (Disk::of(before.clone()), Disk::of(before.clone()));
        let medium = Medium::holding(disk.clone()).unwrap();
        let handle = medium.handle();
        for step in &steps {
            perform(&plain, step);
            perform(&handle, step);
            prop_assert_eq!(handle.len().unwrap(), plain.len().unwrap());
            for (offset, length) in &reads {
                let (mut held, mut written) = (vec![1; *length], vec![2; *length]);
                let results = (handle.read(*offset, &mut held), plain.read(*offset, &mut written));
                prop_assert_eq!(results.0.is_ok(), results.1.is_ok());
                prop_assert!(results.0.is_err() || held == written);
            }
        }
        prop_assert!(content(&disk) == before, "the file was changed");
        // A release that fails on its way loses nothing, and the next one completes it.
        disk.fail(Faults {
            writes: Some(ErrorKind::StorageFull),
            syncs: Some(ErrorKind::StorageFull),
            after: fail_after,
            ..Faults::default()
        });
        if medium.release().is_err() {
            prop_assert!(medium.is_holding());
            prop_assert!(content(&handle) == content(&plain));
            disk.heal();
            medium.release().unwrap();
        }
        prop_assert!(!medium.is_holding());
        prop_assert!(content(&disk) == content(&plain));
    }
}

#[test]
fn a_handle_is_void_once_the_medium_was_taken_back() {
    let disk = Disk::of(vec![7; 8_192]);
    let medium = Medium::holding(disk.clone()).unwrap();
    medium.release().unwrap();
    let old: Handle = medium.handle();
    old.write(5_000, &[1]).unwrap();
    medium.take_back();
    let new = medium.handle();
    assert!(old.write(5_000, &[2]).is_err());
    assert!(old.set_len(1).is_err() && old.sync_data().is_err() && old.len().is_err());
    assert!(old.read(0, &mut [0]).is_err());
    let mut byte = [0];
    new.read(5_000, &mut byte).unwrap();
    assert_eq!(byte, [1]);
}

#[test]
fn taking_back_puts_the_confirmed_header_back() {
    let disk = Disk::of(vec![7; 8_192]);
    let medium = Medium::holding(disk.clone()).unwrap();
    medium.release().unwrap();
    let handle = medium.handle();
    handle.write(10, &[1, 1]).unwrap();
    handle.sync_data().unwrap();
    handle.write(11, &[2, 2]).unwrap();
    assert_eq!(disk.bytes()[9..14], [7, 1, 2, 2, 7]);
    assert!(medium.in_doubt());
    medium.take_back();
    assert!(!medium.in_doubt());
    assert_eq!(disk.bytes()[9..14], [7, 1, 1, 7, 7]);
}

//! Power cuts: what the disk had not confirmed may be lost, in any part.

use super::disk::{Disk, Faults};
use super::*;
use std::io::ErrorKind;

#[tokio::test]
async fn no_acknowledged_commit_is_lost_and_none_is_half_there() {
    for seed in 0..48_u8 {
        let mut disk = Disk::default();
        drop(new_store(&disk));
        let mut acknowledged: Vec<u64> = Vec::new();
        // The first cut can come anywhere, the second hits the recovery from the first.
        let operations = [usize::from(seed) * 5 % 97, usize::from(seed) % 11];
        for (round, after) in (0_u64..).zip(operations) {
            disk.fail(Faults {
                writes: Some(ErrorKind::Other),
                syncs: Some(ErrorKind::Other),
                after,
                ..Faults::default()
            });
            if let Ok(engine) = open::existing(disk.clone()) {
                let store = RedbStore::start(engine, Path::new("disk")).unwrap();
                for number in 0..20 {
                    let number = round * 100 + number;
                    if write(&store, number).await.is_err() {
                        break;
                    }
                    acknowledged.push(number);
                }
            }
            disk = disk.without_power(u64::from(seed));
        }
        let found = numbers(&reopened(&disk)).await;
        let kept: Vec<u64> = found.iter().copied().filter(|number| acknowledged.contains(number)).collect();
        assert_eq!(kept, acknowledged, "seed {seed}");
        // Beyond that at most what was under way at each cut.
        assert!(found.len() <= acknowledged.len() + 2, "seed {seed}: {found:?}");
    }
}

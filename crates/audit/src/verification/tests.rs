//! Everything that somebody can do to files is found, or changes nothing of what they say.

use std::path::{Path, PathBuf};

use base::Timestamp;

use super::*;
use crate::delivery::object::decompress;
use crate::delivery::tests::doubles::{Bench, HOUR, START, event};
use crate::delivery::{PublicDigestKey, all_public_keys};
use crate::log::segments;

/// A log of some segments, and what was delivered of it: two Regions, digests of three hours.
struct Evidence {
    bench: Bench,
    keys: Vec<PublicDigestKey>,
    known: Known,
}

impl Evidence {
    async fn gather() -> Self {
        let bench = Bench::new();
        for hour in 0..3_u32 {
            let regions = ["us-east-1", "eu-west-1", "us-east-1"];
            let events: Vec<String> =
                (3 * hour..).zip(regions).map(|(number, region)| event(1, region, number)).collect();
            bench.log(&events).await;
            bench.deliver(START.plus_seconds(i64::from(hour) * HOUR + 60)).await.unwrap();
        }
        bench.deliver(now()).await.unwrap();
        let keys = all_public_keys(bench.store.as_ref()).await.unwrap();
        let known = known(bench.store.as_ref()).await.unwrap();
        Self { bench, keys, known }
    }

    fn delivered(&self, folder: &Path) -> DeliveredReport {
        let newest_digests = &self.known.newest_digests;
        let given =
            Delivered { folder, public_keys: &self.keys, newest_digests, kept_since: None, now: now() };
        verify_delivered(&given, &mut |_| ()).unwrap()
    }

    fn log(&self) -> LogReport {
        verify_log(&self.bench.log_folder(), Head::BEGINNING, self.known.log, &mut |_| ()).unwrap()
    }
}

fn now() -> Timestamp {
    START.plus_seconds(3 * HOUR)
}

/// Every file below, in order of names.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn text(findings: &Findings) -> String {
    findings.listed().iter().map(|finding| format!("{finding}\n")).collect()
}

#[tokio::test]
async fn what_nobody_touched_holds() {
    let evidence = Evidence::gather().await;
    let folder = evidence.bench.folder().await;
    let report = evidence.delivered(folder.path());
    assert_eq!(report.findings.count(), 0, "{}", text(&report.findings));
    assert_eq!((report.digests, report.files, report.undigested), (6, 6, 0));
    let log = evidence.log();
    assert_eq!((log.findings.count(), log.lines), (0, 9), "{}", text(&log.findings));
    assert!(log.segments > 2);
}

#[tokio::test]
async fn every_file_that_is_missing_is_named() {
    let evidence = Evidence::gather().await;
    let folder = evidence.bench.folder().await;
    for path in files(folder.path()) {
        let content = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let found = evidence.delivered(folder.path()).findings;
        let name = path.strip_prefix(folder.path()).unwrap().to_str().unwrap();
        assert!(text(&found).contains(name.trim_end_matches(".metadata.json")), "{name}: {}", text(&found));
        std::fs::write(&path, content).unwrap();
    }
    assert_eq!(evidence.delivered(folder.path()).findings.count(), 0);
}

#[tokio::test]
async fn every_byte_that_changes_what_a_file_says_is_found() {
    let evidence = Evidence::gather().await;
    let folder = evidence.bench.folder().await;
    // One of each kind: a file, a digest in the middle of its chain, and its signature.
    let all = files(folder.path());
    let find = |part: &str, end: &str| {
        let is_it =
            |path: &&PathBuf| path.to_str().unwrap().contains(part) && path.to_str().unwrap().ends_with(end);
        all.iter().find(is_it).unwrap().clone()
    };
    let mut harmless = 0;
    for path in [
        find("/CloudTrail/us-east-1/", ".gz"),
        find("us-east-1_20261127T210000Z", ".gz"),
        find("us-east-1_20261127T210000Z", ".metadata.json"),
    ] {
        let content = std::fs::read(&path).unwrap();
        for place in 0..content.len() {
            let mut changed = content.clone();
            changed[place] ^= 1;
            std::fs::write(&path, &changed).unwrap();
            if evidence.delivered(folder.path()).findings.count() == 0 {
                // Only what decompression does not look at: the header's time and system, bits that fill a byte.
                let same = decompress(&*changed, 1 << 20).unwrap() == decompress(&*content, 1 << 20).unwrap();
                assert!(same, "{}, byte {place}", path.display());
                harmless += 1;
            }
        }
        for length in 0..content.len() {
            std::fs::write(&path, &content[..length]).unwrap();
            assert!(
                evidence.delivered(folder.path()).findings.count() > 0,
                "{} cut to {length}",
                path.display()
            );
        }
        std::fs::write(&path, [&content[..], b"\n"].concat()).unwrap();
        let is_metadata = path.extension().is_some_and(|extension| extension == "json");
        assert_eq!(evidence.delivered(folder.path()).findings.count() > 0, !is_metadata);
        std::fs::write(&path, content).unwrap();
    }
    assert!(harmless < 20, "{harmless}");
}

#[tokio::test]
async fn files_that_were_put_there_or_exchanged_are_found() {
    let evidence = Evidence::gather().await;
    let folder = evidence.bench.folder().await;
    let all = files(folder.path());
    let logs: Vec<&PathBuf> =
        all.iter().filter(|path| path.to_str().unwrap().contains("/CloudTrail/us-")).collect();
    let other = logs[0].to_str().unwrap().replace(".json.gz", "x.json.gz");
    std::fs::copy(logs[0], &other).unwrap();
    assert!(text(&evidence.delivered(folder.path()).findings).contains("no digest names this file"));
    std::fs::remove_file(&other).unwrap();
    std::fs::copy(logs[0], logs[1]).unwrap();
    assert!(text(&evidence.delivered(folder.path()).findings).contains("the file was changed"));
    let folder = evidence.bench.folder().await;
    std::fs::write(folder.path().join("x.json.gz"), b"").unwrap();
    assert!(
        text(&evidence.delivered(folder.path()).findings).contains("no delivered file is called like this")
    );
}

#[tokio::test]
async fn digests_of_another_key_are_not_believed() {
    let evidence = Evidence::gather().await;
    let forged = Evidence::gather().await;
    let folder = forged.bench.folder().await;
    let report = evidence.delivered(folder.path());
    assert_eq!(report.files, 0);
    assert!(text(&report.findings).contains("no public key has its fingerprint"));
}

#[tokio::test]
async fn what_was_removed_on_purpose_is_no_finding() {
    let evidence = Evidence::gather().await;
    let folder = evidence.bench.folder().await;
    let since = Timestamp::from_iso_basic("20261127T203000Z").unwrap();
    for path in files(folder.path()) {
        let name = path.to_str().unwrap();
        if ["T1901Z", "T2001Z", "T200000Z"].iter().any(|time| name.contains(time)) {
            std::fs::remove_file(&path).unwrap();
        }
    }
    let verify = |kept_since| {
        let given = Delivered {
            folder: folder.path(),
            public_keys: &evidence.keys,
            newest_digests: &evidence.known.newest_digests,
            kept_since,
            now: now(),
        };
        verify_delivered(&given, &mut |_| ()).unwrap().findings
    };
    assert_eq!(verify(Some(since)).count(), 0, "{}", text(&verify(Some(since))));
    assert!(verify(None).count() > 0);
    assert!(verify(Some(since.plus_seconds(-HOUR))).count() > 0);
}

#[tokio::test]
async fn a_file_that_is_too_new_for_a_digest_is_counted() {
    let evidence = Evidence::gather().await;
    evidence.bench.log(&[event(1, "us-east-1", 30)]).await;
    evidence.bench.deliver(now().plus_seconds(1)).await.unwrap();
    let folder = evidence.bench.folder().await;
    let report = evidence.delivered(folder.path());
    assert_eq!((report.findings.count(), report.undigested), (0, 1));
}

#[tokio::test]
async fn every_byte_of_the_log_counts() {
    let evidence = Evidence::gather().await;
    for segment in segments(&evidence.bench.log_folder()).unwrap() {
        let content = std::fs::read(&segment.path).unwrap();
        for place in 0..content.len() {
            let mut changed = content.clone();
            changed[place] ^= 1;
            std::fs::write(&segment.path, &changed).unwrap();
            assert!(evidence.log().findings.count() > 0, "{}, byte {place}", segment.path.display());
        }
        for length in 0..content.len() {
            std::fs::write(&segment.path, &content[..length]).unwrap();
            assert!(evidence.log().findings.count() > 0, "{} cut to {length}", segment.path.display());
        }
        std::fs::remove_file(&segment.path).unwrap();
        assert!(evidence.log().findings.count() > 0);
        std::fs::write(&segment.path, &content).unwrap();
    }
    assert_eq!(evidence.log().findings.count(), 0);
}

#[tokio::test]
async fn lines_that_are_taken_out_moved_or_written_anew_are_found() {
    let evidence = Evidence::gather().await;
    let path = &segments(&evidence.bench.log_folder()).unwrap()[0].path;
    let content = std::fs::read_to_string(path).unwrap();
    let lines: Vec<&str> = content.lines().collect();
    assert!(lines.len() > 1);
    for (order, told) in
        [(vec![1], "lines 1 to 1 are missing"), (vec![1, 0], "missing"), (vec![0, 0, 1], "number is 1")]
    {
        let other: String = order.iter().map(|&line| format!("{}\n", lines[line])).collect();
        std::fs::write(path, other).unwrap();
        assert!(
            text(&evidence.log().findings).contains(told),
            "{order:?}: {}",
            text(&evidence.log().findings)
        );
    }
}

/// Whoever can write the log can also write another one whose chain is right. The store knows better.
#[tokio::test]
async fn a_log_that_was_written_anew_as_a_whole_is_found_by_what_the_store_knows() {
    let evidence = Evidence::gather().await;
    let forged = Evidence::gather().await;
    let other = Bench::new();
    let events: Vec<String> = (0..9).map(|number| event(1, "us-east-1", 40 + number)).collect();
    other.log(&events).await;
    let verify =
        |known| verify_log(&other.log_folder(), Head::BEGINNING, known, &mut |_| ()).unwrap().findings;
    assert_eq!(verify(None).count(), 0);
    assert!(text(&verify(evidence.known.log)).contains("not the log that was delivered"));
    assert_eq!(forged.log().findings.count(), 0);
}

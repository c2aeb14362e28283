//! The log as others see it: written, crashed, touched, opened again.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;

fn entry(id: usize) -> Entry {
    Entry { event: format!("{{\"eventID\":\"{id}\",\"x\":\"äöü\"}}").into_bytes(), decisions: None }
}

fn small() -> LogSettings {
    LogSettings { segment_bytes: 1_000, ..LogSettings::default() }
}

/// Every event of a log whose chain holds from its beginning on, and where it ends.
fn read(folder: &Path) -> Result<(Vec<String>, Head), BrokenLine> {
    let (mut head, mut line, mut events) = (Head::BEGINNING, Vec::new(), Vec::new());
    for segment in segments(folder).unwrap() {
        assert_eq!(segment.first, head.next);
        let mut lines = segment.lines(0).unwrap();
        while lines.read(&mut line).unwrap() {
            events.push(head.read(&line)?.event.get().to_owned());
        }
    }
    Ok((events, head))
}

fn expected(ids: std::ops::Range<usize>) -> Vec<String> {
    ids.map(|id| String::from_utf8(entry(id).event).unwrap()).collect()
}

async fn append(log: &Log, ids: std::ops::Range<usize>) {
    for id in ids {
        log.append(vec![entry(id)]).await.unwrap();
    }
}

#[tokio::test]
async fn a_log_goes_on_where_it_ended_and_over_many_segments() {
    let folder = tempfile::tempdir().unwrap();
    for start in [0, 20, 40] {
        let log = Log::open(folder.path(), small()).unwrap();
        append(&log, start..start + 20).await;
        assert_eq!(*log.durable().borrow(), u64::try_from(start + 21).unwrap());
        log.close();
    }
    assert_eq!(read(folder.path()).unwrap().0, expected(0..60));
    assert!(segments(folder.path()).unwrap().len() > 5);
}

#[tokio::test]
async fn many_at_once_are_all_logged_each_once() {
    let folder = tempfile::tempdir().unwrap();
    let log = Arc::new(Log::open(folder.path(), LogSettings::default()).unwrap());
    let tasks: Vec<_> = (0..200)
        .map(|id| {
            let log = Arc::clone(&log);
            tokio::spawn(async move { log.append(vec![entry(2 * id), entry(2 * id + 1)]).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let (mut events, _) = read(folder.path()).unwrap();
    let mut all = expected(0..400);
    events.sort();
    all.sort();
    assert_eq!(events, all);
}

#[tokio::test]
async fn what_a_crash_left_unfinished_is_cut_off_wherever_it_tore() {
    let whole = tempfile::tempdir().unwrap();
    let log = Log::open(whole.path(), LogSettings::default()).unwrap();
    append(&log, 0..3).await;
    log.close();
    let [segment] = segments(whole.path()).unwrap().try_into().unwrap();
    let bytes = std::fs::read(&segment.path).unwrap();
    for length in 0..=bytes.len() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(segment.path.file_name().unwrap()), &bytes[..length]).unwrap();
        let kept = bytes[..length].iter().filter(|&&byte| byte == b'\n').count();
        let log = Log::open(folder.path(), LogSettings::default()).unwrap();
        append(&log, kept..3).await;
        log.close();
        assert_eq!(read(folder.path()).unwrap().0, expected(0..3), "torn after {length} bytes");
    }
}

#[tokio::test]
async fn what_a_power_cut_left_in_part_is_cut_off_wherever_a_hole_is() {
    let open = tempfile::tempdir().unwrap();
    let log = Log::open(open.path(), LogSettings::default()).unwrap();
    append(&log, 0..4).await;
    let [segment] = segments(open.path()).unwrap().try_into().unwrap();
    let bytes = std::fs::read(&segment.path).unwrap();
    let lines = bytes.iter().rposition(|&byte| byte == b'\n').unwrap() + 1;
    assert!(
        bytes.len() > lines && bytes[lines..].iter().all(|&byte| byte == 0),
        "there is room behind the lines"
    );
    for hole in 0..lines {
        let folder = tempfile::tempdir().unwrap();
        let mut torn = bytes.clone();
        torn[hole..(hole + 10).min(lines)].fill(0);
        std::fs::write(folder.path().join(segment.path.file_name().unwrap()), &torn).unwrap();
        let kept = bytes[..hole].iter().filter(|&&byte| byte == b'\n').count();
        let log = Log::open(folder.path(), LogSettings::default()).unwrap();
        append(&log, kept..4).await;
        log.close();
        assert_eq!(read(folder.path()).unwrap().0, expected(0..4), "a hole after {hole} bytes");
    }
    log.close();
}

#[tokio::test]
async fn lines_behind_a_zero_byte_are_never_thrown_away() {
    let whole = tempfile::tempdir().unwrap();
    let log = Log::open(whole.path(), LogSettings::default()).unwrap();
    append(&log, 0..4).await;
    log.close();
    let [segment] = segments(whole.path()).unwrap().try_into().unwrap();
    let bytes = std::fs::read(&segment.path).unwrap();
    let bytes_of = |path: &Path| std::fs::read(path).unwrap();
    for place in (0..bytes.len() - 1).step_by(29) {
        let folder = tempfile::tempdir().unwrap();
        let mut changed = bytes.clone();
        changed[place] = 0;
        std::fs::write(folder.path().join(segment.path.file_name().unwrap()), &changed).unwrap();
        let log = Log::open(folder.path(), LogSettings::default()).unwrap();
        let whole_lines = bytes[..place].iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        let aside = folder.path().join(format!("{:020}.{whole_lines}.torn", 1));
        assert_eq!(bytes_of(&aside), changed[whole_lines..], "a zero byte at {place}");
        log.close();
        assert_eq!(bytes_of(&segments(folder.path()).unwrap()[0].path), changed[..whole_lines]);
    }
}

#[tokio::test]
async fn only_an_open_segment_has_room_behind_its_lines() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::open(folder.path(), small()).unwrap();
    append(&log, 0..30).await;
    let has_room = |segment: &Segment| std::fs::read(&segment.path).unwrap().last() != Some(&b'\n');
    let mut found = segments(folder.path()).unwrap();
    let last = found.pop().unwrap();
    assert!(has_room(&last) && found.len() > 1 && !found.iter().any(has_room));
    log.complete().await.unwrap();
    assert!(!has_room(&last));
    append(&log, 30..31).await;
    let last = segments(folder.path()).unwrap().pop().unwrap();
    assert!(has_room(&last));
    log.close();
    assert!(!has_room(&last));
    assert_eq!(read(folder.path()).unwrap().0, expected(0..31));
}

#[tokio::test]
async fn a_segment_that_was_begun_before_a_crash_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::open(folder.path(), LogSettings::default()).unwrap();
    append(&log, 0..2).await;
    log.close();
    std::fs::write(folder.path().join("00000000000000000003.jsonl"), b"{\"sequ").unwrap();
    let log = Log::open(folder.path(), small()).unwrap();
    append(&log, 2..30).await;
    log.close();
    assert_eq!(read(folder.path()).unwrap().0, expected(0..30));
}

#[tokio::test]
async fn an_end_that_was_not_written_by_the_log_is_told() {
    let folder = tempfile::tempdir().unwrap();
    Log::open(folder.path(), LogSettings::default()).unwrap().close();
    let [segment] = segments(folder.path()).unwrap().try_into().unwrap();
    std::fs::write(&segment.path, b"something else\n").unwrap();
    assert!(matches!(Log::open(folder.path(), LogSettings::default()), Err(LogError::Damaged { .. })));
}

#[tokio::test]
async fn a_file_that_was_moved_replaced_or_written_to_is_noticed() {
    type Touch = fn(&Path);
    let touches: [Touch; 3] = [
        |path| std::fs::rename(path, path.with_extension("moved")).unwrap(),
        |path| std::fs::remove_file(path).unwrap(),
        |path| std::fs::write(path, b"").unwrap(),
    ];
    for touch in touches {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::open(folder.path(), LogSettings::default()).unwrap();
        append(&log, 0..2).await;
        assert!(!log.was_touched());
        touch(&segments(folder.path()).unwrap()[0].path);
        append(&log, 2..4).await;
        assert!(log.was_touched() && log.works());
        log.close();
        // What comes after is there, and what is missing shows.
        let last = segments(folder.path()).unwrap().pop().unwrap();
        assert_eq!(last.first, 3);
        let mut lines = last.lines(0).unwrap();
        assert!(lines.read(&mut Vec::new()).unwrap());
    }
}

#[tokio::test]
async fn a_log_that_cannot_be_written_says_so_and_goes_on_when_it_can() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("log");
    let log = Log::open(&place, LogSettings::default()).unwrap();
    append(&log, 0..2).await;
    // Neither the file nor its folder is there, and none can be made.
    let aside = folder.path().join("aside");
    std::fs::rename(&place, &aside).unwrap();
    std::fs::write(&place, b"in the way").unwrap();
    assert!(matches!(log.append(vec![entry(2)]).await, Err(LogError::File { .. })));
    assert!(log.sync().await.is_err());
    assert!(!log.works());
    std::fs::remove_file(&place).unwrap();
    std::fs::rename(&aside, &place).unwrap();
    append(&log, 2..4).await;
    assert!(log.works());
    log.close();
    assert_eq!(read(&place).unwrap().0, expected(0..4));
}

#[tokio::test]
async fn with_an_interval_events_reach_the_disk_later() {
    let folder = tempfile::tempdir().unwrap();
    let durability = Durability::Interval(Duration::from_secs(3_600));
    let log = Log::open(folder.path(), LogSettings { durability, ..LogSettings::default() }).unwrap();
    append(&log, 0..5).await;
    assert_eq!(*log.durable().borrow(), 1);
    log.sync().await.unwrap();
    assert_eq!(*log.durable().borrow(), 6);
    append(&log, 5..6).await;
    log.close();
    assert_eq!(read(folder.path()).unwrap().0, expected(0..6));
}

#[tokio::test]
async fn with_an_interval_no_more_waits_for_the_disk_than_is_written_again_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let durability = Durability::Interval(Duration::from_secs(3_600));
    let log = Log::open(folder.path(), LogSettings { durability, ..LogSettings::default() }).unwrap();
    let mut durable = log.durable();
    let mebibyte = || Entry { event: format!("\"{}\"", "x".repeat(1 << 20)).into_bytes(), decisions: None };
    for _ in 0..8 {
        log.append(vec![mebibyte()]).await.unwrap();
    }
    let on_disk = tokio::time::timeout(Duration::from_secs(30), durable.wait_for(|next| *next > 1)).await;
    assert!(on_disk.is_ok_and(|told| told.is_ok()));
    log.close();
}

#[tokio::test]
async fn with_an_interval_the_last_events_reach_the_disk_though_nothing_comes_after() {
    let folder = tempfile::tempdir().unwrap();
    let durability = Durability::Interval(Duration::from_millis(5));
    let log = Log::open(folder.path(), LogSettings { durability, ..LogSettings::default() }).unwrap();
    let mut durable = log.durable();
    append(&log, 0..3).await;
    let on_disk = tokio::time::timeout(Duration::from_secs(30), durable.wait_for(|next| *next == 4)).await;
    assert!(on_disk.is_ok_and(|told| told.is_ok()));
    log.close();
}

#[tokio::test]
async fn with_an_interval_a_log_that_cannot_be_written_goes_on_when_it_can() {
    let folder = tempfile::tempdir().unwrap();
    let (place, aside) = (folder.path().join("log"), folder.path().join("aside"));
    let durability = Durability::Interval(Duration::from_millis(5));
    let log = Log::open(&place, LogSettings { durability, ..LogSettings::default() }).unwrap();
    append(&log, 0..2).await;
    log.sync().await.unwrap();
    std::fs::rename(&place, &aside).unwrap();
    std::fs::write(&place, b"in the way").unwrap();
    assert!(log.sync().await.is_err());
    assert!(log.append(vec![entry(2)]).await.is_err());
    std::fs::remove_file(&place).unwrap();
    std::fs::rename(&aside, &place).unwrap();
    append(&log, 2..4).await;
    log.close();
    assert_eq!(read(&place).unwrap().0, expected(0..4));
}

#[tokio::test]
async fn only_the_owner_may_read() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("a/log");
    Log::open(&place, LogSettings::default()).unwrap().close();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&place), 0o700);
    assert_eq!(mode(&segments(&place).unwrap()[0].path), 0o600);
}

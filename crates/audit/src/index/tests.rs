//! The index against a plain reading of all events, over many segments, with files missing, damaged and put in.

use std::fs;
use std::path::Path;

use base::Timestamp;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::*;
use crate::log::{Durability, Entry, LogSettings};

const ACCOUNTS: [&str; 2] = ["111122223333", "444455556666"];
const REGIONS: [&str; 2] = ["eu-central-1", "us-east-1"];
const BEGINNING: i64 = 1_767_225_600;

/// What makes an event of the tests.
#[derive(Clone, Debug)]
struct Made {
    account: usize,
    region: usize,
    seconds: i64,
    name: u8,
    user: u8,
    key: u8,
    category: bool,
}

impl Made {
    fn json(&self, id: usize) -> String {
        let time = Timestamp::from_seconds(BEGINNING + self.seconds).iso_extended();
        let category = if self.category { "Management" } else { "Data" };
        let (account, region) = (ACCOUNTS[self.account], REGIONS[self.region]);
        let (name, user, key) = (self.name, self.user, self.key);
        let read_only = name.is_multiple_of(2);
        format!(
            r#"{{"userIdentity":{{"type":"IAMUser","userName":"u{user}","accessKeyId":"AKIA{user}"}},"eventTime":"{time}","eventSource":"kms.amazonaws.com","eventName":"N{name}","awsRegion":"{region}","eventID":"id-{id}","readOnly":{read_only},"resources":[{{"type":"AWS::KMS::Key","ARN":"arn:aws:kms:{region}:{account}:key/k{key}"}}],"recipientAccountId":"{account}","eventCategory":"{category}"}}"#
        )
    }
}

fn made() -> impl Strategy<Value = Made> {
    (0..2_usize, 0..2_usize, 0..40_i64, 0..3_u8, 0..3_u8, 0..5_u8, prop::bool::weighted(0.9)).prop_map(
        |(account, region, seconds, name, user, key, category)| Made {
            account,
            region,
            seconds,
            name,
            user,
            key,
            category,
        },
    )
}

fn queries() -> impl Strategy<Value = Query> {
    let attribute = prop_oneof![
        (0..300_u32).prop_map(|id| (Attribute::EventId, format!("id-{id}"))),
        (0..4_u8).prop_map(|name| (Attribute::EventName, format!("N{name}"))),
        any::<bool>().prop_map(|read| (Attribute::ReadOnly, read.to_string())),
        (0..4_u8).prop_map(|user| (Attribute::Username, format!("u{user}"))),
        (0..4_u8).prop_map(|user| (Attribute::AccessKeyId, format!("AKIA{user}"))),
        (0..6_u8).prop_map(|key| (Attribute::ResourceName, format!("k{key}"))),
        Just((Attribute::ResourceType, "AWS::KMS::Key".to_owned())),
        Just((Attribute::EventSource, "kms.amazonaws.com".to_owned())),
    ];
    let moment = prop::option::of(
        (-2_000..100_000_i64).prop_map(|millis| Timestamp::from_seconds(BEGINNING).plus_millis(millis)),
    );
    let behind = prop::option::weighted(
        0.3,
        (0..42_i64, 0..300_u64)
            .prop_map(|(seconds, sequence)| Position { seconds: BEGINNING + seconds, sequence }),
    );
    let category = prop::option::weighted(0.8, Just(Category::Management));
    (
        prop::option::weighted(0.8, 0..2_usize),
        prop::option::weighted(0.8, 0..2_usize),
        category,
        prop::option::of(attribute),
        moment.clone(),
        moment,
        behind,
    )
        .prop_map(|(account, region, category, attribute, from, to, behind)| Query {
            account: account.map(|account| ACCOUNTS[account].parse().unwrap()),
            region: region.map(|region| REGIONS[region].parse().unwrap()),
            category,
            attribute,
            from,
            to,
            behind,
        })
}

async fn logged(folder: &Path, events: &[Made]) -> Log {
    let log = Log::open(folder, LogSettings { segment_bytes: 8_000, ..LogSettings::default() }).unwrap();
    for (id, event) in events.iter().enumerate() {
        log.append(vec![Entry { event: event.json(id).into_bytes(), decisions: None }]).await.unwrap();
    }
    log
}

fn found(index: &Index, query: &Query) -> Vec<LoggedEvent> {
    let mut search = index.search(query.clone()).unwrap();
    std::iter::from_fn(|| search.advance().unwrap()).collect()
}

/// By reading everything.
fn expected(events: &[Made], query: &Query) -> Vec<LoggedEvent> {
    let all = events
        .iter()
        .enumerate()
        .map(|(id, event)| LoggedEvent::read(u64::try_from(id + 1).unwrap(), &event.json(id)).unwrap());
    let seconds = |time: Option<Timestamp>, or: i64| time.map_or(or, Timestamp::millis);
    let (from, to) = (seconds(query.from, i64::MIN), seconds(query.to, i64::MAX));
    let mut wanted: Vec<_> = all
        .filter(|event| {
            query.account.is_none_or(|account| account == event.account())
                && query.region.is_none_or(|region| region == event.region())
                && query.category.is_none_or(|category| category == event.scope.category)
                && (from..=to).contains(&event.time.millis())
                && query.behind.is_none_or(|behind| event.position() < behind)
                && query.attribute.as_ref().is_none_or(|(attribute, value)| match attribute {
                    Attribute::EventId => event.id == *value,
                    Attribute::EventName => event.name == *value,
                    Attribute::ReadOnly => event.read_only == Some(value == "true"),
                    Attribute::Username => event.user_name.as_deref() == Some(value),
                    Attribute::ResourceType => event.resources.iter().any(|one| one.kind == *value),
                    Attribute::ResourceName => event.resources.iter().any(|one| one.name == *value),
                    Attribute::EventSource => event.source == *value,
                    Attribute::AccessKeyId => event.access_key_id.as_deref() == Some(value),
                })
        })
        .collect();
    wanted.sort_by_key(|event| std::cmp::Reverse((event.time, event.sequence)));
    wanted
}

fn index_files(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|it| it == "index")).collect();
    files.sort();
    files
}

fn drawn<T: std::fmt::Debug>(runner: &mut TestRunner, strategy: impl Strategy<Value = T>) -> T {
    strategy.new_tree(runner).unwrap().current()
}

#[tokio::test]
async fn what_is_found_is_what_reading_everything_finds() {
    let mut runner = TestRunner::deterministic();
    for count in [0, 1, 20, 300] {
        let folder = tempfile::tempdir().unwrap();
        let events = drawn(&mut runner, prop::collection::vec(made(), count));
        let log = logged(folder.path(), &events).await;
        let [following, reading] = [Index::of_log(&log), Index::of_folder(folder.path())];
        let written = |index: &Index| index.segments().complete.len();
        following.catch_up().unwrap();
        assert!(count < 300 || written(&following) > 5);
        assert_eq!(index_files(folder.path()).len(), written(&following));
        let mut hits = 0;
        for _ in 0..400 {
            let query = drawn(&mut runner, queries());
            let wanted = expected(&events, &query);
            hits += wanted.len();
            assert_eq!(found(&following, &query), wanted, "{query:?}");
            assert_eq!(found(&reading, &query), wanted, "{query:?}");
        }
        assert!(count < 300 || hits > 4_000, "{hits}");
        log.close();
    }
}

#[tokio::test]
async fn pages_that_go_on_behind_the_last_event_give_every_event_once() {
    let mut runner = TestRunner::deterministic();
    let folder = tempfile::tempdir().unwrap();
    let events = drawn(&mut runner, prop::collection::vec(made(), 200));
    let log = logged(folder.path(), &events).await;
    let index = Index::of_log(&log);
    let (mut paged, mut behind) = (Vec::new(), None);
    loop {
        let mut search = index.search(Query { behind, ..Query::default() }).unwrap();
        let page: Vec<_> = std::iter::from_fn(|| search.advance().unwrap()).take(7).collect();
        let Some(last) = page.last() else { break };
        behind = Some(last.position());
        paged.extend(page);
    }
    assert_eq!(paged, expected(&events, &Query::default()));
}

#[tokio::test]
async fn an_event_is_found_as_soon_as_it_is_on_disk_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let durability = Durability::Interval(Duration::from_secs(3_600));
    let log = Log::open(folder.path(), LogSettings { durability, ..LogSettings::default() }).unwrap();
    let index = Index::of_log(&log);
    let event = drawn(&mut TestRunner::deterministic(), made());
    log.append(vec![Entry { event: event.json(0).into_bytes(), decisions: None }]).await.unwrap();
    let _ = found(&index, &Query::default());
    log.sync().await.unwrap();
    assert_eq!(found(&index, &Query::default()), expected(&[event], &Query::default()));
}

#[tokio::test]
async fn damaged_and_foreign_index_files_change_no_answer_and_are_made_anew() {
    let mut runner = TestRunner::deterministic();
    let folder = tempfile::tempdir().unwrap();
    let events = drawn(&mut runner, prop::collection::vec(made(), 150));
    let log = logged(folder.path(), &events).await;
    Index::of_log(&log).catch_up().unwrap();
    let files = index_files(folder.path());
    let good: Vec<_> = files.iter().map(|path| fs::read(path).unwrap()).collect();
    let everything = expected(&events, &Query::default());
    let check = |what: &str, index: &Index| {
        assert_eq!(found(index, &Query::default()), everything, "{what}");
        for user in 0..3 {
            let attribute = Some((Attribute::Username, format!("u{user}")));
            let query = Query { attribute, ..Query::default() };
            assert_eq!(found(index, &query), expected(&events, &query), "{what}");
        }
    };
    let damages: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("cut off", good[0][..good[0].len() - 1].to_vec()),
        ("cut in the middle", good[0][..4_096].to_vec()),
        ("of another segment", good[1].clone()),
        ("of zeros", vec![0; good[0].len()]),
        ("no index", b"something else".repeat(3_000)),
    ];
    let flips = (0..good[0].len()).step_by(997).map(|place| {
        let mut flipped = good[0].clone();
        flipped[place] ^= 0x10;
        ("flipped", flipped)
    });
    for (what, bytes) in damages.into_iter().chain(flips) {
        fs::write(&files[0], &bytes).unwrap();
        check(what, &Index::of_folder(folder.path()));
        assert_eq!(fs::read(&files[0]).unwrap(), bytes, "{what}: who only reads writes nothing");
        check(what, &Index::of_log(&log));
        assert_eq!(fs::read(&files[0]).unwrap(), good[0], "{what}: it is made anew");
    }
    // Damaged while it is in use.
    let index = Index::of_log(&log);
    check("whole", &index);
    for file in &files {
        let mut flipped = fs::read(file).unwrap();
        let last = flipped.len() - 5_000;
        flipped[last] ^= 1;
        fs::write(file, flipped).unwrap();
    }
    check("damaged in use", &index);
    log.close();
}

#[tokio::test]
async fn a_segment_that_is_gone_has_no_events_and_the_others_have_theirs() {
    let mut runner = TestRunner::deterministic();
    let folder = tempfile::tempdir().unwrap();
    let events = drawn(&mut runner, prop::collection::vec(made(), 100));
    let log = logged(folder.path(), &events).await;
    let index = Index::of_log(&log);
    index.catch_up().unwrap();
    let [first, second] = [0, 1].map(|number| segments(folder.path()).unwrap()[number].clone());
    fs::remove_file(&first.path).unwrap();
    let left: Vec<_> = expected(&events, &Query::default())
        .into_iter()
        .filter(|event| event.sequence >= second.first)
        .collect();
    assert_eq!(found(&index, &Query::default()), left);
    assert_eq!(found(&Index::of_folder(folder.path()), &Query::default()), left);
    // Its index file goes at the next start, if not before.
    let of_first = file::path_of(&first);
    assert!(of_first.exists());
    let index = Index::of_log(&log);
    index.catch_up().unwrap();
    assert!(!of_first.exists() && file::path_of(&second).exists());
    assert_eq!(found(&index, &Query::default()), left);
}

#[tokio::test]
async fn a_log_that_is_opened_again_is_followed_from_its_files() {
    let mut runner = TestRunner::deterministic();
    let folder = tempfile::tempdir().unwrap();
    let events = drawn(&mut runner, prop::collection::vec(made(), 60));
    logged(folder.path(), &events).await.close();
    let log = Log::open(folder.path(), LogSettings::default()).unwrap();
    let index = Index::of_log(&log);
    assert_eq!(found(&index, &Query::default()), expected(&events, &Query::default()));
    assert!(found(&Index::of_folder(&folder.path().join("none")), &Query::default()).is_empty());
}

#[tokio::test]
async fn an_index_file_takes_less_than_a_hundred_bytes_an_event() {
    let folder = tempfile::tempdir().unwrap();
    let settings = LogSettings { segment_bytes: 10 * 1_024 * 1_024, ..LogSettings::default() };
    let log = Log::open(folder.path(), settings).unwrap();
    // Twenty users of an account do four things with two hundred keys, each in sessions of their own.
    for batch in 0..20 {
        let event = |id: u32| {
            let session = id / 50;
            let key = format!(
                "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-{:012}",
                id * 7 % 200
            );
            let json = format!(
                r#"{{"userIdentity":{{"type":"AssumedRole","principalId":"AROA:user-{}","accessKeyId":"ASIA{session}"}},"eventTime":"{}","eventSource":"kms.amazonaws.com","eventName":"Operation{}","awsRegion":"eu-central-1","requestParameters":{{"keyId":"{key}","padding":"{}"}},"eventID":"1234abcd-0000-4000-8000-{id:012}","readOnly":true,"resources":[{{"type":"AWS::KMS::Key","ARN":"{key}"}}],"recipientAccountId":"111122223333","eventCategory":"Management"}}"#,
                session % 20,
                Timestamp::from_seconds(BEGINNING + i64::from(id / 100)).iso_extended(),
                id % 4,
                "x".repeat(800)
            );
            Entry { event: json.into_bytes(), decisions: None }
        };
        log.append((batch * 1_000..(batch + 1) * 1_000).map(event).collect()).await.unwrap();
    }
    let index = Index::of_log(&log);
    index.catch_up().unwrap();
    let complete = index.segments().complete.clone();
    assert!(complete.len() >= 2);
    let events = index.segments().open.as_ref().unwrap().segment().first - 1;
    let bytes: u64 = index_files(folder.path()).iter().map(|path| fs::metadata(path).unwrap().len()).sum();
    assert!(events > 10_000 && bytes < 100 * events, "{bytes} bytes for {events} events");
    log.close();
}

//! Requests to S3, as [`Sent`] reads them, by somebody who may do everything, or by nobody: path, query, and the headers of
//! encryption, conditions, ranges, copies, tags and checksums. No request is the service's fault, no answer has a header that
//! is none or XML that is none, and contents are those of the object.

use std::sync::LazyLock;

use objects::{Answer, AnswerBody, ObjectsError, fault_xml};
use quick_xml::Reader;
use quick_xml::events::Event;

use crate::Target;
use crate::bucket_bench::{BucketBench, CUSTOMER_KEY, LENGTH, byte_at};
use crate::sent::{Sent, is_header_name, is_header_value};

pub(crate) const TARGET: Target = Target { name: "s3_operation", run, seeds, words: &WORDS };

const WORDS: [&str; 70] = [
    "own-bucket",
    "open-bucket",
    "?uploads",
    "?uploadId=",
    "&partNumber=1",
    "?tagging",
    "?acl",
    "?attributes",
    "?encryption",
    "?versioning",
    "?versions",
    "?lifecycle",
    "?cors",
    "?policy",
    "?policyStatus",
    "?publicAccessBlock",
    "?location",
    "?delete",
    "?list-type=2",
    "&prefix=",
    "&delimiter=%2F",
    "&max-keys=",
    "&encoding-type=url",
    "&continuation-token=",
    "&start-after=",
    "&key-marker=",
    "&version-id-marker=",
    "&versionId=null",
    "&response-content-type=",
    "&response-content-disposition=%0d%0a",
    "\nx-amz-server-side-encryption:aws:kms",
    "\nx-amz-server-side-encryption:aws:kms:dsse",
    "\nx-amz-server-side-encryption:AES256",
    "\nx-amz-server-side-encryption-aws-kms-key-id:",
    "\nx-amz-server-side-encryption-bucket-key-enabled:true",
    "\nx-amz-server-side-encryption-context:e30=",
    "\nx-amz-server-side-encryption-customer-algorithm:AES256",
    "\nx-amz-server-side-encryption-customer-key:",
    "\nx-amz-server-side-encryption-customer-key-md5:",
    "\nx-amz-copy-source-server-side-encryption-customer-algorithm:AES256",
    "\nx-amz-copy-source:/own-bucket/long",
    "\nx-amz-copy-source-range:bytes=0-9",
    "\nx-amz-copy-source-if-match:",
    "\nx-amz-metadata-directive:REPLACE",
    "\nx-amz-tagging-directive:REPLACE",
    "\nx-amz-tagging:",
    "\nx-amz-meta-",
    "\nx-amz-checksum-algorithm:",
    "\nx-amz-checksum-crc32:AAAAAA==",
    "\nx-amz-checksum-crc64nvme:",
    "\nx-amz-checksum-mode:ENABLED",
    "\nx-amz-sdk-checksum-algorithm:",
    "\nx-amz-checksum-type:",
    "\nx-amz-object-attributes:ETag,Checksum,ObjectParts,StorageClass,ObjectSize",
    "\nx-amz-expected-bucket-owner:111122223333",
    "\nx-amz-content-sha256:UNSIGNED-PAYLOAD",
    "\nx-amz-content-sha256:STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    "\nx-amz-decoded-content-length:",
    "\nx-amz-trailer:x-amz-checksum-crc32",
    "\ncontent-encoding:aws-chunked",
    "\ncontent-length:",
    "\ncontent-md5:",
    "\nrange:bytes=",
    "\nif-match:",
    "\nif-none-match:*",
    "\nif-modified-since:Sat, 28 Nov 2026 12:00:00 GMT",
    "\norigin:https://a.example",
    "\naccess-control-request-method:GET",
    "\nx-fuzz-anonymous:1",
    "\ncontent-type:multipart/form-data; boundary=b",
];

static BENCH: LazyLock<BucketBench> = LazyLock::new(BucketBench::new);

fn run(input: &[u8]) {
    let Some(sent) = Sent::read(input) else { return };
    match BENCH.call(&sent) {
        None => {}
        Some(Ok(answer)) => check(&sent, answer),
        Some(Err(error)) => {
            let is_of_request = matches!(error, ObjectsError::Refused(_) | ObjectsError::Body(_));
            let fault = error.to_fault();
            assert!(is_of_request && fault.status != 500, "{error:?}");
            is_xml(&fault_xml(&fault, error.details(), sent.path, "id"));
            error.headers().iter().for_each(|(name, value)| is_header(name, value));
        }
    }
}

fn check(sent: &Sent<'_>, answer: Answer) {
    assert!((200..500).contains(&answer.status), "{}", answer.status);
    let is_whole = answer.status == 200;
    let told =
        |name: &str| answer.headers.iter().find(|(told, _)| told == name).map(|(_, value)| value.clone());
    let (announced, range) = (told("content-length"), told("content-range"));
    answer.headers.iter().for_each(|(name, value)| is_header(name, value));
    match answer.body {
        AnswerBody::Empty => {}
        AnswerBody::Xml(xml) => is_xml(&xml),
        AnswerBody::Json(json) => {
            assert!(serde_json::from_slice::<serde::de::IgnoredAny>(&json).is_ok(), "no JSON");
        }
        AnswerBody::Contents(contents, length) => {
            let read = BENCH.read(contents).unwrap_or_else(|error| panic!("contents break off: {error}"));
            assert_eq!(u64::try_from(read.len()).unwrap(), length, "contents have another length");
            assert!(announced.is_none_or(|told| told == length.to_string()), "another length is announced");
            let first = read.first().map(|byte| usize::from(*byte)).unwrap_or_default();
            let is_of_object = read.iter().enumerate().all(|(at, byte)| *byte == byte_at(first + at));
            assert!(is_of_object && read.len() <= LENGTH, "contents of nobody");
            if let Some(told) = range {
                check_range(sent, &told, &read);
            }
            let names_long = sent.path.ends_with("/own-bucket/long") && sent.query.is_empty();
            assert!(!(is_whole && names_long) || read.len() == LENGTH, "all of an object is a part of it");
        }
    }
}

/// An answer with a range has those bytes, and those that were asked for.
fn check_range(sent: &Sent<'_>, told: &str, read: &[u8]) {
    let (told, size) = told.strip_prefix("bytes ").and_then(|told| told.split_once('/')).unwrap();
    let (from, to) = read_range(told).unwrap();
    assert!(
        to + 1 - from == read.len() && byte_at(from) == read[0],
        "these are not the bytes {from} to {to}"
    );
    let asked = sent.headers.iter().filter(|(name, _)| name == "range");
    let asked: Vec<_> = asked.filter_map(|(_, value)| std::str::from_utf8(value).ok()).collect();
    if let [asked] = *asked
        && let Some((first, last)) = asked.strip_prefix("bytes=").and_then(read_range)
    {
        let end = size.parse::<usize>().unwrap() - 1;
        assert_eq!((from, to), (first, last.min(end)), "other bytes than were asked for");
    }
}

fn read_range(range: &str) -> Option<(usize, usize)> {
    let (from, to) = range.split_once('-')?;
    Some((from.parse().ok()?, to.parse().ok()?))
}

/// The shell leaves out what is no header.
fn is_header(name: &str, value: &str) {
    assert!(is_header_name(name), "{name:?} is no name of a header");
    assert!(is_header_value(value.as_bytes()), "{name}: {value:?} is no header");
}

fn is_xml(xml: &[u8]) {
    let mut reader = Reader::from_reader(xml);
    let mut depth = 0;
    loop {
        match reader.read_event() {
            Ok(Event::Eof) => break,
            Ok(Event::Start(_)) => depth += 1,
            Ok(Event::End(_)) => depth -= 1,
            Ok(_) => {}
            Err(error) => panic!("no XML: {error}: {}", String::from_utf8_lossy(xml)),
        }
    }
    assert_eq!(depth, 0, "no XML: {}", String::from_utf8_lossy(xml));
    // XML 1.0, section 2.2.
    let is_char =
        |one: char| one >= ' ' && !('\u{fffe}'..='\u{ffff}').contains(&one) || "\t\n\r".contains(one);
    assert!(std::str::from_utf8(xml).unwrap().chars().all(is_char), "characters that XML has not");
}

/// Requests apart by `%%`. In a file of text a carriage return is shown.
const REQUESTS: &str = include_str!("s3_requests.txt");

fn seeds() -> Vec<Vec<u8>> {
    let key = CUSTOMER_KEY.trim_end();
    let of_source = key.replace("x-amz-server", "x-amz-copy-source-server");
    let filled = |request: &str| {
        // Behind a body there is one more line break than it has.
        let body = request.strip_suffix('\n').filter(|request| request.contains("\n\n"));
        let text = body.unwrap_or(request).replace("{upload}", &BENCH.upload);
        let text = text.replace("{key}", key).replace("{copy-key}", &of_source);
        text.replace('\u{240d}', "\r").into_bytes()
    };
    let seeds: Vec<_> = REQUESTS.split("%%\n").map(filled).collect();
    let is_answered = |seed: &&Vec<u8>| {
        Sent::read(seed).and_then(|sent| BENCH.call(&sent)).is_some_and(|answer| answer.is_ok())
    };
    let answered = seeds.iter().filter(is_answered).count();
    assert!(answered * 4 > seeds.len() * 3, "of {} seeds only {answered} are answered", seeds.len());
    seeds
}

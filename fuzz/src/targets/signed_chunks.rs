//! Bodies in chunks of which each is signed: nothing is taken for whole but what was signed, in its order and to its end, and
//! the pieces in which it comes make no difference.
//!
//! The first byte says whether a trailer is signed, the second the size of the pieces.

use std::sync::{Arc, LazyLock};

use base::SecretString;
use crypto::digest::{hmac_sha256, sha256};
use wire::s3::{Chunked, ChunkedFault};
use wire::sigv4::{Payload, RequestHead, SigningKey, parse};

use crate::Target;

pub(crate) const TARGET: Target = Target {
    name: "signed_chunks",
    run,
    seeds,
    words: &[
        "\r\n",
        "0;chunk-signature=",
        ";chunk-signature=",
        "x-amz-trailer-signature:",
        "x-amz-checksum-crc32:AAAAAA==",
        "5;",
        "\n",
    ],
};

const SECRET: &str = "secret";
const MOMENT: &str = "20150830T123600Z";
const DATE: &str = "20150830";
const SCOPE: &str = "20150830/us-east-1/s3/aws4_request";
const PAYLOADS: [&str; 2] =
    ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"];
const TRAILER: [&str; 2] = ["x-amz-checksum-crc32", "AAAAAA=="];

/// What the client of the samples sent, in chunks.
const SENT: [&[&str]; 4] = [&[], &["hello"], &["hello", "world"], &["a", "a", "a"]];

type Read = Result<(Vec<u8>, Vec<(String, String)>), ChunkedFault>;

struct Sample {
    has_trailer: bool,
    data: Vec<u8>,
    body: Vec<u8>,
}

static SAMPLES: LazyLock<Vec<Sample>> = LazyLock::new(|| {
    let each = SENT.iter().flat_map(|chunks| [false, true].map(|has_trailer| sample(chunks, has_trailer)));
    each.collect()
});

fn run(input: &[u8]) {
    let [kind, piece, body @ ..] = input else { return };
    let has_trailer = kind % 2 == 1;
    let (whole, pieces) =
        (read(has_trailer, body, body.len().max(1)), read(has_trailer, body, usize::from(*piece) + 1));
    assert_eq!(whole, pieces, "the pieces made a difference");
    if let Ok((data, trailer)) = whole {
        let is_sample = SAMPLES.iter().any(|sample| sample.has_trailer == has_trailer && sample.data == data);
        assert!(is_sample, "data were taken that nobody signed");
        let told = [(TRAILER[0].to_owned(), TRAILER[1].to_owned())];
        assert!(
            trailer == if has_trailer { &told[..] } else { &[] },
            "a trailer was taken that nobody signed"
        );
    }
}

fn read(has_trailer: bool, body: &[u8], piece: usize) -> Read {
    let Payload::SignedChunks(signatures) = payload(has_trailer) else { panic!("not signed in chunks") };
    let (mut chunked, mut data) = (Chunked::new(Some(signatures)), Vec::new());
    for mut input in body.chunks(piece) {
        while let Some(some) = chunked.next(&mut input)? {
            data.extend_from_slice(some);
        }
    }
    Ok((data, chunked.finish()?))
}

/// What the verified head of a sample says.
fn payload(has_trailer: bool) -> Payload {
    let names = "host;x-amz-content-sha256;x-amz-date";
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{SCOPE}, SignedHeaders={names}, Signature={}",
        signature_of_head(has_trailer)
    );
    let headers: [(&str, &[u8]); 4] = [
        ("host", b"h"),
        ("x-amz-content-sha256", PAYLOADS[usize::from(has_trailer)].as_bytes()),
        ("x-amz-date", MOMENT.as_bytes()),
        ("authorization", authorization.as_bytes()),
    ];
    let head = RequestHead { method: "PUT", path: "/b/k", query: "", headers: &headers };
    let key = SigningKey::derive(&SecretString::new(SECRET.to_owned()), DATE, "us-east-1", "s3");
    parse(&head).ok().unwrap().verify_head(&head, &Arc::new(key)).ok().unwrap()
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html>
fn signature_of_head(has_trailer: bool) -> String {
    let payload = PAYLOADS[usize::from(has_trailer)];
    let canonical = format!(
        "PUT\n/b/k\n\nhost:h\nx-amz-content-sha256:{payload}\nx-amz-date:{MOMENT}\n\nhost;x-amz-content-sha256;x-amz-date\n{payload}"
    );
    sign(&format!("AWS4-HMAC-SHA256\n{MOMENT}\n{SCOPE}\n{}", hexadecimal(&sha256(canonical.as_bytes()))))
}

fn sample(chunks: &[&str], has_trailer: bool) -> Sample {
    let (mut body, mut previous) = (Vec::new(), signature_of_head(has_trailer));
    for chunk in chunks.iter().chain([&""]) {
        let (empty, digest) = (hexadecimal(&sha256(b"")), hexadecimal(&sha256(chunk.as_bytes())));
        previous =
            sign(&format!("AWS4-HMAC-SHA256-PAYLOAD\n{MOMENT}\n{SCOPE}\n{previous}\n{empty}\n{digest}"));
        body.extend(format!("{:x};chunk-signature={previous}\r\n{chunk}", chunk.len()).into_bytes());
        if !chunk.is_empty() || !has_trailer {
            body.extend(b"\r\n");
        }
    }
    if has_trailer {
        let [name, value] = TRAILER;
        let digest = hexadecimal(&sha256(format!("{name}:{value}\n").as_bytes()));
        let signature = sign(&format!("AWS4-HMAC-SHA256-TRAILER\n{MOMENT}\n{SCOPE}\n{previous}\n{digest}"));
        body.extend(format!("{name}:{value}\r\nx-amz-trailer-signature:{signature}\r\n\r\n").into_bytes());
    }
    Sample { has_trailer, data: chunks.concat().into_bytes(), body }
}

fn sign(text: &str) -> String {
    let start = hmac_sha256(format!("AWS4{SECRET}").as_bytes(), DATE.as_bytes());
    let key = ["us-east-1", "s3", "aws4_request"]
        .iter()
        .fold(start, |key, part| hmac_sha256(&key, part.as_bytes()));
    hexadecimal(&hmac_sha256(&key, text.as_bytes()))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn seeds() -> Vec<Vec<u8>> {
    let each = SAMPLES.iter().map(|sample| {
        let read = read(sample.has_trailer, &sample.body, 7);
        assert_eq!(read.map(|(data, _)| data).ok().as_ref(), Some(&sample.data), "a sample does not verify");
        [&[u8::from(sample.has_trailer), 6], &*sample.body].concat()
    });
    each.collect()
}

//! Bodies of S3: chunks and forms come out the same whatever the pieces in which they come, and what is no XML of an
//! operation or no policy of a form is refused.
//!
//! The first byte chooses between chunks, XML and forms, the second the size of the pieces.

use wire::s3::{
    Chunked, ChunkedFault, FIELDS_MAX, FormFault, FormReader, PostPolicy, read_bucket_configuration,
    read_cors, read_encryption_rule, read_error, read_lifecycle, read_object_encryption,
    read_objects_to_delete, read_parts_to_complete, read_public_access_block, read_tag_set,
    read_versioning_configuration, read_versions, write_cors, write_lifecycle, write_tag_set,
};

use crate::Target;

pub(crate) const TARGET: Target = Target {
    name: "s3_body",
    run,
    seeds,
    words: &[
        "0\r\n",
        "\r\n",
        ";chunk-signature=",
        "x-amz-checksum-crc32:",
        "<Object>",
        "</Object>",
        "<Part>",
        "&amp;",
        "--b",
        "Content-Disposition: form-data; name=\"",
        "; filename=\"",
        "[\"starts-with\", \"$",
    ],
};

type Read = Result<(Vec<u8>, Vec<(String, String)>), ChunkedFault>;

fn run(input: &[u8]) {
    let [kind, piece, body @ ..] = input else { return };
    match kind % 4 {
        1 => return reads_xml(body),
        2 => return reads_form(body, usize::from(*piece) + 1),
        3 => return reads_policy(body),
        _ => {}
    }
    let (whole, pieces) = (chunks(body, body.len().max(1)), chunks(body, usize::from(*piece) + 1));
    assert_eq!(whole, pieces, "the pieces made a difference");
    if let Ok((data, _)) = whole {
        assert!(data.len() < body.len(), "more data than there was");
    }
}

fn chunks(body: &[u8], piece: usize) -> Read {
    let (mut chunked, mut data) = (Chunked::new(None), Vec::new());
    for mut input in body.chunks(piece) {
        while let Some(some) = chunked.next(&mut input)? {
            data.extend_from_slice(some);
        }
    }
    Ok((data, chunked.finish()?))
}

type Form = Result<(Vec<(String, String)>, String, Option<Vec<u8>>), FormFault>;

/// Fields, the name of the file, and the file if it ends.
fn form(body: &[u8], piece: usize) -> Form {
    let mut reader = FormReader::new("multipart/form-data; boundary=b")?;
    let mut pieces = body.chunks(piece);
    let mut form = loop {
        match reader.next(pieces.next().ok_or(FormFault::NoFile)?)? {
            Ok(form) => break form,
            Err(more) => reader = more,
        }
    };
    let mut file = form.file.next(&form.begun);
    for piece in pieces {
        file.extend(form.file.next(piece));
    }
    Ok((form.fields, form.file_name, form.file.is_ended().then_some(file)))
}

fn reads_form(body: &[u8], piece: usize) {
    let (whole, pieces) = (form(body, body.len().max(1)), form(body, piece));
    assert_eq!(whole, pieces, "the pieces made a difference");
    if let Ok((fields, _, _)) = whole {
        let length: usize = fields.iter().map(|(name, value)| name.len() + value.len()).sum();
        assert!(length <= FIELDS_MAX, "fields beyond the limit");
    }
}

/// A field of which the policy says nothing is admitted by no policy.
fn reads_policy(body: &[u8]) {
    if let Ok(policy) = PostPolicy::read(body) {
        let field = ("x-amz-meta-\u{1f511} nobody says this".to_owned(), String::new());
        assert!(policy.judge(&[field]).is_err(), "a field that nobody named");
    }
}

fn reads_xml(body: &[u8]) {
    let deleted = read_objects_to_delete(body).map(|read| read.objects.len());
    assert!(deleted.is_err() || deleted.is_ok_and(|count| (1..=1_000).contains(&count)));
    let parts = read_parts_to_complete(body).map(|parts| parts.len());
    assert!(parts.is_err() || parts.is_ok_and(|count| (1..=10_000).contains(&count)));
    let _ = read_bucket_configuration(body);
    let _ = read_encryption_rule(body);
    let _ = read_object_encryption(body);
    let _ = read_versioning_configuration(body);
    let _ = (read_versions(body), read_error(body));
    if let Ok(rules) = read_lifecycle(body) {
        let _ = write_lifecycle(&rules);
    }
    if let Ok(rules) = read_cors(body) {
        assert!(!rules.is_empty(), "a configuration without rules");
        let _ = write_cors(&rules);
    }
    let _ = read_public_access_block(body);
    if let Ok(tags) = read_tag_set(body) {
        let _ = write_tag_set(tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str())));
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let bodies = [
        (0, "5\r\nhello\r\n1;x=y\r\n!\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"),
        (0, "0\r\n\r\n"),
        (1, "<Delete><Object><Key>a&amp;b</Key></Object><Quiet>true</Quiet></Delete>"),
        (
            1,
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>e</ETag></Part></CompleteMultipartUpload>",
        ),
        (
            1,
            "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>",
        ),
        (
            1,
            "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>",
        ),
        (1, "<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>"),
        (
            1,
            "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256\
             </SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>",
        ),
        (
            2,
            "--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nk\r\n--b\r\nContent-Disposition: form-data; \
             name=\"file\"; filename=\"a\\b\"\r\n\r\ncontents\r\n--b--\r\n",
        ),
        (
            3,
            "{\"expiration\": \"2026-11-28T12:00:00.000Z\", \"conditions\": [{\"bucket\": \"b\"}, \
             [\"starts-with\", \"$key\", \"a/\"], [\"content-length-range\", 1, \"10\"]]}",
        ),
    ];
    bodies.iter().map(|(kind, body)| [&[*kind, 6], body.as_bytes()].concat()).collect()
}

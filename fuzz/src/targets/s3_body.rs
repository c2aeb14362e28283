//! Bodies of S3: chunks come out the same whatever the pieces in which they come, and what is no XML of an operation is
//! refused.
//!
//! The first byte chooses between chunks and XML, the second the size of the pieces.

use wire::s3::{
    Chunked, ChunkedFault, read_bucket_configuration, read_encryption_rule, read_objects_to_delete,
    read_parts_to_complete, read_public_access_block, read_tag_set, write_tag_set,
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
    ],
};

type Read = Result<(Vec<u8>, Vec<(String, String)>), ChunkedFault>;

fn run(input: &[u8]) {
    let [kind, piece, body @ ..] = input else { return };
    if kind % 2 == 1 {
        return reads_xml(body);
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

fn reads_xml(body: &[u8]) {
    let deleted = read_objects_to_delete(body).map(|read| read.objects.len());
    assert!(deleted.is_err() || deleted.is_ok_and(|count| (1..=1_000).contains(&count)));
    let parts = read_parts_to_complete(body).map(|parts| parts.len());
    assert!(parts.is_err() || parts.is_ok_and(|count| (1..=10_000).contains(&count)));
    let _ = read_bucket_configuration(body);
    let _ = read_encryption_rule(body);
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
        (1, "<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>"),
        (
            1,
            "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256\
             </SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>",
        ),
    ];
    bodies.iter().map(|(kind, body)| [&[*kind, 6], body.as_bytes()].concat()).collect()
}

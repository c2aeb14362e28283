//! Buckets and objects.

use std::env;
use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Credentials, Region};
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketLocationConstraint, CompletedMultipartUpload, CompletedPart, CreateBucketConfiguration, Delete,
    ObjectAttributes, ObjectIdentifier, ServerSideEncryption,
};
use aws_smithy_http_client::Builder;

use crate::Outcome;

const PART: usize = 5 << 20;

/// Does what a program does with a bucket, and takes the bucket away again.
pub async fn keeps_objects(key: &str) -> Outcome {
    let client = client()?;
    let bucket = format!("rust-{}", SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos());
    let place = BucketLocationConstraint::from(env::var("AWS_REGION")?.as_str());
    let place = CreateBucketConfiguration::builder().location_constraint(place).build();
    client.create_bucket().bucket(&bucket).create_bucket_configuration(place).send().await?;
    puts_and_gets(&client, &bucket, key).await?;
    uploads_in_parts(&client, &bucket, key).await?;
    signs_urls(&client, &bucket).await?;
    lists_and_deletes(&client, &bucket).await
}

fn client() -> Result<Client, Box<dyn Error>> {
    let credentials =
        Credentials::new(env::var("AWS_ACCESS_KEY_ID")?, env::var("AWS_SECRET_ACCESS_KEY")?, None, None, "environment");
    let config = aws_sdk_s3::Config::builder()
        .behavior_version_latest()
        .endpoint_url(env::var("AWS_ENDPOINT_URL")?)
        .force_path_style(true)
        .region(Region::new(env::var("AWS_REGION")?))
        .credentials_provider(credentials)
        .http_client(Builder::new().build_http())
        .build();
    Ok(Client::from_conf(config))
}

async fn puts_and_gets(client: &Client, bucket: &str, key: &str) -> Outcome {
    let body: Vec<u8> = (0..300_000_u32).flat_map(u32::to_be_bytes).collect();
    let put = client
        .put_object()
        .bucket(bucket)
        .key("a/b c")
        .body(body.clone().into())
        .metadata("colour", "blue")
        .server_side_encryption(ServerSideEncryption::AwsKms)
        .ssekms_key_id(key)
        .send()
        .await?;
    // What the SDK sends behind the body if nobody asks for anything.
    assert!(put.checksum_crc32().is_some());
    let got = client.get_object().bucket(bucket).key("a/b c").send().await?;
    assert_eq!(got.ssekms_key_id(), Some(key));
    assert_eq!(got.metadata().and_then(|all| all.get("colour")).map(String::as_str), Some("blue"));
    assert_eq!(got.body.collect().await?.to_vec(), body);
    let part = client.get_object().bucket(bucket).key("a/b c").range("bytes=10-19").send().await?;
    assert_eq!(part.body.collect().await?.to_vec(), body[10..20]);
    let refused = client.get_object().bucket(bucket).key("absent").send().await.unwrap_err().into_service_error();
    assert!(refused.is_no_such_key(), "{refused:?}");
    let wrong = client.put_object().bucket(bucket).key("wrong").body(ByteStream::from_static(b"x"));
    let refused = wrong.checksum_crc32("AAAAAA==").send().await.unwrap_err().into_service_error();
    assert_eq!(refused.code(), Some("BadDigest"));
    Ok(())
}

async fn uploads_in_parts(client: &Client, bucket: &str, key: &str) -> Outcome {
    let bodies = [vec![1_u8; PART], vec![2_u8; PART], vec![3_u8; 77]];
    let begun = client
        .create_multipart_upload()
        .bucket(bucket)
        .key("large")
        .server_side_encryption(ServerSideEncryption::AwsKms)
        .ssekms_key_id(key)
        .send()
        .await?;
    let upload = begun.upload_id().ok_or("an upload")?;
    let mut parts = CompletedMultipartUpload::builder();
    for (number, body) in (1..).zip(&bodies) {
        let part = client.upload_part().bucket(bucket).key("large").upload_id(upload).part_number(number);
        let part = part.body(body.clone().into()).send().await?;
        let tag = part.e_tag().ok_or("an entity tag")?;
        parts = parts.parts(CompletedPart::builder().part_number(number).e_tag(tag).build());
    }
    let done = client.complete_multipart_upload().bucket(bucket).key("large").upload_id(upload);
    let done = done.multipart_upload(parts.build()).send().await?;
    assert!(done.e_tag().is_some_and(|tag| tag.ends_with("-3\"")));
    let second = client.get_object().bucket(bucket).key("large").part_number(2).send().await?;
    assert_eq!(second.parts_count(), Some(3));
    assert_eq!(second.body.collect().await?.to_vec(), bodies[1]);
    let told = client.get_object_attributes().bucket(bucket).key("large");
    let told = told.object_attributes(ObjectAttributes::ObjectParts).send().await?;
    assert_eq!(told.object_parts().and_then(|parts| parts.total_parts_count()), Some(3));
    let whole = client.get_object().bucket(bucket).key("large").send().await?;
    assert_eq!(whole.body.collect().await?.to_vec(), bodies.concat());
    Ok(())
}

async fn signs_urls(client: &Client, bucket: &str) -> Outcome {
    let lasting = PresigningConfig::expires_in(Duration::from_secs(60))?;
    let signed = client.put_object().bucket(bucket).key("signed").presigned(lasting.clone()).await?;
    assert!(fetch("PUT", signed.uri(), "by URL")?.starts_with("HTTP/1.1 200"));
    let signed = client.get_object().bucket(bucket).key("signed").presigned(lasting).await?;
    assert!(fetch("GET", signed.uri(), "")?.ends_with("\r\n\r\nby URL"));
    let other = signed.uri().replace("/signed?", "/large?");
    assert!(fetch("GET", &other, "")?.starts_with("HTTP/1.1 403"));
    Ok(())
}

/// The answer to a request that has nothing but a URL.
fn fetch(method: &str, url: &str, body: &str) -> Result<String, Box<dyn Error>> {
    let (host, path) = url.strip_prefix("http://").and_then(|rest| rest.split_once('/')).ok_or("a URL")?;
    let mut connection = TcpStream::connect(host)?;
    let length = body.len();
    let head = format!("{method} /{path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\nconnection: close");
    connection.write_all(format!("{head}\r\n\r\n{body}").as_bytes())?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    Ok(answer)
}

async fn lists_and_deletes(client: &Client, bucket: &str) -> Outcome {
    let mut pages = client.list_objects_v2().bucket(bucket).into_paginator().page_size(1).send();
    let mut keys = Vec::new();
    while let Some(page) = pages.next().await {
        keys.extend(page?.contents().iter().filter_map(|one| one.key().map(str::to_owned)));
    }
    assert_eq!(keys, ["a/b c", "large", "signed"]);
    let mut delete = Delete::builder();
    for key in &keys {
        delete = delete.objects(ObjectIdentifier::builder().key(key).build()?);
    }
    let deleted = client.delete_objects().bucket(bucket).delete(delete.build()?).send().await?;
    assert_eq!(deleted.deleted().len(), keys.len());
    client.delete_bucket().bucket(bucket).send().await?;
    let refused = client.head_bucket().bucket(bucket).send().await.unwrap_err().into_service_error();
    assert!(refused.is_not_found(), "{refused:?}");
    Ok(())
}

//! The AWS SDK for Rust against a running server.
//!
//! `tests/test_rust_sdk.py` runs this program; the environment names the server. It ends with an error at the first
//! answer that is not the expected one.

mod s3;

use std::env;
use std::error::Error;

use aws_sdk_kms::Client;
use aws_sdk_kms::config::{Credentials, Region};
use aws_sdk_kms::error::ProvideErrorMetadata;
use aws_sdk_kms::operation::RequestId;
use aws_sdk_kms::types::{DataKeySpec, KeyState, Tag};
use aws_smithy_http_client::Builder;
use aws_smithy_types::Blob;

type Outcome = Result<(), Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let client = client()?;
    let key = env::var("KEYWRIGHT_KEY_ARN")?;
    let alias = env::var("KEYWRIGHT_ALIAS")?;
    encrypts_and_decrypts(&client, &key, &alias).await?;
    manages_a_key(&client).await?;
    makes_data_keys(&client, &key).await?;
    pages(&client).await?;
    gets_modelled_errors(&client).await?;
    s3::keeps_objects(&key).await?;
    println!("all checks passed");
    Ok(())
}

fn client() -> Result<Client, Box<dyn Error>> {
    let credentials =
        Credentials::new(env::var("AWS_ACCESS_KEY_ID")?, env::var("AWS_SECRET_ACCESS_KEY")?, None, None, "environment");
    let config = aws_sdk_kms::Config::builder()
        .behavior_version_latest()
        .endpoint_url(env::var("AWS_ENDPOINT_URL")?)
        .region(Region::new(env::var("AWS_REGION")?))
        .credentials_provider(credentials)
        .http_client(Builder::new().build_http())
        .build();
    Ok(Client::from_conf(config))
}

async fn encrypts_and_decrypts(client: &Client, key: &str, alias: &str) -> Outcome {
    let id = key.rsplit('/').next().ok_or("an ARN with a slash")?;
    for identifier in [key, id, alias] {
        let sealed = client
            .encrypt()
            .key_id(identifier)
            .plaintext(Blob::new("hello"))
            .encryption_context("purpose", "töst")
            .send()
            .await?;
        assert_eq!(sealed.key_id(), Some(key));
        let blob = sealed.ciphertext_blob().ok_or("a ciphertext")?.clone();
        let opened =
            client.decrypt().ciphertext_blob(blob.clone()).encryption_context("purpose", "töst").send().await?;
        assert_eq!(opened.plaintext(), Some(&Blob::new("hello")));
        assert_eq!(opened.key_material_id().map(str::len), Some(64));
        let refused = client.decrypt().ciphertext_blob(blob).send().await.unwrap_err().into_service_error();
        assert!(refused.is_invalid_ciphertext_exception(), "{refused:?}");
        assert_eq!(refused.message(), None);
    }
    Ok(())
}

async fn manages_a_key(client: &Client) -> Outcome {
    let tag = Tag::builder().tag_key("a").tag_value("b").build()?;
    let made = client.create_key().description("made by Rust").tags(tag.clone()).send().await?;
    let metadata = made.key_metadata().ok_or("metadata")?;
    let (id, arn) = (metadata.key_id(), metadata.arn().ok_or("an ARN")?);
    assert_eq!(client.list_resource_tags().key_id(id).send().await?.tags(), [tag]);
    client.disable_key().key_id(id).send().await?;
    let described = client.describe_key().key_id(id).send().await?;
    assert_eq!(described.key_metadata().and_then(|found| found.key_state()), Some(&KeyState::Disabled));
    let refused = client.encrypt().key_id(id).plaintext(Blob::new("x")).send().await.unwrap_err().into_service_error();
    assert!(refused.is_disabled_exception(), "{refused:?}");
    assert_eq!(refused.message(), Some(format!("{arn} is disabled.").as_str()));
    assert!(refused.request_id().is_some());
    let scheduled = client.schedule_key_deletion().key_id(id).pending_window_in_days(7).send().await?;
    assert!(scheduled.deletion_date().is_some());
    let refused = client.enable_key().key_id(id).send().await.unwrap_err().into_service_error();
    assert!(refused.is_kms_invalid_state_exception(), "{refused:?}");
    Ok(())
}

async fn makes_data_keys(client: &Client, key: &str) -> Outcome {
    let made = client.generate_data_key().key_id(key).key_spec(DataKeySpec::Aes256).send().await?;
    let blob = made.ciphertext_blob().ok_or("a ciphertext")?.clone();
    let opened = client.decrypt().key_id(key).ciphertext_blob(blob).send().await?;
    assert_eq!(opened.plaintext(), made.plaintext());
    let hidden = client.generate_data_key_without_plaintext().key_id(key).number_of_bytes(64).send().await?;
    let blob = hidden.ciphertext_blob().ok_or("a ciphertext")?.clone();
    let moved = client.re_encrypt().ciphertext_blob(blob).destination_key_id(key).send().await?;
    assert_eq!(moved.source_key_id(), Some(key));
    Ok(())
}

async fn pages(client: &Client) -> Outcome {
    let mut pages = client.list_keys().into_paginator().page_size(1).items().send();
    let mut found = 0;
    while let Some(entry) = pages.next().await {
        assert!(entry?.key_arn().is_some());
        found += 1;
    }
    assert!(found >= 1);
    Ok(())
}

async fn gets_modelled_errors(client: &Client) -> Outcome {
    let refused = client.describe_key().key_id("fake-key-id").send().await.unwrap_err().into_service_error();
    assert!(refused.is_not_found_exception(), "{refused:?}");
    assert_eq!(refused.message(), Some("Invalid keyId 'fake-key-id'"));
    let refused = client.retire_grant().grant_token("x").send().await.unwrap_err().into_service_error();
    assert!(refused.is_invalid_grant_token_exception(), "{refused:?}");
    let refused = client.generate_random().send().await.unwrap_err().into_service_error();
    assert_eq!((refused.code(), refused.message()), (Some("ValidationException"), Some("NumberOfBytes is required.")));
    Ok(())
}

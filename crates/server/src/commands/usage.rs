//! `keywright usage`: asks a running service what depends on a key.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use serde_json::json;

use super::calling;
use crate::client::answers::{BucketUsage, KeyUsage};
use crate::client::{Client, ClientError};
use crate::command_line::{OutputFormat, Usage};
use crate::terminal::{self, Progress};

/// All that depends on a key.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct WholeUsage {
    key_id: String,
    buckets: Vec<BucketUsage>,
}

/// Prints what depends on a key.
pub(super) async fn usage(arguments: &Usage) -> Result<(), ClientError> {
    let client = Client::new(calling::profile(&arguments.connection)?)?;
    let (mut progress, mut records) = (Progress::new("records looked at"), 0_u64);
    let (mut found, mut marker) = (BTreeMap::new(), None);
    let key_id = loop {
        let page = page(&client, &arguments.key, marker).await?;
        records = records.saturating_add(page.records);
        progress.tell(records);
        page.buckets.into_iter().for_each(|usage| add(&mut found, usage));
        marker = page.next_marker;
        if marker.is_none() {
            break page.key_id;
        }
    };
    progress.end();
    let all = WholeUsage { key_id, buckets: found.into_values().collect() };
    terminal::say(&match arguments.connection.format {
        OutputFormat::Text => all.rendered(),
        OutputFormat::Json => calling::as_json(&all),
    });
    Ok(())
}

async fn page(client: &Client, key: &str, marker: Option<String>) -> Result<KeyUsage, ClientError> {
    let request = match marker {
        Some(marker) => json!({"KeyId": key, "Marker": marker}),
        None => json!({"KeyId": key}),
    };
    client.call("ListKeyUsage", &request).await
}

/// A bucket may come in several pages.
fn add(found: &mut BTreeMap<String, BucketUsage>, usage: BucketUsage) {
    match found.get_mut(&usage.bucket) {
        Some(known) => {
            known.is_default |= usage.is_default;
            known.objects = known.objects.saturating_add(usage.objects);
            known.bytes = known.bytes.saturating_add(usage.bytes);
            known.uploads = known.uploads.saturating_add(usage.uploads);
        }
        None => {
            found.insert(usage.bucket.clone(), usage);
        }
    }
}

impl WholeUsage {
    fn rendered(&self) -> String {
        let mut text = format!("{}\n", self.key_id);
        if self.buckets.is_empty() {
            text.push_str("\nnothing in S3 depends on it\n");
        }
        for bucket in &self.buckets {
            // Writing to a text cannot fail.
            let _ = bucket.write_to(&mut text);
        }
        text
    }
}

impl BucketUsage {
    fn write_to(&self, text: &mut String) -> std::fmt::Result {
        writeln!(text, "\n{}", self.bucket)?;
        if self.is_default {
            writeln!(text, "  encrypts under it by default")?;
        }
        if self.objects > 0 {
            writeln!(text, "  {}, {}", counted(self.objects, "object"), counted(self.bytes, "byte"))?;
        }
        if self.uploads > 0 {
            writeln!(text, "  {} under way", counted(self.uploads, "upload"))?;
        }
        Ok(())
    }
}

fn counted(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(name: &str, is_default: bool, objects: u64, uploads: u64) -> BucketUsage {
        BucketUsage { bucket: name.to_owned(), is_default, objects, bytes: objects * 10, uploads }
    }

    #[test]
    fn pages_of_one_bucket_are_added_up_and_told_once() {
        let mut found = BTreeMap::new();
        for part in [bucket("b", true, 1, 0), bucket("a", false, 0, 2), bucket("b", false, 2, 0)] {
            add(&mut found, part);
        }
        let all = WholeUsage { key_id: "arn:k".to_owned(), buckets: found.into_values().collect() };
        assert_eq!(
            all.rendered(),
            "arn:k\n\na\n  2 uploads under way\n\nb\n  encrypts under it by default\n  3 objects, 30 bytes\n"
        );
        let none = WholeUsage { key_id: "arn:k".to_owned(), buckets: Vec::new() };
        assert_eq!(none.rendered(), "arn:k\n\nnothing in S3 depends on it\n");
    }
}

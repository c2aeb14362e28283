//! `keywright objects rewrap`: has a running service seal the keys of a bucket's objects, with all their versions, under
//! another KMS key.
//!
//! Nothing is kept between runs: each object is asked what it is under, and one that is under the key already is left
//! alone. So a run that was cut off is run again. What the service has answered is done; nothing is half done.

use std::sync::Arc;

use serde::Serialize;
use tokio::task::{JoinError, JoinSet};

use super::calling;
use crate::client::s3::{ObjectEncryption, Version};
use crate::client::{Client, ClientError};
use crate::command_line::{OutputFormat, Rewrap};
use crate::terminal::{self, Progress};

/// After so many failures the rest would hardly fare better.
const FAILURES_MAX: u64 = 100;

/// Objects were not brought under the key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RewrapError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("{0} objects are not under the key: see above, and run it again")]
    Left(u64),
    #[error("stopped after {0} failures: see above, and run it again")]
    Stopped(u64),
    #[error("a part of this program failed: {0}")]
    Task(#[from] JoinError),
}

/// What is to be done with each object.
struct Task {
    client: Client,
    bucket: String,
    key_arn: String,
    from: Option<String>,
    with_bucket_key: bool,
}

/// What became of an object.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Rewrapped,
    /// It was under the key.
    Already,
    /// It is under no key that is asked for.
    Other,
    /// It is under a customer's key.
    Customer,
    /// It is in two layers, which cannot be done.
    TwoLayers,
    /// It was deleted meanwhile.
    Gone,
    Failed(String),
}

/// What became of all.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Summary {
    rewrapped: u64,
    already: u64,
    under_other_keys: u64,
    under_customers_keys: u64,
    in_two_layers: u64,
    deleted_meanwhile: u64,
    failed: u64,
}

/// Rewraps the objects, some at a time, and prints what became of them.
pub(super) async fn rewrap(arguments: &Rewrap) -> Result<(), RewrapError> {
    let client = Client::new(calling::profile(&arguments.connection).map_err(ClientError::from)?)?;
    let key_arn = as_arn(&client, &arguments.kms_key_id).await?;
    let from = match &arguments.from_key {
        Some(from) => Some(as_arn(&client, from).await?),
        None => None,
    };
    let (bucket, with_bucket_key) = (arguments.bucket.clone(), arguments.bucket_key);
    let task = Arc::new(Task { client, bucket, key_arn, from, with_bucket_key });
    let mut run = Run::default();
    let done = run.through(&task, arguments).await;
    run.progress.end();
    terminal::say(&match arguments.connection.format {
        OutputFormat::Text => run.summary.rendered(&task),
        OutputFormat::Json => calling::as_json(&run.summary),
    });
    done?;
    match run.summary.failed + run.summary.in_two_layers {
        0 => Ok(()),
        left => Err(RewrapError::Left(left)),
    }
}

/// A key that is named by its ARN need not be looked up.
async fn as_arn(client: &Client, name: &str) -> Result<String, ClientError> {
    let is_arn = name.starts_with("arn:") && name.contains(":key/");
    if is_arn { Ok(name.to_owned()) } else { client.key_arn(name).await }
}

/// A run through a bucket.
struct Run {
    summary: Summary,
    progress: Progress,
    under_way: JoinSet<(Version, Outcome)>,
}

impl Default for Run {
    fn default() -> Self {
        Self {
            summary: Summary::default(),
            progress: Progress::new("objects looked at"),
            under_way: JoinSet::new(),
        }
    }
}

impl Run {
    async fn through(&mut self, task: &Arc<Task>, arguments: &Rewrap) -> Result<(), RewrapError> {
        let mut after = None;
        loop {
            let page = task.client.list_versions(&task.bucket, &arguments.prefix, after.as_ref()).await?;
            for version in page.versions {
                while self.under_way.len() >= usize::from(arguments.concurrency) {
                    self.take_one().await?;
                }
                let task = Arc::clone(task);
                self.under_way.spawn(async move {
                    let outcome = task.rewrap(&version).await;
                    (version, outcome)
                });
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        while !self.under_way.is_empty() {
            self.take_one().await?;
        }
        Ok(())
    }

    /// Waits for an object.
    async fn take_one(&mut self) -> Result<(), RewrapError> {
        let Some(done) = self.under_way.join_next().await else { return Ok(()) };
        let (Version { key, id }, outcome) = done?;
        if let Outcome::Failed(reason) = &outcome {
            self.progress.end();
            terminal::complain(&format!("{key:?}, version {id}: {reason}"));
        }
        self.summary.count(&outcome);
        self.progress.tell(self.summary.all());
        if self.summary.failed >= FAILURES_MAX {
            return Err(RewrapError::Stopped(self.summary.failed));
        }
        Ok(())
    }
}

impl Task {
    async fn rewrap(&self, version: &Version) -> Outcome {
        let encryption = match self.client.encryption_of(&self.bucket, version).await {
            Ok(Some(encryption)) => encryption,
            Ok(None) => return Outcome::Gone,
            Err(error) => return Outcome::Failed(error.to_string()),
        };
        let with_bucket_key = match self.judge(&encryption) {
            Ok(with_bucket_key) => with_bucket_key,
            Err(outcome) => return outcome,
        };
        let asked = (self.key_arn.as_str(), with_bucket_key);
        match self.client.update_object_encryption(&self.bucket, version, asked).await {
            Ok(()) => Outcome::Rewrapped,
            Err(ClientError::Refused { code, .. }) if matches!(&*code, "NoSuchKey" | "NoSuchVersion") => {
                Outcome::Gone
            }
            Err(error) => Outcome::Failed(error.to_string()),
        }
    }

    /// Whether an object is to be rewrapped, and if so, whether under a bucket key: what has one keeps one.
    fn judge(&self, encryption: &ObjectEncryption) -> Result<bool, Outcome> {
        let (present, has_bucket_key) = match encryption {
            ObjectEncryption::Customer => return Err(Outcome::Customer),
            ObjectEncryption::Service => (None, false),
            ObjectEncryption::TwoLayers { key_arn } => (Some(key_arn), false),
            ObjectEncryption::Kms { key_arn, with_bucket_key } => (Some(key_arn), *with_bucket_key),
        };
        let is_in_two_layers = matches!(encryption, ObjectEncryption::TwoLayers { .. });
        let lacks_bucket_key = self.with_bucket_key && !has_bucket_key && !is_in_two_layers;
        if present == Some(&self.key_arn) && !lacks_bucket_key {
            return Err(Outcome::Already);
        }
        if self.from.is_some() && present != self.from.as_ref() {
            return Err(Outcome::Other);
        }
        if is_in_two_layers { Err(Outcome::TwoLayers) } else { Ok(self.with_bucket_key || has_bucket_key) }
    }
}

impl Summary {
    fn count(&mut self, outcome: &Outcome) {
        let count = match outcome {
            Outcome::Rewrapped => &mut self.rewrapped,
            Outcome::Already => &mut self.already,
            Outcome::Other => &mut self.under_other_keys,
            Outcome::Customer => &mut self.under_customers_keys,
            Outcome::TwoLayers => &mut self.in_two_layers,
            Outcome::Gone => &mut self.deleted_meanwhile,
            Outcome::Failed(_) => &mut self.failed,
        };
        *count += 1;
    }

    fn all(&self) -> u64 {
        let left = self.under_other_keys + self.under_customers_keys + self.in_two_layers;
        self.rewrapped + self.already + left + self.deleted_meanwhile + self.failed
    }

    fn rendered(&self, task: &Task) -> String {
        let mut text = format!("{}: {} objects\n", task.bucket, self.all());
        for (count, what) in [
            (self.rewrapped, format!("rewrapped under {}", task.key_arn)),
            (self.already, "under it before".to_owned()),
            (self.under_other_keys, "not under the key of --from-key, left alone".to_owned()),
            (self.under_customers_keys, "under keys of customers (SSE-C), left alone".to_owned()),
            (
                self.in_two_layers,
                "in two layers (DSSE-KMS): only a copy gets them under another key".to_owned(),
            ),
            (self.deleted_meanwhile, "deleted meanwhile".to_owned()),
            (self.failed, "failed".to_owned()),
        ] {
            if count > 0 {
                text.push_str(&format!("  {count} {what}\n"));
            }
        }
        text
    }
}

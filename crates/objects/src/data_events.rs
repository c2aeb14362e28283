//! Events of what happens to objects: data events, which are logged only where a trail delivers them.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html>

use base::{AccountId, Call};
use store::Transaction;

use crate::error::ObjectsError;
use crate::operation::Operation;
use crate::ports::DataEvent;
use crate::request::{Answer, Request, Target};
use crate::stored_object::Dropped;
use crate::{Objects, bucket};

const OBJECT: &str = "AWS::S3::Object";
const BUCKET: &str = "AWS::S3::Bucket";

/// What an event on objects is about.
struct Subject {
    owner: AccountId,
    bucket_arn: String,
    object_arn: String,
}

impl Objects {
    /// Carries out an operation on objects. If a trail delivers its event, that is in the audit log before this returns.
    ///
    /// # Errors
    /// As [`Objects::call`].
    pub(crate) async fn call_on_objects(
        &self,
        operation: Operation,
        call: &Call,
        request: Request,
    ) -> Result<Answer, ObjectsError> {
        if !self.data_events.are_any().await? {
            return self.run(operation, call, request).await;
        }
        let subject = self.subject(call, &request.target).await?;
        if !self.is_delivered(operation, call, &subject).await? {
            return self.run(operation, call, request).await;
        }
        if !operation.is_read_only() {
            // Nothing is changed whose event could not be logged.
            self.trail.ready().await?;
        }
        let recording = self.trail.begin_change(call, operation.event_name());
        call.event.add_resource(OBJECT, subject.owner, &subject.object_arn);
        call.event.add_resource(BUCKET, subject.owner, &subject.bucket_arn);
        self.run_recorded(recording, operation, call, request).await
    }

    /// Commits a change of objects, as [`Objects::commit_and_drop`] does, together with its event if that is to be logged.
    pub(crate) async fn change_objects(
        &self,
        call: &Call,
        transaction: Transaction,
        dropped: Option<Dropped>,
    ) -> Result<bool, ObjectsError> {
        let transaction = match self.trail.beside_expected_change(call)? {
            Some(event) => transaction.outbox(event),
            None => transaction,
        };
        let is_made = self.commit_and_drop(transaction, dropped).await?;
        if is_made {
            self.trail.expected_change_is_made(call);
        }
        Ok(is_made)
    }

    /// What is asked of a bucket's objects together is about all of them; of a bucket that is not there, the caller is told.
    async fn subject(&self, call: &Call, target: &Target) -> Result<Subject, ObjectsError> {
        let (name, key) = match target {
            Target::Object(name, key) => (name.as_str(), key.as_str()),
            Target::Bucket(name) => (name.as_str(), ""),
            Target::Service => ("", ""),
        };
        let found = match name.parse() {
            Ok(name) => self.find_bucket(&name).await?,
            Err(_) => None,
        };
        let owner = found.map_or(call.caller.account, |bucket| bucket.owner);
        let bucket_arn = bucket::arn(call.region, name);
        Ok(Subject { owner, object_arn: format!("{bucket_arn}/{key}"), bucket_arn })
    }

    async fn is_delivered(
        &self,
        operation: Operation,
        call: &Call,
        subject: &Subject,
    ) -> Result<bool, ObjectsError> {
        let resources = [(OBJECT, subject.object_arn.as_str()), (BUCKET, subject.bucket_arn.as_str())];
        let accounts = [call.caller.account, subject.owner];
        let event = DataEvent {
            source: operation.event_name().source,
            region: call.region,
            time: call.time,
            read_only: operation.is_read_only(),
            resources: &resources,
        };
        for account in accounts {
            if self.data_events.are_wanted(account, &event).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

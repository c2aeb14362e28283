//! One event in CloudTrail's form.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>

use std::fmt::{self, Display};

use base::{AccountId, Call, Region, Timestamp};
use serde::Serialize;

use crate::user_identity::{INTERNAL, UserIdentity};

/// The record of one mutation that is about to be committed.
///
/// `requestParameters` and `responseElements` are null for now; nothing secret can get in.
#[derive(Debug)]
pub struct MutationRecord(Event);

/// The id of one event: a UUID, unique for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventId([u8; 16]);

/// The event could not be written as JSON; the mutation must not be committed without it.
#[derive(Debug, thiserror::Error)]
#[error("an audit record could not be encoded: {0}")]
pub struct RecordError(#[from] serde_json::Error);

impl EventId {
    /// A version 4 UUID made of random bytes.
    pub fn new(random: [u8; 16]) -> Self {
        Self(uuid::Builder::from_random_bytes(random).into_uuid().into_bytes())
    }
}

impl Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(uuid::Uuid::from_bytes_ref(&self.0), f)
    }
}

impl MutationRecord {
    /// What a caller did: an `AwsApiCall` event. `event_source` is the service's DNS name, for example
    /// `kms.amazonaws.com`; `event_name` the operation.
    pub fn of_call(id: EventId, call: &Call, event_source: &'static str, event_name: &'static str) -> Self {
        let account = call.caller.account;
        let service = call.service.as_ref().map(|service| service.principal.clone());
        Self(Event {
            user_identity: UserIdentity::of(&call.caller).invoked_by(service.clone()),
            source_ip_address: service.clone().unwrap_or_else(|| call.source_address.to_string()),
            user_agent: service.unwrap_or_else(|| call.user_agent.to_string()),
            request_id: Some(call.request_id.to_string()),
            event_type: "AwsApiCall",
            ..Event::new(id, call.time, account, call.region, event_source, event_name)
        })
    }

    /// What the service did by itself, because it was due or at start: an `AwsServiceEvent`.
    pub fn of_service(
        id: EventId,
        time: Timestamp,
        account: AccountId,
        region: Region,
        event_source: &'static str,
        event_name: &'static str,
    ) -> Self {
        Self(Event::new(id, time, account, region, event_source, event_name))
    }

    /// Names a KMS key or alias that the mutation touched. AWS lists alias ARNs with the type of keys, too.
    pub fn with_key(self, owner: AccountId, arn: impl Display) -> Self {
        self.with_resource("AWS::KMS::Key", owner, arn)
    }

    /// Names an IAM user that the mutation touched.
    pub fn with_user(self, owner: AccountId, arn: impl Display) -> Self {
        self.with_resource("AWS::IAM::User", owner, arn)
    }

    /// Names something of IAM that the mutation touched; `kind` is the type of resource, such as `AWS::IAM::Role`.
    pub fn with_identity(self, kind: &'static str, owner: AccountId, arn: impl Display) -> Self {
        self.with_resource(kind, owner, arn)
    }

    /// The event as the bytes for a transaction's outbox: one line of JSON, without its line end.
    ///
    /// # Errors
    /// None that is known; if encoding fails all the same, the mutation must fail with it.
    pub fn encode(&self) -> Result<Vec<u8>, RecordError> {
        Ok(serde_json::to_vec(&self.0)?)
    }

    fn with_resource(mut self, kind: &'static str, owner: AccountId, arn: impl Display) -> Self {
        self.0.resources.push(Resource { account_id: owner.to_string(), kind, arn: arn.to_string() });
        self
    }
}

/// Fields in the order of the published examples.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    event_version: &'static str,
    user_identity: UserIdentity,
    event_time: String,
    event_source: &'static str,
    event_name: &'static str,
    aws_region: String,
    #[serde(rename = "sourceIPAddress")]
    source_ip_address: String,
    user_agent: String,
    request_parameters: Option<()>,
    response_elements: Option<()>,
    #[serde(rename = "requestID", skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    #[serde(rename = "eventID")]
    event_id: String,
    read_only: bool,
    resources: Vec<Resource>,
    event_type: &'static str,
    management_event: bool,
    recipient_account_id: String,
    event_category: &'static str,
}

impl Event {
    /// A service event; a call's event replaces what names the caller.
    fn new(
        id: EventId,
        time: Timestamp,
        account: AccountId,
        region: Region,
        event_source: &'static str,
        event_name: &'static str,
    ) -> Self {
        Self {
            event_version: "1.11",
            user_identity: UserIdentity::service(account),
            event_time: time.iso_extended(),
            event_source,
            event_name,
            aws_region: region.to_string(),
            source_ip_address: INTERNAL.to_owned(),
            user_agent: INTERNAL.to_owned(),
            request_parameters: None,
            response_elements: None,
            request_id: None,
            event_id: id.to_string(),
            read_only: false,
            resources: Vec::new(),
            event_type: "AwsServiceEvent",
            management_event: true,
            recipient_account_id: account.to_string(),
            event_category: "Management",
        }
    }
}

#[derive(Debug, Serialize)]
struct Resource {
    #[serde(rename = "accountId")]
    account_id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "ARN")]
    arn: String,
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use base::{Caller, Principal, RequestId};
    use serde_json::{Value, json};

    use super::*;

    const ARN: &str = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    fn call() -> Call {
        Call {
            request_id: RequestId::new([7; 16]),
            caller: Arc::new(Caller {
                account: "123456789012".parse().unwrap(),
                principal: Principal::User {
                    path_and_name: "ops/alice".into(),
                    unique_id: "AIDAEXAMPLE".into(),
                },
                access_key_id: "AKIAIOSFODNN7EXAMPLE".into(),
                session: None,
            }),
            region: "eu-central-1".parse().unwrap(),
            time: Timestamp::from_iso_basic("20180920T174101Z").unwrap(),
            source_address: "192.0.2.7".parse().unwrap(),
            is_secure: false,
            user_agent: "aws-cli/2\n\"quoted\"".into(),
            service: None,
        }
    }

    fn encoded(record: &MutationRecord) -> Value {
        let bytes = record.encode().unwrap();
        assert!(!bytes.contains(&b'\n'), "an event is one line");
        serde_json::from_slice(&bytes).unwrap()
    }

    #[test]
    fn a_call_is_told_in_cloudtrails_form() {
        let call = call();
        let id = EventId::new([9; 16]);
        let record = MutationRecord::of_call(id, &call, "kms.amazonaws.com", "EnableKey");
        let expected = json!({
            "eventVersion": "1.11",
            "userIdentity": {
                "type": "IAMUser",
                "principalId": "AIDAEXAMPLE",
                "arn": "arn:aws:iam::123456789012:user/ops/alice",
                "accountId": "123456789012",
                "accessKeyId": "AKIAIOSFODNN7EXAMPLE",
                "userName": "alice"
            },
            "eventTime": "2018-09-20T17:41:01Z",
            "eventSource": "kms.amazonaws.com",
            "eventName": "EnableKey",
            "awsRegion": "eu-central-1",
            "sourceIPAddress": "192.0.2.7",
            "userAgent": "aws-cli/2\n\"quoted\"",
            "requestParameters": null,
            "responseElements": null,
            "requestID": "07070707-0707-4707-8707-070707070707",
            "eventID": "09090909-0909-4909-8909-090909090909",
            "readOnly": false,
            "resources": [{"accountId": "123456789012", "type": "AWS::KMS::Key", "ARN": ARN}],
            "eventType": "AwsApiCall",
            "managementEvent": true,
            "recipientAccountId": "123456789012",
            "eventCategory": "Management"
        });
        assert_eq!(encoded(&record.with_key(call.caller.account, ARN)), expected);
    }

    #[test]
    fn scheduled_work_has_no_caller_and_no_request() {
        let account = "123456789012".parse().unwrap();
        let region = "eu-central-1".parse().unwrap();
        let time = Timestamp::from_seconds(0);
        let id = EventId::new([1; 16]);
        let record = MutationRecord::of_service(id, time, account, region, "kms.amazonaws.com", "RotateKey");
        let event = encoded(&record.with_key(account, ARN));
        assert_eq!(event["userIdentity"], json!({"accountId": "123456789012", "invokedBy": "AWS Internal"}));
        assert_eq!(event["eventType"], "AwsServiceEvent");
        assert_eq!(event["sourceIPAddress"], "AWS Internal");
        assert_eq!(event.get("requestID"), None);
        assert_eq!(event["eventTime"], "1970-01-01T00:00:00Z");
    }

    #[test]
    fn resources_keep_their_order() {
        let call = call();
        let account = call.caller.account;
        let alias = "arn:aws:kms:eu-central-1:123456789012:alias/app";
        let record =
            MutationRecord::of_call(EventId::new([2; 16]), &call, "kms.amazonaws.com", "CreateAlias")
                .with_key(account, ARN)
                .with_key(account, alias);
        let event = encoded(&record);
        assert_eq!(event["resources"][0]["ARN"], ARN);
        assert_eq!(event["resources"][1]["ARN"], alias);
    }
}

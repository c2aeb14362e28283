//! An event of the log, as far as looking it up goes.

use std::borrow::Cow;

use base::{AccountId, Region, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::term::{Attribute, Category, Scope};

/// The source whose events name their resources in their parameters alone.
const IAM: &str = "iam.amazonaws.com";
const KEY: &str = "AWS::KMS::Key";

/// An event that was logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedEvent {
    /// Its number in the log.
    pub sequence: u64,
    /// Whose and which Region's it is.
    pub scope: Scope,
    /// `eventTime`, to the second.
    pub time: Timestamp,
    /// `eventID`.
    pub id: String,
    /// `eventName`.
    pub name: String,
    /// `eventSource`.
    pub source: String,
    /// `readOnly`.
    pub read_only: Option<bool>,
    /// Who did it, by the name that LookupEvents gives: of a user its name, of a session the session's.
    pub user_name: Option<String>,
    /// `userIdentity.arn`.
    pub user_arn: Option<String>,
    /// `userIdentity.invokedBy`.
    pub invoked_by: Option<String>,
    /// `userIdentity.accessKeyId`.
    pub access_key_id: Option<String>,
    /// What it was about.
    pub resources: Vec<Resource>,
    /// `errorCode`, if the call was refused or failed.
    pub error_code: Option<String>,
    /// `sourceIPAddress`.
    pub source_address: Option<String>,
    /// The whole event, byte for byte as it was logged.
    pub json: String,
}

/// Something that an event was about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Resource {
    /// Its type, such as `AWS::KMS::Key`.
    pub kind: String,
    /// Its name: an ARN, the id of a key, the name of a user.
    pub name: String,
}

impl LoggedEvent {
    /// Reads an event. `None` if it lacks what says when it was and whose it is: nobody can look such an event up.
    pub fn read(sequence: u64, json: &str) -> Option<Self> {
        let raw: Raw<'_> = serde_json::from_str(json).ok()?;
        let category = match raw.event_category.as_deref() {
            None | Some("Management") => Category::Management,
            Some(_) => Category::Other,
        };
        let scope = Scope {
            account: raw.recipient_account_id.as_deref()?.parse().ok()?,
            region: raw.aws_region.parse().ok()?,
            category,
        };
        let time: Timestamp = raw.event_time.parse().ok()?;
        let resources = raw.resources();
        let user_name = raw.user_identity.as_ref().and_then(Identity::name);
        let identity = raw.user_identity.unwrap_or_default();
        Some(Self {
            sequence,
            scope,
            time: Timestamp::from_seconds(time.seconds()),
            id: raw.event_id.into_owned(),
            name: raw.event_name.unwrap_or_default().into_owned(),
            source: raw.event_source.unwrap_or_default().into_owned(),
            read_only: raw.read_only,
            user_name,
            user_arn: identity.arn.map(Cow::into_owned),
            invoked_by: identity.invoked_by.map(Cow::into_owned),
            access_key_id: identity.access_key_id.filter(|id| !id.is_empty()).map(Cow::into_owned),
            resources,
            error_code: raw.error_code.map(Cow::into_owned),
            source_address: raw.source_ip_address.map(Cow::into_owned),
            json: json.to_owned(),
        })
    }

    /// The account that got this event.
    pub fn account(&self) -> AccountId {
        self.scope.account
    }

    /// The Region that it is about.
    pub fn region(&self) -> Region {
        self.scope.region
    }

    /// `"true"` or `"false"`, as LookupEvents tells whether the call only read.
    pub fn read_only_text(&self) -> Option<&'static str> {
        self.read_only.map(|read_only| if read_only { "true" } else { "false" })
    }

    /// All by which it can be looked up; a value comes once.
    pub(super) fn attributes(&self) -> Vec<(Attribute, &str)> {
        let mut found = vec![
            (Attribute::EventId, self.id.as_str()),
            (Attribute::EventName, &self.name),
            (Attribute::EventSource, &self.source),
        ];
        found.extend(self.read_only_text().map(|text| (Attribute::ReadOnly, text)));
        found.extend(self.user_name.as_deref().map(|name| (Attribute::Username, name)));
        found.extend(self.access_key_id.as_deref().map(|id| (Attribute::AccessKeyId, id)));
        for (place, resource) in self.resources.iter().enumerate() {
            let mut before = self.resources.iter().take(place);
            if !before.any(|other| other.kind == resource.kind) {
                found.push((Attribute::ResourceType, &resource.kind));
            }
            let mut before = self.resources.iter().take(place);
            if !before.any(|other| other.name == resource.name) {
                found.push((Attribute::ResourceName, &resource.name));
            }
        }
        found
    }

    /// Whether it has this value of an attribute.
    pub(super) fn has(&self, attribute: Attribute, value: &str) -> bool {
        self.attributes().contains(&(attribute, value))
    }
}

/// The fields that are read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw<'a> {
    #[serde(rename = "eventID", borrow)]
    event_id: Cow<'a, str>,
    #[serde(borrow)]
    event_time: Cow<'a, str>,
    #[serde(borrow)]
    aws_region: Cow<'a, str>,
    #[serde(borrow, default)]
    event_name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    event_source: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    event_category: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    recipient_account_id: Option<Cow<'a, str>>,
    #[serde(default)]
    read_only: Option<bool>,
    #[serde(borrow, default)]
    error_code: Option<Cow<'a, str>>,
    #[serde(rename = "sourceIPAddress", borrow, default)]
    source_ip_address: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    user_identity: Option<Identity<'a>>,
    #[serde(borrow, default)]
    resources: Option<Vec<RawResource<'a>>>,
    #[serde(borrow, default)]
    request_parameters: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    principal_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    arn: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    user_name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    access_key_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    invoked_by: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct RawResource<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Option<Cow<'a, str>>,
    #[serde(rename = "ARN", borrow, default)]
    arn: Option<Cow<'a, str>>,
}

/// What parameters of IAM's operations name.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct IamParameters<'a> {
    #[serde(borrow, default)]
    user_name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    role_name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    group_name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    policy_arn: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    access_key_id: Option<Cow<'a, str>>,
}

impl Raw<'_> {
    /// The resources, in their order. A key comes with its id behind its ARN, so that it is found by either.
    fn resources(&self) -> Vec<Resource> {
        let mut found = Vec::new();
        for resource in self.resources.iter().flatten() {
            let (Some(kind), Some(arn)) = (resource.kind.as_deref(), resource.arn.as_deref()) else {
                continue;
            };
            found.push(Resource { kind: kind.to_owned(), name: arn.to_owned() });
            if let (KEY, Some((_, id))) = (kind, arn.split_once(":key/")) {
                found.push(Resource { kind: kind.to_owned(), name: id.to_owned() });
            }
        }
        if self.event_source.as_deref() == Some(IAM) {
            found.extend(self.resources_of_iam());
        }
        found
    }

    /// Of IAM's events LookupEvents tells whom the parameters name, by the names that they have there.
    fn resources_of_iam(&self) -> Vec<Resource> {
        let parameters = self.request_parameters.map(RawValue::get).unwrap_or("{}");
        let parameters: IamParameters<'_> = serde_json::from_str(parameters).unwrap_or_default();
        let named = [
            ("AWS::IAM::User", parameters.user_name),
            ("AWS::IAM::Role", parameters.role_name),
            ("AWS::IAM::Group", parameters.group_name),
            ("AWS::IAM::Policy", parameters.policy_arn),
            ("AWS::IAM::AccessKey", parameters.access_key_id),
        ];
        let named = named
            .into_iter()
            .filter_map(|(kind, name)| Some(Resource { kind: kind.to_owned(), name: name?.into_owned() }));
        named.collect()
    }
}

impl Identity<'_> {
    fn name(&self) -> Option<String> {
        match self.kind.as_deref()? {
            "Root" => Some("root".to_owned()),
            "AssumedRole" | "FederatedUser" => {
                self.principal_id.as_deref()?.split_once(':').map(|(_, name)| name.to_owned())
            }
            _ => self.user_name.as_deref().map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAIL: &str = r#""eventTime":"2026-01-02T03:04:05Z","awsRegion":"eu-central-1","eventID":"e","recipientAccountId":"111122223333""#;

    fn read(fields: &str) -> LoggedEvent {
        LoggedEvent::read(7, &format!("{{{fields},{TAIL}}}")).unwrap()
    }

    #[test]
    fn who_did_it_has_the_name_that_lookup_events_gives() {
        for (identity, name) in [
            (r#"{"type":"Root","principalId":"1"}"#, Some("root")),
            (r#"{"type":"IAMUser","principalId":"AIDA","userName":"alice"}"#, Some("alice")),
            (r#"{"type":"AssumedRole","principalId":"AROA:deploy"}"#, Some("deploy")),
            (r#"{"type":"FederatedUser","principalId":"111122223333:bob"}"#, Some("bob")),
            (r#"{"type":"WebIdentityUser","userName":"sub"}"#, Some("sub")),
            (r#"{"type":"AWSAccount","principalId":"AIDA","accountId":"1"}"#, None),
            (r#"{"type":"AWSService","invokedBy":"s3.amazonaws.com"}"#, None),
            (r#"{"accountId":"1","invokedBy":"AWS Internal"}"#, None),
        ] {
            assert_eq!(
                read(&format!(r#""userIdentity":{identity}"#)).user_name.as_deref(),
                name,
                "{identity}"
            );
        }
    }

    #[test]
    fn a_key_is_found_by_arn_and_by_id() {
        let arn = "arn:aws:kms:eu-central-1:111122223333:key/1234";
        let event =
            read(&format!(r#""resources":[{{"accountId":"1","type":"AWS::KMS::Key","ARN":"{arn}"}}]"#));
        assert!(event.has(Attribute::ResourceName, arn) && event.has(Attribute::ResourceName, "1234"));
        assert!(event.has(Attribute::ResourceType, KEY) && !event.has(Attribute::ResourceName, KEY));
        let types =
            event.attributes().into_iter().filter(|(attribute, _)| *attribute == Attribute::ResourceType);
        assert_eq!(types.count(), 1);
    }

    #[test]
    fn events_of_iam_are_about_whom_their_parameters_name() {
        let parameters = r#""requestParameters":{"userName":"bob","policyArn":"arn:aws:iam::aws:policy/X"}"#;
        let event = read(&format!(r#""eventSource":"iam.amazonaws.com",{parameters}"#));
        let kinds: Vec<_> =
            event.resources.iter().map(|one| (one.kind.as_str(), one.name.as_str())).collect();
        assert_eq!(kinds, [("AWS::IAM::User", "bob"), ("AWS::IAM::Policy", "arn:aws:iam::aws:policy/X")]);
        for other in [
            r#""eventSource":"kms.amazonaws.com""#,
            r#""eventSource":"iam.amazonaws.com","requestParameters":3"#,
        ] {
            let fields = if other.contains('3') { other.to_owned() } else { format!("{other},{parameters}") };
            assert!(read(&fields).resources.is_empty(), "{fields}");
        }
    }

    #[test]
    fn what_nobody_could_look_up_is_no_event() {
        let whole = format!("{{{TAIL}}}");
        assert!(LoggedEvent::read(1, &whole).is_some());
        for (part, other) in [
            ("2026-01-02T03:04:05Z", "yesterday"),
            ("eu-central-1", "nowhere"),
            ("111122223333", "1"),
            ("eventID", "other"),
            ("{", "["),
        ] {
            assert_eq!(LoggedEvent::read(1, &whole.replacen(part, other, 1)), None, "{other}");
        }
    }
}

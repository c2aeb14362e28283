//! The fields of an event by which it is looked up, read where they stand in the line.

use std::borrow::Cow;

use base::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::term::{Attribute, Category, Scope};

/// The source whose events name their resources in their parameters alone.
const IAM: &str = "iam.amazonaws.com";
const KEY: &str = "AWS::KMS::Key";

/// A text that stays where it is, if it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// A line of the log, as far as its event is looked up.
#[derive(Deserialize)]
pub(super) struct Line<'a> {
    pub(super) sequence: u64,
    #[serde(borrow)]
    pub(super) event: Fields<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Fields<'a> {
    #[serde(rename = "eventID", borrow)]
    pub(super) event_id: Text<'a>,
    #[serde(borrow)]
    event_time: Text<'a>,
    #[serde(borrow)]
    aws_region: Text<'a>,
    #[serde(borrow, default)]
    pub(super) event_name: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) event_source: Option<Text<'a>>,
    #[serde(borrow, default)]
    event_category: Option<Text<'a>>,
    #[serde(borrow)]
    recipient_account_id: Text<'a>,
    #[serde(default)]
    pub(super) read_only: Option<bool>,
    #[serde(borrow, default)]
    pub(super) error_code: Option<Text<'a>>,
    #[serde(rename = "sourceIPAddress", borrow, default)]
    pub(super) source_ip_address: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) user_identity: Option<Identity<'a>>,
    #[serde(borrow, default)]
    resources: Option<Vec<NamedResource<'a>>>,
    #[serde(borrow, default)]
    request_parameters: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Identity<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Option<Text<'a>>,
    #[serde(borrow, default)]
    principal_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) arn: Option<Text<'a>>,
    #[serde(borrow, default)]
    user_name: Option<Text<'a>>,
    #[serde(borrow, default)]
    access_key_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) invoked_by: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct NamedResource<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Option<Text<'a>>,
    #[serde(rename = "ARN", borrow, default)]
    arn: Option<Text<'a>>,
}

/// What parameters of IAM's operations name.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct IamParameters<'a> {
    #[serde(borrow, default)]
    user_name: Option<Text<'a>>,
    #[serde(borrow, default)]
    role_name: Option<Text<'a>>,
    #[serde(borrow, default)]
    group_name: Option<Text<'a>>,
    #[serde(borrow, default)]
    policy_arn: Option<Text<'a>>,
    #[serde(borrow, default)]
    access_key_id: Option<Text<'a>>,
}

/// Of texts that may be missing.
pub(super) fn text<'t>(field: &'t Option<Text<'_>>) -> Option<&'t str> {
    field.as_ref().map(|Text(text)| text.as_ref())
}

/// `"true"` or `"false"`, as LookupEvents tells whether the call only read.
pub(super) fn read_only_text(read_only: bool) -> &'static str {
    if read_only { "true" } else { "false" }
}

impl Fields<'_> {
    /// Whose and which Region's it is, and when it was; `None` if that is not said: nobody can look such an event up.
    pub(super) fn place(&self) -> Option<(Scope, Timestamp)> {
        let category = match text(&self.event_category) {
            None | Some("Management") => Category::Management,
            Some(_) => Category::Other,
        };
        let (account, region) = (&self.recipient_account_id.0, &self.aws_region.0);
        let scope = Scope { account: account.parse().ok()?, region: region.parse().ok()?, category };
        let time: Timestamp = self.event_time.0.parse().ok()?;
        Some((scope, Timestamp::from_seconds(time.seconds())))
    }

    /// Who did it, by the name that LookupEvents gives: of a user its name, of a session the session's.
    pub(super) fn user_name(&self) -> Option<&str> {
        let identity = self.user_identity.as_ref()?;
        match text(&identity.kind)? {
            "Root" => Some("root"),
            "AssumedRole" | "FederatedUser" => {
                text(&identity.principal_id)?.split_once(':').map(|(_, name)| name)
            }
            _ => text(&identity.user_name),
        }
    }

    /// The key that signed it, if one did.
    pub(super) fn access_key_id(&self) -> Option<&str> {
        text(&self.user_identity.as_ref()?.access_key_id).filter(|id| !id.is_empty())
    }

    /// Gives all by which it can be looked up; a value may come twice.
    pub(super) fn each_attribute(&self, mut take: impl FnMut(Attribute, &str)) {
        take(Attribute::EventId, &self.event_id.0);
        take(Attribute::EventName, text(&self.event_name).unwrap_or_default());
        take(Attribute::EventSource, text(&self.event_source).unwrap_or_default());
        self.read_only.into_iter().for_each(|read| take(Attribute::ReadOnly, read_only_text(read)));
        self.user_name().into_iter().for_each(|name| take(Attribute::Username, name));
        self.access_key_id().into_iter().for_each(|id| take(Attribute::AccessKeyId, id));
        self.each_resource(|kind, name| {
            take(Attribute::ResourceType, kind);
            take(Attribute::ResourceName, name);
        });
    }

    /// Gives type and name of what it was about, in its order. A key comes with its id behind its ARN, so that it is found by
    /// either.
    pub(super) fn each_resource(&self, mut take: impl FnMut(&str, &str)) {
        for resource in self.resources.iter().flatten() {
            let (Some(kind), Some(arn)) = (text(&resource.kind), text(&resource.arn)) else { continue };
            take(kind, arn);
            if let (KEY, Some((_, id))) = (kind, arn.split_once(":key/")) {
                take(kind, id);
            }
        }
        if text(&self.event_source) == Some(IAM) {
            self.each_resource_of_iam(take);
        }
    }

    /// Of IAM's events LookupEvents tells whom the parameters name, by the names that they have there.
    fn each_resource_of_iam(&self, mut take: impl FnMut(&str, &str)) {
        let parameters = self.request_parameters.map(RawValue::get).unwrap_or("{}");
        let parameters: IamParameters<'_> = serde_json::from_str(parameters).unwrap_or_default();
        let named = [
            ("AWS::IAM::User", &parameters.user_name),
            ("AWS::IAM::Role", &parameters.role_name),
            ("AWS::IAM::Group", &parameters.group_name),
            ("AWS::IAM::Policy", &parameters.policy_arn),
            ("AWS::IAM::AccessKey", &parameters.access_key_id),
        ];
        for (kind, name) in named {
            text(name).into_iter().for_each(|name| take(kind, name));
        }
    }
}

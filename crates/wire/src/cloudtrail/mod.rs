//! CloudTrail on the wire: the operations of trails and of looking events up.
//!
//! The types are generated (`cargo xtask gen`). Members that the model requires are plain fields, the others are options.

mod generated;

use crate::Fault;
use crate::event::Shown;
use crate::json;

pub use crate::constraints::UnknownValue;
pub use generated::*;

/// An operation, known by its marker type.
pub trait Operation {
    /// The name, as in `X-Amz-Target: com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.<name>`, and of the action in
    /// policies: `cloudtrail:<name>`.
    const NAME: &'static str;
    /// What it takes.
    type Request: json::Request + Shown;
    /// What it gives.
    type Response: json::Response + Shown;
    /// The errors that the model says it can answer with.
    const ERRORS: &'static [ErrorCode];
}

impl ErrorCode {
    /// A refusal with this code, its status and a text.
    pub fn fault(self, message: impl Into<String>) -> Fault {
        Fault { code: self.as_str(), status: self.status(), message: Some(message.into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_held_to_the_model() {
        let read = |body: &str| json::decode::<LookupEventsRequest>(body.as_bytes());
        let request = read(
            r#"{"LookupAttributes":[{"AttributeKey":"EventName","AttributeValue":"Decrypt"}],"StartTime":1.5,"MaxResults":50}"#,
        )
        .unwrap();
        assert_eq!(request.start_time, Some(base::Timestamp::from_millis(1_500)));
        assert_eq!(request.lookup_attributes.unwrap()[0].attribute_key, LookupAttributeKey::EventName);
        for wrong in [
            r#"{"MaxResults":0}"#,
            r#"{"MaxResults":51}"#,
            r#"{"LookupAttributes":[{"AttributeKey":"Color","AttributeValue":"x"}]}"#,
            r#"{"LookupAttributes":[{"AttributeKey":"EventId","AttributeValue":""}]}"#,
        ] {
            assert_eq!(read(wrong).err().map(|fault| fault.code), Some("ValidationException"), "{wrong}");
        }
        assert!(generated::PATTERNS.iter().all(|pattern| pattern.compiles()));
    }

    #[test]
    fn a_bounded_list_of_structures_is_held_to_its_bound() {
        let read = |count: usize| {
            let tags = vec![r#"{"Key":"a"}"#; count].join(",");
            json::decode::<AddTagsRequest>(format!(r#"{{"ResourceId":"x","TagsList":[{tags}]}}"#).as_bytes())
        };
        assert_eq!(read(200).unwrap().tags_list.len(), 200);
        assert!(read(201).unwrap_err().message.unwrap().contains("length less than or equal to 200"));
    }
}

//! Which events a trail delivers: management events, all of them or all but those of some sources.
//!
//! AWS's selectors can say much more. What is not done here is refused, not left out in silence.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventSelectors.html>

use serde::{Deserialize, Serialize};
use wire::cloudtrail::{
    AdvancedEventSelector, AdvancedFieldSelector, ErrorCode, EventSelector, ReadWriteType,
};

use crate::error::CloudTrailError;

/// The sources that can be left out.
const EXCLUDABLE: [&str; 2] = ["kms.amazonaws.com", "rdsdata.amazonaws.com"];

/// What selectors say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Selectors {
    /// The sources that are left out.
    pub(crate) excluded: Vec<String>,
    /// Whether they were said in the form of advanced selectors; then their name, if there is one.
    pub(crate) advanced: Option<Option<String>>,
}

impl Selectors {
    /// Whether they say anything but that all management events are delivered.
    pub(crate) fn are_custom(&self) -> bool {
        *self != Self::default()
    }

    /// Reads selectors of either form.
    pub(crate) fn read(
        basic: Option<&[EventSelector]>,
        advanced: Option<&[AdvancedEventSelector]>,
    ) -> Result<Self, CloudTrailError> {
        match (basic.unwrap_or_default(), advanced.unwrap_or_default()) {
            ([one], []) => Self::of_basic(one),
            ([], [one]) => Self::of_advanced(one),
            ([], []) => Err(invalid("EventSelectors or AdvancedEventSelectors must hold a selector.")),
            ([_, ..], [_, ..]) => {
                Err(invalid("EventSelectors and AdvancedEventSelectors cannot be used together."))
            }
            _ => Err(unsupported("more than one selector")),
        }
    }

    fn of_basic(selector: &EventSelector) -> Result<Self, CloudTrailError> {
        if selector.read_write_type.unwrap_or(ReadWriteType::All) != ReadWriteType::All {
            return Err(unsupported("a ReadWriteType other than All"));
        }
        if selector.include_management_events == Some(false) {
            return Err(unsupported("a trail without management events"));
        }
        if selector.data_resources.iter().flatten().next().is_some() {
            return Err(unsupported("DataResources"));
        }
        let excluded = selector.exclude_management_event_sources.clone().unwrap_or_default();
        Ok(Self { excluded: checked(excluded)?, advanced: None })
    }

    fn of_advanced(selector: &AdvancedEventSelector) -> Result<Self, CloudTrailError> {
        let (mut has_category, mut excluded) = (false, Vec::new());
        for field in &selector.field_selectors {
            match field.field.as_str() {
                "eventCategory" if equals(field) == Some(&["Management".to_owned()]) => has_category = true,
                "eventCategory" => return Err(unsupported("an eventCategory other than Management")),
                "eventSource" => {
                    let sources = not_equals(field)
                        .ok_or_else(|| unsupported("eventSource other than by NotEquals"))?;
                    excluded.extend_from_slice(sources);
                }
                other => return Err(unsupported(&format!("the field {other}"))),
            }
        }
        if !has_category {
            return Err(invalid("An advanced event selector must say the eventCategory."));
        }
        Ok(Self { excluded: checked(excluded)?, advanced: Some(selector.name.clone()) })
    }

    /// In the form in which they were said: basic, or advanced.
    pub(crate) fn told(&self) -> (Option<Vec<EventSelector>>, Option<Vec<AdvancedEventSelector>>) {
        match &self.advanced {
            None => {
                let selector = EventSelector {
                    read_write_type: Some(ReadWriteType::All),
                    include_management_events: Some(true),
                    data_resources: Some(Vec::new()),
                    exclude_management_event_sources: Some(self.excluded.clone()),
                };
                (Some(vec![selector]), None)
            }
            Some(name) => {
                let field = |field: &str| AdvancedFieldSelector {
                    field: field.to_owned(),
                    ..AdvancedFieldSelector::default()
                };
                let mut fields = vec![AdvancedFieldSelector {
                    equals: Some(vec!["Management".to_owned()]),
                    ..field("eventCategory")
                }];
                if !self.excluded.is_empty() {
                    let not_equals = Some(self.excluded.clone());
                    fields.push(AdvancedFieldSelector { not_equals, ..field("eventSource") });
                }
                (None, Some(vec![AdvancedEventSelector { name: name.clone(), field_selectors: fields }]))
            }
        }
    }
}

/// The values, if the field is compared by `Equals` and nothing else.
fn equals(field: &AdvancedFieldSelector) -> Option<&[String]> {
    let only = AdvancedFieldSelector {
        field: field.field.clone(),
        equals: field.equals.clone(),
        ..AdvancedFieldSelector::default()
    };
    field.equals.as_deref().filter(|_| *field == only)
}

/// The values, if the field is compared by `NotEquals` and nothing else.
fn not_equals(field: &AdvancedFieldSelector) -> Option<&[String]> {
    let only = AdvancedFieldSelector {
        field: field.field.clone(),
        not_equals: field.not_equals.clone(),
        ..AdvancedFieldSelector::default()
    };
    field.not_equals.as_deref().filter(|_| *field == only)
}

fn checked(mut excluded: Vec<String>) -> Result<Vec<String>, CloudTrailError> {
    if let Some(other) = excluded.iter().find(|source| !EXCLUDABLE.contains(&source.as_str())) {
        return Err(invalid(&format!(
            "Events of {other} cannot be left out; those of {} can.",
            EXCLUDABLE.join(" and ")
        )));
    }
    excluded.sort();
    excluded.dedup();
    Ok(excluded)
}

fn invalid(text: &str) -> CloudTrailError {
    CloudTrailError::refused(ErrorCode::InvalidEventSelectorsException, text)
}

fn unsupported(what: &str) -> CloudTrailError {
    invalid(&format!(
        "Keywright does not support {what}: a trail delivers all management events, or all but those of {}.",
        EXCLUDABLE.join(" and ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic(excluded: &[&str]) -> EventSelector {
        let excluded = excluded.iter().map(|source| (*source).to_owned()).collect();
        EventSelector { exclude_management_event_sources: Some(excluded), ..EventSelector::default() }
    }

    #[test]
    fn selectors_read_back_in_the_form_in_which_they_were_said() {
        let read =
            Selectors::read(Some(&[basic(&["kms.amazonaws.com", "kms.amazonaws.com"])]), None).unwrap();
        assert_eq!(read.excluded, ["kms.amazonaws.com"]);
        let (told, none) = read.told();
        assert_eq!(none, None);
        assert_eq!(Selectors::read(told.as_deref(), None).unwrap(), read);
        let advanced = Selectors { advanced: Some(Some("name".to_owned())), ..read };
        let (none, told) = advanced.told();
        assert_eq!(none, None);
        assert_eq!(Selectors::read(None, told.as_deref()).unwrap(), advanced);
        assert!(advanced.are_custom() && !Selectors::read(Some(&[basic(&[])]), None).unwrap().are_custom());
    }

    #[test]
    fn what_is_not_done_is_refused() {
        let read_only = EventSelector { read_write_type: Some(ReadWriteType::ReadOnly), ..basic(&[]) };
        let no_management = EventSelector { include_management_events: Some(false), ..basic(&[]) };
        let data = EventSelector {
            data_resources: Some(vec![wire::cloudtrail::DataResource::default()]),
            ..basic(&[])
        };
        for selector in [read_only, no_management, data, basic(&["s3.amazonaws.com"])] {
            assert!(Selectors::read(Some(std::slice::from_ref(&selector)), None).is_err(), "{selector:?}");
        }
        let (_, advanced) = Selectors { advanced: Some(None), ..Selectors::default() }.told();
        let advanced = advanced.unwrap();
        assert!(Selectors::read(Some(&[basic(&[])]), Some(&advanced)).is_err());
        assert!(Selectors::read(None, None).is_err());
        let mut other = advanced;
        other[0].field_selectors[0].ends_with = Some(vec!["x".to_owned()]);
        assert!(Selectors::read(None, Some(&other)).is_err());
        other[0].field_selectors = vec![];
        assert!(Selectors::read(None, Some(&other)).is_err());
    }
}

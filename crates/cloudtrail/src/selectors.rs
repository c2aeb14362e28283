//! Which events a trail delivers: management events, all of them or all but those of some sources, and the data events of
//! objects in S3 that it is told to.
//!
//! AWS's selectors can say much more. What is not done here is refused, not left out in silence.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventSelectors.html>

use audit::trails::{ArnPattern, DataSelector};
use serde::{Deserialize, Serialize};
use wire::cloudtrail::{
    AdvancedEventSelector, AdvancedFieldSelector, DataResource, ErrorCode, EventSelector, ReadWriteType,
};

use crate::error::CloudTrailError;

/// The sources that can be left out.
const EXCLUDABLE: [&str; 2] = ["kms.amazonaws.com", "rdsdata.amazonaws.com"];
/// The resources that have data events.
const OBJECT: &str = "AWS::S3::Object";
/// Conditions on ARNs of a trail, all selectors together.
const ARNS_MAX: usize = 250;

/// What selectors say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Selectors {
    /// The sources that are left out.
    pub(crate) excluded: Vec<String>,
    /// Whether they were said in the form of advanced selectors; then the name of the one for management events, which is empty
    /// if it has none.
    pub(crate) advanced: Option<String>,
    /// Data events, selector by selector.
    #[serde(default)]
    pub(crate) data: Vec<NamedSelector>,
}

/// A selector of data events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NamedSelector {
    pub(crate) name: Option<String>,
    pub(crate) selector: DataSelector,
}

impl Selectors {
    /// Whether they say anything but that all management events are delivered.
    pub(crate) fn are_custom(&self) -> bool {
        *self != Self::default()
    }

    /// The data events.
    pub(crate) fn data_events(&self) -> Vec<DataSelector> {
        self.data.iter().map(|named| named.selector.clone()).collect()
    }

    /// Reads selectors of either form.
    pub(crate) fn read(
        basic: Option<&[EventSelector]>,
        advanced: Option<&[AdvancedEventSelector]>,
    ) -> Result<Self, CloudTrailError> {
        let read = match (basic.unwrap_or_default(), advanced.unwrap_or_default()) {
            ([one], []) => Self::of_basic(one)?,
            ([], []) => {
                return Err(invalid("EventSelectors or AdvancedEventSelectors must hold a selector."));
            }
            ([], advanced) => Self::of_advanced(advanced)?,
            ([_, ..], [_, ..]) => {
                return Err(invalid("EventSelectors and AdvancedEventSelectors cannot be used together."));
            }
            _ => return Err(unsupported("more than one basic selector")),
        };
        let arns: usize = read.data.iter().map(|named| named.selector.arns.len()).sum();
        if arns > ARNS_MAX {
            return Err(invalid(&format!("A trail's selectors name at most {ARNS_MAX} resources.")));
        }
        Ok(read)
    }

    fn of_basic(selector: &EventSelector) -> Result<Self, CloudTrailError> {
        if selector.read_write_type.unwrap_or(ReadWriteType::All) != ReadWriteType::All {
            return Err(unsupported("a ReadWriteType other than All"));
        }
        if selector.include_management_events == Some(false) {
            return Err(unsupported("a trail without management events"));
        }
        let data = selector.data_resources.iter().flatten().map(of_data_resource);
        let excluded = selector.exclude_management_event_sources.clone().unwrap_or_default();
        Ok(Self { excluded: checked(excluded)?, advanced: None, data: data.collect::<Result<_, _>>()? })
    }

    fn of_advanced(selectors: &[AdvancedEventSelector]) -> Result<Self, CloudTrailError> {
        let (mut management, mut data) = (None, Vec::new());
        for selector in selectors {
            let categories = selector.field_selectors.iter().find(|field| field.field == "eventCategory");
            let category = categories
                .ok_or_else(|| invalid("An advanced event selector must say the eventCategory."))
                .map(equals)?;
            match category {
                Some([category]) if category == "Management" && management.is_none() => {
                    let name = selector.name.clone().unwrap_or_default();
                    management = Some((name, excluded_sources(selector)?));
                }
                Some([category]) if category == "Management" => {
                    return Err(unsupported("more than one selector of management events"));
                }
                Some([category]) if category == "Data" => data.push(of_data_fields(selector)?),
                Some(_) | None => return Err(unsupported("an eventCategory other than Management and Data")),
            }
        }
        let (name, excluded) = management.ok_or_else(|| unsupported("a trail without management events"))?;
        Ok(Self { excluded: checked(excluded)?, advanced: Some(name), data })
    }

    /// In the form in which they were said: basic, or advanced.
    pub(crate) fn told(&self) -> (Option<Vec<EventSelector>>, Option<Vec<AdvancedEventSelector>>) {
        match &self.advanced {
            None => {
                let selector = EventSelector {
                    read_write_type: Some(ReadWriteType::All),
                    include_management_events: Some(true),
                    data_resources: Some(self.data.iter().map(to_data_resource).collect()),
                    exclude_management_event_sources: Some(self.excluded.clone()),
                };
                (Some(vec![selector]), None)
            }
            Some(name) => {
                let mut fields = vec![equal("eventCategory", &["Management"])];
                if !self.excluded.is_empty() {
                    let not_equals = Some(self.excluded.clone());
                    fields.push(AdvancedFieldSelector { not_equals, ..field("eventSource") });
                }
                let name = Some(name.clone()).filter(|name| !name.is_empty());
                let management = AdvancedEventSelector { name, field_selectors: fields };
                (None, Some(std::iter::once(management).chain(self.data.iter().map(to_fields)).collect()))
            }
        }
    }
}

/// The sources that a selector of management events leaves out.
fn excluded_sources(selector: &AdvancedEventSelector) -> Result<Vec<String>, CloudTrailError> {
    let mut excluded = Vec::new();
    for field in &selector.field_selectors {
        match field.field.as_str() {
            "eventCategory" => {}
            "eventSource" => {
                let sources =
                    not_equals(field).ok_or_else(|| unsupported("eventSource other than by NotEquals"))?;
                excluded.extend_from_slice(sources);
            }
            other => return Err(unsupported(&format!("the field {other} for management events"))),
        }
    }
    Ok(excluded)
}

/// A value of a basic selector is the beginning of an ARN: of S3's, of a bucket's objects, of some of them.
fn of_data_resource(resource: &DataResource) -> Result<NamedSelector, CloudTrailError> {
    let resource_type = checked_type(resource.r#type.as_deref())?;
    let values = resource.values.as_deref().unwrap_or_default();
    if values.is_empty() {
        return Err(invalid("Values of DataResources must name a resource."));
    }
    let arns = values.iter().cloned().map(ArnPattern::Beginning).collect();
    let selector = DataSelector { resource_type, arns, read_only: None };
    Ok(NamedSelector { name: None, selector })
}

fn to_data_resource(named: &NamedSelector) -> DataResource {
    let value = |(ArnPattern::Equal(arn) | ArnPattern::Beginning(arn)): &ArnPattern| arn.clone();
    let values = named.selector.arns.iter().map(value);
    DataResource { r#type: Some(named.selector.resource_type.clone()), values: Some(values.collect()) }
}

fn of_data_fields(said: &AdvancedEventSelector) -> Result<NamedSelector, CloudTrailError> {
    let (mut kind, mut arns, mut read_only) = (None, Vec::new(), None);
    for field in &said.field_selectors {
        match (field.field.as_str(), equals(field), begins_with(field)) {
            ("eventCategory", ..) => {}
            ("resources.type", Some([one]), _) => kind = Some(one.as_str()),
            ("resources.ARN", Some(equal), _) => arns.extend(equal.iter().cloned().map(ArnPattern::Equal)),
            ("resources.ARN", _, Some(begins)) => {
                arns.extend(begins.iter().cloned().map(ArnPattern::Beginning));
            }
            ("readOnly", Some([one]), _) if one == "true" || one == "false" => {
                read_only = Some(one == "true")
            }
            (other, ..) => return Err(unsupported(&format!("what the field {other} says for data events"))),
        }
    }
    let selector = DataSelector { resource_type: checked_type(kind)?, arns, read_only };
    Ok(NamedSelector { name: said.name.clone(), selector })
}

fn to_fields(named: &NamedSelector) -> AdvancedEventSelector {
    let DataSelector { resource_type, arns, read_only } = &named.selector;
    let mut fields = vec![equal("eventCategory", &["Data"]), equal("resources.type", &[resource_type])];
    let (mut whole, mut beginnings) = (Vec::new(), Vec::new());
    for arn in arns {
        match arn {
            ArnPattern::Equal(arn) => whole.push(arn.as_str()),
            ArnPattern::Beginning(arn) => beginnings.push(arn.clone()),
        }
    }
    if !whole.is_empty() {
        fields.push(equal("resources.ARN", &whole));
    }
    if !beginnings.is_empty() {
        fields.push(AdvancedFieldSelector { starts_with: Some(beginnings), ..field("resources.ARN") });
    }
    if let Some(read_only) = read_only {
        fields.push(equal("readOnly", &[if *read_only { "true" } else { "false" }]));
    }
    AdvancedEventSelector { name: named.name.clone(), field_selectors: fields }
}

fn field(name: &str) -> AdvancedFieldSelector {
    AdvancedFieldSelector { field: name.to_owned(), ..AdvancedFieldSelector::default() }
}

fn equal(name: &str, values: &[&str]) -> AdvancedFieldSelector {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    AdvancedFieldSelector { equals: Some(values), ..field(name) }
}

fn checked_type(kind: Option<&str>) -> Result<String, CloudTrailError> {
    match kind {
        Some(OBJECT) => Ok(OBJECT.to_owned()),
        Some(other) => Err(unsupported(&format!("data events of {other}"))),
        None => Err(invalid("A selector of data events must say the type of their resources.")),
    }
}

/// The values, if the field is compared by `Equals` and nothing else.
fn equals(said: &AdvancedFieldSelector) -> Option<&[String]> {
    let only = AdvancedFieldSelector { equals: said.equals.clone(), ..field(&said.field) };
    said.equals.as_deref().filter(|_| *said == only)
}

/// The values, if the field is compared by `NotEquals` and nothing else.
fn not_equals(said: &AdvancedFieldSelector) -> Option<&[String]> {
    let only = AdvancedFieldSelector { not_equals: said.not_equals.clone(), ..field(&said.field) };
    said.not_equals.as_deref().filter(|_| *said == only)
}

/// The values, if the field is compared by `StartsWith` and nothing else.
fn begins_with(said: &AdvancedFieldSelector) -> Option<&[String]> {
    let only = AdvancedFieldSelector { starts_with: said.starts_with.clone(), ..field(&said.field) };
    said.starts_with.as_deref().filter(|_| *said == only)
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
        "Keywright does not support {what}: a trail delivers all management events, or all but those of {}, and data events \
         of {OBJECT}.",
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
        let advanced = Selectors { advanced: Some("name".to_owned()), ..read };
        let (none, told) = advanced.told();
        assert_eq!(none, None);
        assert_eq!(Selectors::read(None, told.as_deref()).unwrap(), advanced);
        assert!(advanced.are_custom() && !Selectors::read(Some(&[basic(&[])]), None).unwrap().are_custom());
    }

    #[test]
    fn data_events_read_back_in_the_form_in_which_they_were_said() {
        let resource = |values: &[&str]| DataResource {
            r#type: Some(OBJECT.to_owned()),
            values: Some(values.iter().map(|value| (*value).to_owned()).collect()),
        };
        let said = EventSelector {
            data_resources: Some(vec![
                resource(&["arn:aws:s3:::a/", "arn:aws:s3:::b/x"]),
                resource(&["arn:aws:s3"]),
            ]),
            ..basic(&[])
        };
        let read = Selectors::read(Some(std::slice::from_ref(&said)), None).unwrap();
        assert_eq!(read.data_events().len(), 2);
        assert_eq!(read.told().0.unwrap()[0].data_resources, said.data_resources);
        let objects = [
            equal("eventCategory", &["Data"]),
            equal("resources.type", &[OBJECT]),
            equal("resources.ARN", &["arn:aws:s3:::a/k"]),
            AdvancedFieldSelector {
                starts_with: Some(vec!["arn:aws:s3:::b/".to_owned()]),
                ..field("resources.ARN")
            },
            equal("readOnly", &["false"]),
        ];
        let all = |fields: &[AdvancedFieldSelector]| {
            let management = vec![equal("eventCategory", &["Management"])];
            let named = |name: Option<&str>, fields: &[AdvancedFieldSelector]| AdvancedEventSelector {
                name: name.map(str::to_owned),
                field_selectors: fields.to_vec(),
            };
            vec![named(None, &management), named(Some("objects"), fields)]
        };
        let read = Selectors::read(None, Some(&all(&objects))).unwrap();
        let arns = vec![
            ArnPattern::Equal("arn:aws:s3:::a/k".to_owned()),
            ArnPattern::Beginning("arn:aws:s3:::b/".to_owned()),
        ];
        let selector = DataSelector { resource_type: OBJECT.to_owned(), arns, read_only: Some(false) };
        assert_eq!(read.data_events(), [selector]);
        assert_eq!(read.told().1.unwrap(), all(&objects));
        let stored = serde_json::to_vec(&read).unwrap();
        assert_eq!(serde_json::from_slice::<Selectors>(&stored).unwrap(), read);
        for (place, other) in [
            (1, equal("resources.type", &["AWS::Lambda::Function"])),
            (3, AdvancedFieldSelector { ends_with: Some(vec!["x".to_owned()]), ..field("resources.ARN") }),
            (4, equal("readOnly", &["maybe"])),
            (4, equal("userIdentity.arn", &["x"])),
        ] {
            let mut fields = objects.to_vec();
            fields[place] = other;
            assert!(Selectors::read(None, Some(&all(&fields))).is_err(), "{fields:?}");
        }
        let only_data = &all(&objects)[1..];
        assert!(Selectors::read(None, Some(only_data)).is_err(), "management events are always delivered");
    }

    #[test]
    fn what_is_not_done_is_refused() {
        let read_only = EventSelector { read_write_type: Some(ReadWriteType::ReadOnly), ..basic(&[]) };
        let no_management = EventSelector { include_management_events: Some(false), ..basic(&[]) };
        let data = EventSelector {
            data_resources: Some(vec![wire::cloudtrail::DataResource::default()]),
            ..basic(&[])
        };
        let nothing = DataResource { r#type: Some(OBJECT.to_owned()), values: Some(Vec::new()) };
        let no_object = EventSelector { data_resources: Some(vec![nothing]), ..basic(&[]) };
        for selector in [read_only, no_management, data, no_object, basic(&["s3.amazonaws.com"])] {
            assert!(Selectors::read(Some(std::slice::from_ref(&selector)), None).is_err(), "{selector:?}");
        }
        let (_, advanced) = Selectors { advanced: Some(String::new()), ..Selectors::default() }.told();
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

//! PutBucketVersioning: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html>

use base::Call;
use serde_json::json;
use wire::s3::{VersioningConfiguration, read_versioning_configuration};

use crate::Objects;
use crate::error::ObjectsError;
use crate::operation::Operation;
use crate::record::BucketRecord;
use crate::request::{Answer, Request};
use crate::version::Versioning;

impl Objects {
    pub(crate) async fn put_bucket_versioning(
        &self,
        call: &Call,
        request: Request,
        name: &str,
    ) -> Result<Answer, ObjectsError> {
        let bucket = self.settings_holder(call, name, "PutBucketVersioning").await?;
        let (mut told, body) = self.read_settings(request).await?;
        let given = read_versioning_configuration(&body).map_err(|_| ObjectsError::malformed_xml())?;
        told.insert("VersioningConfiguration".to_owned(), json!({ "Status": given.status }));
        call.event.set_request_parameters(serde_json::to_vec(&told).ok());
        let record = BucketRecord { versioning: Some(read_status(&given)?), ..bucket.record.clone() };
        self.set_bucket(call, &bucket, &record, Operation::PutBucketVersioning).await?;
        Ok(Answer::empty(200))
    }
}

/// There are no devices here that a deletion could ask for.
fn read_status(given: &VersioningConfiguration) -> Result<Versioning, ObjectsError> {
    match given.mfa_delete.as_deref() {
        None | Some("Disabled") => {}
        Some("Enabled") => return Err(ObjectsError::not_implemented()),
        Some(_) => return Err(ObjectsError::malformed_xml()),
    }
    match given.status.as_deref() {
        Some("Enabled") => Ok(Versioning::Enabled),
        Some("Suspended") => Ok(Versioning::Suspended),
        Some(_) => Err(ObjectsError::malformed_xml()),
        None => {
            let text = "The Versioning element must be specified";
            Err(ObjectsError::bad("IllegalVersioningConfigurationException", text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_one_of_two() {
        let read = |status: Option<&str>, mfa_delete: Option<&str>| {
            let (status, mfa_delete) = (status.map(str::to_owned), mfa_delete.map(str::to_owned));
            read_status(&VersioningConfiguration { status, mfa_delete })
                .map_err(|error| error.to_fault().code)
        };
        assert_eq!(read(Some("Enabled"), None), Ok(Versioning::Enabled));
        assert_eq!(read(Some("Suspended"), Some("Disabled")), Ok(Versioning::Suspended));
        assert_eq!(read(Some("enabled"), None), Err("MalformedXML"));
        assert_eq!(read(Some("Enabled"), Some("Enabled")), Err("NotImplemented"));
        assert_eq!(read(None, None), Err("IllegalVersioningConfigurationException"));
    }
}

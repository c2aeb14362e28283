//! GetBucketVersioning: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html>

use base::Call;
use wire::s3::Document;

use crate::Objects;
use crate::error::ObjectsError;
use crate::request::Answer;
use crate::version::Versioning;

impl Objects {
    /// A bucket that never kept versions has no status.
    pub(crate) async fn get_bucket_versioning(
        &self,
        call: &Call,
        name: &str,
    ) -> Result<Answer, ObjectsError> {
        let bucket = self.settings_holder(call, name, "GetBucketVersioning").await?;
        let status = bucket.record.versioning.map(|versioning| match versioning {
            Versioning::Enabled => "Enabled",
            Versioning::Suspended => "Suspended",
        });
        let mut document = Document::new("VersioningConfiguration");
        document.optional("Status", status);
        Ok(Answer::xml(document.finish()))
    }
}

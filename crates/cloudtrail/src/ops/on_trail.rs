//! What operations on one trail do first, and how they change it.

use std::collections::BTreeMap;

use base::Call;
use store::{Revision, Transaction, encode_record};
use wire::cloudtrail::ErrorCode;

use crate::CloudTrail;
use crate::authorize::Target;
use crate::error::CloudTrailError;
use crate::record::{self, TrailRecord};
use crate::stored_trails::FoundTrail;
use crate::table::Handle;
use crate::trail_name::NamedTrail;

/// The type of trails in events.
const KIND: &str = "AWS::CloudTrail::Trail";

/// A trail that may be changed.
pub(super) struct Changeable {
    pub(super) found: FoundTrail,
    pub(super) record: TrailRecord,
    revision: Revision,
}

impl CloudTrail {
    /// The trail of a name or ARN, if operation `O` may be called on it.
    pub(super) async fn trail_for<O: Handle>(
        &self,
        call: &Call,
        named: &NamedTrail,
        request_tags: Option<&BTreeMap<String, String>>,
    ) -> Result<FoundTrail, CloudTrailError> {
        let found = self.trails.find(named).await?;
        let arn = named.arn();
        let tags = found.as_ref().map(|found| &found.tags);
        let target = Target { trail: Some((&arn, named.account)), tags, request_tags };
        self.authorize::<O>(call, &target).await?;
        let found = found.ok_or_else(|| named.unknown())?;
        call.event.add_resource(KIND, named.account, &arn);
        Ok(found)
    }

    /// The same, to be changed: in its home Region, and not the operator's.
    pub(super) async fn changeable_trail<O: Handle>(
        &self,
        call: &Call,
        named: &NamedTrail,
        request_tags: Option<&BTreeMap<String, String>>,
    ) -> Result<Changeable, CloudTrailError> {
        let found = self.trail_for::<O>(call, named, request_tags).await?;
        let Some((record, revision)) = found.stored.clone() else {
            let text = format!(
                "The trail {} belongs to the operator of this service. It cannot be changed or stopped by an account.",
                found.arn()
            );
            return Err(CloudTrailError::refused(ErrorCode::OperationNotPermittedException, text));
        };
        if found.settings.home_region != call.region {
            let home = found.settings.home_region;
            let text = format!("Trail {} can only be changed in its home Region, {home}.", found.arn());
            return Err(CloudTrailError::refused(ErrorCode::InvalidHomeRegionException, text));
        }
        Ok(Changeable { found, record, revision })
    }
}

impl Changeable {
    /// Writes what became of it.
    pub(super) fn written(&self, record: &TrailRecord) -> Result<Transaction, CloudTrailError> {
        let key = record::trail(self.found.account, &self.found.settings.name)?;
        let unchanged = Transaction::new().expect_revision(key.clone(), self.revision);
        Ok(unchanged.put(key, encode_record(record)?))
    }

    /// Takes it away.
    pub(super) fn deleted(&self) -> Result<Transaction, CloudTrailError> {
        let key = record::trail(self.found.account, &self.found.settings.name)?;
        Ok(Transaction::new().expect_revision(key.clone(), self.revision).delete(key))
    }
}

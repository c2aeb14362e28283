//! Access keys as IAM calls name them.

use super::entity::Located;
use super::error::IamError;
use crate::record::{AccessKeyRecord, UserRecord};
use crate::{Identity, paths};

/// The access key of this id, if it is this user's.
pub(crate) async fn access_key_of(
    identity: &Identity,
    user: &UserRecord,
    id: &str,
) -> Result<Located<AccessKeyRecord>, IamError> {
    if !user.access_keys.iter().any(|known| known == id) {
        return Err(no_such_access_key(id));
    }
    let found = identity.at(paths::access_key(&id.parse()?)?).await?;
    found.ok_or_else(|| no_such_access_key(id))
}

/// There is no access key of this id.
pub(crate) fn no_such_access_key(id: &str) -> IamError {
    IamError::NoSuchEntity(format!("The Access Key with id {id} cannot be found."))
}

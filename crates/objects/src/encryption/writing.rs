//! The encryption of a write: what the request asks for, or the default of the bucket.

use base::Call;

use super::{CustomerKey, Wanted};
use crate::Objects;
use crate::bucket::Bucket;
use crate::error::ObjectsError;
use crate::request::Headers;

impl Objects {
    /// How a write into a bucket is to be encrypted.
    ///
    /// # Errors
    /// The bucket takes no customers' keys, or what is asked for is unknown, contradicts itself, or is not offered.
    pub(crate) fn wanted(
        &self,
        call: &Call,
        bucket: &Bucket,
        headers: &Headers,
    ) -> Result<Wanted, ObjectsError> {
        let encryption = &bucket.record.encryption;
        // Said before anything of the key is looked at.
        if encryption.blocks_customer_keys() && CustomerKey::is_brought(headers) {
            return Err(ObjectsError::access_denied("Access Denied"));
        }
        let customer = CustomerKey::read(headers, call.is_secure(), self.takes_customer_keys_in_clear)?;
        Wanted::read(headers, customer, &encryption.rule())
    }
}

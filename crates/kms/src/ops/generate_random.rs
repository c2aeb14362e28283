//! GenerateRandom: 1 to 1,024 random bytes.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateRandom.html>

use base::Call;
use wire::kms::{GenerateRandom, GenerateRandomRequest, GenerateRandomResponse};

use crate::Kms;
use crate::authorize::AccountAction;
use crate::error::{InvalidRequest, KmsError};
use crate::facts::Facts;
use crate::table::Handle;

impl AccountAction for GenerateRandom {
    const NAME: &'static str = "GenerateRandom";
}

impl Handle for GenerateRandom {
    const READ_ONLY: bool = true;
    const TELLS_NO_RESOURCES: bool = true;

    /// As CloudTrail has it.
    fn parameters(_: &GenerateRandomRequest) -> Option<Vec<u8>> {
        None
    }

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: GenerateRandomRequest,
    ) -> Result<GenerateRandomResponse, KmsError> {
        let addressee = kms.addressee(call, request.recipient).await?;
        let facts = Facts { measurements: addressee.measurements(), ..Facts::default() };
        kms.authorize_account::<Self>(call, &facts).await?;
        let bytes = request.number_of_bytes.ok_or(InvalidRequest::NumberOfBytesRequired)?;
        if let Some(id) = request.custom_key_store_id {
            return Err(KmsError::CustomKeyStoreNotFound(id));
        }
        let length = usize::try_from(bytes).map_err(|_| InvalidRequest::NumberOfBytesRequired)?;
        let delivery = kms.deliver(kms.random_secret(length)?, &addressee)?;
        Ok(GenerateRandomResponse {
            plaintext: delivery.plaintext,
            ciphertext_for_recipient: delivery.ciphertext_for_recipient,
        })
    }
}

//! The table of operations: everything the pipeline must know of an operation, as data.

use std::future::Future;
use std::pin::Pin;

use audit::EventError;
use base::Call;
use wire::Fault;
use wire::event;
use wire::json;
use wire::kms::ErrorCode;

use crate::Kms;
use crate::error::KmsError;
use crate::trail::{event_name, first_key};

/// A handler that answers with the body of a success or with the error to map.
type Handler = for<'a> fn(&'a Kms, &'a Call, &'a [u8]) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

type Answer = Result<Vec<u8>, Refused>;

/// Why a call was not carried out.
#[derive(Debug)]
pub enum Refused {
    /// The body is not a valid request of the operation.
    Request(Fault),
    /// The event of the call cannot be logged: nothing is done, or the answer is withheld.
    Unrecorded(KmsError),
    /// The operation refused or failed.
    Operation {
        /// Why.
        error: KmsError,
        /// The codes that the model lets the operation answer with.
        modelled: &'static [ErrorCode],
    },
}

impl Refused {
    /// The answer for the client.
    pub fn to_fault(&self) -> Fault {
        match self {
            Self::Request(fault) => fault.clone(),
            Self::Unrecorded(error) => error.to_fault(&[ErrorCode::KMSInternalException]),
            Self::Operation { error, modelled } => error.to_fault(modelled),
        }
    }
}

/// One operation of the service.
pub struct Operation {
    /// The name as in `X-Amz-Target: TrentService.<name>`.
    pub name: &'static str,
    /// True if it changes nothing.
    pub read_only: bool,
    handler: Handler,
}

/// What an operation file declares. The typed request has passed the model's constraints.
pub(crate) trait Handle: wire::kms::Operation {
    /// True if it changes nothing.
    const READ_ONLY: bool;

    /// Whether its events have an empty list of resources, as CloudTrail's have; others without resources have no list.
    const TELLS_NO_RESOURCES: bool = false;

    /// What its event shows of a request.
    fn parameters(request: &Self::Request) -> Option<Vec<u8>> {
        event::shown(request)
    }

    /// What its event shows of the response, if it changes something.
    fn elements(call: &Call, response: &Self::Response) -> Option<Vec<u8>> {
        if <Self::Response as json::Response>::HAS_BODY {
            return event::shown(response);
        }
        // CloudTrail tells the key, though the answer says nothing.
        event::shown_with(response, first_key(call).as_deref().map(|key| ("keyId", key)))
    }

    /// Carries the call out. The outcome is all that a handler can give: it never sees a socket.
    fn handle<'a>(
        kms: &'a Kms,
        call: &'a Call,
        request: Self::Request,
    ) -> impl Future<Output = Result<Self::Response, KmsError>> + Send + 'a;
}

const fn row<O: Handle>() -> Operation
where
    O::Request: Send,
    O::Response: Send,
{
    Operation { name: O::NAME, read_only: O::READ_ONLY, handler: run::<O> }
}

fn run<'a, O: Handle>(
    kms: &'a Kms,
    call: &'a Call,
    body: &'a [u8],
) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>>
where
    O::Request: Send,
    O::Response: Send,
{
    Box::pin(async move {
        let refused = |error| Refused::Operation { error, modelled: O::ERRORS };
        if let Some(quotas) = &kms.request_quotas {
            quotas.count_operation(call, O::NAME).map_err(refused)?;
        }
        let request =
            json::decode_within::<O::Request>(kms.settings.limits(), body).map_err(Refused::Request)?;
        call.event.set_request_parameters(O::parameters(&request));
        if O::TELLS_NO_RESOURCES {
            call.event.tell_no_resources();
        }
        let response = O::handle(kms, call, request).await;
        let response = response.inspect_err(|error| kms.note_refusal(call, error)).map_err(refused)?;
        if !O::READ_ONLY {
            call.event.set_response_elements(O::elements(call, &response));
        }
        Ok(json::encode(&response))
    })
}

/// Every operation that works, in alphabetical order.
static OPERATIONS: [Operation; 56] = [
    row::<wire::kms::CancelKeyDeletion>(),
    row::<wire::kms::ConnectCustomKeyStore>(),
    row::<wire::kms::CreateAlias>(),
    row::<wire::kms::CreateCustomKeyStore>(),
    row::<wire::kms::CreateGrant>(),
    row::<wire::kms::CreateKey>(),
    row::<wire::kms::Decapsulate>(),
    row::<wire::kms::Decrypt>(),
    row::<wire::kms::DeleteAlias>(),
    row::<wire::kms::DeleteCustomKeyStore>(),
    row::<wire::kms::DeleteImportedKeyMaterial>(),
    row::<wire::kms::DeriveSharedSecret>(),
    row::<wire::kms::DescribeCustomKeyStores>(),
    row::<wire::kms::DescribeKey>(),
    row::<wire::kms::DisableKey>(),
    row::<wire::kms::DisableKeyRotation>(),
    row::<wire::kms::DisconnectCustomKeyStore>(),
    row::<wire::kms::EnableKey>(),
    row::<wire::kms::EnableKeyRotation>(),
    row::<wire::kms::Encapsulate>(),
    row::<wire::kms::Encrypt>(),
    row::<wire::kms::GenerateDataKey>(),
    row::<wire::kms::GenerateDataKeyPair>(),
    row::<wire::kms::GenerateDataKeyPairWithoutPlaintext>(),
    row::<wire::kms::GenerateDataKeyWithoutPlaintext>(),
    row::<wire::kms::GenerateMac>(),
    row::<wire::kms::GenerateRandom>(),
    row::<wire::kms::GetKeyLastUsage>(),
    row::<wire::kms::GetKeyPolicy>(),
    row::<wire::kms::GetKeyRotationStatus>(),
    row::<wire::kms::GetParametersForImport>(),
    row::<wire::kms::GetPublicKey>(),
    row::<wire::kms::ImportKeyMaterial>(),
    row::<wire::kms::ListAliases>(),
    row::<wire::kms::ListGrants>(),
    row::<wire::kms::ListKeyPolicies>(),
    row::<wire::kms::ListKeyRotations>(),
    row::<wire::kms::ListKeys>(),
    row::<wire::kms::ListResourceTags>(),
    row::<wire::kms::ListRetirableGrants>(),
    row::<wire::kms::PutKeyPolicy>(),
    row::<wire::kms::ReEncrypt>(),
    row::<wire::kms::ReplicateKey>(),
    row::<wire::kms::RetireGrant>(),
    row::<wire::kms::RevokeGrant>(),
    row::<wire::kms::RotateKeyOnDemand>(),
    row::<wire::kms::ScheduleKeyDeletion>(),
    row::<wire::kms::Sign>(),
    row::<wire::kms::TagResource>(),
    row::<wire::kms::UntagResource>(),
    row::<wire::kms::UpdateAlias>(),
    row::<wire::kms::UpdateCustomKeyStore>(),
    row::<wire::kms::UpdateKeyDescription>(),
    row::<wire::kms::UpdatePrimaryRegion>(),
    row::<wire::kms::Verify>(),
    row::<wire::kms::VerifyMac>(),
];

impl Kms {
    /// The operation of this name (case sensitive), if it is offered.
    pub fn operation(name: &str) -> Option<&'static Operation> {
        let index = OPERATIONS.binary_search_by(|operation| operation.name.cmp(name)).ok()?;
        OPERATIONS.get(index)
    }

    /// Decodes the body, carries the operation out and encodes its result. What came of it is in the audit log before this
    /// returns.
    pub async fn call(&self, operation: &Operation, call: &Call, body: &[u8]) -> Result<Vec<u8>, Refused> {
        let unrecorded = |error| Refused::Unrecorded(KmsError::Audit(error));
        if !operation.read_only {
            self.trail.ready().await.map_err(unrecorded)?;
        }
        let recording = self.trail.begin(call);
        let answer = (operation.handler)(self, call, body).await;
        let fault = answer.as_ref().err().map(Refused::to_fault);
        let error = fault.as_ref().map(event_error);
        let name = event_name(operation.name, operation.read_only);
        recording.finish(call, name, error).await.map_err(unrecorded)?;
        answer
    }
}

/// CloudTrail has the denials of this service without the end of their name.
fn event_error(fault: &Fault) -> EventError<'_> {
    let code = if fault.code == "AccessDeniedException" { "AccessDenied" } else { fault.code };
    EventError { code, message: fault.message.as_deref() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_has_every_operation_of_the_model() {
        assert_eq!(OPERATIONS.len(), wire::kms::OPERATION_NAMES.len());
        assert!(OPERATIONS.is_sorted_by(|a, b| a.name < b.name));
        for operation in &OPERATIONS {
            assert!(wire::kms::OPERATION_NAMES.contains(&operation.name));
            assert_eq!(Kms::operation(operation.name).map(|found| found.name), Some(operation.name));
        }
    }

    #[test]
    fn names_are_case_sensitive_and_other_names_are_unknown() {
        for name in ["", "encrypt", "Encrypt ", "NoSuchOperation"] {
            assert!(Kms::operation(name).is_none(), "{name}");
        }
    }
}
